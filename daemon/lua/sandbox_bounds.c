/*
 * sandbox_bounds.c - library functions that loop or build, bounded; see sandbox.h. No hook fires
 * inside C: each says how much it does before it does it, and what would take long, or build much,
 * at one step is refused.
 */
#include <string.h>

#include <lauxlib.h>

#include "lua/sandbox.h"

#define NUMBER_MAX 512         /* bytes of a text that tonumber takes for a number */
#define REP_MAX    (64 * 1024) /* bytes that string.rep may build, and string.find look through */
#define WHAT_MAX   256         /* bytes that string.find may look for */
#define VALUES_MAX 250         /* values that one call may leave on the stack */

/* Call the original, which is the first upvalue, with all arguments. */
static int go_on(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int bounded_tonumber(lua_State *L)
{
    size_t len;

    if (lua_type(L, 1) == LUA_TSTRING && lua_tolstring(L, 1, &len) && len > NUMBER_MAX)
        return luaL_error(L, "tonumber: the text is longer than %d bytes", NUMBER_MAX);
    sandbox_charge(L, 10);
    return go_on(L);
}

/* Raise the message at `index` with the place of who called, or of who called that one, before it:
 * a pack can not put another's there. */
static int raise_at(lua_State *L, int index, int level)
{
    if (lua_type(L, index) != LUA_TSTRING) {
        lua_pushvalue(L, index);
        return lua_error(L);
    }
    luaL_where(L, level);
    if (level > 1 && lua_rawlen(L, -1) == 0)
        luaL_where(L, 1);
    lua_pushvalue(L, index);
    lua_concat(L, 2);
    return lua_error(L);
}

static int placed_error(lua_State *L)
{
    lua_Integer level = luaL_optinteger(L, 2, 1);

    lua_settop(L, 1);
    return raise_at(L, 1, level == 2 ? 2 : 1);
}

static int placed_assert(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_toboolean(L, 1))
        return lua_gettop(L);
    if (lua_gettop(L) < 2)
        lua_pushliteral(L, "assertion failed!");
    return raise_at(L, 2, 1);
}

static int bounded_rep(lua_State *L)
{
    size_t len, sep_len;
    luaL_checklstring(L, 1, &len);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &sep_len);

    if (n > REP_MAX || (n > 0 && (len + sep_len) * (size_t)n > REP_MAX))
        return luaL_error(L, "string.rep: the result would be longer than %d bytes", REP_MAX);
    sandbox_charge(L, n > 0 ? (size_t)n + (len + sep_len) * (size_t)n / 32 : 0);
    return go_on(L);
}

/* string.find(text, what[, from]) looks for plain text: patterns can backtrack for ever
 * inside C. */
static int plain_find(lua_State *L)
{
    size_t len, what_len;
    luaL_checklstring(L, 1, &len);
    luaL_checklstring(L, 2, &what_len);
    if (len > REP_MAX) /* text in text takes the product of their lengths */
        return luaL_error(L, "string.find: the text is longer than %d bytes", REP_MAX);
    if (what_len > WHAT_MAX && what_len <= len)
        return luaL_error(L, "string.find: what is looked for is longer than %d bytes", WHAT_MAX);
    sandbox_charge(L, len / 8 * (1 + what_len / 32));
    lua_Integer from = luaL_optinteger(L, 3, 1);

    lua_settop(L, 2);
    lua_pushinteger(L, from);
    lua_pushboolean(L, 1);
    return go_on(L);
}

/* The place in a text of `len` bytes that an argument means: below 0 from its end. */
static lua_Integer place_in(lua_Integer at, size_t len)
{
    return at >= 0 ? at : at + (lua_Integer)len + 1;
}

static int bounded_byte(lua_State *L)
{
    size_t len;
    luaL_checklstring(L, 1, &len);
    lua_Integer first = place_in(luaL_optinteger(L, 2, 1), len);
    lua_Integer last = place_in(luaL_optinteger(L, 3, first), len);

    first = first < 1 ? 1 : first;
    last = last > (lua_Integer)len ? (lua_Integer)len : last;
    if (first <= last && last - first >= VALUES_MAX)
        return luaL_error(L, "string.byte: more than %d values", VALUES_MAX);
    sandbox_charge(L, 10 + (size_t)(first <= last ? last - first : 0) * 2);
    return go_on(L);
}

/* How many from first to last, without overflow. */
static lua_Unsigned span(lua_Integer first, lua_Integer last)
{
    lua_Unsigned apart = (lua_Unsigned)last - (lua_Unsigned)first;
    return first > last ? 0 : apart == (lua_Unsigned)-1 ? apart : apart + 1;
}

static int bounded_unpack(lua_State *L)
{
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);

    if (span(first, last) > VALUES_MAX)
        return luaL_error(L, "table.unpack: more than %d values", VALUES_MAX);
    sandbox_charge(L, 20 + (size_t)span(first, last) * 4);
    return go_on(L);
}

static int bounded_concat(lua_State *L)
{
    lua_Integer first = luaL_optinteger(L, 3, 1);
    lua_Integer last = lua_isnoneornil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4);
    lua_Unsigned count = span(first, last);

    if (count > SANDBOX_TEXT)
        return luaL_error(L, "table.concat: more than %d values", (int)SANDBOX_TEXT);
    sandbox_charge(L, 20 + (size_t)count * 8);
    return go_on(L);
}

/* What comes after the place makes room, or closes up, one by one. */
static int bounded_shift(lua_State *L)
{
    lua_Integer len = luaL_len(L, 1);
    bool has_place = lua_gettop(L) > 2 || lua_toboolean(L, lua_upvalueindex(2));
    lua_Integer at = has_place && lua_isnumber(L, 2) ? lua_tointeger(L, 2) : len;
    lua_Unsigned count = at >= 1 ? span(at, len) : 0;

    sandbox_charge(L, 10 + (size_t)(count < SANDBOX_STEPS ? count : SANDBOX_STEPS) * 8);
    return go_on(L);
}

/* `flag`: table.remove, whose second argument alone is a place. */
static void wrap(lua_State *L, const char *name, lua_CFunction fn, bool flag)
{
    lua_getfield(L, -1, name);
    lua_pushboolean(L, flag);
    lua_pushcclosure(L, fn, 2);
    lua_setfield(L, -2, name);
}

void sandbox_bound_base(lua_State *L)
{
    wrap(L, "tonumber", bounded_tonumber, false);
    lua_pushcfunction(L, placed_error);
    lua_setfield(L, -2, "error");
    lua_pushcfunction(L, placed_assert);
    lua_setfield(L, -2, "assert");
}

void sandbox_bound_strings(lua_State *L)
{
    wrap(L, "rep", bounded_rep, false);
    wrap(L, "find", plain_find, false);
    wrap(L, "byte", bounded_byte, false);
}

void sandbox_bound_tables(lua_State *L)
{
    wrap(L, "concat", bounded_concat, false);
    wrap(L, "unpack", bounded_unpack, false);
    wrap(L, "insert", bounded_shift, false);
    wrap(L, "remove", bounded_shift, true);
}
