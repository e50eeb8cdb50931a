/*
 * moment.h - how long an answer about now holds: as long as nothing has happened.
 *
 * An answer depends on the events that were acknowledged, the rules, and the moments that have
 * come; and it says what will be within ten years of now, so that it holds for some seconds at
 * most. For one thread.
 */
#ifndef PATHWAY_HOST_MOMENT_H
#define PATHWAY_HOST_MOMENT_H

#include <stdint.h>

/* All that an answer about now depends on, but for the question. */
struct moment_state {
    int64_t commits;    /* that are acknowledged */
    int64_t generation; /* of the rules */
    int64_t now;        /* the daemon's clock, µs */
    int64_t next_wake;  /* when the next moment falls due, µs */
};

/* All zero: no mark was ever given. */
struct moment {
    struct moment_state since; /* the state that the last mark was given for */
    uint64_t mark;
};

/* The mark of this state: the last one while nothing has happened since, else a new one. 0: a
 * moment has come that is not worked into the answers yet. */
uint64_t moment_mark(struct moment *m, const struct moment_state *state);

#endif
