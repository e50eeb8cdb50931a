/*
 * doubts.h - what is most likely a mistake in rules that load: found by running them.
 *
 * They judge invented schools, and the pack's own tests where those leave a rule untried. Reported
 * are rules that fail there, rules that are never met or never unmet, criteria that no other rule
 * looks at, and facts that nothing sets. A test that shows the rule coming out that way settles a
 * doubt.
 */
#ifndef PATHWAY_DOUBTS_H
#define PATHWAY_DOUBTS_H

#include "lua/rulebook.h"

#define DOUBTS_ROUNDS 12000 /* invented schools, at most */

/* Add what is found to `problems`: about the national pack, and about what each overlay adds or
 * changes (of a hub's own folder only that). The same rules give the same doubts. */
MUST_CHECK enum err_code doubts_find(struct problems *problems, struct rulebook *rules, int rounds,
                                     struct err *err);

#endif
