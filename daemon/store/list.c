/* list.c - see derived.h. Subjects are read in order; what SQL cannot say in one text is checked
 * row by row, which for all schools of a nation takes some hundredths of a second. */
#include "store/derived.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/internal.h"

/* `q` as a pattern for LIKE ... ESCAPE '\'. */
static void add_pattern(struct buf *b, const char *q)
{
    buf_char(b, '%');
    for (; *q; q++) {
        if (strchr("%_\\", *q))
            buf_char(b, '\\');
        buf_char(b, *q);
    }
    buf_char(b, '%');
}

/* The filters, with the numbers of their decisions' names. */
struct wanted {
    int64_t *names; /* owned */
    bool is_none;   /* a decision that no subject has was asked for */
};

static enum err_code look_up(struct wanted *out, struct store *s, const struct list_query *query,
                             struct err *err)
{
    enum err_code rc = OK;

    if (query->filter_count <= 0)
        return OK;
    out->names = calloc((size_t)query->filter_count, sizeof(*out->names));
    if (!out->names)
        return store_no_memory(s, "list subjects", err);
    for (int i = 0; rc == OK && i < query->filter_count; i++) {
        struct dict_entry *name;
        rc = dict_find(&name, s, DICT_DECISION, query->filters[i].decision, err);
        if (rc == OK && name)
            out->names[i] = name->id;
        else
            out->is_none = true;
    }
    return rc;
}

/* Does the subject have the decision `name` with this value? */
static enum err_code has(bool *out, struct store *s, int64_t subject, int64_t name,
                         const char *value, struct err *err)
{
    static const char SQL[] =
        "SELECT 1 FROM decision_row WHERE subject = ?1 AND name = ?2 AND value = ?3";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, subject);
    sqlite3_bind_int64(st, 2, name);
    bind_text(st, 3, value);
    rc = stmt_row(out, s, st, "list subjects", err);
    stmt_done(st);
    return rc;
}

static enum err_code has_all(bool *out, struct store *s, int64_t subject,
                             const struct list_query *query, const struct wanted *wanted,
                             struct err *err)
{
    enum err_code rc = OK;

    *out = true;
    for (int i = 0; rc == OK && *out && i < query->filter_count; i++)
        rc = has(out, s, subject, wanted->names[i], query->filters[i].value, err);
    return rc;
}

/* Show the rows of a bound statement that pass the filters, up to the limit. */
static enum err_code show(bool *more, struct store *s, sqlite3_stmt *st,
                          const struct list_query *query, const struct wanted *wanted, list_fn *fn,
                          void *arg, struct err *err)
{
    int shown = 0;
    bool row, passes;

    enum err_code rc = stmt_row(&row, s, st, "list subjects", err);
    while (rc == OK && row) {
        const struct list_row item = { column_text(st, 0), column_text(st, 2), column_text(st, 3) };
        if (!item.subject)
            return store_no_memory(s, "list subjects", err);
        rc = has_all(&passes, s, sqlite3_column_int64(st, 1), query, wanted, err);
        if (rc == OK && passes && shown >= query->limit) {
            *more = true;
            return OK;
        }
        if (rc == OK && passes) {
            rc = fn(&item, arg, err);
            shown++;
        }
        if (rc == OK)
            rc = stmt_row(&row, s, st, "list subjects", err);
    }
    return rc;
}

enum err_code list_subjects(bool *more, struct store *s, const struct list_query *query,
                            list_fn *fn, void *arg, struct err *err)
{
    /* "school/" to below "school0": '0' follows '/'. */
    static const char SQL[] =
        "SELECT subject, number, name, hub FROM subject"
        " WHERE subject > max(?1 || '/', coalesce(?2, '')) AND subject < ?1 || '0'"
        " AND (?3 IS NULL OR hub = ?3)"
        " AND (?4 IS NULL OR name LIKE ?4 ESCAPE '\\' OR former LIKE ?4 ESCAPE '\\'"
        " OR substr(subject, length(?1) + 2) LIKE ?4 ESCAPE '\\')"
        " ORDER BY subject";
    struct wanted wanted = { 0 };
    struct buf pattern = { 0 };
    sqlite3_stmt *st = NULL;

    *more = false;
    if (query->q)
        add_pattern(&pattern, query->q);
    enum err_code rc =
        pattern.failed ? store_no_memory(s, "list subjects", err) : look_up(&wanted, s, query, err);
    if (rc == OK && !wanted.is_none)
        rc = stmt_get(&st, s, SQL, err);
    if (st) {
        bind_text(st, 1, query->kind);
        bind_text(st, 2, query->after);
        bind_text(st, 3, query->hub);
        bind_text(st, 4, query->q ? buf_cstr(&pattern) : NULL);
        rc = show(more, s, st, query, &wanted, fn, arg, err);
        stmt_done(st);
    }
    buf_fini(&pattern);
    free(wanted.names);
    return rc;
}
