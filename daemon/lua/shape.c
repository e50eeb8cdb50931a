/* shape.c - see shape.h. */
#include "lua/shape.h"

#include <string.h>

#include <lauxlib.h>

#include "lua/state.h"

static void *need(lua_State *L, size_t size)
{
    void *p = arena_alloc(&ruleset_of(L)->arena, size);
    if (!p)
        sandbox_raise_starved(&ruleset_of(L)->sandbox);
    return p;
}

static void add_fields(lua_State *L, struct shape *s)
{
    s->field_count = s->type->field_count;
    s->fields = need(L, sizeof(*s->fields) * (s->field_count + 1));
    for (uint32_t i = 0; i < s->field_count; i++) {
        const struct type_field *f = &s->type->fields[i];
        struct shape_field *field = &s->fields[i];
        field->name = f->name;
        lua_pushstring(L, f->name);
        field->at = lua_topointer(L, -1);
        field->ref = luaL_ref(L, LUA_REGISTRYINDEX);
        field->is_optional = f->is_optional;
        field->shape = shape_of(L, f->type);
    }
}

static void add_values(lua_State *L, struct shape *s)
{
    s->values = need(L, sizeof(struct text *) * (s->type->value_count + 1));
    for (; s->value_count < s->type->value_count; s->value_count++) {
        const char *value = s->type->values[s->value_count];
        size_t len = strlen(value);
        struct text *t = text_hold(&ruleset_of(L)->cells, value, len, text_hash(value, len));
        if (!t)
            sandbox_raise_starved(&ruleset_of(L)->sandbox);
        s->values[s->value_count] = t;
    }
}

struct shape *shape_of(lua_State *L, const struct type *type)
{
    struct ruleset *rs = ruleset_of(L);
    const char *key = (const char *)&type;
    struct strmap_item *item = strmap_find(&rs->shapes, key, sizeof(type));

    if (item)
        return item->as.ptr;
    struct shape *s = need(L, sizeof(*s));
    *s =
        (struct shape){ .type = type, .empty = LUA_NOREF, .width = type->kind == TYPE_MAP ? 2 : 1 };
    luaL_checkstack(L, 10, "types nested too deep");
    if (type->key)
        s->key = shape_of(L, type->key);
    if (type->of)
        s->of = shape_of(L, type->of);
    if (type->kind == TYPE_ROW)
        add_fields(L, s);
    if (type->kind == TYPE_ENUM)
        add_values(L, s);
    item = strmap_add(&rs->shapes, (const char *)&s->type, sizeof(s->type), NULL);
    if (!item)
        sandbox_raise_starved(&ruleset_of(L)->sandbox);
    item->as.ptr = s;
    return s;
}

const struct shape_field *shape_field(lua_State *L, const struct shape *s, int index)
{
    const void *at = lua_topointer(L, index);

    for (uint32_t i = 0; i < s->field_count; i++)
        if (s->fields[i].at == at)
            return &s->fields[i];
    if (lua_type(L, index) != LUA_TSTRING)
        return NULL;
    const char *name = lua_tostring(L, index); /* a long name is not always at the same place */
    for (uint32_t i = 0; i < s->field_count; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return &s->fields[i];
    return NULL;
}
