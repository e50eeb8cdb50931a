/* event_json.c - the data of an event as Lua values. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/state.h"

void event_push_scalar(lua_State *L, const struct json *v, const struct type *type)
{
    int64_t t;
    struct err ignored;

    switch (v->type) {
    case JSON_BOOL:
        lua_pushboolean(L, v->as.boolean);
        break;
    case JSON_INT:
        lua_pushinteger(L, v->as.integer);
        break;
    case JSON_REAL:
        lua_pushnumber(L, v->as.real);
        break;
    case JSON_STRING:
        if (type->kind == TYPE_TIME && time_parse(&t, v->as.string, v->len, &ignored) == OK)
            lua_pushinteger(L, t);
        else
            lua_pushlstring(L, v->as.string, v->len);
        break;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        lua_pushnil(L);
        break;
    }
}

/* ---- rows in it: a name that one does not have is an error, never nil ---- */

static int missing_field(lua_State *L)
{
    const struct type *type = lua_touserdata(L, lua_upvalueindex(1));
    const char *names[128];
    char hint[160];
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    const struct type_field *f = type_field(type, name);
    uint32_t count = type->field_count < 128 ? type->field_count : 128;

    if (f && f->type->kind == TYPE_NOTE)
        return luaL_error(L, "%s is a note: free text for people, which rules can not read", name);
    if (f)
        return 0; /* optional, and not given */
    for (uint32_t i = 0; i < count; i++)
        names[i] = type->fields[i].name;
    return luaL_error(L, "unknown field '%s' of the event's data%s", name,
                      text_hint(hint, sizeof(hint), name, names, count));
}

/* Give the row on top its metatable, made at first need. */
static void guard_fields(lua_State *L, const struct type *type)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, type) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 2);
        lua_pushlightuserdata(L, (void *)(uintptr_t)type);
        lua_pushcclosure(L, missing_field, 1);
        lua_setfield(L, -2, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, type);
    }
    lua_setmetatable(L, -2);
}

#define FEW                                                                                        \
    16 /* values, which are compared with each other; of more a table tells which were seen */

static bool is_same(const struct json *a, const struct json *b)
{
    return a->type == JSON_STRING && b->type == JSON_STRING && a->len == b->len &&
           memcmp(a->as.string, b->as.string, a->len) == 0;
}

static bool is_repeated(const struct json *first, const struct json *item)
{
    while (first != item && !is_same(first, item))
        first = first->next;
    return first != item;
}

static bool are_strings(const struct json *first)
{
    while (first && first->type == JSON_STRING)
        first = first->next;
    return first == NULL;
}

/* A set arrives as a list that may repeat itself; a rule gets each value once. */
static void push_set(lua_State *L, const struct json *v, const struct type *type)
{
    bool is_short = v->len <= FEW && type->of->kind != TYPE_TIME && are_strings(v->as.first);
    lua_Integer count = 0;

    lua_createtable(L, (int)v->len, 0);
    if (!is_short)
        lua_createtable(L, 0, (int)v->len); /* those that were seen */
    for (const struct json *i = v->as.first; i; i = i->next) {
        if (is_short && is_repeated(v->as.first, i))
            continue;
        event_push_scalar(L, i, type->of);
        if (is_short) {
            lua_rawseti(L, -2, ++count);
            continue;
        }
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TNIL && !lua_isnil(L, -2)) {
            lua_pushvalue(L, -2);
            lua_pushboolean(L, 1);
            lua_rawset(L, -5);
            lua_pushvalue(L, -2);
            lua_rawseti(L, -5, ++count);
        }
        lua_pop(L, 2);
    }
    if (!is_short)
        lua_pop(L, 1);
}

void event_push_json(lua_State *L, const struct json *v, const struct type *type)
{
    lua_Integer count = 0;

    luaL_checkstack(L, 6, "data too deep");
    if (v && v->type == JSON_ARRAY && type->kind == TYPE_SET) {
        push_set(L, v, type);
    } else if (v && v->type == JSON_ARRAY && type->kind == TYPE_LIST) {
        lua_createtable(L, (int)v->len, 0);
        for (const struct json *i = v->as.first; i; i = i->next) {
            event_push_json(L, i, type->of);
            lua_rawseti(L, -2, ++count);
        }
    } else if (v && v->type == JSON_OBJECT) {
        lua_createtable(L, 0, (int)v->len);
        for (const struct json *i = v->as.first; i; i = i->next) {
            const struct type_field *f = type->kind == TYPE_ROW ? type_field(type, i->name) : NULL;
            const struct type *of = f ? f->type : type->kind == TYPE_MAP ? type->of : NULL;
            if (!of || of->kind == TYPE_NOTE)
                continue; /* a field that the pack no longer has; free text, which rules may not see
                           */
            event_push_json(L, i, of);
            lua_setfield(L, -2, i->name);
        }
        if (type->kind == TYPE_ROW)
            guard_fields(L, type);
    } else if (v) {
        event_push_scalar(L, v, type);
    } else {
        lua_pushnil(L);
    }
}
