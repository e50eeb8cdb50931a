/*
 * arena.h - memory that is freed all at once.
 *
 * A zeroed struct arena is empty and valid. Nothing allocated from it is freed
 * alone; arena_reset() takes everything back and keeps one block for reuse.
 */
#ifndef PATHWAY_ARENA_H
#define PATHWAY_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_ALIGNMENT 16 /* for any type */

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first; owned */
    size_t used;                /* bytes handed out since the last reset */
    unsigned char *at;          /* what is free of the newest block: from here */
    unsigned char *end;         /* to here; both NULL without a block */
};

/* What arena_room() does when the newest block has not so much. */
void *arena_room_in_new_block(struct arena *a, size_t size);
/* Zeroed memory aligned for any type; NULL when the system has none. `size` 0 gives a valid
 * pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* The same, not zeroed: for who fills all of it at once. */
static inline void *arena_room(struct arena *a, size_t size)
{
    size_t whole = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    unsigned char *out = a->at;

    if (!out || size > SIZE_MAX / 2 || whole > (size_t)(a->end - out))
        return arena_room_in_new_block(a, size);
    a->at = out + whole;
    a->used += whole;
    return out;
}
/* Copies of bytes, always followed by a NUL. NULL when there is no memory. */
char *arena_copy(struct arena *a, const char *bytes, size_t len);
char *arena_strdup(struct arena *a, const char *s);
/* A hint: about `size` bytes will be asked for. Saves growing to them block by block. */
void arena_expect(struct arena *a, size_t size);
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
