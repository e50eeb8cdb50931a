/* file.c - the file under way: see spool.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shown.h"
#include "spool.h"

#define STATE_KEY "current"

const char *const file_statuses[] = { "accepted", "duplicate", "conflict", "invalid" };

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);
    return len > n && strcasecmp(name + len - n, end) == 0;
}

enum kind file_kind(const char *name)
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
        p->counts[i] = json_integer_value(json_object_get(kept, file_statuses[i]));
    return p->name && p->refused;
}

static json_t *progress_write(const struct progress *p)
{
    json_t *out =
        json_pack("{s:s, s:I, s:I, s:O, s:s}", "file", p->name, "offset", (json_int_t)p->offset,
                  "line", (json_int_t)p->line, "refused", p->refused, "fault", p->fault);

    for (size_t i = 0; i < 4 && out; i++)
        json_object_set_new(out, file_statuses[i], json_integer(p->counts[i]));
    return out;
}

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

static void on_kept(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct spool *s = arg;

    s->is_busy = false;
    if (status == PW_OK) {
        file_go_on(s);
        return;
    }
    spool_log(s, 1, "progress not kept error=%.*s", (int)len, text);
    forget_file(s); /* what is on disk says how far it is */
    s->is_unknown = true;
    spool_later(s);
}

void file_keep(struct spool *s)
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
    return folder_finish(&s->folder, s->taken, is_done(s), s->report, s->error, sizeof(s->error));
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
    for (size_t i = 0; i < 4; i++)
        s->events[i] += (uint64_t)s->at.counts[i];
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
        json_object_set_new(out, file_statuses[i], json_integer(s->at.counts[i]));
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

void file_fault(struct spool *s, const char *why)
{
    shown_copy(s->at.fault, sizeof(s->at.fault), why);
    file_keep(s);
}

void file_finish(struct spool *s)
{
    free(s->report);
    s->report = write_report(s);
    if (s->report)
        spool_work(s, finish_work, on_finished);
    else
        spool_later(s);
}

/* ---- files of lines ---- */

static bool read_lines(struct spool *s)
{
    piece_fini(&s->piece);
    return folder_read_lines(&s->piece, &s->folder, s->taken, s->at.offset, s->batch_lines,
                             s->error, sizeof(s->error));
}

size_t file_mark_len(const struct spool *s)
{
    return s->at.offset == 0 && s->piece.len >= 3 && memcmp(s->piece.bytes, "\xef\xbb\xbf", 3) == 0
               ? 3
               : 0;
}

static void on_lines(struct spool *s)
{
    if (!s->work_ok) {
        char why[ERROR_TEXT + 32];
        snprintf(why, sizeof(why), "line %lld: %s", (long long)s->at.line, s->error);
        file_fault(s, why);
        return;
    }
    if (s->piece.lines == 0) {
        file_finish(s);
        return;
    }
    struct sending *b = sending_new(s, s->piece.len, (size_t)s->piece.lines);
    if (!b) {
        spool_later(s);
        return;
    }
    int64_t line = s->at.line;
    const char *end = s->piece.bytes + s->piece.len;
    for (const char *at = s->piece.bytes + file_mark_len(s), *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        sending_add(b, line++, at, (size_t)(stop - at));
    }
    sending_go(s, b, line, s->piece.next);
}

/* ---- going on ---- */

void file_go_on(struct spool *s)
{
    if (s->is_stopping || s->is_busy)
        return;
    if (s->at.fault[0]) {
        file_finish(s);
        return;
    }
    switch (file_kind(s->at.name)) {
    case KIND_LINES:
        spool_work(s, read_lines, on_lines);
        break;
    case KIND_JSON:
    case KIND_CSV:
        whole_go_on(s);
        break;
    case KIND_OTHER:
        file_fault(s, "its name says no format: expected .ndjson, .jsonl, .json or .csv");
        break;
    }
}

void file_begin(struct spool *s)
{
    char *name = shown_dup(s->taken);

    if (name && s->at.name && !s->is_new && strcmp(s->at.name, name) == 0) {
        free(name);
        spool_log(s, 2, "file goes on file=%s at=%lld", s->at.name, (long long)s->at.line);
        file_go_on(s);
        return;
    }
    progress_fini(&s->at);
    s->at = (struct progress){ .name = name, .line = 1, .refused = json_array() };
    s->batch_lines = LINES_MAX;
    if (s->at.name && s->at.refused)
        file_keep(s);
    else
        spool_later(s);
}
