/*
 * returns.h - what comes back to the loop from the threads of the engine and the writer: jobs that
 * are done, each once its commit is durable, and how far the engine has come.
 *
 * A job whose commit is under way waits here for the writer's word. Whatever comes back wakes the
 * loop, which takes all of it at once: what was done is told before the jobs that did it.
 */
#ifndef PATHWAY_HOST_RETURNS_H
#define PATHWAY_HOST_RETURNS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "engine/engine.h"
#include "host/job.h"
#include "host/metrics.h"

/* What the loop is told. */
struct returned {
    struct job *first, *last; /* done, oldest first */
    struct figures figures;
    struct engine *opened; /* set once; closed already, when it was told to stop meanwhile */
    const struct catalog *catalog; /* of its rules then */
    struct err error;              /* why it can not open */
    bool has_failed;
    bool has_ended;
};

struct returns_group;
struct returns {
    uv_async_t *wake; /* borrowed: of the loop */
    uv_mutex_t lock;  /* of all that follows */
    struct returned back;
    struct returns_group *going, *going_last; /* by ticket */
    int64_t durable, failed;                  /* the newest tickets that came back; 0: none */
    struct err why;                           /* of the one that failed */
    struct histogram commits;
};

/* ERR_IO. `wake` need not be ready before something comes back. */
MUST_CHECK enum err_code returns_init(struct returns *r, uv_async_t *wake, struct err *err);
void returns_fini(struct returns *r);

/* From any thread: this job is done. Wakes nobody: returns_wake() when there is no more to give. */
void returns_give(struct returns *r, struct job *job);
void returns_wake(struct returns *r);
/* On the engine's thread: jobs first..last (NULL: none, but there was a commit) are done with the
 * engine's last commit, which began at the monotonic instant `began` (0: it is not timed): give
 * them back once it is durable. */
void returns_send_off(struct returns *r, struct engine *e, struct job *first, struct job *last,
                      int64_t began);
/* engine_options' `durable`, with the returns as its argument. */
void returns_on_durable(int64_t ticket, const struct err *why, void *arg);
/* On the engine's thread: it is open; NULL: it can not open. It has ended. */
void returns_opened(struct returns *r, struct engine *e, const struct err *why);
void returns_ended(struct returns *r);

/* On the loop: all that has come back. Its jobs are given once. */
void returns_take(struct returned *out, struct returns *r);

#endif
