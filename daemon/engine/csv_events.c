/* csv_events.c - see csv_events.h. */
#include "engine/csv_events.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/civil.h"
#include "base/digest.h"
#include "engine/csv_internal.h"

#define CELL_MAX 16384

struct rows {
    const struct csv_events *options;
    struct csv_plan plan;
    struct arena arena; /* of a row */
    bool has_plan;
    int64_t row;
    int columns;
};

/* ---- cells ---- */

static size_t trimmed(const char *text)
{
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        len--;
    return len;
}

/* 31/12/2025 as 2025-12-31; what is no date stays as people wrote it, for the check to name. */
static void date_text(char *out, size_t size, const char *cell)
{
    int day, month, year, end = 0;
    struct err why;
    int64_t t;

    if (sscanf(cell, "%2d/%2d/%4d%n", &day, &month, &year, &end) == 3 && cell[end] == '\0' &&
        year >= 1000) {
        snprintf(out, size, "%04d-%02d-%02d", year, month, day);
        if (moment_parse(&t, out, &why) == OK)
            return;
    }
    snprintf(out, size, "%s", cell);
}

static bool is_digits(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static void write_prefixed(struct buf *b, const char *prefix, const char *cell)
{
    char text[CELL_MAX];

    snprintf(text, sizeof(text), "%s%s", strchr(cell, '/') ? "" : prefix, cell);
    json_write_cstr(b, text);
}

static void write_number(struct buf *b, const char *cell)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    struct err why;

    if (json_parse(&tree, &arena, cell, strlen(cell), 1, &why) == OK &&
        (tree->type == JSON_INT || tree->type == JSON_REAL))
        json_write(b, tree);
    else
        json_write_cstr(b, cell);
    arena_fini(&arena);
}

static void write_bool(struct buf *b, const char *cell)
{
    static const char *const YES[] = { "yes", "y", "true", "1", "x" };
    static const char *const NO[] = { "no", "n", "false", "0" };

    for (size_t i = 0; i < sizeof(YES) / sizeof(YES[0]); i++)
        if (strcasecmp(cell, YES[i]) == 0) {
            buf_str(b, "true");
            return;
        }
    for (size_t i = 0; i < sizeof(NO) / sizeof(NO[0]); i++)
        if (strcasecmp(cell, NO[i]) == 0) {
            buf_str(b, "false");
            return;
        }
    json_write_cstr(b, cell);
}

/* "Not yet" is not_yet. */
static void write_choice(struct buf *b, const struct type *t, const char *cell)
{
    char text[128];

    snprintf(text, sizeof(text), "%s", cell);
    for (char *at = text; *at; at++)
        *at = (char)(*at == ' ' || *at == '-' ? '_' : *at);
    for (uint32_t i = 0; i < t->value_count; i++)
        if (strcasecmp(text, t->values[i]) == 0) {
            json_write_cstr(b, t->values[i]);
            return;
        }
    json_write_cstr(b, cell);
}

static void write_cell(struct buf *b, const struct type *t, const char *cell);

static void write_list(struct buf *b, const struct type *t, const char *cell)
{
    char item[CELL_MAX];
    const char *separator = "";

    buf_char(b, '[');
    for (size_t n; *cell; cell += n + (cell[n] == ';')) {
        n = strcspn(cell, ";");
        size_t skip = strspn(cell, " \t");
        snprintf(item, sizeof(item), "%.*s", (int)(n > skip ? n - skip : 0), cell + skip);
        item[trimmed(item)] = '\0';
        if (!*item)
            continue;
        buf_str(b, separator);
        write_cell(b, t->of, item);
        separator = ",";
    }
    buf_char(b, ']');
}

/* A map or a row of fields does not fit into a cell, unless as JSON. */
static void write_json(struct buf *b, const char *cell)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    struct err why;

    if (json_parse(&tree, &arena, cell, strlen(cell), EVENT_MAX_DEPTH, &why) == OK)
        json_write(b, tree);
    else
        json_write_cstr(b, cell);
    arena_fini(&arena);
}

static void write_cell(struct buf *b, const struct type *t, const char *cell)
{
    char text[64];

    switch (t->kind) {
    case TYPE_INT:
    case TYPE_NUMBER:
        write_number(b, cell);
        return;
    case TYPE_BOOL:
        write_bool(b, cell);
        return;
    case TYPE_DATE:
    case TYPE_TIME:
        date_text(text, sizeof(text), cell);
        json_write_cstr(b, text);
        return;
    case TYPE_ENUM:
        write_choice(b, t, cell);
        return;
    case TYPE_SCHOOL:
        write_prefixed(b, "school/", cell);
        return;
    case TYPE_GROUP:
        write_prefixed(b, "group/", cell);
        return;
    case TYPE_SET:
    case TYPE_LIST:
        write_list(b, t, cell);
        return;
    case TYPE_MAP:
    case TYPE_ROW:
        write_json(b, cell);
        return;
    case TYPE_TEXT:
    case TYPE_YEAR:
    case TYPE_PERSON:
    case TYPE_NOTE:
    case TYPE_HUB:
        break;
    }
    json_write_cstr(b, cell);
}

/* ---- rows ---- */

/* What a place says in this row; "" when it is empty there. In the arena of the row. */
static const char *said(struct rows *r, const struct csv_place *p, const struct csv_row *row)
{
    char *text = arena_strdup(&r->arena, p->column ? csv_field(row, p->at) : p->value);

    if (!text)
        return "";
    text[trimmed(text)] = '\0';
    const struct json *word = p->words ? json_get(p->words, text) : NULL;
    return word && word->type == JSON_STRING ? word->as.string : text;
}

static void refuse(struct rows *r, const struct csv_row *row, const char *column, const char *why)
{
    r->options->error(r->row, row->line, column, why, r->options->arg);
}

/* What a message about a part of the event is about; NULL: no place. */
static const struct csv_place *place_of(const struct rows *r, const char *message)
{
    for (int i = 0; i < r->plan.count; i++) {
        const struct csv_place *p = &r->plan.places[i];
        const char *at = p->type && strncmp(message, "data.", 5) == 0 ? message + 5 : message;
        size_t len = strlen(p->target);
        if ((at != message) == (p->type != NULL) && strncmp(at, p->target, len) == 0 &&
            strchr(":[. ", at[len]))
            return p;
    }
    return NULL;
}

/* The refusal of an event; of a cell that has words of its own, with those: the table's author
 * knows no others. */
static void refuse_event(struct rows *r, const struct csv_row *row, const char *message)
{
    const struct csv_place *p = place_of(r, message);
    const char *separator = "; words of the mapping: ";
    struct buf told = { 0 };

    buf_str(&told, message);
    for (const struct json *w = p && p->words ? p->words->as.first : NULL; w; w = w->next) {
        buf_printf(&told, "%s%s", separator, w->name);
        separator = ", ";
    }
    refuse(r, row, p ? p->column : NULL, told.failed ? message : buf_cstr(&told));
    buf_fini(&told);
}

static const char *subject_text(struct rows *r, const char *cell, char *out, size_t size)
{
    const bool *kinds = r->plan.type->subjects;
    const char *prefix = kinds[SUBJECT_SCHOOL] && (is_digits(cell) || !kinds[SUBJECT_GROUP])
                             ? "school/"
                         : kinds[SUBJECT_GROUP] ? "group/"
                                                : "hub/";
    snprintf(out, size, "%s%s", strchr(cell, '/') ? "" : prefix, cell);
    return out;
}

/* The time as the log writes it; NULL: it is none, and has been refused. */
static const char *time_of(struct rows *r, const struct csv_row *row, const struct csv_place *p,
                           const char *cell, char out[TIME_TEXT])
{
    char text[64];
    struct err why;
    int64_t t;

    date_text(text, sizeof(text), cell);
    if (moment_parse(&t, text, &why) == OK)
        return time_text(t, out);
    if (strspn(cell, "0123456789/") == strlen(cell) && strchr(cell, '/'))
        err_set(&why, ERR_INPUT,
                "found \"%s\", expected a day that there is, such as 31/12/2025 or 2026-11-21",
                text);
    refuse(r, row, p->column, why.msg);
    return NULL;
}

/* The parts before the data; false: refused. */
static bool write_head(struct rows *r, const struct csv_row *row, struct buf *b, const char **id)
{
    char subject[CELL_MAX], time[TIME_TEXT];

    *id = NULL;
    buf_str(b, "\"specversion\":\"1.0\",\"source\":");
    json_write_cstr(b, r->plan.source);
    buf_str(b, ",\"type\":");
    json_write_cstr(b, r->plan.type->name);
    for (int i = 0; i < r->plan.count; i++) {
        const struct csv_place *p = &r->plan.places[i];
        const char *cell = p->type ? "" : said(r, p, row);
        if (p->type)
            continue;
        if (!*cell && strcmp(p->target, "id") != 0 && strcmp(p->target, "sequence") != 0) {
            refuse(r, row, p->column, "it is empty");
            return false;
        }
        if (!*cell)
            continue;
        if (strcmp(p->target, "id") == 0) {
            *id = cell;
            continue;
        }
        if (strcmp(p->target, "subject") == 0)
            cell = subject_text(r, cell, subject, sizeof(subject));
        else if (strcmp(p->target, "time") == 0 && !(cell = time_of(r, row, p, cell, time)))
            return false;
        buf_printf(b, ",\"%s\":", p->target);
        json_write_cstr(b, cell);
    }
    return true;
}

/* False: refused. */
static bool write_data(struct rows *r, const struct csv_row *row, struct buf *b)
{
    const char *separator = "";
    char why[80];

    buf_str(b, ",\"data\":{");
    for (int i = 0; i < r->plan.count; i++) {
        const struct csv_place *p = &r->plan.places[i];
        const char *cell = p->type ? said(r, p, row) : "";
        if (strlen(cell) >= CELL_MAX) {
            snprintf(why, sizeof(why), "it is %zu bytes long, expected fewer than %d", strlen(cell),
                     CELL_MAX);
            refuse(r, row, p->column, why);
            return false;
        }
        if (!*cell)
            continue;
        buf_str(b, separator);
        json_write_cstr(b, p->target);
        buf_char(b, ':');
        write_cell(b, p->type, cell);
        separator = ",";
    }
    buf_char(b, '}');
    return true;
}

static void write_id(struct buf *b, const struct buf *rest, const char *id)
{
    uint8_t digest[DIGEST_BYTES];
    char hex[DIGEST_HEX];
    const struct digest_part part = { rest->data, rest->len };

    buf_str(b, "{\"id\":");
    if (id) {
        json_write_cstr(b, id);
    } else {
        digest_parts(digest, NULL, &part, 1);
        buf_printf(b, "\"csv-%.32s\"", digest_hex(digest, hex));
    }
    buf_char(b, ',');
    buf_add(b, rest->data, rest->len);
    buf_char(b, '}');
}

static void check_event(struct rows *r, const struct csv_row *row, const struct buf *event)
{
    static const uint8_t NO_KEY[DIGEST_BYTES];
    const struct json *tree = NULL;
    struct event read;
    struct err why;

    if (json_parse(&tree, &r->arena, event->data, event->len, EVENT_MAX_DEPTH, &why) == OK &&
        event_read(&read, &r->arena, tree, r->options->catalog, NO_KEY, &why) == OK)
        r->options->event(r->row, row->line, event->data, event->len, r->options->arg);
    else
        refuse_event(r, row, why.msg);
}

static enum err_code take_row(struct rows *r, const struct csv_row *row, struct err *err)
{
    struct buf rest = { 0 }, event = { 0 };
    const char *id = NULL;
    char why[128];

    r->row++;
    arena_reset(&r->arena);
    if (row->count > r->columns) {
        snprintf(why, sizeof(why), "it has %d fields, the header has %d: is a quote missing?",
                 row->count, r->columns);
        refuse(r, row, NULL, why);
        return OK;
    }
    bool is_fine = write_head(r, row, &rest, &id) && write_data(r, row, &rest);
    if (is_fine)
        write_id(&event, &rest, id);
    enum err_code rc =
        rest.failed || event.failed ? err_set(err, ERR_LIMIT, "no memory for an event") : OK;
    if (rc == OK && is_fine)
        check_event(r, row, &event);
    buf_fini(&rest);
    buf_fini(&event);
    return rc;
}

static enum err_code on_row(const struct csv_row *row, void *arg, struct err *err)
{
    struct rows *r = arg;

    if (r->has_plan)
        return take_row(r, row, err);
    r->has_plan = true;
    r->columns = row->count;
    return csv_plan_make(&r->plan, r->options, &r->arena, row, err);
}

enum err_code csv_events_read(const struct csv_events *c, const char *bytes, size_t len,
                              struct err *err)
{
    struct rows r = { .options = c };

    enum err_code rc = csvfile_parse(c->name, bytes, len, on_row, &r, err);
    arena_fini(&r.arena);
    return rc;
}
