/* transaction.c - see store.h. What the store keeps in memory about the end of the log follows. */
#include "store/internal.h"

#include <assert.h>
#include <string.h>

enum err_code store_begin(struct store *s, struct err *err)
{
    static const char SQL[] = "BEGIN IMMEDIATE";
    sqlite3_stmt *st;

    assert(!s->is_writing && !s->snapshots && s->mode != STORE_READ);
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_run(s, st, "begin to write", err);
    if (rc != OK)
        return rc;
    s->is_writing = true;
    s->is_broken = false;
    s->saved_seq = s->last_seq;
    memcpy(s->saved_hash, s->last_hash, DIGEST_BYTES);
    return OK;
}

/* Erased bytes live on in the WAL until it is reset. A reader may be in the way: then the next
 * commit tries again, rather than keep everybody waiting. */
static void scrub(struct store *s)
{
    sqlite3_busy_timeout(s->db, 0);
    if (sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
        SQLITE_OK)
        s->has_erased = false;
    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
}

enum err_code store_commit(struct store *s, struct err *err)
{
    static const char SQL[] = "COMMIT";
    sqlite3_stmt *st;

    assert(s->is_writing);
    enum err_code rc = dict_flush(s, err);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_run(s, st, "commit", err);
    if (rc != OK) {
        store_rollback(s);
        return rc;
    }
    s->is_writing = false;
    dict_committed(s);
    if (s->has_erased)
        scrub(s);
    return OK;
}

void store_rollback(struct store *s)
{
    assert(s->is_writing);
    s->is_writing = false;
    s->is_broken = false;
    /* SQLite has already rolled back by itself after some errors. It can fail at this only when it
     * has; what was not committed is then gone in any case. */
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->last_seq = s->saved_seq;
    memcpy(s->last_hash, s->saved_hash, DIGEST_BYTES);
    dict_rolled_back(s);
}

enum err_code store_snapshot(struct store *s, struct err *err)
{
    static const char BEGIN[] = "BEGIN";
    static const char TOUCH[] = "SELECT max(seq) FROM event_row";
    sqlite3_stmt *st;
    int64_t seq;

    /* A write transaction sees one state as it is. */
    if (s->snapshots || s->is_writing) {
        s->snapshots++;
        return OK;
    }
    enum err_code rc = stmt_get(&st, s, BEGIN, err);
    if (rc == OK)
        rc = stmt_run(s, st, "begin to read", err);
    if (rc != OK)
        return rc;
    s->snapshots++;
    rc = stmt_int(&seq, s, TOUCH, 0, "begin to read",
                  err); /* the state is fixed by the first read */
    if (rc != OK)
        store_snapshot_end(s);
    return rc;
}

void store_snapshot_end(struct store *s)
{
    assert(s->snapshots > 0);
    if (--s->snapshots == 0 && !s->is_writing && !sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
}
