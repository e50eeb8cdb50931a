/* trace_parts.c - see trace_internal.h. A fact, part by part: as it is, and which parts of it
 * differ from before. */
#include <stdlib.h>
#include <string.h>

#include "lua/trace_internal.h"

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

/* One item of a set, map or list, behind what leads to it. A waiver goes by its rule, a row by all
 * that it holds. */
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
        out->items = trace_room(t, sizeof(*out->items));
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
    if (count == 0 || !(out->items = trace_room(t, count * sizeof(*out->items))))
        return;
    if (!is_nested(shape))
        show_items(out, t, shape, n, (struct cell){ 0 }, fact == defs->waivers);
    for (uint32_t i = 0; is_nested(shape) && i < items_of(shape, n); i++)
        show_items(out, t, shape->of, cell_node(n->cells[2 * i + 1]), n->cells[2 * i], false);
    qsort(out->items, count, sizeof(*out->items), by_key);
    join_equal(t, out);
}

/* ---- what has changed ---- */

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
    struct part *p = trace_part(t, fact, is_whole ? NULL : s->key, s->key_len);
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
    if (differs && fact == t->r->rs->subjects[t->r->kind].hub)
        bits_add(t, &t->hubs, step);
    return differs;
}

bool trace_compare(struct trace *t, int32_t step)
{
    const struct record *r = t->r;
    bool differs = false;

    for (uint16_t i = 0; i < r->rs->subjects[r->kind].fact_count; i++) {
        if (!(r->touched[i / 64] >> (i % 64) & 1))
            continue;
        if (compare_fact(t, i, step))
            differs = true;
        else
            bits_add(t, &t->facts[i]->idle, step);
    }
    return differs;
}
