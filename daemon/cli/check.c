/* check.c - `pathway check`: load packs and print every error that they have, and which logged
 * events they would no more know. */
#include <stdio.h>

#include "base/civil.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"
#include "engine/doubts.h"
#include "engine/misfits.h"
#include "lua/rulebook.h"

/* What is wrong with the whole folder, or came after it was loaded, is no problem of one of its
 * lines. */
static bool must_tell(bool is_loaded, const struct problems *problems, const struct err *err)
{
    return err->code != OK && (is_loaded || !problems->count);
}

static void print_problems(bool is_loaded, const struct problems *problems, const struct err *err)
{
    for (const struct problem *p = problems->first; p; p = p->next)
        fprintf(stderr, "%s\n", p->text);
    if (must_tell(is_loaded, problems, err))
        fprintf(stderr, "%s\n", err->msg);
}

/* ---- --against ---- */

static void print_misfits(const struct misfits *m, const char *database)
{
    for (const struct misfit *x = m->first; x; x = x->next) {
        fprintf(stderr, "warning: %s: %llu logged event%s of type '%s'", database,
                (unsigned long long)x->count, x->count == 1 ? "" : "s", x->type);
        if (x->declared_at)
            fprintf(stderr, " %s not as %s declares it: %s", x->count == 1 ? "is" : "are",
                    x->declared_at, x->why);
        else
            fprintf(stderr, ", which these rules do not have%s%s%s",
                    x->nearest ? "; did you mean \"" : "", x->nearest ? x->nearest : "",
                    x->nearest ? "\"?" : "");
        fprintf(stderr, " (the first: event %lld, '%s' of %s)\n", (long long)x->seq, x->id,
                x->source);
    }
    if (m->skipped)
        fprintf(stderr,
                "%llu of %llu logged events would count for nothing while these rules are in "
                "force; they stay in the log\n",
                (unsigned long long)m->skipped, (unsigned long long)m->events);
}

static void write_misfit(struct buf *b, const struct misfit *x)
{
    buf_str(b, "{\"type\":");
    json_write_cstr(b, x->type);
    buf_printf(b, ",\"count\":%llu,\"why\":", (unsigned long long)x->count);
    json_write_cstr(b, x->why);
    buf_str(b, ",\"declared_at\":");
    json_write_cstr(b, x->declared_at);
    buf_str(b, ",\"nearest\":");
    json_write_cstr(b, x->nearest);
    buf_printf(b, ",\"first\":{\"seq\":%lld,\"source\":", (long long)x->seq);
    json_write_cstr(b, x->source);
    buf_str(b, ",\"id\":");
    json_write_cstr(b, x->id);
    buf_str(b, "}}");
}

static void write_misfits(struct buf *b, const struct misfits *m)
{
    buf_printf(b, ",\"events\":%llu,\"skipped\":%llu,\"misfits\":[", (unsigned long long)m->events,
               (unsigned long long)m->skipped);
    for (const struct misfit *x = m->first; x; x = x->next) {
        write_misfit(b, x);
        buf_str(b, x->next ? "," : "");
    }
    buf_char(b, ']');
}

/* ---- */

/* `m` NULL: there was nothing to hold them against. */
static void print_json(const char *dir, const struct rulebook *rs, const struct problems *problems,
                       const struct misfits *m, const struct err *err)
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
    if (must_tell(rs, problems, err)) {
        buf_str(&b, problems->count ? "," : "");
        json_write_cstr(&b, err->msg);
    }
    buf_char(&b, ']');
    if (m)
        write_misfits(&b, m);
    puts(b.failed ? "{}" : (buf_char(&b, '}'), buf_cstr(&b)));
    buf_fini(&b);
}

static enum cli_exit exit_of(enum err_code rc)
{
    return rc == OK ? CLI_DONE : rc == ERR_RULE ? CLI_NO : CLI_FAILED;
}

/* What there is to say of loaded rules. */
static enum cli_exit look_closely(struct problems *problems, struct misfits *m, const char *dir,
                                  struct rulebook *rs, const char *database, struct err *err)
{
    enum err_code rc = doubts_find(problems, rs, DOUBTS_ROUNDS, err);

    if (rc != OK)
        return CLI_FAILED;
    if (database)
        rc = misfits_find(m, database, dir, rs, err);
    if (rc != OK)
        return exit_of(rc);
    *err = (struct err){
        0
    }; /* what those who went on have written there is no error of these rules */
    return problems->count || m->skipped ? CLI_NO : CLI_DONE;
}

static enum cli_exit check_folder(const char *dir, const char *database, bool as_json)
{
    struct problems problems = { 0 };
    struct misfits misfits = { 0 };
    struct rulebook *rs = NULL;
    struct err err = { 0 };

    enum err_code rc = rulebook_load(&rs, dir, rules_folder(NULL), &problems, &err);
    enum cli_exit code = exit_of(rc);
    if (rc == OK)
        code = look_closely(&problems, &misfits, dir, rs, database, &err);
    if (as_json)
        print_json(dir, rs, &problems, database ? &misfits : NULL, &err);
    else if (code == CLI_DONE)
        printf("%s: good (digest %.12s)\n", dir, rulebook_digest(rs));
    else
        print_problems(rc == OK, &problems, &err);
    if (!as_json)
        print_misfits(&misfits, database);
    misfits_fini(&misfits);
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
    const char *database = args_text(args, "against");
    if (!args->operand_count)
        return check_folder(rules_folder(NULL), database, args_flag(args, "json"));
    for (int i = 0; i < args->operand_count; i++) {
        enum cli_exit code = check_folder(args->operands[i], database, args_flag(args, "json"));
        worst = code > worst ? code : worst;
    }
    return worst;
}

static const struct option_spec OPTIONS[] = {
    { "against", "DATABASE", "warn of logged events that these rules do not know any more" },
    OPTION_END,
};

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
        "sets. Without DIR: this source tree's rules, else /etc/pathwayd/rules.\n"
        "With --against it also reads the log of a database, beside a daemon or without one, and\n"
        "warns of events whose type these rules do not have, or whose data is not as they declare\n"
        "it: how many of each type, and which is the first. Such events stay in the log, and are\n"
        "skipped while the rules are in force.",
    .example = "pathway check rules",
    .no = "the rules have errors, or logged events do not fit them",
    .options = OPTIONS,
    .max_operands = ANY_NUMBER,
    .run = run,
};
