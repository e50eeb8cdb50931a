/* import_events.c - `pathway import events`: people's tables to events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/array.h"
#include "base/digest.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/deliver.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/summary.h"
#include "engine/csv_events.h"
#include "lua/rulebook.h"

#define BATCH_EVENTS  1000
#define BATCH_BYTES   ((size_t)4 << 20)
#define PATIENCE_S    300
#define MAPPING_DEPTH 8

static const struct option_spec OPTIONS[] = {
    { "type", "TYPE", "the type of the events, as lead.named; else the mapping says" },
    { "mapping", "FILE", "JSON that says which column is what (else by their names)" },
    { "dry-run", NULL, "print the events to standard output and send nothing" },
    { "skip-errors", NULL, "send the good rows though others are wrong" },
    OPTION_END,
};

struct importing {
    const char *path;
    bool is_json;
    struct buf bytes, mapping;
    struct arena arena;
    struct rulebook *rules;
    const struct json *map;
    struct buf events; /* NDJSON */
    int64_t *rows;     /* of each event */
    int64_t count, errors;
    size_t cap; /* of rows */
    bool no_memory;
    struct buf told; /* errors, as the items of an array */
    struct tally tally;
};

/* ---- rows ---- */

static void take_event(int64_t row, int64_t line, const char *json, size_t len, void *arg)
{
    struct importing *im = arg;

    (void)line;
    int64_t *rows = array_room(im->rows, (size_t)im->count, &im->cap, sizeof(*rows));
    im->no_memory = im->no_memory || !rows;
    if (!rows)
        return;
    im->rows = rows;
    im->rows[im->count++] = row;
    buf_add(&im->events, json, len);
    buf_char(&im->events, '\n');
}

static void tell(struct importing *im, int64_t row, int64_t line, const char *column,
                 const char *detail)
{
    im->errors++;
    if (!im->is_json) {
        if (line > 0)
            fprintf(stderr, "%s:%lld: row %lld%s%s%s: %s\n", im->path, (long long)line,
                    (long long)row, column ? ", column '" : "", column ? column : "",
                    column ? "'" : "", detail);
        else
            fprintf(stderr, "%s: row %lld: %s\n", im->path, (long long)row, detail);
        return;
    }
    buf_printf(&im->told, "%s{\"row\":%lld,", im->told.len > 0 ? "," : "", (long long)row);
    if (line > 0)
        buf_printf(&im->told, "\"line\":%lld,", (long long)line);
    buf_str(&im->told, "\"column\":");
    json_write_cstr(&im->told, column);
    buf_str(&im->told, ",\"detail\":");
    json_write_cstr(&im->told, detail);
    buf_char(&im->told, '}');
}

static void take_error(int64_t row, int64_t line, const char *column, const char *detail, void *arg)
{
    tell(arg, row, line, column, detail);
}

static void take_unused(const char *column, void *arg)
{
    const struct importing *im = arg;
    fprintf(stderr, "%s: nothing is taken from column '%s'\n", im->path, column);
}

static enum err_code convert(struct importing *im, const struct args *args, struct err *err)
{
    const char *mapping = args_text(args, "mapping");
    enum err_code rc = civil_init(err);

    if (rc == OK)
        rc = digest_init(err);
    if (rc == OK)
        rc = rulebook_load(&im->rules, rules_folder(args_text(args, "rules")), rules_folder(NULL),
                           NULL, err);
    if (rc == OK && mapping)
        rc = file_read(&im->mapping, mapping, err);
    if (rc == OK && mapping) {
        rc = json_parse(&im->map, &im->arena, buf_cstr(&im->mapping), im->mapping.len,
                        MAPPING_DEPTH, err);
        if (rc != OK)
            return err_at(err, "%s", mapping);
    }
    if (rc == OK)
        rc = file_read(&im->bytes, im->path, err);
    if (rc != OK)
        return rc;
    const struct csv_events c = { .name = im->path,
                                  .type = args_text(args, "type"),
                                  .mapping = im->map,
                                  .catalog = rulebook_catalog(im->rules),
                                  .event = take_event,
                                  .error = take_error,
                                  .unused = take_unused,
                                  .arg = im };
    rc = csv_events_read(&c, im->bytes.data ? im->bytes.data : "", im->bytes.len, err);
    if (rc == OK && (im->no_memory || im->events.failed))
        rc = err_set(err, ERR_LIMIT, "no memory for the events");
    return rc;
}

/* ---- sending ---- */

static enum err_code next_batch(struct batch *out, void *arg, struct err *err)
{
    return ndjson_next(out, arg, BATCH_EVENTS, BATCH_BYTES, err);
}

static struct importing *sending; /* deliver() gives its callbacks one pointer, the reader's */

static void note_refused(const char *file, int64_t line, const char *status, const char *detail,
                         void *arg)
{
    char text[1200];

    (void)file;
    (void)arg;
    snprintf(text, sizeof(text), "%s: %s", status, detail);
    tell(sending, line >= 1 && line <= sending->count ? sending->rows[line - 1] : 0, 0, NULL, text);
}

static enum err_code deliver_events(struct importing *im, struct place *place, struct err *err)
{
    struct ndjson *reader = NULL;

    if (im->count == 0)
        return OK;
    FILE *in = fmemopen(im->events.data, im->events.len, "r");
    if (!in)
        return err_set(err, ERR_LIMIT, "no memory for the events");
    enum err_code rc = ndjson_open(&reader, in, im->path, err);
    sending = im;
    if (rc == OK) {
        const struct delivery d = {
            .next = next_batch, .refused = note_refused, .arg = reader, .patience_s = PATIENCE_S
        };
        rc = deliver(&im->tally, place, &d, err);
    }
    ndjson_close(reader);
    fclose(in);
    return rc;
}

static void print_summary(const struct importing *im, bool was_sent)
{
    const struct tally *t = &im->tally;

    if (im->is_json)
        printf("{\"rows\":%lld,\"events\":%lld,\"errors\":%lld,\"sent\":%s,\"accepted\":%lld,"
               "\"duplicate\":%lld,\"conflict\":%lld,\"invalid\":%lld,\"wrong\":[%s]}\n",
               (long long)(im->count + im->errors), (long long)im->count, (long long)im->errors,
               was_sent ? "true" : "false", (long long)t->accepted, (long long)t->duplicate,
               (long long)t->conflict, (long long)t->invalid, buf_cstr(&im->told));
    else if (was_sent)
        printf("%lld rows: accepted %lld  duplicate %lld  refused %lld\n",
               (long long)(im->count + im->errors - t->conflict - t->invalid),
               (long long)t->accepted, (long long)t->duplicate, (long long)im->errors);
    else
        fprintf(stderr, "%s: %lld events, %lld rows are wrong; nothing was sent\n", im->path,
                (long long)im->count, (long long)im->errors);
}

static enum cli_exit run(const struct args *args)
{
    struct importing im = { .path = args->operands[0], .is_json = args_flag(args, "json") };
    struct place *place = NULL;
    struct err err;
    bool is_dry = args_flag(args, "dry-run");

    if (!args_text(args, "type") && !args_text(args, "mapping")) {
        err_set(&err, ERR_INPUT,
                "of what type are the events? Say --type TYPE (as lead.named), or --mapping FILE");
        return cli_fail(&err);
    }
    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = convert(&im, args, &err);
    if (rc == ERR_INPUT || rc == ERR_RULE || rc == ERR_ABSENT)
        rc = err.code = ERR_IO; /* the files are wrong, not the way the command was used */
    bool will_send = rc == OK && !is_dry && (im.errors == 0 || args_flag(args, "skip-errors"));
    if (rc == OK && is_dry && !im.is_json)
        fwrite(buf_cstr(&im.events), 1, im.events.len, stdout);
    if (will_send)
        rc = deliver_events(&im, place, &err);
    if (rc == OK)
        print_summary(&im, will_send);
    enum cli_exit code = rc != OK ? cli_fail(&err) : im.errors ? CLI_NO : CLI_DONE;
    place_close(place);
    rulebook_free(im.rules);
    arena_fini(&im.arena);
    buf_fini(&im.bytes);
    buf_fini(&im.mapping);
    buf_fini(&im.events);
    buf_fini(&im.told);
    free(im.rows);
    return code;
}

const struct command import_events_command = {
    .name = "import events",
    .operands = "FILE.csv",
    .summary = "a table of your own, a row an event",
    .help = "Turns each row into an event and sends them. Columns are taken by their names: "
            "subject or\n"
            "urn, time or date, and the fields of the type; --mapping FILE says it otherwise:\n"
            "\n"
            "  {\"type\": \"lead.named\", \"source\": \"urn:hub:07:leads\", \"subject\": \"URN\",\n"
            "   \"time\": \"Date\", \"data\": {\"teacher\": \"Key\", \"role\": {\"value\": \"maths "
            "lead\"}}}\n"
            "\n"
            "All rows are looked at before any is sent; each that is wrong is told by row and "
            "column, and\n"
            "then nothing is sent, unless --skip-errors. Dates may be 31/12/2025, lists are set "
            "off by ;\n"
            "and a person is a key. The same row gives the same event: sending a table again is "
            "harmless.",
    .example = "pathway import events leads.csv --type lead.named --dry-run",
    .no = "a row is wrong, or an event was refused",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
