/* advise.c - `pathway advise`: what a school or hub can do so that a decision becomes true. */
#include <stdio.h>
#include <string.h>

#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

static const struct option_spec OPTIONS[] = {
    OPTION_AT,
    OPTION_KNOWN,
    { "until", "TIME", "how far to look ahead; three years when not given" },
    OPTION_END,
};

static bool is_true(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && v->type == JSON_BOOL && v->as.boolean;
}

static const struct json *first_of(const struct json *object, const char *name)
{
    const struct json *list = json_get(object, name);
    return list && list->len > 0 ? list->as.first : NULL;
}

static const char *text(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && v->type == JSON_STRING ? v->as.string : "";
}

/* "lead.named: teacher new-1" */
static void print_event(const struct json *item)
{
    const struct json *event = json_get(item, "event");
    struct buf b = { 0 };

    for (const struct json *f = first_of(event, "data"); f; f = f->next) {
        buf_printf(&b, "%s%s ", b.len ? ", " : "", f->name);
        if (f->type == JSON_OBJECT)
            json_write(&b, f);
        else
            layout_value(&b, f);
    }
    printf("    %s\n      %s%s%s\n", text(item, "advice"), text(event, "type"), b.len ? ": " : "",
           buf_cstr(&b));
    buf_fini(&b);
}

static void print_set(const struct json *set, const struct json *answer)
{
    struct buf b = { 0 };

    layout_moment(&b, json_get(set, "true_at"));
    if (strcmp(text(set, "true_at"), text(answer, "at")) == 0)
        printf("\n  at once\n");
    else
        printf("\n  from %s on\n", buf_cstr(&b));
    for (const struct json *e = first_of(set, "events"); e; e = e->next)
        print_event(e);
    buf_fini(&b);
}

/* What is in the way, what can be done about it, and whether time or only somebody else can. */
static void print_missing(const struct json *answer)
{
    struct buf b = { 0 };

    for (const struct json *m = first_of(answer, "missing"); m; m = m->next) {
        const struct json *wanted = json_get(m, "wanted");
        bool is_not = wanted && wanted->type == JSON_BOOL && !wanted->as.boolean;
        printf("  %s%s  (%s)\n", is_not ? "not: " : "", text(m, "title"), text(m, "rule"));
        if (*text(m, "advice") && !is_true(answer, "alert"))
            printf("      %s\n", text(m, "advice"));
        buf_reset(&b);
        layout_moment(&b, json_get(m, "comes_at"));
        if (*text(m, "comes_at"))
            printf("      It comes by itself on %s.\n", buf_cstr(&b));
        else if (!is_true(m, "reachable"))
            printf("      This is not for the school or its hub to change.\n");
    }
    buf_fini(&b);
}

static void print_waiver(const struct json *answer)
{
    if (is_true(answer, "waivable"))
        printf("\nThe hub may also waive it, with a reason (waiver.granted).\n");
}

static void print_none(const struct json *answer)
{
    if (!is_true(answer, "complete"))
        printf("None found among the first %lld sets of events that were tried.\n",
               (long long)json_get(answer, "tried")->as.integer);
    else
        printf("Not by any one to four events that a school or hub can bring about.\n");
    printf("\nWhat is missing\n");
    print_missing(answer);
    print_waiver(answer);
}

static void print_people(const struct json *answer)
{
    const struct json *by_itself = json_get(answer, "by_itself");
    struct buf b = { 0 };

    layout_who(&b, answer);
    printf("%s\n%s  (%s)\n", buf_cstr(&b), text(answer, "title"), text(answer, "decision"));
    buf_reset(&b);
    if (is_true(answer, "value")) {
        printf("It is so already.\n");
        if (*text(answer, "advice"))
            printf("\nWhat to do\n  %s\n", text(answer, "advice"));
        buf_fini(&b);
        return;
    }
    if (by_itself->type == JSON_STRING) {
        layout_moment(&b, by_itself);
        printf("It becomes so by itself on %s.\n", buf_cstr(&b));
    }
    buf_fini(&b);
    if (!first_of(answer, "sets")) {
        if (by_itself->type != JSON_STRING)
            print_none(answer);
        return;
    }
    printf("It would be so%s after any of these:\n",
           by_itself->type == JSON_STRING ? " earlier" : "");
    for (const struct json *set = first_of(answer, "sets"); set; set = set->next)
        print_set(set, answer);
    if (is_true(answer, "more"))
        printf("\n  ... and others of the same kinds.\n");
    print_waiver(answer);
}

static enum err_code print_answer(bool *said_no, const struct buf *answer, bool as_json,
                                  struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    enum err_code rc = asked_parse(&tree, &arena, answer, err);
    if (rc == OK) {
        *said_no = !first_of(tree, "sets") && json_get(tree, "by_itself")->type != JSON_STRING;
        if (as_json)
            rc = layout_raw(stdout, answer);
        else
            print_people(tree);
    }
    arena_fini(&arena);
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    char subject[SUBJECT_MAX];
    struct place *place = NULL;
    struct buf answer = { 0 };
    bool said_no = false;
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = asked_find_subject(subject, place, args->operands[0], &err);
    const struct param params[] = { { "subject", subject },
                                    { "decision", args->operands[1] },
                                    { "at", args_text(args, "at") },
                                    { "known", args_text(args, "known") },
                                    { "until", args_text(args, "until") },
                                    { NULL, NULL } };
    if (rc == OK)
        rc = place_ask(&answer, place, "advise", params, &err);
    if (rc == OK)
        rc = print_answer(&said_no, &answer, args_flag(args, "json"), &err);
    buf_fini(&answer);
    place_close(place);
    if (rc != OK)
        return cli_fail_asking(&err);
    return said_no ? CLI_NO : CLI_DONE;
}

const struct command advise_command = {
    .name = "advise",
    .operands = "SUBJECT DECISION",
    .summary = "the smallest sets of events that would make a decision true",
    .help =
        "Looks for what a school or hub can do: sets of one to four events, of the kinds that the\n"
        "pack marks as such, which would make the decision true, at once or on a later day with\n"
        "nothing else happening. Each set that is told has been tried, and no part of it does as\n"
        "well. New people and groups are called new-1, group/new. When there is none, it says "
        "what\n"
        "is in the way, and what of it comes by itself or is for somebody else to change. --json\n"
        "has the events as they can be sent.",
    .example = "pathway advise school/100001 eligible_development",
    .no = "not by any such events",
    .options = OPTIONS,
    .min_operands = 2,
    .max_operands = 2,
    .asks = true,
    .run = run,
};
