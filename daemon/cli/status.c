/* status.c - `pathway status`: the daemon, its rules, its consumers. */
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/options.h"

static enum cli_exit run(const struct args *args)
{
    return asked_pairs(args, "status", NULL);
}

const struct command status_command = {
    .name = "status",
    .operands = "",
    .summary = "the daemon, its rules, how far everything has come",
    .help =
        "Prints what the daemon says about itself: the log, the feed, the generation of rules and\n"
        "its last error, consumers and how far behind they are.",
    .example = "pathway status",
    .asks = true,
    .run = run,
};
