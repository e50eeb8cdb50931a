/* likeness.c - see likeness.h. What matters of a ruleset is written as bytes, one after the other;
 * equal bytes, equal folds. */
#include "lua/likeness.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/dump.h"
#include "lua/record_internal.h"
#include "lua/state.h"
#include "lua/uses.h"

struct writing {
    struct ruleset *rs;
    struct buf *out;
    const char *type; /* only this type of events; NULL: all but what depends on the type */
    int met;          /* stack index: tables and functions that were written, to their numbers */
    lua_Integer count;
    struct buf dumped; /* a function */
    struct arena arena;
};

/* ---- values and functions ---- */

static void write_text(struct writing *w, const char *text)
{
    buf_add(w->out, text ? text : "", (text ? strlen(text) : 0) + 1); /* set off by its NUL */
}

static void write_number(struct writing *w, int64_t n)
{
    buf_add(w->out, (const char *)&n, sizeof(n));
}

static int collect(lua_State *L, const void *bytes, size_t len, void *arg)
{
    (void)L;
    buf_add(arg, bytes, len);
    return 0;
}

static void write_form(struct writing *w, const struct dump_function *f)
{
    write_number(w, (int64_t)f->form_len);
    buf_add(w->out, f->form, f->form_len);
    write_number(w, (int64_t)f->inner_count);
    for (size_t i = 0; i < f->inner_count; i++)
        write_form(w, f->inner[i]);
}

/* What it does, wherever it stands. */
static void write_code(lua_State *L, struct writing *w)
{
    buf_reset(&w->dumped);
    bool is_dumped = lua_dump(L, collect, &w->dumped, 1) == 0 && !w->dumped.failed;
    struct dump_function *f =
        is_dumped ? dump_read(&w->arena, w->dumped.data, w->dumped.len) : NULL;
    if (!f)
        luaL_error(L, "a function can not be compared");
    write_form(w, f);
}

static void write_value(lua_State *L, struct writing *w);

/* Its code, and what it finds around it. Functions of the host are the same ones in every state. */
static void write_function(lua_State *L, struct writing *w)
{
    int at = lua_gettop(L);
    const char *name;

    if (lua_iscfunction(L, at)) {
        lua_CFunction f = lua_tocfunction(L, at);
        buf_add(w->out, (const char *)&f, sizeof(f));
        return;
    }
    write_code(L, w);
    for (int i = 1; (name = lua_getupvalue(L, at, i)); i++) {
        if (strcmp(name, "_ENV") != 0)
            write_value(L, w);
        lua_settop(L, at);
    }
}

static void write_table(lua_State *L, struct writing *w)
{
    int at = lua_gettop(L);

    lua_pushvalue(L, at);
    sandbox_thaw(L, at + 1);
    sandbox_push_keys(L, at + 1);
    for (lua_Integer i = 1; lua_rawgeti(L, at + 2, i) != LUA_TNIL; i++) {
        lua_pushvalue(L, -1);
        write_value(L, w);
        lua_settop(L, at + 3);
        lua_rawget(L, at + 1);
        write_value(L, w);
        lua_settop(L, at + 2);
    }
    lua_settop(L, at);
    buf_char(w->out, '}');
}

/* Has the table or function on top been written? Then its number stands for it. */
static bool is_met(lua_State *L, struct writing *w)
{
    lua_pushvalue(L, -1);
    if (lua_rawget(L, w->met) == LUA_TNUMBER) {
        write_number(w, lua_tointeger(L, -1));
        lua_pop(L, 1);
        return true;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushinteger(L, ++w->count);
    lua_rawset(L, w->met);
    return false;
}

/* The value on top, which stays there. */
static void write_value(lua_State *L, struct writing *w)
{
    size_t len;
    int type = lua_type(L, -1);

    luaL_checkstack(L, 12, "nested too deep");
    buf_char(w->out, (char)('a' + type));
    switch (type) {
    case LUA_TNIL:
        break;
    case LUA_TBOOLEAN:
        buf_char(w->out, lua_toboolean(L, -1) ? '1' : '0');
        break;
    case LUA_TNUMBER: {
        bool is_whole = lua_isinteger(L, -1);
        lua_Number real = is_whole ? 0 : lua_tonumber(L, -1);
        write_number(w, is_whole ? lua_tointeger(L, -1) : 0);
        buf_add(w->out, (const char *)&real, sizeof(real));
        break;
    }
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, -1, &len);
        write_number(w, (int64_t)len);
        buf_add(w->out, text, len);
        break;
    }
    case LUA_TTABLE:
        if (!is_met(L, w))
            write_table(L, w);
        break;
    case LUA_TFUNCTION:
        if (!is_met(L, w))
            write_function(L, w);
        break;
    default:
        luaL_error(L, "a %s can not be compared", lua_typename(L, type));
    }
}

static void write_ref(lua_State *L, struct writing *w, int ref)
{
    buf_char(w->out, ref == LUA_NOREF ? '-' : '+');
    if (ref == LUA_NOREF)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    write_value(L, w);
    lua_pop(L, 1);
}

/* ---- what is declared ---- */

static void write_type(struct writing *w, const struct type *t)
{
    if (!t) {
        buf_char(w->out, '-');
        return;
    }
    write_number(w, t->kind);
    write_number(w, t->min);
    write_number(w, t->max);
    write_number(w, t->value_count);
    for (uint32_t i = 0; i < t->value_count; i++)
        write_text(w, t->values[i]);
    write_type(w, t->key);
    write_type(w, t->of);
    write_number(w, t->field_count);
    for (uint32_t i = 0; i < t->field_count; i++) {
        write_text(w, t->fields[i].name);
        buf_char(w->out, t->fields[i].is_optional ? '?' : '!');
        write_type(w, t->fields[i].type);
    }
}

static void write_facts(struct writing *w, const struct subject_defs *defs)
{
    write_number(w, defs->fact_count);
    write_number(w, defs->hub);
    for (uint16_t i = 0; i < defs->fact_count; i++) {
        const struct fact_def *f = &defs->facts[i];
        write_text(w, f->name);
        buf_char(w->out, f->is_own ? 'o' : 'n');
        write_type(w, f->type);
        convert_write(w->out, f->shape, f->initial);
    }
}

static void write_moves(lua_State *L, struct writing *w, const struct subject_defs *defs)
{
    write_number(w, defs->move_count);
    for (uint16_t i = 0; i < defs->move_count; i++) {
        const struct move_def *m = &defs->moves[i];
        const struct shape *shape = defs->facts[m->fact].shape;
        write_text(w, m->name);
        write_number(w, m->form);
        buf_char(w->out, m->is_own ? 'o' : 'n');
        write_ref(L, w, m->function);
        write_number(w, m->step_count);
        for (uint16_t n = 0; n < m->step_count; n++) {
            const struct move_step *step = &m->steps[n];
            convert_write(w->out, shape, step->value);
            write_number(w, step->from ? step->from_count : -1);
            for (uint16_t k = 0; step->from && k < step->from_count; k++)
                convert_write(w->out, shape, step->from[k]);
            write_ref(L, w, step->holds);
            write_ref(L, w, step->enter);
        }
    }
}

static void write_param(struct writing *w, const struct param_def *p)
{
    struct param_versions v = param_in_force(w->rs, p);

    write_text(w, p->name);
    write_number(w, v.count);
    for (uint32_t i = 0; i < v.count; i++) {
        write_number(w, v.items[i].from);
        write_text(w, v.items[i].json);
    }
}

static void write_rule(lua_State *L, struct writing *w, const struct rule_def *rule)
{
    write_text(w, rule->name);
    write_number(w, rule->form);
    write_number(w, rule->need);
    write_text(w, rule->need_param >= 0 ? w->rs->params[rule->need_param].name : NULL);
    write_ref(L, w, rule->need != NEED_NONE && rule->need_param < 0 ? rule->need_ref : LUA_NOREF);
    buf_printf(w->out, "%d%d%d%d", rule->is_decision, rule->is_alert, rule->is_waivable,
               rule->change ? (int)rule->change->direction : 0);
    write_ref(L, w, rule->function);
    write_number(w, rule->form == RULE_SHOWN ? rule->fact : 0);
    write_number(w, rule->criteria_count);
    for (uint16_t i = 0; i < rule->criteria_count; i++)
        write_text(w, w->rs->rules[rule->criteria[i]].name);
}

/* ---- what moves and reducers read ---- */

static void add_all(uint64_t *into, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        into[i] |= from[i];
}

/* The rules that are read, and those that these read; and all parameters. False: some names are
 * made when it runs. */
static bool close_over(struct uses *u, const struct ruleset *rs)
{
    bool been[RULES_MAX] = { false }, has_more = true;

    while (has_more) {
        has_more = false;
        for (uint16_t i = 0; i < rs->rule_count; i++) {
            const struct rule_def *rule = &rs->rules[i];
            if (been[i] || !uses_has(u->rules, i))
                continue;
            been[i] = has_more = true;
            add_all(u->rules, rs->uses->rules[i].rules, RULES_MAX / 64);
            add_all(u->params, rs->uses->rules[i].params, PARAMS_MAX / 64);
            u->is_open = u->is_open || rs->uses->rules[i].is_open;
            for (uint16_t k = 0; k < rule->criteria_count; k++)
                uses_add(u->rules, rule->criteria[k]);
            if (rule->need_param >= 0)
                uses_add(u->params, (unsigned)rule->need_param);
        }
    }
    return !u->is_open;
}

static void write_read(lua_State *L, struct writing *w, int kind)
{
    const struct ruleset *rs = w->rs;
    struct uses *u = lua_newuserdatauv(L, sizeof(*u), 0);

    *u = rs->uses->moves[kind];
    add_all(u->params, rs->uses->reducers[kind].params, PARAMS_MAX / 64);
    u->is_open = u->is_open || rs->uses->reducers[kind].is_open;
    if (!close_over(u, rs))
        luaL_error(L, "names are made when it runs");
    for (uint16_t i = 0; i < rs->rule_count; i++)
        if (uses_has(u->rules, i))
            write_rule(L, w, &rs->rules[i]);
    for (uint16_t i = 0; i < rs->param_count; i++)
        if (uses_has(u->params, i))
            write_param(w, &rs->params[i]);
    lua_pop(L, 1);
}

static void write_calendar(struct writing *w, const struct calendar *c)
{
    write_number(w, c->first_year);
    write_number(w, c->year_count);
    for (int y = 0; y < c->year_count; y++)
        for (int i = 0; i < 6; i++)
            write_number(w, c->starts[y][i]);
}

/* ---- the whole ---- */

static void write_reactions(lua_State *L, struct writing *w)
{
    const struct event_type *type = catalog_find(&w->rs->catalog, w->type);

    buf_char(w->out, type ? '+' : '-');
    if (!type)
        return;
    write_type(w, type->data);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        const struct strmap_item *item =
            strmap_find(&w->rs->subjects[kind].reactions, w->type, strlen(w->type));
        const struct reaction *r = item ? item->as.ptr : NULL;
        buf_char(w->out, type->subjects[kind] ? '+' : '-');
        write_ref(L, w, r ? r->own : LUA_NOREF);
        write_ref(L, w, r ? r->any : LUA_NOREF);
        write_ref(L, w, r ? r->added : LUA_NOREF);
    }
}

static int write_in_lua(lua_State *L)
{
    struct writing *w = lua_touserdata(L, 1);

    lua_newtable(L);
    w->met = lua_gettop(L);
    if (w->type) {
        write_reactions(L, w);
        return 0;
    }
    write_text(w, w->rs->hub);
    write_calendar(w, &w->rs->calendar);
    write_calendar(w, &w->rs->own_calendar);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        write_facts(w, &w->rs->subjects[kind]);
        write_moves(L, w, &w->rs->subjects[kind]);
        write_read(L, w, kind);
    }
    return 0;
}

/* Write it; false: it can not be compared. */
static bool write_all(struct buf *out, struct ruleset *rs, const char *type)
{
    struct writing w = { .rs = rs, .out = out, .type = type };
    struct err ignored;

    buf_reset(out);
    lua_pushcfunction(rs->sandbox.L, write_in_lua);
    lua_pushlightuserdata(rs->sandbox.L, &w);
    bool is_done = sandbox_call(&rs->sandbox, 1, 0, &ignored) == OK && !out->failed;
    sandbox_trust(&rs->sandbox);
    buf_fini(&w.dumped);
    arena_fini(&w.arena);
    return is_done;
}

static bool is_alike(struct ruleset *a, struct ruleset *b, const char *type)
{
    struct buf x = { 0 }, y = { 0 };
    bool is = write_all(&x, a, type) && write_all(&y, b, type) && x.len == y.len &&
              memcmp(x.data, y.data, x.len) == 0;

    buf_fini(&x);
    buf_fini(&y);
    return is;
}

static enum err_code find_others(struct likeness *out, struct ruleset *a, struct ruleset *b,
                                 const struct catalog *of, struct err *err)
{
    for (uint32_t i = 0; i < of->types.count; i++) {
        const char *type = of->types.items[i].key;
        if (strmap_find(&out->others, type, strlen(type)) || is_alike(a, b, type))
            continue;
        if (!strmap_add(&out->others, type, strlen(type), NULL))
            return err_set(err, ERR_LIMIT, "no memory to compare rules");
    }
    return OK;
}

enum err_code likeness_find(struct likeness *out, struct rulebook *a, struct rulebook *b,
                            struct err *err)
{
    struct ruleset *x, *y;
    enum err_code rc = OK;

    *out = (struct likeness){ .is_alike = true };
    for (int i = 0; out->is_alike && rc == OK; i++) {
        x = rulebook_at(a, i);
        y = rulebook_at(b, i);
        if (!x && !y)
            break;
        out->is_alike = x && y && is_alike(x, y, NULL);
        if (out->is_alike)
            rc = find_others(out, x, y, &x->catalog, err);
        if (out->is_alike && rc == OK)
            rc = find_others(out, x, y, &y->catalog, err);
    }
    return rc;
}

void likeness_fini(struct likeness *l)
{
    strmap_fini(&l->others);
}
