/* stmt.c - see internal.h. Statements are found by the address of their SQL text. */
#include "store/internal.h"

#include <assert.h>

static unsigned slot_of(const char *sql)
{
    return (unsigned)(((uintptr_t)sql * 0x9E3779B97F4A7C15u) >> 40) & (STATEMENT_SLOTS - 1);
}

enum err_code stmt_get(sqlite3_stmt **out, struct store *s, const char *sql, struct err *err)
{
    *out = NULL;
    unsigned at = slot_of(sql);
    for (int i = 0; i < STATEMENT_SLOTS; i++, at = (at + 1) & (STATEMENT_SLOTS - 1)) {
        struct statement *slot = &s->statements[at];
        if (!slot->sql) {
            if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->st, NULL) !=
                SQLITE_OK)
                return store_fail(s, "prepare a statement", err);
            slot->sql = sql;
        }
        if (slot->sql == sql && !sqlite3_stmt_busy(slot->st)) {
            *out = slot->st;
            return OK;
        }
    }
    return err_set(err, ERR_LIMIT, "%s: more than %d reads inside one another", s->path,
                   STATEMENT_SLOTS);
}

void stmt_done(sqlite3_stmt *st)
{
    sqlite3_reset(st);
}

enum err_code stmt_run(struct store *s, sqlite3_stmt *st, const char *doing, struct err *err)
{
    enum err_code rc = OK;

    if (sqlite3_step(st) != SQLITE_DONE)
        rc = store_fail(s, doing, err);
    sqlite3_reset(st);
    return rc;
}

enum err_code stmt_row(bool *row, struct store *s, sqlite3_stmt *st, const char *doing,
                       struct err *err)
{
    enum err_code rc = OK;
    int step = sqlite3_step(st);

    *row = step == SQLITE_ROW;
    if (!*row) {
        if (step != SQLITE_DONE)
            rc = store_fail(s, doing, err);
        sqlite3_reset(st);
    }
    return rc;
}

enum err_code stmt_int(int64_t *out, struct store *s, const char *sql, int64_t none,
                       const char *doing, struct err *err)
{
    sqlite3_stmt *st;
    bool row;

    *out = none;
    enum err_code rc = stmt_get(&st, s, sql, err);
    if (rc == OK)
        rc = stmt_row(&row, s, st, doing, err);
    if (rc == OK && row && sqlite3_column_type(st, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(st, 0);
    stmt_done(st);
    return rc;
}

enum err_code store_exec(struct store *s, const char *sql, const char *doing, struct err *err)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_fail(s, doing, err);
    return OK;
}

void bind_text(sqlite3_stmt *st, int at, const char *text)
{
    sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

const char *column_text(sqlite3_stmt *st, int at)
{
    return (const char *)sqlite3_column_text(st, at);
}

enum err_code store_no_memory(struct store *s, const char *doing, struct err *err)
{
    s->is_broken = s->is_writing;
    return err_set(err, ERR_LIMIT, "%s: %s: no memory", s->path, doing);
}

enum err_code store_fail(struct store *s, const char *doing, struct err *err)
{
    int code = sqlite3_errcode(s->db);
    const char *said = sqlite3_errmsg(s->db);

    s->is_broken = s->is_writing;
    switch (code & 0xff) {
    case SQLITE_FULL:
        return err_set(err, ERR_LIMIT,
                       "%s: %s: the disk is full; nothing of this batch was kept. Free some space "
                       "on its disk and send it again",
                       s->path, doing);
    case SQLITE_NOMEM:
        return store_no_memory(s, doing, err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY,
                       "%s: %s: another program holds the database's lock (%s); close it, or try "
                       "again later",
                       s->path, doing, said);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return err_set(err, ERR_IO,
                       "%s: %s: %s; give this user the right to write the file and its folder",
                       s->path, doing, said);
    case SQLITE_NOTADB:
        return err_set(err, ERR_INPUT,
                       "%s: file is not a database; name a pathwayd database, or a new file",
                       s->path);
    case SQLITE_CORRUPT:
        return err_set(err, ERR_STORE,
                       "%s: %s: the database is damaged (%s); stop the daemon and restore a backup",
                       s->path, doing, said);
    default:
        return err_set(err, ERR_STORE, "%s: %s: %s (SQLite code %d)", s->path, doing, said, code);
    }
}
