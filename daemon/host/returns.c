/* returns.c - see returns.h. */
#include "host/returns.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

/* Jobs whose commit is on its way to the disk, and how far the engine will have come with it. */
struct returns_group {
    struct returns_group *next;
    struct job *first, *last; /* NULL: a commit without jobs */
    int64_t ticket;
    int64_t began; /* monotonic; 0: it is not timed */
    struct figures figures;
};

enum err_code returns_init(struct returns *r, uv_async_t *wake, struct err *err)
{
    *r = (struct returns){ .wake = wake };
    int rc = uv_mutex_init(&r->lock);
    return rc == 0 ? OK : err_set(err, ERR_IO, "make a mutex: %s", uv_strerror(rc));
}

void returns_fini(struct returns *r)
{
    uv_mutex_destroy(&r->lock);
}

void returns_wake(struct returns *r)
{
    uv_async_send(r->wake);
}

/* Append jobs that are linked to those for the loop. Under the lock. */
static void append(struct returned *back, struct job *first, struct job *last)
{
    if (!first)
        return;
    last->next = NULL;
    if (back->last)
        back->last->next = first;
    else
        back->first = first;
    back->last = last;
}

void returns_give(struct returns *r, struct job *job)
{
    uv_mutex_lock(&r->lock);
    append(&r->back, job, job);
    uv_mutex_unlock(&r->lock);
}

static void fail_group(struct returns_group *g, const struct err *why)
{
    for (struct job *job = g->first; job; job = job == g->last ? NULL : job->next) {
        job->code = why->code;
        job->err = *why;
    }
}

/* A group's commit has come back. Under the lock. */
static void finish_group(struct returns *r, struct returns_group *g, const struct err *why)
{
    if (why)
        fail_group(g, why);
    else if (g->began)
        histogram_add(&r->commits, clock_monotonic() - g->began);
    if (!why) { /* told before the jobs that brought it there */
        r->back.figures = g->figures;
        r->back.figures.commits = r->commits;
    }
    append(&r->back, g->first, g->last);
    free(g);
}

void returns_on_durable(int64_t ticket, const struct err *why, void *arg)
{
    struct returns *r = arg;

    uv_mutex_lock(&r->lock);
    if (why) {
        r->failed = ticket;
        r->why = *why;
    } else {
        r->durable = ticket;
    }
    while (r->going && r->going->ticket <= ticket) {
        struct returns_group *g = r->going;
        r->going = g->next;
        if (!r->going)
            r->going_last = NULL;
        finish_group(r, g, why);
    }
    uv_mutex_unlock(&r->lock);
    if (why)
        log_err("engine: commit failed error=%s", why->msg);
    returns_wake(r);
}

void returns_send_off(struct returns *r, struct engine *e, struct job *first, struct job *last,
                      int64_t began)
{
    struct returns_group *g = calloc(1, sizeof(*g));

    while (!g) { /* nothing else can be done with jobs whose events are taken */
        struct timespec moment = { .tv_nsec = 1000000 };
        nanosleep(&moment, NULL);
        g = calloc(1, sizeof(*g));
    }
    *g = (struct returns_group){
        .first = first, .last = last, .ticket = engine_ticket(e), .began = began
    };
    engine_counters(e, &g->figures.engine);
    engine_progress(e, &g->figures.progress);
    uv_mutex_lock(&r->lock);
    if (g->ticket > 0 && r->failed >= g->ticket) { /* it came back before it was sent off */
        finish_group(r, g, &r->why);
    } else if (r->durable >= g->ticket) {
        finish_group(r, g, NULL);
    } else {
        *(r->going_last ? &r->going_last->next : &r->going) = g;
        r->going_last = g;
    }
    uv_mutex_unlock(&r->lock);
    returns_wake(r);
}

void returns_opened(struct returns *r, struct engine *e, const struct err *why)
{
    uv_mutex_lock(&r->lock);
    r->back.opened = e;
    r->back.catalog = e ? engine_catalog(e) : NULL;
    r->back.has_failed = e == NULL;
    if (!e)
        r->back.error = *why;
    uv_mutex_unlock(&r->lock);
    returns_wake(r);
}

void returns_ended(struct returns *r)
{
    uv_mutex_lock(&r->lock);
    r->back.has_ended = true;
    uv_mutex_unlock(&r->lock);
    returns_wake(r);
}

void returns_take(struct returned *out, struct returns *r)
{
    uv_mutex_lock(&r->lock);
    *out = r->back;
    r->back.first = r->back.last = NULL;
    uv_mutex_unlock(&r->lock);
}
