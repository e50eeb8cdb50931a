/* view.c - the object behind `s` in a rule or reducer: facts, rules, parameters and time, each read
 * noted. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"
#include "lua/state.h"
#include "lua/suppose.h"
#include "lua/trace_internal.h"
#include "lua/words.h"

void reads_clear(const struct ruleset *rs, struct reads *r)
{
    for (uint16_t i = 0; i < rs->fact_words; i++)
        r->facts[i] = r->own_facts[i] = 0;
    for (uint16_t i = 0; i < rs->rule_words; i++)
        r->rules[i] = 0;
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
    if (rs->is_traced)
        trace_moment(rs, t, rs->now >= t);
    if (rs->now >= t)
        return true;
    if (t < rs->reads->wake)
        rs->reads->wake = t;
    if (t < rs->reads->own_wake)
        rs->reads->own_wake = t;
    return false;
}

/* The record that is looked at must be of the kind that the object behind `s` was made for: another
 * kind's facts and rules have other numbers. */
static void check_kind(lua_State *L, const struct ruleset *rs, enum subject_kind kind)
{
    if (!rs->record || rs->record->kind != kind)
        luaL_error(L, "this view of a %s was kept from another call; a rule keeps nothing",
                   subject_kind_name(kind));
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
        if (rs->is_traced)
            trace_read(rs, index, NULL, 0);
        value_push(L, rs, cell);
        return;
    }
    if (rs->is_writing && !(rs->is_own_only && !f->is_own)) {
        undo_note(rs->record, index);
        record_touch(rs->record, index); /* a reducer that holds a container may change it */
    }
    box_push_fact(L, rs, index);
}

/* ---- parameters ---- */

static void push_param(lua_State *L, struct ruleset *rs, uint32_t index)
{
    const struct param_def *p = &rs->params[index];
    struct param_versions in_force = param_in_force(rs, p);
    uint32_t v = 0;
    bool is_traced = rs->is_traced;

    if (p->is_supposed || rs->watched)
        suppose_note(rs, (uint16_t)index);
    if (p->is_supposed && rs->is_supposing) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, p->supposed);
        return;
    }
    rs->is_traced = false; /* when its versions begin is told with the parameter */
    while (v + 1 < in_force.count && view_reached(rs, in_force.items[v + 1].from))
        v++;
    rs->is_traced = is_traced;
    if (is_traced)
        trace_param(rs, (uint16_t)index, v);
    lua_rawgeti(L, LUA_REGISTRYINDEX, in_force.items[v].ref);
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

static struct ruleset *judging_ruleset(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    if (rs->is_writing)
        luaL_error(L, "a reducer can not ask what time it is; use e.time");
    return rs;
}

static int view_reached_method(lua_State *L)
{
    struct ruleset *rs = judging_ruleset(L);
    if (lua_isnone(L, 2) && lua_isinteger(L, 1))
        return luaL_error(L, "reached: it is called with a colon: s:reached(...)");
    if (!lua_isinteger(L, 2))
        return luaL_error(
            L, "reached: found %s, expected an instant such as midnight(...) or year_end(...)",
            words_found(L, 2));
    lua_pushboolean(L, view_reached(rs, lua_tointeger(L, 2)));
    return 1;
}

/* s:current_year(): the academic year that is running; asked again when it ends. */
static int view_current_year(lua_State *L)
{
    struct ruleset *rs = judging_ruleset(L);
    int year = year_at(rs->now);
    view_reached(rs, instants_year_start(&rs->instants, year + 1));
    timelib_push_year(L, year);
    return 1;
}

/* s:in_year(year): that academic year is running. */
static int view_in_year(lua_State *L)
{
    struct ruleset *rs = judging_ruleset(L);
    size_t len;
    int year;
    struct err err;
    if (lua_isnone(L, 2) && lua_isstring(L, 1))
        return luaL_error(L, "in_year: it is called with a colon: s:in_year(...)");
    const char *s = luaL_checklstring(L, 2, &len);
    if (instants_year(&year, &rs->instants, s, len, &err) != OK)
        return luaL_error(L, "in_year: %s", err.msg);
    lua_pushboolean(L, view_reached(rs, instants_year_start(&rs->instants, year)) &&
                           !view_reached(rs, instants_year_start(&rs->instants, year + 1)));
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
    if (rs->is_traced)
        trace_read(rs, fact, NULL, 0);
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
    if (rs->is_own_only)
        luaL_error(L,
                   "%s: waivers belong to the national pack; an overlay changes facts of its own",
                   what);
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
    { "reached", view_reached_method },
    { "current_year", view_current_year },
    { "in_year", view_in_year },
    { "since", view_since },
    { "waive", view_waive },
    { "end_waivers", view_end_waivers },
    { NULL, NULL },
};

/* ---- names behind `s.` ---- */

struct view_names {
    uint32_t mask; /* slots are a power of two, at most half of them used */
    struct {
        const void *name; /* address of Lua's own string, which is kept; NULL: free */
        int64_t slot;
    } at[];
};

static uint32_t start_of(const struct view_names *names, const void *name)
{
    return (uint32_t)((uintptr_t)name >> 4 ^ (uintptr_t)name >> 12) & names->mask;
}

/* Push the table of all names, which keeps them where they are, and remember where. */
static void place_names(lua_State *L, struct ruleset *rs, struct subject_defs *defs)
{
    uint32_t count = 16;

    while (count < defs->names.count * 2)
        count *= 2;
    struct view_names *names =
        arena_alloc(&rs->arena, sizeof(*names) + count * sizeof(names->at[0]));
    if (!names)
        luaL_error(L, "out of memory");
    names->mask = count - 1;
    lua_newtable(L);
    for (uint32_t i = 0; i < defs->names.count; i++) {
        lua_pushstring(L, defs->names.items[i].key);
        uint32_t at = start_of(names, lua_topointer(L, -1));
        while (names->at[at].name)
            at = (at + 1) & names->mask;
        names->at[at].name = lua_topointer(L, -1);
        names->at[at].slot = defs->names.items[i].as.num;
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    defs->view_names = names;
}

/* What the name at index 2 stands for; -1 when it is none. */
static int64_t slot_of(lua_State *L, const struct subject_defs *defs)
{
    const struct view_names *names = defs->view_names;
    const void *name = lua_topointer(L, 2);
    size_t len;

    for (uint32_t at = start_of(names, name); names->at[at].name; at = (at + 1) & names->mask)
        if (names->at[at].name == name)
            return names->at[at].slot;
    if (lua_type(L, 2) != LUA_TSTRING)
        return -1;
    const char *text = lua_tolstring(L, 2, &len); /* a long one is not always at the same place */
    const struct strmap_item *item = strmap_find(&defs->names, text, len);
    return item ? item->as.num : -1;
}

/* ---- the object itself ---- */

/* Methods and parameters are found in the table that this stands behind. */
static int view_index(lua_State *L, enum subject_kind kind)
{
    struct ruleset *rs = ruleset_of(L);

    check_kind(L, rs, kind);
    int64_t slot = slot_of(L, &rs->subjects[kind]);
    if (slot < 0)
        return unknown_name(L, &rs->subjects[kind].names, "fact or rule",
                            lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
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
    case SLOT_SUBJECT:
        lua_pushstring(L, rs->record->subject);
        break;
    case SLOT_METHOD:
    case SLOT_PARAMS:
        return 0;
    }
    return 1;
}

static int school_index(lua_State *L)
{
    return view_index(L, SUBJECT_SCHOOL);
}

static int group_index(lua_State *L)
{
    return view_index(L, SUBJECT_GROUP);
}

static int hub_index(lua_State *L)
{
    return view_index(L, SUBJECT_HUB);
}

void view_change_fact(struct ruleset *rs, uint16_t fact, struct cell value)
{
    struct record *r = rs->record;
    const struct subject_defs *defs = &rs->subjects[r->kind];

    undo_note(r, fact);
    bool is_other = !cell_equal(view_read_fact(rs, fact), value);
    if (is_other || rs->is_traced) /* who is followed hears also of what stays as it was */
        record_touch(r, fact);
    if (is_other) {
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
    struct cell cell = { 0 };

    if (rs->is_own_only && !f->is_own)
        luaL_error(L, "%s belongs to the national pack (%s); an overlay changes facts of its own",
                   f->name, f->where);
    if (!type_is_scalar(f->type))
        luaL_error(L, "%s is a container: change it by its methods (add, remove, clear) or by key",
                   f->name);
    if (!lua_isnil(L, value))
        cell = value_take(L, value, f->shape, f->name);
    view_change_fact(rs, fact, cell);
}

/* The kind is the upvalue. */
static int view_newindex(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    enum subject_kind kind = (enum subject_kind)lua_tointeger(L, lua_upvalueindex(1));

    check_kind(L, rs, kind);
    if (!rs->is_writing)
        return luaL_error(L,
                          "a rule can not change %s: facts are changed only by reducers (the "
                          "functions under `on`)",
                          lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
    int64_t slot = slot_of(L, &rs->subjects[kind]);
    bool is_fact = slot >= 0 && slot >> 16 == SLOT_FACT;
    set_fact(L, rs, is_fact ? (uint16_t)(slot & 0xffff) : check_fact(L, rs, 2), 3);
    return 0;
}

/* Give the value on top a metatable with this as `__index`, which is popped, and let packs not see
 * it. */
static void set_index(lua_State *L)
{
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

/* What the value on top is called in messages, see words_of_object(). */
static void set_name(lua_State *L, const char *name)
{
    lua_getmetatable(L, -1);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pop(L, 1);
}

/* Push the parameters: those that have one value for ever stand in a table. */
static void push_params(lua_State *L, struct ruleset *rs)
{
    lua_newuserdatauv(L, 0, 0);
    lua_newtable(L);
    for (uint16_t i = 0; i < rs->param_count; i++) {
        if (rs->params[i].version_count != 1 || rs->params[i].change)
            continue;
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->params[i].versions[0].ref);
        lua_setfield(L, -2, rs->params[i].name);
    }
    lua_pushvalue(L, -1);
    rs->params_table = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, params_index);
    set_index(L);
    set_index(L);
    set_name(L, "pathway.params");
    lua_pushvalue(L, -1);
    rs->params_object = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Those that have one value for ever are read without a look by this file, unless reads are noted.
 * The field is there already: nothing can go wrong. */
void view_trace(struct ruleset *rs, bool is_traced)
{
    lua_State *L = rs->sandbox.L;

    rs->is_traced = is_traced;
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->params_object);
    lua_getmetatable(L, -1);
    if (is_traced)
        lua_pushcfunction(L, params_index);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->params_table);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

void view_register(struct ruleset *rs, lua_State *L)
{
    static const lua_CFunction INDEX[SUBJECT_KINDS] = { school_index, group_index, hub_index };

    push_params(L, rs);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &rs->subjects[kind];
        for (uint16_t i = 0; i < defs->fact_count; i++)
            if (!type_is_scalar(defs->facts[i].type))
                defs->facts[i].box = box_make(L, defs->facts[i].shape, i);
        lua_newuserdatauv(L, 0, 0);
        lua_newtable(L);
        luaL_setfuncs(L, METHODS, 0);
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, "param");
        lua_pushcfunction(L, INDEX[kind]);
        set_index(L);
        set_index(L);
        set_name(L, "pathway.record");
        lua_getmetatable(L, -1);
        lua_pushinteger(L, kind);
        lua_pushcclosure(L, view_newindex, 1);
        lua_setfield(L, -2, "__newindex");
        lua_pop(L, 1);
        defs->view = luaL_ref(L, LUA_REGISTRYINDEX);
        place_names(L, rs, defs);
        luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_pop(L, 1);
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
