/*
 * worker.c - see worker.h. What several threads touch is the queue, and what is behind `lock`; the rest
 * belongs to the thread named beside it. The engine thread hands commits to the writer's thread and goes on;
 * jobs go back to the loop when their commit is durable.
 */
#include "host/worker.h"

#include <stdlib.h>
#include <time.h>

#include "base/civil.h"
#include "base/log.h"
#include "host/parts.h"
#include "host/queue.h"

#define GROUP_EVENTS    125            /* at most so many in one commit: some ten milliseconds */
#define LONGEST_WAIT_US (3 * US_PER_S) /* a clock set forward is noticed after so long */
#define RETRY_US        (5 * US_PER_S) /* after a wake, or a slice of the tables, that failed */
/* Of the engine's time, rules that are being tried have a third, however much comes in: after so long a time of other
 * work they have half of that, within bounds, since all that arrives meanwhile waits. */
#define TRY_SHARE  2
#define TRY_MAX_US 50000
/* One subject that takes longer than this by them is their fault, not the others': they pay for it with so many times
 * as long a wait. */
#define TRY_LONG_US 150000
#define TRY_PAYS    10

/* What takes long, each a piece at a time: a part of a large request; what is due; a slice of rules that are tried;
 * a slice of the tables that somebody waits for. */
enum { PIECE_LARGE, PIECE_WAKE, PIECE_CHANGING, PIECE_SYNC, PIECES };

/* Jobs whose commit is on its way to the disk, and how far the engine will have come with it. */
struct group {
    struct group *next;
    struct job *first, *last; /* NULL: a commit without jobs */
    int64_t ticket;
    int64_t began; /* monotonic; 0: it is not timed */
    struct figures figures;
};

/* What the other threads have to tell the loop. */
struct back {
    struct job *first; /* finished jobs, oldest first */
    struct job *last;
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
    uv_mutex_t lock; /* of all down to `commits` */
    struct back back;
    struct group *going, *going_last; /* by ticket */
    int64_t durable, failed;          /* the newest tickets that came back; 0: none */
    struct err why;                   /* of the one that failed */
    struct histogram commits;
    uv_async_t async;
    uv_thread_t thread;
    struct engine *engine;         /* loop thread's copy: NULL until ready */
    const struct catalog *catalog; /* loop thread: of the rules in force */
    int64_t told_seq;              /* loop thread */
    bool told_ready;               /* loop thread */
    struct figures figures;        /* loop thread's copy */
    bool is_joined;                /* loop thread */
    bool is_stopping;              /* loop thread */
    struct job *syncs;             /* engine thread: those who wait for the tables */
    struct job *changing;          /* engine thread: the JOB_RULES under way */
    int64_t tried_at;              /* engine thread, monotonic: the end of the last slice for it */
    int64_t next_try_at;           /* the same: no slice before */
    struct take *merged;           /* engine thread: room for a group */
    size_t merged_cap;             /* engine thread */
    int64_t retry_wake_at;         /* engine thread, monotonic; 0: at once */
    int64_t retry_catch_up_at;     /* the same */
    int64_t syncs_commit;          /* engine thread: the last commit when the last of them asked */
    int turn;                      /* engine thread: the piece of long work that ran last */
};

/* --- engine thread --- */

/* Append jobs that are linked to those for the loop. Under the lock. */
static void append(struct back *back, struct job *first, struct job *last)
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

static void give_back(struct worker *w, struct job *job)
{
    uv_mutex_lock(&w->lock);
    append(&w->back, job, job);
    uv_mutex_unlock(&w->lock);
}

static void fail_group(struct group *g, const struct err *why)
{
    for (struct job *job = g->first; job; job = job == g->last ? NULL : job->next) {
        job->code = why->code;
        job->err = *why;
    }
}

/* A group's commit has come back. Under the lock. */
static void finish_group(struct worker *w, struct group *g, const struct err *why)
{
    if (why)
        fail_group(g, why);
    else if (g->began)
        histogram_add(&w->commits, clock_monotonic() - g->began);
    if (!why) { /* told before the jobs that brought it there */
        w->back.figures = g->figures;
        w->back.figures.commits = w->commits;
    }
    append(&w->back, g->first, g->last);
    free(g);
}

/* On the writer's thread. */
static void on_durable(int64_t ticket, const struct err *why, void *arg)
{
    struct worker *w = arg;

    uv_mutex_lock(&w->lock);
    if (why) {
        w->failed = ticket;
        w->why = *why;
    } else {
        w->durable = ticket;
    }
    while (w->going && w->going->ticket <= ticket) {
        struct group *g = w->going;
        w->going = g->next;
        if (!w->going)
            w->going_last = NULL;
        finish_group(w, g, why);
    }
    uv_mutex_unlock(&w->lock);
    if (why)
        log_err("engine: commit failed error=%s", why->msg);
    uv_async_send(&w->async);
}

/* Jobs first..last are done with the engine's last commit: give them back once it is durable. */
static void send_off(struct worker *w, struct engine *e, struct job *first, struct job *last,
                     int64_t began)
{
    struct group *g = calloc(1, sizeof(*g));

    while (!g) { /* nothing else can be done with jobs whose events are taken */
        struct timespec moment = { .tv_nsec = 1000000 };
        nanosleep(&moment, NULL);
        g = calloc(1, sizeof(*g));
    }
    *g = (struct group){ .first = first, .last = last, .ticket = engine_ticket(e), .began = began };
    engine_counters(e, &g->figures.engine);
    engine_progress(e, &g->figures.progress);
    uv_mutex_lock(&w->lock);
    if (g->ticket > 0 && w->failed >= g->ticket) { /* it came back before it was sent off */
        finish_group(w, g, &w->why);
    } else if (w->durable >= g->ticket) {
        finish_group(w, g, NULL);
    } else {
        *(w->going_last ? &w->going_last->next : &w->going) = g;
        w->going_last = g;
    }
    uv_mutex_unlock(&w->lock);
    uv_async_send(&w->async);
}

static void take_alone(struct engine *e, struct job *job)
{
    job->code = job->count > 0 ? engine_take(e, job->items, job->count, &job->err) : OK;
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
    if (engine_take(e, w->merged, count, &why) != OK) {
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
            take_alone(e, job);
    return end;
}

/* Rules that are tried are given up for those that come after them. */
static void stop_changing(struct worker *w, struct engine *e, const char *why)
{
    if (!w->changing)
        return;
    engine_give_up(e);
    w->changing->code = err_set(&w->changing->err, ERR_BUSY, "%s", why);
    give_back(w, w->changing);
    w->changing = NULL;
}

static void begin_changing(struct worker *w, struct engine *e, struct job *job)
{
    stop_changing(w, e, "other rules were sent while these were being tried");
    job->code = engine_try(e, job->rules, job->origins, &job->err);
    if (job->code != OK) {
        give_back(w, job);
        return;
    }
    job->rules = NULL;
    w->changing = job;
    w->tried_at = clock_monotonic();
    w->next_try_at = 0;
}

/* Go on with the rules that are being tried, by a slice between two batches. */
static void go_on_changing(struct worker *w, struct engine *e)
{
    struct job *job = w->changing;
    int64_t began = clock_monotonic(), share = (began - w->tried_at) / TRY_SHARE;

    job->code = engine_try_slice(&job->swap, e, began + (share < TRY_MAX_US ? share : TRY_MAX_US),
                                 &job->err);
    w->tried_at = clock_monotonic();
    if (w->tried_at - began > TRY_LONG_US)
        w->next_try_at = w->tried_at + TRY_PAYS * (w->tried_at - began);
    if (job->code == OK && !job->swap.replaced)
        return;
    w->changing = NULL;
    if (job->code == OK)
        send_off(w, e, job, job, 0);
    else
        give_back(w, job);
    uv_async_send(&w->async);
}

static void run_job(struct worker *w, struct engine *e, struct job *job)
{
    if (job->kind == JOB_RULES) {
        begin_changing(w, e, job);
        return;
    }
    if (job->kind == JOB_SYNC) {
        struct engine_progress at;
        engine_progress(e, &at);
        w->syncs_commit = at.commits;
        job->next = w->syncs;
        w->syncs = job;
        return;
    }
    if (job->kind == JOB_COMMAND)
        job->code = engine_command(&job->answer, e, job->command, job->params, &job->err);
    else
        job->code = OK;
    give_back(w, job);
}

/* What can not be taken is given back at once, whatever else is on its way. */
static void send_off_taken(struct worker *w, struct engine *e, struct job *first,
                           const struct job *end, int64_t began)
{
    struct job *taken = NULL, *last = NULL;

    for (struct job *job = first, *next; job != end; job = next) {
        next = job->next;
        job->next = NULL;
        if (job->code != OK) {
            give_back(w, job);
            continue;
        }
        *(last ? &last->next : &taken) = job;
        last = job;
    }
    if (taken)
        send_off(w, e, taken, last, began);
}

static void run_jobs(struct worker *w, struct engine *e, struct job *jobs)
{
    struct job *next = NULL;

    for (struct job *job = jobs; job; job = next) {
        if (job->kind == JOB_TAKE) {
            int64_t began = clock_monotonic();
            next = take_run(w, e, job);
            send_off_taken(w, e, job, next, began);
        } else {
            next = job->next;
            run_job(w, e, job);
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
        send_off(w, e, NULL, NULL, began);
        return;
    }
    w->retry_wake_at = clock_monotonic() + RETRY_US;
    log_err("engine: wake failed, again in %llds error=%s", RETRY_US / US_PER_S, why.msg);
}

/* Those who wait for the tables need no more than that they stand at a commit after their asking. */
static void finish_syncs(struct worker *w, struct engine *e)
{
    struct job *last = w->syncs;

    while (last && last->next)
        last = last->next;
    if (last)
        send_off(w, e, w->syncs, last, 0);
    w->syncs = NULL;
}

/* Bring the tables on by a slice: when nothing else is to be done, or somebody waits for them. */
static void catch_up(struct worker *w, struct engine *e)
{
    struct err why;

    if (engine_catch_up(e, &why) == OK) {
        send_off(w, e, NULL, NULL, 0);
        return;
    }
    w->retry_catch_up_at = clock_monotonic() + RETRY_US;
    log_err("engine: tables not brought on, again in %llds error=%s", RETRY_US / US_PER_S, why.msg);
}

static bool can_catch_up(const struct worker *w, const struct engine *e)
{
    return engine_is_behind(e) && clock_monotonic() >= w->retry_catch_up_at;
}

static bool tables_stand_at(const struct engine *e, int64_t commit)
{
    struct engine_progress at;

    engine_progress(e, &at);
    return at.tables_are_whole && at.tables >= commit;
}

/* Are there rules being tried, and do they not pay for having taken long? */
static bool may_try(const struct worker *w)
{
    return w->changing && clock_monotonic() >= w->next_try_at;
}

/* There is work, whether or not jobs arrive. */
static bool must_go_on(const struct worker *w, const struct engine *e)
{
    return can_catch_up(w, e) || w->syncs || may_try(w);
}

/* How long to sleep when there is no job: until somebody's turn comes, too. */
static int64_t sleep_us(const struct worker *w, const struct engine *e)
{
    int64_t us = must_go_on(w, e) ? 0 : idle_us(w, e), turn_at = engine_turn_at(e);

    if (w->changing && w->next_try_at < turn_at)
        turn_at = w->next_try_at;
    if (us == 0 || turn_at == INT64_MAX)
        return us;
    int64_t turn_us = turn_at - clock_monotonic();
    if (turn_us < 0)
        return 0;
    return us == QUEUE_FOREVER || us > turn_us ? turn_us : us;
}

/* One subject of a hub whose rules take long, when its turn has come. */
static void release_held(struct worker *w, struct engine *e)
{
    struct err why;

    if (clock_monotonic() < w->retry_wake_at || engine_release(e, &why) == OK)
        return;
    w->retry_wake_at = clock_monotonic() + RETRY_US;
    log_err("engine: nobody released, again in %llds error=%s", RETRY_US / US_PER_S, why.msg);
}

static bool run_lane(struct worker *w, struct engine *e, enum queue_lane lane)
{
    struct job *jobs = queue_take(&w->queue, lane, GROUP_EVENTS);

    run_jobs(w, e, jobs);
    return jobs != NULL;
}

/* One piece of what takes long, some ten milliseconds of it; what there is takes turns. False: there is none. */
static bool run_piece(struct worker *w, struct engine *e)
{
    bool has_run = false;

    for (int i = 0; i < PIECES && !has_run; i++) {
        w->turn = (w->turn + 1) % PIECES;
        if (w->turn == PIECE_LARGE) {
            has_run = run_lane(w, e, QUEUE_LARGE);
        } else if (w->turn == PIECE_WAKE && is_due(w, e)) {
            wake_slice(w, e);
            has_run = true;
        } else if (w->turn == PIECE_CHANGING && may_try(w)) {
            go_on_changing(w, e);
            has_run = true;
        } else if (w->turn == PIECE_SYNC && w->syncs && can_catch_up(w, e)) {
            catch_up(w, e);
            has_run = true;
        }
    }
    return has_run;
}

/* Small jobs go before each piece of the long work: they wait for one piece at most. */
static void serve(struct worker *w, struct engine *e)
{
    while (!queue_is_finished(&w->queue)) {
        queue_await(&w->queue, sleep_us(w, e));
        bool has_run = run_lane(w, e, QUEUE_SMALL);
        release_held(w, e);
        has_run = run_piece(w, e) || has_run;
        if (!has_run && can_catch_up(w, e))
            catch_up(w, e);
        if (w->syncs && (tables_stand_at(e, w->syncs_commit) || !can_catch_up(w, e)))
            finish_syncs(w, e); /* or they do without: a list is folded from the log then */
        if (has_run)
            uv_async_send(&w->async);
    }
    finish_syncs(w, e);
    stop_changing(w, e, "the daemon is stopping");
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
        struct engine_progress at;
        engine_progress(e, &at);
        log_info("engine: open feed_seq=%lld took_ms=%lld", (long long)at.feed_seq,
                 (long long)(clock_monotonic() - began) / 1000);
        send_off(w, e, NULL, NULL, 0);
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

    uv_mutex_lock(&w->lock);
    struct back back = w->back;
    w->back.first = w->back.last = NULL;
    uv_mutex_unlock(&w->lock);

    w->figures = back.figures;
    if (back.opened && !w->told_ready) {
        w->told_ready = true;
        w->engine = back.opened;
        w->catalog = engine_catalog(w->engine); /* it changes no rules before it is told to */
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
    w->options.engine.durable = on_durable;
    w->options.engine.arg = w;
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
