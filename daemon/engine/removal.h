/*
 * removal.h - which of the events behind an answer can change it: those without which it would be
 * another one.
 *
 * An event makes a difference alone, or together with others where any of them would have been
 * enough (a lead who was named twice). It is found by leaving events out and folding the subject
 * again; the reads that a trace has noted say which events are worth trying.
 */
#ifndef PATHWAY_REMOVAL_H
#define PATHWAY_REMOVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/past.h"
#include "engine/world.h"
#include "lua/trace.h"

enum effect {
    EFFECT_UNKNOWN, /* there were too many to try them all */
    EFFECT_NONE,    /* the answer is the same without it */
    EFFECT_ALONE,
    EFFECT_TOGETHER, /* the same without it alone, and another one without those `with` it too */
};

/* Why an event is looked at. */
enum suspicion {
    SUSPECT_MADE,   /* it made something that was looked at what it is */
    SUSPECT_BEHIND, /* it was looked at on the way there */
    SUSPECT_HELD,   /* it may have kept another one from having an effect */
    SUSPECT_IDLE,  /* it wrote what stood there already: it can make a difference only together with
                      others */
    SUSPECT_OTHER, /* a void or a succession, which a trace does not see */
};

struct suspect {
    int64_t seq;
    enum suspicion why;
    bool is_special; /* a void or a succession: it decides what else is in the fold */
    bool may_join;   /* it may make a difference together with others */
    enum effect effect;
    const int64_t *with; /* the arena's */
    size_t with_count;
};

struct removal {
    struct arena *arena;     /* borrowed */
    struct world *world;     /* borrowed; as it was when this is done */
    const struct past *past; /* borrowed */
    const char *rule;
    const struct wanted
        *missing; /* borrowed: where the answer is no, what would have to be otherwise */
    size_t missing_count;
    struct suspect *suspects; /* borrowed: in event order, each event once */
    size_t suspect_count;
};

/* Find the effects of all suspects. `value`: the answer with all of them, JSON, "!" before it where
 * it failed. */
MUST_CHECK enum err_code removal_find(struct removal *r, const char *value, struct err *err);

#endif
