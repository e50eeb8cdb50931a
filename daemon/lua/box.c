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
    uint32_t count;  /* values held; of a row: its fields */
    bool is_shared;  /* the empty one that stands for every absent fact of its type */
    uint64_t record; /* number of the record that it is part of */
};

static struct box *check_box(lua_State *L, int index)
{
    struct box *b = luaL_testudata(L, index, BOX_META);

    if (!b)
        luaL_error(
            L,
            "found a %s, expected a fact that is a set, list or map; methods are called with "
            "a colon: s.leads:add(...)",
            luaL_typename(L, index));
    if (!b->is_shared && b->record != ruleset_of(L)->record_number)
        luaL_error(L, "this was read from another subject; a rule keeps nothing between two calls");
    return b;
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
    *b = (struct box){ .type = type, .record = ruleset_of(L)->record_number };
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
    ((struct box *)lua_touserdata(L, -1))->is_shared = true;
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

static const struct type_field *check_field(lua_State *L, const struct type *t, int index)
{
    const char *names[64];
    char hint[160];
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "?";
    const struct type_field *f = type_field(t, name);
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
    value_check(L, 2, b->type->of, "add");
    lua_settop(L, 2);
    box_set_add(L, 1);
    return 0;
}

static int set_remove(lua_State *L)
{
    struct box *b = check_writable(L, 1);
    value_check(L, 2, b->type->of, "remove");
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
    value_check(L, 2, b->type->of, "has");
    box_push_contents(L, 1);
    lua_pushvalue(L, 2);
    lua_pushboolean(L, lua_rawget(L, -2) != LUA_TNIL);
    return 1;
}

static void push_row(lua_State *L, int value, const struct type *type, const char *what);

/* Push the value at stack index `value` as it is stored in a place of this type: a plain table becomes a
 * row. */
static void push_checked(lua_State *L, int value, const struct type *type, const char *what)
{
    char expected[400];

    if (type_is_scalar(type)) {
        value_check(L, value, type, what);
        lua_pushvalue(L, value);
    } else if (type->kind == TYPE_ROW && lua_istable(L, value)) {
        push_row(L, value, type, what);
    } else {
        luaL_error(L, "%s: found a %s, expected %s", what, luaL_typename(L, value),
                   type->kind == TYPE_ROW ? "a table of fields"
                                          : type_describe(type, expected, sizeof(expected)));
    }
}

/* Raise for the first key, in the order of keys, that is no field. */
static void refuse_unknown(lua_State *L, int value, const struct type *type)
{
    sandbox_push_keys(L, value);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1))
        check_field(L, type, -1);
    lua_pop(L, 2);
}

static void push_row(lua_State *L, int value, const struct type *type, const char *what)
{
    uint32_t given = 0;

    luaL_checkstack(L, 10, "rows nested too deep");
    box_push(L, type);
    int row = lua_gettop(L);
    struct box *b = lua_touserdata(L, row);
    box_push_contents(L, row);
    for (lua_pushnil(L); lua_next(L, value); lua_pop(L, 1))
        given++;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct type_field *f = &type->fields[i];
        lua_pushstring(L, f->name);
        if (lua_rawget(L, value) != LUA_TNIL) {
            push_checked(L, lua_gettop(L), f->type, f->name);
            lua_setfield(L, row + 1, f->name);
            b->count++;
        }
        lua_settop(L, row + 1);
    }
    if (given != b->count)
        refuse_unknown(L, value, type);
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
    lua_newtable(L); /* put in place at the end: an error leaves all as it was */
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
    value_check(L, 2, b->type->key, "key");
    box_push_contents(L, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TNIL || type_is_scalar(b->type->of) ||
        b->type->of->kind == TYPE_ROW) /* there is no empty row, as there is an empty set */
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
        value_check(L, 2, b->type->key, "key");
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

/* Upvalues: contents when values are wanted too, else nil; what to walk; how far it came, how far to go.
 * A list is walked as long as it was at the start, or adding to it would never end. */
static int each_next(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
    lua_Integer count = lua_tointeger(L, lua_upvalueindex(4));

    for (;;) { /* what was taken out meanwhile is left out */
        lua_settop(L, 0);
        if (++i > count)
            return 0;
        lua_rawgeti(L, lua_upvalueindex(2), i);
        if (lua_isnil(L, lua_upvalueindex(1)))
            break;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            break;
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(3));
    return lua_gettop(L);
}

/* for v in each(set or list) do; for k, v in each(map) do */
static int box_each(lua_State *L)
{
    if (lua_istable(L, 1))
        return luaL_error(L, "each: found a table, expected a fact that is a set, list or map; use "
                             "ipairs or pairs");
    const struct box *b = check_box(L, 1);
    lua_settop(L, 1);
    if (b->type->kind == TYPE_ROW)
        return luaL_error(L, "each: found a row, expected a set, list or map");
    if (b->type->kind == TYPE_MAP)
        box_push_contents(L, 1);
    else
        lua_pushnil(L);
    box_push_contents(L, 1);
    if (b->type->kind != TYPE_LIST) {
        sandbox_push_keys(L, -1);
        lua_remove(L, -2);
    }
    lua_pushinteger(L, 0);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 3));
    lua_pushcclosure(L, each_next, 4);
    return 1;
}

const char *box_type_problem(const struct type *t)
{
    if (t->kind == TYPE_NOTE)
        return "a note is for people, and rules can not read it";
    if (type_is_scalar(t))
        return NULL;
    for (uint32_t i = 0; i < t->field_count; i++) {
        const struct type *of = t->fields[i].type;
        if (!type_is_scalar(of) && of->kind != TYPE_ROW)
            return "a row holds single values and rows, not sets, lists or maps";
        if (box_type_problem(of))
            return box_type_problem(of);
    }
    if (t->kind == TYPE_LIST && !type_is_scalar(t->of) && t->of->kind != TYPE_ROW)
        return "a list holds single values or rows, not sets, lists or maps";
    return t->kind == TYPE_ROW ? NULL : box_type_problem(t->of);
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
