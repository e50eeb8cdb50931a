/* reasons_reads.c - see reasons_internal.h. What a rule looked at: facts and who made them,
 * parameters, comparisons with time. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/reasons_internal.h"

void name_member(struct buf *out, const char *name)
{
    buf_printf(out, ",\"%s\":", name);
}

void write_time(struct buf *out, int64_t t)
{
    char text[TIME_TEXT];
    json_write_cstr(out, t == TIME_NEVER || t == TIME_MIN ? NULL : time_text(t, text));
}

/* ---- the events behind parts ---- */

/* Numbers of those among the steps that are events, each once, in their order. */
static void write_events(struct telling *x, const struct bits *steps)
{
    const char *comma = "";
    int64_t last = 0;

    name_member(x->out, "events");
    buf_char(x->out, '[');
    for (int32_t i = 0; i < (int32_t)x->t->steps.count; i++) {
        const struct step *s = step_of(x->t, i);
        if (!bits_has(steps, i) || s->move >= 0 || s->seq == last)
            continue; /* one that brings a school to another hub is two steps */
        buf_printf(x->out, "%s%lld", comma, (long long)s->seq);
        comma = ",";
        last = s->seq;
    }
    buf_char(x->out, ']');
}

/* When a move, and not an event, gave a fact the value that it has. */
static void write_move(struct telling *x, const struct part *p)
{
    uint16_t move;

    if (!trace_is_moved(x->t, p->fact, &move))
        return;
    int64_t at = x->r->moved[move];
    if (at == TIME_NEVER)
        return;
    name_member(x->out, "since");
    write_time(x->out, at);
    for (const struct part *of = p->fact->parts; of; of = of->next) {
        if (part_holds(p, of) && of->step >= 0 && step_of(x->t, of->step)->move >= 0) {
            buf_str(x->out, ",\"moved\":true");
            return;
        }
    }
}

/* ---- what a rule looked at ---- */

/* Waivers go by their rule: those that were granted for it. */
static void write_waivers(struct telling *x, const struct part *p)
{
    const struct showing *s = &p->fact->last;

    buf_char(x->out, '[');
    for (uint32_t i = 0; i < s->count; i++)
        if (s->items[i].key_len == p->len && memcmp(s->items[i].key, p->key, p->len) == 0)
            buf_str(x->out, s->items[i].value);
    buf_char(x->out, ']');
}

/* The member of a set (true or false), or what a map has under a key. */
static void write_keyed(struct telling *x, const struct part *p, const struct shape *shape)
{
    const struct node *n = cell_node(x->r->facts[p->fact->number]);
    bool is_map = shape->type->kind == TYPE_MAP, is_found = false;

    for (uint32_t i = 0; n && i < n->used && !is_found; i += shape->width) {
        struct buf key = { 0 };
        write_part_key(&key, n->cells[i]);
        is_found = key.len == p->len && memcmp(buf_cstr(&key), p->key, p->len) == 0;
        if (is_found && is_map)
            convert_write(x->out, shape->of, n->cells[i + 1]);
        buf_fini(&key);
    }
    if (!is_map)
        buf_str(x->out, is_found ? "true" : "false");
    else if (!is_found)
        buf_str(x->out, "null");
}

static void write_part(struct telling *x, const struct part *p)
{
    const struct fact_def *f = &x->rs->subjects[x->r->kind].facts[p->fact->number];
    struct bits made = { 0 }, behind = { 0 };

    buf_str(x->out, "{\"name\":");
    json_write_cstr(x->out, f->name);
    if (p->key) {
        name_member(x->out, "key");
        json_write_string(x->out, p->key, p->len);
        name_member(x->out, "value");
        if (p->fact->number == x->rs->subjects[x->r->kind].waivers)
            write_waivers(x, p);
        else
            write_keyed(x, p, f->shape);
    } else {
        struct cell cell = x->r->facts[p->fact->number];
        name_member(x->out, "value");
        convert_write(x->out, f->shape, cell_is_nil(cell) ? f->initial : cell);
    }
    write_move(x, p);
    trace_add_part(x->t, &made, &behind, p, true);
    write_events(x, &made);
    buf_char(x->out, '}');
}

/* A waiver that was never granted is no news. */
static bool is_worth_telling(const struct telling *x, const struct part *p)
{
    return p->fact->number != x->rs->subjects[x->r->kind].waivers || p->step >= 0;
}

void write_facts(struct telling *x, const struct notes *n)
{
    struct part *const *parts = n->parts.items;
    const char *comma = "";

    name_member(x->out, "facts");
    buf_char(x->out, '[');
    for (uint32_t i = 0; i < n->parts.count; i++) {
        bool is_within = false; /* the whole fact was read too */
        for (uint32_t k = 0; k < n->parts.count && parts[i]->key; k++)
            is_within = is_within || (parts[k]->fact == parts[i]->fact && !parts[k]->key);
        if (is_within || !is_worth_telling(x, parts[i]))
            continue;
        buf_str(x->out, comma);
        comma = ",";
        write_part(x, parts[i]);
    }
    buf_char(x->out, ']');
}

void write_params(lua_State *L, struct telling *x, const struct notes *n)
{
    const struct param_read *reads = n->params.items;

    if (n->params.count == 0)
        return;
    name_member(x->out, "parameters");
    for (uint32_t i = 0; i < n->params.count; i++) {
        const struct param_def *p = &x->rs->params[reads[i].param];
        struct param_versions in_force = param_in_force(x->rs, p);
        uint32_t v = reads[i].version;
        buf_str(x->out, i ? ",{\"name\":" : "[{\"name\":");
        json_write_cstr(x->out, p->name);
        name_member(x->out, "value");
        lua_rawgeti(L, LUA_REGISTRYINDEX, in_force.items[v].ref);
        convert_write_scalar(L, -1, x->out);
        lua_pop(L, 1);
        name_member(x->out, "from");
        write_time(x->out, in_force.items[v].from);
        name_member(x->out, "until");
        write_time(x->out, v + 1 < in_force.count ? in_force.items[v + 1].from : TIME_NEVER);
        if (p->change) { /* what an overlay changes is always shown */
            name_member(x->out, "overlay");
            json_write_cstr(x->out, change_word(p->change->direction));
            name_member(x->out, "where");
            json_write_cstr(x->out, p->change->where);
        }
        buf_char(x->out, '}');
    }
    buf_char(x->out, ']');
}

static int by_time(const void *a, const void *b)
{
    const struct moment_read *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

void write_moments(struct telling *x, const struct notes *n)
{
    struct moment_read *reads = n->moments.items;

    if (n->moments.count == 0)
        return;
    qsort(reads, n->moments.count, sizeof(*reads), by_time);
    name_member(x->out, "moments");
    for (uint32_t i = 0; i < n->moments.count; i++) {
        buf_str(x->out, i ? ",{\"time\":" : "[{\"time\":");
        write_time(x->out, reads[i].time);
        buf_printf(x->out, ",\"reached\":%s}", reads[i].has_come ? "true" : "false");
    }
    buf_char(x->out, ']');
}
