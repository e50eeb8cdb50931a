/*
 * loopwatch.h - tells when the loop stands still, and in whose code.
 *
 * Everything that serves people runs on the loop thread, so whoever blocks it stops all. In C
 * nobody can be made to go on; but it is seen, named in the log while it lasts, and counted.
 */
#ifndef PATHWAY_HOST_LOOPWATCH_H
#define PATHWAY_HOST_LOOPWATCH_H

#include <uv.h>

#include "base/buf.h"
#include "base/err.h"

#define LOOPWATCH_MS 2000 /* standing still for longer is told */

struct loopwatch;

MUST_CHECK enum err_code loopwatch_start(struct loopwatch **out, uv_loop_t *loop, struct err *err);
/* From here on it is `who` (a constant, or alive as long as the watch) who runs; NULL: the host.
 * Returns who it was before. NULL allowed for the watch. */
const char *loopwatch_enter(struct loopwatch *w, const char *who);
/* pathwayd_loop_stalls_total and pathwayd_loop_stall_seconds_total. */
void loopwatch_measure(const struct loopwatch *w, struct buf *out);
/* Ends its thread, then `done` once its handle is closed. */
void loopwatch_stop(struct loopwatch *w, void (*done)(void *arg), void *arg);
void loopwatch_free(struct loopwatch *w);

#endif
