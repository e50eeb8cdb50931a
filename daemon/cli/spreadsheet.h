/*
 * spreadsheet.h - CSV for people who open it in a spreadsheet.
 *
 * UTF-8 with its mark and CRLF line ends, which spreadsheets want. A cell that they would take for a
 * formula (it begins with = + - @, a tab or a carriage return) gets a ' before it, so that nobody's
 * data can make somebody's computer do anything.
 */
#ifndef PATHWAY_CLI_SPREADSHEET_H
#define PATHWAY_CLI_SPREADSHEET_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

/* Print `csv` so. ERR_INPUT: it is no CSV. */
MUST_CHECK enum err_code spreadsheet_print(FILE *to, const struct buf *csv, struct err *err);

#endif
