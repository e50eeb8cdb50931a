/* box.c - facts that hold many values: sets, lists, maps and rows. A box is a userdata that never
 * leaves the record it was made for; its contents are a plain table that no pack can reach, so that
 * every read and write passes here. They are written only while a reducer runs. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/state.h"

#define BOX_META "pathway.box"

struct box {
    const struct type *type;
    uint32_t count; /* values held; of a row: its fields */
    bool is_shared; /* the empty one that stands for every absent fact of its type */
};

static struct box *check_box(lua_State *L, int index)
{
    return luaL_checkudata(L, index, BOX_META);
}

bool box_is(lua_State *L, int index)
{
    return luaL_testudata(L, index, BOX_META) != NULL;
}

static const char *kind_word(const struct box *b)
{
    switch (b->type->kind) {
    case TYPE_SET:
        return "set";
    case TYPE_LIST:
        return "list";
    case TYPE_MAP:
        return "map";
    default:
        return "row";
    }
}

void box_push(lua_State *L, const struct type *type)
{
    struct box *b = lua_newuserdatauv(L, sizeof(*b), 1);
    *b = (struct box){ .type = type };
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, BOX_META);
}

void box_push_empty(lua_State *L, const struct type *type)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, type) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    box_push(L, type);
    check_box(L, -1)->is_shared = true;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, type);
}

void box_push_contents(lua_State *L, int index)
{
    lua_getiuservalue(L, index, 1);
}

static struct box *check_writable(lua_State *L, int index)
{
    struct box *b = check_box(L, index);
    if (!ruleset_of(L)->is_writing)
        luaL_error(
            L, "facts are changed only by reducers (the functions under `on`), not while judging");
    if (b->is_shared)
        luaL_error(L, "this empty %s was read before the reducer began; read it again through s",
                   kind_word(b));
    return b;
}

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

void box_check_scalar(lua_State *L, int index, const struct type *type, const char *what)
{
    char text[1024], expected[400];
    int found = lua_type(L, index);
    bool fits = false;

    switch (type->kind) {
    case TYPE_BOOL:
        fits = found == LUA_TBOOLEAN;
        break;
    case TYPE_TIME:
    case TYPE_INT:
        fits = lua_isinteger(L, index);
        break;
    case TYPE_NUMBER:
        fits = found == LUA_TNUMBER;
        break;
    default:
        if (found == LUA_TSTRING) {
            if (text_problem(L, index, type, text, sizeof(text)))
                luaL_error(L, "%s: %s", what, text);
            return;
        }
    }
    if (!fits)
        luaL_error(L, "%s: found a %s, expected %s", what, luaL_typename(L, index),
                   type_describe(type, expected, sizeof(expected)));
    if (type->kind == TYPE_INT &&
        (lua_tointeger(L, index) < type->min || lua_tointeger(L, index) > type->max))
        luaL_error(L, "%s: found %I, expected %s", what, (LUAI_UACINT)lua_tointeger(L, index),
                   type_describe(type, expected, sizeof(expected)));
}

static const struct type_field *field_of(const struct type *t, const char *name)
{
    for (uint32_t i = 0; i < t->field_count; i++)
        if (strcmp(t->fields[i].name, name) == 0)
            return &t->fields[i];
    return NULL;
}

static const struct type_field *check_field(lua_State *L, const struct type *t, int index)
{
    const char *names[64];
    char hint[160];
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "?";
    const struct type_field *f = field_of(t, name);
    uint32_t count = t->field_count < 64 ? t->field_count : 64;

    if (!f) {
        for (uint32_t i = 0; i < count; i++)
            names[i] = t->fields[i].name;
        luaL_error(L, "unknown field '%s'%s", name,
                   text_hint(hint, sizeof(hint), name, names, count));
    }
    return f;
}

bool box_set_add(lua_State *L, int index)
{
    struct box *b = check_box(L, index);
    box_push_contents(L, index);
    lua_pushvalue(L, -2);
    bool is_new = lua_rawget(L, -2) == LUA_TNIL;
    lua_pop(L, 1);
    if (is_new) {
        lua_pushvalue(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
        b->count++;
    }
    lua_pop(L, 2);
    return is_new;
}

static int set_add(lua_State *L)
{
    struct box *b = check_writable(L, 1);
    box_check_scalar(L, 2, b->type->of, "add");
    lua_settop(L, 2);
    box_set_add(L, 1);
    return 0;
}

static int set_remove(lua_State *L)
{
    struct box *b = check_writable(L, 1);
    box_check_scalar(L, 2, b->type->of, "remove");
    lua_settop(L, 2);
    box_push_contents(L, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TNIL) {
        lua_pushvalue(L, 2);
        lua_pushnil(L);
        lua_rawset(L, 3);
        b->count--;
    }
    return 0;
}

static int set_has(lua_State *L)
{
    const struct box *b = check_box(L, 1);
    box_check_scalar(L, 2, b->type->of, "has");
    box_push_contents(L, 1);
    lua_pushvalue(L, 2);
    lua_pushboolean(L, lua_rawget(L, -2) != LUA_TNIL);
    return 1;
}

/* Put the value at stack index `value` into a row field or list place that has type `type`; a plain
 * table becomes a row. Leaves the value to store on top. */
static void push_checked(lua_State *L, int value, const struct type *type, const char *what)
{
    if (type_is_scalar(type)) {
        box_check_scalar(L, value, type, what);
        lua_pushvalue(L, value);
        return;
    }
    if (type->kind != TYPE_ROW || !lua_istable(L, value)) {
        char expected[400];
        luaL_error(L, "%s: found a %s, expected %s", what, luaL_typename(L, value),
                   type->kind == TYPE_ROW ? "a table of fields"
                                          : type_describe(type, expected, sizeof(expected)));
    }
    box_push(L, type);
    int row = lua_gettop(L);
    box_push_contents(L, row);
    for (lua_pushnil(L); lua_next(L, value); lua_pop(L, 1)) {
        const struct type_field *f = check_field(L, type, -2);
        lua_pushvalue(L, -2);
        push_checked(L, lua_gettop(L) - 1, f->type, f->name);
        lua_rawset(L, row + 1);
    }
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (!type->fields[i].is_optional &&
            lua_getfield(L, row + 1, type->fields[i].name) == LUA_TNIL)
            luaL_error(L, "%s: field %s is missing", what, type->fields[i].name);
        lua_settop(L, row + 1);
    }
    lua_settop(L, row);
}

static int list_add(lua_State *L)
{
    struct box *b = check_writable(L, 1);
    lua_settop(L, 2);
    box_push_contents(L, 1);
    push_checked(L, 2, b->type->of, "add");
    lua_rawseti(L, 3, ++b->count);
    return 0;
}

/* list:remove_if(function(value) ... end) */
static int list_remove_if(lua_State *L)
{
    struct box *b = check_writable(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    box_push_contents(L, 1);
    lua_newtable(
        L); /* a new contents table, put in place at the end: an error leaves all as it was */
    uint32_t kept = 0;
    for (uint32_t i = 1; i <= b->count; i++) {
        lua_pushvalue(L, 2);
        lua_rawgeti(L, 3, i);
        lua_call(L, 1, 1);
        if (!lua_toboolean(L, -1)) {
            lua_rawgeti(L, 3, i);
            lua_rawseti(L, 4, ++kept);
        }
        lua_pop(L, 1);
    }
    lua_pushvalue(L, 4);
    lua_setiuservalue(L, 1, 1);
    b->count = kept;
    return 0;
}

/* clear(container) and container:clear() */
static int box_clear(lua_State *L)
{
    struct box *b = check_writable(L, 1);
    lua_newtable(L);
    lua_setiuservalue(L, 1, 1);
    b->count = 0;
    return 0;
}

static int map_index(lua_State *L, struct box *b)
{
    box_check_scalar(L, 2, b->type->key, "key");
    box_push_contents(L, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TNIL || type_is_scalar(b->type->of))
        return 1;
    if (!ruleset_of(L)->is_writing || b->is_shared) {
        box_push_empty(L, b->type->of);
        return 1;
    }
    box_push(L, b->type->of); /* s.focuses[year]:add(...) makes the inner set as it goes */
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 3);
    b->count++;
    return 1;
}

static int unknown_method(lua_State *L, const struct box *b)
{
    static const char *const SET[] = { "add", "remove", "has", "clear" };
    static const char *const LIST[] = { "add", "remove_if", "clear" };
    char hint[160];
    bool is_set = b->type->kind == TYPE_SET;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

    return luaL_error(L, "a %s has no '%s'%s", kind_word(b), name,
                      text_hint(hint, sizeof(hint), name, is_set ? SET : LIST, is_set ? 4 : 3));
}

static int method(lua_State *L, const struct box *b)
{
    static const luaL_Reg SET[] = { { "add", set_add },
                                    { "remove", set_remove },
                                    { "has", set_has },
                                    { "clear", box_clear },
                                    { NULL, NULL } };
    static const luaL_Reg LIST[] = {
        { "add", list_add }, { "remove_if", list_remove_if }, { "clear", box_clear }, { NULL, NULL }
    };
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

    for (const luaL_Reg *m = b->type->kind == TYPE_SET ? SET : LIST; m->name; m++) {
        if (strcmp(m->name, name) == 0) {
            lua_pushcfunction(L, m->func);
            return 1;
        }
    }
    return unknown_method(L, b);
}

static int box_index(lua_State *L)
{
    struct box *b = check_box(L, 1);

    switch (b->type->kind) {
    case TYPE_MAP:
        return map_index(L, b);
    case TYPE_ROW:
        check_field(L, b->type, 2);
        break;
    case TYPE_LIST:
        if (lua_isinteger(L, 2))
            break;
        return method(L, b);
    default:
        return method(L, b);
    }
    box_push_contents(L, 1);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static int box_newindex(lua_State *L)
{
    struct box *b = check_writable(L, 1);
    const struct type *of = b->type->of;

    lua_settop(L, 3);
    if (b->type->kind == TYPE_ROW)
        of = check_field(L, b->type, 2)->type;
    else if (b->type->kind == TYPE_MAP)
        box_check_scalar(L, 2, b->type->key, "key");
    else
        return luaL_error(L, "a %s is changed by its methods, such as add", kind_word(b));
    box_push_contents(L, 1);
    lua_pushvalue(L, 2);
    bool was_there = lua_rawget(L, 4) != LUA_TNIL;
    lua_pushvalue(L, 2);
    if (lua_isnil(L, 3))
        lua_pushnil(L);
    else
        push_checked(L, 3, of, lua_tostring(L, 2));
    b->count = b->count - was_there + !lua_isnil(L, -1);
    lua_rawset(L, 4);
    return 0;
}

static int box_len(lua_State *L)
{
    lua_pushinteger(L, check_box(L, 1)->count);
    return 1;
}

static int each_next(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1;
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(3));
    lua_rawgeti(L, lua_upvalueindex(2), i);
    if (!lua_toboolean(L, lua_upvalueindex(1)) || lua_isnil(L, -1))
        return 1;
    lua_pushvalue(L, -1);
    lua_rawget(L, lua_upvalueindex(1));
    return 2;
}

/* for v in each(set or list) do; for k, v in each(map) do */
static int box_each(lua_State *L)
{
    const struct box *b = check_box(L, 1);
    lua_settop(L, 1);
    if (b->type->kind == TYPE_ROW)
        return luaL_error(L, "each: found a row, expected a set, list or map");
    box_push_contents(L, 1);
    if (b->type->kind != TYPE_MAP) {
        lua_pop(L, 1);
        lua_pushboolean(L, 0);
    }
    box_push_contents(L, 1);
    if (b->type->kind != TYPE_LIST) {
        sandbox_push_keys(L, -1);
        lua_remove(L, -2);
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, each_next, 3);
    return 1;
}

void box_register(lua_State *L)
{
    static const luaL_Reg META[] = { { "__index", box_index },
                                     { "__newindex", box_newindex },
                                     { "__len", box_len },
                                     { NULL, NULL } };
    luaL_newmetatable(L, BOX_META);
    luaL_setfuncs(L, META, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void box_add_functions(lua_State *L)
{
    lua_pushcfunction(L, box_each);
    lua_setfield(L, -2, "each");
    lua_pushcfunction(L, box_clear);
    lua_setfield(L, -2, "clear");
}
