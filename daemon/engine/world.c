/* world.c - see world.h. Loading and voids; world_lineage.c merges histories. */
#include "engine/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/world_internal.h"
#include "store/log.h"

#define TELL_EVERY 1024 /* events */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the history of subjects");
}

enum err_code world_open(struct world **out, struct store *store, int64_t max_seq, struct err *err)
{
    struct world *w = calloc(1, sizeof(*w));

    *out = w;
    if (!w)
        return no_memory(err);
    w->store = store;
    w->max_seq = max_seq;
    w->horizon = INT64_MAX;
    return OK;
}

void world_close(struct world *w)
{
    if (!w)
        return;
    if (w->is_shared)
        pthread_mutex_destroy(&w->lock);
    for (uint32_t i = 0; i < w->subjects.count; i++)
        free(((struct history *)w->subjects.items[i].as.ptr)->entries);
    strmap_fini(&w->subjects);
    strmap_fini(&w->by_seq);
    strmap_fini(&w->voids);
    free(w->names);
    arena_fini(&w->arena);
    free(w);
}

/* ---- shared by threads ---- */

enum err_code world_share(struct world *w, struct err *err)
{
    pthread_mutexattr_t attr;

    if (w->is_shared)
        return OK;
    if (pthread_mutexattr_init(&attr) != 0)
        return no_memory(err);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    w->is_shared = pthread_mutex_init(&w->lock, &attr) == 0;
    pthread_mutexattr_destroy(&attr);
    return w->is_shared ? OK : no_memory(err);
}

void world_enter(struct world *w)
{
    if (w->is_shared)
        pthread_mutex_lock(&w->lock);
}

void world_leave(struct world *w)
{
    if (w->is_shared)
        pthread_mutex_unlock(&w->lock);
}

/* ---- entries ---- */

/* The entry of a logged event, made at first sight: one event touches many subjects. */
static struct known_entry *intern(struct world *w, const struct logged *e)
{
    struct strmap_item *item = strmap_find(&w->by_seq, (const char *)&e->seq, sizeof(e->seq));
    if (item)
        return item->as.ptr;

    struct known_entry *k = arena_alloc(&w->arena, sizeof(*k));
    if (!k)
        return NULL;
    struct entry *x = &k->entry;
    *x = (struct entry){
        .seq = e->seq,
        .recorded = e->recorded,
        .type = e->type,
        .subject = e->subject,
        .body_len = e->body_len,
        .key = { .time = e->time, .source = e->source, .id = arena_strdup(&w->arena, e->id) },
        .body = arena_copy(&w->arena, e->body, e->body_len),
    };
    if (e->sequence)
        x->key.sequence = arena_strdup(&w->arena, e->sequence);
    if (e->actor)
        x->actor = arena_strdup(&w->arena, e->actor);
    if (!x->key.id || !x->body || !x->key.sequence != !e->sequence || !x->actor != !e->actor)
        return NULL;
    item = strmap_add(&w->by_seq, (const char *)&x->seq, sizeof(x->seq), NULL);
    if (!item)
        return NULL;
    item->as.ptr = k;
    return k;
}

static bool add_entry(struct history *h, struct known_entry *k)
{
    struct known_entry **grown =
        array_room(h->entries, h->count, &h->cap, sizeof(struct known_entry *));

    if (!grown)
        return false;
    h->entries = grown;
    h->entries[h->count++] = k;
    h->is_sorted = false;
    return true;
}

static struct history *add_history(struct world *w, const char *subject)
{
    struct strmap_item *item = strmap_find(&w->subjects, subject, strlen(subject));
    if (item)
        return item->as.ptr;
    struct history *h = arena_alloc(&w->arena, sizeof(*h));
    const char *name = arena_strdup(&w->arena, subject);
    if (!h || !name || !(item = strmap_add(&w->subjects, name, strlen(name), NULL)))
        return NULL;
    item->as.ptr = h;
    return h;
}

static int by_event_order(const void *a, const void *b)
{
    const struct known_entry *const *x = a, *const *y = b;
    return event_key_compare(&(*x)->entry.key, &(*y)->entry.key);
}

/* ---- loading ---- */

struct load {
    struct world *w;
    struct history *history;
};

static enum err_code take_one(const struct logged *e, void *arg, struct err *err)
{
    struct load *load = arg;
    struct known_entry *k = intern(load->w, e);
    return k && add_entry(load->history, k) ? OK : no_memory(err);
}

enum err_code world_history(struct history **out, struct world *w, const char *subject,
                            struct err *err)
{
    struct history *h = add_history(w, subject);
    struct load load = { w, h };

    *out = h;
    if (!h)
        return no_memory(err);
    if (!h->is_loaded && !w->has_all) {
        enum err_code rc = log_scan_subject(w->store, subject, w->max_seq, take_one, &load, err);
        if (rc != OK) {
            h->count = 0; /* the next attempt begins anew */
            return rc;
        }
    }
    h->is_loaded = true;
    if (!h->is_sorted && h->count > 0)
        qsort(h->entries, h->count, sizeof(struct known_entry *), by_event_order);
    h->is_sorted = true;
    return OK;
}

/* The key under which the voids of an event are found: source, NUL, id. */
static const char *void_key(struct arena *arena, const char *source, const char *id, size_t *len)
{
    size_t source_len = strlen(source) + 1, id_len = strlen(id);
    char *key = arena_alloc(arena, source_len + id_len + 1);
    if (key) {
        memcpy(key, source, source_len);
        memcpy(key + source_len, id, id_len);
    }
    *len = source_len + id_len;
    return key;
}

/* Only when everything is loaded: list a void under the key that it names. */
static enum err_code index_void(struct world *w, struct known_entry *k, struct err *err)
{
    struct arena scratch = { 0 };
    const struct json *body = NULL;
    size_t len;

    enum err_code rc =
        json_parse(&body, &scratch, k->entry.body, k->entry.body_len, EVENT_MAX_DEPTH + 1, err);
    if (rc == OK) {
        const struct json *data = json_get(body, "data");
        const char *key = void_key(&w->arena, json_get(data, "source")->as.string,
                                   json_get(data, "id")->as.string, &len);
        struct strmap_item *item = key ? strmap_add(&w->voids, key, len, NULL) : NULL;
        if (item) {
            k->next_void = item->as.ptr;
            item->as.ptr = k;
        } else {
            rc = no_memory(err);
        }
    }
    arena_fini(&scratch);
    return rc;
}

static enum err_code take_any(const struct logged *e, void *arg, struct err *err)
{
    struct world *w = arg;
    struct known_entry *k = intern(w, e);

    if (!k)
        return no_memory(err);
    if (w->progress && e->seq % TELL_EVERY == 0)
        w->progress(e->seq, w->arg);
    for (uint32_t i = 0; i < e->touch_count; i++) {
        struct history *h = add_history(w, e->touches[i]);
        if (!h || !add_entry(h, k))
            return no_memory(err);
    }
    return strcmp(e->type, EVENT_VOIDED) == 0 ? index_void(w, k, err) : OK;
}

void world_tell(struct world *w, world_progress_fn *fn, void *arg)
{
    w->progress = fn;
    w->arg = arg;
}

enum err_code world_load_all(struct world *w, struct err *err)
{
    w->has_all = true;
    return log_scan(w->store, 0, w->max_seq, take_any, w, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *world_subjects(struct world *w, size_t *count)
{
    free(w->names);
    w->names = calloc(w->subjects.count + 1, sizeof(*w->names));
    *count = w->names ? w->subjects.count : 0;
    for (size_t i = 0; i < *count; i++)
        w->names[i] = w->subjects.items[i].key;
    if (w->names)
        qsort(w->names, *count, sizeof(*w->names), by_text);
    return w->names;
}

/* ---- voids ---- */

struct void_list {
    struct world *w;
    struct known_entry **items;
    size_t count, cap;
};

static bool list_void(struct void_list *list, struct known_entry *k)
{
    struct known_entry **grown =
        array_room(list->items, list->count, &list->cap, sizeof(struct known_entry *));

    if (!grown)
        return false;
    list->items = grown;
    list->items[list->count++] = k;
    return true;
}

static enum err_code take_void(const struct logged *e, void *arg, struct err *err)
{
    struct void_list *list = arg;
    struct known_entry *k = intern(list->w, e);
    return k && list_void(list, k) ? OK : no_memory(err);
}

/* Does `v` void `e`, if it stands itself? Same subject, and later in event order. */
static bool aims_at(const struct known_entry *v, const struct known_entry *e)
{
    return strcmp(v->entry.subject, e->entry.subject) == 0 &&
           event_key_compare(&v->entry.key, &e->entry.key) > 0;
}

/* Add the voids that name this entry and act on it. */
static enum err_code find_voids(struct void_list *list, struct known_entry *e, struct err *err)
{
    struct world *w = list->w;
    size_t first = list->count, kept = first;

    if (w->has_all) {
        size_t len;
        struct arena scratch = { 0 };
        const char *key = void_key(&scratch, e->entry.key.source, e->entry.key.id, &len);
        const struct strmap_item *item = key ? strmap_find(&w->voids, key, len) : NULL;
        bool is_full = !key;
        for (struct known_entry *v = item ? item->as.ptr : NULL; v && !is_full; v = v->next_void)
            is_full = !list_void(list, v);
        arena_fini(&scratch);
        if (is_full)
            return no_memory(err);
    } else {
        enum err_code rc = log_voids_of(w->store, e->entry.key.source, e->entry.key.id, w->max_seq,
                                        take_void, list, err);
        if (rc != OK)
            return rc;
    }
    e->is_never_named = list->count == first;
    for (size_t i = first; i < list->count; i++)
        if (aims_at(list->items[i], e) && !is_left_out(w, list->items[i]))
            list->items[kept++] = list->items[i];
    list->count = kept;
    return OK;
}

/* Does any void name it? Nearly always none does: that is seen without getting memory. */
static bool may_be_voided(const struct world *w, const struct known_entry *e)
{
    char key[256];
    size_t source = strlen(e->entry.key.source) + 1, id = strlen(e->entry.key.id);

    if (e->is_never_named)
        return false;
    if (!w->has_all || source + id > sizeof(key))
        return true;
    memcpy(key, e->entry.key.source, source);
    memcpy(key + source, e->entry.key.id, id);
    return strmap_find(&w->voids, key, source + id) != NULL;
}

/*
 * Settle an entry: gather the voids that reach it through chains of voids, then decide them from
 * the latest in event order back, so that a void which is itself voided does nothing. Chains can be
 * long, so this is no recursion.
 */
enum err_code world_settle(struct world *w, struct known_entry *e, struct err *err)
{
    struct void_list list = { .w = w };
    enum err_code rc = OK;

    if (e->settled != SETTLED_NOT)
        return OK;
    if (!may_be_voided(w, e)) {
        e->settled = SETTLED_STANDS;
        return OK;
    }
    if (!list_void(&list, e))
        rc = no_memory(err);
    for (size_t i = 0; rc == OK && i < list.count; i++) {
        struct known_entry *k = list.items[i];
        size_t first = list.count;
        if (k->settled != SETTLED_NOT || k->is_queued)
            continue;
        k->is_queued = true;
        rc = find_voids(&list, k, err);
        k->first_void = first;
        k->void_count = list.count - first;
        if (list.count == first)
            k->settled = SETTLED_STANDS;
    }
    struct known_entry **order =
        rc == OK ? malloc(list.count * sizeof(struct known_entry *)) : NULL;
    if (rc == OK && !order)
        rc = no_memory(err);
    if (rc == OK) {
        memcpy(order, list.items, list.count * sizeof(struct known_entry *));
        qsort(order, list.count, sizeof(struct known_entry *), by_event_order);
        for (size_t i = list.count; i-- > 0;) {
            struct known_entry *k = order[i];
            if (k->settled != SETTLED_NOT)
                continue;
            k->settled = SETTLED_STANDS;
            for (size_t v = 0; v < k->void_count; v++)
                if (list.items[k->first_void + v]->settled == SETTLED_STANDS)
                    k->settled = SETTLED_VOIDED;
        }
    }
    for (size_t i = 0; i < list.count; i++)
        list.items[i]->is_queued = false;
    free(order);
    free(list.items);
    return rc;
}

enum err_code world_is_voided(bool *out, struct world *w, const struct entry *e, struct err *err)
{
    struct known_entry *k = (struct known_entry *)(uintptr_t)e; /* entries are their first member */
    world_enter(w);
    enum err_code rc = world_settle(w, k, err);
    *out = rc == OK && k->settled == SETTLED_VOIDED;
    world_leave(w);
    return rc;
}

bool world_has_void(struct world *w, const struct entry *e)
{
    world_enter(w);
    bool has = ((const struct known_entry *)e)->void_count > 0;
    world_leave(w);
    return has;
}

enum err_code world_entry(const struct entry **out, struct world *w, int64_t seq, struct err *err)
{
    world_enter(w);
    const struct strmap_item *item = strmap_find(&w->by_seq, (const char *)&seq, sizeof(seq));
    world_leave(w);
    *out = item ? &((const struct known_entry *)item->as.ptr)->entry : NULL;
    return item ? OK : err_set(err, ERR_ABSENT, "event %lld is not loaded", (long long)seq);
}

void world_leave_out(struct world *w, const int64_t *seqs, size_t count, int64_t horizon)
{
    world_enter(w);
    w->left_out = seqs;
    w->left_out_count = count;
    w->horizon = horizon;
    for (uint32_t i = 0; i < w->by_seq.count; i++)
        ((struct known_entry *)w->by_seq.items[i].as.ptr)->settled = SETTLED_NOT;
    world_leave(w);
}

static enum err_code find_touching(const struct entry *const **out, size_t *count, struct world *w,
                                   const char *subject, struct err *err)
{
    struct history *h;

    *count = 0;
    if (world_history(&h, w, subject, err) != OK)
        return err->code;
    const struct entry **entries = arena_alloc(&w->arena, (h->count + 1) * sizeof(*entries));
    if (!entries)
        return no_memory(err);
    for (size_t i = 0; i < h->count; i++)
        if (!is_left_out(w, h->entries[i]))
            entries[(*count)++] = &h->entries[i]->entry;
    *out = entries;
    return OK;
}

enum err_code world_touching(const struct entry *const **out, size_t *count, struct world *w,
                             const char *subject, struct err *err)
{
    world_enter(w);
    enum err_code rc = find_touching(out, count, w, subject, err);
    world_leave(w);
    return rc;
}
