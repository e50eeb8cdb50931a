/*
 * arena.c - see arena.h. Blocks double in size; what is larger than a block gets one of its own.
 *
 * Blocks of the largest size come from a stock that all arenas share and go back to it: else the
 * system would zero their pages again for every request.
 */
#include "base/arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK   ((size_t)4 * 1024)
#define LARGEST_BLOCK ((size_t)256 * 1024)
#ifdef __SANITIZE_ADDRESS__
#define STOCK_MOST 0 /* so that it sees who uses what was given back */
#else
#define STOCK_MOST 32
#endif

static_assert(ARENA_ALIGNMENT >= alignof(max_align_t), "any type fits");

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(ARENA_ALIGNMENT) unsigned char bytes[];
};

static struct {
    pthread_mutex_t lock;
    struct arena_block *first;
    int count;
} stock = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* NULL when there is none. */
static struct arena_block *take_from_stock(void)
{
    pthread_mutex_lock(&stock.lock);
    struct arena_block *block = stock.first;
    if (block) {
        stock.first = block->next;
        stock.count--;
    }
    pthread_mutex_unlock(&stock.lock);
    return block;
}

static struct arena_block *new_block(size_t size)
{
    struct arena_block *block = size == LARGEST_BLOCK ? take_from_stock() : NULL;

    if (!block)
        block = malloc(sizeof(*block) + size);
    if (block)
        block->size = size;
    return block;
}

static void give_back(struct arena_block *block)
{
    if (block->size == LARGEST_BLOCK) {
        pthread_mutex_lock(&stock.lock);
        if (stock.count < STOCK_MOST) {
            block->next = stock.first;
            stock.first = block;
            stock.count++;
            block = NULL;
        }
        pthread_mutex_unlock(&stock.lock);
    }
    free(block);
}

/* From here on, what is asked for comes out of `block`, all of which is free. */
static void fill_from(struct arena *a, struct arena_block *block)
{
    a->at = block->bytes;
    a->end = block->bytes + block->size;
}

void *arena_room_in_new_block(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size =
        size > 0 ? (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1) : ARENA_ALIGNMENT;
    struct arena_block *newest = a->blocks;
    size_t want = newest ? newest->size * 2 : FIRST_BLOCK;

    if (want > LARGEST_BLOCK)
        want = LARGEST_BLOCK;
    if (want < size)
        want = size;
    struct arena_block *block = new_block(want);
    if (!block)
        return NULL;
    a->used += size;
    if (newest && want > LARGEST_BLOCK) { /* it is full at once: go on filling the other */
        block->next = newest->next;
        newest->next = block;
        return block->bytes;
    }
    block->next = newest;
    a->blocks = block;
    fill_from(a, block);
    a->at += size;
    return block->bytes;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *out = arena_room(a, size);
    return out ? memset(out, 0, size) : NULL;
}

char *arena_copy(struct arena *a, const char *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *out = arena_room(a, len + 1);
    if (!out)
        return NULL;
    if (len > 0)
        memcpy(out, bytes, len);
    out[len] = '\0';
    return out;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_copy(a, s, strlen(s));
}

void arena_expect(struct arena *a, size_t size)
{
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (a->blocks || size <= FIRST_BLOCK)
        return;
    struct arena_block *block = new_block(size);
    if (!block)
        return;
    block->next = NULL;
    a->blocks = block;
    fill_from(a, block);
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    if (keep && keep->size > LARGEST_BLOCK) /* one huge event must not hold its memory for ever */
        keep = NULL;
    for (struct arena_block *block = a->blocks, *next; block; block = next) {
        next = block->next;
        if (block != keep)
            give_back(block);
    }
    *a = (struct arena){ .blocks = keep };
    if (keep) {
        keep->next = NULL;
        fill_from(a, keep);
    }
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *block = a->blocks, *next; block; block = next) {
        next = block->next;
        give_back(block);
    }
    *a = (struct arena){ 0 };
}
