/*
 * advise_internal.h - a search for advice from the inside: for who searches, and for who folds what
 * is tried.
 */
#ifndef PATHWAY_ADVISE_INTERNAL_H
#define PATHWAY_ADVISE_INTERNAL_H

#include "base/strmap.h"
#include "engine/advise.h"
#include "engine/advise_events.h"
#include "engine/fold.h"

#define FRONTIER_MAX 3000 /* sets of one size from which larger ones are made */

/* A set that was tried: numbers of candidates, ascending; one with new people may be there
 * twice. */
struct tried {
    int members[ADVISE_EVENTS];
    int count;
    int64_t true_at;
    struct fact_set needs; /* facts that stand in the way at `at` */
};

struct search {
    struct advice *a;
    struct candidates *candidates;
    const struct item *items; /* of the subject, up to the horizon */
    size_t item_count;
    int64_t horizon;
    struct strmap done; /* members to struct tried; the arena's */
    struct tried *frontier[FRONTIER_MAX], *next[FRONTIER_MAX];
    int frontier_count, next_count;
    bool is_out_of_tries;
    bool is_answered_now; /* some set makes it true at once: larger ones are no better */
};

/* An event that nobody has sent. */
struct extra {
    struct entry entry;
    struct item item;
};

/* Candidate `c` as member `number` of a set, its new people numbered behind `people`. `own` names
 * the subject, and is borrowed. */
MUST_CHECK enum err_code extra_make(struct extra *out, struct search *s, const struct candidate *c,
                                    int number, int people, const char *const *own,
                                    struct err *err);
/* Fold the subject with these events, and go on until the decision is true. */
MUST_CHECK enum err_code tried_fold(struct tried *t, struct search *s, struct err *err);

#endif
