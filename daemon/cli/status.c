/* status.c - `pathway status`: the daemon, its rules, its consumers. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

static enum cli_exit run(const struct args *args)
{
    struct place *place = NULL;
    struct buf answer = { 0 };
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = place_ask(&answer, place, "status", NULL, &err);
    if (rc == OK)
        rc = args_flag(args, "json") ? layout_raw(stdout, &answer)
                                     : layout_pairs(stdout, &answer, &err);
    buf_fini(&answer);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail(&err);
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
