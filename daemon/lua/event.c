/* event.c - the event that a reducer sees: tables that are filled as they are read, since an event touches many
 * subjects and each reads a little of it. They are the same tables for every event, unless a pack writes to them. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"

/* ---- values from JSON ---- */

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

static void push_json(lua_State *L, const struct json *v, const struct type *type)
{
    lua_Integer count = 0;

    luaL_checkstack(L, 6, "data too deep");
    if (v && v->type == JSON_ARRAY && type->kind == TYPE_SET) {
        push_set(L, v, type);
    } else if (v && v->type == JSON_ARRAY && type->kind == TYPE_LIST) {
        lua_createtable(L, (int)v->len, 0);
        for (const struct json *i = v->as.first; i; i = i->next) {
            push_json(L, i, type->of);
            lua_rawseti(L, -2, ++count);
        }
    } else if (v && v->type == JSON_OBJECT) {
        lua_createtable(L, 0, (int)v->len);
        for (const struct json *i = v->as.first; i; i = i->next) {
            const struct type_field *f = type->kind == TYPE_ROW ? type_field(type, i->name) : NULL;
            const struct type *of = f ? f->type : type->kind == TYPE_MAP ? type->of : NULL;
            if (!of || of->kind == TYPE_NOTE)
                continue; /* a field that the pack no longer has; free text, which rules may not see */
            push_json(L, i, of);
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

/* ---- the event ---- */

static const char *const NAMES[EVENT_NAMES] = {
    "type", "source", "id", "subject", "time", "as", "data",
};
enum { NAME_TYPE, NAME_SOURCE, NAME_ID, NAME_SUBJECT, NAME_TIME, NAME_AS, NAME_DATA };

static struct event_view *this_event(lua_State *L)
{
    struct event_view *v = &ruleset_of(L)->event;

    if (!v->e)
        luaL_error(L, "this event was kept from another call; a reducer keeps nothing between two "
                      "calls");
    return v;
}

/* Put the value on top into the table at index 1 under the key at index 2, and leave it there. */
static void keep_value(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1);
}

static int name_index(lua_State *L, const struct event_view *v)
{
    char hint[160];
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

    for (int i = 0; i < EVENT_NAMES; i++)
        if (v->names[i] == name)
            return i;
    return luaL_error(L, "unknown name '%s' of the event e%s", name,
                      text_hint(hint, sizeof(hint), name, NAMES, EVENT_NAMES));
}

static void push_as(lua_State *L, const struct fold_event *e)
{
    lua_createtable(L, e->as_count, 0);
    for (int i = 0; i < e->as_count; i++) {
        lua_pushstring(L, e->as[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* e.name, for the first time */
static int event_index(lua_State *L)
{
    struct event_view *v = this_event(L);
    int name = name_index(L, v);

    if (v->told >> name & 1)
        return 0; /* the pack has made it nil */
    switch (name) {
    case NAME_TYPE:
        lua_pushstring(L, v->e->type);
        break;
    case NAME_SOURCE:
        lua_pushstring(L, v->e->source);
        break;
    case NAME_ID:
        lua_pushstring(L, v->e->id);
        break;
    case NAME_SUBJECT:
        lua_pushstring(L, v->e->subject);
        break;
    case NAME_TIME:
        lua_pushinteger(L, v->e->time);
        break;
    case NAME_AS:
        push_as(L, v->e);
        break;
    default:
        lua_rawgeti(L, LUA_REGISTRYINDEX, v->data_table);
        break;
    }
    v->told |= 1ull << name;
    keep_value(L);
    return 1;
}

/* ---- its data ---- */

static const struct json *member(const struct json *object, const char *name)
{
    return object && object->type == JSON_OBJECT ? json_get(object, name) : NULL;
}

/* A map of the event's data: only what is asked for is converted. False: there are too many. */
static bool push_map(lua_State *L, struct event_view *v, const struct json *json,
                     const struct shape *shape)
{
    if (v->map_count == EVENT_MAPS)
        return false;
    lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->map_meta);
    lua_setmetatable(L, -2);
    v->maps[v->map_count++] =
        (struct event_map){ .table = lua_topointer(L, -1), .json = json, .shape = shape };
    return true;
}

/* e.data.name, for the first time */
static int data_index(lua_State *L)
{
    struct event_view *v = this_event(L);
    const char *names[128];
    char hint[160];
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    const struct shape_field *f = shape_field(v->data, name);
    uint32_t count = v->data->field_count < 128 ? v->data->field_count : 128;

    for (uint32_t i = 0; !f && i < count; i++)
        names[i] = v->data->fields[i].name;
    if (!f)
        return luaL_error(L, "unknown field '%s' of the event's data%s", name,
                          text_hint(hint, sizeof(hint), name, names, count));
    if (f->shape->type->kind == TYPE_NOTE)
        return luaL_error(L, "%s is a note: free text for people, which rules can not read", name);
    size_t i = (size_t)(f - v->data->fields);
    const struct json *json = member(v->e->data, f->name);
    if (!json || (i < 64 && v->data_told >> i & 1))
        return 0; /* optional and not given, or made nil by the pack */
    bool is_map = f->shape->type->kind == TYPE_MAP && json->type == JSON_OBJECT;
    if (!is_map || !push_map(L, v, json, f->shape))
        push_json(L, json, f->shape->type);
    if (i < 64)
        v->data_told |= 1ull << i;
    else
        v->is_spoilt = true;
    keep_value(L);
    return 1;
}

static const struct event_map *find_map(lua_State *L)
{
    const struct event_view *v = &ruleset_of(L)->event;
    const void *table = lua_topointer(L, 1);
    int i = v->map_count;

    while (i > 0 && v->maps[i - 1].table != table)
        i--;
    return i > 0 ? &v->maps[i - 1] : NULL;
}

/* e.data.attendance[school], for the first time */
static int map_index(lua_State *L)
{
    const struct event_map *m = find_map(L);
    const struct json *json =
        m && lua_type(L, 2) == LUA_TSTRING ? member(m->json, lua_tostring(L, 2)) : NULL;

    if (!json || m->shape->of->type->kind == TYPE_NOTE)
        return 0;
    push_json(L, json, m->shape->of->type);
    keep_value(L);
    return 1;
}

/* ---- all of it at once, for pairs() and for rows made of it ---- */

static int event_fill(lua_State *L)
{
    this_event(L);
    for (int i = 0; i < EVENT_NAMES; i++, lua_settop(L, 1))
        lua_getfield(L, 1, NAMES[i]);
    return 0;
}

static int data_fill(lua_State *L)
{
    const struct event_view *v = this_event(L);

    for (uint32_t i = 0; i < v->data->field_count; i++, lua_settop(L, 1))
        if (v->data->fields[i].shape->type->kind != TYPE_NOTE)
            lua_getfield(L, 1, v->data->fields[i].name);
    return 0;
}

static int map_fill(lua_State *L)
{
    const struct event_map *m = find_map(L);

    for (const struct json *i = m ? m->json->as.first : NULL; i; i = i->next, lua_settop(L, 1))
        lua_getfield(L, 1, i->name);
    return 0;
}

/* ---- from one event to the next ---- */

/* The pack sets what was not read yet: that stays what the pack made it, and the table is its own. */
static int event_newindex(lua_State *L)
{
    struct event_view *v = &ruleset_of(L)->event;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

    for (int i = 0; i < EVENT_NAMES; i++)
        if (v->names[i] == name)
            v->told |= 1ull << i;
    v->is_spoilt = true;
    lua_rawset(L, 1);
    return 0;
}

static int data_newindex(lua_State *L)
{
    struct event_view *v = &ruleset_of(L)->event;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    const struct shape_field *f = shape_field(v->data, name);

    if (f && f - v->data->fields < 64)
        v->data_told |= 1ull << (f - v->data->fields);
    v->is_spoilt = true;
    lua_rawset(L, 1);
    return 0;
}

static int new_meta(lua_State *L, lua_CFunction index, lua_CFunction newindex, lua_CFunction fill)
{
    lua_createtable(L, 0, 4);
    lua_pushcfunction(L, index);
    lua_setfield(L, -2, "__index");
    if (newindex) {
        lua_pushcfunction(L, newindex);
        lua_setfield(L, -2, "__newindex");
    }
    lua_pushcfunction(L, fill);
    lua_setfield(L, -2, SANDBOX_FILL);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void event_register(lua_State *L)
{
    struct event_view *v = &ruleset_of(L)->event;

    for (int i = 0; i < EVENT_NAMES; i++) {
        v->names[i] = lua_pushstring(L, NAMES[i]);
        v->name_refs[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    v->event_meta = new_meta(L, event_index, event_newindex, event_fill);
    v->data_meta = new_meta(L, data_index, data_newindex, data_fill);
    v->map_meta = new_meta(L, map_index, NULL, map_fill);
    v->event_table = v->data_table = LUA_NOREF;
    v->is_spoilt = true; /* none is there yet */
}

static void new_table(lua_State *L, int *ref, int meta, int room)
{
    lua_createtable(L, 0, room);
    lua_rawgeti(L, LUA_REGISTRYINDEX, meta);
    lua_setmetatable(L, -2);
    luaL_unref(L, LUA_REGISTRYINDEX, *ref);
    *ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Make nil what was read of the last event. */
static void clear_table(lua_State *L, int table, int key)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, key);
    lua_pushnil(L);
    lua_rawset(L, table);
}

static void clear_tables(lua_State *L, struct event_view *v)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->event_table);
    for (uint64_t bits = v->told; bits; bits &= bits - 1)
        clear_table(L, lua_gettop(L), v->name_refs[__builtin_ctzll(bits)]);
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->data_table);
    for (uint64_t bits = v->data_told; bits; bits &= bits - 1)
        clear_table(L, lua_gettop(L), v->data->fields[__builtin_ctzll(bits)].ref);
    lua_pop(L, 2);
}

void event_push(lua_State *L, const struct fold_event *e, const struct shape *data)
{
    struct event_view *v = &ruleset_of(L)->event;

    if (v->is_spoilt) {
        new_table(L, &v->event_table, v->event_meta, EVENT_NAMES);
        new_table(L, &v->data_table, v->data_meta, 4);
        v->is_spoilt = false;
    } else {
        clear_tables(L, v);
    }
    v->told = v->data_told = 0;
    v->map_count = 0;
    v->data = data;
    v->e = e;
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->event_table);
}

void event_end(struct ruleset *rs)
{
    rs->event.e = NULL;
    rs->event.map_count = 0; /* what is not filled of them stays empty */
}
