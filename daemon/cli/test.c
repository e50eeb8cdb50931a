/* test.c - `pathway test`: run the tests that packs bring with them. */
#include <stdio.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "cli/coverage.h"
#include "cli/options.h"
#include "cli/place.h"
#include "engine/coverage.h"
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

struct wanted {
    bool as_json;
    bool has_coverage;
    const char *database; /* coverage over its schools too; NULL: no */
    int64_t at;
};

/* Run the tests of loaded rules, and count what the rules say, as far as it is asked for. */
static enum err_code test_rules(struct packtest_counts *counts, struct rulebook *rules,
                                const struct wanted *wanted, struct err *err)
{
    struct coverage tests = { 0 }, schools = { 0 };
    uint64_t subjects = 0;

    enum err_code rc = coverage_init(&tests, rules, err);
    if (rc == OK)
        rc = packtest_cover(counts, rules, -1, wanted->has_coverage ? &tests : NULL,
                            wanted->as_json ? print_test_json : print_test, NULL, err);
    if (rc == OK && wanted->database)
        rc = coverage_init(&schools, rules, err);
    if (rc == OK && wanted->database)
        rc = coverage_database(&schools, &subjects, wanted->database, wanted->at, err);
    if (rc == OK && wanted->has_coverage)
        coverage_print(&tests, wanted->database ? &schools : NULL, subjects, wanted->as_json);
    coverage_fini(&tests);
    coverage_fini(&schools);
    return rc;
}

static enum err_code test_folder(struct packtest_counts *total, const char *dir,
                                 const struct wanted *wanted, struct err *err)
{
    struct packtest_counts counts = { 0 };
    struct problems problems = { 0 };
    struct rulebook *rules = NULL;

    enum err_code rc = rulebook_load(&rules, dir, rules_folder(NULL), &problems, err);
    for (const struct problem *p = problems.first; p && p->next; p = p->next)
        fprintf(stderr, "%s\n", p->next->text); /* the first is in err */
    if (rc == OK) {
        rc = test_rules(&counts, rules, wanted, err);
        rulebook_free(rules);
    }
    problems_fini(&problems);
    total->passed += counts.passed;
    total->failed += counts.failed;
    return rc;
}

static enum err_code read_wanted(struct wanted *out, const struct args *args, struct err *err)
{
    struct clock clock;

    *out = (struct wanted){ .as_json = args_flag(args, "json"),
                            .has_coverage = args_flag(args, "coverage"),
                            .database = args_text(args, "database") };
    if (!out->has_coverage && (out->database || args_text(args, "at")))
        return err_set(err, ERR_INPUT, "--database and --at go with --coverage");
    clock_init_real(&clock);
    return args_moment(&out->at, args, "at", clock_now(&clock), err);
}

static enum cli_exit run(const struct args *args)
{
    const char *standard = rules_folder(NULL);
    const char *const *dirs = args->operand_count ? (const char *const *)args->operands : &standard;
    int count = args->operand_count ? args->operand_count : 1;
    struct packtest_counts total = { 0 };
    struct wanted wanted;
    struct err err;

    enum err_code rc = civil_init(&err);
    if (rc == OK)
        rc = digest_init(&err);
    if (rc == OK && (rc = read_wanted(&wanted, args, &err)) != OK)
        return cli_fail(&err);
    for (int i = 0; i < count && rc == OK; i++)
        rc = test_folder(&total, dirs[i], &wanted, &err);
    if (rc != OK) {
        cli_fail(&err);
        return rc == ERR_RULE ? CLI_NO : CLI_FAILED;
    }
    fprintf(wanted.as_json ? stderr : stdout, "%zu passed, %zu failed\n", total.passed,
            total.failed);
    return total.failed ? CLI_NO : CLI_DONE;
}

static const struct option_spec OPTIONS[] = {
    { "coverage", NULL, "in which ways each rule came out: true, false, waived, error" },
    { "database", "FILE", "with --coverage: over the schools of this database too" },
    OPTION_AT,
    OPTION_END,
};

const struct command test_command = {
    .name = "test",
    .operands = "[DIR...]",
    .summary = "run the tests that rules bring with them",
    .help =
        "Loads each rules folder and runs its tests. A failure shows what was expected, what came\n"
        "out, and why. Without DIR: this source tree's rules, else /etc/pathwayd/rules.\n"
        "With --coverage a table says how often each criterion was true, false, waived or failed,\n"
        "in the tests and, with --database, over real schools at the moment --at. With --json: a\n"
        "line for each test, and for each rule.",
    .options = OPTIONS,
    .example = "pathway test rules",
    .no = "a test failed or the rules have errors",
    .max_operands = ANY_NUMBER,
    .run = run,
};
