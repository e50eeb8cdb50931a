/* export.c - `pathway export`: decisions, events or the feed, whole. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"

static const struct option_spec OPTIONS[] = {
    OPTION_FORMAT,
    OPTION_AT,
    OPTION_KNOWN,
    OPTION_NAMES,
    { "spreadsheet", NULL, "CSV for a spreadsheet: with UTF-8's mark, and no cell a formula" },
    OPTION_END,
};
static const char *const KINDS[] = { "decisions", "events", "changes" };
#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

static enum err_code check_kind(const char *kind, struct err *err)
{
    char hint[128];

    for (size_t i = 0; i < KIND_COUNT; i++)
        if (!strcmp(kind, KINDS[i]))
            return OK;
    return err_set(err, ERR_INPUT,
                   "there is no export of '%.80s': expected decisions, events or changes%s", kind,
                   text_hint(hint, sizeof(hint), kind, KINDS, KIND_COUNT));
}

static enum cli_exit run(const struct args *args)
{
    const char *kind = args->operands[0];
    const char *format = NULL;
    struct place *place = NULL;
    struct err err;

    enum err_code rc = check_kind(kind, &err);
    if (rc == OK)
        rc = args_format(&format, args, &err);
    if (rc == OK && args_flag(args, "spreadsheet") && strcmp(format, "csv") != 0)
        rc = err_set(&err, ERR_INPUT, "--spreadsheet is CSV: leave --format and --json out");
    if (rc == OK)
        rc = place_open(&place, args, &err);
    if (rc == OK) {
        bool is_for_people = args_flag(args, "spreadsheet");
        const struct param params[] = { { "format", is_for_people ? "spreadsheet" : format },
                                        { "at", args_text(args, "at") },
                                        { "known", args_text(args, "known") },
                                        { "names", args_text(args, "names") },
                                        { NULL, NULL } };
        rc = place_print(stdout, place, kind, params, &err);
    }
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail_asking(&err);
}

const struct command export_command = {
    .name = "export",
    .operands = "decisions|events|changes",
    .summary = "all decisions, events or changes, as CSV or NDJSON",
    .help =
        "Prints everything of one kind:\n"
        "  decisions  subject,decision,value for every subject, sorted; at a moment with --at and\n"
        "             --known, only some of them with --names\n"
        "  events     the log, in the order in which it was recorded\n"
        "  changes    the feed of changed decisions\n"
        "--spreadsheet is for people: a ' stands before what a spreadsheet would take for a "
        "formula.\n"
        "--json is the same as --format ndjson.",
    .example = "pathway export decisions --at 2026-09-01 --names pathway_phase,phase_since",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
