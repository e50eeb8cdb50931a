/* check.c - `pathway check`: load packs and print every error that they have. */
#include <stdio.h>

#include "base/civil.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"
#include "engine/doubts.h"
#include "lua/rulebook.h"

static void print_problems(const struct problems *problems, const struct err *err)
{
    for (const struct problem *p = problems->first; p; p = p->next)
        fprintf(stderr, "%s\n", p->text);
    if (!problems
             ->count) /* what is wrong with the whole folder is no problem of one of its lines */
        fprintf(stderr, "%s\n", err->msg);
}

static void print_json(const char *dir, const struct rulebook *rs, const struct problems *problems,
                       const struct err *err)
{
    struct buf b = { 0 };

    buf_str(&b, "{\"rules\":");
    json_write_cstr(&b, dir);
    buf_str(&b, ",\"digest\":");
    json_write_cstr(&b, rs ? rulebook_digest(rs) : NULL);
    buf_str(&b, ",\"problems\":[");
    for (const struct problem *p = problems->first; p; p = p->next) {
        json_write_cstr(&b, p->text);
        buf_str(&b, p->next ? "," : "");
    }
    if (!rs && !problems->count)
        json_write_cstr(&b, err->msg);
    puts(b.failed ? "{}" : (buf_str(&b, "]}"), buf_cstr(&b)));
    buf_fini(&b);
}

static enum cli_exit check_folder(const char *dir, bool as_json)
{
    struct problems problems = { 0 };
    struct rulebook *rs = NULL;
    struct err err;
    enum cli_exit code = CLI_DONE;

    enum err_code rc = rulebook_load(&rs, dir, rules_folder(NULL), &problems, &err);
    if (rc != OK)
        code = rc == ERR_RULE ? CLI_NO : CLI_FAILED;
    if (rc == OK && doubts_find(&problems, rs, DOUBTS_ROUNDS, &err) != OK)
        code = CLI_FAILED;
    if (code == CLI_DONE && problems.count)
        code = CLI_NO;
    if (as_json)
        print_json(dir, rs, &problems, &err);
    else if (code != CLI_DONE)
        print_problems(&problems, &err);
    else
        printf("%s: good (digest %.12s)\n", dir, rulebook_digest(rs));
    if (rc == OK)
        rulebook_free(rs);
    problems_fini(&problems);
    return code;
}

static enum cli_exit run(const struct args *args)
{
    struct err err;
    enum cli_exit worst = CLI_DONE;

    if (civil_init(&err) != OK || digest_init(&err) != OK)
        return cli_fail(&err);
    if (!args->operand_count)
        return check_folder(rules_folder(NULL), args_flag(args, "json"));
    for (int i = 0; i < args->operand_count; i++) {
        enum cli_exit code = check_folder(args->operands[i], args_flag(args, "json"));
        worst = code > worst ? code : worst;
    }
    return worst;
}

const struct command check_command = {
    .name = "check",
    .operands = "[DIR...]",
    .summary = "load rules and report every error in them",
    .help =
        "Loads each rules folder (one that holds national/ and perhaps hubs/CODE/, or one "
        "pack's own\n"
        "folder) and prints every error as file:line: what is wrong. Then it runs the rules on\n"
        "invented schools and the packs' tests, and tells which fail there, which are true (or\n"
        "false) for every one of them, which criteria no rule looks at, and which facts nothing\n"
        "sets. Without DIR: this source tree's rules, else /etc/pathwayd/rules.",
    .example = "pathway check rules",
    .no = "the rules have errors",
    .max_operands = ANY_NUMBER,
    .run = run,
};
