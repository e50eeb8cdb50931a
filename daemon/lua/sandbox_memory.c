/* sandbox_memory.c - the memory of a Lua state and of what belongs to it, under one cap; see sandbox.h. Small blocks
 * come and go by the million, and go no further than a list of their size. */
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

static void *resize(struct sandbox *sb, void *ptr, size_t old, size_t size)
{
    size_t from = size_index(old), to = size_index(size);
    void *moved = ptr;

    if (size == 0) {
        sb->used -= old;
        give(sb, ptr, old);
        return NULL;
    }
    if (size > old && sb->used + (size - old) > sb->cap)
        return NULL;
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
        sb->used += size - old;
    else
        sb->is_starved = true;
    return moved;
}

void *sandbox_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    return resize(ud, ptr, ptr ? osize : 0,
                  nsize); /* for a new object osize is its kind, no size */
}

void *sandbox_realloc(struct sandbox *sb, void *ptr, size_t old, size_t size)
{
    void *moved = resize(sb, ptr, old, size);

    if (moved || size == 0)
        return moved;
    lua_gc(sb->L, LUA_GCCOLLECT); /* as Lua itself does before it gives up */
    return resize(sb, ptr, old, size);
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
