/* keep.c - see keep.h. */
#include "store/keep.h"

#include "store/internal.h"

enum err_code keep_begin(struct keeping *k, struct store *s, struct err *err)
{
    enum err_code rc = writing_store(&k->w, s, err);
    return rc == OK ? sql_begin(k->w, err) : rc;
}

enum err_code keep_end(struct keeping *k, enum err_code rc, struct err *err)
{
    return sql_end(k->w, rc, err);
}

enum err_code keep_cursor(struct keeping *k, const char *name, int64_t acked, struct err *err)
{
    static const char SQL[] = "INSERT INTO cursor (name, acked) VALUES (?1, ?2)"
                              " ON CONFLICT DO UPDATE SET acked = excluded.acked";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get(&st, k->w, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, name);
    sqlite3_bind_int64(st, 2, acked);
    return stmt_run(k->w, st, "keep a place in the feed", err);
}

enum err_code keep_no_cursor(struct keeping *k, const char *name, struct err *err)
{
    static const char SQL[] = "DELETE FROM cursor WHERE name = ?1";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get(&st, k->w, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, name);
    return stmt_run(k->w, st, "forget a place in the feed", err);
}

enum err_code keep_state(struct keeping *k, const char *plugin, const char *key, const char *json,
                         struct err *err)
{
    static const char PUT[] = "INSERT INTO plugin_state (plugin, key, value) VALUES (?1, ?2, ?3)"
                              " ON CONFLICT DO UPDATE SET value = excluded.value";
    static const char DROP[] = "DELETE FROM plugin_state WHERE plugin = ?1 AND key = ?2";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get(&st, k->w, json ? PUT : DROP, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, plugin);
    bind_text(st, 2, key);
    if (json)
        bind_text(st, 3, json);
    return stmt_run(k->w, st, "keep what a plugin remembers", err);
}

enum err_code keep_aside(struct keeping *k, const char *origin, const char *reason,
                         int64_t received, const char *body, size_t len, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO quarantine (origin, received, reason, body) VALUES (?1, ?2, ?3, ?4)";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get(&st, k->w, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, origin);
    sqlite3_bind_int64(st, 2, received);
    bind_text(st, 3, reason);
    sqlite3_bind_blob64(st, 4, body, len, SQLITE_STATIC);
    return stmt_run(k->w, st, "set an event aside", err);
}

enum err_code keep_no_aside(struct keeping *k, int64_t number, struct err *err)
{
    static const char SQL[] = "DELETE FROM quarantine WHERE number = ?1";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get(&st, k->w, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, number);
    rc = stmt_run(k->w, st, "discard an event", err);
    if (rc == OK && sqlite3_changes(k->w->db) == 0)
        return err_set(err, ERR_ABSENT, "there is no number %lld in the quarantine",
                       (long long)number);
    k->w->is_erasing = k->w->is_erasing || rc == OK;
    return rc;
}

/* ---- reading ---- */

enum err_code cursor_each(struct store *s, cursor_fn *fn, void *arg, struct err *err)
{
    static const char SQL[] = "SELECT name, acked FROM cursor ORDER BY name";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    rc = stmt_row(&row, s, st, "read places in the feed", err);
    while (rc == OK && row) {
        const char *name = column_text(st, 0);
        rc = name ? fn(name, sqlite3_column_int64(st, 1), arg, err)
                  : store_no_memory(s, "read places in the feed", err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read places in the feed", err);
    }
    stmt_done(st);
    return rc;
}

enum err_code state_each(struct store *s, const char *plugin, state_fn *fn, void *arg,
                         struct err *err)
{
    static const char SQL[] = "SELECT key, value FROM plugin_state WHERE plugin = ?1 ORDER BY key";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, plugin);
    rc = stmt_row(&row, s, st, "read what a plugin remembers", err);
    while (rc == OK && row) {
        const char *key = column_text(st, 0), *json = column_text(st, 1);
        rc = key && json ? fn(key, json, arg, err)
                         : store_no_memory(s, "read what a plugin remembers", err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read what a plugin remembers", err);
    }
    stmt_done(st);
    return rc;
}

static enum err_code show_aside(struct store *s, sqlite3_stmt *st, aside_fn *fn, void *arg,
                                struct err *err)
{
    const struct set_aside a = { .number = sqlite3_column_int64(st, 0),
                                 .received = sqlite3_column_int64(st, 1),
                                 .origin = column_text(st, 2),
                                 .reason = column_text(st, 3),
                                 .body = sqlite3_column_blob(st, 4),
                                 .len = (size_t)sqlite3_column_bytes(st, 4) };

    if (!a.origin || !a.reason || (a.len > 0 && !a.body))
        return store_no_memory(s, "read the quarantine", err);
    return fn(&a, arg, err);
}

enum err_code aside_each(struct store *s, int64_t after, int64_t limit, aside_fn *fn, void *arg,
                         struct err *err)
{
    static const char SQL[] = "SELECT number, received, origin, reason, body FROM quarantine"
                              " WHERE number > ?1 ORDER BY number LIMIT ?2";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, after);
    sqlite3_bind_int64(st, 2, limit < 0 ? 0 : limit);
    rc = stmt_row(&row, s, st, "read the quarantine", err);
    while (rc == OK && row) {
        rc = show_aside(s, st, fn, arg, err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read the quarantine", err);
    }
    stmt_done(st);
    return rc;
}

enum err_code aside_count(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT count(*) FROM quarantine";
    return stmt_int(out, s, SQL, 0, "count the quarantine", err);
}
