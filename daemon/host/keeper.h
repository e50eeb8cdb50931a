/*
 * keeper.h - small writes outside the log, gathered: while one transaction is on its way to the
 * disk, what comes meanwhile waits and goes together in the next.
 */
#ifndef PATHWAY_HOST_KEEPER_H
#define PATHWAY_HOST_KEEPER_H

#include <pathway/plugin.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "host/service.h"

struct keeper;

MUST_CHECK enum err_code keeper_new(struct keeper **out, uv_loop_t *loop, struct service *s,
                                    struct err *err);

/* One op of engine/keep.h, as JSON; it is spent. `done` (NULL allowed) once it is on disk, or why
 * not. `hurried`: at once; else within a tenth of a second. ERR_LIMIT: no memory, or far too many
 * wait; then no call. */
MUST_CHECK enum err_code keeper_add(struct keeper *k, struct buf *op, bool hurried,
                                    pw_answer_fn *done, void *arg, struct err *err);

/* Write what waits, then call `done`: perhaps inside this call. Nothing may be added any more. */
void keeper_stop(struct keeper *k, void (*done)(void *arg), void *arg);
/* After that `done`. NULL is allowed. */
void keeper_free(struct keeper *k);

#endif
