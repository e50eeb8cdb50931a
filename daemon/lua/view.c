/* view.c - the object behind `s` in a rule or reducer: facts, rules, parameters and time, each read
 * noted. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"
#include "lua/state.h"

#define PARAM_META "pathway.params"

void reads_clear(const struct ruleset *rs, struct reads *r)
{
    memset(r->facts, 0, rs->fact_words * sizeof(r->facts[0]));
    memset(r->own_facts, 0, rs->fact_words * sizeof(r->own_facts[0]));
    memset(r->rules, 0, rs->rule_words * sizeof(r->rules[0]));
    r->wake = r->own_wake = TIME_NEVER;
}

void reads_merge(const struct ruleset *rs, struct reads *into, const struct reads *from)
{
    for (uint16_t i = 0; i < rs->fact_words; i++)
        into->facts[i] |= from->facts[i];
    if (from->wake < into->wake)
        into->wake = from->wake;
}

/* True when t has come; if not, the reader must be asked again at t. */
bool view_reached(struct ruleset *rs, int64_t t)
{
    if (rs->now >= t)
        return true;
    if (t < rs->reads->wake)
        rs->reads->wake = t;
    if (t < rs->reads->own_wake)
        rs->reads->own_wake = t;
    return false;
}

/* For the object behind `s`, which has the kind of subject as its third upvalue: another kind's facts and
 * rules have other numbers. */
static struct ruleset *ruleset_of_view(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    enum subject_kind kind = (enum subject_kind)lua_tointeger(L, lua_upvalueindex(3));

    if (!rs->record || rs->record->kind != kind)
        luaL_error(L, "this view of a %s was kept from another call; a rule keeps nothing",
                   subject_kind_name(kind));
    return rs;
}

static struct ruleset *running_ruleset(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    if (!rs->record)
        luaL_error(L, "a record can be read only while a rule, move or reducer runs");
    return rs;
}

static int unknown_name(lua_State *L, const struct strmap *names, const char *what,
                        const char *name)
{
    const char *known[512];
    char hint[160];
    uint32_t count = 0;

    for (uint32_t i = 0; i < names->count && count < 512; i++)
        known[count++] = names->items[i].key;
    return luaL_error(L, "unknown %s '%s'%s", what, name,
                      text_hint(hint, sizeof(hint), name, known, count));
}

/* ---- facts ---- */

struct cell view_read_fact(struct ruleset *rs, uint16_t index)
{
    struct record *r = rs->record;
    struct cell cell = r->facts[index];

    rs->reads->facts[index / 64] |= 1ull << (index % 64);
    rs->reads->own_facts[index / 64] |= 1ull << (index % 64);
    return cell_is_nil(cell) ? rs->subjects[r->kind].facts[index].initial : cell;
}

static void push_fact(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct fact_def *f = &rs->subjects[rs->record->kind].facts[index];
    struct cell cell = view_read_fact(rs, index);

    if (type_is_scalar(f->type)) {
        value_push(L, rs, cell);
        return;
    }
    if (rs->is_writing) {
        undo_note(rs->record, index);
        record_touch(rs->record, index); /* a reducer that holds a container may change it */
    }
    box_push_fact(L, rs, index);
}

/* ---- parameters ---- */

static void push_param(lua_State *L, struct ruleset *rs, uint32_t index)
{
    const struct param_def *p = &rs->params[index];
    uint32_t v = 0;

    while (v + 1 < p->version_count && view_reached(rs, p->versions[v + 1].from))
        v++;
    lua_rawgeti(L, LUA_REGISTRYINDEX, p->versions[v].ref);
}

void view_push_needed(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct rule_def *rule = &rs->rules[index];

    if (rule->need_param >= 0)
        push_param(L, rs, (uint32_t)rule->need_param);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, rule->need_ref);
}

static int params_index(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    const struct strmap_item *item = strmap_find(&rs->param_names, name, len);

    if (!item)
        return unknown_name(L, &rs->param_names, "parameter", name);
    push_param(L, rs, (uint32_t)item->as.num);
    return 1;
}

/* ---- methods: s:reached(t) ... ---- */

static int method_reached(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    if (!lua_isinteger(L, 2))
        return luaL_error(
            L, "reached: found a %s, expected an instant such as midnight(...) or year_end(...)",
            luaL_typename(L, 2));
    lua_pushboolean(L, view_reached(rs, lua_tointeger(L, 2)));
    return 1;
}

/* s:current_year(): the academic year that is running; asked again when it ends. */
static int view_current_year(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    char text[YEAR_TEXT];
    int year = year_at(rs->now);
    view_reached(rs, year_start(year + 1));
    lua_pushstring(L, year_text(year, text));
    return 1;
}

/* s:in_year(year): that academic year is running. */
static int view_in_year(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    size_t len;
    int year;
    struct err err;
    const char *s = luaL_checklstring(L, 2, &len);
    if (year_parse(&year, s, len, &err) != OK)
        return luaL_error(L, "in_year: %s", err.msg);
    lua_pushboolean(L,
                    view_reached(rs, year_start(year)) && !view_reached(rs, year_start(year + 1)));
    return 1;
}

static uint16_t check_fact(lua_State *L, struct ruleset *rs, int arg)
{
    size_t len;
    const char *name = luaL_checklstring(L, arg, &len);
    const struct subject_defs *defs = &rs->subjects[rs->record->kind];
    const struct strmap_item *item = strmap_find(&defs->names, name, len);

    if (!item)
        unknown_name(L, &defs->names, "fact", name);
    else if (item->as.num >> 16 != SLOT_FACT)
        luaL_error(L, "'%s' is no fact", name);
    return item ? (uint16_t)(item->as.num & 0xffff) : 0;
}

/* s:since("fact"): the instant at which a fact that moves last changed; nil when it never has. */
static int view_since(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    uint16_t fact = check_fact(L, rs, 2);
    const struct subject_defs *defs = &rs->subjects[rs->record->kind];
    uint16_t i = 0;

    while (i < defs->move_count && defs->moves[i].fact != fact)
        i++;
    if (i == defs->move_count)
        return luaL_error(L, "since: %s is not a fact that moves", lua_tostring(L, 2));
    rs->reads->facts[fact / 64] |= 1ull << (fact % 64);
    rs->reads->own_facts[fact / 64] |= 1ull << (fact % 64);
    if (rs->record->moved[i] == TIME_NEVER)
        lua_pushnil(L);
    else
        lua_pushinteger(L, rs->record->moved[i]);
    return 1;
}

static struct ruleset *writing_ruleset(lua_State *L, const char *what)
{
    struct ruleset *rs = running_ruleset(L);
    if (!rs->is_writing)
        luaL_error(L, "%s: facts are changed only by reducers (the functions under `on`)", what);
    return rs;
}

/* s:waive { rule = "two_leads", last_day = "2026-07-31", by = "p-1" } */
static int view_waive(lua_State *L)
{
    struct ruleset *rs = writing_ruleset(L, "waive");
    uint16_t waivers = rs->subjects[rs->record->kind].waivers;

    lua_settop(L, 2);
    view_read_fact(rs, waivers);
    record_touch(rs->record, waivers);
    box_add_row(L, rs, waivers, 2);
    return 0;
}

/* s:end_waivers("two_leads") */
static int view_end_waivers(lua_State *L)
{
    struct ruleset *rs = writing_ruleset(L, "end_waivers");
    uint16_t waivers = rs->subjects[rs->record->kind].waivers;
    size_t len;
    const char *rule = luaL_checklstring(L, 2, &len);

    view_read_fact(rs, waivers);
    record_touch(rs->record, waivers);
    box_remove_rows(L, rs, waivers, WAIVER_RULE,
                    text_find(&rs->cells, rule, len, text_hash(rule, len)));
    return 0;
}

static const luaL_Reg METHODS[] = {
    { "reached", method_reached },
    { "current_year", view_current_year },
    { "in_year", view_in_year },
    { "since", view_since },
    { "waive", view_waive },
    { "end_waivers", view_end_waivers },
    { NULL, NULL },
};

/* ---- the object itself ---- */

static int view_index(lua_State *L)
{
    struct ruleset *rs = ruleset_of_view(L);

    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    if (!lua_isinteger(L, -1)) {
        const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
        return unknown_name(L, &rs->subjects[rs->record->kind].names, "fact or rule", name);
    }
    lua_Integer slot = lua_tointeger(L, -1);
    switch ((enum slot_kind)(slot >> 16)) {
    case SLOT_FACT:
        push_fact(L, rs, (uint16_t)(slot & 0xffff));
        break;
    case SLOT_RULE:
        if (rs->is_writing)
            return luaL_error(L, "a reducer can not read the rule %s: rules judge, reducers record",
                              lua_tostring(L, 2));
        view_push_rule(L, rs, (uint16_t)(slot & 0xffff));
        break;
    case SLOT_METHOD:
        if (rs->is_writing && (slot & 0xffff) < 3)
            return luaL_error(L, "a reducer can not ask what time it is; use e.time");
        lua_pushcfunction(L, METHODS[slot & 0xffff].func);
        break;
    case SLOT_PARAMS:
        lua_pushvalue(L, lua_upvalueindex(2));
        break;
    case SLOT_SUBJECT:
        lua_pushstring(L, rs->record->subject);
        break;
    }
    return 1;
}

void view_change_fact(struct ruleset *rs, uint16_t fact, struct cell value)
{
    struct record *r = rs->record;
    const struct subject_defs *defs = &rs->subjects[r->kind];

    undo_note(r, fact);
    if (!cell_equal(view_read_fact(rs, fact), value)) {
        record_touch(r, fact);
        for (uint16_t i = 0; i < defs->move_count; i++)
            if (defs->moves[i].fact == fact)
                r->moved[i] = rs->now;
    }
    cell_release(&rs->cells, r->facts[fact]);
    r->facts[fact] = value;
}

/* Set a single-valued fact to the value at stack index `value`. */
static void set_fact(lua_State *L, struct ruleset *rs, uint16_t fact, int value)
{
    const struct fact_def *f = &rs->subjects[rs->record->kind].facts[fact];
    struct cell cell;

    if (!type_is_scalar(f->type))
        luaL_error(L, "%s is a container: change it by its methods (add, remove, clear) or by key",
                   f->name);
    if (!lua_isnil(L, value))
        value_fit(L, value, f->shape, f->name);
    if (!value_own(L, value, false, &cell))
        sandbox_raise_full(&rs->sandbox);
    view_change_fact(rs, fact, cell);
}

static int view_newindex(lua_State *L)
{
    struct ruleset *rs = ruleset_of_view(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

    if (!rs->is_writing)
        return luaL_error(L,
                          "a rule can not change %s: facts are changed only by reducers (the "
                          "functions under `on`)",
                          name);
    set_fact(L, rs, check_fact(L, rs, 2), 3);
    return 0;
}

void view_register(struct ruleset *rs, lua_State *L)
{
    luaL_newmetatable(L, PARAM_META);
    lua_pushcfunction(L, params_index);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);

    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &rs->subjects[kind];
        for (uint16_t i = 0; i < defs->fact_count; i++)
            if (!type_is_scalar(defs->facts[i].type))
                defs->facts[i].box = box_make(L, defs->facts[i].shape, i);
        lua_newuserdatauv(L, 0, 0);
        lua_newtable(L); /* each kind has a metatable of its own */
        lua_newtable(L);
        for (uint32_t i = 0; i < defs->names.count; i++) {
            lua_pushinteger(L, defs->names.items[i].as.num);
            lua_setfield(L, -2, defs->names.items[i].key);
        }
        lua_newuserdatauv(L, 0, 0);
        luaL_setmetatable(L, PARAM_META);
        lua_pushinteger(L, kind);
        lua_pushcclosure(L, view_index, 3);
        lua_setfield(L, -2, "__index");
        lua_pushnil(L);
        lua_pushnil(L);
        lua_pushinteger(L, kind);
        lua_pushcclosure(L, view_newindex, 3);
        lua_setfield(L, -2, "__newindex");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_setmetatable(L, -2);
        defs->view = luaL_ref(L, LUA_REGISTRYINDEX);
    }
}

bool view_add_words(struct strmap *names)
{
    static const struct {
        const char *name;
        enum slot_kind kind;
    } WORDS[] = { { "param", SLOT_PARAMS }, { "subject", SLOT_SUBJECT } };

    for (int i = 0; METHODS[i].name; i++) {
        struct strmap_item *item =
            strmap_add(names, METHODS[i].name, strlen(METHODS[i].name), NULL);
        if (!item)
            return false;
        item->as.num = (int64_t)SLOT_METHOD << 16 | i;
    }
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        struct strmap_item *item = strmap_add(names, WORDS[i].name, strlen(WORDS[i].name), NULL);
        if (!item)
            return false;
        item->as.num = (int64_t)WORDS[i].kind << 16;
    }
    return true;
}
