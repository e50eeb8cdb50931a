/* whatif.c - see whatif.h: the two folds of a subject. What is counted of them: whatif_count.c. */
#include "engine/whatif.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/crowd.h"
#include "engine/whatif_count.h"
#include "lua/suppose.h"

/* One subject on its way through the moments. */
struct pair {
    struct whatif *w;
    const char *subject;
    const struct item *items;
    size_t item_count;
    int64_t horizon; /* the items are those of its fold as of then */
    struct fold old, now;
    bool is_old_open, is_now_open;
    bool was_moved;  /* what is supposed has made a difference to its facts, or may have */
    bool has_others; /* events that the other rules may take in otherwise */
};

static void close_folds(struct pair *p)
{
    if (p->is_old_open)
        fold_fini(&p->old);
    if (p->is_now_open)
        fold_fini(&p->now);
    p->is_old_open = p->is_now_open = false;
}

static bool is_one_book(const struct whatif *w)
{
    return w->old_rules == w->new_rules;
}

/* May the two rulebooks take an event of this type in otherwise? */
static bool may_differ(const struct whatif *w, const char *type)
{
    if (is_one_book(w))
        return false;
    return !w->likeness || !w->likeness->is_alike ||
           strmap_find(&w->likeness->others, type, strlen(type));
}

/* Both folds take them in. */
static enum err_code parse_items(struct pair *p, struct err *err)
{
    struct whatif *w = p->w;
    struct item *items;

    arena_reset(&w->bodies);
    p->has_others = false;
    items = arena_alloc(&w->bodies, (p->item_count + 1) * sizeof(*items));
    if (!items)
        return err_set(err, ERR_LIMIT, "no memory to compare rules");
    for (size_t i = 0; i < p->item_count; i++) {
        items[i] = p->items[i];
        if (item_parse(&items[i], &w->bodies, w->old_rules, err) != OK)
            return err->code;
        if (may_differ(w, items[i].entry->type)) {
            items[i].fits = false; /* by the other rules it may not */
            p->has_others = true;
        }
    }
    p->items = items;
    return OK;
}

/*
 * See that the items are those of the fold as of `at`. What is taken over by a succession comes
 * into the fold with it, in the midst of what is there: then all begins anew.
 */
static enum err_code find_items(struct pair *p, int64_t at, struct err *err)
{
    struct whatif *w = p->w;
    int64_t last = w->moments[w->moment_count - 1], next;

    if (p->is_old_open && at <= p->horizon)
        return OK;
    if (world_next_succession(&next, w->world, p->subject, at, err) != OK)
        return err->code;
    p->horizon = next > last ? last : at;
    close_folds(p);
    enum err_code rc =
        world_fold_items(&p->items, &p->item_count, w->world, p->subject, p->horizon, err);
    if (rc == OK)
        rc = parse_items(p, err);
    if (rc == OK)
        rc = fold_init(&p->old, w->old_rules, p->subject, p->items, p->item_count, err);
    p->is_old_open = rc == OK;
    return rc;
}

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

static enum err_code judge(struct judgement *said, struct record *r, int64_t at, struct err *err)
{
    int64_t wake;
    enum err_code rc = record_rejudge(&wake, r, at, take_nothing, NULL, err);

    if (rc == OK && said && !judgement_take(said, r))
        rc = err_set(err, ERR_LIMIT, "no memory for what was judged");
    return rc;
}

static enum err_code judge_old(struct pair *p, int64_t at, struct err *err)
{
    struct whatif *w = p->w;

    rulebook_switch(w->old_rules, false);
    enum err_code rc = fold_to(&p->old, at, err);
    if (is_one_book(w) && rulebook_was_moved(w->old_rules))
        p->was_moved = true;
    return rc == OK ? judge(&w->old_said, p->old.record, at, err) : rc;
}

/* The facts are the same: judge what reads the parameters, and then as it was. */
static enum err_code compare_shared(struct pair *p, int m, struct err *err)
{
    struct whatif *w = p->w;
    int64_t at = w->moments[m];

    rulebook_switch(w->new_rules, true);
    record_stir(p->old.record);
    enum err_code rc = judge(&w->new_said, p->old.record, at, err);
    if (rc == OK)
        rc = whatif_count(w, m, p->subject, p->old.record, p->old.record, err);
    rulebook_switch(w->new_rules, false);
    record_stir(p->old.record);
    return rc == OK ? judge(NULL, p->old.record, at, err) : rc;
}

/* The other rules would have made the same record. */
static enum err_code compare_carried(struct pair *p, int m, struct err *err)
{
    struct whatif *w = p->w;
    struct record *now;

    enum err_code rc = record_carry_over(&now, p->old.record, w->old_rules, w->new_rules, err);
    if (rc == OK)
        rc = judge(&w->new_said, now, w->moments[m], err);
    if (rc == OK)
        rc = whatif_count(w, m, p->subject, p->old.record, now, err);
    record_free(now);
    return rc;
}

static enum err_code compare_apart(struct pair *p, int m, struct err *err)
{
    struct whatif *w = p->w;
    enum err_code rc = OK;

    rulebook_switch(w->new_rules, true);
    if (!p->is_now_open) {
        rc = fold_init(&p->now, w->new_rules, p->subject, p->items, p->item_count, err);
        p->is_now_open = rc == OK;
    }
    if (rc == OK)
        rc = fold_to(&p->now, w->moments[m], err);
    if (rc == OK)
        rc = judge(&w->new_said, p->now.record, w->moments[m], err);
    if (rc == OK)
        rc = whatif_count(w, m, p->subject, p->old.record, p->now.record, err);
    rulebook_switch(w->new_rules, false);
    return rc;
}

static bool is_of_hub(struct pair *p, bool *has_failed)
{
    struct buf hub = { 0 };
    struct whatif *w = p->w;
    bool is_it = hub_of(&hub, p->subject, p->old.record) && strcmp(buf_cstr(&hub), w->hub) == 0;

    if (hub.len > 0 && !strmap_find(&w->hubs, hub.data, hub.len)) {
        const char *name = arena_strdup(&w->arena, hub.data);
        *has_failed = !name || !strmap_add(&w->hubs, name, hub.len, NULL);
    }
    buf_fini(&hub);
    return is_it;
}

static enum err_code compare(struct pair *p, int m, struct err *err)
{
    struct whatif *w = p->w;
    bool has_failed = false;

    enum err_code rc = find_items(p, w->moments[m], err);
    if (rc == OK)
        rc = judge_old(p, w->moments[m], err);
    if (rc != OK || (w->hub && !is_of_hub(p, &has_failed)))
        return has_failed ? err_set(err, ERR_LIMIT, "no memory to compare rules") : rc;
    w->subjects[m]++;
    if (is_one_book(w) ? p->was_moved : p->has_others)
        return compare_apart(p, m, err);
    return is_one_book(w) ? compare_shared(p, m, err) : compare_carried(p, m, err);
}

enum err_code whatif_subject(struct whatif *w, const char *subject, size_t index, struct err *err)
{
    struct pair p = { .w = w, .subject = subject };
    const struct entry *const *touching;
    size_t count;

    if (world_touching(&touching, &count, w->world, subject, err) != OK)
        return err->code;
    enum err_code rc = OK;
    if (is_one_book(w))
        rulebook_was_moved(w->old_rules); /* by another subject */
    for (int m = 0; m < w->moment_count && rc == OK; m++)
        if (count > 0 && touching[0]->key.time <= w->moments[m])
            rc = compare(&p, m, err);
    if (rc == OK && w->warm && p.is_old_open) {
        warm_take(w->warm, index, &p.old, w->hand);
        p.is_old_open = false;
    }
    close_folds(&p);
    return rc;
}

enum err_code whatif_warm(struct whatif *w, struct warm_slot *slot, struct err *err)
{
    struct pair p = { .w = w, .subject = slot->subject, .old = slot->fold };
    bool has_failed = false;

    enum err_code rc = judge_old(&p, w->moments[0], err);
    if (rc == OK && p.was_moved) /* by an event or a moment that only now has come */
        rc = err_set(err, ERR_CONFLICT, "%s: fold it anew", slot->subject);
    if (rc == OK && (!w->hub || is_of_hub(&p, &has_failed))) {
        w->subjects[0]++;
        rc = is_one_book(w) ? compare_shared(&p, 0, err) : compare_carried(&p, 0, err);
    }
    if (rc == OK && has_failed)
        rc = err_set(err, ERR_LIMIT, "no memory to compare rules");
    slot->fold = p.old;
    return rc;
}
