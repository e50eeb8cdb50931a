/*
 * sandbox_budget.c - how long a run may take; see sandbox.h. Nothing is counted while all is well:
 * a timer of the thread's own CPU time ticks, and a run that two ticks have met is suspect. It is
 * stopped by a hook, and repeated with its steps counted: so a busy machine, or a slow one, comes
 * to the same verdict.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/crash.h"
#include "base/log.h"
#include "lua/sandbox.h"

#define TICK_NS       4000000
#define SUSPECT_TICKS 1 /* a run that was seen so often after it was first seen: 4 to 8 ms */
/* What the count does not see, however few steps it is: after so many seconds a run is over all the
 * same. */
/* Under a sanitizer everything takes many times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OVERTIME_S 60
#define LOST_S     120
#else
#define OVERTIME_S 5
#define LOST_S     10
#endif
#ifndef DEAD_S
#define DEAD_S LOST_S
#endif
#define TICKS(s)   ((s) * (1000000000 / TICK_NS))
#define COUNT_EACH 100 /* steps between two looks at the count */
#define SLOW_STEPS                                                                                 \
    100000 /* no machine takes milliseconds for less, unless it does something else */

/* The run of this thread. Handlers run on the thread whose timer it is, and see no other's. */
static _Thread_local struct sandbox *volatile running;
static _Thread_local enum { UNWATCHED, WATCHED, UNWATCHABLE } watch;

static sandbox_dead_fn *volatile on_dead;
static pthread_key_t timer_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_handler;

void sandbox_on_dead(sandbox_dead_fn *fn)
{
    on_dead = fn;
}

static struct sandbox *sandbox_of(lua_State *L)
{
    void *ud;
    lua_getallocf(L, &ud);
    return ud;
}

/* ---- hooks ---- */

/* The hook stays: whoever might catch the error is stopped at the next step. */
static void stop(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_pushliteral(L, "stopped");
    lua_error(L);
}

void sandbox_note_place(struct sandbox *sb)
{
    lua_Debug ar;

    if (sb->where ||
        !sb->L) /* a rule, or a reducer: where it was stopped may depend on what ran before it */
        return;
    for (int level = 0; lua_getstack(sb->L, level, &ar); level++) {
        lua_getinfo(sb->L, "Sl", &ar);
        if (ar.currentline <= 0)
            continue;
        snprintf(sb->place, sizeof(sb->place), "%s:%d", ar.short_src, ar.currentline);
        return;
    }
}

static void check_count(lua_State *L, struct sandbox *sb)
{
    if (sb->steps + sb->work <= sb->most_steps)
        return;
    sb->end = SANDBOX_SPENT;
    sandbox_note_place(sb);
    lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
    stop(L, NULL);
}

static void count_steps(lua_State *L, lua_Debug *ar)
{
    struct sandbox *sb = sandbox_of(L);

    (void)ar;
    sb->steps += COUNT_EACH;
    check_count(L, sb);
}

static void begin_count(struct sandbox *sb)
{
    lua_sethook(sb->L, count_steps, LUA_MASKCOUNT, COUNT_EACH);
}

void sandbox_charge(lua_State *L, size_t steps)
{
    struct sandbox *sb = sandbox_of(L);

    sb->work += steps;
    if (sb->is_counting)
        check_count(L, sb);
}

/* ---- the timer ---- */

/* Only what a signal's handler may do: lua_sethook() is made for it, on the thread that runs. */
static void stop_here(struct sandbox *sb, enum sandbox_end end)
{
    sb->end = end;
    sb->has_hook = true;
    lua_sethook(sb->L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

static void on_tick(int number)
{
    struct sandbox *sb = running;
    int saved = errno;

    (void)number;
    if (!sb)
        return;
    if (sb->seen != sb->call) {
        sb->seen = sb->call;
        sb->ticks = 0;
    } else if (++sb->ticks >= TICKS(DEAD_S) && on_dead) {
        on_dead(sb); /* not even a hook has stopped it */
    } else if (sb->ticks >= TICKS(OVERTIME_S) && sb->end == SANDBOX_BY_ITSELF) {
        stop_here(sb, SANDBOX_OVERTIME);
    } else if (sb->ticks >= SUSPECT_TICKS && !sb->is_counting && sb->end == SANDBOX_BY_ITSELF) {
        stop_here(sb, SANDBOX_SUSPECT);
    }
    errno = saved;
}

/* Timers' identities begin with 0, which is no value of a key. */
static void forget_timer(void *key)
{
    timer_delete((timer_t)((char *)key - 1));
}

static void set_up(void)
{
    struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };

    sigemptyset(&action.sa_mask);
    has_handler = pthread_key_create(&timer_key, forget_timer) == 0 &&
                  sigaction(SIGVTALRM, &action, NULL) == 0;
}

#ifdef __SANITIZE_THREAD__
/* It holds signals back until the thread calls something that it knows, which a loop of Lua never
 * does. */
static bool start_timer(void)
{
    pthread_once(&once, set_up);
    errno = ENOTSUP;
    return false;
}
#else
static bool start_timer(void)
{
    static const struct itimerspec EACH = { { 0, TICK_NS }, { 0, TICK_NS } };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGVTALRM };
    sigset_t only;
    timer_t timer;

    pthread_once(&once, set_up);
    event._sigev_un._tid = gettid();
    if (!has_handler || timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0)
        return false;
    if (timer_settime(timer, 0, &EACH, NULL) != 0 ||
        pthread_setspecific(timer_key, (char *)timer + 1) != 0) {
        timer_delete(timer);
        return false;
    }
    sigemptyset(&only);
    sigaddset(&only, SIGVTALRM);
    return pthread_sigmask(SIG_UNBLOCK, &only, NULL) == 0;
}
#endif

static void watch_thread(void)
{
    watch = start_timer() ? WATCHED : UNWATCHABLE;
    if (watch == UNWATCHABLE)
        log_warn("sandbox: no timer, so that all steps of rules are counted error=\"%s\"",
                 strerror(errno));
}

#ifdef PATHWAY_CRASH_POINTS
void sandbox_pass(const char *where)
{
    crash_stall(where);
}

static void suspect(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    stop_here(sandbox_of(L), SANDBOX_SUSPECT);
}

static void suspect_for_a_test(struct sandbox *sb)
{
    int steps = sb->is_counting ? 0 : crash_suspect();

    if (steps > 0)
        lua_sethook(sb->L, suspect, LUA_MASKCOUNT, steps);
    sb->has_hook = sb->has_hook || steps > 0;
}
#else
static void suspect_for_a_test(struct sandbox *sb)
{
    (void)sb;
}
#endif

/* ---- runs ---- */

static _Thread_local uint64_t slow_runs;

uint64_t sandbox_slow_runs(void)
{
    return slow_runs;
}

static void note_slow(const struct sandbox *sb)
{
    slow_runs += sb->steps + sb->work >= SLOW_STEPS || sandbox_was_spent(sb);
}

void sandbox_begin(struct sandbox *sb)
{
    if (watch == UNWATCHED)
        watch_thread();
    sb->call++;
    sb->end = SANDBOX_BY_ITSELF;
    sb->where = NULL;
    sb->place[0] = '\0';
    sb->steps = sb->work = 0;
    sb->has_hook = sb->is_counting = sb->counts || watch == UNWATCHABLE;
    if (sb->is_counting)
        begin_count(sb);
    suspect_for_a_test(sb);
    atomic_signal_fence(memory_order_seq_cst);
    running = sb;
}

void sandbox_end(struct sandbox *sb)
{
    running = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    if (sb->has_hook)
        lua_sethook(sb->L, NULL, 0, 0);
    if (sb->is_counting)
        note_slow(sb);
    if (sb->is_counting && sb->seen == sb->call && sb->ticks >= SUSPECT_TICKS)
        slow_runs++; /* few steps, which take long each, as those that join long texts do */
    sb->is_counting = false;
}

void sandbox_enter_counted(struct sandbox *sb, struct sandbox_part *outer)
{
    outer->steps = sb->steps;
    outer->work = sb->work;
    sb->steps = sb->work = 0;
    if (sb->end == SANDBOX_BY_ITSELF)
        begin_count(sb); /* from here, whatever is left of the last hundred */
}

void sandbox_leave_counted(struct sandbox *sb, const struct sandbox_part *outer)
{
    note_slow(sb);
    sb->steps = outer->steps;
    sb->work = outer->work;
    if (sb->end == SANDBOX_BY_ITSELF)
        begin_count(sb);
}
