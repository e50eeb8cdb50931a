/* compare.c - see compare.h. Rows are read in the order of their keys from both and compared value by
 * value, types included. Key hashes are left out: each database has a secret of its own for them, and
 * log_verify() checks them. */
#include "store/compare.h"

#include <stdio.h>
#include <string.h>

#include "store/internal.h"

struct table {
    const char *name; /* as people know it */
    const char *sql;  /* its rows, in the order of their keys */
};

static const struct table TABLES[] = {
    { "event", "SELECT * FROM event_row ORDER BY seq" },
    { "event (voids)", "SELECT * FROM event_void ORDER BY seq" },
    { "event_commit", "SELECT * FROM event_commit_row ORDER BY number" },
    { "event_commit (judged)", "SELECT * FROM commit_judged ORDER BY number" },
    { "pending", "SELECT * FROM pending ORDER BY subject" },
    { "subject_event", "SELECT * FROM subject_event_row ORDER BY 1, 2" },
    { "subject_event (heads)", "SELECT * FROM subject_head ORDER BY 1" },
    { "change", "SELECT * FROM change_row ORDER BY seq" },
    { "decision", "SELECT * FROM decision_row ORDER BY 1, 2" },
    { "subject", "SELECT * FROM subject ORDER BY 1" },
    { "wake", "SELECT * FROM wake_row ORDER BY 1" },
    { "pack", "SELECT * FROM generation ORDER BY number" },
    { "pack (files)", "SELECT * FROM pack_file ORDER BY 1, 2" },
    { "pack (texts)", "SELECT * FROM pack_text ORDER BY digest" },
    { "source names", "SELECT * FROM source_name ORDER BY id" },
    { "type names", "SELECT * FROM type_name ORDER BY id" },
    { "subject names", "SELECT * FROM subject_name ORDER BY id" },
    { "decision names", "SELECT * FROM decision_name ORDER BY id" },
};

static bool same_value(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    sqlite3_value *x = sqlite3_column_value(a, column), *y = sqlite3_column_value(b, column);

    if (sqlite3_value_type(x) != sqlite3_value_type(y))
        return false;
    switch (sqlite3_value_type(x)) {
    case SQLITE_NULL:
        return true;
    case SQLITE_INTEGER:
        return sqlite3_value_int64(x) == sqlite3_value_int64(y);
    default: {
        int len = sqlite3_value_bytes(x);
        return len == sqlite3_value_bytes(y) &&
               (len == 0 || memcmp(sqlite3_value_blob(x), sqlite3_value_blob(y), (size_t)len) == 0);
    }
    }
}

/* A row's first values, for the message: enough to find it. */
static const char *show_row(sqlite3_stmt *st, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < sqlite3_column_count(st) && i < 4 && used + 1 < size; i++) {
        const char *text = sqlite3_column_type(st, i) == SQLITE_BLOB ? "..." : column_text(st, i);
        int n = snprintf(out + used, size - used, "%s%.60s", i ? ", " : "", text ? text : "null");
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}

/* Write the first difference of a row into out; false when there is none. */
static bool row_differs(sqlite3_stmt *a, sqlite3_stmt *b, char *out, size_t size)
{
    char row[300];

    for (int i = 0; i < sqlite3_column_count(a); i++) {
        if (same_value(a, b, i))
            continue;
        snprintf(out, size, "row (%s): column %s is not what the log makes of it",
                 show_row(a, row, sizeof(row)), sqlite3_column_name(a, i));
        return true;
    }
    return false;
}

static enum err_code compare_rows(bool *differs, int64_t *rows, struct store *sa, sqlite3_stmt *a,
                                  struct store *sb, sqlite3_stmt *b, char *what, size_t size,
                                  struct err *err)
{
    char row[300];

    *differs = false;
    for (;;) {
        int in_a = sqlite3_step(a), in_b = sqlite3_step(b);
        if (in_a != SQLITE_ROW && in_a != SQLITE_DONE)
            return store_fail(sa, "compare a table", err);
        if (in_b != SQLITE_ROW && in_b != SQLITE_DONE)
            return store_fail(sb, "compare a table", err);
        if (in_a == SQLITE_DONE && in_b == SQLITE_DONE)
            return OK;
        *differs = true;
        if (in_a == SQLITE_DONE)
            snprintf(what, size, "row (%s) is missing", show_row(b, row, sizeof(row)));
        else if (in_b == SQLITE_DONE)
            snprintf(what, size, "row (%s) is none that the log makes",
                     show_row(a, row, sizeof(row)));
        else
            *differs = row_differs(a, b, what, size);
        if (*differs)
            return OK;
        ++*rows;
    }
}

static enum err_code compare_table(bool *differs, int64_t *rows, struct store *a, struct store *b,
                                   const struct table *t, char *what, size_t size, struct err *err)
{
    sqlite3_stmt *in_a = NULL, *in_b = NULL;
    enum err_code rc = OK;

    if (sqlite3_prepare_v2(a->db, t->sql, -1, &in_a, NULL) != SQLITE_OK)
        rc = store_fail(a, t->name, err);
    else if (sqlite3_prepare_v2(b->db, t->sql, -1, &in_b, NULL) != SQLITE_OK)
        rc = store_fail(b, t->name, err);
    else
        rc = compare_rows(differs, rows, a, in_a, b, in_b, what, size, err);
    sqlite3_finalize(in_a);
    sqlite3_finalize(in_b);
    return rc;
}

enum err_code store_compare(int *differences, int64_t *rows, struct store *a, struct store *b,
                            compare_fn *fn, void *arg, struct err *err)
{
    char what[600];
    enum err_code rc = OK;

    *differences = 0;
    *rows = 0;
    for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]) && rc == OK; i++) {
        bool differs = false;
        rc = compare_table(&differs, rows, a, b, &TABLES[i], what, sizeof(what), err);
        if (rc == OK && differs) {
            fn(TABLES[i].name, what, arg);
            ++*differences;
        }
    }
    return rc;
}
