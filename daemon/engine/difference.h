/*
 * difference.h - which decisions of a subject are others than before.
 *
 * A live record knows what it said last. One that was folded anew is compared with the decisions
 * that are stored; a subject of which none are, with those of an empty record, so that a first load
 * is quiet.
 */
#ifndef PATHWAY_DIFFERENCE_H
#define PATHWAY_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/publish.h"
#include "store/derived.h"

/* One decision, before and after. No bytes: there was, or is, none. */
struct difference {
    struct slice name, old_value, new_value;
};
/* By name. Zeroed but for the arena to begin. */
struct differences {
    struct arena *arena;      /* borrowed */
    struct difference *items; /* the arena's */
    size_t count, cap;
    bool failed; /* no memory: they are not whole */
};

/* For record_rejudge() of a live record; `arg` is struct differences. */
void difference_take(const struct judged *j, void *arg);
/*
 * Compare what was decided of `l` now (`names` and `values` as decisions_put() takes them) with
 * what is stored. What it adds stays valid when the stored decisions are replaced, as long as
 * `values` does. *is_stored: these very ones are stored, and need not be put.
 */
MUST_CHECK enum err_code differences_from_stored(struct differences *out, bool *is_stored,
                                                 struct publication *p, const struct live *l,
                                                 const char *names, const char *values,
                                                 struct err *err);

/* A decision's value as it is kept: JSON, {"error": "..."} where its rule failed. Arena's
 * memory. */
const char *decision_text(struct arena *arena, const struct judged *j);

#endif
