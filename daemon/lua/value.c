/* value.c - does a Lua value fit a scalar type? The rules for texts are model/type's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/state.h"

static const char *text_problem(lua_State *L, int index, const struct type *type, char *out,
                                size_t size)
{
    size_t len;
    const char *s = lua_tolstring(L, index, &len);
    struct json value = { .type = JSON_STRING, .len = (uint32_t)len, .as.string = s };
    struct err err;

    if (type_check(type, &value, "value", &err) == OK)
        return NULL;
    snprintf(out, size, "%s", strncmp(err.msg, "value: ", 7) == 0 ? err.msg + 7 : err.msg);
    return out;
}

static bool is_of_kind(lua_State *L, int index, enum type_kind kind)
{
    int found = lua_type(L, index);

    if (kind == TYPE_BOOL)
        return found == LUA_TBOOLEAN;
    if (kind == TYPE_NUMBER)
        return found == LUA_TNUMBER && isfinite(lua_tonumber(L, index));
    if (kind == TYPE_INT || kind == TYPE_TIME)
        return lua_isinteger(L, index);
    return found == LUA_TSTRING;
}

/* What was expected, in words; only for a value that does not fit. */
static const char *expectation(const struct type *type, char *out, size_t size)
{
    if (type->kind == TYPE_TIME) { /* in rules an instant is a number */
        snprintf(out, size, "an instant such as e.time or midnight(...)");
        return out;
    }
    return type_describe(type, out, size);
}

const char *value_problem(lua_State *L, int index, const struct type *type, char *out, size_t size)
{
    char expected[400];

    if (!is_of_kind(L, index, type->kind)) {
        expectation(type, expected, sizeof(expected));
        if (lua_type(L, index) == LUA_TNUMBER && !lua_isinteger(L, index))
            snprintf(out, size, "found %.14g, expected %s", lua_tonumber(L, index), expected);
        else
            snprintf(out, size, "found a %s, expected %s", luaL_typename(L, index), expected);
        return out;
    }
    if (lua_type(L, index) == LUA_TSTRING)
        return text_problem(L, index, type, out, size);
    lua_Integer n = lua_tointeger(L, index);
    bool fits = type->kind != TYPE_INT || (n >= type->min && n <= type->max);
    if (type->kind == TYPE_TIME && (n < TIME_MIN || n > TIME_MAX))
        fits = false;
    if (fits)
        return NULL;
    snprintf(out, size, "found %lld, expected %s", (long long)n,
             expectation(type, expected, sizeof(expected)));
    return out;
}

void value_check(lua_State *L, int index, const struct type *type, const char *what)
{
    char problem[1024];

    if (value_problem(L, index, type, problem, sizeof(problem)))
        luaL_error(L, "%s: %s", what, problem);
}
