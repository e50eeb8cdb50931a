/* judge.c - `pathway judge`: what rules make of files of events, with no daemon. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/options.h"
#include "cli/place.h"
#include "engine/question.h"

static const struct option_spec OPTIONS[] = {
    { "rules", "DIR", "the rules (else this source tree's, else /etc/pathwayd/rules)" },
    OPTION_AT,
    OPTION_NAMES,
    OPTION_FORMAT,
    OPTION_END,
};

static void count_refused(const char *where, const char *status, const char *detail, void *arg)
{
    /* The same event twice is no fault: it counts once. */
    if (!strcmp(status, "duplicate"))
        return;
    fprintf(stderr, "%s: %s: %s\n", where, status, detail ? detail : "");
    ++*(long *)arg;
}

static enum err_code prepare(struct judge_options *options, const struct args *args,
                             struct err *err)
{
    struct clock clock;
    const char *format;
    enum err_code rc = civil_init(err);

    if (rc == OK)
        rc = digest_init(err);
    if (rc == OK)
        rc = args_format(&format, args, err);
    clock_init_real(&clock);
    if (rc == OK)
        rc = args_moment(&options->at, args, "at", clock_now(&clock), err);
    if (rc == OK)
        options->as_ndjson = !strcmp(format, "ndjson");
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    long refused = 0;
    struct names names = { 0 };
    struct buf out = { 0 };
    struct err err;
    struct judge_options options = { .rules = rules_folder(args_text(args, "rules")),
                                     .national = rules_folder(NULL),
                                     .refused = count_refused,
                                     .arg = &refused };

    enum err_code rc = prepare(&options, args, &err);
    if (rc == OK)
        rc = names_split(&names, args_text(args, "names"), &err);
    options.names = names.items;
    options.name_count = names.count;
    if (rc == OK)
        rc = judge_files(&out, &options, (const char *const *)args->operands, args->operand_count,
                         &err);
    if (rc == OK && out.len)
        fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    names_fini(&names);
    if (rc == ERR_ABSENT) /* no such file or folder */
        err.code = ERR_IO;
    if (rc != OK)
        return cli_fail(&err);
    return refused ? CLI_NO : CLI_DONE;
}

const struct command judge_command = {
    .name = "judge",
    .operands = "EVENTS...",
    .summary = "what rules make of files of events, with no daemon",
    .help =
        "Takes in files of events (NDJSON, one event a line) in memory and prints the decisions\n"
        "of every subject at the moment asked about, as `pathway export decisions` prints them.\n"
        "An event that is refused is told on standard error; the others count.",
    .example = "pathway judge --rules rules --at 2026-09-01 tests/data/events.ndjson",
    .no = "an event was refused (the decisions without it are printed)",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = ANY_NUMBER,
    .run = run,
};
