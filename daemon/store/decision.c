/* decision.c - see derived.h. Current decisions, the cards of subjects, and forgetting it all. */
#include "store/derived.h"

#include "store/internal.h"

/* Bind a decision's subject and name; *known is false when the database has never met either. */
static enum err_code bind_key(bool *known, struct store *s, sqlite3_stmt *st, const char *subject,
                              const char *name, struct err *err)
{
    struct dict_entry *who, *what = NULL;

    enum err_code rc = dict_find(&who, s, DICT_SUBJECT, subject, err);
    if (rc == OK)
        rc = dict_find(&what, s, DICT_DECISION, name, err);
    *known = rc == OK && who && what;
    if (*known) {
        sqlite3_bind_int64(st, 1, who->id);
        sqlite3_bind_int64(st, 2, what->id);
    }
    return rc;
}

enum err_code decision_put(struct store *s, const char *subject, const char *name,
                           const char *value, struct err *err)
{
    static const char SQL[] = "INSERT INTO decision_row (subject, name, value) VALUES (?1, ?2, ?3)"
                              " ON CONFLICT DO UPDATE SET value = excluded.value";
    struct dict_entry *who, *what;
    sqlite3_stmt *st;

    enum err_code rc = dict_intern(&who, s, DICT_SUBJECT, subject, err);
    if (rc == OK)
        rc = dict_intern(&what, s, DICT_DECISION, name, err);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, who->id);
    sqlite3_bind_int64(st, 2, what->id);
    bind_text(st, 3, value);
    return stmt_run(s, st, "keep a decision", err);
}

enum err_code decision_remove(struct store *s, const char *subject, const char *name,
                              struct err *err)
{
    static const char SQL[] = "DELETE FROM decision_row WHERE subject = ?1 AND name = ?2";
    sqlite3_stmt *st;
    bool known;

    enum err_code rc = stmt_get_write(&st, s, SQL, err);
    if (rc == OK)
        rc = bind_key(&known, s, st, subject, name, err);
    if (rc == OK && known)
        rc = stmt_run(s, st, "remove a decision", err);
    return rc;
}

enum err_code decision_each(struct store *s, const char *subject, decision_fn *fn, void *arg,
                            struct err *err)
{
    static const char SQL[] =
        "SELECT n.text, r.value FROM decision_row r JOIN decision_name n ON n.id = r.name"
        " WHERE r.subject = ?1 ORDER BY n.text";
    struct dict_entry *who;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = dict_find(&who, s, DICT_SUBJECT, subject, err);
    if (rc != OK || !who)
        return rc;
    rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, who->id);
    rc = stmt_row(&row, s, st, "read decisions", err);
    while (rc == OK && row) {
        const char *name = column_text(st, 0), *value = column_text(st, 1);
        rc = name && value ? fn(name, value, arg, err) : store_no_memory(s, "read decisions", err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read decisions", err);
    }
    stmt_done(st);
    return rc;
}

enum err_code subject_put(struct store *s, const struct subject_card *card, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO subject (subject, number, name, hub, former) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT DO UPDATE SET name = excluded.name, hub = excluded.hub,"
        " former = excluded.former";
    struct dict_entry *who;
    sqlite3_stmt *st;

    enum err_code rc = dict_intern(&who, s, DICT_SUBJECT, card->subject, err);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, card->subject);
    sqlite3_bind_int64(st, 2, who->id);
    bind_text(st, 3, card->name);
    bind_text(st, 4, card->hub);
    bind_text(st, 5, card->former);
    return stmt_run(s, st, "keep a subject", err);
}

enum err_code derived_clear(struct store *s, bool with_feed, struct err *err)
{
    static const char *const TABLES[] = { "DELETE FROM decision_row", "DELETE FROM wake_row",
                                          "DELETE FROM subject", "DELETE FROM pending" };
    /* A feed made anew counts from 1 again. */
    static const char *const FEED[] = { "DELETE FROM change_row",
                                        "DELETE FROM sqlite_sequence WHERE name = 'change_row'" };
    enum err_code rc = OK;
    sqlite3_stmt *st;

    for (size_t i = 0; rc == OK && i < sizeof(TABLES) / sizeof(*TABLES); i++) {
        rc = stmt_get_write(&st, s, TABLES[i], err);
        if (rc == OK)
            rc = stmt_run(s, st, "clear what is derived", err);
    }
    for (size_t i = 0; rc == OK && with_feed && i < sizeof(FEED) / sizeof(*FEED); i++) {
        rc = stmt_get_write(&st, s, FEED[i], err);
        if (rc == OK)
            rc = stmt_run(s, st, "clear the feed", err);
    }
    return rc;
}
