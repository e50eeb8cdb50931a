/* words.c - see words.h; what Lua itself says: plain.c. */
#include "lua/words.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"

const char *words_of(int lua_type)
{
    switch (lua_type) {
    case LUA_TBOOLEAN:
        return "true or false";
    case LUA_TNUMBER:
        return "a number";
    case LUA_TSTRING:
        return "a text";
    case LUA_TTABLE:
        return "a table";
    case LUA_TFUNCTION:
        return "a function";
    case LUA_TUSERDATA:
    case LUA_TLIGHTUSERDATA:
        return "a record, set, list or map";
    default:
        return "nothing";
    }
}

const char *words_of_object(const char *name)
{
    static const char *const OBJECTS[][2] = {
        { "pathway.type", "a type" },
        { "pathway.days", "a number of days" },
        { "pathway.set", "a set" },
        { "pathway.list", "a list" },
        { "pathway.map", "a map" },
        { "pathway.row", "a row" },
        { "pathway.record", "the whole record" },
        { "pathway.params", "what holds the parameters" },
    };

    for (size_t i = 0; i < sizeof(OBJECTS) / sizeof(OBJECTS[0]); i++)
        if (strcmp(name, OBJECTS[i][0]) == 0)
            return OBJECTS[i][1];
    return words_of(LUA_TUSERDATA);
}

const char *words_found(lua_State *L, int index)
{
    const char *word = words_of(lua_type(L, index));

    if (lua_isboolean(L, index))
        return lua_toboolean(L, index) ? "true" : "false";
    if (lua_type(L, index) == LUA_TLIGHTUSERDATA)
        return "null";
    if (lua_type(L, index) == LUA_TUSERDATA && luaL_getmetafield(L, index, "__name")) {
        if (lua_type(L, -1) == LUA_TSTRING)
            word = words_of_object(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return word;
}

#define SHOWN_MAX 40 /* bytes of a text */

const char *words_value(lua_State *L, int index, char *out, size_t size)
{
    size_t len;

    if (lua_isinteger(L, index)) {
        snprintf(out, size, "%lld", (long long)lua_tointeger(L, index));
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        double n = lua_tonumber(L, index);
        if (isnan(n))
            snprintf(out, size, "no number (0 divided by 0)");
        else if (isinf(n))
            snprintf(out, size, "%sinfinity (divided by 0?)", n < 0 ? "minus " : "");
        else
            snprintf(out, size, floor(n) == n && fabs(n) < 1e15 ? "%.1f" : "%.14g", n);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &len);
        size_t shown = len;
        if (len > SHOWN_MAX)
            for (shown = SHOWN_MAX; shown > 0 && (text[shown] & 0xc0) == 0x80;)
                shown--; /* not within a character */
        bool is_plain = text_is_utf8(text, shown);
        snprintf(out, size, is_plain ? "\"%.*s%s\"" : "a text", (int)shown, text,
                 shown < len ? "..." : "");
    } else {
        snprintf(out, size, "%s", words_found(L, index));
    }
    return out;
}
