/*
 * held.h - what a backup holds, told to people and programs.
 */
#ifndef PATHWAY_CLI_HELD_H
#define PATHWAY_CLI_HELD_H

#include "base/buf.h"
#include "store/copy.h"

/* "1,234 events, the last recorded TIME, and 56 changes of decisions". */
void held_tell(struct buf *out, const struct copied *held);
/* "bytes":..,"events":..,"changes":..,"recorded":.. */
void held_json(struct buf *out, const struct copied *held);

/* A copy_progress_fn; `arg` is a struct progress. */
void held_progress(int64_t bytes, int64_t of, void *arg);

#endif
