/*
 * check.h - the rows of a batch against those that are stored; internal to the store. See
 * compare.h.
 */
#ifndef PATHWAY_STORE_CHECK_H
#define PATHWAY_STORE_CHECK_H

#include "store/batch.h"

struct checker;

/* Compare what a commit appends with what is stored. Differences are told, not errors. */
MUST_CHECK enum err_code checker_take(struct checker *c, const struct batch *b, struct err *err);
void checker_free(struct checker *c); /* NULL allowed */

#endif
