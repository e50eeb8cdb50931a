/*
 * csvfile.h - CSV as people save it, row by row, in UTF-8.
 *
 * A byte order mark decides the encoding; without one, bytes that are UTF-8 are that, and others
 * windows-1252. Quoted and bare fields may be mixed; quoted ones may hold line ends. Empty lines
 * are skipped. Lines end with LF, CRLF or CR.
 */
#ifndef PATHWAY_BASE_CSVFILE_H
#define PATHWAY_BASE_CSVFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct csv_row {
    int64_t line;              /* of the file, where the row begins, from 1 */
    const char *const *fields; /* valid until the callback returns */
    int count;
};

/* The first row, the header, is shown too. An error ends the reading. */
typedef enum err_code csv_row_fn(const struct csv_row *row, void *arg, struct err *err);

/*
 * Show each row of the file to `fn`. ERR_IO: it can not be read. ERR_INPUT: it is no CSV: empty, a
 * web page, UTF-16, or it ends inside a quoted field, as a download does that broke off.
 */
MUST_CHECK enum err_code csvfile_read(const char *path, csv_row_fn *fn, void *arg, struct err *err);

/* The same of bytes that are there already; `name` is for messages. */
MUST_CHECK enum err_code csvfile_parse(const char *name, const char *bytes, size_t len,
                                       csv_row_fn *fn, void *arg, struct err *err);

/* The column of this name in a header, case ignored, or -1. */
int csv_column(const struct csv_row *header, const char *name);
/* The field, without white space before it; "" when the row or the table has none there. */
const char *csv_field(const struct csv_row *row, int column);

#endif
