/* token.c - `pathway token`: who may come in over the network. */
#include <stdio.h>
#include <string.h>

#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

static void write_request(struct buf *b, const struct args *args)
{
    const char *hubs = args_text(args, "hubs"), *expires = args_text(args, "expires");
    const char *scopes = args_text(args, "scopes");

    buf_str(b, "{\"name\":");
    json_write_cstr(b, args->operands[0]);
    buf_str(b, ",\"scopes\":");
    asked_words(b, scopes ? scopes : "read");
    if (hubs) {
        buf_str(b, ",\"hubs\":");
        asked_words(b, hubs);
    }
    if (expires) {
        buf_str(b, ",\"expires\":");
        json_write_cstr(b, expires);
    }
    buf_char(b, '}');
}

static enum err_code print_new(const struct args *args, const struct buf *answer, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    if (args_flag(args, "json"))
        return layout_raw(stdout, answer);
    enum err_code rc = json_parse(&tree, &arena, buf_cstr(answer), answer->len, 16, err);
    const struct json *token = rc == OK ? json_get(tree, "token") : NULL;
    if (token && token->type == JSON_STRING) {
        printf("%s\n", token->as.string);
        fprintf(stderr, "Keep it now: it is not shown again, and nobody can look it up.\n");
    }
    arena_fini(&arena);
    return rc;
}

static enum cli_exit run_add(const struct args *args)
{
    struct place *place = NULL;
    struct buf request = { 0 }, answer = { 0 };
    struct err err;

    write_request(&request, args);
    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = place_command(&answer, place, "token.add", "POST", "/v1/tokens", buf_cstr(&request),
                           &err);
    if (rc == OK)
        rc = print_new(args, &answer, &err);
    buf_fini(&request);
    buf_fini(&answer);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

static enum cli_exit run_revoke(const struct args *args)
{
    struct place *place = NULL;
    struct buf path = { 0 }, request = { 0 };
    struct err err;

    buf_str(&path, "/v1/tokens/");
    client_escape(&path, args->operands[0]);
    buf_str(&request, "{\"name\":");
    json_write_cstr(&request, args->operands[0]);
    buf_char(&request, '}');
    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = place_command(NULL, place, "token.revoke", "DELETE", buf_cstr(&path),
                           buf_cstr(&request), &err);
    buf_fini(&path);
    buf_fini(&request);
    place_close(place);
    if (rc != OK)
        return cli_fail(&err);
    if (args_flag(args, "json"))
        puts("{}");
    else
        printf("%s: revoked\n", args->operands[0]);
    return CLI_DONE;
}

static void print_token(FILE *to, const struct json *t)
{
    static const char *const COLUMNS[] = { "name", "scopes", "hubs", "expires", "revoked" };
    static const int WIDTHS[] = { 24, 34, 12, 20, 0 };

    for (size_t i = 0; i < sizeof(COLUMNS) / sizeof(COLUMNS[0]); i++) {
        const struct json *value = json_get(t, COLUMNS[i]);
        struct buf b = { 0 };
        bool is_moment = i >= 3 && value && value->type == JSON_STRING;
        if (is_moment)
            layout_moment(&b, value);
        else if (i == 2 && value && value->type == JSON_NULL)
            buf_str(&b, "all");
        else
            layout_value(&b, value);
        layout_pad(to, buf_cstr(&b), WIDTHS[i]);
        fputs(WIDTHS[i] ? "  " : "\n", to);
        buf_fini(&b);
    }
}

static enum err_code print_list(FILE *to, const struct buf *answer, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    enum err_code rc = asked_parse(&tree, &arena, answer, err);
    const struct json *items = rc == OK ? json_get(tree, "items") : NULL;
    if (items && items->type == JSON_ARRAY && items->len > 0)
        fprintf(to, "%-24s  %-34s  %-12s  %-20s  %s\n", "NAME", "SCOPES", "HUBS", "EXPIRES",
                "REVOKED");
    for (const struct json *t = items ? items->as.first : NULL; t; t = t->next)
        print_token(to, t);
    arena_fini(&arena);
    return rc;
}

static enum cli_exit run_list(const struct args *args)
{
    return asked_print(args, "tokens", NULL, print_list);
}

static const struct option_spec ADD_OPTIONS[] = {
    { "scopes", "A,B", "read (the default), write, rules, personal, admin" },
    { "hubs", "A,B", "it may write about subjects of these hubs only; of all when not given" },
    { "expires", "TIME", "from then on it is refused; never when not given" },
    OPTION_END,
};

const struct command token_add_command = {
    .name = "token add",
    .operands = "NAME",
    .summary = "make an access token",
    .help = "Makes a token with which a program may come in over the network, and prints it, once. "
            "NAME is\n"
            "what the log tells as the sender of its events; it is never given to another token.\n"
            "As soon as there is a token, every request over TCP needs one. Programs send it as\n"
            "`Authorization: Bearer TOKEN`; `pathway` itself takes it from the file --token-file "
            "or from\n"
            "$PATHWAY_TOKEN.\n\n"
            "Scopes: read (ask about schools, groups, the feed, the rules), write (send events), "
            "rules (change\n"
            "a hub's rules), personal (who people are), admin (tokens, reload, checks).",
    .example = "pathway token add hub-07-mailer --scopes read,write --hubs 07 --expires 2027-09-01",
    .no = "the name has been given before",
    .options = ADD_OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_add,
};

const struct command token_list_command = {
    .name = "token list",
    .operands = "",
    .summary = "the access tokens there are",
    .help = "Prints their names, what they may do, when they end or ended. The tokens themselves "
            "are kept\n"
            "nowhere.",
    .example = "pathway token list",
    .asks = true,
    .run = run_list,
};

const struct command token_revoke_command = {
    .name = "token revoke",
    .operands = "NAME",
    .summary = "let nobody in with a token any more",
    .help = "From its answer on, every request with this token is refused.",
    .example = "pathway token revoke hub-07-mailer",
    .no = "there is no such token, or it was revoked before",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_revoke,
};
