/* pending.c - see derived.h. Empty but for moments: a subject stands here while much that came late is
 * being worked off. */
#include <stdlib.h>
#include <string.h>

#include "store/derived.h"
#include "store/internal.h"

enum err_code pending_add(struct store *s, const char *subject, const char *causes, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO pending (subject, causes) VALUES (?1, ?2)"
        " ON CONFLICT (subject) DO UPDATE SET causes = causes || ',' || excluded.causes";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, subject);
    bind_text(st, 2, causes);
    return stmt_run(s, st, "leave a subject for later", err);
}

static enum err_code causes_of(char **out, struct store *s, const char *subject, struct err *err)
{
    static const char SQL[] = "SELECT causes FROM pending WHERE subject = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = NULL;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, subject);
    rc = stmt_row(&row, s, st, "read why a subject was left for later", err);
    if (rc != OK || !row)
        return rc;
    *out = strdup(column_text(st, 0));
    stmt_done(st);
    return *out ? OK : store_no_memory(s, "read why a subject was left for later", err);
}

enum err_code pending_take(char **out, struct store *s, const char *subject, struct err *err)
{
    static const char SQL[] = "DELETE FROM pending WHERE subject = ?1";
    sqlite3_stmt *st;

    enum err_code rc = causes_of(out, s, subject, err);
    if (rc != OK || !*out)
        return rc;
    rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, subject);
    return stmt_run(s, st, "take up a subject that was left for later", err);
}

enum err_code pending_count(int64_t *out, struct store *s, struct err *err)
{
    return stmt_int(out, s, "SELECT count(*) FROM pending", 0, "count what was left for later",
                    err);
}
