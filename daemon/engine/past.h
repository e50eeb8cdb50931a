/*
 * past.h - a fold, instant by instant, beside which others can be held: what would have become of
 * the subject with other events.
 *
 * What both have in common is not folded twice. The other fold begins at the first event that
 * differs; from where no fact differs that a step looks at, it need not be gone through; and where
 * none differs at all, it ends the same.
 */
#ifndef PATHWAY_PAST_H
#define PATHWAY_PAST_H

#include "engine/fold.h"
#include "lua/tape.h"

struct moment; /* an instant of the fold */

struct past {
    struct rulebook *rules; /* borrowed */
    const char *subject;
    int64_t at;
    const struct item *items; /* borrowed: of its fold as of `at`, parsed */
    size_t count;
    struct fold start;      /* before the first event; its record is nobody's */
    struct moment *moments; /* owned */
    size_t moment_count, moment_cap;
    struct tape *tape; /* owned; NULL: events or moves fail, or it came to another hub: others are
                          folded whole */
    struct fact_set asked; /* what the question itself reads, at `at` */
};

/* Fold to `at` the fold that a trace follows from its beginning, of items that are parsed. */
MUST_CHECK enum err_code past_fold(struct past *p, struct fold *f, int64_t at, struct err *err);
void past_fini(struct past *p);

/*
 * The fold as of `at` with these items in place of its own; those that are the same are found by
 * their entries. *out is the caller's, for fold_fini(). *is_same: it is not folded to the end,
 * since what is asked about is the same. *steps is raised by how many instants were folded.
 */
MUST_CHECK enum err_code past_other(struct fold *out, bool *is_same, size_t *steps,
                                    const struct past *p, const struct item *items, size_t count,
                                    struct err *err);

#endif
