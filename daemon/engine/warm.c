/* warm.c - see warm.h. */
#include "engine/warm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"
#include "store/log.h"

#define FOLLOW_MAX 2000 /* subjects; of more all is folded anew by both threads */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to keep records");
}

static enum err_code must_begin_anew(struct err *err)
{
    return err_set(err, ERR_CONFLICT, "too much has changed: fold anew");
}

/* ---- beginning ---- */

static bool add_slot(struct warm *w, const char *subject)
{
    struct warm_slot *grown = array_room(w->slots, w->count, &w->cap, sizeof(*grown));

    if (!grown)
        return false;
    w->slots = grown;
    const char *name = arena_strdup(&w->arena, subject);
    struct strmap_item *item = name ? strmap_add(&w->by_subject, name, strlen(name), NULL) : NULL;
    if (!item)
        return false;
    item->as.num = (int64_t)w->count;
    w->slots[w->count++] = (struct warm_slot){ .subject = name };
    return true;
}

static bool add_predecessor(struct warm *w, const char *school)
{
    if (strmap_find(&w->predecessors, school, strlen(school)))
        return true;
    const char *name = arena_strdup(&w->arena, school);
    return name && strmap_add(&w->predecessors, name, strlen(name), NULL);
}

static enum err_code look_at_events(struct warm *w, struct world *world, const char *subject,
                                    struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    if (world_touching(&touching, &count, world, subject, err) != OK)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        const char *predecessor = world_predecessor(world, touching[i]);
        if (touching[i]->key.time > w->at && touching[i]->key.time < w->next_event)
            w->next_event = touching[i]->key.time;
        if (predecessor && !add_predecessor(w, predecessor))
            return no_memory(err);
    }
    return OK;
}

enum err_code warm_new(struct warm **out, struct world *world, const char *const *subjects,
                       size_t count, int64_t at, int64_t max_seq, struct err *err)
{
    struct warm *w = calloc(1, sizeof(*w));
    enum err_code rc = OK;

    *out = NULL;
    if (!w)
        return no_memory(err);
    w->at = at;
    w->max_seq = max_seq;
    w->next_event = TIME_NEVER;
    for (size_t i = 0; i < count && rc == OK; i++)
        rc = add_slot(w, subjects[i]) ? look_at_events(w, world, subjects[i], err) : no_memory(err);
    if (rc == OK)
        *out = w;
    else
        warm_free(w);
    return rc;
}

void warm_free(struct warm *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        if (w->slots[i].is_there)
            fold_fini(&w->slots[i].fold);
    for (int i = 0; i < CROWD_MAX; i++)
        rulebook_free(w->books[i]);
    free(w->slots);
    strmap_fini(&w->by_subject);
    strmap_fini(&w->predecessors);
    arena_fini(&w->arena);
    free(w);
}

void warm_take(struct warm *w, size_t index, struct fold *f, int hand)
{
    struct warm_slot *slot = &w->slots[index];

    slot->fold = *f;
    slot->fold.subject = slot->subject;
    slot->fold.items = NULL; /* they go with the world */
    slot->fold.count = slot->fold.next = 0;
    slot->hand = hand;
    slot->is_there = true;
    *f = (struct fold){ 0 };
}

/* ---- going on ---- */

bool warm_fits(const struct warm *w, const struct rulebook *rules, int64_t at)
{
    return w && at >= w->at && at < w->next_event &&
           strcmp(rulebook_digest(w->books[0]), rulebook_digest(rules)) == 0;
}

struct following {
    struct warm *warm;
    struct strmap touched; /* subjects; their texts are the arena's */
    struct arena arena;
};

static enum err_code take_event(const struct logged *e, void *arg, struct err *err)
{
    struct following *f = arg;

    if (strcmp(e->type, EVENT_VOIDED) == 0 || strcmp(e->type, EVENT_SUCCEEDED) == 0)
        return must_begin_anew(err);
    if (e->time > f->warm->at && e->time < f->warm->next_event)
        f->warm->next_event = e->time;
    for (uint32_t i = 0; i < e->touch_count; i++) {
        const char *subject = e->touches[i];
        size_t len = strlen(subject);
        if (strmap_find(&f->warm->predecessors, subject, len)) /* its successors are touched too */
            return must_begin_anew(err);
        if (strmap_find(&f->touched, subject, len))
            continue;
        const char *copy = arena_copy(&f->arena, subject, len);
        if (!copy || !strmap_add(&f->touched, copy, len, NULL))
            return no_memory(err);
    }
    return f->touched.count > FOLLOW_MAX ? must_begin_anew(err) : OK;
}

static void judged(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

static enum err_code fold_anew(struct warm *w, struct world *world, const char *subject,
                               struct err *err)
{
    struct strmap_item *item = strmap_find(&w->by_subject, subject, strlen(subject));
    const struct entry *const *touching;
    struct fold f = { 0 };
    size_t count;
    int64_t wake;

    if (!item && !add_slot(w, subject))
        return no_memory(err);
    size_t index = item ? (size_t)item->as.num : w->count - 1;
    struct warm_slot *slot = &w->slots[index];
    if (slot->is_there)
        fold_fini(&slot->fold);
    slot->is_there = false;
    if (world_touching(&touching, &count, world, subject, err) != OK)
        return err->code;
    if (count == 0 || touching[0]->key.time > w->at)
        return OK;
    enum err_code rc = fold_subject(&f, w->books[slot->hand], world, subject, w->at, err);
    if (rc == OK)
        rc = record_rejudge(&wake, f.record, w->at, judged, NULL, err);
    if (rc == OK)
        warm_take(w, index, &f, slot->hand);
    fold_fini(&f);
    return rc;
}

enum err_code warm_follow(struct warm *w, struct store *s, int64_t max_seq, struct err *err)
{
    struct following f = { .warm = w };
    struct world *world = NULL;

    if (max_seq == w->max_seq)
        return OK;
    if (max_seq < w->max_seq)
        return must_begin_anew(err);
    enum err_code rc = log_scan(s, w->max_seq, max_seq, take_event, &f, err);
    if (rc == OK)
        rc = world_open(&world, s, max_seq, err);
    for (uint32_t i = 0; rc == OK && i < f.touched.count; i++)
        rc = fold_anew(w, world, f.touched.items[i].key, err);
    w->max_seq = max_seq;
    world_close(world);
    strmap_fini(&f.touched);
    arena_fini(&f.arena);
    return rc;
}

/* ---- working on all of them ---- */

struct shift {
    struct warm *warm;
    void *hand;
    int number;
    warm_fn *fn;
    atomic_bool *is_over;
    struct err err;
};

static void *work(void *arg)
{
    struct shift *s = arg;

    s->err.code = OK;
    for (size_t i = 0; i < s->warm->count && !atomic_load(s->is_over); i++) {
        struct warm_slot *slot = &s->warm->slots[i];
        if (slot->is_there && slot->hand == s->number && s->fn(s->hand, slot, &s->err) != OK)
            atomic_store(s->is_over, true);
    }
    return NULL;
}

enum err_code warm_run(struct warm *w, void *const *hands, warm_fn *fn, struct err *err)
{
    atomic_bool is_over = false;
    struct shift shifts[CROWD_MAX];
    pthread_t threads[CROWD_MAX];
    int started = 1;

    for (int i = 0; i < w->hand_count; i++)
        shifts[i] = (struct shift){ w, hands[i], i, fn, &is_over, { 0 } };
    while (started < w->hand_count &&
           pthread_create(&threads[started], NULL, work, &shifts[started]) == 0)
        started++;
    work(&shifts[0]);
    for (int i = started; i < w->hand_count; i++)
        work(&shifts[i]); /* a thread that did not start */
    for (int i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < w->hand_count; i++)
        if (shifts[i].err.code != OK)
            return err_set(err, shifts[i].err.code, "%s", shifts[i].err.msg);
    return OK;
}
