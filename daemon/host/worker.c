/* worker.c - see worker.h. What threads share is the queue, to the engine, and the returns, from it
 * and the writer. */
#include "host/worker.h"

#include <stdlib.h>

#include "base/log.h"
#include "host/engine_thread.h"
#include "host/parts.h"
#include "host/queue.h"
#include "host/returns.h"

struct worker {
    struct worker_options options;
    struct worker_callbacks callbacks;
    void *arg;
    struct queue queue;
    struct returns returns;
    struct engine_thread engine_thread;
    uv_async_t async;
    uv_thread_t thread;
    /* The loop's own. */
    struct engine *engine;         /* NULL until ready */
    const struct catalog *catalog; /* of the rules in force */
    int64_t told_seq;
    bool told_ready;
    struct figures figures; /* as they came back last */
    bool is_joined, is_stopping;
};

static void finish_jobs(struct worker *w, struct job *job)
{
    for (struct job *next; job; job = next) {
        next = job->next; /* done may free the job */
        if (job->kind == JOB_RULES && job->code == OK)
            w->catalog = job->catalog;
        job->done(job);
    }
}

static void on_async(uv_async_t *async)
{
    struct worker *w = async->data;

    struct returned back;

    returns_take(&back, &w->returns);
    w->figures = back.figures;
    if (back.opened && !w->told_ready) {
        w->told_ready = true;
        w->engine = back.opened;
        w->catalog = back.catalog; /* it changes no rules before it is told to */
        w->told_seq = back.figures.progress.feed_seq;
        w->callbacks.ready(w->arg);
    }
    finish_jobs(w, back.first);
    if (back.figures.progress.feed_seq > w->told_seq) {
        w->told_seq = back.figures.progress.feed_seq;
        w->callbacks.changed(w->arg, w->told_seq);
    }
    if (!back.has_ended || w->is_joined)
        return;
    uv_thread_join(&w->thread);
    w->is_joined = true;
    w->engine = NULL;
    if (back.has_failed)
        w->callbacks.failed(w->arg, &back.error);
    w->callbacks.closed(w->arg);
}

static enum err_code start_parts(struct worker *w, uv_loop_t *loop, struct err *err)
{
    if (queue_init(&w->queue, w->options.max_events, w->options.max_bytes, err) != OK)
        return err->code;
    if (returns_init(&w->returns, &w->async, err) != OK) {
        queue_fini(&w->queue);
        return err->code;
    }
    int rc = uv_async_init(loop, &w->async, on_async);
    w->async.data = w;
    if (rc == 0)
        rc = uv_thread_create(&w->thread, engine_thread_run, &w->engine_thread);
    if (rc == 0)
        return OK;
    returns_fini(&w->returns);
    queue_fini(&w->queue);
    return err_set(err, ERR_IO, "start the engine thread: %s", uv_strerror(rc));
}

enum err_code worker_start(struct worker **out, uv_loop_t *loop,
                           const struct worker_options *options,
                           const struct worker_callbacks *callbacks, void *arg, struct err *err)
{
    *out = NULL;
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        return err_set(err, ERR_LIMIT, "no memory for the engine thread");
    w->options = *options;
    w->options.engine.durable = returns_on_durable;
    w->options.engine.arg = &w->returns;
    w->engine_thread = (struct engine_thread){ .options = &w->options.engine,
                                               .queue = &w->queue,
                                               .returns = &w->returns };
    w->callbacks = *callbacks;
    w->arg = arg;
    enum err_code rc = start_parts(w, loop, err);
    if (rc == OK)
        *out = w;
    else
        free(w);
    return rc;
}

const struct engine *worker_engine(const struct worker *w)
{
    return w->is_stopping ? NULL : w->engine;
}

const struct catalog *worker_catalog(const struct worker *w)
{
    return w->catalog;
}

enum err_code worker_put(struct worker *w, struct job *job, struct err *err)
{
    if (!w->engine)
        return err_set(err, ERR_BUSY, "the daemon is starting: the database is being opened");
    job->code = OK;
    job->next = NULL;
    struct job *parts = parts_of(job, GROUP_EVENTS);
    if (!parts)
        return err_set(err, ERR_BUSY, "no memory for a request of %zu events", job->count);
    enum err_code rc = queue_put(&w->queue, parts, err);
    if (rc != OK)
        parts_free(parts, job);
    return rc;
}

void worker_return(struct worker *w, struct job *job)
{
    returns_give(&w->returns, job);
    returns_wake(&w->returns);
}

size_t worker_queued(struct worker *w)
{
    return queue_events(&w->queue);
}

const struct figures *worker_figures(const struct worker *w)
{
    return &w->figures;
}

void worker_stop(struct worker *w)
{
    if (w->is_stopping)
        return;
    w->is_stopping = true;
    queue_close(&w->queue);
}

static void on_closed(uv_handle_t *handle)
{
    struct worker *w = handle->data;

    returns_fini(&w->returns);
    queue_fini(&w->queue);
    engine_thread_fini(&w->engine_thread);
    free(w);
}

void worker_free(struct worker *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->async, on_closed);
}
