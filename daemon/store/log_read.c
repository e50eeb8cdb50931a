/* log_read.c - see log.h. Reading: by number, by subject along its chain, by key. */
#include "store/log.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define COLUMNS                                                                                    \
    "e.seq, e.time, e.recorded, e.source, e.id, e.type, e.subject, e.sequence, e.actor, e.body"

enum err_code log_last_seq(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT max(seq) FROM event_row";

    *out = s->last_seq;
    return s->mode == STORE_READ ? stmt_int(out, s, SQL, 0, "find the end of the log", err) : OK;
}

enum err_code log_last_recorded(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT recorded FROM event_commit_row ORDER BY number DESC LIMIT 1";
    return stmt_int(out, s, SQL, INT64_MIN, "read the last commit", err);
}

enum err_code log_last_commit(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT max(number) FROM event_commit_row";
    return stmt_int(out, s, SQL, 0, "read the last commit", err);
}

enum err_code log_generation_of(int64_t *out, struct store *s, int64_t commit, struct err *err)
{
    static const char SQL[] = "SELECT generation FROM event_commit_row WHERE number = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = 0;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, commit);
    rc = stmt_row(&row, s, st, "read the commit list", err);
    if (rc == OK && row)
        *out = sqlite3_column_int64(st, 0);
    stmt_done(st);
    return rc;
}

int64_t log_commits(const struct store *s)
{
    return s->last_commit;
}

int64_t log_tip(const struct store *s)
{
    return s->last_seq;
}

int64_t log_changes(const struct store *s)
{
    return s->last_change;
}

static enum err_code recorded_of(int64_t *out, struct store *s, int64_t seq, struct err *err)
{
    static const char SQL[] = "SELECT recorded FROM event_row WHERE seq = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = INT64_MIN;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    rc = stmt_row(&row, s, st, "read an event", err);
    if (rc == OK && row)
        *out = sqlite3_column_int64(st, 0);
    stmt_done(st);
    return rc;
}

/* Numbers have no gaps and recorded times never fall, so halving needs no index. */
enum err_code log_seq_known_at(int64_t *out, struct store *s, int64_t known, struct err *err)
{
    int64_t high, at, low = 0;

    *out = 0;
    enum err_code rc = log_last_seq(&high, s, err);
    while (rc == OK && low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        rc = recorded_of(&at, s, middle, err);
        if (at <= known)
            low = middle;
        else
            high = middle - 1;
    }
    *out = low;
    return rc;
}

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

/* The touches of a scan: read in step with the events, as both tables lie in the same order. */
struct touches {
    sqlite3_stmt *st;
    bool row; /* st stands on a row that is not yet taken */
    const char **texts;
    uint32_t cap;
};

static enum err_code touches_start(struct touches *t, struct store *s, int64_t after,
                                   int64_t max_seq, struct err *err)
{
    static const char SQL[] = "SELECT row, subject FROM subject_event_row"
                              " WHERE row >= ?1 AND row < ?2 ORDER BY row";

    enum err_code rc = stmt_get(&t->st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(t->st, 1, (after + 1) << TOUCH_BITS);
    sqlite3_bind_int64(t->st, 2, (max_seq + 1) << TOUCH_BITS);
    return stmt_row(&t->row, s, t->st, "read what events touch", err);
}

static enum err_code touches_take(struct touches *t, struct store *s, struct logged *e,
                                  struct err *err)
{
    enum err_code rc = OK;

    e->touch_count = 0;
    while (rc == OK && t->row && sqlite3_column_int64(t->st, 0) >> TOUCH_BITS <= e->seq) {
        if (e->touch_count == t->cap) {
            uint32_t cap = t->cap ? 2 * t->cap : 32;
            const char **texts = realloc(t->texts, cap * sizeof(*texts));
            if (!texts)
                return store_no_memory(s, "read what events touch", err);
            t->texts = texts;
            t->cap = cap;
        }
        rc = dict_text(&t->texts[e->touch_count++], s, DICT_SUBJECT, sqlite3_column_int64(t->st, 1),
                       err);
        if (rc == OK)
            rc = stmt_row(&t->row, s, t->st, "read what events touch", err);
    }
    e->touches = t->texts;
    return rc;
}

struct scan {
    struct store *s;
    struct touches touches;
    logged_fn *fn;
    void *arg;
};

static enum err_code with_touches(const struct logged *e, void *arg, struct err *err)
{
    struct scan *scan = arg;
    struct logged full = *e;

    enum err_code rc = touches_take(&scan->touches, scan->s, &full, err);
    return rc == OK ? scan->fn(&full, scan->arg, err) : rc;
}

enum err_code log_scan(struct store *s, int64_t after, int64_t max_seq, logged_fn *fn, void *arg,
                       struct err *err)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM event_row e WHERE e.seq > ?1 AND e.seq <= ?2 ORDER BY e.seq";
    struct scan scan = { .s = s, .fn = fn, .arg = arg };
    sqlite3_stmt *st;

    if (max_seq > SEQ_MAX)
        max_seq = SEQ_MAX;
    if (after < 0)
        after = 0;
    if (after >= max_seq)
        return OK;
    enum err_code rc = store_snapshot(s, err); /* two statements must see one state */
    if (rc != OK)
        return rc;
    rc = touches_start(&scan.touches, s, after, max_seq, err);
    if (rc == OK)
        rc = stmt_get(&st, s, SQL, err);
    if (rc == OK) {
        sqlite3_bind_int64(st, 1, after);
        sqlite3_bind_int64(st, 2, max_seq);
        rc = show(NULL, s, st, with_touches, &scan, err);
    }
    stmt_done(scan.touches.st);
    free(scan.touches.texts);
    store_snapshot_end(s);
    return rc;
}

/* A reader's tables may lie behind the log: see what was appended since, once. */
static enum err_code catch_up_heads(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT row, subject FROM subject_event_row WHERE row >= ?1"
                              " ORDER BY row";
    struct dict_entry *entry;
    sqlite3_stmt *st;
    bool row;
    int64_t from = s->watermark.seq > s->heads_upto ? s->watermark.seq : s->heads_upto;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, (from + 1) << TOUCH_BITS);
    while ((rc = stmt_row(&row, s, st, "read what events touch", err)) == OK && row) {
        rc = dict_entry_of(&entry, s, DICT_SUBJECT, sqlite3_column_int64(st, 1), err);
        if (rc != OK)
            break;
        s->heads_upto = entry->head = sqlite3_column_int64(st, 0) >> TOUCH_BITS;
    }
    stmt_done(st);
    return rc;
}

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
    enum err_code rc = catch_up_heads(s, err);
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

static bool link_in_tail(int64_t *out, const struct store *s, int64_t subject, int64_t seq)
{
    const struct batch *in;
    const struct event_row *e = tail_event(&in, s, seq);

    *out = seq;
    for (uint32_t i = 0; e && i < e->touch_count; i++) {
        const struct touch_row *t =
            (const struct touch_row *)in->touches.items + e->first_touch + i;
        if (t->subject == subject)
            *out = t->prev;
    }
    return e != NULL;
}

static enum err_code link_in_database(int64_t *out, struct store *s, int64_t subject, int64_t seq,
                                      struct err *err)
{
    static const char SQL[] = "SELECT prev FROM subject_event_row"
                              " WHERE row >= ?1 AND row < ?2 AND subject = ?3";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq << TOUCH_BITS);
    sqlite3_bind_int64(st, 2, (seq + 1) << TOUCH_BITS);
    sqlite3_bind_int64(st, 3, subject);
    rc = stmt_row(&row, s, st, "follow a subject's chain", err);
    if (rc != OK)
        return rc;
    *out = row ? sqlite3_column_int64(st, 0) : seq;
    stmt_done(st);
    return OK;
}

/* The event before `seq` in a subject's chain; 0 when it is the first. */
static enum err_code link_before(int64_t *out, struct store *s, int64_t subject, int64_t seq,
                                 struct err *err)
{
    enum err_code rc =
        link_in_tail(out, s, subject, seq) ? OK : link_in_database(out, s, subject, seq, err);

    if (rc == OK && (*out < 0 || *out >= seq)) /* also ends a loop in a damaged chain */
        return err_set(err, ERR_STORE,
                       "%s: the chain of subject events is broken at event %lld; "
                       "restore a backup",
                       s->path, (long long)seq);
    return rc;
}

struct seqs {
    int64_t *items; /* newest first; owned */
    size_t count, cap;
};

static enum err_code walk_back(struct seqs *out, struct store *s, const struct dict_entry *subject,
                               int64_t max_seq, struct err *err)
{
    int64_t seq;

    enum err_code rc = head_of(&seq, s, subject, err);
    while (rc == OK && seq > 0) {
        if (out->count == out->cap) {
            size_t cap = out->cap ? 2 * out->cap : 64;
            int64_t *items = realloc(out->items, cap * sizeof(*items));
            if (!items)
                return store_no_memory(s, "follow a subject's chain", err);
            out->items = items;
            out->cap = cap;
        }
        if (seq <= max_seq)
            out->items[out->count++] = seq;
        rc = link_before(&seq, s, subject->id, seq, err);
    }
    return rc;
}

static enum err_code show_one(int *shown, struct store *s, int64_t seq, logged_fn *fn, void *arg,
                              struct err *err)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM event_row e WHERE e.seq = ?1";
    const struct batch *in;
    const struct event_row *there = tail_event(&in, s, seq);
    struct logged e;
    sqlite3_stmt *st;

    *shown = 0;
    if (there) {
        *shown = 1;
        enum err_code rc = fill_from_tail(&e, s, there, err);
        return rc == OK ? fn(&e, arg, err) : rc;
    }
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    return show(shown, s, st, fn, arg, err);
}

enum err_code log_scan_subject(struct store *s, const char *subject, int64_t max_seq, logged_fn *fn,
                               void *arg, struct err *err)
{
    struct dict_entry *entry;
    struct seqs seqs = { 0 };

    enum err_code rc = dict_find(&entry, s, DICT_SUBJECT, subject, err);
    if (rc != OK || !entry)
        return rc;
    rc = walk_back(&seqs, s, entry, max_seq, err);
    for (size_t i = seqs.count; rc == OK && i > 0; i--) {
        int shown;

        rc = show_one(&shown, s, seqs.items[i - 1], fn, arg, err);
        if (rc == OK && !shown)
            rc = err_set(err, ERR_STORE, "%s: event %lld is missing from the log; restore a backup",
                         s->path, (long long)seqs.items[i - 1]);
    }
    free(seqs.items);
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

bool log_is_named_by_void(const struct store *s, const char *source, const char *id)
{
    return voided_has(s, source, id);
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

enum err_code log_successors(struct store *s, const char *subject, successor_fn *fn, void *arg,
                             struct err *err)
{
    struct dict_entry *entry;

    enum err_code rc = dict_find(&entry, s, DICT_SUBJECT, subject, err);
    for (const struct successor *next = rc == OK && entry ? entry->successors : NULL;
         rc == OK && next; next = next->next)
        rc = fn(next->subject->text, arg, err);
    return rc;
}

static enum err_code touches_in_tail(const struct batch *in, struct store *s,
                                     const struct event_row *e, subject_fn *fn, void *arg,
                                     struct err *err)
{
    const char *subject;

    for (uint32_t i = 0; i < e->touch_count; i++) {
        const struct touch_row *t =
            (const struct touch_row *)in->touches.items + e->first_touch + i;
        enum err_code rc = dict_text(&subject, s, DICT_SUBJECT, t->subject, err);
        if (rc != OK)
            return rc;
        fn(subject, arg);
    }
    return OK;
}

enum err_code log_touches(struct store *s, int64_t seq, subject_fn *fn, void *arg, struct err *err)
{
    struct touches touches = { 0 };
    struct logged e = { .seq = seq };
    const struct batch *in;
    const struct event_row *there = tail_event(&in, s, seq);

    if (there)
        return touches_in_tail(in, s, there, fn, arg, err);
    if (seq < 1 || seq > SEQ_MAX)
        return OK;
    enum err_code rc = touches_start(&touches, s, seq - 1, seq, err);
    if (rc == OK)
        rc = touches_take(&touches, s, &e, err);
    stmt_done(touches.st);
    for (uint32_t i = 0; rc == OK && i < e.touch_count; i++)
        fn(e.touches[i], arg);
    free(touches.texts);
    return rc;
}

/* Their numbers follow the order in which they were met. */
enum err_code log_subjects(struct store *s, subject_fn *fn, void *arg, struct err *err)
{
    struct dict *d = &s->dicts[DICT_SUBJECT];

    if (s->mode == STORE_READ) {
        enum err_code rc = dict_load(s, DICT_SUBJECT, err);
        d->next_id = 0; /* a reader will see more of them */
        if (rc != OK)
            return rc;
    }
    for (int64_t id = 1; id < d->cap; id++)
        if (d->by_id[id])
            fn(d->by_id[id]->text, arg);
    return OK;
}

enum err_code log_scan_commits(struct store *s, int64_t after, logged_commit_fn *fn, void *arg,
                               struct err *err)
{
    static const char SQL[] =
        "SELECT c.number, c.first, c.last, c.recorded, c.generation, j.subjects"
        " FROM event_commit_row c LEFT JOIN commit_judged j ON j.number = c.number"
        " WHERE c.number > ?1 ORDER BY c.number";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, after);
    while ((rc = stmt_row(&row, s, st, "read the commit list", err)) == OK && row) {
        struct logged_commit c = {
            .number = sqlite3_column_int64(st, 0),
            .first = sqlite3_column_int64(st, 1),
            .last = sqlite3_column_int64(st, 2),
            .recorded = sqlite3_column_int64(st, 3),
            .generation = sqlite3_column_int64(st, 4),
            .judged = column_text(st, 5),
        };
        rc = fn(&c, arg, err);
        if (rc != OK) {
            stmt_done(st);
            break;
        }
    }
    return rc;
}
