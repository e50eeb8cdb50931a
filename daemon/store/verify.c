/* verify.c - see log.h. The hash chain covers what was sent; that the columns read by queries
 * say the same is checked against the body, and that the file is sound by SQLite itself. */
#include "store/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/civil.h"
#include "base/json.h"
#include "store/internal.h"

struct chain {
    struct store *s;
    struct arena arena;
    uint8_t hash[DIGEST_BYTES];
    int64_t seq, recorded;
};

static enum err_code column_agrees(struct store *s, int64_t seq, const struct json *body,
                                   const char *name, const char *column, struct err *err)
{
    const struct json *member = json_get(body, name);
    char brief[80];

    if (column ? json_is_string(member, column) : !member)
        return OK;
    return err_set(err, ERR_CONFLICT,
                   "%s: event %lld was changed: its column %s says '%s', its body "
                   "%s; restore a backup",
                   s->path, (long long)seq, name, column ? column : "nothing",
                   json_brief(member, brief, sizeof(brief)));
}

static enum err_code time_agrees(struct store *s, const struct logged *e, const struct json *body,
                                 struct err *err)
{
    const struct json *member = json_get(body, "time");
    char text[TIME_TEXT];
    int64_t time;

    if (member && member->type == JSON_STRING &&
        time_parse(&time, member->as.string, member->len, NULL) == OK && time == e->time)
        return OK;
    return err_set(err, ERR_CONFLICT,
                   "%s: event %lld was changed: its column time says %s, its body "
                   "another time; restore a backup",
                   s->path, (long long)e->seq, time_text(e->time, text));
}

static enum err_code columns_agree(struct chain *c, const struct logged *e, struct err *err)
{
    const struct json *body;

    arena_reset(&c->arena);
    enum err_code rc = json_parse(&body, &c->arena, e->body, e->body_len, 1000, err);
    if (rc != OK)
        return err_set(err, ERR_CONFLICT,
                       "%s: event %lld was changed: its body is not JSON; "
                       "restore a backup",
                       c->s->path, (long long)e->seq);
    rc = column_agrees(c->s, e->seq, body, "source", e->source, err);
    if (rc == OK)
        rc = column_agrees(c->s, e->seq, body, "id", e->id, err);
    if (rc == OK)
        rc = column_agrees(c->s, e->seq, body, "type", e->type, err);
    if (rc == OK)
        rc = column_agrees(c->s, e->seq, body, "subject", e->subject, err);
    if (rc == OK)
        rc = column_agrees(c->s, e->seq, body, "sequence", e->sequence, err);
    if (rc == OK)
        rc = time_agrees(c->s, e, body, err);
    return rc;
}

/* What the database keeps of an event besides what a scan shows. */
static enum err_code stored_hash(uint8_t hash[DIGEST_BYTES], struct store *s, int64_t seq,
                                 struct err *err)
{
    static const char SQL[] = "SELECT hash FROM event_row WHERE seq = ?1";
    sqlite3_stmt *st;
    bool row;

    memset(hash, 0, DIGEST_BYTES);
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    rc = stmt_row(&row, s, st, "verify the log", err);
    if (rc == OK && row && sqlite3_column_bytes(st, 0) == DIGEST_BYTES)
        memcpy(hash, sqlite3_column_blob(st, 0), DIGEST_BYTES);
    stmt_done(st);
    return rc;
}

static enum err_code check_event(const struct logged *e, void *arg, struct err *err)
{
    struct chain *c = arg;
    uint8_t stored[DIGEST_BYTES], hash[DIGEST_BYTES];

    if (e->seq != c->seq + 1)
        return err_set(err, ERR_CONFLICT,
                       "%s: event %lld is missing: %lld stands in its place; "
                       "restore a backup",
                       c->s->path, (long long)c->seq + 1, (long long)e->seq);
    enum err_code rc = stored_hash(stored, c->s, e->seq, err);
    if (rc != OK)
        return rc;
    log_hash(hash, c->hash, e->recorded, e->actor, e->body, e->body_len);
    if (memcmp(hash, stored, DIGEST_BYTES) != 0)
        return err_set(err, ERR_CONFLICT,
                       "%s: event %lld does not fit its hash: it, or one before "
                       "it, was changed; restore a backup",
                       c->s->path, (long long)e->seq);
    if (e->recorded < c->recorded)
        return err_set(err, ERR_CONFLICT,
                       "%s: event %lld is recorded before the one ahead of it; "
                       "restore a backup",
                       c->s->path, (long long)e->seq);
    c->seq = e->seq;
    c->recorded = e->recorded;
    memcpy(c->hash, hash, DIGEST_BYTES);
    return columns_agree(c, e, err);
}

/* Pages, and indexes: a query by a damaged one finds other rows than a scan. */
static enum err_code check_file(struct store *s, struct err *err)
{
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, "PRAGMA integrity_check(1)", err);
    if (rc == OK)
        rc = stmt_row(&row, s, st, "check the file", err);
    if (rc != OK)
        return rc;
    const char *found = row ? column_text(st, 0) : NULL;
    if (found && strcmp(found, "ok") != 0)
        rc = err_set(err, ERR_CONFLICT, "%s: the file is damaged: %.150s; restore a backup",
                     s->path, found);
    stmt_done(st);
    return rc;
}

/* The keys that events `first` to `last` have, sorted. */
static enum err_code keys_of_events(uint64_t *out, struct store *s, int64_t first, int64_t last,
                                    struct err *err)
{
    static const char SQL[] = "SELECT seq, source, id FROM event_row WHERE seq >= ?1 AND seq <= ?2";
    const char *source;
    sqlite3_stmt *st;
    size_t n = 0;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, first);
    sqlite3_bind_int64(st, 2, last);
    while ((rc = stmt_row(&row, s, st, "verify the keys of events", err)) == OK && row) {
        rc = dict_text(&source, s, DICT_SOURCE, sqlite3_column_int64(st, 1), err);
        if (rc != OK)
            break;
        out[n++] = keys_key(s, source, column_text(st, 2), sqlite3_column_int64(st, 0));
    }
    stmt_done(st);
    qsort(out, n, sizeof(*out), keys_compare);
    return rc;
}

static enum err_code check_run(struct chain *c, sqlite3_stmt *st, int64_t *next, struct err *err)
{
    int64_t first = sqlite3_column_int64(st, 0), last = sqlite3_column_int64(st, 1);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 2);
    bool fits = first == *next && last >= first && last <= c->seq &&
                bytes == (size_t)(last - first + 1) * sizeof(uint64_t);
    uint64_t *keys = fits ? malloc(bytes) : NULL;
    enum err_code rc = OK;

    if (fits && !keys)
        return store_no_memory(c->s, "verify the keys of events", err);
    if (fits)
        rc = keys_of_events(keys, c->s, first, last, err);
    fits = fits && memcmp(keys, sqlite3_column_blob(st, 2), bytes) == 0;
    free(keys);
    *next = last + 1;
    if (rc == OK && !fits)
        rc = err_set(err, ERR_CONFLICT,
                     "%s: the row of event_key for events from %lld on, by which duplicates are "
                     "found, is not what those events have; restore a backup",
                     c->s->path, (long long)first);
    return rc;
}

static enum err_code check_keys(struct chain *c, struct err *err)
{
    static const char SQL[] = "SELECT first, last, keys FROM event_key ORDER BY first";
    int64_t next = 1;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, c->s, SQL, err);
    if (rc != OK)
        return rc;
    while ((rc = stmt_row(&row, c->s, st, "verify the keys of events", err)) == OK && row)
        if ((rc = check_run(c, st, &next, err)) != OK)
            break;
    stmt_done(st);
    return rc;
}

/* The chain alone cannot miss its own end; the list of commits does. */
static enum err_code check_end(struct chain *c, struct err *err)
{
    static const char SQL[] = "SELECT max(last) FROM event_commit_row WHERE last >= first";
    int64_t last;

    enum err_code rc = stmt_int(&last, c->s, SQL, 0, "verify the commits", err);
    if (rc == OK && last > c->seq)
        rc = err_set(err, ERR_CONFLICT,
                     "%s: event %lld is missing: the log ends at %lld, the list "
                     "of commits at %lld; restore a backup",
                     c->s->path, (long long)c->seq + 1, (long long)c->seq, (long long)last);
    return rc;
}

enum err_code log_verify(int64_t *checked, struct store *s, struct err *err)
{
    struct chain c = { .s = s, .recorded = INT64_MIN };

    enum err_code rc = store_snapshot(s, err);
    if (rc == OK) {
        rc = check_file(s, err);
        if (rc == OK)
            rc = log_scan(s, 0, INT64_MAX, check_event, &c, err);
        if (rc == OK)
            rc = check_end(&c, err);
        if (rc == OK)
            rc = check_keys(&c, err);
        store_snapshot_end(s);
    }
    arena_fini(&c.arena);
    *checked = c.seq;
    return rc;
}
