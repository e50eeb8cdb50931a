/* answer_export.c - "decisions", "events", "registered": everything, as CSV or one JSON a line. */
#include <string.h>

#include "base/civil.h"
#include "engine/fold.h"
#include "engine/pieces.h"
#include "engine/reader.h"
#include "store/derived.h"
#include "store/log.h"
#include "store/personal.h"

/* ---- decisions ---- */

static enum err_code read_names(struct export_options *o, struct reader *r,
                                const struct json *params, struct err *err)
{
    const struct json *names = json_get(params, "names");
    int count = 0;

    if (!names || names->type == JSON_NULL)
        return OK;
    if (names->type != JSON_ARRAY)
        return err_set(err, ERR_INPUT, "names: found %s, expected a list of decisions",
                       json_type_name(names));
    const char **list = arena_alloc(&r->arena, (names->len + 1) * sizeof(*list));
    if (!list)
        return err_set(err, ERR_LIMIT, "no memory for the names");
    for (const struct json *n = names->as.first; n; n = n->next) {
        if (n->type != JSON_STRING)
            return err_set(err, ERR_INPUT, "names: found %s, expected a text", json_type_name(n));
        list[count++] = n->as.string;
    }
    o->names = list;
    o->name_count = count;
    return OK;
}

struct rows {
    struct buf *out;
    struct reader *r;
    const struct export_options *options;
    const char *subject;
    struct arena scratch;
};

/* {"error":"..."} is told as the message alone. */
static enum err_code take_decision(struct slice name, struct slice value, void *arg,
                                   struct err *err)
{
    static const char ERROR[] = "{\"error\":";
    struct rows *rows = arg;
    size_t skip = sizeof(ERROR) - 1;
    bool is_error = value.len > skip && memcmp(value.at, ERROR, skip) == 0;

    arena_reset(&rows->scratch);
    const char *n = arena_copy(&rows->scratch, name.at, name.len);
    const char *v = is_error ? arena_copy(&rows->scratch, value.at + skip, value.len - skip - 1)
                             : arena_copy(&rows->scratch, value.at, value.len);
    if (!n || !v)
        return err_set(err, ERR_LIMIT, "no memory to export");
    export_row(rows->out, rows->options, rows->subject, n, v, is_error);
    return OK;
}

static enum err_code take_row(const struct list_row *row, void *arg, struct err *err)
{
    struct rows *rows = arg;
    rows->subject = row->subject;
    return decisions_each(row->names, row->values, take_decision, rows, err);
}

static enum err_code export_tables(struct buf *out, struct reader *r,
                                   const struct export_options *o, struct err *err)
{
    static const char *const KINDS[] = { "group", "hub", "school" }; /* bytewise */
    struct rows rows = { .out = out, .r = r, .options = o };
    bool more;
    enum err_code rc = export_check_names(r->rules, o, err);

    if (rc == OK)
        export_header(out, o);
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]) && rc == OK; i++) {
        struct list_query all = { .kind = KINDS[i], .limit = INT32_MAX - 1 };
        rc = list_subjects(&more, r->store, &all, take_row, &rows, err);
    }
    arena_fini(&rows.scratch);
    return rc;
}

/* The rules of the second thread are loaded while the log is read. */
static enum err_code export_as_of(struct buf *out, struct reader *r, const struct instants *when,
                                  const struct export_options *o, struct err *err)
{
    struct pieces *pieces = NULL;

    enum err_code rc = export_check_names(r->rules, o, err);
    if (rc == OK)
        rc = pieces_new(&pieces, r->rules, pieces_expected(when->max_seq), err);
    if (rc == OK)
        rc = reader_world(r, when->max_seq, true, err);
    if (rc == OK)
        rc = export_pieces(out, r->world, pieces, o, err);
    pieces_free(pieces);
    return rc;
}

enum err_code answer_decisions(struct buf *out, struct reader *r, const struct json *params,
                               struct err *err)
{
    static const char *const KNOWN[] = { "at", "known", "rules", "names", "format", NULL };
    struct export_options o = { 0 };
    struct instants when;
    bool is_current = false;

    if (reader_need_rules(r, err) != OK || params_check(params, KNOWN, err) != OK ||
        params_instants(&when, r, params, err) != OK ||
        params_csv_or_ndjson(&o.as_ndjson, params, err) != OK ||
        read_names(&o, r, params, err) != OK)
        return err->code;
    o.at = when.at;
    if (when.is_now && reader_tables_are_current(&is_current, NULL, r, when.at, err) != OK)
        return err->code;
    if (is_current)
        return export_tables(out, r, &o, err);
    return export_as_of(out, r, &when, &o, err);
}

/* ---- events ---- */

struct events {
    struct buf *out;
    struct reader *r;
    bool as_ndjson;
    bool with_notes;
};

struct notes {
    struct arena *arena;
    struct json *data; /* the body's data, whose members are given their texts back */
};

/* Only top-level fields of data are notes in what packs declare today; deeper ones stay digests. */
static enum err_code restore_note(const char *path, const char *text, void *arg, struct err *err)
{
    struct notes *n = arg;
    char *copy = arena_strdup(n->arena, text);

    if (!copy)
        return err_set(err, ERR_LIMIT, "no memory for notes");
    for (const struct json *m = n->data ? n->data->as.first : NULL; m; m = m->next) {
        struct json *field = (struct json *)(uintptr_t)m; /* our own tree, parsed for this */
        if (strncmp(path, "data.", 5) == 0 && strcmp(m->name, path + 5) == 0 &&
            m->type == JSON_STRING) {
            field->as.string = copy;
            field->len = (uint32_t)strlen(copy);
        }
    }
    return OK;
}

static enum err_code write_event(const struct logged *e, void *arg, struct err *err)
{
    struct events *x = arg;
    struct arena arena = { 0 };
    const struct json *body = NULL;
    char time[TIME_TEXT], recorded[TIME_TEXT];
    enum err_code rc = OK;

    if (!x->as_ndjson) {
        buf_printf(x->out, "%lld,%s,%s,%s,%s,", (long long)e->seq, time_text(e->recorded, recorded),
                   time_text(e->time, time), e->type, e->subject);
        export_text(x->out, e->source, strlen(e->source));
        buf_char(x->out, ',');
        export_text(x->out, e->id, strlen(e->id));
        buf_char(x->out, '\n');
        return OK;
    }
    rc = json_parse(&body, &arena, e->body, e->body_len, EVENT_MAX_DEPTH + 1, err);
    if (rc == OK) {
        struct notes notes = { &arena, (struct json *)(uintptr_t)json_get(body, "data") };
        if (x->with_notes)
            rc = note_each(x->r->store, e->seq, restore_note, &notes, err);
        json_write(x->out, body);
        buf_char(x->out, '\n');
    }
    arena_fini(&arena);
    return rc;
}

enum err_code answer_events(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { "format", "known", "notes", NULL };
    struct events x = { .out = out, .r = r };
    struct instants when;
    const char *notes;

    if (params_check(params, KNOWN, err) != OK || params_instants(&when, r, params, err) != OK ||
        params_text(&notes, params, "notes", err) != OK ||
        params_csv_or_ndjson(&x.as_ndjson, params, err) != OK)
        return err->code;
    x.with_notes = !notes || strcmp(notes, "no") != 0;
    if (!x.as_ndjson)
        buf_str(out, "seq,recorded,time,type,subject,source,id\n");
    return log_scan(r->store, 0, when.max_seq, write_event, &x, err);
}

/* ---- what the register says of each school, for the next import to compare with ---- */

static enum err_code write_registered(struct buf *out, struct reader *r, const char *subject,
                                      int64_t at, struct err *err)
{
    static const char *const FIELDS[] = { "name", "hub",      "education_phase",
                                          "la",   "postcode", "status" };
    struct fold f = { 0 };
    struct buf facts = { 0 };
    const struct json *tree = NULL;

    enum err_code rc = fold_subject(&f, r->rules, r->world, subject, at, err);
    if (rc == OK)
        rc = record_write_facts(&facts, f.record, err);
    if (rc == OK)
        rc = json_parse(&tree, &r->arena, buf_cstr(&facts), facts.len, EVENT_MAX_DEPTH, err);
    const struct json *registered = rc == OK ? json_get(tree, "registered") : NULL;
    if (registered && registered->type == JSON_BOOL && registered->as.boolean) {
        const struct json *pupils = json_get(tree, "pupils");
        buf_str(out, "{\"subject\":");
        json_write_cstr(out, subject);
        for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
            const struct json *v = json_get(tree, FIELDS[i]);
            buf_printf(out, ",\"%s\":", FIELDS[i]);
            json_write_cstr(out, v ? v->as.string : NULL);
        }
        buf_str(out, ",\"pupils\":");
        if (pupils)
            json_write(out, pupils);
        else
            buf_str(out, "null");
        buf_str(out, "}\n");
    }
    buf_fini(&facts);
    fold_fini(&f);
    return rc;
}

enum err_code answer_registered(struct buf *out, struct reader *r, const struct json *params,
                                struct err *err)
{
    static const char *const KNOWN[] = { "at", "known", "rules", "format", NULL };
    struct instants when;
    const char *format;
    size_t count;

    if (params_check(params, KNOWN, err) != OK ||
        params_text(&format, params, "format", err) != OK ||
        params_instants(&when, r, params, err) != OK)
        return err->code;
    if (format && strcmp(format, "ndjson") != 0)
        return err_set(err, ERR_INPUT, "format: found \"%s\", expected ndjson", format);
    if (reader_world(r, when.max_seq, true, err) != OK)
        return err->code;
    const char *const *subjects = world_subjects(r->world, &count);
    for (size_t i = 0; i < count; i++)
        if (strncmp(subjects[i], "school/", 7) == 0 &&
            write_registered(out, r, subjects[i], when.at, err) != OK)
            return err->code;
    return OK;
}
