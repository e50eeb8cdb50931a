/* feed.c - see derived.h. The feed, and when subjects must be judged again. */
#include "store/derived.h"

#include "base/civil.h"
#include "store/internal.h"

enum err_code feed_append(int64_t *seq, struct store *s, const struct change *c, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO change_row (recorded, generation, subject, decision, old, new, hub, cause)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    struct dict_entry *subject, *decision;
    sqlite3_stmt *st;

    *seq = 0;
    enum err_code rc = dict_intern(&subject, s, DICT_SUBJECT, c->subject, err);
    if (rc == OK)
        rc = dict_intern(&decision, s, DICT_DECISION, c->decision, err);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, c->recorded);
    sqlite3_bind_int64(st, 2, c->generation);
    sqlite3_bind_int64(st, 3, subject->id);
    sqlite3_bind_int64(st, 4, decision->id);
    bind_text(st, 5, c->old_value);
    bind_text(st, 6, c->new_value);
    bind_text(st, 7, c->hub);
    bind_text(st, 8, c->cause);
    rc = stmt_run(s, st, "append to the feed", err);
    if (rc == OK)
        *seq = sqlite3_last_insert_rowid(s->db);
    return rc;
}

enum err_code feed_last_seq(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT max(seq) FROM change_row";
    return stmt_int(out, s, SQL, 0, "find the end of the feed", err);
}

static enum err_code fill(struct change *out, struct store *s, sqlite3_stmt *st, struct err *err)
{
    *out = (struct change){
        .seq = sqlite3_column_int64(st, 0),
        .recorded = sqlite3_column_int64(st, 1),
        .generation = sqlite3_column_int64(st, 2),
        .old_value = column_text(st, 5),
        .new_value = column_text(st, 6),
        .hub = column_text(st, 7),
        .cause = column_text(st, 8),
    };
    if (!out->old_value || !out->new_value)
        return store_no_memory(s, "read the feed", err);
    enum err_code rc = dict_text(&out->subject, s, DICT_SUBJECT, sqlite3_column_int64(st, 3), err);
    if (rc == OK)
        rc = dict_text(&out->decision, s, DICT_DECISION, sqlite3_column_int64(st, 4), err);
    return rc;
}

enum err_code feed_each(struct store *s, int64_t after, int64_t limit, change_fn *fn, void *arg,
                        struct err *err)
{
    static const char SQL[] =
        "SELECT seq, recorded, generation, subject, decision, old, new, hub, cause FROM change_row"
        " WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    struct change change;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, after);
    sqlite3_bind_int64(st, 2, limit < 0 ? 0 : limit); /* SQL takes a negative limit for none */
    rc = stmt_row(&row, s, st, "read the feed", err);
    while (rc == OK && row) {
        rc = fill(&change, s, st, err);
        if (rc == OK)
            rc = fn(&change, arg, err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read the feed", err);
    }
    stmt_done(st);
    return rc;
}

enum err_code wake_put(struct store *s, const char *subject, int64_t due, struct err *err)
{
    static const char PUT[] = "INSERT INTO wake_row (subject, due) VALUES (?1, ?2)"
                              " ON CONFLICT DO UPDATE SET due = excluded.due"
                              " WHERE due <> excluded.due";
    static const char REMOVE[] = "DELETE FROM wake_row WHERE subject = ?1";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get_write(&st, s, due == TIME_NEVER ? REMOVE : PUT, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, subject);
    if (due != TIME_NEVER)
        sqlite3_bind_int64(st, 2, due);
    return stmt_run(s, st, "keep a wake", err);
}

enum err_code wake_of(int64_t *out, struct store *s, const char *subject, struct err *err)
{
    static const char SQL[] = "SELECT due FROM wake_row WHERE subject = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = TIME_NEVER;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, subject);
    rc = stmt_row(&row, s, st, "read a wake", err);
    if (rc == OK && row)
        *out = sqlite3_column_int64(st, 0);
    stmt_done(st);
    return rc;
}

enum err_code wake_next(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT min(due) FROM wake_row";
    return stmt_int(out, s, SQL, TIME_NEVER, "find the next wake", err);
}

enum err_code wake_due(struct store *s, int64_t now, int limit, wake_fn *fn, void *arg,
                       struct err *err)
{
    static const char SQL[] =
        "SELECT subject, due FROM wake_row WHERE due <= ?1 ORDER BY due, subject LIMIT ?2";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, now);
    sqlite3_bind_int64(st, 2, limit < 0 ? 0 : limit);
    rc = stmt_row(&row, s, st, "read wakes", err);
    while (rc == OK && row) {
        const char *subject = column_text(st, 0);
        rc = subject ? fn(subject, sqlite3_column_int64(st, 1), arg, err)
                     : store_no_memory(s, "read wakes", err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read wakes", err);
    }
    stmt_done(st);
    return rc;
}
