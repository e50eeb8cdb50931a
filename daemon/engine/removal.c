/* removal.c - see removal.h. First each event alone; then groups, from which all is taken that can
 * be spared: what is left makes a difference only together. */
#include "engine/removal.h"

#include <string.h>

#include "base/buf.h"

#define STEPS_MAX                                                                                  \
    8000 /* instants that are folded: some 40 ms; what has not been tried by then stays unknown */

struct hunt {
    struct removal *r;
    const char *value;
    struct item *rest; /* the events of a try */
    int *suspect_of;   /* of each item: its number among the suspects; -1: none */
    int64_t *seqs;     /* left out of the world */
    bool *is_out;      /* of each suspect: left out of the try */
    bool *turns;       /* ... without it a criterion that is missing is not */
    size_t steps;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the events behind a decision");
}

/* ---- a try ---- */

static size_t list_out(struct hunt *h, bool *any_special)
{
    size_t count = 0;

    *any_special = false;
    for (size_t i = 0; i < h->r->suspect_count; i++) {
        if (!h->is_out[i])
            continue;
        h->seqs[count++] = h->r->suspects[i].seq;
        *any_special = *any_special || h->r->suspects[i].is_special;
    }
    return count;
}

/* What is known of them need not be found out again in each try. */
static enum err_code take_parsed(const struct item **items, size_t count, struct hunt *h,
                                 struct err *err)
{
    const struct past *p = h->r->past;
    struct item *copy = arena_alloc(h->r->arena, (count + 1) * sizeof(*copy));

    if (!copy)
        return no_memory(err);
    memcpy(copy, *items, count * sizeof(*copy));
    items_take_parsed(copy, count, p->items, p->count);
    *items = copy;
    return OK;
}

static enum err_code items_without(const struct item **out, size_t *count, struct hunt *h,
                                   struct err *err)
{
    const struct past *p = h->r->past;
    struct world *world = h->r->world;
    bool any_special;
    size_t left_out = list_out(h, &any_special);
    enum err_code rc = OK;

    *count = 0;
    *out = h->rest;
    if (any_special) { /* the world has to say anew what stands, and what is taken over */
        world_leave_out(world, h->seqs, left_out, INT64_MAX);
        rc = world_fold_items(out, count, world, p->subject, p->at, err);
        world_leave_out(world, NULL, 0, INT64_MAX);
        return rc == OK ? take_parsed(out, *count, h, err) : rc;
    }
    for (size_t i = 0; i < p->count; i++)
        if (h->suspect_of[i] < 0 || !h->is_out[h->suspect_of[i]])
            h->rest[(*count)++] = p->items[i];
    return OK;
}

static void keep_value(const struct judged *j, void *arg)
{
    struct buf *value = arg;
    buf_printf(value, "%s%s", j->is_error ? "!" : "", j->value);
}

static enum err_code judge(struct buf *value, const struct hunt *h, struct fold *f,
                           const char *rule, struct err *err)
{
    buf_reset(value);
    enum err_code rc = record_judge_rule(f->record, rule, h->r->past->at, keep_value, value, err);
    /* without the event it would belong to a hub that has no such rule */
    return rc == ERR_ABSENT ? OK : rc;
}

/* Is some criterion that is missing as it is wanted now? */
static enum err_code find_turned(bool *turned, struct hunt *h, struct fold *f, struct err *err)
{
    struct buf value = { 0 };
    enum err_code rc = OK;

    *turned = false;
    for (size_t i = 0; i < h->r->missing_count && rc == OK && !*turned; i++) {
        const struct wanted *w = &h->r->missing[i];
        rc = judge(&value, h, f, w->rule, err);
        *turned = rc == OK && strcmp(buf_cstr(&value), w->value ? "true" : "false") == 0;
    }
    buf_fini(&value);
    return rc;
}

static enum err_code compare(bool *differs, bool *turned, struct hunt *h, struct fold *f,
                             struct err *err)
{
    struct buf value = { 0 };

    enum err_code rc = judge(&value, h, f, h->r->rule, err);
    if (rc == OK) {
        *differs = strcmp(buf_cstr(&value), h->value) != 0;
        if (turned && !*differs)
            rc = find_turned(turned, h, f, err);
    }
    buf_fini(&value);
    return rc;
}

/* Would the answer be another one without those that are out? *turned: see there; NULL allowed. */
static enum err_code try_it(bool *differs, bool *turned, struct hunt *h, struct err *err)
{
    struct fold f;
    const struct item *items;
    size_t count;
    bool is_same;

    *differs = false;
    if (items_without(&items, &count, h, err) != OK)
        return err->code;
    enum err_code rc = past_other(&f, &is_same, &h->steps, h->r->past, items, count, err);
    if (rc == OK && !is_same)
        rc = compare(differs, turned, h, &f, err);
    fold_fini(&f);
    return rc;
}

static bool is_spent(const struct hunt *h)
{
    return h->steps >= STEPS_MAX;
}

/* ---- alone ---- */

/* One thing that is missing turns with the answer itself; of several, each has to. */
static enum err_code try_alone(struct hunt *h, struct err *err)
{
    bool is_part = h->r->missing_count > 1;
    enum err_code rc = OK;

    for (size_t i = 0; i < h->r->suspect_count && rc == OK && !is_spent(h); i++) {
        bool differs = false;
        h->r->suspects[i].effect = EFFECT_NONE;
        if (h->r->suspects[i].why == SUSPECT_IDLE)
            continue;
        h->is_out[i] = true;
        rc = try_it(&differs, is_part ? &h->turns[i] : NULL, h, err);
        h->is_out[i] = false;
        h->r->suspects[i].effect = differs ? EFFECT_ALONE : EFFECT_NONE;
    }
    return rc;
}

/* ---- together ---- */

static size_t count_out(const struct hunt *h)
{
    size_t count = 0;

    for (size_t i = 0; i < h->r->suspect_count; i++)
        count += h->is_out[i];
    return count;
}

/* Take out of the group what can be spared, until nothing can. */
static enum err_code narrow(struct hunt *h, struct err *err)
{
    enum err_code rc = OK;
    bool shrank = true;

    while (shrank && rc == OK && !is_spent(h)) {
        shrank = false;
        for (size_t i = 0; i < h->r->suspect_count && rc == OK && !is_spent(h); i++) {
            bool differs;
            if (!h->is_out[i])
                continue;
            h->is_out[i] = false;
            rc = try_it(&differs, NULL, h, err);
            h->is_out[i] = !differs;
            shrank = shrank || differs;
        }
    }
    return rc;
}

/* It makes a difference together with those that are out, itself left aside. */
static enum err_code mark(struct hunt *h, size_t index, struct err *err)
{
    struct suspect *s = &h->r->suspects[index];
    int64_t *with = arena_alloc(h->r->arena, (h->r->suspect_count + 1) * sizeof(*with));

    if (!with)
        return no_memory(err);
    s->effect = EFFECT_TOGETHER;
    s->with = with;
    for (size_t i = 0; i < h->r->suspect_count; i++)
        if (h->is_out[i] && i != index)
            with[s->with_count++] = h->r->suspects[i].seq;
    return OK;
}

static bool may_join(const struct hunt *h, size_t i)
{
    return h->r->suspects[i].effect == EFFECT_NONE && h->r->suspects[i].may_join;
}

/* Others that can stand for one of the group: a third lead, where two would be enough. */
static enum err_code find_stand_ins(struct hunt *h, struct err *err)
{
    enum err_code rc = OK;

    for (size_t i = 0; i < h->r->suspect_count && rc == OK; i++) {
        bool differs = false;
        if (h->is_out[i] || !may_join(h, i))
            continue;
        for (size_t m = 0; m < h->r->suspect_count && rc == OK && !differs && !is_spent(h); m++) {
            if (!h->is_out[m] || m == i)
                continue;
            h->is_out[m] = false;
            h->is_out[i] = true;
            rc = try_it(&differs, NULL, h, err);
            if (rc == OK && differs)
                rc = mark(h, i, err);
            h->is_out[i] = false;
            h->is_out[m] = true;
        }
    }
    return rc;
}

/* Of the group that is out, and of those that can stand for its members, all that makes a
 * difference together. */
static enum err_code take_group(bool *found, struct hunt *h, struct err *err)
{
    *found = false;
    if (count_out(h) < 2 || is_spent(h))
        return OK;
    enum err_code rc = try_it(found, NULL, h, err);
    if (rc == OK && *found)
        rc = narrow(h, err);
    *found = *found && !is_spent(h); /* else something in it might still be spared */
    for (size_t i = 0; i < h->r->suspect_count && rc == OK && *found; i++)
        if (h->is_out[i])
            rc = mark(h, i, err);
    return rc == OK && *found ? find_stand_ins(h, err) : rc;
}

static enum err_code find_groups(struct hunt *h, struct err *err)
{
    struct removal *r = h->r;
    bool found = true;
    enum err_code rc = OK;

    for (int turn = 0; rc == OK && (turn == 0 || found) && !is_spent(h); turn++) {
        for (size_t i = 0; i < r->suspect_count; i++)
            h->is_out[i] = turn > 0 ? may_join(h, i) : h->turns[i];
        rc = take_group(&found, h, err);
        found = found || turn == 0;
    }
    memset(h->is_out, 0, r->suspect_count * sizeof(*h->is_out));
    return rc;
}

/* ---- */

static void find_suspects(struct hunt *h)
{
    const struct removal *r = h->r;

    for (size_t i = 0; i < r->past->count; i++) {
        h->suspect_of[i] = -1;
        for (size_t k = 0; k < r->suspect_count && h->suspect_of[i] < 0; k++)
            if (r->suspects[k].seq == r->past->items[i].entry->seq)
                h->suspect_of[i] = (int)k;
    }
}

enum err_code removal_find(struct removal *r, const char *value, struct err *err)
{
    size_t n = r->suspect_count + 1, items = r->past->count + 1;
    struct hunt h = { .r = r,
                      .value = value,
                      .rest = arena_alloc(r->arena, items * sizeof(*h.rest)),
                      .suspect_of = arena_alloc(r->arena, items * sizeof(*h.suspect_of)),
                      .seqs = arena_alloc(r->arena, n * sizeof(*h.seqs)),
                      .is_out = arena_alloc(r->arena, n * sizeof(*h.is_out)),
                      .turns = arena_alloc(r->arena, n * sizeof(*h.turns)) };

    if (!h.rest || !h.suspect_of || !h.seqs || !h.is_out || !h.turns)
        return no_memory(err);
    find_suspects(&h);
    enum err_code rc = try_alone(&h, err);
    return rc == OK ? find_groups(&h, err) : rc;
}
