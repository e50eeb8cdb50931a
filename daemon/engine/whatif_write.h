/*
 * whatif_write.h - a what-if as an answer: JSON with all that was counted, or its rows as CSV or
 * NDJSON.
 */
#ifndef PATHWAY_WHATIF_WRITE_H
#define PATHWAY_WHATIF_WRITE_H

#include "base/buf.h"
#include "engine/reader.h"
#include "engine/whatif.h"

/* "format": rows for programs, or everything in one JSON. */
enum row_format { ROWS_JSON, ROWS_CSV, ROWS_NDJSON };
MUST_CHECK enum err_code row_format_read(enum row_format *out, const struct json *params,
                                         struct err *err);

/* Sorts the rows by subject and decision, and writes all of it. `set` NULL: no parameters. */
MUST_CHECK enum err_code whatif_write(struct buf *out, struct whatif *w, struct reader *r,
                                      enum row_format format, const struct json *set,
                                      const char *hub, struct err *err);

#endif
