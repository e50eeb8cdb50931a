/* convert.c - values across the border between C and Lua. */
#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/state.h"

static void push_scalar(lua_State *L, const struct json *v, const struct type *type)
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

static void guard_fields(lua_State *L, const struct type *type);

/* A set arrives as a list that may repeat itself; a rule gets each value once. */
static void push_set(lua_State *L, const struct json *v, const struct type *type)
{
    lua_Integer count = 0;

    lua_createtable(L, (int)v->len, 0);
    lua_createtable(L, 0, (int)v->len); /* those that were seen */
    for (const struct json *i = v->as.first; i; i = i->next) {
        push_scalar(L, i, type->of);
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
    lua_pop(L, 1);
}

void convert_push_json(lua_State *L, const struct json *v, const struct type *type)
{
    lua_Integer count = 0;

    luaL_checkstack(L, 6, "data too deep");
    if (v && v->type == JSON_ARRAY && type->kind == TYPE_SET) {
        push_set(L, v, type);
    } else if (v && v->type == JSON_ARRAY && type->kind == TYPE_LIST) {
        lua_createtable(L, (int)v->len, 0);
        for (const struct json *i = v->as.first; i; i = i->next) {
            convert_push_json(L, i, type->of);
            lua_rawseti(L, -2, ++count);
        }
    } else if (v && v->type == JSON_OBJECT) {
        lua_createtable(L, 0, (int)v->len);
        for (const struct json *i = v->as.first; i; i = i->next) {
            const struct type_field *f = type->kind == TYPE_ROW ? type_field(type, i->name) : NULL;
            const struct type *of = f ? f->type : type->kind == TYPE_MAP ? type->of : NULL;
            if (!of || of->kind == TYPE_NOTE)
                continue; /* a field that the pack no longer has; free text, which rules may not see */
            convert_push_json(L, i, of);
            lua_setfield(L, -2, i->name);
        }
        if (type->kind == TYPE_ROW)
            guard_fields(L, type);
    } else if (v) {
        push_scalar(L, v, type);
    } else {
        lua_pushnil(L);
    }
}

/* ---- names that an event does not have are errors, never nil ---- */

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

static int missing_event_name(lua_State *L)
{
    static const char *const NAMES[] = { "type", "source", "id", "subject", "time", "as", "data" };
    char hint[160];
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    return luaL_error(L, "unknown name '%s' of the event e%s", name,
                      text_hint(hint, sizeof(hint), name, NAMES, 7));
}

/* Give the table on top the metatable kept in the registry under `key`, made at first need. */
static void set_guard(lua_State *L, const void *key, const struct type *type, lua_CFunction fn)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 2);
        lua_pushlightuserdata(L, (void *)(uintptr_t)type);
        lua_pushcclosure(L, fn, 1);
        lua_setfield(L, -2, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    }
    lua_setmetatable(L, -2);
}

static void guard_fields(lua_State *L, const struct type *type)
{
    /* The type's own address is the key of its shared empty container. */
    set_guard(L, &type->field_count, type, missing_field);
}

void convert_guard_event(lua_State *L)
{
    static const char KEY = 0; /* its address is what counts */
    set_guard(L, &KEY, NULL, missing_event_name);
}

/* ---- out of Lua ---- */

void convert_write_scalar(lua_State *L, int index, struct buf *out)
{
    size_t len;
    const char *s;

    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        buf_str(out, lua_toboolean(L, index) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            buf_printf(out, "%lld", (long long)lua_tointeger(L, index));
        else
            json_write_real(out, lua_tonumber(L, index));
        break;
    case LUA_TSTRING:
        s = lua_tolstring(L, index, &len);
        json_write_string(out, s, len);
        break;
    default:
        buf_str(out, "null");
        break;
    }
}

static void write_typed(lua_State *L, int index, const struct type *type, struct buf *out)
{
    char text[TIME_TEXT];

    if (type->kind == TYPE_TIME && lua_isinteger(L, index))
        json_write_cstr(out, time_text(lua_tointeger(L, index), text));
    else
        convert_write_scalar(L, index, out);
}

static void write_key(lua_State *L, int index, struct buf *out)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        convert_write_scalar(L, index, out);
    } else {
        buf_char(out, '"');
        convert_write_scalar(L, index, out);
        buf_char(out, '"');
    }
}

/* A map or row as an object, a set as a sorted array. */
static void write_keyed(lua_State *L, int contents, const struct type *type, struct buf *out)
{
    bool is_set = type->kind == TYPE_SET;

    sandbox_push_keys(L, contents);
    int keys = lua_gettop(L);
    buf_char(out, is_set ? '[' : '{');
    for (lua_Integer i = 1; lua_rawgeti(L, keys, i) != LUA_TNIL; i++) {
        if (i > 1)
            buf_char(out, ',');
        if (is_set) {
            write_typed(L, -1, type->of, out);
        } else {
            const struct type *of = type->of;
            if (type->kind == TYPE_ROW)
                of = type_field(type, lua_tostring(L, -1))->type;
            write_key(L, -1, out);
            buf_char(out, ':');
            lua_pushvalue(L, -1);
            lua_rawget(L, contents);
            convert_write(L, lua_gettop(L), of, out);
        }
        lua_settop(L, keys);
    }
    lua_settop(L, keys - 1);
    buf_char(out, is_set ? ']' : '}');
}

void convert_write(lua_State *L, int index, const struct type *type, struct buf *out)
{
    luaL_checkstack(L, 12, "facts too deep");
    index = lua_absindex(L, index);
    if (type_is_scalar(type)) {
        write_typed(L, index, type, out);
        return;
    }
    box_push_contents(L, index);
    int contents = lua_gettop(L);
    if (type->kind == TYPE_LIST) {
        buf_char(out, '[');
        for (lua_Integer i = 1; lua_rawgeti(L, contents, i) != LUA_TNIL; i++) {
            if (i > 1)
                buf_char(out, ',');
            convert_write(L, lua_gettop(L), type->of, out);
            lua_settop(L, contents);
        }
        buf_char(out, ']');
    } else {
        write_keyed(L, contents, type, out);
    }
    lua_settop(L, contents - 1);
}
