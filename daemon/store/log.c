/* log.c - see log.h. Appending; the end of the log is kept in memory, see struct store. */
#include "store/log.h"

#include <assert.h>
#include <string.h>

#include "store/internal.h"

static enum err_code load_last_event(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT seq, hash FROM event_row ORDER BY seq DESC LIMIT 1";
    sqlite3_stmt *st;
    bool row;

    s->last_seq = 0;
    memset(s->last_hash, 0, DIGEST_BYTES);
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

enum err_code log_load_end(struct store *s, struct err *err)
{
    static const char COMMIT[] = "SELECT max(number) FROM event_commit_row";
    static const char RECORDED[] =
        "SELECT recorded FROM event_commit_row ORDER BY number DESC LIMIT 1";
    static const char CHANGE[] = "SELECT max(seq) FROM change_row";

    enum err_code rc = load_last_event(s, err);
    if (rc == OK)
        rc = stmt_int(&s->last_commit, s, COMMIT, 0, "read the last commit", err);
    if (rc == OK)
        rc = stmt_int(&s->last_recorded, s, RECORDED, INT64_MIN, "read the last commit", err);
    if (rc == OK)
        rc = stmt_int(&s->last_change, s, CHANGE, 0, "find the end of the feed", err);
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

static bool is_body(const struct event *e, const char *body, size_t len)
{
    return len == e->body_len && memcmp(body, e->body, len) == 0;
}

/* The event already there under this key: the same content, or another? */
static enum err_code compare(enum append_status *out, struct store *s, int64_t seq,
                             const struct event *e, struct err *err)
{
    static const char SQL[] = "SELECT body FROM event_row WHERE seq = ?1";
    const struct event_row *there = tail_event(s, seq);
    sqlite3_stmt *st;
    bool row;

    if (there) {
        *out = is_body(e, there->body, there->body_len) ? APPEND_DUPLICATE : APPEND_CONFLICT;
        return OK;
    }
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
    else if (is_body(e, body, (size_t)sqlite3_column_bytes(st, 0)))
        *out = APPEND_DUPLICATE;
    else
        *out = APPEND_CONFLICT;
    stmt_done(st);
    return rc;
}

static const char *keep(struct store *s, const char *text, bool *ok)
{
    const char *copy = text ? arena_strdup(&s->open->arena, text) : NULL;
    *ok = *ok && (copy || !text);
    return copy;
}

static enum err_code add_event(struct store *s, const struct event *e, int64_t seq,
                               int64_t recorded, const char *actor, int64_t source, struct err *err)
{
    struct dict_entry *type, *subject;
    bool ok = true;

    enum err_code rc = dict_intern(&type, s, DICT_TYPE, e->type, err);
    if (rc == OK)
        rc = dict_intern(&subject, s, DICT_SUBJECT, e->subject, err);
    if (rc != OK)
        return rc;
    struct event_row *row = rows_add(&s->open->events, sizeof(*row));
    if (row)
        *row = (struct event_row){
            .seq = seq,
            .time = e->time,
            .recorded = recorded,
            .source = source,
            .type = type->id,
            .subject = subject->id,
            .id = keep(s, e->id, &ok),
            .sequence = keep(s, e->sequence, &ok),
            .actor = keep(s, actor, &ok),
            .body = arena_copy(&s->open->arena, e->body, e->body_len),
            .body_len = e->body_len,
        };
    return row && ok && row->body ? OK : store_no_memory(s, "append an event", err);
}

/* One link in the chain of each subject that the event touches. */
static enum err_code add_touches(struct store *s, const struct event *e, int64_t seq,
                                 struct err *err)
{
    struct event_row *row = (struct event_row *)s->open->events.items + s->open->events.count - 1;
    struct dict_entry *subject;
    struct subject_row *unsaved;

    buf_reset(&s->touches);
    for (uint32_t i = 0; i < e->touch_count; i++) {
        enum err_code rc = dict_intern(&subject, s, DICT_SUBJECT, e->touches[i], err);
        if (rc == OK && subject->head == seq) /* a repeat would link the event to itself */
            continue;
        if (rc == OK)
            rc = behind_change(&unsaved, s, subject, err);
        if (rc != OK)
            return rc;
        if (!subject->head)
            subject->first = seq;
        touch_add(&s->touches, &(struct touch){ subject->id, subject->head });
        subject->head = seq;
    }
    touch_end(&s->touches);
    if (!s->touches.failed)
        row->touches = arena_copy(&s->open->arena, s->touches.data, s->touches.len);
    return row->touches ? OK : store_no_memory(s, "append what an event touches", err);
}

static enum err_code add_void(struct store *s, int64_t seq, const char *source, const char *id,
                              struct err *err)
{
    struct void_row *row = rows_add(&s->open->voids, sizeof(*row));
    bool ok = row != NULL;

    if (ok)
        *row = (struct void_row){ seq, keep(s, source, &ok), keep(s, id, &ok) };
    return ok ? voided_add(s, source, id, err) : store_no_memory(s, "append a void", err);
}

enum err_code log_append(enum append_status *out, int64_t *seq, struct store *s,
                         const struct event *e, int64_t recorded, const char *actor,
                         const char *target_source, const char *target_id, struct err *err)
{
    struct dict_entry *source;
    int64_t next = s->last_seq + 1;

    assert(s->open);
    *out = APPEND_ACCEPTED;
    *seq = 0;
    if (next > SEQ_MAX)
        return err_set(err, ERR_LIMIT, "a log holds at most %lld events", (long long)SEQ_MAX);
    uint32_t hash = keys_hash(s, e->source, e->id);
    enum err_code rc = dict_intern(&source, s, DICT_SOURCE, e->source, err);
    if (rc == OK)
        rc = keys_find(seq, s, hash, source->id, e->id, err);
    if (rc == OK && *seq)
        return compare(out, s, *seq, e, err);
    if (rc == OK)
        rc = add_event(s, e, next, recorded, actor, source->id, err);
    if (rc == OK)
        rc = keys_add(s, hash, next, err);
    if (rc == OK)
        rc = add_touches(s, e, next, err);
    if (rc == OK && target_source && target_id)
        rc = add_void(s, next, target_source, target_id, err);
    if (rc != OK)
        return rc;
    s->last_seq = next;
    *seq = next;
    return OK;
}

enum err_code log_add_succession(struct store *s, int64_t seq, const char *predecessor,
                                 const char *successor, struct err *err)
{
    struct dict_entry *from, *to;

    enum err_code rc = dict_intern(&from, s, DICT_SUBJECT, predecessor, err);
    if (rc == OK)
        rc = dict_intern(&to, s, DICT_SUBJECT, successor, err);
    if (rc != OK)
        return rc;
    struct succession_row *row = rows_add(&s->open->successions, sizeof(*row));
    if (!row)
        return store_no_memory(s, "append a succession", err);
    *row = (struct succession_row){ seq, from->id, to->id };
    return successor_add(s, seq, from, to, err);
}

enum err_code log_add_note(struct store *s, int64_t seq, const char *path, const char *text,
                           struct err *err)
{
    struct note_row *row = rows_add(&s->open->notes, sizeof(*row));
    bool ok = row != NULL;

    if (ok)
        *row = (struct note_row){ seq, keep(s, path, &ok), keep(s, text, &ok) };
    return ok ? OK : store_no_memory(s, "keep a note", err);
}

int64_t log_recorded_time(const struct store *s, int64_t now)
{
    return s->last_recorded < now ? now : s->last_recorded;
}

enum err_code log_add_commit(int64_t *commit, struct store *s, int64_t first, int64_t last,
                             int64_t recorded, int64_t generation, const char *judged,
                             struct err *err)
{
    struct commit_row *row = &s->open->commit;
    bool ok = true;

    *commit = 0;
    assert(!row->number);
    if (recorded < s->last_recorded)
        return err_set(err, ERR_CONFLICT,
                       "%s: a commit recorded at %lld stands before the last one, "
                       "at %lld; recorded time must not run backwards",
                       s->path, (long long)recorded, (long long)s->last_recorded);
    *row = (struct commit_row){ s->last_commit + 1, first,      last,
                                recorded,           generation, keep(s, judged, &ok) };
    if (!ok)
        return store_no_memory(s, "list a commit", err);
    s->last_commit = row->number;
    s->last_recorded = recorded;
    *commit = row->number;
    return OK;
}
