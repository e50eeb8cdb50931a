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

struct filtering {
    const struct list_query *query;
    int passed;
};

static bool is_text(struct slice s, const char *text)
{
    return strlen(text) == s.len && memcmp(text, s.at, s.len) == 0;
}

static enum err_code check_decision(struct slice name, struct slice value, void *arg,
                                    struct err *err)
{
    struct filtering *f = arg;
    (void)err;

    for (int i = 0; i < f->query->filter_count; i++)
        if (is_text(name, f->query->filters[i].decision) &&
            is_text(value, f->query->filters[i].value))
            f->passed++;
    return OK;
}

/* Do the decisions of a row have all values that are asked for? */
static enum err_code has_all(bool *out, const struct list_query *query, const struct list_row *row,
                             struct err *err)
{
    struct filtering f = { query, 0 };

    enum err_code rc = query->filter_count > 0
                           ? decisions_each(row->names, row->values, check_decision, &f, err)
                           : OK;
    *out = f.passed == query->filter_count;
    return rc;
}

/* Show the rows of a bound statement that pass the filters, up to the limit. */
static enum err_code show(bool *more, struct store *s, sqlite3_stmt *st,
                          const struct list_query *query, list_fn *fn, void *arg, struct err *err)
{
    int shown = 0;
    bool row, passes;

    enum err_code rc = stmt_row(&row, s, st, "list subjects", err);
    while (rc == OK && row) {
        struct list_row item = { .subject = column_text(st, 0),
                                 .name = column_text(st, 1),
                                 .hub = column_text(st, 2),
                                 .values = column_text(st, 4) };
        if (!item.subject || !item.values)
            return store_no_memory(s, "list subjects", err);
        rc = dict_text(&item.names, s, DICT_LAYOUT, sqlite3_column_int64(st, 3), err);
        if (rc == OK)
            rc = has_all(&passes, query, &item, err);
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
        "SELECT n.text, r.name, r.hub, r.layout, r.decisions"
        " FROM subject_name n JOIN subject_row r ON r.id = n.id"
        " WHERE n.text > max(?1 || '/', coalesce(?2, '')) AND n.text < ?1 || '0'"
        " AND r.decisions IS NOT NULL AND (?3 IS NULL OR r.hub = ?3)"
        " AND (?4 IS NULL OR r.name LIKE ?4 ESCAPE '\\' OR r.former LIKE ?4 ESCAPE '\\'"
        " OR substr(n.text, length(?1) + 2) LIKE ?4 ESCAPE '\\')"
        " ORDER BY n.text";
    struct buf pattern = { 0 };
    sqlite3_stmt *st = NULL;

    *more = false;
    if (query->q)
        add_pattern(&pattern, query->q);
    enum err_code rc =
        pattern.failed ? store_no_memory(s, "list subjects", err) : stmt_get(&st, s, SQL, err);
    if (st) {
        bind_text(st, 1, query->kind);
        bind_text(st, 2, query->after);
        bind_text(st, 3, query->hub);
        bind_text(st, 4, query->q ? buf_cstr(&pattern) : NULL);
        rc = show(more, s, st, query, fn, arg, err);
        stmt_done(st);
    }
    buf_fini(&pattern);
    return rc;
}
