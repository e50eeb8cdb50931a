/* token.c - see token.h. Each write is a transaction of its own. */
#include "store/token.h"

#include <string.h>

#include "base/civil.h"
#include "base/text.h"
#include "store/internal.h"

#define NAMES_MAX 500 /* to find the nearest among */

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

static void bind_instant(sqlite3_stmt *st, int at, int64_t t)
{
    if (t == TIME_NEVER)
        sqlite3_bind_null(st, at);
    else
        sqlite3_bind_int64(st, at, t);
}

static int64_t column_instant(sqlite3_stmt *st, int at)
{
    return sqlite3_column_type(st, at) == SQLITE_NULL ? TIME_NEVER : sqlite3_column_int64(st, at);
}

enum err_code token_put(struct store *s, const struct token *t, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO token (name, hash, scopes, hubs, created, expires) VALUES"
        " (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING";
    sqlite3_stmt *st;
    struct store *w;

    enum err_code rc = begin(&st, &w, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, t->name);
    sqlite3_bind_blob(st, 2, t->digest, DIGEST_BYTES, SQLITE_STATIC);
    bind_text(st, 3, t->scopes);
    bind_text(st, 4, t->hubs);
    sqlite3_bind_int64(st, 5, t->created);
    bind_instant(st, 6, t->expires);
    rc = stmt_run(w, st, "keep a token", err);
    if (rc == OK && sqlite3_changes(w->db) == 0)
        rc = err_set(err, ERR_CONFLICT,
                     "there is, or was, a token '%s'; names are not given twice, since events "
                     "tell who sent them by it",
                     t->name);
    return sql_end(w, rc, err);
}

enum err_code token_each(struct store *s, token_fn *fn, void *arg, struct err *err)
{
    static const char SQL[] = "SELECT name, hash, scopes, hubs, created, expires, revoked"
                              " FROM token ORDER BY name";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_row(&row, s, st, "read the tokens", err);
    while (rc == OK && row) {
        struct token t = { .name = column_text(st, 0),
                           .scopes = column_text(st, 2),
                           .hubs = column_text(st, 3),
                           .created = sqlite3_column_int64(st, 4),
                           .expires = column_instant(st, 5),
                           .revoked = column_instant(st, 6) };
        const void *hash = sqlite3_column_blob(st, 1);
        if (hash && sqlite3_column_bytes(st, 1) == DIGEST_BYTES) /* else it lets nobody in */
            memcpy(t.digest, hash, DIGEST_BYTES);
        rc = t.name && t.scopes ? fn(&t, arg, err) : store_no_memory(s, "read the tokens", err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read the tokens", err);
    }
    if (rc != OK && st)
        stmt_done(st);
    return rc;
}

struct search {
    const char *name;
    bool is_found, is_revoked;
    struct buf names; /* each followed by a NUL */
    size_t count;
};

static enum err_code look(const struct token *t, void *arg, struct err *err)
{
    struct search *search = arg;

    (void)err;
    if (strcmp(t->name, search->name) == 0) {
        search->is_found = true;
        search->is_revoked = t->revoked != TIME_NEVER;
    }
    if (search->count < NAMES_MAX) {
        buf_add(&search->names, t->name, strlen(t->name) + 1);
        search->count++;
    }
    return OK;
}

static enum err_code no_such(const struct search *search, struct err *err)
{
    const char *names[NAMES_MAX], *at = buf_cstr(&search->names);
    char hint[160];

    for (size_t i = 0; i < search->count; i++, at += strlen(at) + 1)
        names[i] = at;
    return err_set(err, ERR_ABSENT, "there is no token '%s'%s", search->name,
                   text_hint(hint, sizeof(hint), search->name, names,
                             search->names.failed ? 0 : search->count));
}

enum err_code token_revoke(struct store *s, const char *name, int64_t now, struct err *err)
{
    static const char SQL[] = "UPDATE token SET revoked = ?2 WHERE name = ?1";
    struct search search = { .name = name };
    sqlite3_stmt *st;
    struct store *w;

    enum err_code rc = token_each(s, look, &search, err);
    if (rc == OK && !search.is_found)
        rc = no_such(&search, err);
    else if (rc == OK && search.is_revoked)
        rc = err_set(err, ERR_CONFLICT, "the token '%s' was revoked before", name);
    buf_fini(&search.names);
    if (rc == OK)
        rc = begin(&st, &w, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, name);
    sqlite3_bind_int64(st, 2, now);
    return sql_end(w, stmt_run(w, st, "revoke a token", err), err);
}
