/* import_schools.c - `pathway import schools`: the schools register as downloaded, to events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "base/csvfile.h"
#include "cli/deliver.h"
#include "cli/gias.h"
#include "cli/hubs.h"
#include "cli/import_report.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/register.h"
#include "cli/summary.h"

#define BATCH_EVENTS 1000
#define BATCH_BYTES  ((size_t)4 << 20)
#define PATIENCE_S   300

static const struct option_spec OPTIONS[] = {
    { "hubs", "FILE", "CSV code,hub: LA codes (3 digits) or URNs (6 digits) to hubs" },
    { "date", "DATE", "the day of the extract; else the one in the file's name, else today" },
    { "dry-run", NULL, "print the events to standard output and send nothing" },
    { "quiet", NULL, "do not list the rows that are left out, only count them" },
    OPTION_END,
};

struct importing {
    const char *path;
    int32_t day;
    struct hubs hubs;
    struct known known;
    struct strmap seen; /* URN to line */
    struct arena arena; /* URNs */
    struct arena row;   /* emptied after each row */
    struct gias_columns columns;
    struct buf events;
    struct import_report report;
};

static enum err_code remember(struct importing *im, const char *urn, int64_t line,
                              enum left_out *why_not, char why[WHY_TEXT], struct err *err)
{
    const struct strmap_item *before = strmap_find(&im->seen, urn, strlen(urn));

    if (before) {
        snprintf(why, WHY_TEXT, "school %s is in line %lld already", urn,
                 (long long)before->as.num);
        *why_not = LEFT_OUT_REPEATED;
        return OK;
    }
    char *key = arena_strdup(&im->arena, urn);
    struct strmap_item *item = key ? strmap_add(&im->seen, key, strlen(key), NULL) : NULL;
    if (!item)
        return err_set(err, ERR_LIMIT, "%s: no memory for its schools", im->path);
    item->as.num = line;
    return OK;
}

static enum left_out find_hub(struct school *s, const struct hubs *hubs, char why[WHY_TEXT])
{
    const char *la = s->values[FIELD_LA];

    s->values[FIELD_HUB] = hubs_find(hubs, s->urn, la);
    if (s->values[FIELD_HUB])
        return LEFT_OUT_NOT;
    snprintf(why, WHY_TEXT, "school %s: no hub for its local authority %s", s->urn,
             la ? la : "(none)");
    return LEFT_OUT_NO_HUB;
}

static enum err_code take_school(struct importing *im, const struct csv_row *row, struct err *err)
{
    char why[WHY_TEXT];
    struct school school;
    enum err_code rc = OK;

    enum left_out left_out = gias_read(&school, &im->row, &im->columns, row, why);
    if (left_out == LEFT_OUT_NOT)
        rc = remember(im, school.urn, row->line, &left_out, why, err);
    if (rc == OK && left_out == LEFT_OUT_NOT)
        left_out = find_hub(&school, &im->hubs, why);
    if (rc == OK && left_out == LEFT_OUT_NOT)
        im->report.made[register_event(&im->events, &im->known, &school, im->day)]++;
    else if (rc == OK)
        import_report_left_out(&im->report, row->line, left_out, why);
    im->report.rows++;
    arena_reset(&im->row);
    if (rc == OK && im->events.failed)
        rc = err_set(err, ERR_LIMIT, "%s: no memory for its events", im->path);
    return rc;
}

static enum err_code take_row(const struct csv_row *row, void *arg, struct err *err)
{
    struct importing *im = arg;

    if (!im->columns.count)
        return gias_columns_find(&im->columns, row, im->path, err);
    return take_school(im, row, err);
}

static enum err_code read_day(int32_t *out, const struct args *args, struct err *err)
{
    const char *date = args_text(args, "date");
    struct clock clock;

    if (date)
        return day_parse(out, date, strlen(date), err) == OK ? OK : err_at(err, "--date");
    clock_init_real(&clock);
    if (!gias_date_of_name(out, args->operands[0]))
        *out = london_day(clock_now(&clock));
    return OK;
}

/* What is registered on the day of the extract: comparing with a later day would undo what came
 * since. */
static enum err_code ask_known(struct importing *im, struct place *place, struct err *err)
{
    struct buf answer = { 0 };
    char day[DAY_TEXT];
    const struct param params[] = { { "format", "ndjson" },
                                    { "at", day_text(im->day, day) },
                                    { NULL, NULL } };

    enum err_code rc = place_ask(&answer, place, "registered", params, err);
    if (rc == OK)
        rc = known_read(&im->known, buf_cstr(&answer), answer.len, err);
    buf_fini(&answer);
    return rc;
}

static enum err_code next_batch(struct batch *out, void *arg, struct err *err)
{
    return ndjson_next(out, arg, BATCH_EVENTS, BATCH_BYTES, err);
}

static void note_refused(const char *file, int64_t line, const char *status, const char *detail,
                         void *arg)
{
    (void)arg;
    fprintf(stderr, "%s: event %lld: %s: %s\n", file, (long long)line, status, detail);
}

static enum err_code deliver_events(struct importing *im, struct place *place, struct err *err)
{
    struct ndjson *reader = NULL;

    if (!im->events.len)
        return OK;
    FILE *in = fmemopen(im->events.data, im->events.len, "r");
    if (!in)
        return err_set(err, ERR_LIMIT, "no memory for the events");
    enum err_code rc = ndjson_open(&reader, in, im->path, err);
    if (rc == OK) {
        const struct delivery d = {
            .next = next_batch, .refused = note_refused, .arg = reader, .patience_s = PATIENCE_S
        };
        rc = deliver(&im->report.tally, place, &d, err);
    }
    ndjson_close(reader);
    fclose(in);
    return rc;
}

static enum err_code import(struct importing *im, const struct args *args, struct place *place,
                            struct err *err)
{
    const char *hubs = args_text(args, "hubs");
    enum err_code rc = civil_init(err);

    if (rc == OK)
        rc = digest_init(err);
    if (rc == OK && !hubs)
        rc = err_set(err, ERR_INPUT,
                     "import schools needs --hubs FILE (see: pathway import schools --help)");
    if (rc == OK)
        rc = read_day(&im->day, args, err);
    if (rc != OK)
        return rc;
    rc = hubs_load(&im->hubs, hubs, err);
    if (rc == OK)
        rc = ask_known(im, place, err);
    if (rc == OK)
        rc = csvfile_read(im->path, take_row, im, err);
    if (rc == ERR_INPUT)
        rc = err->code = ERR_IO; /* the files are wrong, not the way the command was used */
    if (rc != OK)
        return rc;
    if (args_flag(args, "dry-run"))
        fwrite(buf_cstr(&im->events), 1, im->events.len, stdout);
    else
        rc = deliver_events(im, place, err);
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    struct place *place = NULL;
    struct importing im = { .path = args->operands[0] };
    bool is_dry = args_flag(args, "dry-run");
    struct err err;

    im.report.path = im.path;
    im.report.is_quiet = args_flag(args, "quiet") || args_flag(args, "json");
    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = import(&im, args, place, &err);
    im.report.day = im.day;
    if (rc == OK)
        import_report_print(is_dry ? stderr : stdout, &im.report, args_flag(args, "json"), is_dry);
    enum cli_exit code = CLI_DONE;
    if (rc != OK)
        code = cli_fail(&err);
    else if (im.report.tally.conflict || im.report.tally.invalid)
        code = CLI_NO;
    place_close(place);
    hubs_fini(&im.hubs);
    known_fini(&im.known);
    strmap_fini(&im.seen);
    arena_fini(&im.arena);
    arena_fini(&im.row);
    buf_fini(&im.events);
    import_report_fini(&im.report);
    return code;
}

const struct command import_schools_command = {
    .name = "import schools",
    .operands = "FILE.csv",
    .summary = "the schools register as downloaded, to events",
    .help =
        "Reads an extract of the schools register (edubasealldata of Get Information about "
        "Schools) as\n"
        "it was downloaded, compares it with what is there on the day of the extract, and submits\n"
        "school.registered for new schools and school.changed with what differs for others. A "
        "second\n"
        "import of the same file submits nothing. Import older extracts before newer ones.\n"
        "\n"
        "A first registration stands on the day on which the school opened, if the register knows "
        "it,\n"
        "else on " REGISTERED_FROM
        ", so that it comes before the school's other events; a change on\n"
        "the day of the extract. Every row is imported or told as FILE:LINE: why. Only number, "
        "name,\n"
        "local authority, postcode, status, phase, ages, type, pupils and date of opening are "
        "read;\n"
        "personal data never is.\n"
        "\n"
        "Phases: special schools are special whatever their phase; of primary schools those to age "
        "7\n"
        "are infant, those from 7 junior, those to 8 or 9 first; middle deemed primary is middle, "
        "middle\n"
        "deemed secondary is secondary; 16 plus and not applicable are other.",
    .example = "pathway import schools data/schools.csv --hubs data/hubs.csv --dry-run",
    .no = "an event was refused",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
