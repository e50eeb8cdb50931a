/* personal.c - see personal.h. Each write works alone too, outside a transaction of the caller. */
#include "store/personal.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

/* Begin, unless the caller has. */
static enum err_code enter(bool *is_own, struct store *s, struct err *err)
{
    *is_own = !s->is_writing;
    return *is_own ? store_begin(s, err) : OK;
}

static enum err_code leave(bool is_own, struct store *s, enum err_code rc, struct err *err)
{
    if (is_own && rc == OK)
        return store_commit(s, err);
    if (is_own)
        store_rollback(s);
    return rc;
}

/* Run a bound statement that deletes. ERR_ABSENT: there was nothing; `what` says of what. */
static enum err_code erase(struct store *s, sqlite3_stmt *st, const char *what, struct err *err)
{
    enum err_code rc = stmt_run(s, st, "erase", err);

    if (rc == OK && sqlite3_changes(s->db) == 0)
        return err_set(err, ERR_ABSENT, "nothing is kept for %s", what);
    if (rc == OK)
        s->has_erased = true;
    return rc;
}

enum err_code person_put(struct store *s, const char *key, const char *details, struct err *err)
{
    static const char SQL[] = "INSERT INTO personal (key, details) VALUES (?1, ?2)"
                              " ON CONFLICT DO UPDATE SET details = excluded.details";
    sqlite3_stmt *st;
    bool is_own;

    enum err_code rc = enter(&is_own, s, err);
    if (rc != OK)
        return rc;
    rc = stmt_get_write(&st, s, SQL, err);
    if (rc == OK) {
        bind_text(st, 1, key);
        bind_text(st, 2, details);
        rc = stmt_run(s, st, "keep a person", err);
    }
    s->has_erased = s->has_erased || rc == OK; /* what it replaced is gone too */
    return leave(is_own, s, rc, err);
}

enum err_code person_get(char **out, struct store *s, const char *key, struct err *err)
{
    static const char SQL[] = "SELECT details FROM personal WHERE key = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = NULL;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, key);
    rc = stmt_row(&row, s, st, "read a person", err);
    if (rc != OK)
        return rc;
    if (!row)
        return err_set(err, ERR_ABSENT, "nothing is kept for person '%s'", key);
    const char *details = column_text(st, 0);
    *out = details ? strdup(details) : NULL;
    stmt_done(st);
    return *out ? OK : store_no_memory(s, "read a person", err);
}

enum err_code person_erase(struct store *s, const char *key, struct err *err)
{
    static const char SQL[] = "DELETE FROM personal WHERE key = ?1";
    char what[100];
    sqlite3_stmt *st;
    bool is_own;

    sqlite3_snprintf(sizeof(what), what, "person '%s'", key);
    enum err_code rc = enter(&is_own, s, err);
    if (rc != OK)
        return rc;
    rc = stmt_get_write(&st, s, SQL, err);
    if (rc == OK) {
        bind_text(st, 1, key);
        rc = erase(s, st, what, err);
    }
    return leave(is_own, s, rc, err);
}

enum err_code note_put(struct store *s, int64_t seq, const char *path, const char *text,
                       struct err *err)
{
    static const char SQL[] = "INSERT INTO note (seq, path, text) VALUES (?1, ?2, ?3)"
                              " ON CONFLICT DO UPDATE SET text = excluded.text";
    sqlite3_stmt *st;
    bool is_own;

    enum err_code rc = enter(&is_own, s, err);
    if (rc != OK)
        return rc;
    rc = stmt_get_write(&st, s, SQL, err);
    if (rc == OK) {
        sqlite3_bind_int64(st, 1, seq);
        bind_text(st, 2, path);
        bind_text(st, 3, text);
        rc = stmt_run(s, st, "keep a note", err);
    }
    return leave(is_own, s, rc, err);
}

enum err_code note_each(struct store *s, int64_t seq, note_fn *fn, void *arg, struct err *err)
{
    static const char SQL[] = "SELECT path, text FROM note WHERE seq = ?1 ORDER BY path";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    rc = stmt_row(&row, s, st, "read notes", err);
    while (rc == OK && row) {
        const char *path = column_text(st, 0), *text = column_text(st, 1);
        rc = path && text ? fn(path, text, arg, err) : store_no_memory(s, "read notes", err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read notes", err);
    }
    stmt_done(st);
    return rc;
}

enum err_code note_erase(struct store *s, int64_t seq, struct err *err)
{
    static const char SQL[] = "DELETE FROM note WHERE seq = ?1";
    char what[100];
    sqlite3_stmt *st;
    bool is_own;

    sqlite3_snprintf(sizeof(what), what, "the notes of event %lld", (long long)seq);
    enum err_code rc = enter(&is_own, s, err);
    if (rc != OK)
        return rc;
    rc = stmt_get_write(&st, s, SQL, err);
    if (rc == OK) {
        sqlite3_bind_int64(st, 1, seq);
        rc = erase(s, st, what, err);
    }
    return leave(is_own, s, rc, err);
}
