/* past.c - see past.h. */
#include "engine/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"

struct moment {
    int64_t time;
    size_t end;        /* of its items */
    struct fold clock; /* as it stood when this instant was over, without its record */
};

/* ---- the fold itself ---- */

static struct fold clock_of(const struct fold *f)
{
    struct fold clock = *f;

    clock.record = NULL;
    clock.arena = (struct arena){ 0 };
    clock.trace = NULL;
    return clock;
}

static enum err_code add_moment(struct past *p, const struct fold *f, int64_t t, struct err *err)
{
    struct moment *grown = array_room(p->moments, p->moment_count, &p->moment_cap, sizeof(*grown));

    if (!grown)
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", p->subject);
    p->moments = grown;
    p->moments[p->moment_count++] = (struct moment){ t, f->next, clock_of(f) };
    return tape_mark(p->tape, f->record, err);
}

/* Where it has failed, or has been at several hubs, there is no telling from the facts alone what
 * is the same. */
static bool has_tape_of(const struct fold *f)
{
    return !f->faults && f->handovers == 0;
}

static void drop_tape(struct past *p)
{
    tape_free(p->tape);
    p->tape = NULL;
}

enum err_code past_fold(struct past *p, struct fold *f, int64_t at, struct err *err)
{
    *p = (struct past){ .rules = f->rules,
                        .subject = f->subject,
                        .at = at,
                        .items = f->items,
                        .count = f->count,
                        .start = clock_of(f) };
    enum err_code rc = tape_new(&p->tape, f->record, err);
    for (int64_t t = fold_next(f); rc == OK && t <= at && t != TIME_NEVER; t = fold_next(f)) {
        rc = fold_to(f, t, err);
        if (rc == OK && !has_tape_of(f))
            drop_tape(p);
        if (rc == OK && p->tape)
            rc = add_moment(p, f, t, err);
    }
    return rc == OK ? fold_to(f, at, err) : rc;
}

void past_fini(struct past *p)
{
    drop_tape(p);
    free(p->moments);
    p->moments = NULL;
}

/* ---- another one beside it ---- */

struct beside {
    const struct past *p;
    const struct item *items;
    size_t count;
    struct fold *f; /* stands where it was folded last */
    bool has_begun;
    bool is_live;       /* it has to be gone through; else it is as the past but for ... */
    struct apart apart; /* ... this, as of when it was compared last */
    int stood;          /* not live: the mark at which it was found so */
    size_t *steps;
};

static const struct fold *clock_at(const struct past *p, int mark)
{
    return mark < 0 ? &p->start : &p->moments[mark].clock;
}

static bool is_same_item(const struct item *a, const struct item *b)
{
    if (a->entry != b->entry || a->as_count != b->as_count)
        return false;
    for (int i = 0; i < a->as_count; i++)
        if (strcmp(a->as[i], b->as[i]) != 0)
            return false;
    return true;
}

static size_t end_of_instant(const struct beside *b, size_t from, int64_t time)
{
    while (from < b->count && b->items[from].entry->key.time <= time)
        from++;
    return from;
}

/* Are its items from `from` to `to` those of this moment? */
static bool has_same_items(const struct beside *b, size_t moment, size_t from, size_t to)
{
    size_t begin = moment > 0 ? b->p->moments[moment - 1].end : 0;

    if (b->p->moments[moment].end - begin != to - from)
        return false;
    for (size_t i = from; i < to; i++)
        if (!is_same_item(&b->items[i], &b->p->items[begin + i - from]))
            return false;
    return true;
}

/* Bring its record to where it differs by no more than is known, at this mark. */
static enum err_code stand_at(struct beside *b, int mark, size_t next, struct err *err)
{
    struct record *record = b->has_begun ? b->f->record : NULL;
    enum err_code rc = record ? tape_follow(record, b->p->tape, b->stood, mark, &b->apart, err)
                              : tape_record(&record, b->p->tape, mark, err);

    if (rc != OK)
        return rc;
    fold_resume(b->f, clock_at(b->p, mark), record, b->items, b->count, next);
    if (b->has_begun)
        b->f->wake = tape_wake(record);
    b->has_begun = true;
    b->stood = mark;
    return OK;
}

/* It has been folded to the end of this moment, and need not be gone through from here on until
 * something concerns that in which it is another one. */
static void settle(struct beside *b, int mark)
{
    b->is_live = b->f->faults || b->f->handovers > 0 ||
                 !tape_compare(&b->apart, b->p->tape, mark, b->f->record);
    b->stood = mark;
}

/* It stands still where the past does, as far as it is apart from it. */
static bool goes_along(const struct beside *b, size_t moment)
{
    return b->apart.wake > b->p->moments[moment].time &&
           !tape_concerns(b->p->tape, (int)moment, &b->apart);
}

static enum err_code go_through(struct beside *b, struct err *err)
{
    size_t at = 0;
    enum err_code rc = OK;

    for (size_t m = 0; m < b->p->moment_count && rc == OK; m++) {
        int mark = (int)m;
        size_t end = end_of_instant(b, at, b->p->moments[m].time);
        if (!b->is_live && !(has_same_items(b, m, at, end) && goes_along(b, m))) {
            rc = stand_at(b, mark - 1, at, err);
            b->is_live = true;
        }
        at = end;
        if (rc != OK || !b->is_live)
            continue;
        rc = fold_to(b->f, b->p->moments[m].time, err);
        (*b->steps)++;
        if (rc == OK)
            settle(b, mark);
    }
    /* events, or an instant that its moves wait for, behind the last one of the past */
    if (rc == OK && !b->is_live && (at < b->count || b->apart.wake <= b->p->at)) {
        rc = stand_at(b, (int)b->p->moment_count - 1, at, err);
        b->is_live = true;
    }
    return rc;
}

/* It ends with facts that differ at most where nobody asks. */
static bool ends_the_same(const struct beside *b)
{
    return !b->is_live && !fact_set_meets(&b->apart.facts, &b->p->asked);
}

static enum err_code fold_whole(struct fold *out, size_t *steps, const struct past *p,
                                const struct item *items, size_t count, struct err *err)
{
    enum err_code rc = fold_init(out, p->rules, p->subject, items, count, err);

    *steps += count;
    return rc == OK ? fold_to(out, p->at, err) : rc;
}

enum err_code past_other(struct fold *out, bool *is_same, size_t *steps, const struct past *p,
                         const struct item *items, size_t count, struct err *err)
{
    struct beside b = { .p = p,
                        .items = items,
                        .count = count,
                        .f = out,
                        .apart = APART_NOWHERE,
                        .stood = -1,
                        .steps = steps };

    *out = (struct fold){ 0 };
    *is_same = false;
    if (!p->tape)
        return fold_whole(out, steps, p, items, count, err);
    enum err_code rc = go_through(&b, err);
    if (rc == OK && ends_the_same(&b)) {
        *is_same = true;
        return OK;
    }
    if (rc == OK && !b.is_live)
        rc = stand_at(&b, (int)p->moment_count - 1, count, err);
    return rc == OK ? fold_to(out, p->at, err) : rc;
}
