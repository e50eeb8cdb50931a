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
};

/* Zeroed memory aligned for any type; NULL when the system has none. `size` 0 gives a valid
 * pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* Copies of bytes, always followed by a NUL. NULL when there is no memory. */
char *arena_copy(struct arena *a, const char *bytes, size_t len);
char *arena_strdup(struct arena *a, const char *s);
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
