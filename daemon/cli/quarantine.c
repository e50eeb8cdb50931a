/* quarantine.c - `pathway quarantine`: events that were refused where nobody could be told, and
 * events that a rule failed on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/deliver.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

/* ---- list ---- */

static const char *text_at(const struct json *item, const char *name)
{
    const struct json *v = json_get(item, name);
    return v && v->type == JSON_STRING ? v->as.string : "-";
}

static void print_refused(const struct json *items)
{
    for (const struct json *i = items ? items->as.first : NULL; i; i = i->next)
        printf("%lld  %s  from %s\n    %s\n", (long long)json_get(i, "number")->as.integer,
               text_at(i, "received"), text_at(i, "origin"), text_at(i, "reason"));
}

static void print_faults(const struct json *items)
{
    for (const struct json *i = items ? items->as.first : NULL; i; i = i->next) {
        const struct json *move = json_get(i, "move");
        if (move && move->type == JSON_STRING)
            printf("left out  %s  move %s\n    %s\n", text_at(i, "subject"), move->as.string,
                   text_at(i, "error"));
        else
            printf("left out  %s  %s %s of %s\n    %s\n", text_at(i, "subject"), text_at(i, "type"),
                   text_at(i, "id"), text_at(i, "source"), text_at(i, "error"));
    }
}

static enum err_code list_one(struct place *place, const char *question, bool as_json,
                              void (*print)(const struct json *items), int64_t *count,
                              struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    struct buf answer = { 0 };
    static const struct param NONE[] = { { NULL, NULL } };

    enum err_code rc = place_ask(&answer, place, question, NONE, err);
    if (rc == OK)
        rc = json_parse(&tree, &arena, buf_cstr(&answer), answer.len, 64, err);
    if (rc == OK) {
        *count += json_get(tree, "total")->as.integer;
        if (as_json)
            printf("\"%s\":%s", question, buf_cstr(&answer));
        else
            print(json_get(tree, "items"));
    }
    arena_fini(&arena);
    buf_fini(&answer);
    return rc;
}

static enum cli_exit run_list(const struct args *args)
{
    struct place *place = NULL;
    int64_t count = 0;
    bool as_json = args_flag(args, "json");
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        fputs(as_json ? "{" : "", stdout);
    if (rc == OK)
        rc = list_one(place, "quarantine", as_json, print_refused, &count, &err);
    if (rc == OK)
        fputs(as_json ? "," : "", stdout);
    if (rc == OK)
        rc = list_one(place, "faults", as_json, print_faults, &count, &err);
    if (rc == OK)
        fputs(as_json ? "}\n" : count ? "" : "there is nothing in the quarantine\n", stdout);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail_asking(&err);
}

/* ---- retry, discard ---- */

static enum err_code read_number(long long *out, const char *text, struct err *err)
{
    char *end;

    *out = strtoll(text, &end, 10);
    if (*end || *out < 1)
        return err_set(err, ERR_INPUT, "'%.80s' is no number; see pathway quarantine list", text);
    return OK;
}

static enum err_code discard(struct place *place, const char *operand, struct err *err)
{
    char path[60], params[60];
    long long number;

    if (read_number(&number, operand, err) != OK)
        return err->code;
    snprintf(path, sizeof(path), "/v1/quarantine/%lld", number);
    snprintf(params, sizeof(params), "{\"number\":\"%lld\"}", number);
    return place_command(NULL, place, "aside.discard", "DELETE", path, params, err);
}

static enum cli_exit run_discard(const struct args *args)
{
    struct place *place = NULL;
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    for (int i = 0; rc == OK && i < args->operand_count; i++) {
        rc = discard(place, args->operands[i], &err);
        if (rc == OK && !args_flag(args, "json"))
            printf("%s: discarded\n", args->operands[i]);
    }
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

struct retry {
    struct buf body;
    bool is_sent;
    char refusal[600];
};

static enum err_code next_batch(struct batch *out, void *arg, struct err *err)
{
    struct retry *r = arg;

    buf_reset(&out->body);
    out->count = 0;
    if (r->is_sent)
        return OK;
    r->is_sent = true;
    if (!out->lines && !(out->lines = calloc(1, sizeof(*out->lines))))
        return err_set(err, ERR_LIMIT, "no memory to send an event");
    out->cap = out->cap ? out->cap : 1;
    out->file = "quarantine";
    out->lines[0] = 1;
    out->count = 1;
    buf_add(&out->body, r->body.data, r->body.len);
    buf_char(&out->body, '\n');
    return out->body.failed ? err_set(err, ERR_LIMIT, "no memory to send an event") : OK;
}

static void take_refusal(const char *file, int64_t line, const char *status, const char *detail,
                         void *arg)
{
    struct retry *r = arg;

    (void)file, (void)line;
    snprintf(r->refusal, sizeof(r->refusal), "%s: %s", status, detail);
}

/* The event as it came, in one line. */
static enum err_code read_body(struct buf *out, struct place *place, const char *number,
                               struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    struct buf answer = { 0 };
    const struct param params[] = { { "number", number }, { NULL, NULL } };

    enum err_code rc = place_ask(&answer, place, "quarantine", params, err);
    if (rc == OK)
        rc = json_parse(&tree, &arena, buf_cstr(&answer), answer.len, 64, err);
    const struct json *items = rc == OK ? json_get(tree, "items") : NULL;
    if (items && items->as.first)
        buf_str(out, text_at(items->as.first, "body"));
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    arena_fini(&arena);
    buf_fini(&answer);
    return rc;
}

static enum err_code retry(struct place *place, const char *operand, struct retry *r,
                           struct err *err)
{
    const struct delivery d = {
        .next = next_batch, .refused = take_refusal, .arg = r, .patience_s = 30
    };
    struct tally tally = { 0 };
    long long number;

    if (read_number(&number, operand, err) != OK ||
        read_body(&r->body, place, operand, err) != OK || deliver(&tally, place, &d, err) != OK)
        return err->code;
    return r->refusal[0] ? OK : discard(place, operand, err);
}

static enum cli_exit run_retry(const struct args *args)
{
    struct place *place = NULL;
    struct err err;
    bool is_refused = false;

    enum err_code rc = place_open(&place, args, &err);
    for (int i = 0; rc == OK && i < args->operand_count; i++) {
        struct retry r = { 0 };
        rc = retry(place, args->operands[i], &r, &err);
        if (rc == OK && !args_flag(args, "json"))
            printf("%s: %s\n", args->operands[i], r.refusal[0] ? r.refusal : "taken");
        is_refused = is_refused || r.refusal[0];
        buf_fini(&r.body);
    }
    place_close(place);
    return rc != OK ? cli_fail(&err) : is_refused ? CLI_NO : CLI_DONE;
}

const struct command quarantine_list_command = {
    .name = "quarantine list",
    .operands = "",
    .summary = "events that were refused, or left out because a rule failed",
    .help =
        "First, by number, what came from where nobody could be told that it was refused (a spool\n"
        "folder, a stream): it can be tried again, or discarded. Then events in the log that are "
        "left\n"
        "out of a school's record because a reducer fails on them: they come back by themselves "
        "with\n"
        "rules that do not fail on them; to give one up, send an event.voided for it.",
    .example = "pathway quarantine list",
    .asks = true,
    .run = run_list,
};

const struct command quarantine_retry_command = {
    .name = "quarantine retry",
    .operands = "NUMBER...",
    .summary = "send refused events again",
    .help = "Sends them as they came. What is taken leaves the quarantine; what is refused again "
            "stays.",
    .example = "pathway quarantine retry 4 5",
    .no = "an event was refused again",
    .min_operands = 1,
    .max_operands = ANY_NUMBER,
    .asks = true,
    .run = run_retry,
};

const struct command quarantine_discard_command = {
    .name = "quarantine discard",
    .operands = "NUMBER...",
    .summary = "delete refused events",
    .help =
        "Deletes them for good. Events in the log, which a reducer fails on, are not concerned.",
    .example = "pathway quarantine discard 4",
    .no = "there is no such number",
    .min_operands = 1,
    .max_operands = ANY_NUMBER,
    .asks = true,
    .run = run_discard,
};
