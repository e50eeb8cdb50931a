/* history.c - `pathway history`: what happened to a subject, and what it did to its decisions. */
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"

static const struct option_spec OPTIONS[] = {
    { "at", "TIME", "up to this moment; now when not given" },
    OPTION_KNOWN,
    OPTION_END,
};

static enum cli_exit run(const struct args *args)
{
    return asked_about_subject(args, "history", layout_history);
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
