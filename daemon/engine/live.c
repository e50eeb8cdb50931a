/* live.c - see live.h. */
#include "engine/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "model/subject.h"

void live_cache_init(struct live_cache *c, size_t limit)
{
    *c = (struct live_cache){ .limit = limit };
}

static void unlink_live(struct live_cache *c, struct live *l)
{
    *(l->newer ? &l->newer->older : &c->newest) = l->older;
    *(l->older ? &l->older->newer : &c->oldest) = l->newer;
    l->newer = l->older = NULL;
}

static void link_newest(struct live_cache *c, struct live *l)
{
    l->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = l;
    c->newest = l;
}

static void free_live(struct live *l)
{
    fold_fini(&l->fold);
    free(l->last_texts);
    free(l->name);
    free(l->hub);
    free(l->former);
    free(l);
}

void live_drop(struct live_cache *c, struct live *l)
{
    strmap_find(&c->subjects, l->subject, strlen(l->subject))->as.ptr = NULL;
    unlink_live(c, l);
    c->count--;
    c->skipped -= l->fold.skipped;
    free_live(l);
}

void live_cache_clear(struct live_cache *c)
{
    while (c->newest)
        live_drop(c, c->newest);
}

void live_cache_trim(struct live_cache *c, size_t limit)
{
    c->limit = limit;
    for (struct live *l = c->oldest, *newer; l && c->count > limit; l = newer) {
        newer = l->newer;
        if (strncmp(l->subject, "school/", 7) != 0)
            live_drop(c, l);
    }
    while (c->count > limit)
        live_drop(c, c->oldest);
}

void live_cache_fini(struct live_cache *c)
{
    live_cache_clear(c);
    strmap_fini(&c->subjects);
    arena_fini(&c->names);
}

struct live *live_find(struct live_cache *c, const char *subject)
{
    const struct strmap_item *item = strmap_find(&c->subjects, subject, strlen(subject));
    struct live *l = item ? item->as.ptr : NULL;

    if (l && l != c->newest) {
        unlink_live(c, l);
        link_newest(c, l);
    }
    return l;
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to keep a record");
}

/* Every event comes by here: its texts go where those of the one before were. */
static enum err_code keep_last(struct live *l, const struct event_key *key, struct err *err)
{
    size_t source = strlen(key->source) + 1, id = strlen(key->id) + 1;
    size_t sequence = key->sequence ? strlen(key->sequence) + 1 : 0;

    if (source + id + sequence > l->last_room) {
        char *texts = realloc(l->last_texts, source + id + sequence);
        if (!texts)
            return no_memory(err);
        l->last_texts = texts;
        l->last_room = source + id + sequence;
    }
    char *at = l->last_texts;
    l->last = (struct event_key){ .time = key->time,
                                  .source = memcpy(at, key->source, source),
                                  .id = memcpy(at + source, key->id, id) };
    if (sequence > 0)
        l->last.sequence = memcpy(at + source + id, key->sequence, sequence);
    return OK;
}

static enum err_code add(struct live_cache *c, struct live *l, struct err *err)
{
    struct strmap_item *item = strmap_find(&c->subjects, l->subject, strlen(l->subject));

    if (!item) {
        const char *name = arena_strdup(&c->names, l->subject);
        item = name ? strmap_add(&c->subjects, name, strlen(name), NULL) : NULL;
    }
    if (!item)
        return no_memory(err);
    item->as.ptr = l;
    link_newest(c, l);
    c->skipped += l->fold.skipped;
    if (++c->count > c->limit)
        live_drop(c, c->oldest);
    return OK;
}

/* What the log says of it besides the fold itself. */
static enum err_code look_around(struct live *l, struct world *w, int64_t now, struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    if (world_touching(&touching, &count, w, l->subject, err) != OK)
        return err->code;
    l->ahead = TIME_NEVER;
    for (size_t i = 0; i < count; i++) {
        if (touching[i]->key.time > now && l->ahead == TIME_NEVER)
            l->ahead = touching[i]->key.time;
        /* Voided ones too: an event that is to be taken in must follow everything there is. */
        if (touching[i]->key.time <= now && keep_last(l, &touching[i]->key, err) != OK)
            return err->code;
    }
    return OK;
}

/* Schools through which events came that the subject has taken over. */
static enum err_code keep_former(struct live *l, struct err *err)
{
    const char *last = l->subject;
    struct buf former = { 0 };

    for (size_t i = 0; i < l->fold.count; i++) {
        for (int a = 0; a < l->fold.items[i].as_count; a++) {
            const char *as = l->fold.items[i].as[a];
            if (strcmp(as, l->subject) == 0 || strcmp(as, last) == 0)
                continue;
            last = as;
            if (!strstr(buf_cstr(&former), subject_code(as)))
                buf_printf(&former, "%s%s", former.len ? " " : "", subject_code(as));
        }
    }
    bool failed = former.failed;
    l->former = former.len && !failed ? buf_take(&former) : NULL;
    buf_fini(&former);
    return failed ? no_memory(err) : OK;
}

/* A new one, not in the cache yet; NULL: no memory. */
static struct live *new_live(const char *subject)
{
    struct live *l = calloc(1, sizeof(*l));

    if (l) {
        snprintf(l->subject, sizeof(l->subject), "%s", subject);
        l->ahead = TIME_NEVER;
    }
    return l;
}

/* Keep it, when `rc` says that it is well; else let it go. */
static enum err_code keep(struct live **out, struct live_cache *c, struct live *l, enum err_code rc,
                          struct err *err)
{
    if (rc == OK)
        rc = add(c, l, err);
    if (rc == OK)
        *out = l;
    else
        free_live(l);
    return rc;
}

enum err_code live_begin(struct live **out, struct live_cache *c, struct rulebook *rules,
                         const char *subject, struct err *err)
{
    struct live *l = new_live(subject);

    *out = NULL;
    if (!l)
        return no_memory(err);
    return keep(out, c, l, fold_init(&l->fold, rules, l->subject, NULL, 0, err), err);
}

enum err_code live_build(struct live **out, struct live_cache *c, struct rulebook *rules,
                         struct world *w, const char *subject, int64_t now, struct err *err)
{
    struct live *l = live_find(c, subject);

    *out = NULL;
    if (l)
        live_drop(c, l);
    if (!(l = new_live(subject)))
        return no_memory(err);
    enum err_code rc = fold_subject(&l->fold, rules, w, l->subject, now, err);
    if (rc == OK)
        rc = look_around(l, w, now, err);
    if (rc == OK)
        rc = keep_former(l, err);
    l->fold_events = (int64_t)l->fold.count;
    l->fold.items = NULL; /* they go with the world */
    l->fold.count = l->fold.next = 0;
    return keep(out, c, l, rc, err);
}

bool live_can_take(const struct live *l, const struct event *const *events, size_t count,
                   int64_t now)
{
    for (size_t i = 0; i < count; i++) {
        const struct event *e = events[i];
        struct event_key key = { e->time, e->sequence, e->source, e->id };
        if (e->time > now || !l->last.id || event_key_compare(&key, &l->last) <= 0)
            return false;
    }
    return l->ahead > now && !l->fold.faults;
}

enum err_code live_take(struct live *l, const struct event *const *events, size_t count,
                        int64_t now, struct err *err)
{
    const struct catalog *catalog = rulebook_catalog(l->fold.rules);
    const char *own = l->subject;
    enum err_code rc = OK;

    for (size_t i = 0; i < count && rc == OK; i++) {
        const struct event *e = events[i];
        struct fold_event event = { .time = e->time,
                                    .type = e->type,
                                    .source = e->source,
                                    .id = e->id,
                                    .subject = e->subject,
                                    .data = e->data,
                                    .is_checked =
                                        e->schema && e->schema == catalog_find(catalog, e->type),
                                    .as = &own,
                                    .as_count = 1 };
        struct event_key key = { e->time, e->sequence, e->source, e->id };
        rc = fold_take(&l->fold, &event, err);
        if (rc == OK)
            rc = keep_last(l, &key, err);
    }
    return rc == OK ? fold_to(&l->fold, now, err) : rc;
}
