/* engine_thread.c - see engine_thread.h. Commits are handed to the writer's thread, and it
 * goes on. */
#include "host/engine_thread.h"

#include <stdlib.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/log.h"

#define LONGEST_WAIT_US (3 * US_PER_S) /* a clock set forward is noticed after so long */
#define RETRY_US        (5 * US_PER_S) /* after a wake, or a slice of the tables, that failed */
#define SCRUB_US        250000 /* while a reader keeps what was erased in the database's files */
/* Of the engine's time, rules that are being tried have a third, however much comes in: after so
 * long a time of other work they have half of that, within bounds, since all that arrives meanwhile
 * waits. */
#define TRY_SHARE  2
#define TRY_MAX_US 50000
/* One subject that takes longer than this by them is their fault, not the others': they pay for it
 * with so many times as long a wait. */
#define TRY_LONG_US 150000
#define TRY_PAYS    10

/* What takes long, each a piece at a time: a part of a large request; what is due; a slice of rules
 * that are tried; a slice of the tables that somebody waits for. */
enum { PIECE_LARGE, PIECE_WAKE, PIECE_CHANGING, PIECE_SYNC, PIECES };

static void take_alone(struct engine *e, struct job *job)
{
    job->code = job->count > 0 ? engine_take(e, job->items, job->count, &job->err) : OK;
    if (job->code != OK)
        log_err("engine: batch refused events=%zu error=%s", job->count, job->err.msg);
}

static bool make_room(struct engine_thread *t, size_t count)
{
    if (count <= t->merged_cap)
        return true;
    struct take *grown = realloc(t->merged, count * sizeof(*grown));
    if (!grown)
        return false;
    t->merged = grown;
    t->merged_cap = count;
    return true;
}

/* All takes from `first` up to `end` in one commit. False: none of them was taken. */
static bool take_merged(struct engine_thread *t, struct engine *e, struct job *first,
                        const struct job *end, size_t count)
{
    struct err why;
    size_t n = 0;

    if (!make_room(t, count))
        return false;
    for (struct job *job = first; job != end; job = job->next)
        for (size_t i = 0; i < job->count; i++)
            t->merged[n++] = job->items[i];
    if (engine_take(e, t->merged, count, &why) != OK) {
        log_warn("engine: group refused, trying each request alone events=%zu error=%s", count,
                 why.msg);
        return false;
    }
    n = 0;
    for (struct job *job = first; job != end; job = job->next) {
        job->code = OK;
        for (size_t i = 0; i < job->count; i++)
            job->items[i] = t->merged[n++];
    }
    return true;
}

/* Neighbouring takes; returns the first job that is none. */
static struct job *take_run(struct engine_thread *t, struct engine *e, struct job *first)
{
    struct job *end = first;
    size_t events = 0, jobs = 0;

    for (; end && end->kind == JOB_TAKE; end = end->next, jobs++)
        events += end->count;
    if (jobs == 1 || events == 0 || !take_merged(t, e, first, end, events))
        for (struct job *job = first; job != end; job = job->next)
            take_alone(e, job);
    return end;
}

/* Rules that are tried are given up for those that come after them. */
static void stop_changing(struct engine_thread *t, struct engine *e, const char *why)
{
    if (!t->changing)
        return;
    engine_give_up(e);
    t->changing->code = err_set(&t->changing->err, ERR_BUSY, "%s", why);
    returns_give(t->returns, t->changing);
    t->changing = NULL;
}

static void begin_changing(struct engine_thread *t, struct engine *e, struct job *job)
{
    stop_changing(t, e, "other rules were sent while these were being tried");
    job->code = engine_try(e, job->rules, job->origins, &job->err);
    if (job->code != OK) {
        returns_give(t->returns, job);
        return;
    }
    job->rules = NULL;
    t->changing = job;
    t->tried_at = clock_monotonic();
    t->next_try_at = 0;
}

/* Go on with the rules that are being tried, by a slice between two batches. */
static void go_on_changing(struct engine_thread *t, struct engine *e)
{
    struct job *job = t->changing;
    int64_t began = clock_monotonic(), share = (began - t->tried_at) / TRY_SHARE;

    job->code = engine_try_slice(&job->swap, e, began + (share < TRY_MAX_US ? share : TRY_MAX_US),
                                 &job->err);
    t->tried_at = clock_monotonic();
    if (t->tried_at - began > TRY_LONG_US)
        t->next_try_at = t->tried_at + TRY_PAYS * (t->tried_at - began);
    if (job->code == OK && !job->swap.replaced)
        return;
    t->changing = NULL;
    if (job->code == OK)
        returns_send_off(t->returns, e, job, job, 0);
    else
        returns_give(t->returns, job);
    returns_wake(t->returns);
}

static void run_job(struct engine_thread *t, struct engine *e, struct job *job)
{
    if (job->kind == JOB_RULES) {
        begin_changing(t, e, job);
        return;
    }
    if (job->kind == JOB_SYNC) {
        struct engine_progress at;
        engine_progress(e, &at);
        t->syncs_commit = at.commits;
        job->next = t->syncs;
        t->syncs = job;
        return;
    }
    if (job->kind == JOB_COMMAND)
        job->code = engine_command(&job->answer, e, job->command, job->params, &job->err);
    else
        job->code = OK;
    returns_give(t->returns, job);
}

/* What can not be taken is given back at once, whatever else is on its way. */
static void send_off_taken(struct engine_thread *t, struct engine *e, struct job *first,
                           const struct job *end, int64_t began)
{
    struct job *taken = NULL, *last = NULL;

    for (struct job *job = first, *next; job != end; job = next) {
        next = job->next;
        job->next = NULL;
        if (job->code != OK) {
            returns_give(t->returns, job);
            continue;
        }
        *(last ? &last->next : &taken) = job;
        last = job;
    }
    if (taken)
        returns_send_off(t->returns, e, taken, last, began);
}

static void run_jobs(struct engine_thread *t, struct engine *e, struct job *jobs)
{
    struct job *next = NULL;

    for (struct job *job = jobs; job; job = next) {
        if (job->kind == JOB_TAKE) {
            int64_t began = clock_monotonic();
            next = take_run(t, e, job);
            send_off_taken(t, e, job, next, began);
        } else {
            next = job->next;
            run_job(t, e, job);
        }
    }
}

static bool is_due(const struct engine_thread *t, const struct engine *e)
{
    return engine_next_wake(e) <= clock_now(&t->options->clock) &&
           clock_monotonic() >= t->retry_wake_at;
}

/* How long to sleep when there is no job. A fixed clock never moves: only jobs matter then. */
static int64_t idle_us(const struct engine_thread *t, const struct engine *e)
{
    int64_t wake = engine_next_wake(e);
    int64_t now = clock_now(&t->options->clock);

    if (is_due(t, e))
        return 0;
    if (wake <= now)
        return LONGEST_WAIT_US;
    if (wake == TIME_NEVER || t->options->clock.fixed_us != TIME_NEVER)
        return QUEUE_FOREVER;
    return wake - now < LONGEST_WAIT_US ? wake - now : LONGEST_WAIT_US;
}

static void wake_slice(struct engine_thread *t, struct engine *e)
{
    struct err why;
    int64_t began = clock_monotonic();

    t->retry_wake_at = 0;
    if (engine_wake(e, &why) == OK) {
        returns_send_off(t->returns, e, NULL, NULL, began);
        return;
    }
    t->retry_wake_at = clock_monotonic() + RETRY_US;
    log_err("engine: wake failed, again in %llds error=%s", RETRY_US / US_PER_S, why.msg);
}

/* Those who wait for the tables need no more than that they stand at a commit after their
 * asking. */
static void finish_syncs(struct engine_thread *t, struct engine *e)
{
    struct job *last = t->syncs;

    while (last && last->next)
        last = last->next;
    if (last)
        returns_send_off(t->returns, e, t->syncs, last, 0);
    t->syncs = NULL;
}

/* Bring the tables on by a slice: when nothing else is to be done, or somebody waits for them. */
static void catch_up(struct engine_thread *t, struct engine *e)
{
    struct err why;

    if (engine_catch_up(e, &why) == OK) {
        returns_send_off(t->returns, e, NULL, NULL, 0);
        return;
    }
    t->retry_catch_up_at = clock_monotonic() + RETRY_US;
    log_err("engine: tables not brought on, again in %llds error=%s", RETRY_US / US_PER_S, why.msg);
}

static bool can_catch_up(const struct engine_thread *t, const struct engine *e)
{
    return engine_is_behind(e) && clock_monotonic() >= t->retry_catch_up_at;
}

static bool tables_stand_at(const struct engine *e, int64_t commit)
{
    struct engine_progress at;

    engine_progress(e, &at);
    return at.tables_are_whole && at.tables >= commit;
}

/* Are there rules being tried, and do they not pay for having taken long? */
static bool may_try(const struct engine_thread *t)
{
    return t->changing && clock_monotonic() >= t->next_try_at;
}

/* There is work, whether or not jobs arrive. */
static bool must_go_on(const struct engine_thread *t, const struct engine *e)
{
    return can_catch_up(t, e) || t->syncs || may_try(t);
}

static void scrub(struct engine_thread *t, struct engine *e)
{
    struct err why;

    if (!engine_must_scrub(e) || clock_monotonic() < t->retry_scrub_at)
        return;
    t->retry_scrub_at = clock_monotonic() + SCRUB_US;
    if (engine_scrub(e, &why) == OK)
        return;
    t->retry_scrub_at = clock_monotonic() + RETRY_US;
    log_err("engine: what was erased is not out of the files, again in %llds error=%s",
            RETRY_US / US_PER_S, why.msg);
}

/* How long to sleep when there is no job: until somebody's turn comes, too. */
static int64_t sleep_us(const struct engine_thread *t, const struct engine *e)
{
    int64_t us = must_go_on(t, e) ? 0 : idle_us(t, e), turn_at = engine_turn_at(e);

    if (t->changing && t->next_try_at < turn_at)
        turn_at = t->next_try_at;
    if (engine_must_scrub(e) && t->retry_scrub_at < turn_at)
        turn_at = t->retry_scrub_at;
    if (us == 0 || turn_at == INT64_MAX)
        return us;
    int64_t turn_us = turn_at - clock_monotonic();
    if (turn_us < 0)
        return 0;
    return us == QUEUE_FOREVER || us > turn_us ? turn_us : us;
}

/* One subject of a hub whose rules take long, when its turn has come. */
static void release_held(struct engine_thread *t, struct engine *e)
{
    struct err why;

    if (clock_monotonic() < t->retry_wake_at || engine_release(e, &why) == OK)
        return;
    t->retry_wake_at = clock_monotonic() + RETRY_US;
    log_err("engine: nobody released, again in %llds error=%s", RETRY_US / US_PER_S, why.msg);
}

static bool run_lane(struct engine_thread *t, struct engine *e, enum queue_lane lane)
{
    struct job *jobs = queue_take(t->queue, lane, GROUP_EVENTS);

    run_jobs(t, e, jobs);
    return jobs != NULL;
}

/* One piece of what takes long, some ten milliseconds of it; what there is takes turns. False:
 * there is none. */
static bool run_piece(struct engine_thread *t, struct engine *e)
{
    bool has_run = false;

    for (int i = 0; i < PIECES && !has_run; i++) {
        t->turn = (t->turn + 1) % PIECES;
        if (t->turn == PIECE_LARGE) {
            has_run = run_lane(t, e, QUEUE_LARGE);
        } else if (t->turn == PIECE_WAKE && is_due(t, e)) {
            wake_slice(t, e);
            has_run = true;
        } else if (t->turn == PIECE_CHANGING && may_try(t)) {
            go_on_changing(t, e);
            has_run = true;
        } else if (t->turn == PIECE_SYNC && t->syncs && can_catch_up(t, e)) {
            catch_up(t, e);
            has_run = true;
        }
    }
    return has_run;
}

/* Small jobs go before each piece of the long work: they wait for one piece at most. */
static void serve(struct engine_thread *t, struct engine *e)
{
    while (!queue_is_finished(t->queue)) {
        queue_await(t->queue, sleep_us(t, e));
        bool has_run = run_lane(t, e, QUEUE_SMALL);
        release_held(t, e);
        scrub(t, e);
        has_run = run_piece(t, e) || has_run;
        if (!has_run && can_catch_up(t, e))
            catch_up(t, e);
        if (t->syncs && (tables_stand_at(e, t->syncs_commit) || !can_catch_up(t, e)))
            finish_syncs(t, e); /* or they do without: a list is folded from the log then */
        if (has_run)
            returns_wake(t->returns);
    }
    finish_syncs(t, e);
    stop_changing(t, e, "the daemon is stopping");
}

void engine_thread_run(void *arg)
{
    struct engine_thread *t = arg;
    struct engine *e = NULL;
    struct err why = { 0 };
    int64_t began = clock_monotonic();

    if (engine_open(&e, t->options, &why) == OK) {
        struct engine_progress at;
        engine_progress(e, &at);
        log_info("engine: open feed_seq=%lld took_ms=%lld", (long long)at.feed_seq,
                 (long long)(clock_monotonic() - began) / 1000);
        returns_send_off(t->returns, e, NULL, NULL, 0);
        returns_opened(t->returns, e, NULL);
        serve(t, e);
        engine_close(e);
        log_info("engine: closed");
    } else {
        returns_opened(t->returns, NULL, &why);
    }
    returns_ended(t->returns);
}

void engine_thread_fini(struct engine_thread *t)
{
    free(t->merged);
}
