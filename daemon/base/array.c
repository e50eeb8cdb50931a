/* array.c - see array.h. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define FIRST 16u /* items */

static size_t next_cap(size_t cap, size_t size)
{
    size_t next = cap ? cap * 2 : FIRST;

    return cap > SIZE_MAX / 2 || next > SIZE_MAX / size ? 0 : next;
}

void *array_room(void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    size_t next = next_cap(*cap, size);
    void *grown = next > 0 ? realloc(items, next * size) : NULL;
    if (grown)
        *cap = next;
    return grown;
}

void *array_room_in(struct arena *a, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    size_t next = next_cap(*cap, size);
    void *grown = next > 0 ? arena_alloc(a, next * size) : NULL;
    if (!grown)
        return NULL;
    if (count > 0)
        memcpy(grown, items, count * size);
    *cap = next;
    return grown;
}
