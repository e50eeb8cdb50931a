/*
 * advise.h - the smallest sets of events that would make a decision true, of the kinds that a pack
 * marks as something that a school or hub can do (`advice` in an event's declaration).
 *
 * Sets of one to four events, all of them at one moment, are tried from the smallest on; which
 * events are worth a try is known from what the criteria that are not met have read. Each answer
 * has been folded. A set is an answer when it makes the decision true earlier than every part of
 * it, nothing included, does.
 */
#ifndef PATHWAY_ADVISE_H
#define PATHWAY_ADVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/world.h"
#include "lua/needs.h"
#include "lua/rulebook.h"

#define ADVISE_EVENTS 4  /* of a set */
#define ADVISE_SETS   12 /* that are told */

/* A criterion that is in the way when there is nothing else to say. */
struct obstacle {
    const char *rule, *title, *advice; /* the arena's; advice NULL: none */
    bool is_wanted;                    /* false: it is met, and must not be */
    bool is_reachable;                 /* some event that can be sent touches what it reads */
    bool is_required;                  /* without it the decision can not be true */
    int64_t comes_at; /* when it goes by itself; TIME_NEVER: not by `until`, or not before the
                         decision is true */
};

struct advice_set {
    int count;
    const char *events[ADVISE_EVENTS]; /* whole CloudEvents, as JSON; the arena's */
    const char *titles[ADVISE_EVENTS]; /* what to do, in the pack's words */
    int64_t true_at;                   /* from when on it is true, with no further events */
};

struct advice {
    /* asked */
    struct world *world;     /* borrowed */
    struct rulebook *rules;  /* borrowed */
    struct arena *arena;     /* borrowed */
    const uint8_t *note_key; /* borrowed: events are checked as if they were sent */
    const char *subject, *decision;
    int64_t at;    /* when the events happen */
    int64_t until; /* how far it is looked for the decision to become true */

    /* answered */
    const char *name, *title; /* of the subject, of the decision; the arena's, or NULL */
    const char *to_do;        /* of an alert: what to do when it is on; the arena's, or NULL */
    bool is_alert;
    int64_t true_at; /* with no events; TIME_NEVER: not by `until` */
    bool is_waivable;
    struct advice_set sets[ADVISE_SETS]; /* the earliest first, of those the smallest */
    int set_count;
    bool has_more;    /* sets than are told */
    bool is_complete; /* all that was worth a try was tried */
    int tried;        /* sets that were folded */
    int kinds;        /* of events that can be sent about this subject */
    struct obstacle obstacles[64];
    int obstacle_count;
};

/* ERR_ABSENT: there is no such decision, with the nearest; ERR_INPUT: it is no yes or no. */
MUST_CHECK enum err_code advise(struct advice *a, struct err *err);

#endif
