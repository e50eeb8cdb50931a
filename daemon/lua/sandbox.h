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

#include <lua.h>

#include "base/err.h"

#define SANDBOX_MEMORY ((size_t)1 << 30) /* default cap of a state, bytes */

/* Small blocks that were given back wait for the next of their size: of so many sizes, so many bytes. */
#define SANDBOX_SIZES 16
#define SANDBOX_SPARE ((size_t)512 * 1024)

struct sandbox {
    lua_State *L;
    size_t used;  /* bytes allocated now */
    size_t cap;   /* an allocation beyond it fails, which ends the run with "not enough memory" */
    bool is_full; /* one made by sandbox_realloc() has failed and ended the run */
    bool is_starved; /* one within the cap has failed: the machine's lack, not the pack's fault */
    void *spare[SANDBOX_SIZES]; /* lists; not counted in `used` */
    size_t spare_bytes;
};

/* `sb` must stay where it is until sandbox_fini(): the allocator points at it. */
MUST_CHECK enum err_code sandbox_init(struct sandbox *sb, size_t cap, struct err *err);
void sandbox_fini(struct sandbox *sb);

/* sandbox_memory.c: Lua's allocator; `ud` is the sandbox. */
void *sandbox_alloc(void *ud, void *ptr, size_t osize, size_t nsize);
void sandbox_free_spare(struct sandbox *sb);
/* Memory for what belongs to a state but lies outside it, under the same cap: realloc() with the old size.
 * NULL: there is no more. Never while Lua itself allocates. */
void *sandbox_realloc(struct sandbox *sb, void *ptr, size_t old, size_t size);
/* End the run as a lack of memory inside Lua does. */
int sandbox_raise_full(struct sandbox *sb);
/* The same where the machine has none for what is not under the cap. */
int sandbox_raise_starved(struct sandbox *sb);

/* All that stays is there: collect what loading left. Little of what comes after lives long, and facts lie
 * outside, so that the collector may wait until there is four times as much. */
void sandbox_settle(struct sandbox *sb);

/*
 * Push a new environment table with the safe part of Lua's library. What a pack needs beyond it is
 * added by the caller. May raise: call it under sandbox_call().
 */
void sandbox_push_env(lua_State *L);

/* A table may be filled as it is read: then its metatable has a function of this name that does the rest. */
#define SANDBOX_FILL "fill"
void sandbox_fill(lua_State *L, int index);

/* Push the keys of the plain table at `index` as a list: numbers ascending, then texts bytewise. Raises
 * when a key is neither. */
void sandbox_push_keys(lua_State *L, int index);

/*
 * Load a text chunk called `name` ("@national/rules.lua") with the environment at stack index
 * `env` and push the function. ERR_RULE: a syntax error as "file:line: message".
 */
MUST_CHECK enum err_code sandbox_load(struct sandbox *sb, const char *name, const char *text,
                                      size_t len, int env, struct err *err);

/*
 * The one protected call: a function and `nargs` arguments are on the stack and are taken off it.
 * OK: `nresults` values are left. ERR_RULE: nothing is left, err has "file:line: message";
 * ERR_LIMIT: out of memory.
 */
MUST_CHECK enum err_code sandbox_call(struct sandbox *sb, int nargs, int nresults, struct err *err);

#endif
