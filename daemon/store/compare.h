/*
 * compare.h - does what is stored equal what is made again from the log?
 *
 * A store that replays begins empty, beside a source that only reads. What is committed to it is
 * not written but compared with what the source has: row by row, in the order in which it was
 * appended; and, at the commit at which the source's watermark stands, what is derived of each
 * subject. It reads the log through the source.
 */
#ifndef PATHWAY_STORE_COMPARE_H
#define PATHWAY_STORE_COMPARE_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* Called for each table that differs, with its first difference. */
typedef void compare_fn(const char *table, const char *difference, void *arg);

/* `source` is borrowed, inside a snapshot, and used by the same thread. */
MUST_CHECK enum err_code store_open_replay(struct store **out, struct store *source,
                                           compare_fn *differs, void *arg, struct err *err);
/* At the end: what the source has beyond what was committed differs too. How many tables differ in
 * all, and how many rows are equal. */
MUST_CHECK enum err_code store_end_replay(int *differences, int64_t *rows, struct store *s,
                                          struct err *err);
/* Commits of the source from this one on say which subjects they judged when only time was their
 * reason. */
MUST_CHECK enum err_code store_judged_since(int64_t *out, struct store *s, struct err *err);

#endif
