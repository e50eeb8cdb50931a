/*
 * postpone.h - which subjects a commit leaves for later, and how they are left.
 *
 * Two reasons: more is to be folded anew than a commit may take, or the rules of the subject's hub
 * take so long that its subjects are held back until it is their turn. What is left is due again,
 * with the events that ask for it kept, so that a crash forgets nothing.
 */
#ifndef PATHWAY_POSTPONE_H
#define PATHWAY_POSTPONE_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/publish.h"

/* Has the commit's budget for folding anew been spent? In a replay: did that commit leave it? */
bool postpone_must(const struct publication *p, const char *subject, bool is_rebuilt);
/* Is it held back? `l`: its record, NULL where there is none. What is, is owed a turn. */
MUST_CHECK enum err_code postpone_is_held(bool *out, struct publication *p, const char *subject,
                                          const struct live *l, const struct concern *concern,
                                          struct err *err);
/* Leave it for a later commit. Its live record, where events have come, goes. */
MUST_CHECK enum err_code postpone(struct publication *p, const char *subject,
                                  struct concern *concern, struct err *err);
/* The same of one that is held back: until its turn comes nothing wakes it. */
MUST_CHECK enum err_code postpone_held(struct publication *p, const char *subject,
                                       struct concern *concern, struct err *err);

#endif
