/* freeze.c - what the functions of a pack share with each other, as it was loaded: tables that
 * stand around them can not be changed while it judges, on whatever way they are reached, and
 * variables are not set. Else a rule could remember what it saw of another school, and an overlay
 * could change what a helper, or the national pack, looks up. See state.h.
 *
 * Lua asks a metatable only for fields that a table does not have. So a frozen table has none: it
 * shows another one. */
#include <lauxlib.h>

#include "lua/loader.h"

#define FROZEN "frozen" /* in the metatable: the table that is shown */

/* Stack: the functions and tables still to be looked at, a list; those that were met. */
struct walk {
    struct loader *ld;
    int todo, met;
    lua_Integer next, last;
};

void sandbox_thaw(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (!lua_getmetatable(L, index))
        return;
    lua_pushliteral(L, FROZEN);
    if (lua_rawget(L, -2) == LUA_TTABLE)
        lua_replace(L, index);
    else
        lua_pop(L, 1);
    lua_pop(L, 1);
}

static int refuse(lua_State *L)
{
    return luaL_error(L, "a table that belongs to the whole file can not be changed by a function, "
                         "which keeps nothing "
                         "between two calls; use a table of its own, or a fact");
}

bool sandbox_is_frozen(lua_State *L, int index)
{
    int top = lua_gettop(L);
    bool is_frozen = false;

    index = lua_absindex(L, index);
    if (lua_getmetatable(L, index)) {
        lua_pushliteral(L, FROZEN);
        is_frozen = lua_rawget(L, -2) == LUA_TTABLE;
    }
    lua_settop(L, top);
    return is_frozen;
}

int sandbox_raise_frozen(lua_State *L)
{
    return refuse(L);
}

static int shown_length(lua_State *L)
{
    lua_settop(L, 1);
    sandbox_thaw(L, 1);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
    return 1;
}

/* Take the value on top off the stack, and look at it later. */
static void note(struct walk *w)
{
    lua_State *L = w->ld->L;
    int type = lua_type(L, -1);
    bool is_of_interest = type == LUA_TTABLE || (type == LUA_TFUNCTION && !lua_iscfunction(L, -1));

    if (is_of_interest) {
        lua_pushvalue(L, -1);
        is_of_interest = lua_rawget(L, w->met) == LUA_TNIL;
        lua_pop(L, 1);
    }
    if (is_of_interest) {
        lua_pushvalue(L, -1);
        lua_pushboolean(L, 1);
        lua_rawset(L, w->met);
        lua_pushvalue(L, -1);
        lua_rawseti(L, w->todo, ++w->last);
    }
    lua_pop(L, 1);
}

static void note_ref(struct walk *w, int ref)
{
    if (ref == LUA_NOREF)
        return;
    lua_rawgeti(w->ld->L, LUA_REGISTRYINDEX, ref);
    note(w);
}

/* Move what the table on top holds into another one, which it shows from now on. */
static void freeze(struct walk *w)
{
    lua_State *L = w->ld->L;
    int table = lua_gettop(L);

    lua_newtable(L); /* shown */
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        note(w);
        lua_pushvalue(L, -1);
        note(w);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, table + 1);
    }
    for (lua_pushnil(L); lua_next(L, table + 1); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushnil(L);
        lua_rawset(L, table);
    }
    lua_createtable(L, 0, 5);
    lua_pushvalue(L, table + 1);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, table + 1);
    lua_setfield(L, -2, FROZEN);
    lua_pushcfunction(L, refuse);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, shown_length);
    lua_setfield(L, -2, "__len");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, table);
    lua_settop(L, table);
}

/* The value on top: a function, or a table. One that has a metatable is a library's, and sealed. */
static void look_at(struct walk *w)
{
    lua_State *L = w->ld->L;

    if (lua_istable(L, -1)) {
        if (!lua_getmetatable(L, -1))
            freeze(w);
        else
            lua_pop(L, 1);
        return;
    }
    pack_check_keeps_nothing(w->ld);
    for (int i = 1; lua_getupvalue(L, -1, i); i++)
        note(w);
}

static void note_functions(struct walk *w)
{
    const struct ruleset *rs = w->ld->rs;

    for (uint16_t i = 0; i < rs->rule_count; i++)
        if (rs->rules[i].form == RULE_FUNCTION)
            note_ref(w, rs->rules[i].function);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        const struct subject_defs *defs = &rs->subjects[kind];
        for (uint16_t i = 0; i < defs->reducer_count; i++)
            note_ref(w, defs->reducers[i].function);
        for (uint16_t i = 0; i < defs->move_count; i++) {
            note_ref(w, defs->moves[i].function);
            for (uint16_t n = 0; n < defs->moves[i].step_count; n++) {
                note_ref(w, defs->moves[i].steps[n].holds);
                note_ref(w, defs->moves[i].steps[n].enter);
            }
        }
    }
}

void pack_freeze(struct loader *ld)
{
    lua_State *L = ld->L;
    int top = lua_gettop(L);
    struct walk w = { .ld = ld, .todo = top + 1, .met = top + 2 };

    if (ld->problems->leaves_thawed)
        return;
    luaL_checkstack(L, 30, "pack too deep");
    lua_newtable(L);
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, ld->rs->env); /* it can not be written anyway */
    lua_pushboolean(L, 1);
    lua_rawset(L, w.met);
    note_functions(&w);
    while (w.next < w.last) {
        lua_rawgeti(L, w.todo, ++w.next);
        look_at(&w);
        lua_settop(L, w.met);
    }
    lua_settop(L, top);
}
