/* reload.c - `pathway reload`: the daemon reads its rules, configuration and certificate again. */
#include <stdio.h>

#include "base/civil.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/reload.h"
#include "cli/summary.h"

static long long number_in(const struct json *answer, const char *name)
{
    const struct json *n = json_get(answer, name);
    return n && n->type == JSON_INT ? (long long)n->as.integer : 0;
}

static const char *text_in(const struct json *object, const char *name)
{
    const struct json *text = json_get(object, name);
    return text && text->type == JSON_STRING ? text->as.string : "";
}

/* What is not rules, and could not be read again. */
static void tell_unread(const struct json *answer)
{
    const struct json *unread = json_get(answer, "unread");

    for (const struct json *u = unread ? unread->as.first : NULL; u; u = u->next)
        fprintf(stderr, "%s\npathway: %s was not read again: what was in use of it stays\n",
                text_in(u, "why"), text_in(u, "part"));
}

static void tell(const struct json *answer)
{
    const struct json *changed = json_get(answer, "changed");
    const struct json *refused = json_get(answer, "refused");
    char subjects[COUNT_TEXT], changes[COUNT_TEXT];

    for (const struct json *r = refused ? refused->as.first : NULL; r; r = r->next) {
        const struct json *why = json_get(r, "why"), *pack = json_get(r, "pack");
        if (why && why->type == JSON_STRING && pack && pack->type == JSON_STRING)
            fprintf(stderr,
                    "%spathway: %s was not taken: what was in force of it stays, if that does\n",
                    why->as.string, pack->as.string);
    }

    tell_unread(answer);
    const struct json *unclear = json_get(answer, "unclear");
    for (const struct json *r = unclear ? unclear->as.first : NULL; r; r = r->next) {
        const struct json *why = json_get(r, "why");
        if (why && why->type == JSON_STRING)
            fputs(why->as.string, stdout);
    }
    if (!changed || changed->type != JSON_BOOL || !changed->as.boolean) {
        printf("nothing has changed: generation %lld stays\n", number_in(answer, "generation"));
        return;
    }
    printf("generation %lld is in force: %lld tests passed, %s subjects judged, %s decisions "
           "changed\n",
           number_in(answer, "generation"), number_in(answer, "tests"),
           count_text(number_in(answer, "subjects"), subjects),
           count_text(number_in(answer, "changes"), changes));
}

/* What is wrong with rules is many lines: too long for an error's one sentence. */
static bool print_refusal(const struct exchange *x)
{
    struct arena arena = { 0 };
    const struct json *problem = NULL;
    struct err ignored;

    if (x->status != 409 ||
        json_parse(&problem, &arena, buf_cstr(&x->answer), x->answer.len, 16, &ignored) != OK) {
        arena_fini(&arena);
        return false;
    }
    const struct json *detail = json_get(problem, "detail");
    bool is_told = detail && detail->type == JSON_STRING;
    if (is_told)
        fprintf(stderr, "%s%spathway: the rules were not taken; those in force stay\n",
                detail->as.string,
                detail->len > 0 && detail->as.string[detail->len - 1] == '\n' ? "" : "\n");
    arena_fini(&arena);
    return is_told;
}

static bool has_items(const struct json *answer, const char *name)
{
    const struct json *list = json_get(answer, name);
    return list && list->type == JSON_ARRAY && list->as.first;
}

/* *is_refused: some packs were not taken, though others were, or something was not read. */
static enum err_code print_done(bool *is_refused, const struct args *args, const struct exchange *x,
                                struct err *err)
{
    struct arena arena = { 0 };
    const struct json *answer = NULL;

    enum err_code rc = json_parse(&answer, &arena, buf_cstr(&x->answer), x->answer.len, 16, err);
    *is_refused = rc == OK && (has_items(answer, "refused") || has_items(answer, "unread"));
    if (rc == OK && args_flag(args, "json"))
        rc = layout_raw(stdout, &x->answer);
    else if (rc == OK)
        tell(answer);
    arena_fini(&arena);
    return rc;
}

enum cli_exit rules_call(const struct args *args, struct exchange *x)
{
    struct place *place = NULL;
    struct err err;
    bool is_refused = false;

    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK && !place_client(place))
        rc = err_set(&err, ERR_INPUT,
                     "only a running daemon changes its rules: give --url, not --database");
    if (rc == OK)
        rc = client_call(place_client(place), x, &err);
    if (rc == OK)
        is_refused = print_refusal(x);
    if (rc == OK && !is_refused)
        rc = client_check(x, &err);
    if (rc == OK && !is_refused)
        rc = print_done(&is_refused, args, x, &err);
    exchange_fini(x);
    place_close(place);
    if (is_refused)
        return CLI_NO;
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

static enum cli_exit run(const struct args *args)
{
    struct exchange x = { .method = "POST",
                          .path = args_flag(args, "rollback") ? "/v1/reload?rollback=national"
                                                              : "/v1/reload",
                          .content_type = "application/json",
                          .body = "{}",
                          .body_len = 2 };

    return rules_call(args, &x);
}

static const struct option_spec OPTIONS[] = {
    { "rollback", NULL, "go back to the national pack before the one in force" },
    OPTION_END,
};

const struct command reload_command = {
    .name = "reload",
    .operands = "",
    .summary = "have the daemon read its rules, configuration and certificate again",
    .help =
        "The daemon loads its rules folder beside what runs, runs the rules' own tests, judges "
        "every\n"
        "subject by them while it goes on taking events in, and changes over in one step. With an\n"
        "error, or a test that fails, the rules in force stay, and `pathway status` goes on "
        "showing\n"
        "why. The configuration and the certificate that TLS is served with are read again too; "
        "what is\n"
        "wrong with them is printed, and they stay as they were. `systemctl reload pathwayd` does "
        "the\n"
        "same. After --rollback, which is about the rules alone, the folder's national pack counts "
        "again\n"
        "once somebody changes it.",
    .example = "pathway reload",
    .options = OPTIONS,
    .no = "something was not taken: what is wrong with it is printed",
    .asks = true,
    .run = run,
};
