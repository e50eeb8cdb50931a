/* box_each.c - each(): sets and maps in the order of their keys, lists in their own. While a
 * reducer runs what is walked may change: then what was there at the start is walked, of a map
 * without what was taken out. */
#include <string.h>

#include <lauxlib.h>

#include "lua/box.h"

/* What was there at the start: keys, or a list's values. */
struct walk {
    uint64_t run;
    struct node *node; /* as it was; it may have moved */
    uint32_t count;
    struct cell cells[];
};

static int push_key_and_value(lua_State *L, struct ruleset *rs, const struct shape *shape,
                              struct node *n, uint32_t at)
{
    bool is_map = shape->type->kind == TYPE_MAP;

    box_push_cell(L, rs, is_map ? shape->key : shape->of, n->cells[at], n);
    if (is_map)
        box_push_cell(L, rs, shape->of, n->cells[at + 1], n);
    return is_map ? 2 : 1;
}

static void go_to(lua_State *L, lua_Integer i)
{
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(2));
}

/* Upvalues: the box; how far it came. */
static int next_judging(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));

    box_check_mine(L, b);
    struct node *n = box_node(rs, b);
    if (!n || (uint64_t)i * b->shape->width >= n->used)
        return 0;
    go_to(L, i + 1);
    return push_key_and_value(L, rs, b->shape, n, (uint32_t)i * b->shape->width);
}

/* The same, and the walk. */
static int next_writing(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
    struct walk *w = lua_touserdata(L, lua_upvalueindex(3));
    uint32_t at;

    box_check_mine(L, b);
    if (w->run != rs->run)
        return luaL_error(L, "this each was begun in another call; a rule keeps nothing between "
                             "two calls");
    w->node = node_now(w->node);
    for (; i < (lua_Integer)w->count; i++) {
        struct cell cell = w->cells[i];
        if (b->shape->type->kind != TYPE_MAP) {
            go_to(L, i + 1);
            box_push_cell(L, rs, b->shape->of, cell, w->node);
            return 1;
        }
        if (node_find(&at, w->node, 2, cell)) {
            go_to(L, i + 1);
            return push_key_and_value(L, rs, b->shape, w->node, at);
        }
    }
    go_to(L, i);
    return 0;
}

static void push_walk(lua_State *L, struct ruleset *rs, const struct shape *shape, struct node *n)
{
    uint32_t count = n ? n->used / shape->width : 0;
    struct walk *w = lua_newuserdatauv(L, sizeof(*w) + count * sizeof(w->cells[0]), 0);

    *w = (struct walk){ .run = rs->run, .node = n, .count = count };
    for (uint32_t i = 0; i < count; i++)
        w->cells[i] = n->cells[i * shape->width];
}

/* for v in each(set or list) do; for k, v in each(map) do */
int box_each(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);

    if (lua_istable(L, 1))
        return luaL_error(L, "each: found a table, expected a fact that is a set, list or map; use "
                             "ipairs or pairs");
    struct box *b = box_check(L, 1);
    struct node *n = box_node(rs, b);
    if (b->shape->type->kind == TYPE_ROW)
        return luaL_error(L, "each: found a row, expected a set, list or map");
    box_check_keys(L, b->shape, n);
    box_note(L, rs, b, 0);
    lua_settop(L, 1);
    lua_pushinteger(L, 0);
    if (rs->is_writing)
        push_walk(L, rs, b->shape, n);
    lua_pushcclosure(L, rs->is_writing ? next_writing : next_judging, rs->is_writing ? 3 : 2);
    return 1;
}
