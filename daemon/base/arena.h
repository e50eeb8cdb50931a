/*
 * arena.h - memory that is freed all at once.
 *
 * A zeroed struct arena is empty and valid. Nothing allocated from it is freed
 * alone; arena_reset() takes everything back and keeps one block for reuse.
 */
#ifndef PATHWAY_ARENA_H
#define PATHWAY_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first; owned */
    size_t used;                /* bytes handed out since the last reset */
    unsigned char *at;          /* what is free of the newest block: from here */
    unsigned char *end;         /* to here; both NULL without a block */
};

/* Zeroed memory aligned for any type; NULL when the system has none. `size` 0 gives a valid
 * pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* The same, not zeroed: for who fills all of it at once. */
void *arena_room(struct arena *a, size_t size);
/* Copies of bytes, always followed by a NUL. NULL when there is no memory. */
char *arena_copy(struct arena *a, const char *bytes, size_t len);
char *arena_strdup(struct arena *a, const char *s);
/* A hint: about `size` bytes will be asked for. Saves growing to them block by block. */
void arena_expect(struct arena *a, size_t size);
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
