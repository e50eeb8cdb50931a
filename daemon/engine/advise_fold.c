/* advise_fold.c - see advise_internal.h. What becomes of a subject with some events more. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "engine/advise_internal.h"

#define STEPS_MAX 500 /* instants at which one set is judged */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to look for advice");
}

enum err_code extra_make(struct extra *out, struct search *s, const struct candidate *c, int number,
                         int people, const char *const *own, struct err *err)
{
    struct advice *a = s->a;
    const struct json *json = NULL;
    struct event e;
    struct buf text = { 0 };

    candidate_write(&text, c, number + 1, people, a->at);
    enum err_code rc = text.failed ? no_memory(err) : OK;
    if (rc == OK)
        rc = json_parse(&json, a->arena, buf_cstr(&text), text.len, EVENT_MAX_DEPTH, err);
    if (rc == OK)
        rc = event_read(&e, a->arena, json, rulebook_catalog(a->rules), a->note_key, err);
    if (rc == OK) {
        out->entry = (struct entry){ .seq = INT64_MAX - number,
                                     .recorded = a->at,
                                     .key = { e.time, NULL, e.source, e.id },
                                     .type = e.type,
                                     .subject = e.subject,
                                     .body = e.body,
                                     .body_len = e.body_len };
        out->item = (struct item){ .entry = &out->entry, .as = own, .as_count = 1 };
    }
    buf_fini(&text);
    return rc;
}

static int by_event_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return event_key_compare(&x->entry->key, &y->entry->key);
}

static void take_need(const struct need *need, void *arg)
{
    struct fact_set *needs = arg;
    for (int i = 0; i < FACT_SET_WORDS; i++)
        needs->bits[i] |= need->facts.bits[i];
}

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

/* Which of them have gone by themselves? */
static void look_at_obstacles(struct advice *a, const struct record *r, int64_t now)
{
    for (int i = 0; i < a->obstacle_count; i++) {
        struct obstacle *o = &a->obstacles[i];
        const char *said = record_said(r, o->rule);
        if (said && strcmp(said, o->is_wanted ? "true" : "false") == 0 && now < o->comes_at)
            o->comes_at = now;
    }
}

/* Go on from `at` until the decision is true. */
static enum err_code look_ahead(struct tried *t, struct search *s, struct fold *f, struct err *err)
{
    int64_t now = s->a->at, wake;
    enum err_code rc = OK;

    for (int step = 0; rc == OK && step < STEPS_MAX && now <= s->horizon; step++) {
        rc = fold_to(f, now, err);
        if (rc == OK)
            rc = record_rejudge(&wake, f->record, now, take_nothing, NULL, err);
        if (rc != OK)
            break;
        if (step == 0)
            record_needs(f->record, s->a->decision, take_need, &t->needs);
        if (t->count == 0)
            look_at_obstacles(s->a, f->record, now);
        const char *said = record_said(f->record, s->a->decision);
        if (said && strcmp(said, "true") == 0) {
            t->true_at = now;
            break;
        }
        now = fold_next(f) < wake ? fold_next(f) : wake;
    }
    return rc;
}

enum err_code tried_fold(struct tried *t, struct search *s, struct err *err)
{
    struct extra extra[ADVISE_EVENTS];
    const char *const own[] = { s->a->subject };
    size_t count = s->item_count + (size_t)t->count;
    struct item *items = malloc((count + 1) * sizeof(*items));
    struct fold f = { 0 };
    int people = s->candidates->known_people;
    enum err_code rc = items ? OK : no_memory(err);

    t->true_at = TIME_NEVER;
    if (items && s->item_count > 0)
        memcpy(items, s->items, s->item_count * sizeof(*items));
    for (int i = 0; i < t->count && rc == OK; i++) {
        const struct candidate *c = &s->candidates->items[t->members[i]];
        rc = extra_make(&extra[i], s, c, i, people, own, err);
        people += candidate_people(c);
        if (rc == OK)
            items[s->item_count + (size_t)i] = extra[i].item;
    }
    if (rc == OK) {
        qsort(items, count, sizeof(*items), by_event_order);
        rc = fold_init(&f, s->a->rules, s->a->subject, items, count, err);
    }
    if (rc == OK)
        rc = look_ahead(t, s, &f, err);
    fold_fini(&f);
    free(items);
    return rc;
}
