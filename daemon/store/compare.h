/*
 * compare.h - are two databases the same, row by row?
 *
 * For `replay`: everything that can be made again from the log and the commit list is made again in a
 * second database and compared with the first.
 */
#ifndef PATHWAY_STORE_COMPARE_H
#define PATHWAY_STORE_COMPARE_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* Told of each table that differs: its name as people know it and the first row that does. */
typedef void compare_fn(const char *table, const char *difference, void *arg);

/*
 * Compare all tables but those of people, notes, cursors, tokens and the quarantine, which no log makes
 * again. *differences: how many tables differ; *rows: how many rows were compared.
 */
MUST_CHECK enum err_code store_compare(int *differences, int64_t *rows, struct store *a,
                                       struct store *b, compare_fn *fn, void *arg, struct err *err);

#endif
