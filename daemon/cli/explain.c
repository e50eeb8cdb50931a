/* explain.c - `pathway explain`: why a decision is what it is. */
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"

static const struct option_spec OPTIONS[] = { OPTION_AT, OPTION_KNOWN, OPTION_END };

static enum cli_exit run(const struct args *args)
{
    return asked_about_subject(args, "explain", layout_explanation);
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
