/* view.c - the object behind `s` in a rule or reducer: facts, rules, parameters and time, each read
 * noted. A rule is evaluated at most once a judging; what it read counts as read by whoever asked. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"
#include "lua/state.h"

#define PARAM_META "pathway.params"

void reads_clear(struct reads *r)
{
    memset(r, 0, sizeof(*r));
    r->wake = TIME_NEVER;
}

void reads_merge(struct reads *into, const struct reads *from)
{
    for (int i = 0; i < FACTS_MAX / 64; i++)
        into->facts[i] |= from->facts[i];
    for (int i = 0; i < PARAMS_MAX / 64; i++)
        into->params[i] |= from->params[i];
    if (from->wake < into->wake)
        into->wake = from->wake;
}

/* True when t has come; if not, the reader must be asked again at t. */
static bool reached(struct ruleset *rs, int64_t t)
{
    if (rs->now >= t)
        return true;
    if (t < rs->reads->wake)
        rs->reads->wake = t;
    return false;
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

static void push_fact(lua_State *L, struct ruleset *rs, uint16_t index)
{
    struct record *r = rs->record;
    const struct fact_def *f = &rs->subjects[r->kind].facts[index];

    rs->reads->facts[index / 64] |= 1ull << (index % 64);
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->facts);
    if (lua_rawgeti(L, -1, index + 1) == LUA_TNIL) {
        lua_pop(L, 1);
        if (type_is_scalar(f->type)) {
            if (f->initial != LUA_NOREF)
                lua_rawgeti(L, LUA_REGISTRYINDEX, f->initial);
            else if (f->type->kind == TYPE_BOOL)
                lua_pushboolean(L, 0);
            else
                lua_pushnil(L);
        } else if (rs->is_writing) {
            box_push(L, f->type);
            lua_pushvalue(L, -1);
            lua_rawseti(L, -3, index + 1);
        } else {
            box_push_empty(L, f->type);
        }
    }
    lua_remove(L, -2);
}

/* ---- rules ---- */

static void push_needed(lua_State *L, struct ruleset *rs, const struct rule_def *rule);

/* Replace the value on top by whether it meets what the rule needs. */
static void apply_need(lua_State *L, struct ruleset *rs, const struct rule_def *rule)
{
    bool is_met = false;

    push_needed(L, rs, rule);
    if (lua_type(L, -1) != lua_type(L, -2) && !lua_isnil(L, -2))
        luaL_error(L, "%s: rule %s gave a %s, which can not be compared with the %s it needs",
                   rule->where, rule->name, luaL_typename(L, -2), luaL_typename(L, -1));
    if (!lua_isnil(L, -2)) { /* nothing there meets no need */
        if (rule->need == NEED_AT_LEAST)
            is_met = lua_compare(L, -1, -2, LUA_OPLE);
        else if (rule->need == NEED_AT_MOST)
            is_met = lua_compare(L, -2, -1, LUA_OPLE);
        else
            is_met = lua_compare(L, -1, -2, LUA_OPEQ);
    }
    lua_pop(L, 2);
    lua_pushboolean(L, is_met);
}

static void keep_seen(lua_State *L, struct ruleset *rs, uint16_t index)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->seen_values);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, index + 1);
    lua_pop(L, 1);
}

static void push_function_value(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct rule_def *rule = &rs->rules[index];

    lua_rawgeti(L, LUA_REGISTRYINDEX, rule->function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].view);
    lua_call(L, 1, 1);
    int type = lua_type(L, -1);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TNUMBER && type != LUA_TSTRING)
        luaL_error(L, "%s: rule %s gave a %s; expected true, false, a number, a text or nil",
                   rule->where, rule->name, luaL_typename(L, -1));
    if (rule->need != NEED_NONE) {
        keep_seen(L, rs, index);
        apply_need(L, rs, rule);
    } else if (rule->is_alert || rule->is_waivable || !rule->is_decision) {
        lua_pushboolean(L, lua_toboolean(L, -1)); /* a yes or no, whatever shape it came in */
        lua_remove(L, -2);
    }
}

/* Every criterion is evaluated, also when the answer is known after the first. */
static void push_composite(lua_State *L, struct ruleset *rs, const struct rule_def *rule)
{
    int met = 0;

    for (uint16_t i = 0; i < rule->criteria_count; i++) {
        view_push_rule(L, rs, rule->criteria[i]);
        met += lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    lua_pushboolean(L, rule->form == RULE_ALL   ? met == rule->criteria_count
                       : rule->form == RULE_ANY ? met > 0
                                                : met == 0);
}

/* Does a waiver of this rule stand now? Only the built-in fact `waivers` is looked at. */
static bool is_waived(lua_State *L, struct ruleset *rs, const struct rule_def *rule)
{
    bool stands = false;
    int top = lua_gettop(L);

    push_fact(L, rs, rs->subjects[rs->record->kind].waivers);
    box_push_contents(L, -1);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count && !stands; i++) {
        lua_rawgeti(L, top + 2, i);
        box_push_contents(L, -1);
        lua_getfield(L, -1, "rule");
        if (strcmp(lua_tostring(L, -1), rule->name) == 0) {
            int32_t day;
            struct err ignored;
            lua_getfield(L, -2, "last_day");
            const char *last = lua_tostring(L, -1);
            stands = !last || (day_parse(&day, last, strlen(last), &ignored) == OK &&
                               !reached(rs, london_midnight(day + 1)));
        }
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
    return stands;
}

static int cycle_error(lua_State *L, struct ruleset *rs, uint16_t rule)
{
    luaL_Buffer b;
    int i = 0;

    while (rs->running[i] != rule)
        i++;
    luaL_buffinit(L, &b);
    for (; i < rs->running_count; i++) {
        luaL_addstring(&b, rs->rules[rs->running[i]].name);
        luaL_addstring(&b, " -> ");
    }
    luaL_addstring(&b, rs->rules[rule].name);
    luaL_pushresult(&b);
    return luaL_error(L, "%s: rule %s reads itself: %s", rs->rules[rule].where,
                      rs->rules[rule].name, lua_tostring(L, -1));
}

void view_push_rule(lua_State *L, struct ruleset *rs, uint16_t index)
{
    struct memo *memo = &rs->memos[index];
    const struct rule_def *rule = &rs->rules[index];

    if (memo->epoch == rs->epoch) {
        if (memo->is_running)
            cycle_error(L, rs, index);
        reads_merge(rs->reads, &memo->reads);
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->memo_values);
        lua_rawgeti(L, -1, index + 1);
        lua_remove(L, -2);
        return;
    }
    if (rs->running_count == (int)(sizeof(rs->running) / sizeof(rs->running[0])))
        luaL_error(L, "%s: rules read each other more than %d deep", rule->where,
                   rs->running_count);
    luaL_checkstack(L, 10, "rules read each other too deep");

    struct reads *outer = rs->reads;
    memo->epoch = rs->epoch;
    memo->is_running = true;
    memo->is_waived = false;
    reads_clear(&memo->reads);
    rs->reads = &memo->reads;
    rs->running[rs->running_count++] = index;

    if (rule->form == RULE_FUNCTION)
        push_function_value(L, rs, index);
    else if (rule->form == RULE_SHOWN)
        push_fact(L, rs, rule->fact);
    else
        push_composite(L, rs, rule);
    if (rule->is_waivable && is_waived(L, rs, rule)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
        memo->is_waived = true;
    }

    rs->running_count--;
    rs->reads = outer;
    memo->is_running = false;
    reads_merge(outer, &memo->reads);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->memo_values);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, index + 1);
    lua_pop(L, 1);
}

/* ---- parameters ---- */

static void push_param(lua_State *L, struct ruleset *rs, uint32_t index)
{
    const struct param_def *p = &rs->params[index];
    uint32_t v = 0;

    rs->reads->params[index / 64] |= 1ull << (index % 64);
    while (v + 1 < p->version_count && reached(rs, p->versions[v + 1].from))
        v++;
    lua_rawgeti(L, LUA_REGISTRYINDEX, p->versions[v].ref);
}

static void push_needed(lua_State *L, struct ruleset *rs, const struct rule_def *rule)
{
    if (rule->need_param >= 0)
        push_param(L, rs, (uint32_t)rule->need_param);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, rule->need_ref);
}

void view_push_needed(lua_State *L, struct ruleset *rs, uint16_t rule)
{
    push_needed(L, rs, &rs->rules[rule]);
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

static int view_reached(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    if (!lua_isinteger(L, 2))
        return luaL_error(
            L, "reached: found a %s, expected an instant such as midnight(...) or year_end(...)",
            luaL_typename(L, 2));
    lua_pushboolean(L, reached(rs, lua_tointeger(L, 2)));
    return 1;
}

/* s:current_year(): the academic year that is running; asked again when it ends. */
static int view_current_year(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    char text[YEAR_TEXT];
    int year = year_at(rs->now);
    reached(rs, year_start(year + 1));
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
    lua_pushboolean(L, reached(rs, year_start(year)) && !reached(rs, year_start(year + 1)));
    return 1;
}

static uint16_t check_fact(lua_State *L, struct ruleset *rs, int arg)
{
    size_t len;
    const char *name = luaL_checklstring(L, arg, &len);
    const struct subject_defs *defs = &rs->subjects[rs->record->kind];
    const struct strmap_item *item = strmap_find(&defs->names, name, len);

    if (!item || item->as.num >> 16 != SLOT_FACT)
        unknown_name(L, &defs->names, "fact", name);
    return (uint16_t)(item->as.num & 0xffff);
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
    lua_settop(L, 2);
    push_fact(L, rs, rs->subjects[rs->record->kind].waivers);
    lua_getfield(L, 3, "add");
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 0);
    return 0;
}

static int waiver_is_of(lua_State *L)
{
    lua_getfield(L, 1, "rule");
    lua_pushboolean(L, lua_rawequal(L, -1, lua_upvalueindex(1)));
    return 1;
}

/* s:end_waivers("two_leads") */
static int view_end_waivers(lua_State *L)
{
    struct ruleset *rs = writing_ruleset(L, "end_waivers");
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    push_fact(L, rs, rs->subjects[rs->record->kind].waivers);
    lua_getfield(L, 3, "remove_if");
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, waiver_is_of, 1);
    lua_call(L, 2, 0);
    return 0;
}

static const luaL_Reg METHODS[] = {
    { "reached", view_reached },
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
    struct ruleset *rs = running_ruleset(L);

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

/* Note when a fact that moves gets another value. */
static void note_move(lua_State *L, struct ruleset *rs, uint16_t fact, int old, int new)
{
    const struct subject_defs *defs = &rs->subjects[rs->record->kind];

    if (lua_rawequal(L, old, new))
        return;
    for (uint16_t i = 0; i < defs->move_count; i++)
        if (defs->moves[i].fact == fact)
            rs->record->moved[i] = rs->now;
}

void view_set_fact(lua_State *L, struct ruleset *rs, uint16_t fact, int value)
{
    const struct fact_def *f = &rs->subjects[rs->record->kind].facts[fact];

    value = lua_absindex(L, value);
    if (!type_is_scalar(f->type))
        luaL_error(L, "%s is a container: change it by its methods (add, remove, clear) or by key",
                   f->name);
    if (!lua_isnil(L, value))
        box_check_scalar(L, value, f->type, f->name);
    push_fact(L, rs, fact);
    note_move(L, rs, fact, -1, value);
    lua_pop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->record->facts);
    lua_pushvalue(L, value);
    lua_rawseti(L, -2, fact + 1);
    lua_pop(L, 1);
}

static int view_newindex(lua_State *L)
{
    struct ruleset *rs = running_ruleset(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

    if (!rs->is_writing)
        return luaL_error(L,
                          "a rule can not change %s: facts are changed only by reducers (the "
                          "functions under `on`)",
                          name);
    view_set_fact(L, rs, check_fact(L, rs, 2), 3);
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
        lua_newuserdatauv(L, 0, 0);
        lua_newtable(L); /* each kind has a metatable of its own */
        lua_newtable(L);
        for (uint32_t i = 0; i < defs->names.count; i++) {
            lua_pushinteger(L, defs->names.items[i].as.num);
            lua_setfield(L, -2, defs->names.items[i].key);
        }
        lua_newuserdatauv(L, 0, 0);
        luaL_setmetatable(L, PARAM_META);
        lua_pushcclosure(L, view_index, 2);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, view_newindex);
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
