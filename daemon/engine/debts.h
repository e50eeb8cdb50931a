/*
 * debts.h - who holds up all others, and waits for it: hubs whose overlays take long for a subject.
 *
 * A run of rules that is suspect takes milliseconds before it is stopped, and as much again, and
 * more, until it is decided; a hub whose rules do that for each of its schools would have the
 * engine for itself. So its subjects are held back from then on, and judged one at a time: each is
 * paid for with so much waiting that all of them together have a small share of the engine's time,
 * and what others send is not held up. When so many in a row were quick, the hub is as any other
 * again. What is decided does not depend on it, only when: the commit list says who was judged.
 *
 * Only overlays are treated so. The national pack's rules are everybody's: there is nobody to be
 * kept from them.
 */
#ifndef PATHWAY_DEBTS_H
#define PATHWAY_DEBTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/fold.h"

struct debts;

MUST_CHECK enum err_code debts_new(struct debts **out, struct err *err);
void debts_free(struct debts *d); /* NULL allowed */

/* Does anybody owe anything? Else nothing has to be found out about subjects. */
bool debts_are_owed(const struct debts *d);
/* Is this subject to be held back, of a hub (NULL: none is known)? */
bool debts_must_wait(const struct debts *d, const char *subject, const char *hub);
/* It was folded and judged, which took so long; `is_slow`: with runs that were slow, see sandbox.h.
 */
void debts_charge(struct debts *d, const struct fold *f, int64_t took_us, bool is_slow);

/* Hold it back until its turn comes. ERR_LIMIT: no memory. */
MUST_CHECK enum err_code debts_hold(struct debts *d, const char *subject, const char *hub,
                                    struct err *err);
/* Whose turn it is at the monotonic instant `now`: it need not wait any more, until it is charged.
 * NULL: nobody's, or the last one's still. Borrowed until the next call. */
const char *debts_next(struct debts *d, int64_t now);
/* There was nothing to do for the one whose turn it is. */
void debts_pass(struct debts *d);
/* The monotonic instant at which the next one's turn comes; INT64_MAX: nobody waits. */
int64_t debts_turn_at(const struct debts *d);
size_t debts_held(const struct debts *d);
/* Write who owes, separated by spaces, as far as there is room: hubs, and subjects that have left
 * one. */
void debts_list(const struct debts *d, char *out, size_t size);

/* Nobody is held back any more, since all begins anew; who owes goes on to. */
void debts_release(struct debts *d);
/* Other rules: nobody owes anything. */
void debts_forgive(struct debts *d);

#endif
