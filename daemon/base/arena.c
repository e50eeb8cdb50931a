/* arena.c - see arena.h. Blocks double in size; what is larger than a block gets one of its own. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK   ((size_t)4 * 1024)
#define LARGEST_BLOCK ((size_t)256 * 1024)
#define ALIGNMENT     alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

/* A new block for at least `size` bytes, linked in; NULL when there is no memory. */
static struct arena_block *add_block(struct arena *a, size_t size)
{
    struct arena_block *newest = a->blocks;
    size_t want = newest ? newest->size * 2 : FIRST_BLOCK;

    if (want > LARGEST_BLOCK)
        want = LARGEST_BLOCK;
    if (want < size)
        want = size;
    struct arena_block *block = malloc(sizeof(*block) + want);
    if (!block)
        return NULL;
    block->size = want;
    block->used = 0;
    if (newest && want > LARGEST_BLOCK) { /* it is full at once: go on filling the other */
        block->next = newest->next;
        newest->next = block;
    } else {
        block->next = newest;
        a->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

    struct arena_block *block = a->blocks;
    if (!block || block->size - block->used < size) {
        block = add_block(a, size > 0 ? size : ALIGNMENT);
        if (!block)
            return NULL;
    }
    void *out = block->bytes + block->used;
    block->used += size;
    a->used += size;
    return memset(out, 0, size);
}

char *arena_copy(struct arena *a, const char *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *out = arena_alloc(a, len + 1);
    if (out && len > 0)
        memcpy(out, bytes, len);
    return out;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_copy(a, s, strlen(s));
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    if (keep && keep->size > LARGEST_BLOCK) /* one huge event must not hold its memory for ever */
        keep = NULL;
    for (struct arena_block *block = a->blocks, *next; block; block = next) {
        next = block->next;
        if (block != keep)
            free(block);
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    *a = (struct arena){ .blocks = keep };
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *block = a->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *a = (struct arena){ 0 };
}
