/*
 * restate.h - answers about a moment that are other ones now than they were, and because of what.
 *
 * Two things known of one subject are compared: its fold as it was known first, judged by the rules
 * in force then, and as it was known later, by the rules in force then. What differs is laid to the
 * events recorded in between (late ones, and voids), or to another generation of rules.
 */
#ifndef PATHWAY_RESTATE_H
#define PATHWAY_RESTATE_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/world.h"
#include "lua/rulebook.h"

struct restate {
    struct world *world; /* borrowed; knows all that was known later */
    struct rulebook *first,
        *then; /* borrowed: the rules in force at each of the two known dates; may be the same */
    int64_t at;
    int64_t first_seq; /* the last event that was known first */
    const char *hub;   /* only what belongs to this hub at `at`, as known later; NULL: all */
};

/* One answer that changed. */
struct restated {
    const char *decision;
    const char *title;     /* what the decision says when it is true; NULL: nothing */
    const char *name;      /* of the subject, as known later; NULL: none */
    const char *old, *new; /* JSON; NULL: there was, or is, no such decision */
    bool by_rules;         /* the rules make a difference of their own */
    const struct entry *const
        *events; /* those that make a difference; all that may, where no single one does */
    size_t event_count;
};

/* What was in a subject's fold. */
struct fold_items {
    const struct item *items;
    size_t count;
};

/* The answers about a subject that changed, by decision; memory is the arena's. `before`: its fold
 * with the events up to `first_seq`, of world_leave_out(). */
MUST_CHECK enum err_code restate_subject(const struct restated **out, size_t *count,
                                         struct arena *arena, const struct restate *r,
                                         const char *subject, const struct fold_items *before,
                                         struct err *err);

#endif
