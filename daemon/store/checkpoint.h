/*
 * checkpoint.h - moving what is committed from the WAL into the database, off the way of commits.
 *
 * A thread with a connection of its own does nearly all of it. Only what was committed meanwhile is
 * left to the writer, between two commits: then the WAL begins anew, else it would grow as long as
 * there is no pause.
 */
#ifndef PATHWAY_STORE_CHECKPOINT_H
#define PATHWAY_STORE_CHECKPOINT_H

#include "base/err.h"

struct checkpoint;
struct store;

/* `writing` is the store that commits; borrowed. */
MUST_CHECK enum err_code checkpoint_start(struct checkpoint **out, struct store *writing,
                                          struct err *err);
/* On the writer's thread, after each commit. */
void checkpoint_after_commit(struct checkpoint *c);
void checkpoint_stop(struct checkpoint *c); /* NULL allowed */

#endif
