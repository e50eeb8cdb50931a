/*
 * whatif_count.h - what a hand of a what-if has counted so far, and the rows that it has found.
 */
#ifndef PATHWAY_WHATIF_COUNT_H
#define PATHWAY_WHATIF_COUNT_H

#include "engine/whatif.h"

/* Compare `w->old_said` with `w->new_said`, of these records (which may be one), at moment number
 * `m`; `now` was judged last. */
MUST_CHECK enum err_code whatif_count(struct whatif *w, int m, const char *subject,
                                      struct record *old, struct record *now, struct err *err);

/* Add what `from` has counted to `into`. Its texts stay where they are. */
MUST_CHECK enum err_code whatif_add(struct whatif *into, const struct whatif *from,
                                    struct err *err);

#endif
