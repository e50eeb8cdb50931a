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

static enum err_code add(struct affected *a, const char *subject, const struct cause *cause,
                         struct err *err)
{
    struct strmap_item *item = strmap_find(&a->subjects, subject, strlen(subject));

    if (!item) {
        const char *name = arena_strdup(a->arena, subject);
        item = name ? strmap_add(&a->subjects, name, strlen(name), NULL) : NULL;
    }
    if (!item)
        return no_memory(err);
    if (has_cause(item->as.ptr, cause))
        return OK;
    struct cause *c = arena_alloc(a->arena, sizeof(*c));
    if (!c)
        return no_memory(err);
    *c = (struct cause){ .next = item->as.ptr, .source = cause->source, .id = cause->id };
    item->as.ptr = c;
    return OK;
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

enum err_code affected_by_event(struct affected *a, struct store *s, int64_t max_seq,
                                const struct event *e, struct err *err)
{
    const struct cause cause = { .source = arena_strdup(a->arena, e->source),
                                 .id = arena_strdup(a->arena, e->id) };
    enum err_code rc = cause.source && cause.id ? OK : no_memory(err);

    for (uint32_t i = 0; i < e->touch_count && rc == OK; i++)
        rc = add(a, e->touches[i], &cause, err);
    if (rc == OK && strcmp(e->type, EVENT_VOIDED) == 0)
        rc = add_targets(a, s, max_seq, json_get(e->data, "source")->as.string,
                         json_get(e->data, "id")->as.string, &cause, err);
    return rc;
}

enum err_code affected_successors(struct affected *a, struct world *w, struct err *err)
{
    /* What is added at the end is visited too, so successors of successors come in. A school that
     * is there already is not added twice, so a cycle ends. */
    for (uint32_t i = 0; i < a->subjects.count; i++) {
        const char *subject = a->subjects.items[i].key;
        const struct entry *const *touching;
        size_t count;
        if (world_touching(&touching, &count, w, subject, err) != OK)
            return err->code;
        for (size_t k = 0; k < count; k++) {
            const char *predecessor = world_predecessor(w, touching[k]);
            if (!predecessor || strcmp(predecessor, subject) != 0)
                continue;
            for (const struct cause *c = a->subjects.items[i].as.ptr; c; c = c->next)
                if (add(a, touching[k]->subject, c, err) != OK)
                    return err->code;
        }
    }
    return OK;
}

void affected_fini(struct affected *a)
{
    strmap_fini(&a->subjects);
}
