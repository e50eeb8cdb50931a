/* trace.c - see trace.h. What is read is noted where it is read; what changed is found by comparing. */
#include "lua/trace.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/trace_internal.h"

/* ---- lists and sets, of the trace's arena ---- */

static void *room(struct trace *t, size_t size)
{
    void *out = arena_alloc(&t->arena, size);
    t->failed = t->failed || !out;
    return out;
}

void *list_add(struct trace *t, struct list *l, size_t size)
{
    if (l->count == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        void *grown = room(t, cap * size);
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
    uint64_t *grown = room(t, count * sizeof(*grown));
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

static void bits_merge(struct trace *t, struct bits *into, const struct bits *from)
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
    struct traced_fact *f = room(t, sizeof(*f));
    item = f ? strmap_add(&t->names, name, strlen(name), NULL) : NULL;
    if (!item) {
        t->failed = true;
        return NULL;
    }
    f->name = name; /* of a ruleset, which outlives the trace */
    item->as.ptr = f;
    return f;
}

enum err_code trace_hand_over(struct trace *t, struct record *r, struct err *err)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];

    t->r = r;
    t->self = r->rs->rule_count;
    t->notes = room(t, ((size_t)r->rs->rule_count + 1 + defs->move_count) * sizeof(*t->notes));
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
    return trace_hand_over(t, r, err);
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

/* The part, made at first sight. `key` NULL: the whole fact. Parts go by the fact's name, whether they are a
 * part, and the key. */
static struct part *part_of(struct trace *t, uint16_t fact, const char *key, size_t len)
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
        p = room(t, sizeof(*p));
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
    struct part *p = part_of(t, fact, key, len), **items = n->parts.items;

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

/* ---- a fact, part by part ---- */

static int by_key(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    int order = memcmp(x->key, y->key, x->key_len < y->key_len ? x->key_len : y->key_len);

    if (order == 0)
        order = (x->key_len > y->key_len) - (x->key_len < y->key_len);
    if (order == 0) /* equal keys, whose values are joined: in an order of their own */
        order = strcmp(x->value, y->value);
    return order;
}

static const char *keep(struct trace *t, const struct buf *b)
{
    const char *text = b->failed ? NULL : arena_copy(&t->arena, b->data ? b->data : "", b->len);
    t->failed = t->failed || !text;
    return text ? text : "";
}

void write_part_key(struct buf *out, struct cell cell)
{
    char text[INT_TEXT];

    if (cell_text(cell))
        buf_add(out, cell_text(cell)->bytes, cell_text(cell)->len);
    else if (cell_is_integer(cell))
        buf_str(out, int_text(cell_integer(cell), text));
    else if (cell_tag(cell) == CELL_BOOL)
        buf_str(out, cell_is_true(cell) ? "true" : "false");
    else if (!cell_is_nil(cell))
        json_write_real(out, cell_real(cell));
}

/* One item of a set, map or list, behind what leads to it. A waiver goes by its rule, a row by all that it
 * holds. */
static struct shown show_item(struct trace *t, const struct shape *shape, const struct node *n,
                              uint32_t i, struct cell outer, bool are_waivers)
{
    struct buf key = { 0 }, value = { 0 };
    struct cell cell = n->cells[i + shape->width - 1];

    if (!cell_is_nil(outer)) {
        write_part_key(&key, outer);
        buf_char(&key, PART_INNER);
    }
    if (shape->type->kind == TYPE_LIST && !type_is_scalar(shape->of->type)) {
        convert_write(&value, shape->of, cell);
        if (are_waivers)
            write_part_key(&key, cell_node(cell)->cells[WAIVER_RULE]);
        else
            buf_add(&key, value.data ? value.data : "", value.len);
    } else {
        write_part_key(&key, n->cells[i]);
        if (shape->type->kind == TYPE_MAP)
            convert_write(&value, shape->of, cell);
        else
            buf_str(&value, "true");
    }
    struct shown s = { keep(t, &key), (uint32_t)key.len, keep(t, &value), (uint32_t)value.len };
    buf_fini(&key);
    buf_fini(&value);
    return s;
}

static uint32_t items_of(const struct shape *shape, const struct node *n)
{
    return n ? n->used / shape->width : 0;
}

/* Is it a map of sets, lists or maps, whose items are parts of their own? */
static bool is_nested(const struct shape *shape)
{
    return shape->type->kind == TYPE_MAP && !type_is_scalar(shape->of->type) &&
           shape->of->type->kind != TYPE_ROW;
}

static void show_items(struct showing *out, struct trace *t, const struct shape *shape,
                       const struct node *n, struct cell outer, bool are_waivers)
{
    for (uint32_t i = 0; i < items_of(shape, n); i++)
        out->items[out->count++] = show_item(t, shape, n, i * shape->width, outer, are_waivers);
}

/* Those with the same key become one. */
static void join_equal(struct trace *t, struct showing *out)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < out->count; i++) {
        struct shown *before = kept > 0 ? &out->items[kept - 1] : NULL, *s = &out->items[i];
        if (!before || before->key_len != s->key_len ||
            memcmp(before->key, s->key, s->key_len) != 0) {
            out->items[kept++] = *s;
            continue;
        }
        struct buf both = { 0 };
        buf_add(&both, before->value, before->value_len);
        buf_char(&both, ',');
        buf_add(&both, s->value, s->value_len);
        before->value = keep(t, &both);
        before->value_len = (uint32_t)both.len;
        buf_fini(&both);
    }
    out->count = kept;
}

void trace_show(struct showing *out, struct trace *t, const struct record *r, uint16_t fact)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    const struct shape *shape = defs->facts[fact].shape;
    struct cell cell = cell_is_nil(r->facts[fact]) ? defs->facts[fact].initial : r->facts[fact];
    const struct node *n = cell_node(cell);

    *out = (struct showing){ 0 };
    if (type_is_scalar(shape->type) || shape->type->kind == TYPE_ROW) {
        struct buf value = { 0 };
        out->items = room(t, sizeof(*out->items));
        if (!out->items)
            return;
        convert_write(&value, shape, cell);
        out->items[0] = (struct shown){ "", 0, keep(t, &value), (uint32_t)value.len };
        out->count = 1;
        buf_fini(&value);
        return;
    }
    uint32_t count = is_nested(shape) ? 0 : items_of(shape, n);
    for (uint32_t i = 0; is_nested(shape) && i < items_of(shape, n); i++)
        count += items_of(shape->of, cell_node(n->cells[2 * i + 1]));
    if (count == 0 || !(out->items = room(t, count * sizeof(*out->items))))
        return;
    if (!is_nested(shape))
        show_items(out, t, shape, n, (struct cell){ 0 }, fact == defs->waivers);
    for (uint32_t i = 0; is_nested(shape) && i < items_of(shape, n); i++)
        show_items(out, t, shape->of, cell_node(n->cells[2 * i + 1]), n->cells[2 * i], false);
    qsort(out->items, count, sizeof(*out->items), by_key);
    join_equal(t, out);
}

/* ---- steps ---- */

/* Order of two keys alone. */
static int compare_keys(const struct shown *x, const struct shown *y)
{
    int order = memcmp(x->key, y->key, x->key_len < y->key_len ? x->key_len : y->key_len);
    return order != 0 ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

static void changed(struct trace *t, uint16_t fact, const struct shown *s, int32_t step)
{
    enum type_kind kind = t->r->rs->subjects[t->r->kind].facts[fact].type->kind;
    bool is_whole = kind != TYPE_SET && kind != TYPE_LIST && kind != TYPE_MAP;
    struct part *p = part_of(t, fact, is_whole ? NULL : s->key, s->key_len);
    if (p)
        p->step = step;
}

/* Let `step` be what changed the parts of a fact that differ now; true when some do. */
static bool compare_fact(struct trace *t, uint16_t fact, int32_t step)
{
    struct showing now, *last = &t->facts[fact]->last;
    uint32_t i = 0, k = 0;
    bool differs = false;

    trace_show(&now, t, t->r, fact);
    while (i < last->count || k < now.count) {
        int order = i == last->count ? 1
                    : k == now.count ? -1
                                     : compare_keys(&last->items[i], &now.items[k]);
        const struct shown *old = order <= 0 ? &last->items[i] : NULL;
        const struct shown *new = order >= 0 ? &now.items[k] : NULL;
        if (!old || !new || strcmp(old->value, new->value) != 0) {
            changed(t, fact, new ? new : old, step);
            differs = true;
        }
        i += order <= 0;
        k += order >= 0;
    }
    *last = now;
    return differs;
}

static bool compare_touched(struct trace *t, int32_t step)
{
    const struct record *r = t->r;
    bool differs = false;

    for (uint16_t i = 0; i < r->rs->subjects[r->kind].fact_count; i++)
        if (r->touched[i / 64] >> (i % 64) & 1)
            differs = compare_fact(t, i, step) || differs;
    return differs;
}

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
    bool had_effect = compare_touched(t, number);
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
        compare_touched(t, number);
    }
    bits_merge(t, &t->facts[r->rs->subjects[r->kind].moves[move].fact]->considered, &behind);
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
    uint16_t move;

    for (const struct part *of = p->fact->parts; of; of = of->next)
        if (part_holds(p, of))
            add_step_of(t, made, behind, of->step, with_moves);
    if (trace_is_moved(t, p->fact, &move))
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
