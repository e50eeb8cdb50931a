/* transaction.c - see store.h. A transaction is a batch of rows in memory until its end; SQLite's
 * own lasts only as long as they are being written. */
#include "store/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/check.h"

/* ---- SQLite's ---- */

enum err_code sql_begin(struct store *s, struct err *err)
{
    static const char SQL[] = "BEGIN IMMEDIATE";
    sqlite3_stmt *st;

    assert(!s->is_writing && !s->snapshots);
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_run(s, st, "begin to write", err);
    s->is_writing = rc == OK;
    s->is_broken = s->is_erasing = false;
    return rc;
}

enum err_code sql_end(struct store *s, enum err_code rc, struct err *err)
{
    static const char SQL[] = "COMMIT";
    sqlite3_stmt *st;

    assert(s->is_writing);
    /* After some errors SQLite rolls back by itself; a write would then commit on its own. */
    if (rc == OK && (s->is_broken || sqlite3_get_autocommit(s->db)))
        rc = err_set(err, ERR_STORE, "%s: this transaction has failed; send it again", s->path);
    if (rc == OK)
        rc = stmt_get(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_run(s, st, "commit", err);
    s->is_writing = s->is_broken = false;
    if (rc != OK) {
        if (!sqlite3_get_autocommit(s->db))
            sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        return rc;
    }
    if (s->is_erasing)
        scrub(s);
    return OK;
}

enum err_code writing_store(struct store **out, struct store *s, struct err *err)
{
    *out = s->writer ? writer_store(s->writer) : s;
    return store_drain(s, err);
}

/* ---- batches ---- */

static void recycle(struct store *s, struct batch *b)
{
    batch_reset(b);
    b->next = s->spare;
    s->spare = b;
}

/* Rows of subjects that are in their table now, and have not changed since, are not needed any
 * more. */
static void forget_rows(struct store *s, const struct batch *b)
{
    const struct subject_row *rows = b->subjects.items;

    for (size_t i = 0; i < b->subjects.count; i++)
        behind_written(s, rows[i].id, b->ticket);
}

/* Take batches that are durable off the tail. */
static void reap(struct store *s)
{
    int64_t durable = s->writer ? writer_durable(s->writer) : INT64_MAX;

    while (s->tail && s->tail->ticket <= durable) {
        struct batch *b = s->tail;
        s->tail = b->next;
        if (!s->tail)
            s->newest = NULL;
        forget_rows(s, b);
        recycle(s, b);
    }
}

enum err_code store_begin(struct store *s, struct err *err)
{
    assert(!s->open && !s->is_ahead && !s->snapshots && s->mode != STORE_READ);
    if (s->writer && writer_has_failed(s->writer))
        return store_drain(s, err);
    reap(s);
    s->open = s->spare;
    if (s->open)
        s->spare = s->open->next;
    else
        s->open = batch_new();
    if (!s->open)
        return store_no_memory(s, "begin to write", err);
    s->open->next = NULL;
    s->is_changed = false;
    return OK;
}

static enum err_code hand_over(struct store *s, struct batch *b, struct err *err)
{
    b->ticket = ++s->tickets;
    if (s->newest)
        s->newest->next = b;
    else
        s->tail = b;
    s->newest = b;
    if (s->writer) {
        writer_put(s->writer, b);
        return OK;
    }
    enum err_code rc = s->checker ? checker_take(s->checker, b, err) : batch_write(s, b, err);
    s->is_ahead = rc != OK;
    if (rc == OK)
        reap(s);
    return rc;
}

enum err_code store_commit(struct store *s, struct err *err)
{
    assert(s->open);
    enum err_code rc = behind_seal(s, false, err);
    struct batch *b = s->open;
    if (rc != OK) {
        store_rollback(s);
        s->is_ahead = true;
        return rc;
    }
    s->open = NULL;
    if (batch_is_empty(b)) {
        recycle(s, b);
        return OK;
    }
    return hand_over(s, b, err);
}

void store_rollback(struct store *s)
{
    assert(s->open);
    s->is_ahead = s->is_changed || !batch_is_empty(s->open);
    recycle(s, s->open);
    s->open = NULL;
}

bool store_is_behind(const struct store *s)
{
    return s->changed.count > 0 || s->is_sweeping;
}

enum err_code store_catch_up(struct store *s, bool all, struct err *err)
{
    enum err_code rc = store_begin(s, err);
    if (rc != OK)
        return rc;
    behind_begin_sweep(s);
    if (all)
        rc = behind_seal(s, true, err);
    if (rc == OK)
        return store_commit(s, err);
    store_rollback(s);
    s->is_ahead = true;
    return rc;
}

static const struct event_row *event_in(const struct batch *b, int64_t seq)
{
    const struct event_row *events = b->events.items;

    return b->events.count > 0 && seq >= events[0].seq &&
                   seq - events[0].seq < (int64_t)b->events.count
               ? &events[seq - events[0].seq]
               : NULL;
}

const struct event_row *tail_event(const struct store *s, int64_t seq)
{
    const struct event_row *found = s->open ? event_in(s->open, seq) : NULL;

    for (const struct batch *b = s->tail; b && !found; b = b->next)
        found = event_in(b, seq);
    return found;
}

/* ---- the writer's thread ---- */

enum err_code store_start_writer(struct store *s, store_durable_fn *done, void *arg,
                                 struct err *err)
{
    assert(s->mode == STORE_WRITE && !s->writer && !s->open);
    return writer_start(s, done, arg, err);
}

int64_t store_ticket(const struct store *s)
{
    return s->tickets > s->forgotten ? s->tickets : 0;
}

bool store_has_failed(const struct store *s)
{
    return s->writer && writer_has_failed(s->writer);
}

enum err_code store_drain(struct store *s, struct err *err)
{
    if (!s->writer)
        return OK;
    enum err_code rc = writer_drain(s->writer, err);
    if (rc == OK)
        reap(s);
    return rc;
}

static void free_batches(struct batch *b)
{
    for (struct batch *next; b; b = next) {
        next = b->next;
        batch_free(b);
    }
}

void store_free_batches(struct store *s)
{
    batch_free(s->open);
    free_batches(s->tail);
    free_batches(s->spare);
    s->open = s->tail = s->newest = s->spare = NULL;
}

enum err_code store_reload(struct store *s, struct err *err)
{
    struct err why; /* told already, when the commit failed */

    if (s->writer) {
        if (writer_drain(s->writer, &why) != OK)
            writer_recover(s->writer);
    }
    memory_fini(s);
    store_free_batches(s);
    s->forgotten = s->tickets;
    enum err_code rc = memory_load(s, err);
    if (rc == OK && s->writer)
        memcpy(writer_store(s->writer)->last_hash, s->last_hash, DIGEST_BYTES);
    s->is_ahead = rc != OK;
    return rc;
}

/* ---- reading ---- */

/* The state is fixed by the first read. Older schemas have no watermark. */
static enum err_code fix_state(struct store *s, struct err *err)
{
    static const char ANY[] = "SELECT 1 FROM sqlite_schema LIMIT 1";
    int64_t ignored;

    return s->mode == STORE_COPIES ? stmt_int(&ignored, s, ANY, 0, "begin to read", err)
                                   : watermark_load(s, err);
}

enum err_code store_snapshot(struct store *s, struct err *err)
{
    static const char BEGIN[] = "BEGIN";
    sqlite3_stmt *st;

    if (s->snapshots) {
        s->snapshots++;
        return OK;
    }
    enum err_code rc = stmt_get(&st, s, BEGIN, err);
    if (rc == OK)
        rc = stmt_run(s, st, "begin to read", err);
    if (rc != OK)
        return rc;
    s->snapshots++;
    rc = fix_state(s, err);
    if (rc != OK)
        store_snapshot_end(s);
    return rc;
}

void store_snapshot_end(struct store *s)
{
    assert(s->snapshots > 0);
    if (--s->snapshots == 0 && !sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
}
