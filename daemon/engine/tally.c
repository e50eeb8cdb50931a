/* tally.c - see tally.h. */
#include "engine/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct tally_values {
    struct strmap counts; /* JSON text to how many */
    bool is_many;
};

void tally_subject(struct tally *t)
{
    t->subjects++;
}

/* The item of a name or value, whose key is the arena's when it is new. */
static struct strmap_item *item_of(struct tally *t, struct strmap *map, const char *text,
                                   size_t len)
{
    struct strmap_item *item = strmap_find(map, text, len);

    if (item)
        return item;
    const char *copy = arena_copy(t->arena, text, len);
    item = copy ? strmap_add(map, copy, len, NULL) : NULL;
    t->failed = t->failed || !item;
    return item;
}

static struct tally_values *values_of(struct tally *t, const char *name, size_t len)
{
    struct strmap_item *item = item_of(t, &t->decisions, name, len);

    if (item && !item->as.ptr) {
        item->as.ptr = arena_alloc(t->arena, sizeof(struct tally_values));
        if (item->as.ptr)
            memset(item->as.ptr, 0, sizeof(struct tally_values));
        t->failed = t->failed || !item->as.ptr;
    }
    return item ? item->as.ptr : NULL;
}

void tally_add(struct tally *t, const char *name, size_t name_len, const char *value,
               size_t value_len)
{
    struct tally_values *v = values_of(t, name, name_len);
    bool is_error = value_len > 0 && value[0] == '{'; /* whatever its message */

    if (!v || v->is_many)
        return;
    struct strmap_item *item =
        item_of(t, &v->counts, is_error ? "\"error\"" : value, is_error ? 7 : value_len);
    if (item)
        item->as.num++;
    v->is_many = v->counts.count > TALLY_VALUES;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct strmap_item *const *)a)->key,
                  (*(const struct strmap_item *const *)b)->key);
}

/* Pointers to a map's items, by key. The caller's to free(); NULL: no memory. */
static const struct strmap_item **sorted(const struct strmap *map)
{
    const struct strmap_item **list = calloc(map->count + 1u, sizeof(const void *));

    for (uint32_t i = 0; list && i < map->count; i++)
        list[i] = &map->items[i];
    if (list)
        qsort(list, map->count, sizeof(const void *), by_key);
    return list;
}

static void write_values(struct buf *out, const struct strmap *counts)
{
    const struct strmap_item **values = sorted(counts);

    out->failed = out->failed || !values;
    buf_char(out, '{');
    for (uint32_t i = 0; values && i < counts->count; i++) {
        bool is_text = values[i]->key[0] == '"';
        buf_printf(out, "%s%s%s%s:%lld", i ? "," : "", is_text ? "" : "\"", values[i]->key,
                   is_text ? "" : "\"", (long long)values[i]->as.num);
    }
    buf_char(out, '}');
    free(values);
}

void tally_write(struct buf *out, const struct tally *t)
{
    const struct strmap_item **names = sorted(&t->decisions);
    const char *comma = "";

    out->failed = out->failed || !names || t->failed;
    buf_char(out, '{');
    for (uint32_t i = 0; names && i < t->decisions.count; i++) {
        const struct tally_values *v = names[i]->as.ptr;
        if (!v || v->is_many)
            continue;
        buf_str(out, comma);
        comma = ",";
        json_write_string(out, names[i]->key, names[i]->len);
        buf_char(out, ':');
        write_values(out, &v->counts);
    }
    buf_char(out, '}');
    free(names);
}

void tally_fini(struct tally *t)
{
    for (uint32_t i = 0; i < t->decisions.count; i++)
        if (t->decisions.items[i].as.ptr)
            strmap_fini(&((struct tally_values *)t->decisions.items[i].as.ptr)->counts);
    strmap_fini(&t->decisions);
}
