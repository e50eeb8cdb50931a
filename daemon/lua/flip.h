/*
 * flip.h - which criterion it is that makes a decision another one.
 *
 * Two judgings of the same rules, or of two versions of them, are compared; from a decision that
 * differs one goes down to the rules that it read and that differ too, until those are reached that
 * differ on their own account.
 */
#ifndef PATHWAY_LUA_FLIP_H
#define PATHWAY_LUA_FLIP_H

#include <stdint.h>

#include "base/buf.h"
#include "lua/record.h"

/*
 * Within the call of judged_fn that record_rejudge() makes for a decision which had another value
 * before: append a JSON array of the rules at the bottom of it,
 * [{"rule":"two_leads","title":"..."}].
 */
void flip_write_changed(struct buf *out, const struct record *r, const char *decision);
/* Append a JSON array of the facts that moves changed at this very instant. */
void flip_write_moved(struct buf *out, const struct record *r, int64_t at);

/* What the rules said of a record when it was last judged, to be compared with a later judging.
 * Every rule has a value, criteria included. It is good as long as the ruleset. */
struct judgement {
    const struct ruleset *rs; /* borrowed */
    enum subject_kind kind;
    uint32_t *values; /* of its rules, by place; owned */
    size_t cap;
};
/* After record_rejudge(). A zeroed one is empty and valid, and may be used again. False: no
 * memory. */
MUST_CHECK bool judgement_take(struct judgement *j, const struct record *r);
void judgement_fini(struct judgement *j);
/* Where a decision's value is in `values`, by its number among ruleset_decisions(). `out` has room
 * for all of them. */
void judgement_places(uint16_t *out, const struct ruleset *rs, enum subject_kind kind);
/* A value: JSON; of a rule that failed "!" and its message. */
const char *judgement_text(const struct judgement *j, uint16_t place);

/*
 * Append a JSON array of the rules by which the two differ about this decision, the one under
 * `after` last judged:
 * [{"rule","title","old","new","facts":[...]}]. `facts`: those that the rule read, of its own or by
 * way of the moves that made them, and that differ between the two records; [] when it is the rule
 * itself or a parameter that is another one.
 */
void flip_write_between(struct buf *out, const struct judgement *before,
                        const struct record *record_before, const struct record *after,
                        const char *decision);

#endif
