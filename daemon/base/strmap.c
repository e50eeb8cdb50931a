/* strmap.c - see strmap.h. Open addressing with linear probing, at most three quarters full. */
#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 16u

#define MIX 0x9e3779b97f4a7c15u

/* Up to eight bytes as a number, without a copy of unknown length. */
static uint64_t word_of(const char *key, size_t len)
{
    uint64_t word = 0;
    uint32_t first, last;

    if (len == sizeof(word)) {
        memcpy(&word, key, sizeof(word));
    } else if (len >= sizeof(first)) {
        memcpy(&first, key, sizeof(first));
        memcpy(&last, key + len - sizeof(last), sizeof(last));
        word = (uint64_t)last << 32 | first;
    } else {
        while (len > 0)
            word = word << 8 | (unsigned char)key[--len];
    }
    return word;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * MIX;
    return h ^ h >> 29;
}

/* Eight bytes at a step, mixed so that near keys ("school/100001", "...2") scatter. The same in
 * every run: nothing depends on it but speed. */
static uint32_t hash_bytes(const char *key, size_t len)
{
    uint64_t h = len * MIX;

    for (; len > sizeof(uint64_t); key += sizeof(uint64_t), len -= sizeof(uint64_t))
        h = mix(h, word_of(key, sizeof(uint64_t)));
    h = mix(h, word_of(key, len)) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(h >> 32);
}

/* The slot that holds the key, or the free one where it belongs. There is always a free one. */
static uint32_t slot_of(const struct strmap *m, uint32_t hash, const char *key, uint32_t len)
{
    uint32_t at = hash & (m->slot_cap - 1);

    for (; m->slots[at] != 0; at = (at + 1) & (m->slot_cap - 1)) {
        const struct strmap_item *item = &m->items[m->slots[at] - 1];
        if (item->hash == hash && item->len == len &&
            (len == 0 || memcmp(item->key, key, len) == 0))
            break;
    }
    return at;
}

struct strmap_item *strmap_find(const struct strmap *m, const char *key, size_t len)
{
    if (m->count == 0 || len > UINT32_MAX)
        return NULL;
    uint32_t at = m->slots[slot_of(m, hash_bytes(key, len), key, (uint32_t)len)];
    return at ? &m->items[at - 1] : NULL;
}

static bool grow_items(struct strmap *m)
{
    uint32_t cap = m->item_cap ? m->item_cap * 2 : FIRST_CAP / 2;
    struct strmap_item *items = realloc(m->items, cap * sizeof(*items));

    if (!items)
        return false;
    m->items = items;
    m->item_cap = cap;
    return true;
}

static bool grow_slots(struct strmap *m)
{
    uint32_t cap = m->slot_cap ? m->slot_cap * 2 : FIRST_CAP;
    uint32_t *slots = calloc(cap, sizeof(*slots));

    if (!slots)
        return false;
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t at = m->items[i].hash & (cap - 1);
        while (slots[at] != 0)
            at = (at + 1) & (cap - 1);
        slots[at] = i + 1;
    }
    free(m->slots);
    m->slots = slots;
    m->slot_cap = cap;
    return true;
}

struct strmap_item *strmap_add(struct strmap *m, const char *key, size_t len, bool *is_new)
{
    struct strmap_item *found = strmap_find(m, key, len);

    if (is_new)
        *is_new = found == NULL;
    if (found)
        return found;
    if (len > UINT32_MAX || m->count >= UINT32_MAX / 4)
        return NULL;
    if (m->count == m->item_cap && !grow_items(m))
        return NULL;
    if (m->count >= m->slot_cap / 4 * 3 && !grow_slots(m))
        return NULL;

    uint32_t hash = hash_bytes(key, len);
    struct strmap_item *item = &m->items[m->count++];
    *item = (struct strmap_item){ .key = key, .len = (uint32_t)len, .hash = hash };
    m->slots[slot_of(m, hash, key, (uint32_t)len)] = m->count;
    return item;
}

void strmap_fini(struct strmap *m)
{
    free(m->items);
    free(m->slots);
    *m = (struct strmap){ 0 };
}
