/*
 * engine_thread.h - what the engine's thread does, and in which order: jobs as they come, and what
 * takes long a piece at a time between them.
 */
#ifndef PATHWAY_HOST_ENGINE_THREAD_H
#define PATHWAY_HOST_ENGINE_THREAD_H

#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "host/job.h"
#include "host/queue.h"
#include "host/returns.h"

#define GROUP_EVENTS 125 /* at most so many in one commit: some ten milliseconds */

struct engine_thread {
    const struct engine_options *options; /* borrowed, as the next two */
    struct queue *queue;
    struct returns *returns;
    /* The thread's own, all zero to begin with; instants are monotonic. */
    struct job *syncs;    /* those who wait for the tables */
    struct job *changing; /* the JOB_RULES under way */
    int64_t tried_at;     /* the end of the last slice for it */
    int64_t next_try_at;  /* no slice before */
    struct take *merged;  /* owned: room for a group */
    size_t merged_cap;
    int64_t retry_wake_at;     /* 0: at once */
    int64_t retry_catch_up_at; /* the same */
    int64_t retry_scrub_at;
    int64_t syncs_commit; /* the last commit when the last of them asked */
    int turn;             /* the piece of long work that ran last */
};

/* Open the engine, serve until the queue is finished, close it: for uv_thread_create(), with a
 * struct engine_thread. */
void engine_thread_run(void *arg);
/* After it has ended. */
void engine_thread_fini(struct engine_thread *t);

#endif
