/*
 * job.h - one piece of work on its way from the loop thread to the engine thread and back.
 *
 * Whoever made a job owns it. Between worker_put() and its `done` it belongs to the worker.
 */
#ifndef PATHWAY_HOST_JOB_H
#define PATHWAY_HOST_JOB_H

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "engine/engine.h"

enum job_kind {
    JOB_TAKE,    /* events: merged with its neighbours into one commit */
    JOB_COMMAND, /* a write outside the log */
    JOB_SYNC,    /* nothing, given back once the tables have come as far as the log is now */
    JOB_PING,    /* nothing: shows that both threads are alive */
    JOB_RULES,   /* rules to judge by: given back when they do, or are refused */
};

struct job;
typedef void job_fn(struct job *job);

struct job {
    enum job_kind kind;
    struct job *next;   /* the queue's */
    size_t bytes;       /* counted against the queue's bound */
    struct take *items; /* JOB_TAKE; borrowed */
    size_t count;
    const char *command;       /* JOB_COMMAND; borrowed */
    const struct json *params; /* JOB_COMMAND; borrowed */
    char *answer;              /* JOB_COMMAND: the maker's to free() */
    struct rulebook *rules; /* JOB_RULES; taken over, and NULL when it comes back, unless they were
                               refused at once */
    const struct pack_origin *origins; /* JOB_RULES: theirs; borrowed */
    const struct catalog *catalog;     /* JOB_RULES: theirs */
    struct engine_swap
        swap;           /* JOB_RULES: what became of it; what was replaced is the maker's to free */
    enum err_code code; /* the outcome; OK: items have their status, answer is there */
    struct err err;     /* why not, when code is not OK */
    job_fn *done;       /* called once, on the loop thread */
    void *arg;
};

#endif
