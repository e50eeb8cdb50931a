/* history.c - `pathway history`: what happened to a subject, and what it did to its decisions. */
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

static const struct option_spec OPTIONS[] = {
    { "at", "TIME", "up to this moment; now when not given" },
    OPTION_KNOWN,
    OPTION_END,
};

static enum err_code print_answer(const struct buf *answer, bool as_json, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    if (as_json)
        return layout_raw(stdout, answer);
    enum err_code rc = asked_parse(&tree, &arena, answer, err);
    if (rc == OK)
        layout_history(stdout, tree);
    arena_fini(&arena);
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    char subject[SUBJECT_MAX];
    struct place *place = NULL;
    struct buf answer = { 0 };
    struct err err;

    enum err_code rc = asked_subject(subject, args->operands[0], &err);
    const struct param params[] = { { "subject", subject },
                                    { "at", args_text(args, "at") },
                                    { "known", args_text(args, "known") },
                                    { NULL, NULL } };
    if (rc == OK)
        rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = place_ask(&answer, place, "history", params, &err);
    if (rc == OK)
        rc = print_answer(&answer, args_flag(args, "json"), &err);
    buf_fini(&answer);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail_asking(&err);
}

const struct command history_command = {
    .name = "history",
    .operands = "SUBJECT",
    .summary = "what happened to a school or group, and what it changed",
    .help =
        "Prints the timeline of a subject: each event, each moment that changed something by\n"
        "itself, the moves along the pathway, and the decisions that changed, also those that\n"
        "changed back. Events that were voided are marked, and late ones: those recorded after\n"
        "something that happened later, so that answers about the past have changed. --known\n"
        "prints the timeline as it was known then.",
    .example = "pathway history school/100001 --known 2026-03-01",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
