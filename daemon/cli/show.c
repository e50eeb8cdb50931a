/* show.c - `pathway show`: one subject's facts, decisions and next wake. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
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
    enum err_code rc = civil_init(err);
    if (rc == OK)
        rc = json_parse(&tree, &arena, buf_cstr(answer), answer->len, 64, err);
    if (rc == OK)
        layout_subject(stdout, tree);
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
        rc = place_ask(&answer, place, "subject", params, &err);
    if (rc == OK)
        rc = print_answer(&answer, args_flag(args, "json"), &err);
    buf_fini(&answer);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail_asking(&err);
}

const struct command show_command = {
    .name = "show",
    .operands = "SUBJECT",
    .summary = "a school's or group's facts, decisions and next wake",
    .help =
        "Prints what stands about one subject: school/URN (the URN alone will do), group/CODE or\n"
        "hub/CODE. Alerts that are on come first. --at asks about another moment, also one to\n"
        "come; --known asks what was known then.",
    .example = "pathway show school/100001 --at 2026-09-01",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
