/* affected.c - see affected.h. */
#include "engine/affected.h"

#include <string.h>

#include "base/array.h"
#include "store/log.h"

#define CAUSES_MAX 1024 /* events that one entry of the feed names */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the subjects of a commit");
}

static bool has_cause(const struct concern *concern, int64_t seq)
{
    if (seq > concern->newest)
        return false;
    for (const struct cause *c = concern->causes; c; c = c->next)
        if (c->seq == seq)
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

static enum err_code add_cause(struct affected *a, struct concern *concern, int64_t seq,
                               struct err *err)
{
    if (has_cause(concern, seq))
        return OK;
    struct cause *c = arena_alloc(a->arena, sizeof(*c));
    if (!c)
        return no_memory(err);
    *c = (struct cause){ concern->causes, seq };
    concern->causes = c;
    if (seq > concern->newest)
        concern->newest = seq;
    a->cause_count++;
    return OK;
}

/* Add a subject with a cause, for a refold. */
static enum err_code add(struct affected *a, const char *subject, int64_t seq, struct err *err)
{
    struct concern *concern = concern_of(a, subject);

    if (!concern)
        return no_memory(err);
    concern->must_refold = true;
    return add_cause(a, concern, seq, err);
}

/* Add a subject with an event that touches it and can be taken in as it comes. */
static enum err_code add_event(struct affected *a, const char *subject, const struct event *e,
                               int64_t seq, struct err *err)
{
    struct concern *concern = concern_of(a, subject);

    if (!concern)
        return no_memory(err);
    const struct event **grown =
        array_room_in(a->arena, concern->events, concern->count, &concern->cap, sizeof(*grown));
    if (!grown)
        return no_memory(err);
    concern->events = grown;
    concern->events[concern->count++] = e;
    return add_cause(a, concern, seq, err);
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
    int64_t cause;
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
                                 const char *source, const char *id, int64_t cause, struct err *err)
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
                                const struct event *e, int64_t seq, struct err *err)
{
    bool is_void = strcmp(e->type, EVENT_VOIDED) == 0;
    bool must_refold = is_void || strcmp(e->type, EVENT_SUCCEEDED) == 0 ||
                       log_is_named_by_void(s, e->source, e->id); /* it may have come before */
    enum err_code rc = OK;

    for (uint32_t i = 0; i < e->touch_count && rc == OK; i++)
        rc = must_refold ? add(a, e->touches[i], seq, err)
                         : add_event(a, e->touches[i], e, seq, err);
    if (rc == OK && is_void)
        rc = add_targets(a, s, max_seq, json_get(e->data, "source")->as.string,
                         json_get(e->data, "id")->as.string, seq, err);
    return rc;
}

struct succession {
    struct affected *affected;
    uint32_t predecessor; /* number among the subjects */
};

static enum err_code add_successor(const char *successor, void *arg, struct err *err)
{
    const struct succession *x = arg;
    const struct concern *concern = x->affected->subjects.items[x->predecessor].as.ptr;

    for (const struct cause *c = concern->causes; c; c = c->next)
        if (add(x->affected, successor, c->seq, err) != OK)
            return err->code;
    return OK;
}

enum err_code affected_successors(struct affected *a, struct store *s, int64_t max_seq,
                                  struct err *err)
{
    size_t before;

    /* Until nothing is added: a school visited already may get causes from one visited after it. A
     * cause is not added twice, so a cycle ends. */
    do {
        before = a->cause_count;
        for (uint32_t i = 0; i < a->subjects.count; i++) {
            struct succession x = { a, i };
            const struct concern *c = a->subjects.items[i].as.ptr;
            if (c->causes &&
                log_successors(s, a->subjects.items[i].key, max_seq, add_successor, &x, err) != OK)
                return err->code;
        }
    } while (a->cause_count != before);
    return OK;
}

void affected_fini(struct affected *a)
{
    strmap_fini(&a->subjects);
}

void write_causes(struct buf *b, const struct cause *causes)
{
    int64_t newest_first[CAUSES_MAX];
    int count = 0;

    for (; causes && count < CAUSES_MAX; causes = causes->next)
        newest_first[count++] = causes->seq;
    for (int i = count; i-- > 0;)
        buf_printf(b, "%s%lld", i == count - 1 ? "" : ",", (long long)newest_first[i]);
}
