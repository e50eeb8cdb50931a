/*
 * worker.c - see worker.h. What both threads touch is the queue and `back`, each behind its
 * own lock; the rest belongs to the thread named beside it.
 */
#include "host/worker.h"

#include <stdlib.h>

#include "base/civil.h"
#include "base/log.h"
#include "host/queue.h"

#define GROUP_EVENTS    5000           /* at most so many in one commit, or one request's */
#define LONGEST_WAIT_US (3 * US_PER_S) /* a clock set forward is noticed after so long */
#define RETRY_WAKE_US   (5 * US_PER_S) /* after a wake that failed */

/* What the engine thread has to tell the loop. */
struct back {
    struct job *first; /* finished jobs, oldest first */
    struct job *last;
    int64_t feed_seq;
    struct figures figures;
    struct engine *opened; /* set once */
    struct err error;      /* why it can not open */
    bool has_failed;
    bool has_ended;
};

struct worker {
    struct worker_options options;
    struct worker_callbacks callbacks;
    void *arg;
    struct queue queue;
    uv_mutex_t lock; /* of `back` */
    struct back back;
    uv_async_t async;
    uv_thread_t thread;
    struct engine *engine;    /* loop thread's copy: NULL until ready */
    int64_t told_seq;         /* loop thread */
    bool told_ready;          /* loop thread */
    struct figures figures;   /* loop thread's copy */
    bool is_joined;           /* loop thread */
    bool is_stopping;         /* loop thread */
    struct take *merged;      /* engine thread: room for a group */
    size_t merged_cap;        /* engine thread */
    int64_t retry_wake_at;    /* engine thread, monotonic; 0: at once */
    struct histogram commits; /* engine thread */
};

/* --- engine thread --- */

static void give_back(struct worker *w, struct job *job)
{
    uv_mutex_lock(&w->lock);
    job->next = NULL;
    if (w->back.last)
        w->back.last->next = job;
    else
        w->back.first = job;
    w->back.last = job;
    uv_mutex_unlock(&w->lock);
}

/* How far the engine has come. Told before the jobs that brought it there are given back. */
static void tell_progress(struct worker *w, struct engine *e)
{
    struct figures figures = { .commits = w->commits };

    engine_counters(e, &figures.engine);
    uv_mutex_lock(&w->lock);
    w->back.feed_seq = engine_feed_seq(e);
    w->back.figures = figures;
    uv_mutex_unlock(&w->lock);
}

static enum err_code take_timed(struct worker *w, struct engine *e, struct take *items,
                                size_t count, struct err *err)
{
    int64_t began = clock_monotonic();

    enum err_code rc = engine_take(e, items, count, err);
    if (rc == OK)
        histogram_add(&w->commits, clock_monotonic() - began);
    return rc;
}

static void take_alone(struct worker *w, struct engine *e, struct job *job)
{
    job->code = job->count > 0 ? take_timed(w, e, job->items, job->count, &job->err) : OK;
    if (job->code != OK)
        log_err("engine: batch refused events=%zu error=%s", job->count, job->err.msg);
}

static bool make_room(struct worker *w, size_t count)
{
    if (count <= w->merged_cap)
        return true;
    struct take *grown = realloc(w->merged, count * sizeof(*grown));
    if (!grown)
        return false;
    w->merged = grown;
    w->merged_cap = count;
    return true;
}

/* All takes from `first` up to `end` in one commit. False: none of them was taken. */
static bool take_merged(struct worker *w, struct engine *e, struct job *first,
                        const struct job *end, size_t count)
{
    struct err why;
    size_t n = 0;

    if (!make_room(w, count))
        return false;
    for (struct job *job = first; job != end; job = job->next)
        for (size_t i = 0; i < job->count; i++)
            w->merged[n++] = job->items[i];
    if (take_timed(w, e, w->merged, count, &why) != OK) {
        log_warn("engine: group refused, trying each request alone events=%zu error=%s", count,
                 why.msg);
        return false;
    }
    n = 0;
    for (struct job *job = first; job != end; job = job->next) {
        job->code = OK;
        for (size_t i = 0; i < job->count; i++)
            job->items[i] = w->merged[n++];
    }
    return true;
}

/* Neighbouring takes; returns the first job that is none. */
static struct job *take_run(struct worker *w, struct engine *e, struct job *first)
{
    struct job *end = first;
    size_t events = 0, jobs = 0;

    for (; end && end->kind == JOB_TAKE; end = end->next, jobs++)
        events += end->count;
    if (jobs == 1 || events == 0 || !take_merged(w, e, first, end, events))
        for (struct job *job = first; job != end; job = job->next)
            take_alone(w, e, job);
    return end;
}

static void run_job(struct engine *e, struct job *job)
{
    if (job->kind == JOB_COMMAND)
        job->code = engine_command(&job->answer, e, job->command, job->params, &job->err);
    else
        job->code = OK;
}

static void run_jobs(struct worker *w, struct engine *e, struct job *jobs)
{
    struct job *next = NULL;

    for (struct job *job = jobs; job; job = next) {
        if (job->kind == JOB_TAKE) {
            next = take_run(w, e, job);
        } else {
            run_job(e, job);
            next = job->next;
        }
        tell_progress(w, e);
        for (struct job *done = job, *after; done != next; done = after) {
            after = done->next;
            give_back(w, done);
        }
    }
}

static bool is_due(const struct worker *w, const struct engine *e)
{
    return engine_next_wake(e) <= clock_now(&w->options.engine.clock) &&
           clock_monotonic() >= w->retry_wake_at;
}

/* How long to sleep when there is no job. A fixed clock never moves: only jobs matter then. */
static int64_t idle_us(const struct worker *w, const struct engine *e)
{
    int64_t wake = engine_next_wake(e);
    int64_t now = clock_now(&w->options.engine.clock);

    if (is_due(w, e))
        return 0;
    if (wake <= now)
        return LONGEST_WAIT_US;
    if (wake == TIME_NEVER || w->options.engine.clock.fixed_us != TIME_NEVER)
        return QUEUE_FOREVER;
    return wake - now < LONGEST_WAIT_US ? wake - now : LONGEST_WAIT_US;
}

static void wake_slice(struct worker *w, struct engine *e)
{
    struct err why;
    int64_t began = clock_monotonic();

    w->retry_wake_at = 0;
    if (engine_wake(e, &why) == OK) {
        histogram_add(&w->commits, clock_monotonic() - began);
        return;
    }
    w->retry_wake_at = clock_monotonic() + RETRY_WAKE_US;
    log_err("engine: wake failed, again in %llds error=%s", RETRY_WAKE_US / US_PER_S, why.msg);
}

static void serve(struct worker *w, struct engine *e)
{
    while (!queue_is_finished(&w->queue)) {
        struct job *jobs = queue_take(&w->queue, GROUP_EVENTS, idle_us(w, e));
        run_jobs(w, e, jobs);
        bool is_waking = is_due(w, e);
        if (is_waking) {
            wake_slice(w, e);
            tell_progress(w, e);
        }
        if (jobs || is_waking)
            uv_async_send(&w->async);
    }
}

static void tell_opened(struct worker *w, struct engine *e, const struct err *why)
{
    uv_mutex_lock(&w->lock);
    w->back.opened = e;
    w->back.has_failed = e == NULL;
    if (!e)
        w->back.error = *why;
    uv_mutex_unlock(&w->lock);
    uv_async_send(&w->async);
}

static void run(void *arg)
{
    struct worker *w = arg;
    struct engine *e = NULL;
    struct err why = { 0 };
    int64_t began = clock_monotonic();

    if (engine_open(&e, &w->options.engine, &why) == OK) {
        log_info("engine: open feed_seq=%lld took_ms=%lld", (long long)engine_feed_seq(e),
                 (long long)(clock_monotonic() - began) / 1000);
        tell_progress(w, e);
        tell_opened(w, e, NULL);
        serve(w, e);
        engine_close(e);
        log_info("engine: closed");
    } else {
        tell_opened(w, NULL, &why);
    }
    uv_mutex_lock(&w->lock);
    w->back.has_ended = true;
    uv_mutex_unlock(&w->lock);
    uv_async_send(&w->async);
}

/* --- loop thread --- */

static void finish_jobs(struct job *job)
{
    for (struct job *next; job; job = next) {
        next = job->next; /* done may free the job */
        job->done(job);
    }
}

static void on_async(uv_async_t *async)
{
    struct worker *w = async->data;

    uv_mutex_lock(&w->lock);
    struct back back = w->back;
    w->back.first = w->back.last = NULL;
    uv_mutex_unlock(&w->lock);

    w->figures = back.figures;
    if (back.opened && !w->told_ready) {
        w->told_ready = true;
        w->engine = back.opened;
        w->told_seq = back.feed_seq;
        w->callbacks.ready(w->arg);
    }
    finish_jobs(back.first);
    if (back.feed_seq > w->told_seq) {
        w->told_seq = back.feed_seq;
        w->callbacks.changed(w->arg, back.feed_seq);
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
    int rc = uv_mutex_init(&w->lock);
    if (rc != 0) {
        queue_fini(&w->queue);
        return err_set(err, ERR_IO, "make a mutex: %s", uv_strerror(rc));
    }
    rc = uv_async_init(loop, &w->async, on_async);
    w->async.data = w;
    if (rc == 0)
        rc = uv_thread_create(&w->thread, run, w);
    if (rc == 0)
        return OK;
    uv_mutex_destroy(&w->lock);
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
    return w->engine;
}

enum err_code worker_put(struct worker *w, struct job *job, struct err *err)
{
    if (!w->engine)
        return err_set(err, ERR_BUSY, "the daemon is starting: the database is being opened");
    job->code = OK;
    return queue_put(&w->queue, job, err);
}

void worker_return(struct worker *w, struct job *job)
{
    give_back(w, job);
    uv_async_send(&w->async);
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

    uv_mutex_destroy(&w->lock);
    queue_fini(&w->queue);
    free(w->merged);
    free(w);
}

void worker_free(struct worker *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->async, on_closed);
}
