/* world_lineage.c - a school's fold is its own events merged with those that it took over. */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/world_internal.h"

#define LINEAGE_MAX 64 /* successions on one path; real chains have four */
#define AS_MAX      32 /* predecessors through which one event may come */

/* An item being gathered: sorted by event, `as` grows when it comes through several
 * predecessors. */
struct gathered {
    struct known_entry *entry;
    const char *as[AS_MAX];
    int as_count;
};
struct gathering {
    struct gathered *items;
    size_t count, cap;
};

/* The schools from the one asked about down to the one being gathered. */
struct path {
    const char *subject;
    const struct path *up;
    int depth;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the history of a school");
}

static const char *read_predecessor(struct world *w, struct known_entry *k)
{
    const struct entry *e = &k->entry;
    struct arena scratch = { 0 };
    const struct json *body = NULL;

    if (k->predecessor || strcmp(e->type, EVENT_SUCCEEDED) != 0)
        return k->predecessor;
    if (json_parse(&body, &scratch, e->body, e->body_len, EVENT_MAX_DEPTH + 1, NULL) == OK) {
        const struct json *p = json_get(json_get(body, "data"), "predecessor");
        if (p && p->type == JSON_STRING)
            k->predecessor = arena_strdup(&w->arena, p->as.string);
    }
    arena_fini(&scratch);
    return k->predecessor;
}

const char *world_predecessor(struct world *w, const struct entry *e)
{
    world_enter(w);
    const char *predecessor = read_predecessor(w, (struct known_entry *)(uintptr_t)e);
    world_leave(w);
    return predecessor;
}

enum err_code world_next_succession(int64_t *out, struct world *w, const char *subject,
                                    int64_t after, struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    *out = TIME_NEVER;
    if (world_touching(&touching, &count, w, subject, err) != OK)
        return err->code;
    for (size_t i = 0; i < count && *out == TIME_NEVER; i++) {
        bool is_voided;
        const struct entry *e = touching[i];
        if (e->key.time <= after || !world_predecessor(w, e) || strcmp(e->subject, subject) != 0)
            continue;
        if (world_is_voided(&is_voided, w, e, err) != OK)
            return err->code;
        if (!is_voided)
            *out = e->key.time;
    }
    return OK;
}

static bool is_on_path(const struct path *path, const char *subject)
{
    for (; path; path = path->up)
        if (strcmp(path->subject, subject) == 0)
            return true;
    return false;
}

/* `most`: how many there will be, as far as is known. */
static struct gathered *push(struct gathering *g, struct known_entry *entry, size_t most)
{
    if (g->count == g->cap) {
        size_t cap = g->cap < most ? most : g->cap * 2;
        struct gathered *grown = realloc(g->items, cap * sizeof(*grown));
        if (!grown)
            return NULL;
        g->items = grown;
        g->cap = cap;
    }
    g->items[g->count] = (struct gathered){ .entry = entry };
    return &g->items[g->count++];
}

static int by_event_order(const void *a, const void *b)
{
    const struct gathered *x = a, *y = b;
    return event_key_compare(&x->entry->entry.key, &y->entry->entry.key);
}

/*
 * Merge what was taken over into what is there. `own` items come first in `g` and win: an event in
 * both counts once, as the school's own. One that comes through two predecessors counts once, as
 * both.
 */
static enum err_code merge(struct gathering *g, size_t own, const struct gathering *taken,
                           struct err *err)
{
    for (size_t i = 0; i < taken->count; i++) {
        const struct gathered *t = &taken->items[i];
        struct gathered *found = NULL;
        size_t k = 0;
        for (; k < g->count && !found; k++)
            if (g->items[k].entry == t->entry)
                found = &g->items[k];
        if (found && k <= own)
            continue;
        if (!found && !(found = push(g, t->entry, own + taken->count)))
            return no_memory(err);
        for (int a = 0; a < t->as_count; a++) {
            bool is_there = false;
            for (int b = 0; b < found->as_count; b++)
                is_there = is_there || strcmp(found->as[b], t->as[a]) == 0;
            if (!is_there && found->as_count < AS_MAX)
                found->as[found->as_count++] = t->as[a];
        }
    }
    return OK;
}

/* Gather the fold of path->subject: events not later than `at` and, with `before`, in front
 * of it. */
static enum err_code gather(struct gathering *out, struct world *w, const struct path *path,
                            const struct event_key *before, int64_t at, struct err *err)
{
    struct history *h;

    if (path->depth > LINEAGE_MAX)
        return OK;
    if (world_history(&h, w, path->subject, err) != OK)
        return err->code;
    for (size_t i = 0; i < h->count; i++) {
        struct known_entry *k = h->entries[i];
        if (k->entry.key.time > at || (before && event_key_compare(&k->entry.key, before) >= 0))
            break; /* in event order: so are all that follow */
        if (is_left_out(w, k))
            continue;
        if (world_settle(w, k, err) != OK)
            return err->code;
        if (k->settled == SETTLED_VOIDED)
            continue;
        struct gathered *g = push(out, k, h->count);
        if (!g)
            return no_memory(err);
        g->as[g->as_count++] = path->subject;
    }
    size_t own = out->count;
    enum err_code rc = OK;
    for (size_t i = 0; i < own && rc == OK; i++) {
        const struct entry *e = &out->items[i].entry->entry;
        const char *predecessor = world_predecessor(w, e);
        if (!predecessor || strcmp(e->subject, path->subject) != 0 || is_on_path(path, predecessor))
            continue;
        struct path down = { predecessor, path, path->depth + 1 };
        struct gathering taken = { 0 };
        rc = gather(&taken, w, &down, &e->key, at, err);
        if (rc == OK)
            rc = merge(out, own, &taken, err);
        free(taken.items);
    }
    if (rc == OK && out->count > own)
        qsort(out->items, out->count, sizeof(out->items[0]), by_event_order);
    return rc;
}

/* Nearly all items came through the subject itself: they share one list of one name. */
static const char *const *keep_as(struct world *w, const struct gathered *g, const char *const *own)
{
    if (g->as_count == 1 && g->as[0] == own[0])
        return own;
    const char **as = arena_alloc(&w->arena, (size_t)g->as_count * sizeof(*as));
    if (as)
        memcpy(as, g->as, (size_t)g->as_count * sizeof(*as));
    return as;
}

static enum err_code find_items(const struct item **out, size_t *count, struct world *w,
                                const char *subject, int64_t at, struct err *err)
{
    struct gathering g = { 0 };
    const char **own = arena_alloc(&w->arena, sizeof(*own));

    *count = 0;
    if (!own || !(own[0] = arena_strdup(&w->arena, subject)))
        return no_memory(err);
    struct path path = { .subject = own[0] };
    enum err_code rc = gather(&g, w, &path, NULL, at, err);
    struct item *items = NULL;
    if (rc == OK && !(items = arena_alloc(&w->arena, (g.count + 1) * sizeof(*items))))
        rc = no_memory(err);
    for (size_t i = 0; rc == OK && i < g.count; i++) {
        items[i] = (struct item){ .entry = &g.items[i].entry->entry,
                                  .as = keep_as(w, &g.items[i], own),
                                  .as_count = g.items[i].as_count };
        if (!items[i].as)
            rc = no_memory(err);
    }
    if (rc == OK) {
        *out = items;
        *count = g.count;
    }
    free(g.items);
    return rc;
}

enum err_code world_fold_items(const struct item **out, size_t *count, struct world *w,
                               const char *subject, int64_t at, struct err *err)
{
    world_enter(w);
    enum err_code rc = find_items(out, count, w, subject, at, err);
    world_leave(w);
    return rc;
}
