/* sandbox.c - see sandbox.h. Every library function that a pack can reach is chosen here. */
#include "lua/sandbox.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#define REP_MAX (64 * 1024) /* bytes that string.rep may build */

static void *capped_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct sandbox *sb = ud;
    size_t old = ptr ? osize : 0; /* for a new object osize is its kind, not a size */

    if (nsize == 0) {
        sb->used -= old;
        free(ptr);
        return NULL;
    }
    if (nsize > old && sb->used + (nsize - old) > sb->cap)
        return NULL;
    void *moved = realloc(ptr, nsize);
    if (moved)
        sb->used += nsize - old;
    return moved;
}

enum err_code sandbox_init(struct sandbox *sb, size_t cap, struct err *err)
{
    *sb = (struct sandbox){ .cap = cap };
    sb->L = lua_newstate(capped_alloc, sb);
    if (!sb->L)
        return err_set(err, ERR_LIMIT, "no memory for a Lua state");
    return OK;
}

void sandbox_fini(struct sandbox *sb)
{
    if (sb->L)
        lua_close(sb->L);
    sb->L = NULL;
}

/* Numbers before strings, each in their own order: the same in every process. */
static int key_order(lua_State *L, int a, int b)
{
    bool a_is_number = lua_type(L, a) == LUA_TNUMBER;
    bool b_is_number = lua_type(L, b) == LUA_TNUMBER;

    if (a_is_number != b_is_number)
        return a_is_number;
    if (a_is_number)
        return lua_compare(L, a, b, LUA_OPLT);
    size_t a_len, b_len;
    const char *x = lua_tolstring(L, a, &a_len), *y = lua_tolstring(L, b, &b_len);
    int order = memcmp(x, y, a_len < b_len ? a_len : b_len);
    return order != 0 ? order < 0 : a_len < b_len;
}

static int before(lua_State *L)
{
    lua_pushboolean(L, key_order(L, 1, 2));
    return 1;
}

static int pairs_next(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1;

    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(3));
    lua_rawgeti(L, lua_upvalueindex(2), i);
    if (lua_isnil(L, -1))
        return 1;
    lua_pushvalue(L, -1);
    lua_rawget(L, lua_upvalueindex(1));
    return 2;
}

void sandbox_push_keys(lua_State *L, int index)
{
    lua_Integer count = 0;

    index = lua_absindex(L, index);
    luaL_checkstack(L, 6, "too many nested tables");
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        int type = lua_type(L, -2);
        if (type != LUA_TNUMBER && type != LUA_TSTRING)
            luaL_error(L, "a key is a %s; only numbers and texts have an order",
                       lua_typename(L, type));
        lua_pushvalue(L, -2);
        lua_rawseti(L, -4, ++count);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, "pathway.sort");
    lua_pushvalue(L, -2);
    lua_pushcfunction(L, before);
    lua_call(L, 2, 0);
}

/* pairs() in a fixed order: raw order differs between two runs of the same program. */
static int ordered_pairs(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    sandbox_push_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_next, 3);
    return 1;
}

/* tostring() without addresses, which differ between runs. */
static int plain_tostring(lua_State *L)
{
    switch (lua_type(L, 1)) {
    case LUA_TNONE:
        return luaL_argerror(L, 1, "value expected");
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        luaL_tolstring(L, 1, NULL);
        return 1;
    default:
        lua_pushstring(L, luaL_typename(L, 1));
        return 1;
    }
}

static int bounded_rep(lua_State *L)
{
    size_t len, sep_len;
    luaL_checklstring(L, 1, &len);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &sep_len);

    if (n > REP_MAX || (n > 0 && (len + sep_len) * (size_t)n > REP_MAX))
        return luaL_error(L, "string.rep: the result would be longer than %d bytes", REP_MAX);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* string.find(text, what[, from]) looks for plain text: patterns can backtrack for ever inside C. */
static int plain_find(lua_State *L)
{
    luaL_checkstring(L, 1);
    luaL_checkstring(L, 2);
    lua_Integer from = luaL_optinteger(L, 3, 1);

    lua_settop(L, 2);
    lua_pushinteger(L, from);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 4, 2);
    return 2;
}

static int safe_format(lua_State *L)
{
    const char *format = luaL_checkstring(L, 1);

    for (const char *p = strchr(format, '%'); p; p = strchr(p, '%')) {
        p++;
        p += strspn(p, "-+ #0123456789.");
        if (*p == 'p')
            return luaL_error(L, "string.format: %%p shows an address, which differs in every run");
        if (*p)
            p++;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* Wrap field `name` of the table on top with a C function that has the original as upvalue. */
static void wrap(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

/* Copy the named fields of the table at `from` into the one on top. */
static void pick(lua_State *L, int from, const char *const *names)
{
    for (; *names; names++) {
        lua_getfield(L, from, *names);
        lua_setfield(L, -2, *names);
    }
}

/* Open a standard library, keep only `names` of it as field `field` of the table on top. */
static void add_library(lua_State *L, const char *field, lua_CFunction open,
                        const char *const *names)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, field);
    lua_call(L, 1, 1);
    int from = lua_gettop(L);
    lua_newtable(L);
    pick(L, from, names);
    lua_remove(L, from);
}

void sandbox_push_env(lua_State *L)
{
    static const char *const BASE[] = { "assert",   "error", "ipairs", "select",
                                        "tonumber", "type",  NULL };
    static const char *const STRING[] = { "byte", "char",    "find", "format", "len", "lower",
                                          "rep",  "reverse", "sub",  "upper",  NULL };
    static const char *const TABLE[] = { "concat", "insert", "remove", "sort", "unpack", NULL };
    static const char *const MATH[] = { "abs",  "ceil",       "floor", "fmod",       "huge",
                                        "max",  "maxinteger", "min",   "mininteger", "modf",
                                        "sqrt", "tointeger",  "type",  "ult",        NULL };

    /* luaopen_base() fills the table of globals, which no pack ever sees. */
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    int base = lua_gettop(L);
    lua_newtable(L);
    pick(L, base, BASE);
    lua_remove(L, base);
    lua_pushcfunction(L, ordered_pairs);
    lua_setfield(L, -2, "pairs");
    lua_pushcfunction(L, plain_tostring);
    lua_setfield(L, -2, "tostring");

    add_library(L, "string", luaopen_string, STRING);
    wrap(L, "rep", bounded_rep);
    wrap(L, "find", plain_find);
    wrap(L, "format", safe_format);
    /* Methods on strings, ("x"):rep(2), go through the string metatable: it gets the bounded ones. */
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
    lua_setfield(L, -2, "string");

    add_library(L, "table", luaopen_table, TABLE);
    lua_getfield(L, -1, "sort");
    lua_setfield(L, LUA_REGISTRYINDEX, "pathway.sort");
    lua_setfield(L, -2, "table");
    add_library(L, "math", luaopen_math, MATH);
    lua_setfield(L, -2, "math");
}

enum err_code sandbox_load(struct sandbox *sb, const char *name, const char *text, size_t len,
                           int env, struct err *err)
{
    env = lua_absindex(sb->L, env);
    if (luaL_loadbufferx(sb->L, text, len, name, "t") != LUA_OK) {
        const char *why = lua_tostring(sb->L, -1);
        enum err_code rc = err_set(err, ERR_RULE, "%s", why ? why : "the file does not load");
        lua_pop(sb->L, 1);
        return rc;
    }
    lua_pushvalue(sb->L, env);
    lua_setupvalue(sb->L, -2, 1); /* a main chunk's first upvalue is its environment */
    return OK;
}

enum err_code sandbox_call(struct sandbox *sb, int nargs, int nresults, struct err *err)
{
    int status = lua_pcall(sb->L, nargs, nresults, 0);

    if (status == LUA_OK)
        return OK;
    enum err_code rc;
    if (status == LUA_ERRMEM)
        rc = err_set(err, ERR_LIMIT, "out of memory: the rules need more than %zu MiB",
                     sb->cap >> 20);
    else if (lua_type(sb->L, -1) == LUA_TSTRING)
        rc = err_set(err, ERR_RULE, "%s", lua_tostring(sb->L, -1));
    else
        rc = err_set(err, ERR_RULE, "error() was called with a %s instead of a message",
                     luaL_typename(sb->L, -1));
    lua_pop(sb->L, 1);
    return rc;
}
