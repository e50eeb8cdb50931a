/*
 * array.h - arrays that grow: twice the room whenever it is used up.
 *
 *     struct item *grown = array_room(l->items, l->count, &l->cap, sizeof(*grown));
 *     if (!grown)
 *         return no_memory(err);
 *     l->items = grown;
 *     l->items[l->count++] = item;
 */
#ifndef PATHWAY_ARRAY_H
#define PATHWAY_ARRAY_H

#include <stddef.h>

struct arena;

/*
 * `items` with room for one more than `count` of `size` bytes: the same, or a larger one in its
 * place with *cap told anew. NULL: no memory, and `items` stands as it was. An empty array is NULL
 * with a cap of 0.
 */
void *array_room(void *items, size_t count, size_t *cap, size_t size);
/* The same in an arena, which keeps what was outgrown. */
void *array_room_in(struct arena *a, void *items, size_t count, size_t *cap, size_t size);

#endif
