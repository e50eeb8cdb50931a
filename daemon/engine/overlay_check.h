/*
 * overlay_check.h - does a hub's overlay move its subjects in a direction that the national pack
 * does not allow?
 *
 * What an overlay may change is checked when it is loaded; what comes of it is seen on the hub's
 * own subjects. On the facts that the national rules make, each thing that is tightened may turn a
 * decision from yes to no but none from no to yes (alerts the other way round), each that is
 * loosened the reverse; and folded by it, no school may come further along (or less far). What is
 * opened freely, and the hub's calendar, may do either.
 */
#ifndef PATHWAY_OVERLAY_CHECK_H
#define PATHWAY_OVERLAY_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/fold.h"
#include "engine/world.h"
#include "lua/rulebook.h"

/* One thing that goes wrong for one subject. The texts are valid inside the callback only. */
struct overlay_refusal {
    const char *hub;
    const char *subject;
    const char *what;     /* a decision, a fact that moves, or "reducer" */
    const char *national; /* JSON: without the overlay; NULL: not of interest */
    const char *here;     /* JSON: with what it tightens, or loosens */
    const char *why;      /* a sentence for the overlay's author */
    bool is_unclear;      /* it changes, and the national pack does not say which way is stricter:
                             nothing is wrong with it */
};
typedef void overlay_refused_fn(const struct overlay_refusal *refusal, void *arg);

/* Has the subject ever belonged to a hub that has an overlay? If not, no check is needed. `f` has
 * been folded by rules with that overlay. */
bool overlay_check_concerns(const struct fold *f);

/*
 * Check one subject as of `now`: it is folded up to three times for each overlay of a hub that it
 * has belonged to, one of them switched on at a time, so that each is told apart. `is_asked`: by
 * number of the ruleset, whether its overlay is to be looked at; NULL: all are. `rules` are left as
 * they were. OK also where something is refused: `fn` has been told.
 */
MUST_CHECK enum err_code overlay_check_subject(struct rulebook *rules, const bool *is_asked,
                                               struct world *w, const char *subject, int64_t now,
                                               overlay_refused_fn *fn, void *arg, struct err *err);

/* Check all subjects of a world that holds everything: *subjects says how many were looked at
 * closely. */
MUST_CHECK enum err_code overlay_check_world(size_t *subjects, struct rulebook *rules,
                                             struct world *w, int64_t now, overlay_refused_fn *fn,
                                             void *arg, struct err *err);

#endif
