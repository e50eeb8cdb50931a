/*
 * stuck.h - packs whose code never came back: recorded while the process ends of it, and left out
 * by the next one.
 *
 * A run that uses up its budget is stopped at its next step. One that makes no step any more,
 * somewhere inside C, can not be: after some seconds of the processor's time the signal's handler
 * writes down whose it was, in a file beside the database, and ends the process. Whoever opens the
 * database next takes that over, and the pack, as long as it is what it was, is refused. So a
 * restart needs nobody.
 */
#ifndef PATHWAY_STUCK_H
#define PATHWAY_STUCK_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

#define STUCK_EXIT 70 /* the process ends with this */

/* From now on the process ends when a run does not come back, on whatever thread. `database`: its
 * path. */
void stuck_watch(const char *database);

/* Take over what a process has left that ended so. */
MUST_CHECK enum err_code stuck_take(struct store *s, const char *database, struct err *err);

/* Each pack that never came back: "hubs/07", the digest of its files (files_digest()), and
 * where. */
typedef enum err_code stuck_fn(const char *pack, const char *digest, const char *where, void *arg,
                               struct err *err);
MUST_CHECK enum err_code stuck_each(struct store *s, stuck_fn *fn, void *arg, struct err *err);

#endif
