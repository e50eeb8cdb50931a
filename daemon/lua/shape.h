/*
 * shape.h - a pack's type with what this layer needs to be quick about it: names as Lua's own
 * strings, an enum's values as texts.
 *
 * Shapes are made when a pack is loaded, in the ruleset's arena, and are read-only from then on.
 */
#ifndef PATHWAY_LUA_SHAPE_H
#define PATHWAY_LUA_SHAPE_H

#include <lua.h>

#include "lua/cells.h"
#include "model/type.h"

struct shape_field {
    const char *name;
    const void *at; /* address of the name as Lua's own string: of a short one there is only one */
    int ref;        /* Lua registry reference of that string */
    const struct shape *shape;
    bool is_optional;
};

struct shape {
    const struct type *type;
    const struct shape *key;    /* TYPE_MAP */
    const struct shape *of;     /* TYPE_SET, TYPE_LIST, TYPE_MAP */
    struct shape_field *fields; /* TYPE_ROW */
    uint32_t field_count;
    struct text **values; /* TYPE_ENUM */
    uint32_t value_count;
    uint32_t width; /* of a node of it: 2 for a map, else 1 */
    int empty; /* Lua registry reference of the box that stands for none; LUA_NOREF: not made yet */
};

/* The shape of a type, the same for the same type. Raises for lack of memory. */
struct shape *shape_of(lua_State *L, const struct type *type);
/* The field whose name is at a stack index, or NULL. */
const struct shape_field *shape_field(lua_State *L, const struct shape *s, int index);

#endif
