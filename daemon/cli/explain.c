/* explain.c - `pathway explain`: why a decision is what it is. */
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

static const struct option_spec OPTIONS[] = { OPTION_AT, OPTION_KNOWN, OPTION_END };

static enum err_code print_answer(const struct buf *answer, bool as_json, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    if (as_json)
        return layout_raw(stdout, answer);
    enum err_code rc = asked_parse(&tree, &arena, answer, err);
    if (rc == OK)
        layout_explanation(stdout, tree);
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
                                    { "decision", args->operands[1] },
                                    { "at", args_text(args, "at") },
                                    { "known", args_text(args, "known") },
                                    { NULL, NULL } };
    if (rc == OK)
        rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = place_ask(&answer, place, "explain", params, &err);
    if (rc == OK)
        rc = print_answer(&answer, args_flag(args, "json"), &err);
    buf_fini(&answer);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail_asking(&err);
}

const struct command explain_command = {
    .name = "explain",
    .operands = "SUBJECT DECISION",
    .summary = "why a decision is what it is, and what is missing",
    .help =
        "Prints the value of a decision, since when it has it and what caused it, until when it\n"
        "stays so at the latest if nothing new is recorded, and what is missing. Then every\n"
        "criterion with what was seen and what is needed, down to the facts, and the events that\n"
        "made each fact what it is. --at asks about another moment, --known what was known then:\n"
        "what the school was told in March is --at and --known both in March. `pathway show` "
        "lists\n"
        "the decisions that there are.",
    .example = "pathway explain school/100001 eligible_development --at 2026-09-01",
    .options = OPTIONS,
    .min_operands = 2,
    .max_operands = 2,
    .asks = true,
    .run = run,
};
