/* restated.c - `pathway restated`: which answers about the past have changed, and because
 * of what. */
#include <string.h>

#include "base/text.h"
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

static const struct option_spec OPTIONS[] = {
    { "from", "TIME", "what was known at TIME ..." },
    { "to", "TIME", "... is compared with what was known at this; now when not given" },
    { "at", "TIME", "answers about this moment; that of --from when not given" },
    { "hub", "CODE", "only what belongs to this hub" },
    { "format", "FORMAT", "csv or ndjson: rows for programs, instead of text for people" },
    OPTION_END,
};

/* NULL: for people. */
static enum err_code read_format(const char **out, const struct args *args, struct err *err)
{
    static const char *const NAMES[] = { "csv", "ndjson" };
    const char *given = args_text(args, "format");
    char hint[80];

    *out = given ? given : args_flag(args, "json") ? "json" : NULL;
    for (size_t i = 0; given && i < 2; i++)
        if (!strcmp(given, NAMES[i]))
            return OK;
    return !given ? OK
                  : err_set(err, ERR_INPUT, "--format is '%.80s': expected csv or ndjson%s", given,
                            text_hint(hint, sizeof(hint), given, NAMES, 2));
}

static void print_cause(const struct json *cause, const struct json *about)
{
    const struct json *events = json_get(cause, "events"), *g = json_get(cause, "generation");
    struct buf b = { 0 };

    for (const struct json *e = events ? events->as.first : NULL; e; e = e->next) {
        layout_event(&b, e, about);
        printf("      because of %s\n", buf_cstr(&b));
        buf_reset(&b);
    }
    if (g && g->type == JSON_INT)
        printf("      because of other rules, generation %lld\n", (long long)g->as.integer);
    buf_fini(&b);
}

static void print_item(const struct json *item, const char **last)
{
    const char *subject = json_get(item, "subject")->as.string;
    struct buf b = { 0 };

    if (!*last || strcmp(*last, subject) != 0) {
        layout_who(&b, item);
        printf("\n%s\n", buf_cstr(&b));
        buf_reset(&b);
    }
    *last = subject;
    layout_decision(&b, item);
    printf("  %s\n", buf_cstr(&b));
    buf_fini(&b);
    print_cause(json_get(item, "cause"), json_get(item, "subject"));
}

static void print_text(const struct json *answer)
{
    const struct json *items = json_get(answer, "items");
    const char *last = NULL;
    struct buf b = { 0 };

    const unsigned count = items ? (unsigned)items->len : 0;

    if (count == 0)
        buf_str(&b, "No answer");
    else
        buf_printf(&b, "%u answer%s", count, count == 1 ? "" : "s");
    buf_str(&b, " about ");
    layout_moment(&b, json_get(answer, "at"));
    buf_printf(&b, " differ%s between what was known ", count > 1 ? "" : "s");
    layout_known(&b, json_get(json_get(answer, "from"), "known"));
    buf_str(&b, " and ");
    layout_known(&b, json_get(json_get(answer, "to"), "known"));
    printf("%s\n", buf_cstr(&b));
    buf_fini(&b);
    for (const struct json *i = items ? items->as.first : NULL; i; i = i->next)
        print_item(i, &last);
}

/* *differs: there is anything in it. */
static enum err_code print_answer(const struct buf *answer, const char *format, bool *differs,
                                  struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    const char *header_end = strchr(buf_cstr(answer), '\n');
    bool is_rows = format && strcmp(format, "json") != 0;
    enum err_code rc = OK;

    *differs =
        strcmp(format ? format : "", "csv") == 0 ? header_end && header_end[1] : answer->len > 0;
    if (!is_rows) {
        rc = asked_parse(&tree, &arena, answer, err);
        *differs = rc == OK && json_get(tree, "items") && json_get(tree, "items")->len > 0;
    }
    if (rc == OK && is_rows)
        fwrite(buf_cstr(answer), 1, answer->len, stdout);
    else if (rc == OK && format)
        rc = layout_raw(stdout, answer);
    else if (rc == OK)
        print_text(tree);
    arena_fini(&arena);
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    char subject[SUBJECT_MAX];
    const char *format = NULL;
    struct place *place = NULL;
    struct buf answer = { 0 };
    struct progress bar;
    struct err err;
    bool differs = false;
    enum err_code rc = read_format(&format, args, &err);

    if (rc == OK)
        rc = asked_needed(args, "restated", "from", "2026-03-01", &err);
    if (rc == OK)
        rc = place_open(&place, args, &err);
    if (rc == OK && args->operand_count > 0)
        rc = asked_find_subject(subject, place, args->operands[0], &err);
    const struct param params[] = { { "subject", args->operand_count > 0 ? subject : NULL },
                                    { "from", args_text(args, "from") },
                                    { "to", args_text(args, "to") },
                                    { "at", args_text(args, "at") },
                                    { "hub", args_text(args, "hub") },
                                    { "format", format ? format : "json" },
                                    { NULL, NULL } };
    if (rc == OK) {
        progress_init(&bar, 0);
        place_on_progress(place, asked_progress, &bar);
        rc = place_ask(&answer, place, "restated", params, &err);
        progress_clear(&bar);
    }
    if (rc == OK)
        rc = print_answer(&answer, format, &differs, &err);
    buf_fini(&answer);
    place_close(place);
    return rc != OK ? cli_fail_asking(&err) : differs ? CLI_NO : CLI_DONE;
}

const struct command restated_command = {
    .name = "restated",
    .operands = "[SUBJECT]",
    .summary = "which answers about the past have changed, and because of what",
    .help =
        "Compares the answers about one moment as they were given at two known dates, each by the\n"
        "rules in force then, for one subject or for all: what a school was told in March and "
        "would\n"
        "be told now. Each answer that changed comes with what changed it: the late events and\n"
        "voids that were recorded in between, or another generation of rules. With --rules "
        "current\n"
        "today's rules answer for both dates, so that only events are left.",
    .example = "pathway restated --from 2026-03-01 --at 2026-03-01",
    .no = "some answers have changed",
    .options = OPTIONS,
    .min_operands = 0,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
