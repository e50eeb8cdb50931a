/*
 * sandbox.h - a Lua state for code that is not trusted: what it may use, how much memory,
 * and the one protected call.
 *
 * Only text chunks are loaded. The environment has nothing that performs input or output, loads
 * code, sees the clock, is random or walks a table in an order that differs from run to run.
 */
#ifndef PATHWAY_LUA_SANDBOX_H
#define PATHWAY_LUA_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/err.h"

#define SANDBOX_MEMORY ((size_t)1 << 30) /* default cap of a state, bytes */

/* Small blocks that were given back wait for the next of their size: of so many sizes, so many
 * bytes. */
#define SANDBOX_SIZES 16
#define SANDBOX_SPARE ((size_t)512 * 1024)

/* What a run may use: steps of Lua, work of library functions counted as steps, and memory beyond
 * what the state had when it was loaded. Every step takes a nanosecond or more, so that a run which
 * has spent its steps has been suspect before on any machine. */
#define SANDBOX_STEPS      10000000u
#define SANDBOX_RUN_MEMORY ((size_t)96 << 20)
#define SANDBOX_TEXT       ((size_t)1 << 20) /* the longest text, bytes */

/* How a run came to its end. */
enum sandbox_end {
    SANDBOX_BY_ITSELF, /* also by an error */
    SANDBOX_SUSPECT,   /* nothing is decided */
    SANDBOX_SPENT,
    SANDBOX_OVERTIME, /* few steps that took seconds */
    SANDBOX_FULL,     /* of memory */
};

struct sandbox {
    lua_State *L;
    size_t used;    /* bytes that Lua has allocated now */
    size_t outside; /* and sandbox_realloc() */
    size_t cap;     /* of both */
    size_t limit,
        outside_limit;  /* in the run under way; an allocation beyond them fails and ends it */
    size_t base;        /* what Lua had used when nothing was of a run */
    int refusals;       /* in the run under way */
    size_t most_memory; /* of a run: SANDBOX_RUN_MEMORY */
    bool is_full;       /* one made by sandbox_realloc() has failed and ended the run */
    bool is_starved; /* one within the cap has failed: the machine's lack, not the pack's fault */
    bool is_text_too_long;
    void *spare[SANDBOX_SIZES]; /* lists; not counted in `used` */
    size_t spare_bytes;

    /* The budget of time: sandbox_budget.c. */
    bool counts;      /* steps of the runs to come are counted */
    bool is_strict;   /* and their memory, from what is alive when they begin */
    bool is_counting; /* those of the run under way are */
    volatile bool has_hook;
    volatile enum sandbox_end end; /* of the last run */
    volatile uint64_t call;        /* its number */
    uint64_t seen;                 /* the run that the last tick has met */
    int ticks;                     /* and how many have met it since the first */
    uint64_t most_steps;           /* of a run: SANDBOX_STEPS */
    uint64_t steps, work;          /* of the part under way, where they are counted */
    const char *where;             /* that part's place in the pack; NULL: loading */
    char place[96];                /* then: where it was stopped */
    /* "national DIGEST", "hubs/07 DIGEST": for who must say which one never returned. Borrowed,
     * NULL allowed. */
    const char *national, *overlay;
};

/* `sb` must stay where it is until sandbox_fini(): the allocator points at it. */
MUST_CHECK enum err_code sandbox_init(struct sandbox *sb, size_t cap, struct err *err);
void sandbox_fini(struct sandbox *sb);

/* sandbox_memory.c: Lua's allocator; `ud` is the sandbox. */
void *sandbox_alloc(void *ud, void *ptr, size_t osize, size_t nsize);
void sandbox_free_spare(struct sandbox *sb);
void sandbox_set_limits(struct sandbox *sb); /* of the run that begins */
void sandbox_note_place(
    struct sandbox *sb); /* where a file that is being loaded is stopped; allocates nothing */
/* Memory for what belongs to a state but lies outside it, under the same cap: realloc() with the
 * old size. NULL: there is no more. Never while Lua itself allocates. */
void *sandbox_realloc(struct sandbox *sb, void *ptr, size_t old, size_t size);
/* End the run as a lack of memory inside Lua does. */
int sandbox_raise_full(struct sandbox *sb);
/* The same where the machine has none for what is not under the cap. */
int sandbox_raise_starved(struct sandbox *sb);

/* All that stays is there: collect what loading left. Little of what comes after lives long, and
 * facts lie outside, so that the collector may wait until there is four times as much. */
void sandbox_settle(struct sandbox *sb);

/*
 * Push a new environment table with the safe part of Lua's library. What a pack needs beyond it is
 * added by the caller. May raise: call it under sandbox_call().
 */
void sandbox_push_env(lua_State *L);

/* A table may be filled as it is read: then its metatable has a function of this name that does the
 * rest. */
#define SANDBOX_FILL "fill"
void sandbox_fill(lua_State *L, int index);

/* freeze.c: put the table that a frozen one shows in its place, for who reads it without Lua's
 * help. */
void sandbox_thaw(lua_State *L, int index);
bool sandbox_is_frozen(lua_State *L, int index);
int sandbox_raise_frozen(lua_State *L);

/* Push the keys of the plain table at `index` as a list: numbers ascending, then texts bytewise.
 * Raises when a key is neither. */
void sandbox_push_keys(lua_State *L, int index);

/*
 * Load a text chunk called `name` ("@national/rules.lua") with the environment at stack index
 * `env` and push the function. ERR_RULE: a syntax error as "file:line: message".
 */
MUST_CHECK enum err_code sandbox_load(struct sandbox *sb, const char *name, const char *text,
                                      size_t len, int env, struct err *err);

/*
 * The one protected call: a function and `nargs` arguments are on the stack and are taken off it.
 * OK: `nresults` values are left. Else nothing is left, and err has "file:line: message":
 * ERR_RULE: it failed, or has spent its steps; ERR_LIMIT: it needs too much memory; ERR_IO: the
 * machine has none. ERR_BUSY: the run is suspect, and nothing is decided: undo what it did and call
 * again, this time and from then on under a count, until sandbox_trust(). It is suspect no more
 * than twice.
 */
MUST_CHECK enum err_code sandbox_call(struct sandbox *sb, int nargs, int nresults, struct err *err);

/* The verdict is there: no more counting. A state counts from its beginning until it is settled. */
static inline void sandbox_trust(struct sandbox *sb)
{
    sb->counts = sb->is_strict = false;
}

/* How many runs of this thread, or parts of one, were slow so far: they were suspect, and when they
 * were counted took many steps, or as long again. Where the machine was slow for once, none is. */
uint64_t sandbox_slow_runs(void);

/* Did the last run come to its end because it had used up what it may, and not by an error of its
 * own? */
static inline bool sandbox_was_spent(const struct sandbox *sb)
{
    return sb->end > SANDBOX_SUSPECT;
}

/* A part of a run that has steps of its own, such as one rule among many: from sandbox_enter() to
 * sandbox_leave(), which is left out when the part raises. `where`: its place in the pack,
 * borrowed. */
struct sandbox_part {
    const char *where;
    uint64_t steps, work;
};
void sandbox_enter_counted(struct sandbox *sb, struct sandbox_part *outer);
void sandbox_leave_counted(struct sandbox *sb, const struct sandbox_part *outer);
/* A place where a test may have the code never come back: base/crash.h. */
#ifdef PATHWAY_CRASH_POINTS
void sandbox_pass(const char *where);
#else
static inline void sandbox_pass(const char *where)
{
    (void)where;
}
#endif
static inline void sandbox_enter(struct sandbox *sb, struct sandbox_part *outer, const char *where)
{
    outer->where = sb->where;
    sb->where = where;
    sandbox_pass(where);
    if (sb->is_counting)
        sandbox_enter_counted(sb, outer);
}
static inline void sandbox_leave(struct sandbox *sb, const struct sandbox_part *outer)
{
    sb->where = outer->where;
    if (sb->is_counting)
        sandbox_leave_counted(sb, outer);
}

/* A library function does as much as so many steps: a nanosecond each. Raises when they are
 * spent. */
void sandbox_charge(lua_State *L, size_t steps);

/* For sandbox_call(): the run is watched from the one to the other. */
void sandbox_begin(struct sandbox *sb);
void sandbox_end(struct sandbox *sb);

/* Called when a run does not end, not even by a hook at its next step: inside a signal's handler,
 * on the thread that is lost. It must end the process. NULL, as at the beginning: it is waited for.
 */
typedef void sandbox_dead_fn(const struct sandbox *sb);
void sandbox_on_dead(sandbox_dead_fn *fn);

/* sandbox_bounds.c: put bounded functions in the place of those in the library table on top that
 * loop or build. */
void sandbox_bound_base(lua_State *L);
void sandbox_bound_strings(lua_State *L);
void sandbox_bound_tables(lua_State *L);

#endif
