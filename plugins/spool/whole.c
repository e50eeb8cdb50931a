/* whole.c - files that are read whole, JSON and CSV: see spool.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "items.h"
#include "spool.h"

static bool read_whole(struct spool *s)
{
    piece_fini(&s->piece);
    return folder_read_whole(&s->piece, &s->folder, s->taken, s->error, sizeof(s->error));
}

static void send_items(struct spool *s)
{
    size_t first = (size_t)s->at.line - 1, count = json_array_size(s->items), bytes = 0, n = 0;

    if (first >= count) {
        file_finish(s);
        return;
    }
    while (first + n < count && n < (size_t)s->batch_lines) {
        size_t len = json_string_length(json_array_get(s->items, first + n)) + 1;
        if (n > 0 && bytes + len > BYTES_MAX)
            break;
        bytes += len;
        n++;
    }
    struct sending *b = sending_new(s, bytes, n);
    if (!b) {
        spool_later(s);
        return;
    }
    for (size_t i = first; i < first + n; i++) {
        const json_t *item = json_array_get(s->items, i), *place = json_array_get(s->places, i);
        sending_add(b, place ? json_integer_value(place) : (int64_t)i + 1, json_string_value(item),
                    json_string_length(item));
    }
    sending_go(s, b, (int64_t)(first + n) + 1, 0);
}

static void take_json(struct spool *s)
{
    char why[300];
    size_t skip = file_mark_len(s);

    s->items = items_read(s->piece.bytes + skip, s->piece.len - skip, why, sizeof(why));
    if (s->items)
        send_items(s);
    else
        file_fault(s, why);
}

/* {"events": [[row, text]...], "errors": [{row, column, detail}...]} */
static void take_rows(struct spool *s, const json_t *told)
{
    size_t i;
    json_t *row;
    char detail[1000];
    bool is_first = s->at.line == 1 && s->at.offset == 0;

    s->items = json_array();
    s->places = json_array();
    json_array_foreach(json_object_get(told, "events"), i, row)
    {
        json_array_append(s->places, json_array_get(row, 0));
        json_array_append(s->items, json_array_get(row, 1));
    }
    json_array_foreach(json_object_get(told, "errors"), i, row)
    {
        const char *column = json_string_value(json_object_get(row, "column"));
        const char *why = json_string_value(json_object_get(row, "detail"));
        const char *raw = json_string_value(json_object_get(row, "raw"));
        snprintf(detail, sizeof(detail), "%s%s%s%s", column ? "column '" : "", column ? column : "",
                 column ? "': " : "", why ? why : "");
        if (is_first)
            file_refuse(s, json_integer_value(json_object_get(row, "row")), PW_INVALID, detail,
                        raw ? raw : "", raw ? strlen(raw) : 0);
    }
    if (!is_first) {
        send_items(s);
        return;
    }
    s->at.offset = 1; /* the rows that are no events have been told, and are not told again */
    file_keep(s);
}

static void on_rows(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct spool *s = arg;

    s->is_busy = false;
    if (status == PW_BUSY) {
        spool_later(s);
        return;
    }
    json_t *told = status == PW_OK ? json_loadb(text, len, 0, NULL) : NULL;
    if (told)
        take_rows(s, told);
    else
        file_fault(s, text);
    json_decref(told);
}

/* The last '-' or '.' of a name, whichever comes later; NULL: none. */
static char *last_cut(char *name)
{
    char *dot = strrchr(name, '.'), *dash = strrchr(name, '-');
    return dash && (!dot || dash > dot) ? dash : dot;
}

/* The mapping of NAME.csv, or of "lead.named-2025.csv" that of the longest name before a '-' or
 * '.': what the file's events are is said by a file in the folder of mappings. */
static json_t *mapping_of(struct spool *s)
{
    char path[4096], stem[256];
    json_error_t why;

    snprintf(stem, sizeof(stem), "%s", s->taken);
    for (char *cut; (cut = last_cut(stem));) {
        *cut = '\0';
        snprintf(path, sizeof(path), "%s/%s.json", s->mappings, stem);
        json_t *mapping = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
        if (mapping)
            return mapping;
        if (json_error_code(&why) != json_error_cannot_open_file) {
            snprintf(s->error, sizeof(s->error), "%.200s: line %d: %s", path, why.line, why.text);
            return NULL;
        }
    }
    snprintf(s->error, sizeof(s->error),
             "no mapping says what its columns are: expected a file such as %.200s/%.100s.json",
             s->mappings, stem);
    return NULL;
}

static void ask_for_rows(struct spool *s)
{
    json_t *mapping = mapping_of(s);

    if (!mapping) {
        file_fault(s, s->error);
        return;
    }
    json_t *params = json_pack("{s:s, s:o, s:s#}", "name", s->at.name, "mapping", mapping, "text",
                               s->piece.bytes, s->piece.len);
    char *text = params ? json_dumps(params, JSON_COMPACT) : NULL;
    json_decref(params);
    if (!text) {
        file_fault(s, "it is not UTF-8, or there is no memory; save it as \"CSV UTF-8\"");
        return;
    }
    s->is_busy = s->host->ask(s->host->ctx, "csv", text, on_rows, s) == PW_OK;
    free(text);
    if (!s->is_busy)
        spool_later(s);
}

static void on_whole(struct spool *s)
{
    if (!s->work_ok)
        file_fault(s, s->error);
    else if (file_kind(s->at.name) == KIND_JSON)
        take_json(s);
    else
        ask_for_rows(s);
}

void whole_go_on(struct spool *s)
{
    if (s->items)
        send_items(s);
    else
        spool_work(s, read_whole, on_whole);
}
