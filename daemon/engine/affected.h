/*
 * affected.h - which subjects a commit concerns, and why.
 *
 * An event concerns what it touches; a void also what its target touches (and, where that is itself a
 * void, on down the chain); and whatever concerns a school concerns its successors.
 */
#ifndef PATHWAY_AFFECTED_H
#define PATHWAY_AFFECTED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/strmap.h"
#include "engine/world.h"
#include "store/store.h"

/* An event behind a change: what the feed names as its cause. */
struct cause {
    const struct cause *next;
    const char *source;
    const char *id;
};
/* In the order in which they were found. Zeroed to begin; arena is the caller's. */
struct affected {
    struct arena *arena;    /* borrowed */
    struct strmap subjects; /* name to the first struct cause of its list */
};

/* Add the subjects that an accepted event concerns. */
MUST_CHECK enum err_code affected_by_event(struct affected *a, struct store *s, int64_t max_seq,
                                           const struct event *e, struct err *err);
/* Add the successors of what is there, with the causes of their predecessors. */
MUST_CHECK enum err_code affected_successors(struct affected *a, struct world *w, struct err *err);
void affected_fini(struct affected *a);

#endif
