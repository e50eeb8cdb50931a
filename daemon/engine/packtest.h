/*
 * packtest.h - run the tests that packs bring with them.
 */
#ifndef PATHWAY_PACKTEST_H
#define PATHWAY_PACKTEST_H

#include <stddef.h>

#include "engine/coverage.h"
#include "lua/rulebook.h"

/* One finished test. `detail` is NULL when it passed, else lines for people: expected,
 * actual, why. */
typedef void packtest_fn(const char *name, const char *where, const char *detail, void *arg);

struct packtest_counts {
    size_t passed, failed;
};
/* Those of the national pack, then those of each overlay; of a hub's own folder only these. A
 * subject of an overlay's test belongs to its hub from the beginning. */
MUST_CHECK enum err_code packtest_run(struct packtest_counts *out, struct rulebook *rules,
                                      packtest_fn *fn, void *arg, struct err *err);
/* The same, or only of ruleset number `only` unless that is negative; what the rules say of each
 * test's subject is added to `coverage`. */
MUST_CHECK enum err_code packtest_cover(struct packtest_counts *out, struct rulebook *rules,
                                        int only, struct coverage *coverage, packtest_fn *fn,
                                        void *arg, struct err *err);

#endif
