/* verify.c - `pathway verify` and `pathway replay`: is the database what it says it is? */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

/* Lay the answer to a good or bad end out for people. */
typedef void tell_fn(const struct json *answer, bool is_ok);

static long long number_in(const struct json *answer, const char *name)
{
    const struct json *n = json_get(answer, name);
    return n && n->type == JSON_INT ? (long long)n->as.integer : 0;
}

static void print_value(const char *before, const struct json *value)
{
    struct buf text = { 0 };

    layout_value(&text, value);
    printf("%s%s", before, buf_cstr(&text));
    buf_fini(&text);
}

static void tell_verify(const struct json *answer, bool is_ok)
{
    if (is_ok) {
        printf("the log is whole: %lld events, each joined to the one before it\n",
               number_in(answer, "events"));
        return;
    }
    print_value("the log is not what was written: ", json_get(answer, "error"));
    printf("\n%lld events before that are whole; restore a backup, and find out who changed the "
           "file\n",
           number_in(answer, "events"));
}

static void tell_replay(const struct json *answer, bool is_ok)
{
    const struct json *list = json_get(answer, "differences");

    printf("%lld events in %lld commits made again, %lld rows compared: %s\n",
           number_in(answer, "events"), number_in(answer, "commits"), number_in(answer, "rows"),
           is_ok ? "nothing differs" : "something differs");
    if (is_ok || !list || list->type != JSON_ARRAY)
        return;
    for (const struct json *one = list->as.first; one; one = one->next) {
        print_value("  ", json_get(one, "table"));
        print_value(": ", json_get(one, "difference"));
        putchar('\n');
    }
}

static enum err_code read_answer(bool *is_ok, const struct json **tree, struct arena *arena,
                                 const struct buf *answer, struct err *err)
{
    enum err_code rc = json_parse(tree, arena, buf_cstr(answer), answer->len, 64, err);
    const struct json *ok = rc == OK ? json_get(*tree, "ok") : NULL;

    if (rc == OK && (!ok || ok->type != JSON_BOOL))
        rc = err_set(err, ERR_IO, "the answer does not say whether all is well");
    *is_ok = rc == OK && ok->as.boolean;
    return rc == OK ? OK : (err->code = ERR_IO);
}

static enum cli_exit ask(const struct args *args, const char *question, tell_fn *tell)
{
    struct place *place = NULL;
    struct buf answer = { 0 };
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    bool is_ok = false;
    struct err err;

    if (place_open(&place, args, &err) != OK)
        return cli_fail(&err);
    enum err_code rc = place_ask(&answer, place, question, NULL, &err);
    if (rc == OK)
        rc = read_answer(&is_ok, &tree, &arena, &answer, &err);
    if (rc == OK && args_flag(args, "json"))
        rc = layout_raw(stdout, &answer);
    else if (rc == OK)
        tell(tree, is_ok);
    arena_fini(&arena);
    buf_fini(&answer);
    place_close(place);
    if (rc == OK)
        return is_ok ? CLI_DONE : CLI_NO;
    cli_fail(&err);
    return CLI_FAILED; /* whatever the reason: nothing was said about the database */
}

static enum cli_exit run_verify(const struct args *args)
{
    return ask(args, "verify", tell_verify);
}

static enum cli_exit run_replay(const struct args *args)
{
    return ask(args, "replay", tell_replay);
}

const struct command verify_command = {
    .name = "verify",
    .operands = "",
    .summary = "is the log whole: no event changed, lost or put in",
    .help =
        "Reads the whole log and checks that each event is joined to the one before it by its\n"
        "hash, so that an event that was changed, taken out or put in shows. Good on a backup,\n"
        "with --database.",
    .example = "pathway verify --database /var/backups/pathway.db",
    .no = "the log was tampered with or damaged",
    .asks = true,
    .run = run_verify,
};

const struct command replay_command = {
    .name = "replay",
    .operands = "",
    .summary = "make all that is derived again from the log, and compare",
    .help =
        "Judges every event again in memory, commit by commit, with the rules of its time, and\n"
        "compares decisions, feed and wakes with what the database holds, row by row. Takes about\n"
        "as long as taking the events in did.",
    .example = "pathway replay --database /var/backups/pathway.db",
    .no = "something differs",
    .asks = true,
    .run = run_replay,
};
