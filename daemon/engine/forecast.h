/*
 * forecast.h - what will change with no further events: the same fold, run past today.
 *
 * Events that are logged and lie ahead take effect when their time comes, as they will in a daemon.
 */
#ifndef PATHWAY_FORECAST_H
#define PATHWAY_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strmap.h"
#include "engine/world.h"
#include "lua/rulebook.h"

/* One decision that becomes another one. Texts are the arena's that the forecast was given. */
struct foreseen {
    int64_t time;
    const char *subject;
    const char *name; /* what it is called at that moment; NULL: nothing */
    const char *decision;
    const char *title;     /* what the decision says when it is true; NULL: nothing any more */
    const char *old, *now; /* JSON scalars; {"error": ...} where the rule failed */
    /* Why: {"moment", "events": [{"source","id","type","title"}], "moved": [fact], "rules":
     * [{"rule","title"}]}. No event: time alone. "rules": those at the bottom of it, which asked
     * for this instant or read what moved. */
    const char *cause;
    const char *why; /* the same in a few words */
};

struct foreseeing {
    struct world *world;    /* borrowed */
    struct rulebook *rules; /* borrowed: one thread's */
    struct arena *arena;    /* borrowed */
    const char *hub;     /* only what belongs to this hub at `from`, or when it begins; NULL: all */
    struct strmap hubs;  /* with `hub`: those that were met; strmap_fini() it */
    int64_t from, until; /* changes after `from`, up to and including `until` */
    struct foreseen *items; /* owned: in order of time, then decision; the caller frees it */
    size_t count, cap;
};

/* Add what is foreseen of one subject. One of which nothing has happened by `from` begins, when its
 * first event comes, as an empty record. */
MUST_CHECK enum err_code foresee(struct foreseeing *f, const char *subject, struct err *err);

#endif
