/* sandbox_memory.c - the memory of a Lua state and of what belongs to it, under one cap; see
 * sandbox.h. Small blocks come and go by the million, and go no further than a list of their size.
 */
#include <stdlib.h>
#include <string.h>

#include "lua/sandbox.h"

#ifdef __SANITIZE_ADDRESS__
#define KEEPS_SPARE false /* it would not see what is used after it was given back */
#else
#define KEEPS_SPARE true
#endif

/* Sizes that malloc() rounds up to: 24, 40, 56 ... */
static size_t size_index(size_t size)
{
    return size <= 24 ? 0 : (size - 24 + 15) / 16;
}

static void *take(struct sandbox *sb, size_t size)
{
    size_t i = size_index(size);

    if (i >= SANDBOX_SIZES)
        return malloc(size);
    void *p = sb->spare[i];
    if (!p)
        return malloc(24 + i * 16);
    memcpy(&sb->spare[i], p, sizeof(p));
    sb->spare_bytes -= 24 + i * 16;
    return p;
}

static void give(struct sandbox *sb, void *p, size_t size)
{
    size_t i = size_index(size);

    if (!KEEPS_SPARE || !p || i >= SANDBOX_SIZES || sb->spare_bytes >= SANDBOX_SPARE) {
        free(p);
        return;
    }
    memcpy(p, &sb->spare[i], sizeof(p));
    sb->spare[i] = p;
    sb->spare_bytes += 24 + i * 16;
}

void sandbox_free_spare(struct sandbox *sb)
{
    for (size_t i = 0; i < SANDBOX_SIZES; i++) {
        for (void *p = sb->spare[i], *next; p; p = next) {
            memcpy(&next, p, sizeof(next));
            free(p);
        }
        sb->spare[i] = NULL;
    }
}

/* In one run: each time all garbage is collected for it, which takes long. */
#define REFUSALS_MAX 8

static void *refuse(struct sandbox *sb)
{
    sandbox_note_place(sb);
    if (++sb->refusals > REFUSALS_MAX)
        sb->limit = 0;
    return NULL;
}

/* `counter` has what was allocated of its kind. */
static void *resize(struct sandbox *sb, void *ptr, size_t old, size_t size, size_t *counter)
{
    size_t from = size_index(old), to = size_index(size);
    void *moved = ptr;

    if (!ptr) {
        moved = take(sb, size);
    } else if (from >= SANDBOX_SIZES && to >= SANDBOX_SIZES) {
        moved = realloc(ptr, size);
    } else if (from != to) {
        moved = take(sb, size);
        if (moved) {
            memcpy(moved, ptr, old < size ? old : size);
            give(sb, ptr, old);
        }
    }
    if (moved)
        *counter += size - old;
    else
        sb->is_starved = true;
    return moved;
}

/* Long texts are made by single steps: what they take is counted, and they have a longest one. */
static bool take_text(struct sandbox *sb, size_t size)
{
    sb->work += size / 32;
    if (size > SANDBOX_TEXT) {
        sb->is_text_too_long = true;
        sandbox_note_place(sb);
    }
    return size <= SANDBOX_TEXT;
}

void *sandbox_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct sandbox *sb = ud;
    size_t old = ptr ? osize : 0; /* for a new object osize is its kind, no size */

    if (nsize == 0) {
        sb->used -= old;
        give(sb, ptr, old);
        return NULL;
    }
    if (nsize > old && sb->used + (nsize - old) > sb->limit)
        return refuse(sb);
    if (!ptr && osize == LUA_TSTRING && nsize > 256 && !take_text(sb, nsize))
        return NULL;
    return resize(sb, ptr, old, nsize, &sb->used);
}

static void *resize_outside(struct sandbox *sb, void *ptr, size_t old, size_t size)
{
    if (size > old && sb->outside + (size - old) > sb->outside_limit)
        return refuse(sb);
    return resize(sb, ptr, old, size, &sb->outside);
}

void *sandbox_realloc(struct sandbox *sb, void *ptr, size_t old, size_t size)
{
    if (size == 0) {
        sb->outside -= old;
        give(sb, ptr, old);
        return NULL;
    }
    void *moved = resize_outside(sb, ptr, old, size);
    if (moved)
        return moved;
    lua_gc(sb->L, LUA_GCCOLLECT); /* as Lua itself does before it gives up */
    return resize_outside(sb, ptr, old, size);
}

/* A run that is strictly counted may have a fixed number of bytes beyond what is alive now; one
 * that is not has half of that, beyond what was alive at some time, so that it is suspect before.
 */
void sandbox_set_limits(struct sandbox *sb)
{
    size_t more = sb->most_memory / 2;

    sb->refusals = 0;
    sb->is_full = sb->is_starved = sb->is_text_too_long = false;
    if (sb->is_strict) {
        lua_gc(sb->L, LUA_GCCOLLECT);
        sb->base = sb->used;
        more = sb->most_memory;
    }
    size_t left = sb->cap > sb->outside ? sb->cap - sb->outside : 0;
    sb->limit = sb->base + more < left ? sb->base + more : left;
    left = sb->cap > sb->used ? sb->cap - sb->used : 0;
    sb->outside_limit = sb->outside + sb->most_memory < left ? sb->outside + sb->most_memory : left;
}

int sandbox_raise_full(struct sandbox *sb)
{
    sb->is_full = true;
    lua_pushliteral(sb->L, "out of memory");
    return lua_error(sb->L);
}

int sandbox_raise_starved(struct sandbox *sb)
{
    sb->is_starved = true;
    return sandbox_raise_full(sb);
}
