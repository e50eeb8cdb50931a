/* file.c - the file under way: see spool.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spool.h"

#define STATE_KEY "current"

static const char *const STATUSES[] = { "accepted", "duplicate", "conflict", "invalid" };

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);
    return len > n && strcasecmp(name + len - n, end) == 0;
}

static enum kind kind_of(const char *name)
{
    if (ends_with(name, ".ndjson") || ends_with(name, ".jsonl"))
        return KIND_LINES;
    if (ends_with(name, ".json"))
        return KIND_JSON;
    return ends_with(name, ".csv") ? KIND_CSV : KIND_OTHER;
}

/* ---- progress ---- */

void progress_fini(struct progress *p)
{
    free(p->name);
    json_decref(p->refused);
    *p = (struct progress){ 0 };
}

bool progress_read(struct progress *p, const json_t *kept)
{
    const char *name = json_string_value(json_object_get(kept, "file"));
    const json_t *refused = json_object_get(kept, "refused");

    if (!name || !json_is_array(refused))
        return false;
    p->name = strdup(name);
    p->refused = json_deep_copy(refused);
    p->offset = json_integer_value(json_object_get(kept, "offset"));
    p->line = json_integer_value(json_object_get(kept, "line"));
    snprintf(p->fault, sizeof(p->fault), "%s",
             json_is_string(json_object_get(kept, "fault"))
                 ? json_string_value(json_object_get(kept, "fault"))
                 : "");
    for (size_t i = 0; i < 4; i++)
        p->counts[i] = json_integer_value(json_object_get(kept, STATUSES[i]));
    return p->name && p->refused;
}

static json_t *progress_write(const struct progress *p)
{
    json_t *out =
        json_pack("{s:s, s:I, s:I, s:O, s:s}", "file", p->name, "offset", (json_int_t)p->offset,
                  "line", (json_int_t)p->line, "refused", p->refused, "fault", p->fault);

    for (size_t i = 0; i < 4 && out; i++)
        json_object_set_new(out, STATUSES[i], json_integer(p->counts[i]));
    return out;
}

static void on_kept(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct spool *s = arg;

    s->is_busy = false;
    if (status == PW_OK) {
        file_go_on(s);
        return;
    }
    spool_log(s, 1, "progress not kept error=%.*s", (int)len, text);
    progress_fini(&s->at); /* what is on disk says how far it is */
    spool_later(s);
}

static void keep(struct spool *s)
{
    json_t *value = progress_write(&s->at);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    json_decref(value);
    s->is_busy = text && s->host->state_set(s->host->ctx, STATE_KEY, text, on_kept, s) == PW_OK;
    free(text);
    if (!s->is_busy)
        spool_later(s);
}

/* ---- the end of a file ---- */

static void forget_file(struct spool *s)
{
    progress_fini(&s->at);
    piece_fini(&s->piece);
    json_decref(s->items);
    json_decref(s->places);
    s->items = s->places = NULL;
    free(s->taken);
    s->taken = NULL;
    free(s->report);
    s->report = NULL;
}

static void on_forgotten(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct spool *s = arg;

    (void)status; /* it names a file that is in work no more, and does no harm */
    (void)text;
    (void)len;
    s->is_busy = false;
    spool_go_on(s);
}

static bool is_done(const struct spool *s)
{
    return !s->at.fault[0] && s->at.counts[PW_CONFLICTING] == 0 && s->at.counts[PW_INVALID] == 0;
}

static bool finish_work(struct spool *s)
{
    return folder_finish(&s->folder, s->at.name, is_done(s), s->report, s->error, sizeof(s->error));
}

static void on_finished(struct spool *s)
{
    if (!s->work_ok) {
        spool_log(s, 0, "file stays in work file=%s error=%s", s->at.name, s->error);
        s->files_faults++;
        spool_later(s);
        return;
    }
    *(is_done(s) ? &s->files_done : &s->files_failed) += 1;
    spool_log(s, is_done(s) ? 2 : 1,
              "file %s file=%s accepted=%lld duplicate=%lld conflict=%lld invalid=%lld%s%s",
              is_done(s) ? "done" : "failed", s->at.name, (long long)s->at.counts[0],
              (long long)s->at.counts[1], (long long)s->at.counts[2], (long long)s->at.counts[3],
              s->at.fault[0] ? " error=" : "", s->at.fault);
    forget_file(s);
    s->is_busy = s->host->state_set(s->host->ctx, STATE_KEY, NULL, on_forgotten, s) == PW_OK;
    if (!s->is_busy)
        spool_later(s);
}

static char *write_report(const struct spool *s)
{
    char now[32];
    time_t t = time(NULL);
    struct tm utc;
    json_int_t told = (json_int_t)json_array_size(s->at.refused);

    strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    json_t *out = json_pack("{s:s, s:s, s:s, s:s?}", "file", s->at.name, "result",
                            is_done(s) ? "done" : "failed", "finished", now, "error",
                            s->at.fault[0] ? s->at.fault : NULL);
    for (size_t i = 0; i < 4 && out; i++)
        json_object_set_new(out, STATUSES[i], json_integer(s->at.counts[i]));
    if (out) {
        json_object_set(out, "refused", s->at.refused);
        json_object_set_new(
            out, "refused_not_listed",
            json_integer(s->at.counts[PW_CONFLICTING] + s->at.counts[PW_INVALID] - told));
    }
    char *text = out ? json_dumps(out, JSON_INDENT(2)) : NULL;
    json_decref(out);
    return text;
}

static void finish(struct spool *s)
{
    free(s->report);
    s->report = write_report(s);
    if (s->report)
        spool_work(s, finish_work, on_finished);
    else
        spool_later(s);
}

/* ---- a batch ---- */

struct sending {
    struct spool *spool;
    char *text; /* lines that are no blank ones */
    size_t len;
    int64_t *lines;  /* the number of each in its file */
    const char **at; /* where each begins */
    size_t *lens;
    size_t count;
    int64_t next_line, next_offset;
};

void sending_free(struct sending *b)
{
    if (!b)
        return;
    free(b->text);
    free(b->lines);
    free(b->at);
    free(b->lens);
    free(b);
}

static struct sending *sending_new(struct spool *s, size_t bytes, size_t lines)
{
    struct sending *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->spool = s;
    b->text = malloc(bytes + 1);
    b->lines = calloc(lines + 1, sizeof(*b->lines));
    b->at = calloc(lines + 1, sizeof(*b->at));
    b->lens = calloc(lines + 1, sizeof(*b->lens));
    if (b->text && b->lines && b->at && b->lens)
        return b;
    sending_free(b);
    return NULL;
}

static void add_line(struct sending *b, int64_t line, const char *bytes, size_t len)
{
    size_t blank = 0;

    while (blank < len && strchr(" \t\r", bytes[blank]))
        blank++;
    if (blank == len)
        return;
    b->lines[b->count] = line;
    b->at[b->count] = b->text + b->len;
    b->lens[b->count++] = len;
    memcpy(b->text + b->len, bytes, len);
    b->len += len;
    b->text[b->len++] = '\n';
}

static const char *word_for(const struct spool *s)
{
    return kind_of(s->at.name) == KIND_JSON  ? "item"
           : kind_of(s->at.name) == KIND_CSV ? "row"
                                             : "line";
}

static void refuse(struct spool *s, int64_t line, enum pw_event_status status, const char *detail,
                   const char *bytes, size_t len)
{
    char origin[400];

    s->at.counts[status]++;
    if (json_array_size(s->at.refused) < TOLD_MAX)
        json_array_append_new(s->at.refused,
                              json_pack("{s:I, s:s, s:s}", word_for(s), (json_int_t)line, "status",
                                        STATUSES[status], "detail", detail));
    snprintf(origin, sizeof(origin), "spool/%.300s:%lld", s->at.name, (long long)line);
    if (s->host->quarantine(s->host->ctx, origin, detail, bytes, len, NULL, NULL) != PW_OK)
        spool_log(s, 1, "not set aside origin=%s", origin);
}

static void take_results(struct sending *b, const struct pw_submit_result *result)
{
    struct spool *s = b->spool;

    for (size_t i = 0; i < result->count && i < b->count; i++) {
        const struct pw_event_result *r = &result->results[i];
        if (r->status == PW_ACCEPTED || r->status == PW_DUPLICATE)
            s->at.counts[r->status]++;
        else
            refuse(s, b->lines[i], r->status, r->detail ? r->detail : "", b->at[i], b->lens[i]);
    }
}

static void settle(struct sending *b)
{
    struct spool *s = b->spool;

    s->at.line = b->next_line;
    s->at.offset = b->next_offset;
    s->batch_lines = LINES_MAX;
    sending_free(b);
    keep(s);
}

static void on_submitted(void *arg, const struct pw_submit_result *result)
{
    struct sending *b = arg;
    struct spool *s = b->spool;

    s->is_busy = false;
    s->sending = NULL;
    if (result->status == PW_OK) {
        take_results(b, result);
        settle(b);
    } else if (result->status == PW_BUSY || result->status == PW_FAILED) {
        sending_free(b);
        spool_later(s);
    } else if (b->count > 1) { /* too much at once, or one of them is: find out which */
        s->batch_lines = 1;
        sending_free(b);
        file_go_on(s);
    } else {
        refuse(s, b->lines[0], PW_INVALID, result->error ? result->error : "", b->at[0],
               b->lens[0]);
        settle(b);
    }
}

static void send_batch(struct spool *s, struct sending *b)
{
    char actor[300];

    if (b->count == 0) {
        settle(b);
        return;
    }
    snprintf(actor, sizeof(actor), "spool:%.250s", s->at.name);
    s->is_busy =
        s->host->submit(s->host->ctx, PW_NDJSON, b->text, b->len, actor, on_submitted, b) == PW_OK;
    if (s->is_busy) {
        s->sending = b;
        return;
    }
    sending_free(b);
    spool_later(s);
}

/* ---- files of lines ---- */

static bool read_lines(struct spool *s)
{
    piece_fini(&s->piece);
    return folder_read_lines(&s->piece, &s->folder, s->at.name, s->at.offset, s->batch_lines,
                             s->error, sizeof(s->error));
}

/* A byte order mark is no part of the first event. */
static size_t mark_len(const struct spool *s)
{
    return s->at.offset == 0 && s->piece.len >= 3 && memcmp(s->piece.bytes, "\xef\xbb\xbf", 3) == 0
               ? 3
               : 0;
}

static void on_lines(struct spool *s)
{
    if (!s->work_ok) {
        snprintf(s->at.fault, sizeof(s->at.fault), "line %lld: %.400s", (long long)s->at.line,
                 s->error);
        keep(s);
        return;
    }
    if (s->piece.lines == 0) {
        finish(s);
        return;
    }
    struct sending *b = sending_new(s, s->piece.len, (size_t)s->piece.lines);
    if (!b) {
        spool_later(s);
        return;
    }
    int64_t line = s->at.line;
    const char *end = s->piece.bytes + s->piece.len;
    for (const char *at = s->piece.bytes + mark_len(s), *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        add_line(b, line++, at, (size_t)(stop - at));
    }
    b->next_line = line;
    b->next_offset = s->piece.next;
    send_batch(s, b);
}

/* ---- files that are read whole: JSON, CSV ---- */

static bool read_whole(struct spool *s)
{
    piece_fini(&s->piece);
    return folder_read_whole(&s->piece, &s->folder, s->at.name, s->error, sizeof(s->error));
}

static void fault(struct spool *s, const char *why)
{
    snprintf(s->at.fault, sizeof(s->at.fault), "%s", why);
    keep(s);
}

static void send_items(struct spool *s)
{
    size_t first = (size_t)s->at.line - 1, count = json_array_size(s->items), bytes = 0, n = 0;

    if (first >= count) {
        finish(s);
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
        add_line(b, place ? json_integer_value(place) : (int64_t)i + 1, json_string_value(item),
                 json_string_length(item));
    }
    b->next_line = (int64_t)(first + n) + 1;
    send_batch(s, b);
}

static bool add_item(struct spool *s, const json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT | JSON_ENCODE_ANY);
    bool ok = text && json_array_append_new(s->items, json_string(text)) == 0;

    free(text);
    return ok;
}

static void take_json(struct spool *s)
{
    json_error_t why;
    char text[300];
    size_t skip = mark_len(s), i;
    json_t *tree =
        json_loadb(s->piece.bytes + skip, s->piece.len - skip, JSON_REJECT_DUPLICATES, &why);
    json_t *event;
    bool ok = tree != NULL;

    if (!tree) {
        snprintf(text, sizeof(text), "it is no JSON: line %d, column %d: %s", why.line, why.column,
                 why.text);
        fault(s, text);
        return;
    }
    s->items = json_array();
    if (json_is_array(tree)) {
        json_array_foreach(tree, i, event) ok = ok && add_item(s, event);
    } else {
        ok = add_item(s, tree);
    }
    json_decref(tree);
    if (ok)
        send_items(s);
    else
        fault(s, "no memory for its events");
}

/* {"events": [[row, text]...], "errors": [{row, column, detail}...]} */
static void take_rows(struct spool *s, const json_t *told)
{
    size_t i;
    json_t *row;
    char detail[600];
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
            refuse(s, json_integer_value(json_object_get(row, "row")), PW_INVALID, detail,
                   raw ? raw : "", raw ? strlen(raw) : 0);
    }
    s->at.offset = 1; /* the rows that are no events have been told */
    send_items(s);
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
        fault(s, text);
    json_decref(told);
}

/* The mapping of NAME.csv, or of "lead.named-2025.csv" that of the longest name before a '-' or '.': what the
 * file's events are is said by a file in the folder of mappings. */
static json_t *mapping_of(struct spool *s)
{
    char path[4096], stem[256];
    json_error_t why;

    snprintf(stem, sizeof(stem), "%s", s->at.name);
    for (char *cut; (cut = strrchr(stem, '.')) || (cut = strrchr(stem, '-'));) {
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
        fault(s, s->error);
        return;
    }
    json_t *params = json_pack("{s:s, s:o, s:s#}", "name", s->at.name, "mapping", mapping, "text",
                               s->piece.bytes, s->piece.len);
    char *text = params ? json_dumps(params, JSON_COMPACT) : NULL;
    json_decref(params);
    if (!text) {
        fault(s, "it is not UTF-8, or there is no memory; save it as \"CSV UTF-8\"");
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
        fault(s, s->error);
    else if (kind_of(s->at.name) == KIND_JSON)
        take_json(s);
    else
        ask_for_rows(s);
}

/* ---- going on ---- */

void file_go_on(struct spool *s)
{
    if (s->is_stopping || s->is_busy)
        return;
    if (s->at.fault[0]) {
        finish(s);
        return;
    }
    switch (kind_of(s->at.name)) {
    case KIND_LINES:
        spool_work(s, read_lines, on_lines);
        break;
    case KIND_JSON:
    case KIND_CSV:
        if (s->items)
            send_items(s);
        else
            spool_work(s, read_whole, on_whole);
        break;
    case KIND_OTHER:
        fault(s, "its name says no format: expected .ndjson, .jsonl, .json or .csv");
        break;
    }
}

void file_begin(struct spool *s)
{
    if (s->at.name && !s->is_new && strcmp(s->at.name, s->taken) == 0) {
        spool_log(s, 2, "file goes on file=%s at=%lld", s->at.name, (long long)s->at.line);
        file_go_on(s);
        return;
    }
    progress_fini(&s->at);
    s->at = (struct progress){ .name = strdup(s->taken), .line = 1, .refused = json_array() };
    s->batch_lines = LINES_MAX;
    if (s->at.name && s->at.refused)
        keep(s);
    else
        spool_later(s);
}
