/* restate.c - see restate.h. */
#include "engine/restate.h"

#include <stdlib.h>
#include <string.h>

#include "engine/crowd.h"
#include "engine/fold.h"
#include "engine/difference.h"
#include "lua/declared.h"

#define TRIES_MAX 24 /* events tried one by one; of more, all are named */

/* Decisions at the moment asked about, by name. */
struct answers {
    const char **names, **values;
    size_t count, cap;
    struct arena *arena;         /* borrowed */
    const struct ruleset *rules; /* borrowed: those that judged */
    const char *hub;             /* that it belongs to; NULL: none */
    const char *name;            /* that it has; NULL: none */
    bool failed;
};

struct work {
    const struct restate *r;
    struct arena *arena;
    const char *subject;
    const struct fold_items *before;
    struct fold_items after;
    const struct entry **events; /* recorded in between, that may make a difference */
    size_t event_count, event_cap;
    bool has_voids; /* some of them are voids */
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for what has changed");
}

/* ---- judging ---- */

static void take_judged(const struct judged *j, void *arg)
{
    struct answers *a = arg;

    if (a->count == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 64;
        const char **names = arena_alloc(a->arena, cap * sizeof(*names));
        const char **values = arena_alloc(a->arena, cap * sizeof(*values));
        if (!names || !values) {
            a->failed = true;
            return;
        }
        if (a->count > 0) {
            memcpy(names, a->names, a->count * sizeof(*names));
            memcpy(values, a->values, a->count * sizeof(*values));
        }
        a->names = names;
        a->values = values;
        a->cap = cap;
    }
    a->names[a->count] = arena_strdup(a->arena, j->name);
    a->values[a->count] = decision_text(a->arena, j);
    a->failed = a->failed || !a->names[a->count] || !a->values[a->count];
    a->count++;
}

static void keep_hub(struct answers *a, const char *subject, struct record *r)
{
    struct buf hub = { 0 };

    if (hub_of(&hub, subject, r)) {
        a->hub = hub.failed ? NULL : arena_strdup(a->arena, buf_cstr(&hub));
        a->failed = a->failed || !a->hub;
    }
    buf_fini(&hub);
}

static enum err_code judge(struct answers *out, const struct work *w, struct rulebook *rules,
                           const struct fold_items *items, struct err *err)
{
    struct fold f = { 0 };

    *out = (struct answers){ .arena = w->arena };
    enum err_code rc = fold_init(&f, rules, w->subject, items->items, items->count, err);
    if (rc == OK)
        rc = fold_to(&f, w->r->at, err);
    if (rc == OK)
        rc = record_judge(f.record, w->r->at, take_judged, out, err);
    if (rc == OK && w->r->hub)
        keep_hub(out, w->subject, f.record);
    if (rc == OK)
        out->rules = record_ruleset(f.record);
    if (rc == OK && !record_keep_text(&out->name, w->arena, f.record, "name"))
        out->failed = true;
    if (rc == OK && out->failed)
        rc = no_memory(err);
    fold_fini(&f);
    return rc;
}

/* By the rules that answered later, or that alone know it. False: no memory. */
static bool keep_title(struct restated *to, const struct work *w, const struct answers *new,
                       const struct answers *old)
{
    const char *title = ruleset_title(new->rules, to->decision);

    title = title ? title : ruleset_title(old->rules, to->decision);
    to->title = title ? arena_strdup(w->arena, title) : NULL;
    return to->title || !title;
}

static const char *value_of(const struct answers *a, const char *name)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->names[i], name) == 0)
            return a->values[i];
    return NULL;
}

/* One that the rules of a hub do not have is told as null: where it is null, nothing has
 * changed. */
static bool differ(const char *a, const char *b)
{
    return strcmp(a ? a : "null", b ? b : "null") != 0;
}

/* ---- what was recorded in between ---- */

static bool is_in(const struct fold_items *f, const struct entry *e)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].entry == e)
            return true;
    return false;
}

static enum err_code add_event(struct work *w, const struct entry *e, struct err *err)
{
    for (size_t i = 0; i < w->event_count; i++)
        if (w->events[i] == e)
            return OK;
    if (w->event_count == w->event_cap) {
        size_t cap = w->event_cap ? w->event_cap * 2 : 8;
        const struct entry **grown = arena_alloc(w->arena, cap * sizeof(*grown));
        if (!grown)
            return no_memory(err);
        if (w->event_count > 0)
            memcpy(grown, w->events, w->event_count * sizeof(*grown));
        w->events = grown;
        w->event_cap = cap;
    }
    w->events[w->event_count++] = e;
    return OK;
}

/* An event that is there or gone though it was recorded before: voids did that, which are about the
 * same subject. */
static enum err_code add_voids(struct work *w, const struct entry *e, struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    enum err_code rc = world_touching(&touching, &count, w->r->world, e->subject, err);
    for (size_t i = 0; rc == OK && i < count; i++) {
        if (touching[i]->seq <= w->r->first_seq || strcmp(touching[i]->type, EVENT_VOIDED) != 0)
            continue;
        w->has_voids = true;
        rc = add_event(w, touching[i], err);
    }
    return rc;
}

static enum err_code gather_events(struct work *w, struct err *err)
{
    enum err_code rc = OK;

    for (size_t i = 0; rc == OK && i < w->after.count; i++) {
        const struct entry *e = w->after.items[i].entry;
        if (is_in(w->before, e))
            continue;
        rc = e->seq > w->r->first_seq ? add_event(w, e, err) : add_voids(w, e, err);
    }
    for (size_t i = 0; rc == OK && i < w->before->count; i++)
        if (!is_in(&w->after, w->before->items[i].entry))
            rc = add_voids(w, w->before->items[i].entry, err);
    return rc;
}

/* ---- which of them ---- */

/* The later fold without an event. */
static bool without(struct fold_items *out, struct work *w, const struct entry *e)
{
    struct item *items = arena_alloc(w->arena, (w->after.count + 1) * sizeof(*items));
    size_t count = 0;

    for (size_t i = 0; items && i < w->after.count; i++)
        if (w->after.items[i].entry != e)
            items[count++] = w->after.items[i];
    *out = (struct fold_items){ items, count };
    return items != NULL;
}

static int by_event_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return event_key_compare(&x->entry->key, &y->entry->key);
}

/* The later fold without what voids did in between: what they took away is there, what they brought
 * back is not. */
static bool without_voids(struct fold_items *out, struct work *w)
{
    struct item *items =
        arena_alloc(w->arena, (w->after.count + w->before->count + 1) * sizeof(*items));
    size_t count = 0;

    for (size_t i = 0; items && i < w->after.count; i++) {
        const struct entry *e = w->after.items[i].entry;
        if (e->seq > w->r->first_seq || is_in(w->before, e))
            items[count++] = w->after.items[i];
    }
    for (size_t i = 0; items && i < w->before->count; i++)
        if (!is_in(&w->after, w->before->items[i].entry))
            items[count++] = w->before->items[i];
    if (items)
        qsort(items, count, sizeof(*items), by_event_order);
    *out = (struct fold_items){ items, count };
    return items != NULL;
}

/* Judge the later fold without each event: tries[i] belongs to events[i]. Voids are tried
 * together. */
static enum err_code try_all(struct answers *tries, struct work *w, struct err *err)
{
    struct fold_items items;
    struct answers voids = { 0 };
    enum err_code rc = OK;

    if (w->has_voids) {
        if (!without_voids(&items, w))
            return no_memory(err);
        rc = judge(&voids, w, w->r->then, &items, err);
    }
    for (size_t i = 0; rc == OK && i < w->event_count; i++) {
        if (strcmp(w->events[i]->type, EVENT_VOIDED) == 0)
            tries[i] = voids;
        else if (!without(&items, w, w->events[i]))
            rc = no_memory(err);
        else
            rc = judge(&tries[i], w, w->r->then, &items, err);
    }
    return rc;
}

/* Name the events without which the answer would be another one. */
static bool name_events(struct restated *to, struct work *w, const struct answers *tries)
{
    const struct entry **named = arena_alloc(w->arena, (w->event_count + 1) * sizeof(*named));

    if (!named)
        return false;
    for (size_t i = 0; tries && i < w->event_count; i++)
        if (differ(value_of(&tries[i], to->decision), to->new))
            named[to->event_count++] = w->events[i];
    if (to->event_count == 0)
        for (size_t i = 0; i < w->event_count; i++)
            named[to->event_count++] = w->events[i];
    to->events = named;
    return true;
}

/* ---- a subject ---- */

static bool are_same(const struct fold_items *a, const struct fold_items *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].entry != b->items[i].entry || a->items[i].as_count != b->items[i].as_count)
            return false;
    return true;
}

/* All names that either has. */
static size_t all_names(const char **names, const struct answers *a, const struct answers *b)
{
    size_t count = 0, i = 0, k = 0;

    while (i < a->count || k < b->count) {
        int order = i == a->count ? 1 : k == b->count ? -1 : strcmp(a->names[i], b->names[k]);
        names[count++] = order <= 0 ? a->names[i] : b->names[k];
        i += order <= 0;
        k += order >= 0;
    }
    return count;
}

static enum err_code compare(const struct restated **out, size_t *count, struct work *w,
                             struct err *err)
{
    struct answers old, new, between;
    struct answers *tries = NULL;
    bool same_rules = w->r->first == w->r->then;

    enum err_code rc = judge(&new, w, w->r->then, &w->after, err);
    if (rc == OK && w->r->hub && (!new.hub || strcmp(new.hub, w->r->hub) != 0))
        return OK;
    if (rc == OK)
        rc = judge(&old, w, w->r->first, w->before, err);
    if (rc == OK && !same_rules)
        rc = judge(&between, w, w->r->first, &w->after, err);
    if (rc == OK)
        rc = gather_events(w, err);
    if (rc != OK)
        return rc;
    if (w->event_count > 0 && w->event_count <= TRIES_MAX) {
        tries = arena_alloc(w->arena, w->event_count * sizeof(*tries));
        if (!tries)
            return no_memory(err);
        if (try_all(tries, w, err) != OK)
            return err->code;
    }
    const char **names = arena_alloc(w->arena, (old.count + new.count + 1) * sizeof(*names));
    size_t name_count = names ? all_names(names, &old, &new) : 0;
    struct restated *list = arena_alloc(w->arena, (name_count + 1) * sizeof(*list));
    if (!names || !list)
        return no_memory(err);
    for (size_t i = 0; i < name_count; i++) {
        struct restated d = { .decision = names[i],
                              .name = new.name,
                              .old = value_of(&old, names[i]),
                              .new = value_of(&new, names[i]) };
        if (!differ(d.old, d.new))
            continue;
        if (!keep_title(&d, w, &new, &old))
            return no_memory(err);
        const char *meanwhile = same_rules ? d.new : value_of(&between, names[i]);
        d.by_rules = differ(meanwhile, d.new);
        if ((differ(d.old, meanwhile) || !d.by_rules) && !name_events(&d, w, tries))
            return no_memory(err);
        list[(*count)++] = d;
    }
    *out = list;
    return OK;
}

enum err_code restate_subject(const struct restated **out, size_t *count, struct arena *arena,
                              const struct restate *r, const char *subject,
                              const struct fold_items *before, struct err *err)
{
    struct work w = { .r = r, .arena = arena, .subject = subject, .before = before };

    *count = 0;
    *out = NULL;
    enum err_code rc =
        world_fold_items(&w.after.items, &w.after.count, r->world, subject, r->at, err);
    if (rc != OK || (r->first == r->then && are_same(before, &w.after)))
        return rc;
    return compare(out, count, &w, err);
}
