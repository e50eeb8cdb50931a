/* meta.c - see meta.h. Read from the database, written with the batch that is open. */
#include "store/meta.h"

#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

enum err_code meta_put(struct store *s, const char *key, const char *text, struct err *err)
{
    struct arena *arena = &s->open->arena;
    struct meta_row *row = rows_add(&s->open->metas, sizeof(*row));
    const char *own_key = arena_strdup(arena, key);
    const char *own_text = text ? arena_strdup(arena, text) : NULL;

    if (!row || !own_key || (text && !own_text))
        return store_no_memory(s, "keep a note about the database", err);
    *row = (struct meta_row){ own_key, own_text };
    return OK;
}

enum err_code meta_get(char **out, struct store *s, const char *key, struct err *err)
{
    static const char SQL[] = "SELECT CAST(value AS TEXT) FROM meta WHERE key = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = NULL;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, key);
    rc = stmt_row(&row, s, st, "read a note about the database", err);
    if (rc != OK || !row)
        return rc;
    *out = strdup(column_text(st, 0));
    stmt_done(st);
    return *out ? OK : store_no_memory(s, "read a note about the database", err);
}

enum err_code meta_each(struct store *s, const char *prefix, meta_fn *fn, void *arg,
                        struct err *err)
{
    static const char SQL[] = "SELECT key, CAST(value AS TEXT) FROM meta"
                              " WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, prefix);
    while ((rc = stmt_row(&row, s, st, "read notes about the database", err)) == OK && row) {
        rc = fn(column_text(st, 0), column_text(st, 1), arg, err);
        if (rc != OK) {
            stmt_done(st);
            break;
        }
    }
    return rc;
}
