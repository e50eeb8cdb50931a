/* personal.c - see personal.h. Each write is a transaction of its own. */
#include "store/personal.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

/* A statement of its own transaction, on the connection that writes. */
static enum err_code begin(sqlite3_stmt **st, struct store **w, struct store *s, const char *sql,
                           struct err *err)
{
    enum err_code rc = writing_store(w, s, err);

    if (rc == OK)
        rc = sql_begin(*w, err);
    if (rc != OK)
        return rc;
    rc = stmt_get(st, *w, sql, err);
    return rc == OK ? OK : sql_end(*w, rc, err);
}

/* Run it and end the transaction. `erased` NULL: it puts; else it deletes, and ERR_ABSENT says that
 * nothing was there of this. What is replaced or deleted must leave the file. */
static enum err_code end(struct store *w, sqlite3_stmt *st, const char *erased, struct err *err)
{
    enum err_code rc = stmt_run(w, st, erased ? "erase" : "keep a person", err);

    if (rc == OK && erased && sqlite3_changes(w->db) == 0)
        rc = err_set(err, ERR_ABSENT, "nothing is kept for %s", erased);
    w->is_erasing = w->is_erasing || rc == OK;
    return sql_end(w, rc, err);
}

enum err_code person_put(struct store *s, const char *key, const char *details, struct err *err)
{
    static const char SQL[] = "INSERT INTO personal (key, details) VALUES (?1, ?2)"
                              " ON CONFLICT DO UPDATE SET details = excluded.details";
    sqlite3_stmt *st;
    struct store *w;

    enum err_code rc = begin(&st, &w, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, key);
    bind_text(st, 2, details);
    return end(w, st, NULL, err);
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
    struct store *w;

    sqlite3_snprintf(sizeof(what), what, "person '%s'", key);
    enum err_code rc = begin(&st, &w, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, key);
    return end(w, st, what, err);
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
    struct store *w;

    sqlite3_snprintf(sizeof(what), what, "the notes of event %lld", (long long)seq);
    enum err_code rc = begin(&st, &w, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    return end(w, st, what, err);
}
