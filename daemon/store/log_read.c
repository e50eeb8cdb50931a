/* log_read.c - see log.h. Reading events: by number, by subject along its chain, by key. */
#include "store/log.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define COLUMNS                                                                                    \
    "e.seq, e.time, e.recorded, e.source, e.id, e.type, e.subject, e.sequence, e.actor, e.body,"   \
    " e.touches"
#define TOUCHES_COLUMN 10

/* Fill `out` from a row of COLUMNS; it borrows the row's texts. */
static enum err_code fill(struct logged *out, struct store *s, sqlite3_stmt *st, struct err *err)
{
    *out = (struct logged){
        .seq = sqlite3_column_int64(st, 0),
        .time = sqlite3_column_int64(st, 1),
        .recorded = sqlite3_column_int64(st, 2),
        .id = column_text(st, 4),
        .sequence = column_text(st, 7),
        .actor = column_text(st, 8),
        .body = column_text(st, 9),
        .body_len = (uint32_t)sqlite3_column_bytes(st, 9),
    };
    if (!out->id || !out->body)
        return store_no_memory(s, "read an event", err);
    enum err_code rc = dict_text(&out->source, s, DICT_SOURCE, sqlite3_column_int64(st, 3), err);
    if (rc == OK)
        rc = dict_text(&out->type, s, DICT_TYPE, sqlite3_column_int64(st, 5), err);
    if (rc == OK)
        rc = dict_text(&out->subject, s, DICT_SUBJECT, sqlite3_column_int64(st, 6), err);
    return rc;
}

/* The same from a row that is not durable yet. */
static enum err_code fill_from_tail(struct logged *out, struct store *s, const struct event_row *e,
                                    struct err *err)
{
    *out = (struct logged){ .seq = e->seq,
                            .time = e->time,
                            .recorded = e->recorded,
                            .id = e->id,
                            .sequence = e->sequence,
                            .actor = e->actor,
                            .body = e->body,
                            .body_len = e->body_len };
    enum err_code rc = dict_text(&out->source, s, DICT_SOURCE, e->source, err);
    if (rc == OK)
        rc = dict_text(&out->type, s, DICT_TYPE, e->type, err);
    if (rc == OK)
        rc = dict_text(&out->subject, s, DICT_SUBJECT, e->subject, err);
    return rc;
}

/* Show `fn` each row that a bound statement of COLUMNS finds. *shown counts them; NULL allowed. */
static enum err_code show(int *shown, struct store *s, sqlite3_stmt *st, logged_fn *fn, void *arg,
                          struct err *err)
{
    struct logged e;
    bool row;

    enum err_code rc = stmt_row(&row, s, st, "read the log", err);
    while (rc == OK && row) {
        rc = fill(&e, s, st, err);
        if (rc == OK)
            rc = fn(&e, arg, err);
        if (rc == OK && shown)
            ++*shown;
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read the log", err);
    }
    stmt_done(st);
    return rc;
}

/* ---- what events touch ---- */

/* A scan that also shows, for each event, the texts of what it touches. */
struct scan {
    struct store *s;
    sqlite3_stmt *st;
    const char **texts; /* owned */
    uint32_t cap;
    logged_fn *fn;
    void *arg;
};

static bool make_room(struct scan *scan, uint32_t count)
{
    if (count < scan->cap)
        return true;
    uint32_t cap = scan->cap ? 2 * scan->cap : 32;
    const char **texts = realloc(scan->texts, cap * sizeof(*texts));
    if (!texts)
        return false;
    scan->texts = texts;
    scan->cap = cap;
    return true;
}

static enum err_code with_touches(const struct logged *e, void *arg, struct err *err)
{
    struct scan *scan = arg;
    const char *at = column_text(scan->st, TOUCHES_COLUMN);
    struct logged full = *e;
    struct touch touch;

    while (touch_next(&touch, &at)) {
        if (!make_room(scan, full.touch_count))
            return store_no_memory(scan->s, "read what events touch", err);
        enum err_code rc =
            dict_text(&scan->texts[full.touch_count++], scan->s, DICT_SUBJECT, touch.subject, err);
        if (rc != OK)
            return rc;
    }
    full.touches = scan->texts;
    return scan->fn(&full, scan->arg, err);
}

enum err_code log_scan(struct store *s, int64_t after, int64_t max_seq, logged_fn *fn, void *arg,
                       struct err *err)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM event_row e WHERE e.seq > ?1 AND e.seq <= ?2 ORDER BY e.seq";
    struct scan scan = { .s = s, .fn = fn, .arg = arg };

    enum err_code rc = stmt_get(&scan.st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(scan.st, 1, after);
    sqlite3_bind_int64(scan.st, 2, max_seq);
    rc = show(NULL, s, scan.st, with_touches, &scan, err);
    free(scan.texts);
    return rc;
}

/* ---- a subject's chain ---- */

/* The newest event that touches a subject; 0 when there is none. */
static enum err_code head_of(int64_t *out, struct store *s, const struct dict_entry *subject,
                             struct err *err)
{
    static const char SQL[] = "SELECT head FROM subject_row WHERE id = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = subject->head;
    if (s->mode != STORE_READ)
        return OK;
    /* A reader's tables may lie behind the log: see what was appended since, once. */
    enum err_code rc = touches_load_heads(
        s, s->watermark.seq > s->heads_upto ? s->watermark.seq : s->heads_upto, err);
    if (rc == OK)
        rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, subject->id);
    rc = stmt_row(&row, s, st, "find a subject's newest event", err);
    int64_t stored = rc == OK && row ? sqlite3_column_int64(st, 0) : 0;
    *out = stored > subject->head ? stored : subject->head;
    stmt_done(st);
    return rc;
}

/* The event before this one in a subject's chain; 0 when it is the first. */
static enum err_code link_before(int64_t *out, struct store *s, int64_t subject, int64_t seq,
                                 const char *touches, struct err *err)
{
    struct touch touch;

    *out = seq;
    while (touch_next(&touch, &touches))
        if (touch.subject == subject)
            *out = touch.prev;
    if (*out >= 0 && *out < seq) /* also ends a loop in a damaged chain */
        return OK;
    return err_set(err, ERR_STORE,
                   "%s: the chain of subject events is broken at event %lld; "
                   "restore a backup",
                   s->path, (long long)seq);
}

static enum err_code select_event(sqlite3_stmt **st, bool *row, struct store *s, int64_t seq,
                                  struct err *err)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM event_row e WHERE e.seq = ?1";

    enum err_code rc = stmt_get(st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(*st, 1, seq);
    return stmt_row(row, s, *st, "read an event", err);
}

static enum err_code show_one(int *shown, struct store *s, int64_t seq, logged_fn *fn, void *arg,
                              struct err *err)
{
    const struct event_row *there = tail_event(s, seq);
    struct logged e;
    sqlite3_stmt *st = NULL;
    bool row = true;

    *shown = 0;
    enum err_code rc =
        there ? fill_from_tail(&e, s, there, err) : select_event(&st, &row, s, seq, err);
    if (rc == OK && row && st)
        rc = fill(&e, s, st, err);
    if (rc == OK && row)
        rc = fn(&e, arg, err);
    *shown = rc == OK && row;
    if (st)
        stmt_done(st);
    return rc;
}

/* Show an event of a chain; *seq becomes the one before it. */
static enum err_code show_link(int64_t *seq, struct store *s, int64_t subject, int64_t max_seq,
                               logged_fn *fn, void *arg, struct err *err)
{
    const struct event_row *there = tail_event(s, *seq);
    const char *touches = there ? there->touches : NULL;
    struct logged e = { .seq = *seq };
    sqlite3_stmt *st = NULL;
    bool row = true, is_seen = *seq <= max_seq;

    enum err_code rc = there ? OK : select_event(&st, &row, s, *seq, err);
    if (rc == OK && !row)
        rc = err_set(err, ERR_STORE, "%s: event %lld is missing from the log; restore a backup",
                     s->path, (long long)*seq);
    if (rc == OK && st)
        touches = column_text(st, TOUCHES_COLUMN);
    if (rc == OK && is_seen)
        rc = there ? fill_from_tail(&e, s, there, err) : fill(&e, s, st, err);
    if (rc == OK && is_seen)
        rc = fn(&e, arg, err);
    if (rc == OK)
        rc = link_before(seq, s, subject, e.seq, touches, err);
    if (st)
        stmt_done(st);
    return rc;
}

enum err_code log_scan_subject(struct store *s, const char *subject, int64_t max_seq, logged_fn *fn,
                               void *arg, struct err *err)
{
    struct dict_entry *entry;
    int64_t seq = 0;

    enum err_code rc = dict_find(&entry, s, DICT_SUBJECT, subject, err);
    if (rc != OK || !entry)
        return rc;
    rc = head_of(&seq, s, entry, err);
    while (rc == OK && seq > 0)
        rc = show_link(&seq, s, entry->id, max_seq, fn, arg, err);
    return rc;
}

enum err_code log_find(bool *found, struct store *s, const char *source, const char *id,
                       int64_t max_seq, logged_fn *fn, void *arg, struct err *err)
{
    struct dict_entry *entry;
    int64_t seq = 0;
    int shown = 0;

    *found = false;
    enum err_code rc = dict_find(&entry, s, DICT_SOURCE, source, err);
    if (rc == OK && entry)
        rc = keys_find(&seq, s, keys_hash(s, source, id), entry->id, id, err);
    if (rc == OK && seq > 0 && seq <= max_seq)
        rc = show_one(&shown, s, seq, fn, arg, err);
    *found = shown > 0;
    return rc;
}

static enum err_code show_voids_in(const struct batch *b, struct store *s, const char *source,
                                   const char *id, int64_t max_seq, logged_fn *fn, void *arg,
                                   struct err *err)
{
    const struct void_row *voids = b->voids.items;
    int shown;

    for (size_t i = 0; i < b->voids.count; i++) {
        if (voids[i].seq > max_seq || strcmp(voids[i].source, source) != 0 ||
            strcmp(voids[i].id, id) != 0)
            continue;
        enum err_code rc = show_one(&shown, s, voids[i].seq, fn, arg, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* The newest event that is certainly durable. */
static int64_t before_tail(const struct store *s)
{
    for (const struct batch *b = s->tail; b; b = b->next)
        if (b->events.count > 0)
            return ((const struct event_row *)b->events.items)[0].seq - 1;
    if (s->open && s->open->events.count > 0)
        return ((const struct event_row *)s->open->events.items)[0].seq - 1;
    return INT64_MAX;
}

enum err_code log_voids_of(struct store *s, const char *source, const char *id, int64_t max_seq,
                           logged_fn *fn, void *arg, struct err *err)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM event_void v JOIN event_row e ON e.seq = v.seq"
        " WHERE v.source = ?1 AND v.id = ?2 AND v.seq <= ?3 ORDER BY v.seq";
    int64_t durable = before_tail(s);
    sqlite3_stmt *st;

    if (s->mode != STORE_READ && !voided_has(s, source, id))
        return OK;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, source);
    bind_text(st, 2, id);
    sqlite3_bind_int64(st, 3, max_seq < durable ? max_seq : durable);
    rc = show(NULL, s, st, fn, arg, err);
    for (const struct batch *b = s->tail; rc == OK && b; b = b->next)
        rc = show_voids_in(b, s, source, id, max_seq, fn, arg, err);
    if (rc == OK && s->open)
        rc = show_voids_in(s->open, s, source, id, max_seq, fn, arg, err);
    return rc;
}

enum err_code log_touches(struct store *s, int64_t seq, subject_fn *fn, void *arg, struct err *err)
{
    const struct event_row *there = tail_event(s, seq);
    const char *touches = there ? there->touches : NULL, *subject;
    sqlite3_stmt *st = NULL;
    struct touch touch;
    bool row = false;

    enum err_code rc = there ? OK : select_event(&st, &row, s, seq, err);
    if (rc == OK && row)
        touches = column_text(st, TOUCHES_COLUMN);
    while (rc == OK && touch_next(&touch, &touches)) {
        rc = dict_text(&subject, s, DICT_SUBJECT, touch.subject, err);
        if (rc == OK)
            fn(subject, arg);
    }
    if (st)
        stmt_done(st);
    return rc;
}
