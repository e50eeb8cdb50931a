/* show.c - `pathway show`: one subject's facts, decisions and next wake. */
#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"

static const struct option_spec OPTIONS[] = { OPTION_AT, OPTION_KNOWN, OPTION_END };

static enum cli_exit run(const struct args *args)
{
    return asked_about_subject(args, "subject", layout_subject);
}

const struct command show_command = {
    .name = "show",
    .operands = "SUBJECT",
    .summary = "a school's or group's facts, decisions and next wake; what belongs to a hub",
    .help =
        "Prints what stands about one subject: school/URN (the URN alone will do, and so will\n"
        "a name that no other school has), group/CODE or hub/CODE. Alerts that are on come first. "
        "Of a hub it says how many schools and groups\n"
        "belong to it, in which phases, with which alerts. --at asks about another moment, also\n"
        "one to come; --known asks what was known then.",
    .example = "pathway show school/100001 --at 2026-09-01",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
