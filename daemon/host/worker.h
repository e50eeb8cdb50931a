/*
 * worker.h - the engine thread: opens the engine, takes queued jobs, wakes, closes it.
 *
 * All functions here are called on the loop thread, and all callbacks arrive there. Events
 * that arrive while a commit is under way go into the next one together (group commit).
 */
#ifndef PATHWAY_HOST_WORKER_H
#define PATHWAY_HOST_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "engine/engine.h"
#include "host/job.h"
#include "host/metrics.h"

struct worker;

struct worker_options {
    struct engine_options engine; /* its texts must outlive the worker */
    size_t max_events;            /* bounds of the queue */
    size_t max_bytes;
};

struct worker_callbacks {
    void (*ready)(void *arg);                         /* the engine is open */
    void (*failed)(void *arg, const struct err *err); /* it can not open; `closed` follows */
    void (*changed)(void *arg, int64_t feed_seq);     /* the feed has grown */
    void (*closed)(void *arg);                        /* the thread has ended; all jobs are done */
};

/* Start the thread. ERR_IO, ERR_LIMIT: nothing was started. */
MUST_CHECK enum err_code worker_start(struct worker **out, uv_loop_t *loop,
                                      const struct worker_options *options,
                                      const struct worker_callbacks *callbacks, void *arg,
                                      struct err *err);

/* NULL until it is open, and from worker_stop() on. What may be asked of it here is
 * engine_note_key(). */
const struct engine *worker_engine(const struct worker *w);
/* The types of event of the rules in force, once it is open: until the next `done` of a
 * JOB_RULES. */
const struct catalog *worker_catalog(const struct worker *w);

/* Hand a job over. ERR_BUSY: not ready, full or stopping; the job is still the caller's. */
MUST_CHECK enum err_code worker_put(struct worker *w, struct job *job, struct err *err);
/* Call job->done soon, with what is in it, without the engine. Until `closed`. */
void worker_return(struct worker *w, struct job *job);

/* Events that wait in the queue. */
size_t worker_queued(struct worker *w);

/* What the engine thread had counted when it last gave something back. */
const struct figures *worker_figures(const struct worker *w);

/* Finish what is queued, close the engine, then `closed`. A second call does nothing. */
void worker_stop(struct worker *w);

/* After `closed`. The memory goes when the loop has closed the handle. NULL is allowed. */
void worker_free(struct worker *w);

#endif
