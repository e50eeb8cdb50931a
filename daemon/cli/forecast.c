/* forecast.c - `pathway forecast`: what will change with no further events. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

static const struct option_spec OPTIONS[] = {
    { "until", "TIME", "how far to look" },
    { "hub", "CODE", "only what belongs to this hub" },
    OPTION_AT,
    OPTION_KNOWN,
    { "format", "FORMAT", "csv or ndjson: rows for programs, instead of text for people" },
    OPTION_END,
};

static const struct json *first_of(const struct json *list)
{
    return list && list->len > 0 ? list->as.first : NULL;
}

/* What the heading does not say yet: the year that begins, the events that come, and through which
 * rules the change has come. */
static void print_cause(const struct json *c)
{
    static const char YEAR[] = "academic year ";
    const struct json *cause = json_get(c, "cause");
    const char *why = json_get(c, "why")->as.string;
    struct buf b = { 0 };

    if (strncmp(why, YEAR, sizeof(YEAR) - 1) == 0)
        buf_add(&b, why, strcspn(why, ";"));
    for (const struct json *e = first_of(json_get(cause, "events")); e; e = e->next) {
        buf_str(&b, b.len ? ", " : "because of: ");
        layout_value(&b, json_get(e, "title"));
    }
    bool is_first = true;
    for (const struct json *r = first_of(json_get(cause, "rules")); r; r = r->next) {
        if (json_is_string(json_get(r, "rule"), json_get(c, "decision")->as.string))
            continue;
        buf_str(&b, !is_first ? ", " : b.len ? "; by " : "by ");
        layout_value(&b, json_get(r, "rule"));
        is_first = false;
    }
    if (b.len > 0)
        printf("      %s\n", buf_cstr(&b));
    buf_fini(&b);
}

static void print_change(const struct json *c)
{
    struct buf b = { 0 };

    layout_decision(&b, c);
    printf("    %s\n", buf_cstr(&b));
    buf_fini(&b);
    print_cause(c);
}

/* Of whom what follows is told. */
static void print_who(const struct json *c)
{
    struct buf b = { 0 };

    layout_who(&b, c);
    printf("  %s\n", buf_cstr(&b));
    buf_fini(&b);
}

/* One heading for each moment, one for each subject below it, and then what changes. */
static void print_changes(const struct json *answer)
{
    const struct json *changes = json_get(answer, "changes");
    const char *last = "", *subject = "";
    struct buf b = { 0 };

    layout_moment(&b, json_get(answer, "until"));
    if (changes->len == 0)
        printf("Nothing changes by itself until %s.\n", buf_cstr(&b));
    else
        printf("%u change%s until %s, if no event comes:\n", changes->len,
               changes->len == 1 ? "" : "s", buf_cstr(&b));
    for (const struct json *c = changes->len ? changes->as.first : NULL; c; c = c->next) {
        const struct json *time = json_get(c, "time");
        if (strcmp(last, time->as.string) != 0) {
            buf_reset(&b);
            layout_moment(&b, time);
            printf("\n%s\n", buf_cstr(&b));
            subject = "";
        }
        last = time->as.string;
        if (!json_is_string(json_get(c, "subject"), subject))
            print_who(c);
        subject = json_get(c, "subject")->as.string;
        print_change(c);
    }
    buf_fini(&b);
}

static enum err_code print_answer(const struct buf *answer, bool as_it_is, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    if (as_it_is)
        return layout_raw(stdout, answer);
    enum err_code rc = asked_parse(&tree, &arena, answer, err);
    if (rc == OK)
        print_changes(tree);
    arena_fini(&arena);
    return rc;
}

static enum err_code ask(struct buf *answer, const struct args *args, const char *format,
                         struct err *err)
{
    char subject[SUBJECT_MAX];
    bool is_of_one = args->operand_count > 0;
    const struct param params[] = { { "subject", is_of_one ? subject : NULL },
                                    { "hub", args_text(args, "hub") },
                                    { "until", args_text(args, "until") },
                                    { "at", args_text(args, "at") },
                                    { "known", args_text(args, "known") },
                                    { "format", format },
                                    { NULL, NULL } };
    struct place *place = NULL;
    struct progress bar;

    progress_init(&bar, 0);
    enum err_code rc = place_open(&place, args, err);
    if (rc == OK && is_of_one)
        rc = asked_find_subject(subject, place, args->operands[0], err);
    if (rc == OK) {
        place_on_progress(place, asked_progress, &bar);
        rc = place_ask(answer, place, "forecast", params, err);
    }
    progress_clear(&bar);
    place_close(place);
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    const char *format = NULL;
    struct buf answer = { 0 };
    struct err err;
    enum err_code rc = asked_format(&format, args, &err);

    if (rc == OK)
        rc = asked_needed(args, "forecast", "until", "2027-09-01", &err);
    if (rc == OK)
        rc = ask(&answer, args, format, &err);
    if (rc == OK)
        rc = print_answer(&answer, format != NULL, &err);
    buf_fini(&answer);
    return rc == OK ? CLI_DONE : cli_fail_asking(&err);
}

const struct command forecast_command = {
    .name = "forecast",
    .operands = "[SUBJECT]",
    .summary = "what will change with no further events",
    .help =
        "Runs the record past today: what will lapse, end, open or be missed by --until if "
        "nothing\n"
        "else happens, each change with its cause. About one subject, all that belongs to a hub\n"
        "with --hub, or everything. Events that are recorded already and lie ahead take effect\n"
        "when their time comes. Rows with --format csv are time,subject,decision,old,new,cause,\n"
        "in that order.",
    .example = "pathway forecast school/100001 --until 2027-09-01",
    .options = OPTIONS,
    .min_operands = 0,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
