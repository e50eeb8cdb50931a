/*
 * table.h - rows of a CSV file, columns by name.
 */
#ifndef PATHWAY_TABLE_H
#define PATHWAY_TABLE_H

#include "base/err.h"

/* `cells` holds one text for each wanted column, "" where the row is short; valid for the call. */
typedef enum err_code table_row_fn(const char *const *cells, int line, void *arg, struct err *err);

/*
 * Call `fn` for each row below the header, until it does not return OK. ERR_IO: the file can not be
 * read; ERR_INPUT: it lacks a column (the message names it). Bytes are passed as they are.
 */
MUST_CHECK enum err_code table_read(const char *path, const char *const *columns, int count,
                                    table_row_fn *fn, void *arg, struct err *err);

#endif
