/* test.c - `pathway test`: run the tests that packs bring with them. */
#include <stdio.h>

#include "base/civil.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"
#include "engine/packtest.h"

static void print_test(const char *name, const char *where, const char *detail, void *arg)
{
    (void)arg;
    if (detail)
        printf("FAILED %s: %s\n%s\n", where, name, detail);
}

static void print_test_json(const char *name, const char *where, const char *detail, void *arg)
{
    struct buf b = { 0 };

    (void)arg;
    buf_str(&b, "{\"name\":");
    json_write_cstr(&b, name);
    buf_str(&b, ",\"where\":");
    json_write_cstr(&b, where);
    buf_printf(&b, ",\"passed\":%s,\"detail\":", detail ? "false" : "true");
    json_write_cstr(&b, detail);
    buf_char(&b, '}');
    puts(buf_cstr(&b));
    buf_fini(&b);
}

static enum err_code test_folder(struct packtest_counts *total, const char *dir, bool as_json,
                                 struct err *err)
{
    struct packtest_counts counts = { 0 };
    struct problems problems = { 0 };
    struct rulebook *rs = NULL;

    enum err_code rc = rulebook_load(&rs, dir, rules_folder(NULL), &problems, err);
    for (const struct problem *p = problems.first; p && p->next; p = p->next)
        fprintf(stderr, "%s\n", p->next->text); /* the first is in err */
    if (rc == OK) {
        rc = packtest_run(&counts, rs, as_json ? print_test_json : print_test, NULL, err);
        rulebook_free(rs);
    }
    problems_fini(&problems);
    total->passed += counts.passed;
    total->failed += counts.failed;
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    const char *standard = rules_folder(NULL);
    const char *const *dirs = args->operand_count ? (const char *const *)args->operands : &standard;
    int count = args->operand_count ? args->operand_count : 1;
    bool as_json = args_flag(args, "json");
    struct packtest_counts total = { 0 };
    struct err err;

    enum err_code rc = civil_init(&err);
    if (rc == OK)
        rc = digest_init(&err);
    for (int i = 0; i < count && rc == OK; i++)
        rc = test_folder(&total, dirs[i], as_json, &err);
    if (rc != OK) {
        cli_fail(&err);
        return rc == ERR_RULE ? CLI_NO : CLI_FAILED;
    }
    fprintf(as_json ? stderr : stdout, "%zu passed, %zu failed\n", total.passed, total.failed);
    return total.failed ? CLI_NO : CLI_DONE;
}

const struct command test_command = {
    .name = "test",
    .operands = "[DIR...]",
    .summary = "run the tests that rules bring with them",
    .help =
        "Loads each rules folder and runs its tests. A failure shows what was expected, what came\n"
        "out, and why. Without DIR: this source tree's rules, else /etc/pathwayd/rules.\n"
        "With --json: a line for each test.",
    .example = "pathway test rules",
    .no = "a test failed or the rules have errors",
    .max_operands = ANY_NUMBER,
    .run = run,
};
