/* affected.c - see affected.h. */
#include "engine/affected.h"

#include <string.h>

#include "store/log.h"

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the subjects of a commit");
}

static bool has_cause(const struct cause *list, const struct cause *c)
{
    for (; list; list = list->next)
        if (strcmp(list->id, c->id) == 0 && strcmp(list->source, c->source) == 0)
            return true;
    return false;
}

static struct concern *concern_of(struct affected *a, const char *subject)
{
    struct strmap_item *item = strmap_find(&a->subjects, subject, strlen(subject));

    if (!item) {
        const char *name = arena_strdup(a->arena, subject);
        item = name ? strmap_add(&a->subjects, name, strlen(name), NULL) : NULL;
        if (item)
            item->as.ptr = arena_alloc(a->arena, sizeof(struct concern));
    }
    return item ? item->as.ptr : NULL;
}

enum err_code affected_by_time(struct affected *a, const char *subject, struct err *err)
{
    return concern_of(a, subject) ? OK : no_memory(err);
}

/* Add a subject with a cause, for a refold. */
static enum err_code add(struct affected *a, const char *subject, const struct cause *cause,
                         struct err *err)
{
    struct concern *concern = concern_of(a, subject);

    if (!concern)
        return no_memory(err);
    concern->must_refold = true;
    if (has_cause(concern->causes, cause))
        return OK;
    struct cause *c = arena_alloc(a->arena, sizeof(*c));
    if (!c)
        return no_memory(err);
    *c = (struct cause){ .next = concern->causes, .source = cause->source, .id = cause->id };
    concern->causes = c;
    a->cause_count++;
    return OK;
}

/* Add a subject with an event that touches it and can be taken in as it comes. */
static enum err_code add_event(struct affected *a, const char *subject, const struct event *e,
                               const struct cause *cause, struct err *err)
{
    struct concern *concern = concern_of(a, subject);

    if (!concern)
        return no_memory(err);
    if (concern->count == concern->cap) {
        size_t cap = concern->cap ? concern->cap * 2 : 4;
        const struct event **grown = arena_alloc(a->arena, cap * sizeof(*grown));
        if (!grown)
            return no_memory(err);
        if (concern->count)
            memcpy(grown, concern->events, concern->count * sizeof(*grown));
        concern->events = grown;
        concern->cap = cap;
    }
    concern->events[concern->count++] = e;
    bool must_refold = concern->must_refold;
    enum err_code rc = add(a, subject, cause, err);
    concern->must_refold = must_refold;
    return rc;
}

/* ---- what a void reaches ---- */

struct target {
    struct arena *arena;
    int64_t seq;
    const char *source, *id; /* the next target, when this one is a void itself; else NULL */
};

static enum err_code take_target(const struct logged *e, void *arg, struct err *err)
{
    struct target *t = arg;
    const struct json *body = NULL;

    t->seq = e->seq;
    t->source = t->id = NULL;
    if (strcmp(e->type, EVENT_VOIDED) != 0)
        return OK;
    if (json_parse(&body, t->arena, e->body, e->body_len, EVENT_MAX_DEPTH + 1, err) != OK)
        return err->code;
    t->source = json_get(json_get(body, "data"), "source")->as.string;
    t->id = json_get(json_get(body, "data"), "id")->as.string;
    return OK;
}

struct touch {
    struct affected *affected;
    const struct cause *cause;
    enum err_code rc;
    struct err *err;
};

static void add_touch(const char *subject, void *arg)
{
    struct touch *t = arg;
    if (t->rc == OK)
        t->rc = add(t->affected, subject, t->cause, t->err);
}

static enum err_code add_targets(struct affected *a, struct store *s, int64_t max_seq,
                                 const char *source, const char *id, const struct cause *cause,
                                 struct err *err)
{
    int64_t last =
        INT64_MAX; /* every step down a chain of voids is an event not seen before, or stops */

    for (int steps = 0; source && steps < 10000; steps++) {
        bool found;
        struct target t = { .arena = a->arena };
        struct touch touch = { a, cause, OK, err };
        enum err_code rc = log_find(&found, s, source, id, max_seq, take_target, &t, err);
        if (rc != OK || !found || t.seq == last)
            return rc;
        rc = log_touches(s, t.seq, add_touch, &touch, err);
        if (rc != OK || touch.rc != OK)
            return err->code;
        last = t.seq;
        source = t.source;
        id = t.id;
    }
    return OK;
}

static enum err_code take_any_void(const struct logged *e, void *arg, struct err *err)
{
    (void)e;
    (void)err;
    *(bool *)arg = true;
    return OK;
}

enum err_code affected_by_event(struct affected *a, struct store *s, int64_t max_seq,
                                const struct event *e, struct err *err)
{
    const struct cause cause = { .source = arena_strdup(a->arena, e->source),
                                 .id = arena_strdup(a->arena, e->id) };
    bool must_refold = strcmp(e->type, EVENT_VOIDED) == 0 || strcmp(e->type, EVENT_SUCCEEDED) == 0;
    enum err_code rc = cause.source && cause.id ? OK : no_memory(err);

    if (rc == OK && !must_refold) /* its void may have come before it */
        rc = log_voids_of(s, e->source, e->id, max_seq, take_any_void, &must_refold, err);
    for (uint32_t i = 0; i < e->touch_count && rc == OK; i++)
        rc = must_refold ? add(a, e->touches[i], &cause, err)
                         : add_event(a, e->touches[i], e, &cause, err);
    if (rc == OK && strcmp(e->type, EVENT_VOIDED) == 0)
        rc = add_targets(a, s, max_seq, json_get(e->data, "source")->as.string,
                         json_get(e->data, "id")->as.string, &cause, err);
    return rc;
}

/* Add the schools that continue subject number `i`. */
static enum err_code add_successors(struct affected *a, struct world *w, uint32_t i,
                                    struct err *err)
{
    const char *subject = a->subjects.items[i].key;
    const struct entry *const *touching;
    size_t count;

    if (world_touching(&touching, &count, w, subject, err) != OK)
        return err->code;
    for (size_t k = 0; k < count; k++) {
        const char *predecessor = world_predecessor(w, touching[k]);
        if (!predecessor || strcmp(predecessor, subject) != 0)
            continue;
        const struct concern *concern = a->subjects.items[i].as.ptr;
        for (const struct cause *c = concern->causes; c; c = c->next)
            if (add(a, touching[k]->subject, c, err) != OK)
                return err->code;
    }
    return OK;
}

enum err_code affected_successors(struct affected *a, struct world *w,
                                  has_no_successor_fn *has_none, void *arg, struct err *err)
{
    size_t before;

    /* Until nothing is added: a school visited already may get causes from one visited after it. A
     * cause is not added twice, so a cycle ends. */
    do {
        before = a->cause_count;
        for (uint32_t i = 0; i < a->subjects.count; i++) {
            const struct concern *c = a->subjects.items[i].as.ptr;
            if (c->causes && !has_none(a->subjects.items[i].key, c, arg) &&
                add_successors(a, w, i, err) != OK)
                return err->code;
        }
    } while (a->cause_count != before);
    return OK;
}

void affected_fini(struct affected *a)
{
    strmap_fini(&a->subjects);
}
