/* trace.c - see trace.h. What is read is noted where it is read; what changed is found by
 * comparing. */
#include "lua/trace.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/trace_internal.h"
#include "lua/uses.h"

/* ---- lists and sets, of the trace's arena ---- */

void *trace_room(struct trace *t, size_t size)
{
    void *out = arena_alloc(&t->arena, size);
    t->failed = t->failed || !out;
    return out;
}

void *list_add(struct trace *t, struct list *l, size_t size)
{
    if (l->count == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        void *grown = trace_room(t, cap * size);
        if (!grown)
            return NULL;
        if (l->count > 0)
            memcpy(grown, l->items, l->count * size);
        l->items = grown;
        l->cap = cap;
    }
    return (char *)l->items + l->count++ * size;
}

static bool bits_reach(struct trace *t, struct bits *b, uint32_t words)
{
    if (words <= b->count)
        return true;
    uint32_t count = b->count * 2 > words ? b->count * 2 : words;
    uint64_t *grown = trace_room(t, count * sizeof(*grown));
    if (!grown)
        return false;
    if (b->count > 0)
        memcpy(grown, b->words, b->count * sizeof(*grown));
    b->words = grown;
    b->count = count;
    return true;
}

void bits_add(struct trace *t, struct bits *b, int32_t step)
{
    uint32_t word = (uint32_t)step / 64;
    if (step >= 0 && bits_reach(t, b, word + 1))
        b->words[word] |= 1ull << (step % 64);
}

bool bits_has(const struct bits *b, int32_t step)
{
    uint32_t word = (uint32_t)step / 64;
    return word < b->count && (b->words[word] >> (step % 64) & 1);
}

void bits_merge(struct trace *t, struct bits *into, const struct bits *from)
{
    if (!bits_reach(t, into, from->count))
        return;
    for (uint32_t i = 0; i < from->count; i++)
        into->words[i] |= from->words[i];
}

static bool bits_are_empty(const struct bits *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (b->words[i])
            return false;
    return true;
}

/* ---- life ---- */

enum err_code trace_new(struct trace **out, struct err *err)
{
    *out = calloc(1, sizeof(**out));
    return *out ? OK : err_set(err, ERR_LIMIT, "no memory to explain");
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    strmap_fini(&t->parts);
    strmap_fini(&t->names);
    arena_fini(&t->arena);
    free(t);
}

/* The fact as it is known by its name, made at first sight. */
static struct traced_fact *name_fact(struct trace *t, const char *name)
{
    struct strmap_item *item = strmap_find(&t->names, name, strlen(name));

    if (item)
        return item->as.ptr;
    struct traced_fact *f = trace_room(t, sizeof(*f));
    item = f ? strmap_add(&t->names, name, strlen(name), NULL) : NULL;
    if (!item) {
        t->failed = true;
        return NULL;
    }
    f->name = name; /* of a ruleset, which outlives the trace */
    item->as.ptr = f;
    return f;
}

static enum err_code follow(struct trace *t, struct record *r, struct err *err)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];

    t->r = r;
    t->self = r->rs->rule_count;
    t->notes =
        trace_room(t, ((size_t)r->rs->rule_count + 1 + defs->move_count) * sizeof(*t->notes));
    for (uint16_t i = 0; i < defs->fact_count && !t->failed; i++) {
        uint32_t known = t->names.count;
        struct traced_fact *f = t->facts[i] = name_fact(t, defs->facts[i].name);
        if (!f)
            continue;
        f->number = i;
        if (t->names.count > known)
            trace_show(&f->last, t, r, i);
    }
    if (t->failed)
        return err_set(err, ERR_LIMIT, "no memory to explain %s", r->subject);
    r->trace = t;
    return OK;
}

enum err_code trace_follow(struct trace *t, struct record *r, struct err *err)
{
    strmap_fini(&t->parts);
    strmap_fini(&t->names);
    arena_reset(&t->arena);
    struct arena arena = t->arena;
    *t = (struct trace){ .arena = arena };
    return follow(t, r, err);
}

enum err_code trace_hand_over(struct trace *t, struct record *r, struct err *err)
{
    t->was_handed_over = true;
    return follow(t, r, err);
}

bool trace_is_moved(const struct trace *t, const struct traced_fact *f, uint16_t *move)
{
    const struct subject_defs *defs = &t->r->rs->subjects[t->r->kind];

    for (uint16_t i = 0; i < defs->move_count; i++) {
        if (t->facts[defs->moves[i].fact] == f) {
            *move = i;
            return true;
        }
    }
    return false;
}

/* ---- noting ---- */

static struct notes *notes_now(const struct ruleset *rs)
{
    struct trace *t = rs->record->trace;
    return &t->notes[rs->running_count > 0 ? rs->running[rs->running_count - 1] : t->self];
}

/* Emptied, keeping their memory. */
static void begin_notes(struct trace *t, uint16_t reader)
{
    struct notes *n = &t->notes[reader];
    n->parts.count = n->rules.count = n->params.count = n->moments.count = 0;
}

/* Parts go by the fact's name, whether they are a part, and the key. */
struct part *trace_part(struct trace *t, uint16_t fact, const char *key, size_t len)
{
    struct traced_fact *f = t->facts[fact];
    struct buf name = { 0 };
    char lent[256];

    buf_lend(&name, lent, sizeof(lent));
    buf_str(&name, f->name);
    buf_char(&name, key ? ' ' : '.'); /* neither is in the name of a fact */
    size_t begin = name.len;
    if (key)
        buf_add(&name, key, len);
    struct strmap_item *item = name.failed ? NULL : strmap_find(&t->parts, name.data, name.len);
    struct part *p = item ? item->as.ptr : NULL;
    if (!p) {
        char *kept = name.failed ? NULL : arena_copy(&t->arena, name.data, name.len);
        p = trace_room(t, sizeof(*p));
        item = kept && p ? strmap_add(&t->parts, kept, name.len, NULL) : NULL;
        if (item) {
            *p = (struct part){ .fact = f, .step = -1, .next = f->parts };
            p->key = key ? kept + begin : NULL;
            p->len = key ? (uint32_t)len : 0;
            f->parts = p;
            item->as.ptr = p;
        } else {
            t->failed = true;
            p = NULL;
        }
    }
    buf_fini(&name);
    return p;
}

void trace_read(struct ruleset *rs, uint16_t fact, const char *key, size_t len)
{
    struct trace *t = rs->record->trace;
    struct notes *n = notes_now(rs);
    struct part *p = trace_part(t, fact, key, len), **items = n->parts.items;

    for (uint32_t i = 0; i < n->parts.count; i++)
        if (items[i] == p)
            return;
    struct part **item = p ? list_add(t, &n->parts, sizeof(struct part *)) : NULL;
    if (item)
        *item = p;
}

void trace_read_at(lua_State *L, struct ruleset *rs, uint16_t fact, int index)
{
    char text[INT_TEXT];
    size_t len;
    int is_whole;
    lua_Integer whole = lua_tointegerx(L, index, &is_whole);

    if (lua_type(L, index) == LUA_TSTRING) {
        const char *key = lua_tolstring(L, index, &len);
        trace_read(rs, fact, key, len);
    } else if (is_whole) {
        const char *key = int_text(whole, text);
        trace_read(rs, fact, key, strlen(key));
    } else {
        trace_read(rs, fact, NULL, 0);
    }
}

void trace_rule(struct ruleset *rs, uint16_t rule)
{
    struct notes *n = notes_now(rs);
    uint16_t *items = n->rules.items;

    for (uint32_t i = 0; i < n->rules.count; i++)
        if (items[i] == rule)
            return;
    uint16_t *item = list_add(rs->record->trace, &n->rules, sizeof(*item));
    if (item)
        *item = rule;
}

void trace_rule_begins(struct ruleset *rs, uint16_t rule)
{
    begin_notes(rs->record->trace, rule);
}

void trace_param(struct ruleset *rs, uint16_t param, uint32_t version)
{
    struct notes *n = notes_now(rs);
    struct param_read *items = n->params.items;

    for (uint32_t i = 0; i < n->params.count; i++)
        if (items[i].param == param)
            return;
    struct param_read *item = list_add(rs->record->trace, &n->params, sizeof(*item));
    if (item)
        *item = (struct param_read){ param, version };
}

void trace_moment(struct ruleset *rs, int64_t time, bool has_come)
{
    struct notes *n = notes_now(rs);
    struct moment_read *items = n->moments.items;

    for (uint32_t i = 0; i < n->moments.count; i++)
        if (items[i].time == time)
            return;
    struct moment_read *item = list_add(rs->record->trace, &n->moments, sizeof(*item));
    if (item)
        *item = (struct moment_read){ time, has_come };
}

/* ---- steps ---- */

static struct step *add_step(struct trace *t, int32_t *number, int64_t time, int32_t move)
{
    struct step *s = list_add(t, &t->steps, sizeof(*s));

    *number = (int32_t)t->steps.count - 1;
    if (s)
        *s = (struct step){ .time = time, .seq = t->seq, .move = move };
    return s;
}

void trace_event_begins(struct record *r)
{
    r->trace->self = r->rs->rule_count;
    begin_notes(r->trace, r->trace->self);
}

void trace_event(struct record *r, const struct fold_event *e)
{
    struct trace *t = r->trace;
    struct bits made = { 0 }, behind = { 0 };
    int32_t number;

    t->seq = e->seq;
    struct step *s = add_step(t, &number, e->time, -1);
    if (!s)
        return;
    trace_add_notes(t, &made, &behind, r->rs->rule_count, true);
    bool had_effect = trace_compare(t, number);
    if (!had_effect && !bits_are_empty(&behind)) {
        bits_merge(t, &t->held, &behind); /* it may be that what it saw kept it from having one */
        bits_add(t, &t->held, number);
    }
    bits_add(t, &behind, number);
    step_of(t, number)->behind = behind;
}

void trace_move_begins(struct record *r, uint16_t move)
{
    r->trace->self = (uint16_t)(r->rs->rule_count + 1 + move);
    begin_notes(r->trace, r->trace->self);
}

static bool has_enter(const struct move_def *m)
{
    for (uint16_t i = 0; i < m->step_count; i++)
        if (m->steps[i].enter != LUA_NOREF)
            return true;
    return false;
}

/* The facts that it moves, or would have written on entering: what it looked at is behind them also
 * where it kept the move from being made. */
static void consider(struct trace *t, const struct record *r, uint16_t move,
                     const struct bits *behind)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    const struct uses *u = &r->rs->uses->moves[r->kind];

    bits_merge(t, &t->facts[defs->moves[move].fact]->considered, behind);
    if (!has_enter(&defs->moves[move]))
        return;
    for (uint16_t i = 0; i < defs->fact_count; i++)
        if (i != defs->moves[move].fact && (u->is_open_set || uses_has(u->set, i)))
            bits_merge(t, &t->facts[i]->considered, behind);
}

void trace_move(struct record *r, uint16_t move, bool has_moved)
{
    struct trace *t = r->trace;
    struct bits made = { 0 }, behind = { 0 };
    int32_t number;

    trace_add_notes(t, &made, &behind, t->self, false);
    if (has_moved) {
        struct step *s = add_step(t, &number, r->rs->now, move);
        if (!s)
            return;
        s->seq = r->is_by_itself ? 0 : t->seq;
        bits_add(t, &behind, number);
        s->made = made;
        s->behind = behind;
        trace_compare(t, number);
    }
    consider(t, r, move, &behind);
}

/* ---- what is behind what ---- */

static void add_step_of(struct trace *t, struct bits *made, struct bits *behind, int32_t step,
                        bool with_moves)
{
    if (step < 0)
        return;
    const struct step *s = step_of(t, step);
    bits_merge(t, behind, &s->behind);
    if (s->move < 0)
        bits_add(t, made, step);
    else if (with_moves)
        bits_merge(t, made, &s->made);
}

bool part_holds(const struct part *p, const struct part *of)
{
    if (!p->key || p == of)
        return true;
    return of->key && of->len > p->len && of->key[p->len] == PART_INNER &&
           memcmp(of->key, p->key, p->len) == 0;
}

void trace_add_part(struct trace *t, struct bits *made, struct bits *behind, const struct part *p,
                    bool with_moves)
{
    for (const struct part *of = p->fact->parts; of; of = of->next)
        if (part_holds(p, of))
            add_step_of(t, made, behind, of->step, with_moves);
    bits_merge(t, &t->idle, &p->fact->idle);
    bits_merge(t, behind, &p->fact->considered);
}

static void add_notes(struct trace *t, struct bits *made, struct bits *behind, uint16_t reader,
                      bool with_moves, bool *been)
{
    const struct notes *n = &t->notes[reader];
    struct part *const *parts = n->parts.items;
    const uint16_t *rules = n->rules.items;

    for (uint32_t i = 0; i < n->parts.count; i++)
        trace_add_part(t, made, behind, parts[i], with_moves);
    for (uint32_t i = 0; i < n->rules.count; i++) {
        if (been[rules[i]])
            continue;
        been[rules[i]] = true;
        add_notes(t, made, behind, rules[i], with_moves, been);
    }
}

void trace_add_notes(struct trace *t, struct bits *made, struct bits *behind, uint16_t reader,
                     bool with_moves)
{
    bool been[RULES_MAX] = { false };
    add_notes(t, made, behind, reader, with_moves, been);
}
