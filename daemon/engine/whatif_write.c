/* whatif_write.c - see whatif_write.h. */
#include "engine/whatif_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/text.h"
#include "store/derived.h"

enum err_code row_format_read(enum row_format *out, const struct json *params, struct err *err)
{
    static const char *const NAMES[] = { "json", "csv", "ndjson" };
    const char *format;
    char hint[80];

    *out = ROWS_JSON;
    if (params_text(&format, params, "format", err) != OK)
        return err->code;
    for (size_t i = 0; format && i < 3; i++) {
        *out = (enum row_format)i;
        if (strcmp(NAMES[i], format) == 0)
            return OK;
    }
    return !format ? OK
                   : err_set(err, ERR_INPUT, "format: found \"%s\", expected json, csv or ndjson%s",
                             format, text_hint(hint, sizeof(hint), format, NAMES, 3));
}

/* As JSON; nothing there is null. */
static void write_value(struct buf *out, const char *text)
{
    if (!text || text[0] != '!') {
        buf_str(out, text ? text : "null");
        return;
    }
    buf_str(out, "{\"error\":");
    json_write_cstr(out, text + 1);
    buf_char(out, '}');
}

static void write_csv_value(struct buf *out, const char *text)
{
    bool is_error = text && text[0] == '!';
    export_value(out, !text ? "null" : is_error ? "\"\"" : text, is_error);
}

static void write_row(struct buf *out, const struct whatif_row *row, enum row_format format)
{
    if (format == ROWS_CSV) {
        buf_printf(out, "%s,%s,", row->subject, row->decision);
        write_csv_value(out, row->old);
        buf_char(out, ',');
        write_csv_value(out, row->now);
        buf_char(out, '\n');
        return;
    }
    buf_str(out, "{\"subject\":");
    json_write_cstr(out, row->subject);
    if (format == ROWS_JSON) {
        buf_str(out, ",\"name\":");
        json_write_cstr(out, row->name);
    }
    buf_str(out, ",\"decision\":");
    json_write_cstr(out, row->decision);
    buf_str(out, ",\"old\":");
    write_value(out, row->old);
    buf_str(out, ",\"new\":");
    write_value(out, row->now);
    buf_printf(out, ",\"because\":%s}", row->because);
    if (format == ROWS_NDJSON)
        buf_char(out, '\n');
}

static int by_subject(const void *a, const void *b)
{
    const struct whatif_row *x = a, *y = b;
    int order = strcmp(x->subject, y->subject);
    return order ? order : strcmp(x->decision, y->decision);
}

/* ---- counts ---- */

static int by_name(const void *a, const void *b)
{
    const struct decision_count *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct value_count *)a)->text, ((const struct value_count *)b)->text);
}

static void write_decision(struct buf *out, struct decision_count *d, int m)
{
    const char *comma = "";

    json_write_cstr(out, d->name);
    buf_printf(out, ":{\"changed\":%lld,\"values\":", (long long)d->changed[m]);
    if (d->has_more) {
        buf_str(out, "null}");
        return;
    }
    qsort(d->values, (size_t)d->value_count, sizeof(d->values[0]), by_text);
    buf_char(out, '[');
    for (int i = 0; i < d->value_count; i++) {
        const struct value_count *v = &d->values[i];
        if (v->old[m] == 0 && v->now[m] == 0)
            continue;
        buf_printf(out, "%s{\"value\":", comma);
        write_value(out, v->text);
        buf_printf(out, ",\"old\":%lld,\"new\":%lld}", (long long)v->old[m], (long long)v->now[m]);
        comma = ",";
    }
    buf_str(out, "]}");
}

/* The ends of past years first, the moment asked about last. */
static void write_moment_counts(struct buf *out, const struct whatif *w, int m)
{
    char at[TIME_TEXT], year[YEAR_TEXT];
    bool is_end = m < w->moment_count - 1;
    const char *comma = "";

    buf_printf(out, "{\"at\":\"%s\",\"year\":", time_text(w->moments[m], at));
    json_write_cstr(out, is_end ? year_text(year_at(w->moments[m]) - 1, year) : NULL);
    buf_printf(out, ",\"subjects\":%lld,\"changed\":%lld,\"decisions\":{",
               (long long)w->subjects[m], (long long)w->changed[m]);
    for (uint32_t i = 0; i < w->ids.count; i++) {
        if (w->decisions[i]->changed[m] == 0)
            continue;
        buf_str(out, comma);
        write_decision(out, w->decisions[i], m);
        comma = ",";
    }
    buf_str(out, "}}");
}

static void write_json(struct buf *out, struct whatif *w, int64_t seq, const struct json *set,
                       const char *hub)
{
    char at[TIME_TEXT];
    bool differs = false;

    for (int m = 0; m < w->moment_count; m++)
        differs = differs || w->changed[m] > 0;
    buf_printf(out, "{\"seq\":%lld,\"at\":\"%s\",\"hub\":", (long long)seq,
               time_text(w->moments[w->moment_count - 1], at));
    json_write_cstr(out, hub);
    buf_printf(out,
               ",\"rules\":{\"old\":\"%s\",\"new\":\"%s\"},\"set\":", rulebook_digest(w->old_rules),
               rulebook_digest(w->new_rules));
    if (set)
        json_write(out, set);
    else
        buf_str(out, "null");
    buf_printf(out, ",\"differs\":%s,\"moments\":[", differs ? "true" : "false");
    for (int m = 0; m < w->moment_count; m++) {
        buf_str(out, m ? "," : "");
        write_moment_counts(out, w, m);
    }
    buf_str(out, "],\"changes\":[");
    for (size_t i = 0; i < w->row_count; i++) {
        buf_str(out, i ? "," : "");
        write_row(out, &w->rows[i], ROWS_JSON);
    }
    buf_str(out, "]}");
}

enum err_code whatif_write(struct buf *out, struct whatif *w, struct reader *r,
                           enum row_format format, const struct json *set, const char *hub,
                           struct err *err)
{
    int64_t seq;

    if (feed_last_seq(&seq, r->store, err) != OK)
        return err->code;
    if (w->row_count > 0)
        qsort(w->rows, w->row_count, sizeof(*w->rows), by_subject);
    if (format == ROWS_JSON) {
        /* strmap items keep their numbers; only the list that is written goes by name */
        if (w->ids.count > 0)
            qsort(w->decisions, w->ids.count, sizeof(*w->decisions), by_name);
        write_json(out, w, seq, set, hub);
        return OK;
    }
    if (format == ROWS_CSV)
        buf_str(out, "subject,decision,old,new\n");
    for (size_t i = 0; i < w->row_count; i++)
        write_row(out, &w->rows[i], format);
    return OK;
}
