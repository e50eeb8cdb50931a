/*
 * affected.h - which subjects a commit concerns, and why.
 *
 * An event concerns what it touches; a void also what its target touches (and, where that is itself
 * a void, on down the chain); and whatever concerns a school concerns its successors.
 */
#ifndef PATHWAY_AFFECTED_H
#define PATHWAY_AFFECTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "model/event.h"
#include "store/store.h"

/* The number of an event behind a change: what the feed names as its cause. */
struct cause {
    const struct cause *next;
    int64_t seq;
};
/* What a commit has for one subject. */
struct concern {
    const struct cause *causes;  /* newest first */
    const struct event **events; /* new ones that touch it; borrowed. The list is the arena's */
    size_t count, cap;
    int64_t newest;   /* the highest number among the causes */
    bool is_left;     /* for later: this commit does not judge it */
    bool must_refold; /* a void, a succession, a predecessor's event: not followed as it comes */
};
/* In the order in which they were found. Zeroed to begin; arena is the caller's. */
struct affected {
    struct arena *arena;    /* borrowed */
    struct strmap subjects; /* name to struct concern */
    size_t cause_count;     /* of all subjects */
};

/* Add the subjects that accepted event number `seq` concerns. */
MUST_CHECK enum err_code affected_by_event(struct affected *a, struct store *s, int64_t max_seq,
                                           const struct event *e, int64_t seq, struct err *err);
/* Add a subject that time alone concerns. */
MUST_CHECK enum err_code affected_by_time(struct affected *a, const char *subject, struct err *err);
/* Add the successors of what is there, with the causes of their predecessors. */
MUST_CHECK enum err_code affected_successors(struct affected *a, struct store *s, int64_t max_seq,
                                             struct err *err);
void affected_fini(struct affected *a);

/* Numbers of events, in the order in which they came, separated by commas. */
void write_causes(struct buf *out, const struct cause *causes);

#endif
