/* loopwatch.c - see loopwatch.h. The loop beats by a timer; a thread of its own listens. */
#include "host/loopwatch.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define BEAT_MS 500

struct loopwatch {
    uv_timer_t timer;
    uv_thread_t thread;
    uv_mutex_t lock; /* of is_ending */
    uv_cond_t ending;
    bool is_ending;
    _Atomic(const char *) who;
    _Atomic int64_t beat; /* monotonic */
    _Atomic uint64_t stalls;
    _Atomic uint64_t stall_us;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

static void on_beat(uv_timer_t *timer)
{
    struct loopwatch *w = timer->data;
    atomic_store(&w->beat, clock_monotonic());
}

static const char *name_of(const char *who)
{
    return who ? who : "the host, or a handle of a plugin's own";
}

static void watch_beats(struct loopwatch *w)
{
    int64_t stalled = 0; /* the beat after which it stood still; 0: it goes */

    while (!w->is_ending) {
        uv_cond_timedwait(&w->ending, &w->lock, (uint64_t)BEAT_MS * 1000000);
        int64_t beat = atomic_load(&w->beat), for_ms = (clock_monotonic() - beat) / 1000;
        if (stalled && beat != stalled) {
            atomic_fetch_add(&w->stall_us, (uint64_t)(beat - stalled));
            log_warn("host: the loop goes on after_ms=%lld", (long long)(beat - stalled) / 1000);
            stalled = 0;
        } else if (!stalled && !w->is_ending && for_ms > LOOPWATCH_MS) {
            stalled = beat;
            atomic_fetch_add(&w->stalls, 1);
            log_err("host: the loop stands still, nobody is served for_ms=%lld in=%s",
                    (long long)for_ms, name_of(atomic_load(&w->who)));
        }
    }
}

static void run(void *arg)
{
    struct loopwatch *w = arg;

    uv_mutex_lock(&w->lock);
    watch_beats(w);
    uv_mutex_unlock(&w->lock);
}

enum err_code loopwatch_start(struct loopwatch **out, uv_loop_t *loop, struct err *err)
{
    *out = NULL;
    struct loopwatch *w = calloc(1, sizeof(*w));
    if (!w)
        return err_set(err, ERR_LIMIT, "no memory to watch the loop");
    atomic_init(&w->who, NULL);
    atomic_init(&w->beat, clock_monotonic());
    if (uv_mutex_init(&w->lock) != 0 || uv_cond_init(&w->ending) != 0 ||
        uv_thread_create(&w->thread, run, w) != 0) {
        free(w); /* what was made of it stays: a daemon that can not start ends */
        return err_set(err, ERR_IO, "can not start the thread that watches the loop");
    }
    uv_timer_init(loop, &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, on_beat, 0, BEAT_MS);
    uv_unref((uv_handle_t *)&w->timer);
    *out = w;
    return OK;
}

const char *loopwatch_enter(struct loopwatch *w, const char *who)
{
    return w ? atomic_exchange_explicit(&w->who, who, memory_order_relaxed) : NULL;
}

void loopwatch_measure(const struct loopwatch *w, struct buf *out)
{
    buf_printf(out,
               "# HELP pathwayd_loop_stalls_total Times that the loop stood still for over %d s\n"
               "# TYPE pathwayd_loop_stalls_total counter\npathwayd_loop_stalls_total %llu\n"
               "# HELP pathwayd_loop_stall_seconds_total How long it stood still then\n"
               "# TYPE pathwayd_loop_stall_seconds_total counter\n"
               "pathwayd_loop_stall_seconds_total %.3f\n",
               LOOPWATCH_MS / 1000, (unsigned long long)atomic_load(&w->stalls),
               (double)atomic_load(&w->stall_us) / 1e6);
}

static void on_closed(uv_handle_t *handle)
{
    struct loopwatch *w = handle->data;
    w->stopped(w->stopped_arg);
}

void loopwatch_stop(struct loopwatch *w, void (*done)(void *arg), void *arg)
{
    w->stopped = done;
    w->stopped_arg = arg;
    uv_mutex_lock(&w->lock);
    w->is_ending = true;
    uv_cond_signal(&w->ending);
    uv_mutex_unlock(&w->lock);
    uv_thread_join(&w->thread);
    uv_close((uv_handle_t *)&w->timer, on_closed);
}

void loopwatch_free(struct loopwatch *w)
{
    if (!w)
        return;
    uv_cond_destroy(&w->ending);
    uv_mutex_destroy(&w->lock);
    free(w);
}
