/*
 * strmap.h - a hash table from byte strings to a number or pointer.
 *
 * Keys are borrowed: they must outlive the map. A zeroed struct strmap is
 * empty and valid. Iteration order is that of insertion, so it is the same in
 * every run. Nothing is ever removed.
 */
#ifndef PATHWAY_STRMAP_H
#define PATHWAY_STRMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strmap_item {
    const char *key; /* borrowed */
    uint32_t len;
    uint32_t hash;
    union {
        void *ptr;
        int64_t num;
    } as;
};

struct strmap {
    struct strmap_item *items; /* in order of insertion */
    uint32_t *slots;           /* index + 1 into items; 0 is free */
    uint32_t count;
    uint32_t item_cap;
    uint32_t slot_cap; /* a power of two */
};

/* The item with this key, or NULL. Valid until the next strmap_add(). */
struct strmap_item *strmap_find(const struct strmap *m, const char *key, size_t len);
/* The item with this key, added with a zero value when it is new (*is_new tells, NULL allowed).
 * NULL when there is no memory. */
struct strmap_item *strmap_add(struct strmap *m, const char *key, size_t len, bool *is_new);
void strmap_fini(struct strmap *m);

#endif
