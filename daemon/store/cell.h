/*
 * cell.h - a value that a column should have; internal to the store. See compare.h.
 */
#ifndef PATHWAY_STORE_CELL_H
#define PATHWAY_STORE_CELL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

struct cell {
    int type; /* as SQLite's */
    int64_t integer;
    const void *bytes;
    size_t len;
};

static inline struct cell integer(int64_t value)
{
    return (struct cell){ .type = SQLITE_INTEGER, .integer = value };
}

static inline struct cell integer_unless(int64_t value, int64_t none)
{
    return value == none ? (struct cell){ .type = SQLITE_NULL } : integer(value);
}

static inline struct cell text_of(const char *text, size_t len)
{
    return (struct cell){ .type = SQLITE_TEXT, .bytes = text, .len = len };
}

static inline struct cell text(const char *text)
{
    return text ? text_of(text, strlen(text)) : (struct cell){ .type = SQLITE_NULL };
}

static inline struct cell blob(const void *bytes, size_t len)
{
    return (struct cell){ .type = SQLITE_BLOB, .bytes = bytes, .len = len };
}

static inline bool is_cell(sqlite3_stmt *st, int column, const struct cell *cell)
{
    if (sqlite3_column_type(st, column) != cell->type)
        return false;
    if (cell->type == SQLITE_NULL)
        return true;
    if (cell->type == SQLITE_INTEGER)
        return sqlite3_column_int64(st, column) == cell->integer;
    const void *bytes = sqlite3_column_blob(st, column);
    return (size_t)sqlite3_column_bytes(st, column) == cell->len &&
           (cell->len == 0 || memcmp(bytes, cell->bytes, cell->len) == 0);
}

#endif
