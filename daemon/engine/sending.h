/*
 * sending.h - may this sender write about this subject?
 *
 * One who is bound to hubs may write about subjects that are of one of them now, or that the event
 * itself puts there when they are of none yet; and may not put a subject anywhere else. A
 * succession is written about the predecessor as well.
 */
#ifndef PATHWAY_SENDING_H
#define PATHWAY_SENDING_H

#include <stdbool.h>

#include "base/strmap.h"
#include "engine/engine.h"
#include "store/store.h"

/* Zeroed to valid. What the events of a batch say that is not in the store yet. */
struct sending {
    bool is_bound;       /* somebody in this batch is */
    struct strmap moved; /* subject to its hub, by events of this batch; the texts are theirs */
};

void sending_init(struct sending *s, const struct take *items, size_t count);
void sending_fini(struct sending *s);
/* *out: the subject that the sender may not write about, the event's own text; NULL: it may. */
MUST_CHECK enum err_code sending_check(const char **out, struct sending *s, struct store *store,
                                       const struct take *t, struct err *err);
/* The event was taken: its subject may be of another hub now. */
MUST_CHECK enum err_code sending_note(struct sending *s, const struct take *t, struct err *err);

#endif
