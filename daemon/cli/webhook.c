/* webhook.c - `pathway webhook`: receivers to whom the feed is delivered, signed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask_route.h"
#include "cli/asked.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"

#define ANSWER_DEPTH 16

static const struct option_spec ADD_OPTIONS[] = {
    { "hub", "CODE", "only changes of this hub's schools and groups" },
    { "decisions", "A,B", "only these decisions" },
    { "after", "SEQ", "begin after this number of the feed: 0 is all of it; now when not given" },
    OPTION_END,
};

static const struct option_spec REPLAY_OPTIONS[] = {
    { "after", "SEQ", "send again what comes after this number of the feed" },
    OPTION_END,
};

static const struct option_spec ROTATE_OPTIONS[] = {
    { "overlap", "HOURS", "how long the old secret signs too (24)" },
    OPTION_END,
};

/* ---- parameters ---- */

static enum err_code write_after(struct buf *b, const struct args *args, const char *name,
                                 struct err *err)
{
    int64_t after;

    if (args_number(&after, args, "after", 0, INT64_MAX, 0, err) != OK)
        return err->code;
    buf_printf(b, "\"%s\":%lld", name, (long long)after);
    return OK;
}

/* ---- asking ---- */

static const char *text_of(const struct json *object, const char *name)
{
    const struct json *value = json_get(object, name);
    return value && value->type == JSON_STRING ? value->as.string : "";
}

/* Print an answer for people. */
typedef void print_fn(const struct args *args, const struct json *answer, const char *done);

/* Ask at /v1/webhooks, or at that of the first operand: `action` is "" for itself, NULL for all of
 * them. `json` is spent. */
static enum cli_exit ask(const struct args *args, const char *method, const char *action,
                         struct buf *json, print_fn *print, const char *done)
{
    const struct json *tree = NULL;
    struct arena arena = { 0 };
    struct buf path = { 0 }, answer = { 0 };
    struct err err;
    bool is_yes = true;

    buf_str(&path, "/v1/webhooks");
    if (action) {
        buf_char(&path, '/');
        client_escape(&path, args->operands[0]);
        buf_str(&path, *action ? "/" : "");
        buf_str(&path, action);
    }
    enum err_code rc = path.failed || json->failed
                           ? err_set(&err, ERR_LIMIT, "no memory")
                           : ask_route(&answer, args, method, buf_cstr(&path),
                                       json->len ? buf_cstr(json) : NULL, &err);
    if (rc == OK)
        rc = json_parse(&tree, &arena, buf_cstr(&answer), answer.len, ANSWER_DEPTH, &err);
    const struct json *delivered = rc == OK ? json_get(tree, "delivered") : NULL;
    if (delivered && delivered->type == JSON_BOOL)
        is_yes = delivered->as.boolean;
    if (rc == OK && args_flag(args, "json"))
        rc = layout_raw(stdout, &answer);
    else if (rc == OK)
        print(args, tree, done);
    arena_fini(&arena);
    buf_fini(&answer);
    buf_fini(&path);
    buf_fini(json);
    return rc != OK ? cli_fail(&err) : is_yes ? CLI_DONE : CLI_NO;
}

static void print_done(const struct args *args, const struct json *answer, const char *done)
{
    (void)answer;
    printf("%s: %s\n", args->operands[0], done);
}

/* Ask for something that takes no parameters. */
static enum cli_exit ask_plainly(const struct args *args, const char *method, const char *action,
                                 print_fn *print, const char *done)
{
    struct buf none = { 0 };
    return ask(args, method, action, &none, print, done);
}

/* ---- list ---- */

#define COLUMNS 9

static const char *const COLUMN_NAMES[COLUMNS] = { "name",         "state",  "lag",
                                                   "delivered",    "failed", "failing",
                                                   "next_attempt", "url",    "last_error" };

static void print_table(const struct json *items)
{
    int widths[COLUMNS];

    for (int i = 0; i < COLUMNS; i++)
        widths[i] = layout_width(COLUMN_NAMES[i]);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; pass == 1 && i < COLUMNS; i++)
            layout_pad(stdout, COLUMN_NAMES[i], i < COLUMNS - 1 ? widths[i] + 2 : 0);
        fputs(pass == 1 ? "\n" : "", stdout);
        for (const struct json *item = items->as.first; item; item = item->next) {
            for (int i = 0; i < COLUMNS; i++) {
                struct buf value = { 0 };
                layout_value(&value, json_get(item, COLUMN_NAMES[i]));
                int width = layout_width(buf_cstr(&value));
                if (pass == 1)
                    layout_pad(stdout, buf_cstr(&value), i < COLUMNS - 1 ? widths[i] + 2 : 0);
                else if (width > widths[i])
                    widths[i] = width;
                buf_fini(&value);
            }
            fputs(pass == 1 ? "\n" : "", stdout);
        }
    }
}

static void print_list(const struct args *args, const struct json *answer, const char *done)
{
    const struct json *items = json_get(answer, "items");

    (void)args;
    if (items && items->type == JSON_ARRAY && items->len > 0)
        print_table(items);
    else
        puts(done);
}

static enum cli_exit run_list(const struct args *args)
{
    return ask_plainly(args, "GET", NULL, print_list,
                       "no webhooks; `pathway webhook add NAME URL` adds one");
}

/* ---- add, rotate: the secret is shown, once ---- */

static void print_secret(const struct args *args, const struct json *answer, const char *done)
{
    printf("%s: %s. Its secret, shown this once, for the receiver:\n%s\n", args->operands[0], done,
           text_of(answer, "secret"));
}

static enum cli_exit run_add(const struct args *args)
{
    struct buf json = { 0 };
    struct err err;

    buf_str(&json, "{\"name\":");
    json_write_cstr(&json, args->operands[0]);
    buf_str(&json, ",\"url\":");
    json_write_cstr(&json, args->operands[1]);
    if (args_text(args, "hub")) {
        buf_str(&json, ",\"hub\":");
        json_write_cstr(&json, args_text(args, "hub"));
    }
    if (args_text(args, "decisions")) {
        buf_str(&json, ",\"decisions\":");
        asked_words(&json, args_text(args, "decisions"));
    }
    if (args_text(args, "after")) {
        buf_char(&json, ',');
        if (write_after(&json, args, "from", &err) != OK) {
            buf_fini(&json);
            return cli_fail(&err);
        }
    }
    buf_char(&json, '}');
    return ask(args, "POST", NULL, &json, print_secret, "added");
}

static enum cli_exit run_rotate(const struct args *args)
{
    struct buf json = { 0 };
    struct err err;
    int64_t hours;

    if (args_number(&hours, args, "overlap", 0, 720, 24, &err) != OK)
        return cli_fail(&err);
    buf_printf(&json, "{\"overlap_hours\":%lld}", (long long)hours);
    return ask(args, "POST", "rotate", &json, print_secret,
               "has a new secret; the old one still signs too");
}

/* ---- test, pause, resume, replay, remove ---- */

static void print_test(const struct args *args, const struct json *answer, const char *done)
{
    const char *error = text_of(answer, "error");

    if (*error)
        printf("%s: not taken: %s\n", args->operands[0], error);
    else
        print_done(args, answer, done);
}

static enum cli_exit run_test(const struct args *args)
{
    return ask_plainly(args, "POST", "test", print_test, "taken");
}

static enum cli_exit run_pause(const struct args *args)
{
    return ask_plainly(args, "POST", "pause", print_done, "paused; its place in the feed is kept");
}

static enum cli_exit run_resume(const struct args *args)
{
    return ask_plainly(args, "POST", "resume", print_done, "goes on where it was");
}

static enum cli_exit run_remove(const struct args *args)
{
    return ask_plainly(args, "DELETE", "", print_done, "removed");
}

static enum cli_exit run_replay(const struct args *args)
{
    struct buf json = { 0 };
    struct err err;

    if (!args_text(args, "after")) {
        err_set(&err, ERR_INPUT, "--after is missing: after which number of the feed?");
        cli_fail(&err);
        return CLI_USAGE;
    }
    buf_char(&json, '{');
    if (write_after(&json, args, "after", &err) != OK) {
        buf_fini(&json);
        return cli_fail(&err);
    }
    buf_char(&json, '}');
    return ask(args, "POST", "replay", &json, print_done, "sends again from there");
}

const struct command webhook_list_command = {
    .name = "webhook list",
    .operands = "",
    .summary = "who is told of changes, and how that goes",
    .help =
        "Lists the receivers, how far each is behind, and what was last wrong with it. A webhook\n"
        "is active, paused (by a person) or disabled (by the daemon, after days of failing or\n"
        "an answer 410).",
    .example = "pathway webhook list",
    .asks = true,
    .run = run_list,
};

const struct command webhook_add_command = {
    .name = "webhook add",
    .operands = "NAME URL",
    .summary = "deliver the feed to a URL, signed",
    .help =
        "Each change is a POST to URL, one entry of the feed, signed as Standard Webhooks 1.0\n"
        "says. The secret with which the receiver checks that is printed once and never again;\n"
        "`webhook rotate` makes a new one. URL is https; private addresses, and http, only where\n"
        "the configuration allows them ('allow' in [plugin webhook]).",
    .example = "pathway webhook add mailer https://mailer.example/pathway --hub 07",
    .options = ADD_OPTIONS,
    .min_operands = 2,
    .max_operands = 2,
    .asks = true,
    .run = run_add,
};

const struct command webhook_test_command = {
    .name = "webhook test",
    .operands = "NAME",
    .summary = "send a test and say what the receiver answers",
    .help =
        "Sends one signed request of type pathway.webhook.test, at once, whatever the webhook's\n"
        "state, and says what came of it.",
    .example = "pathway webhook test mailer",
    .no = "the receiver did not take it",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_test,
};

const struct command webhook_pause_command = {
    .name = "webhook pause",
    .operands = "NAME",
    .summary = "send nothing until it is resumed",
    .help = "Keeps the webhook's place in the feed: nothing is lost, however long it is paused.",
    .example = "pathway webhook pause mailer",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_pause,
};

const struct command webhook_resume_command = {
    .name = "webhook resume",
    .operands = "NAME",
    .summary = "go on where it was; also try at once what failed",
    .help =
        "For a webhook that is paused or disabled, and for one that waits after failures: it goes\n"
        "on at once, where it was.",
    .example = "pathway webhook resume mailer",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_resume,
};

const struct command webhook_replay_command = {
    .name = "webhook replay",
    .operands = "NAME",
    .summary = "send again from a place in the feed",
    .help =
        "Moves the webhook's place to --after, backwards or forwards. What the receiver has had\n"
        "already comes again with the same webhook-id.",
    .example = "pathway webhook replay mailer --after 4700",
    .options = REPLAY_OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_replay,
};

const struct command webhook_rotate_command = {
    .name = "webhook rotate",
    .operands = "NAME",
    .summary = "a new secret; the old one signs too for a while",
    .help =
        "Prints a new secret, once. For --overlap hours each request carries two signatures, so\n"
        "that the receiver can change over without missing anything.",
    .example = "pathway webhook rotate mailer --overlap 48",
    .options = ROTATE_OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_rotate,
};

const struct command webhook_remove_command = {
    .name = "webhook remove",
    .operands = "NAME",
    .summary = "deliver to it no more, and forget it",
    .help = "Forgets the webhook, its place in the feed and its secret.",
    .example = "pathway webhook remove mailer",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_remove,
};
