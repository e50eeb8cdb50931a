/* tape.c - see tape.h. Of each fact the values that it had one after the other are kept, each with
 * its mark. */
#include "lua/tape.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lua/record_internal.h"

/* A value that a fact had from a mark on. */
struct version {
    struct version *before;
    int mark;
    struct cell value; /* owned */
};

struct mark {
    struct fact_set concerns; /* read or written in this step */
    struct fact_set changes;  /* of which versions begin here */
    struct fact_set waits_on; /* read by moves as they were asked last */
    int64_t *moved;           /* as record.moved */
    struct asked *asked;      /* as record.asked */
};

struct tape {
    struct ruleset *rs; /* borrowed */
    enum subject_kind kind;
    const char *subject;
    struct version **last; /* one a fact; NULL: it never was anything */
    struct mark *marks;    /* owned */
    int count, cap;
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
        add_words(&m->waits_on, t->rs, r->asked[i].facts);
    }
    return true;
}

static struct mark *make_room(struct tape *t)
{
    if (t->count == t->cap) {
        int cap = t->cap ? t->cap * 2 : 64;
        struct mark *grown = realloc(t->marks, (size_t)cap * sizeof(*grown));
        if (!grown)
            return NULL;
        t->marks = grown;
        t->cap = cap;
    }
    t->marks[t->count] = (struct mark){ 0 };
    return &t->marks[t->count];
}

enum err_code tape_mark(struct tape *t, struct record *r, struct err *err)
{
    struct mark *m = make_room(t);

    if (!m || !keep_moves(t, m, r))
        return no_memory(t, err);
    add_words(&m->concerns, t->rs, r->noted);
    for (uint16_t i = 0; i < defs_of(t)->fact_count; i++)
        if (fact_set_has(&m->concerns, i) && !is_same(r->facts[i], value_at(t, i, t->count)) &&
            !add_version(t, r, i))
            return no_memory(t, err);
    memset(r->noted, 0, t->rs->fact_words * sizeof(*r->noted));
    t->count++;
    return OK;
}

/* ---- looking ---- */

bool tape_concerns(const struct tape *t, int mark, const struct fact_set *facts)
{
    return fact_set_meets(&t->marks[mark].concerns, facts);
}

bool tape_waits_on(const struct tape *t, int mark, const struct fact_set *facts)
{
    return fact_set_meets(&t->marks[mark].waits_on, facts);
}

bool tape_compare(struct fact_set *out, const struct tape *t, int mark, const struct record *r)
{
    const struct subject_defs *defs = defs_of(t);

    *out = (struct fact_set){ { 0 } };
    if (r->rs != t->rs)
        return false;
    for (uint16_t i = 0; i < defs->fact_count; i++)
        if (!is_same_fact(t, i, r->facts[i], value_at(t, i, mark)))
            fact_set_add(out, i);
    for (uint16_t i = 0; i < defs->move_count; i++)
        if (r->moved[i] != t->marks[mark].moved[i])
            fact_set_add(out, defs->moves[i].fact);
    return true;
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

static void put_moves(struct record *r, const struct tape *t, int mark, const struct fact_set *but)
{
    const struct subject_defs *defs = defs_of(t);
    const struct mark *m = &t->marks[mark];

    for (uint16_t i = 0; i < defs->move_count; i++) {
        uint64_t *facts = r->asked[i].facts;
        if (!fact_set_has(but, defs->moves[i].fact))
            r->moved[i] = m->moved[i];
        memcpy(facts, m->asked[i].facts, t->rs->fact_words * sizeof(*facts));
        r->asked[i] = m->asked[i];
        r->asked[i].facts = facts;
    }
}

enum err_code tape_follow(struct record *r, const struct tape *t, int from, int to,
                          const struct fact_set *but, struct err *err)
{
    struct fact_set changes = { { 0 } };

    for (int mark = from + 1; mark <= to; mark++)
        for (int i = 0; i < FACT_SET_WORDS; i++)
            changes.bits[i] |= t->marks[mark].changes.bits[i] & ~but->bits[i];
    for (uint16_t i = 0; i < defs_of(t)->fact_count; i++)
        if (fact_set_has(&changes, i) && !put(r, i, value_at(t, i, to)))
            return no_memory(t, err);
    if (to > from)
        put_moves(r, t, to, but);
    return OK;
}

enum err_code tape_record(struct record **out, const struct tape *t, int mark, struct err *err)
{
    struct fact_set none = { { 0 } };

    if (record_new(out, t->rs, t->subject, err) != OK)
        return err->code;
    (*out)->has_lost_undo = true; /* what moved before stays */
    enum err_code rc = tape_follow(*out, t, -1, mark, &none, err);
    if (rc != OK) {
        record_free(*out);
        *out = NULL;
    }
    return rc;
}
