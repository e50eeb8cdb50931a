/*
 * touch.h - which subjects an event touches, as its row says: a JSON array of pairs, flat, of a
 * subject's number and of the event before in that subject's chain (0: none).
 */
#ifndef PATHWAY_STORE_TOUCH_H
#define PATHWAY_STORE_TOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store;

struct touch {
    int64_t subject, prev;
};

/* Take the next pair; *at moves behind it. False: it was the last, or what stands there is none.
 * NULL is empty. */
bool touch_next(struct touch *out, const char **at);
/* Append one more; the first one opens the array, and touch_end() closes it. */
void touch_add(struct buf *b, const struct touch *touch);
void touch_end(struct buf *b);

/* See what events after `seq` touch: heads of subjects, of which a store that writes keeps rows. */
MUST_CHECK enum err_code touches_load_heads(struct store *s, int64_t seq, struct err *err);

#endif
