/* log.c - see log.h. Appending; the end of the log is kept in memory, see struct store. */
#include "store/log.h"

#include <assert.h>
#include <string.h>

#include "store/internal.h"

enum err_code log_load_end(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT seq, hash FROM event_row ORDER BY seq DESC LIMIT 1";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_row(&row, s, st, "find the end of the log", err);
    if (rc != OK || !row)
        return rc;
    s->last_seq = sqlite3_column_int64(st, 0);
    if (sqlite3_column_bytes(st, 1) != DIGEST_BYTES)
        rc = err_set(err, ERR_STORE,
                     "%s: event %lld has a hash of %d bytes, expected %d; restore a "
                     "backup",
                     s->path, (long long)s->last_seq, sqlite3_column_bytes(st, 1), DIGEST_BYTES);
    else
        memcpy(s->last_hash, sqlite3_column_blob(st, 1), DIGEST_BYTES);
    stmt_done(st);
    return rc;
}

void log_hash(uint8_t out[DIGEST_BYTES], const uint8_t before[DIGEST_BYTES], int64_t recorded,
              const char *actor, const char *body, size_t body_len)
{
    uint8_t time[8]; /* in one byte order, so that a database can move between machines */

    for (unsigned i = 0; i < sizeof(time); i++)
        time[i] = (uint8_t)((uint64_t)recorded >> (8 * i));
    const struct digest_part parts[] = {
        { before, DIGEST_BYTES },
        { time, sizeof(time) },
        { actor ? actor : "", actor ? strlen(actor) : 0 },
        { body, body_len },
    };
    digest_parts(out, NULL, parts, sizeof(parts) / sizeof(*parts));
}

/* The event already there under this key: the same content, or another? */
static enum err_code compare(enum append_status *out, struct store *s, int64_t seq,
                             const struct event *e, struct err *err)
{
    static const char SQL[] = "SELECT body FROM event_row WHERE seq = ?1";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    rc = stmt_row(&row, s, st, "compare with the event already there", err);
    if (rc != OK)
        return rc;
    const char *body = row ? column_text(st, 0) : NULL;
    if (!body)
        rc = store_no_memory(s, "compare with the event already there", err);
    else if (sqlite3_column_bytes(st, 0) == (int)e->body_len &&
             memcmp(body, e->body, e->body_len) == 0)
        *out = APPEND_DUPLICATE;
    else
        *out = APPEND_CONFLICT;
    stmt_done(st);
    return rc;
}

static enum err_code insert_event(struct store *s, const struct event *e, int64_t seq,
                                  int64_t recorded, const char *actor, int64_t source,
                                  struct err *err)
{
    static const char SQL[] =
        "INSERT INTO event_row (seq, time, recorded, source, id, type, subject, sequence, actor,"
        " body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    struct dict_entry *type, *subject;
    uint8_t hash[DIGEST_BYTES];
    sqlite3_stmt *st;

    enum err_code rc = dict_intern(&type, s, DICT_TYPE, e->type, err);
    if (rc == OK)
        rc = dict_intern(&subject, s, DICT_SUBJECT, e->subject, err);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    log_hash(hash, s->last_hash, recorded, actor, e->body, e->body_len);
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int64(st, 2, e->time);
    sqlite3_bind_int64(st, 3, recorded);
    sqlite3_bind_int64(st, 4, source);
    bind_text(st, 5, e->id);
    sqlite3_bind_int64(st, 6, type->id);
    sqlite3_bind_int64(st, 7, subject->id);
    bind_text(st, 8, e->sequence);
    bind_text(st, 9, actor);
    sqlite3_bind_text(st, 10, e->body, (int)e->body_len, SQLITE_STATIC);
    sqlite3_bind_blob(st, 11, hash, DIGEST_BYTES, SQLITE_STATIC);
    rc = stmt_run(s, st, "append an event", err);
    if (rc == OK)
        memcpy(s->last_hash, hash, DIGEST_BYTES);
    return rc;
}

/* One link in the chain of each subject that the event touches. */
static enum err_code insert_touches(struct store *s, const struct event *e, int64_t seq,
                                    struct err *err)
{
    static const char SQL[] =
        "INSERT INTO subject_event_row (row, subject, prev) VALUES (?1, ?2, nullif(?3, 0))";
    enum err_code rc = OK;

    for (uint32_t i = 0; rc == OK && i < e->touch_count; i++) {
        struct dict_entry *subject;
        sqlite3_stmt *st;

        rc = dict_intern(&subject, s, DICT_SUBJECT, e->touches[i], err);
        if (rc == OK)
            rc = stmt_get_write(&st, s, SQL, err);
        if (rc != OK || subject->head == seq) /* a repeat would link the event to itself */
            continue;
        sqlite3_bind_int64(st, 1, (seq << TOUCH_BITS) + i);
        sqlite3_bind_int64(st, 2, subject->id);
        sqlite3_bind_int64(st, 3, subject->head);
        rc = stmt_run(s, st, "append what an event touches", err);
        dict_change(s, subject);
        subject->head = seq;
        if (!subject->first)
            subject->first = seq;
    }
    return rc;
}

static enum err_code insert_void(struct store *s, int64_t seq, const char *source, const char *id,
                                 struct err *err)
{
    static const char SQL[] = "INSERT INTO event_void (seq, source, id) VALUES (?1, ?2, ?3)";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    bind_text(st, 2, source);
    bind_text(st, 3, id);
    return stmt_run(s, st, "append a void", err);
}

enum err_code log_append(enum append_status *out, int64_t *seq, struct store *s,
                         const struct event *e, int64_t recorded, const char *actor,
                         const char *target_source, const char *target_id, struct err *err)
{
    struct dict_entry *source;
    int64_t next = s->last_seq + 1;

    assert(s->is_writing);
    *out = APPEND_ACCEPTED;
    *seq = 0;
    if (e->touch_count > TOUCH_MAX || next > SEQ_MAX)
        return err_set(err, ERR_LIMIT,
                       "event %lld names %u subjects; a log holds %lld events of up to %d subjects",
                       (long long)next, e->touch_count, (long long)SEQ_MAX, TOUCH_MAX);
    uint32_t hash = keys_hash(s, e->source, e->id);
    enum err_code rc = dict_intern(&source, s, DICT_SOURCE, e->source, err);
    if (rc == OK)
        rc = keys_find(seq, s, hash, source->id, e->id, err);
    if (rc == OK && *seq)
        return compare(out, s, *seq, e, err);
    if (rc == OK)
        rc = insert_event(s, e, next, recorded, actor, source->id, err);
    if (rc == OK)
        rc = keys_add(s, hash, next, err);
    if (rc == OK)
        rc = insert_touches(s, e, next, err);
    if (rc == OK && target_source && target_id)
        rc = insert_void(s, next, target_source, target_id, err);
    if (rc != OK) {
        s->is_broken = true; /* half an event can only be rolled back */
        return rc;
    }
    s->last_seq = next;
    *seq = next;
    return OK;
}

static enum err_code last_recorded(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT recorded FROM event_commit_row ORDER BY number DESC LIMIT 1";
    return stmt_int(out, s, SQL, INT64_MIN, "read the last commit", err);
}

enum err_code log_recorded_time(int64_t *out, struct store *s, int64_t now, struct err *err)
{
    enum err_code rc = last_recorded(out, s, err);
    if (rc == OK && *out < now)
        *out = now;
    return rc;
}

enum err_code log_add_commit(int64_t *commit, struct store *s, int64_t first, int64_t last,
                             int64_t recorded, int64_t generation, struct err *err)
{
    static const char SQL[] = "INSERT INTO event_commit_row (first, last, recorded, generation)"
                              " VALUES (?1, ?2, ?3, ?4)";
    sqlite3_stmt *st;
    int64_t before;

    *commit = 0;
    enum err_code rc = last_recorded(&before, s, err);
    if (rc == OK && recorded < before)
        rc = err_set(err, ERR_CONFLICT,
                     "%s: a commit recorded at %lld stands before the last one, "
                     "at %lld; recorded time must not run backwards",
                     s->path, (long long)recorded, (long long)before);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, first);
    sqlite3_bind_int64(st, 2, last);
    sqlite3_bind_int64(st, 3, recorded);
    sqlite3_bind_int64(st, 4, generation);
    rc = stmt_run(s, st, "list a commit", err);
    if (rc == OK)
        *commit = sqlite3_last_insert_rowid(s->db);
    return rc;
}

enum err_code log_add_judged(struct store *s, int64_t commit, const char *subjects, struct err *err)
{
    static const char SQL[] = "INSERT INTO commit_judged (number, subjects) VALUES (?1, ?2)";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, commit);
    bind_text(st, 2, subjects);
    return stmt_run(s, st, "list what a commit judged", err);
}
