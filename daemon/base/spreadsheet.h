/*
 * spreadsheet.h - CSV for people who open it in a spreadsheet.
 *
 * UTF-8 with its mark and CRLF line ends, which spreadsheets want. A cell that they would take for
 * a formula (it begins with = + - @, a tab or a carriage return) gets a ' before it, so that
 * nobody's data can make somebody's computer do anything.
 */
#ifndef PATHWAY_BASE_SPREADSHEET_H
#define PATHWAY_BASE_SPREADSHEET_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Append `csv` so. ERR_INPUT: it is no CSV. */
MUST_CHECK enum err_code spreadsheet_write(struct buf *out, const char *csv, size_t len,
                                           struct err *err);

#endif
