/* tape.c - see tape.h. Of each fact the values that it had one after the other are kept, each with
 * its mark. */
#include "lua/tape.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/civil.h"
#include "lua/record_internal.h"

/* A value that a fact had from a mark on. */
struct version {
    struct version *before;
    int mark;
    struct cell value; /* owned */
};

struct mark {
    struct fact_set concerns; /* read or written in this step */
    struct fact_set writes;  /* written in it: between two events of it a fact may have been another
                                one, and be again what it was */
    struct fact_set changes; /* of which versions begin here */
    int64_t *moved;          /* as record.moved */
    struct asked *asked;     /* as record.asked */
};

struct tape {
    struct ruleset *rs; /* borrowed */
    enum subject_kind kind;
    const char *subject;
    struct version **last; /* one a fact; NULL: it never was anything */
    struct mark *marks;    /* owned */
    size_t mark_cap;
    int count;
    struct arena arena;
};

static const struct subject_defs *defs_of(const struct tape *t)
{
    return &t->rs->subjects[t->kind];
}

static enum err_code no_memory(const struct tape *t, struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the record of %s", t->subject);
}

enum err_code tape_new(struct tape **out, const struct record *r, struct err *err)
{
    struct tape *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (!t)
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", r->subject);
    t->rs = r->rs;
    t->kind = r->kind;
    t->subject = arena_strdup(&t->arena, r->subject);
    t->last = arena_alloc(&t->arena, ((size_t)defs_of(t)->fact_count + 1) * sizeof(*t->last));
    if (!t->subject || !t->last) {
        tape_free(t);
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", r->subject);
    }
    *out = t;
    return OK;
}

void tape_free(struct tape *t)
{
    if (!t)
        return;
    for (uint16_t i = 0; t->last && i < defs_of(t)->fact_count; i++)
        for (struct version *v = t->last[i]; v; v = v->before)
            cell_release(&t->rs->cells, v->value);
    free(t->marks);
    arena_fini(&t->arena);
    free(t);
}

/* ---- marking ---- */

static void add_words(struct fact_set *into, const struct ruleset *rs, const uint64_t *words)
{
    for (uint16_t i = 0; i < rs->fact_words; i++)
        into->bits[i] |= words[i];
}

/* Nothing, and a container with nothing in it, are the same to whoever looks. */
static bool is_bare(struct cell c)
{
    return cell_is_nil(c) || (cell_node(c) && cell_node(c)->used == 0);
}

/* The very same, also in form: 1 and 1.0 are not. */
static bool is_same(struct cell a, struct cell b)
{
    const struct node *x = cell_node(a), *y = cell_node(b);

    if (a.bits == b.bits)
        return true;
    if (x && y) {
        if (x->used != y->used)
            return false;
        for (uint32_t i = 0; i < x->used; i++)
            if (!is_same(x->cells[i], y->cells[i]))
                return false;
        return true;
    }
    return cell_tag(a) == CELL_WIDE && cell_tag(b) == CELL_WIDE &&
           cell_wide(a)->is_real == cell_wide(b)->is_real && cell_equal(a, b);
}

static bool is_same_fact(const struct tape *t, uint16_t fact, struct cell a, struct cell b)
{
    return is_same(a, b) || (is_bare(a) && is_bare(b) && is_bare(defs_of(t)->facts[fact].initial));
}

static struct cell value_at(const struct tape *t, uint16_t fact, int mark)
{
    const struct version *v = t->last[fact];

    while (v && v->mark > mark)
        v = v->before;
    return v ? v->value : (struct cell){ 0 };
}

static bool add_version(struct tape *t, const struct record *r, uint16_t fact)
{
    struct version *v = arena_alloc(&t->arena, sizeof(*v));

    if (!v || !cell_copy(&v->value, &t->rs->cells, r->facts[fact]))
        return false;
    v->mark = t->count;
    v->before = t->last[fact];
    t->last[fact] = v;
    fact_set_add(&t->marks[t->count].changes, fact);
    return true;
}

/* What the moves depend on, for those who go on from here. */
static bool keep_moves(struct tape *t, struct mark *m, const struct record *r)
{
    uint16_t moves = defs_of(t)->move_count;
    size_t words = t->rs->fact_words;

    m->moved = arena_alloc(&t->arena, (moves + 1u) * sizeof(*m->moved));
    m->asked = arena_alloc(&t->arena, (moves + 1u) * sizeof(*m->asked));
    if (!m->moved || !m->asked)
        return false;
    memcpy(m->moved, r->moved, moves * sizeof(*m->moved));
    for (uint16_t i = 0; i < moves; i++) {
        m->asked[i] = r->asked[i];
        m->asked[i].facts = arena_alloc(&t->arena, words * sizeof(uint64_t));
        if (!m->asked[i].facts)
            return false;
        memcpy(m->asked[i].facts, r->asked[i].facts, words * sizeof(uint64_t));
    }
    return true;
}

static struct mark *make_room(struct tape *t)
{
    struct mark *grown = array_room(t->marks, (size_t)t->count, &t->mark_cap, sizeof(*grown));

    if (!grown)
        return NULL;
    t->marks = grown;
    t->marks[t->count] = (struct mark){ 0 };
    return &t->marks[t->count];
}

enum err_code tape_mark(struct tape *t, struct record *r, struct err *err)
{
    struct mark *m = make_room(t);

    if (!m || !keep_moves(t, m, r))
        return no_memory(t, err);
    add_words(&m->concerns, t->rs, r->noted);
    add_words(&m->writes, t->rs, r->written);
    for (uint16_t i = 0; i < defs_of(t)->fact_count; i++)
        if (fact_set_has(&m->concerns, i) && !is_same(r->facts[i], value_at(t, i, t->count)) &&
            !add_version(t, r, i))
            return no_memory(t, err);
    memset(r->noted, 0, t->rs->fact_words * sizeof(*r->noted));
    memset(r->written, 0, t->rs->fact_words * sizeof(*r->written));
    t->count++;
    return OK;
}

/* ---- looking ---- */

/* What a move says of facts that are the same does not depend on when it was asked: what it read of
 * them last stays, and so does what it said. Only a write to that makes it be asked again. */
bool tape_concerns(const struct tape *t, int mark, const struct apart *a)
{
    return fact_set_meets(&t->marks[mark].concerns, &a->facts) ||
           fact_set_meets(&t->marks[mark].writes, &a->waits_on);
}

/* Facts that may be other ones than at the mark: those that were, and those that either of the two
 * has changed since. A record that was made anew has not noted them. */
static struct fact_set may_differ(const struct apart *before, const struct tape *t, int mark,
                                  struct record *r)
{
    struct fact_set out = before->facts;

    for (uint16_t i = 0; i < t->rs->fact_words; i++) {
        out.bits[i] |= r->is_noting ? r->noted[i] | t->marks[mark].changes.bits[i] : UINT64_MAX;
        r->noted[i] = 0;
    }
    return out;
}

/* Moves that were asked something else: false, when one is still to be asked. */
static bool compare_moves(struct apart *a, const struct tape *t, const struct mark *m,
                          const struct record *r)
{
    const struct subject_defs *defs = defs_of(t);

    for (uint16_t i = 0; i < defs->move_count; i++) {
        struct fact_set read = { { 0 } };
        add_words(&read, t->rs, m->asked[i].facts);
        if (!fact_set_meets(&read, &a->facts))
            continue;
        if (!r->asked[i].is_good)
            return false;
        fact_set_add(&a->moves, defs->moves[i].fact);
        add_words(&a->waits_on, t->rs, r->asked[i].facts);
        if (r->asked[i].wake < a->wake)
            a->wake = r->asked[i].wake;
    }
    return true;
}

bool tape_compare(struct apart *a, const struct tape *t, int mark, struct record *r)
{
    const struct subject_defs *defs = defs_of(t);

    if (r->rs != t->rs)
        return false;
    struct fact_set looked_at = may_differ(a, t, mark, r);
    *a = APART_NOWHERE;
    for (uint16_t i = 0; i < defs->fact_count; i++)
        if (fact_set_has(&looked_at, i) && !is_same_fact(t, i, r->facts[i], value_at(t, i, mark)))
            fact_set_add(&a->facts, i);
    for (uint16_t i = 0; i < defs->move_count; i++)
        if (r->moved[i] != t->marks[mark].moved[i])
            fact_set_add(&a->facts, defs->moves[i].fact);
    return compare_moves(a, t, &t->marks[mark], r);
}

/* ---- going on ---- */

static bool put(struct record *r, uint16_t fact, struct cell value)
{
    struct cell copy;

    if (!cell_copy(&copy, &r->rs->cells, value))
        return false;
    cell_release(&r->rs->cells, r->facts[fact]);
    r->facts[fact] = copy;
    return true;
}

static void put_moves(struct record *r, const struct tape *t, int mark, const struct apart *a)
{
    const struct subject_defs *defs = defs_of(t);
    const struct mark *m = &t->marks[mark];

    for (uint16_t i = 0; i < defs->move_count; i++) {
        uint64_t *facts = r->asked[i].facts;
        if (!fact_set_has(&a->facts, defs->moves[i].fact))
            r->moved[i] = m->moved[i];
        if (fact_set_has(&a->moves, defs->moves[i].fact))
            continue;
        memcpy(facts, m->asked[i].facts, t->rs->fact_words * sizeof(*facts));
        r->asked[i] = m->asked[i];
        r->asked[i].facts = facts;
    }
}

enum err_code tape_follow(struct record *r, const struct tape *t, int from, int to,
                          const struct apart *a, struct err *err)
{
    struct fact_set changes = { { 0 } };

    for (int mark = from + 1; mark <= to; mark++)
        for (int i = 0; i < FACT_SET_WORDS; i++)
            changes.bits[i] |= t->marks[mark].changes.bits[i] & ~a->facts.bits[i];
    for (uint16_t i = 0; i < defs_of(t)->fact_count; i++)
        if (fact_set_has(&changes, i) && !put(r, i, value_at(t, i, to)))
            return no_memory(t, err);
    if (to > from)
        put_moves(r, t, to, a);
    return OK;
}

int64_t tape_wake(const struct record *r)
{
    int64_t wake = TIME_NEVER;

    for (uint16_t i = 0; i < r->rs->subjects[r->kind].move_count; i++)
        if (r->asked[i].wake < wake)
            wake = r->asked[i].wake;
    return wake;
}

enum err_code tape_record(struct record **out, const struct tape *t, int mark, struct err *err)
{
    if (record_new(out, t->rs, t->subject, err) != OK)
        return err->code;
    (*out)->has_lost_undo = true; /* what moved before stays */
    (*out)->is_noting = true;
    enum err_code rc = tape_follow(*out, t, -1, mark, &APART_NOWHERE, err);
    if (rc != OK) {
        record_free(*out);
        *out = NULL;
    }
    return rc;
}
