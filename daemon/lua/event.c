/* event.c - the event that a reducer sees: tables that are filled as they are read, since an event
 * touches many subjects and each reads a little of it. They are the same tables for every event,
 * unless a pack writes to them. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"

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
    const void *at = lua_topointer(L, 2);

    for (int i = 0; i < EVENT_NAMES; i++)
        if (v->names[i] == at)
            return i;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
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

/* e.name, unless that is in the table. Only what a pack could change, the list, is kept there; and
 * its data. */
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
        v->told |= 1u << NAME_AS;
        keep_value(L);
        break;
    default: /* the pack has made its data nil */
        return 0;
    }
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

static int unknown_field(lua_State *L, const struct shape *shape)
{
    const char *names[128];
    char hint[160];
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    uint32_t count = shape->field_count < 128 ? shape->field_count : 128;

    for (uint32_t i = 0; i < count; i++)
        names[i] = shape->fields[i].name;
    return luaL_error(L, "unknown field '%s' of the event's data%s", name,
                      text_hint(hint, sizeof(hint), name, names, count));
}

/* A list, row or map of the data, which stays in the table, so that it is the same one each
 * time. */
static void push_kept(lua_State *L, struct event_view *v, const struct shape_field *f,
                      const struct json *json)
{
    size_t i = (size_t)(f - v->data->fields);
    bool is_map = f->shape->type->kind == TYPE_MAP && json->type == JSON_OBJECT;

    if (!is_map || !push_map(L, v, json, f->shape))
        event_push_json(L, json, f->shape->type);
    if (i < 64)
        v->data_told |= 1ull << i;
    else
        v->is_spoilt = true;
    keep_value(L);
}

/* e.data.name, unless that is in the table */
static int data_index(lua_State *L)
{
    struct event_view *v = this_event(L);
    const struct shape_field *f = shape_field(L, v->data, 2);

    if (!f)
        return unknown_field(L, v->data);
    if (f->shape->type->kind == TYPE_NOTE)
        return luaL_error(L, "%s is a note: free text for people, which rules can not read",
                          f->name);
    size_t i = (size_t)(f - v->data->fields);
    const struct json *json = member(v->e->data, f->name);
    if (!json || (i < 64 && v->data_told >> i & 1))
        return 0; /* optional and not given, or made nil by the pack */
    if (type_is_scalar(f->shape->type))
        event_push_scalar(L, json, f->shape->type);
    else
        push_kept(L, v, f, json);
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
    event_push_json(L, json, m->shape->of->type);
    keep_value(L);
    return 1;
}

/* ---- all of it at once, for pairs() and for rows made of it ---- */

/* Put into the table at index 1 what a read gives. */
static void fill_in(lua_State *L, const char *name)
{
    lua_settop(L, 1);
    lua_pushstring(L, name);
    lua_pushvalue(L, -1);
    lua_gettable(L, 1);
    lua_rawset(L, 1);
}

/* It may hold more than is cleared then. */
static int event_fill(lua_State *L)
{
    this_event(L)->is_spoilt = true;
    for (int i = 0; i < EVENT_NAMES; i++)
        fill_in(L, NAMES[i]);
    return 0;
}

static int data_fill(lua_State *L)
{
    struct event_view *v = this_event(L);

    v->is_spoilt = true;
    for (uint32_t i = 0; i < v->data->field_count; i++)
        if (v->data->fields[i].shape->type->kind != TYPE_NOTE)
            fill_in(L, v->data->fields[i].name);
    return 0;
}

static int map_fill(lua_State *L)
{
    const struct event_map *m = find_map(L);

    for (const struct json *i = m ? m->json->as.first : NULL; i; i = i->next)
        fill_in(L, i->name);
    return 0;
}

/* ---- from one event to the next ---- */

/* The pack sets what was not read yet: that stays what the pack made it, and the table is
 * its own. */
static int event_newindex(lua_State *L)
{
    struct event_view *v = &ruleset_of(L)->event;
    const void *at = lua_topointer(L, 2);

    for (int i = 0; i < EVENT_NAMES; i++)
        if (v->names[i] == at)
            v->told |= 1u << i;
    v->is_spoilt = true;
    lua_rawset(L, 1);
    return 0;
}

static int data_newindex(lua_State *L)
{
    struct event_view *v = &ruleset_of(L)->event;
    const struct shape_field *f = shape_field(L, v->data, 2);

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
        lua_pushstring(L, NAMES[i]);
        v->names[i] = lua_topointer(L, -1);
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

static void new_tables(lua_State *L, struct event_view *v)
{
    new_table(L, &v->event_table, v->event_meta, 2);
    new_table(L, &v->data_table, v->data_meta, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->event_table);
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->name_refs[NAME_DATA]);
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->data_table);
    v->data_at = lua_topointer(L, -1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    v->is_spoilt = false;
}

/* Has the pack put something else in the place of the event's data? The event is on top. */
static bool is_data_another(lua_State *L, const struct event_view *v)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->name_refs[NAME_DATA]);
    lua_rawget(L, -2);
    bool is_another = lua_topointer(L, -1) != v->data_at;
    lua_pop(L, 1);
    return is_another;
}

/* Make nil what the table on top has of the last event under this name. */
static void clear_name(lua_State *L, int ref)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    lua_pushnil(L);
    lua_rawset(L, -3);
}

static void clear_data(lua_State *L, const struct event_view *v)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->data_table);
    for (uint64_t bits = v->data_told; bits; bits &= bits - 1)
        clear_name(L, v->data->fields[__builtin_ctzll(bits)].ref);
    lua_pop(L, 1);
}

void event_push(lua_State *L, const struct fold_event *e, const struct shape *data)
{
    struct event_view *v = &ruleset_of(L)->event;

    lua_rawgeti(L, LUA_REGISTRYINDEX, v->event_table);
    if (v->is_spoilt || is_data_another(L, v)) {
        new_tables(L, v);
        lua_rawgeti(L, LUA_REGISTRYINDEX, v->event_table);
        lua_remove(L, -2);
    } else {
        if (v->told)
            clear_name(L, v->name_refs[NAME_AS]);
        if (v->data_told)
            clear_data(L, v);
    }
    v->told = 0;
    v->data_told = 0;
    v->map_count = 0;
    v->data = data;
    v->e = e;
}

void event_end(struct ruleset *rs)
{
    rs->event.e = NULL;
    rs->event.map_count = 0; /* what is not filled of them stays empty */
}
