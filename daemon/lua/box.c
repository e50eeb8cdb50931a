/* box.c - see box.h. Sets, lists, maps and rows as rules see them; how they are changed:
 * box_change.c. */
#include "lua/box.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"
#include "lua/trace_internal.h"
#include "lua/words.h"

#define PARTS_KEPT 512
#define HANDLE_MAX ((1 << 23) - 1)

/* ---- which box ---- */

const char *box_word(const struct box *b)
{
    switch (b->shape->type->kind) {
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

static int kind_index(const struct shape *shape)
{
    return (int)shape->type->kind - (int)TYPE_SET;
}

static struct box *to_box(lua_State *L, int index)
{
    const struct ruleset *rs = ruleset_of(L);
    struct box *b = lua_touserdata(L, index);

    if (!b || !lua_getmetatable(L, index))
        return NULL;
    const void *meta = lua_topointer(L, -1);
    lua_pop(L, 1);
    for (int i = 0; i < BOX_KINDS; i++)
        if (rs->box_meta_at[i] == meta)
            return b;
    return NULL;
}

void box_check_mine(lua_State *L, const struct box *b)
{
    const struct ruleset *rs = ruleset_of(L);

    if (b->role != BOX_EMPTY && b->record != rs->record_number)
        luaL_error(L, "this was read from another subject; a rule keeps nothing between two calls");
    if (b->role == BOX_PART && b->run != rs->run)
        luaL_error(L, "this was read in another call; a rule keeps nothing between two calls");
}

struct box *box_check(lua_State *L, int index)
{
    struct box *b = to_box(L, index);

    if (!b)
        luaL_error(L,
                   "found %s, expected a fact that is a set, list or map; methods are called with "
                   "a colon: s.leads:add(...)",
                   words_found(L, index));
    else
        box_check_mine(L, b);
    return b;
}

/* Is this one of the nodes that lie in another? */
static bool holds_node(const struct node *in, const struct node *n)
{
    bool is_found = in == n;

    for (uint32_t i = 0; in && i < in->used && !is_found; i++) {
        const struct node *part = cell_node(in->cells[i]);
        is_found = part && holds_node(part, n);
    }
    return is_found;
}

bool box_is_sealed(const struct ruleset *rs, const struct box *b)
{
    const struct subject_defs *defs = &rs->subjects[rs->record->kind];
    bool is_own = false;

    if (!rs->is_own_only || b->role == BOX_EMPTY)
        return false;
    if (b->role == BOX_FACT)
        return !defs->facts[b->fact].is_own;
    const struct node *n = node_now(b->node);
    for (uint16_t i = 0; i < defs->fact_count && !is_own; i++) {
        const struct node *fact = cell_node(rs->record->facts[i]);
        is_own = defs->facts[i].is_own && fact && holds_node(fact, n);
    }
    return !is_own;
}

void box_check_writable(lua_State *L, const struct box *b)
{
    if (!ruleset_of(L)->is_writing)
        luaL_error(
            L, "facts are changed only by reducers (the functions under `on`), not while judging");
    if (b->role == BOX_EMPTY)
        luaL_error(L, "this empty %s was read before the reducer began; read it again through s",
                   box_word(b));
    if (box_is_sealed(ruleset_of(L), b))
        luaL_error(L, "this %s belongs to the national pack; an overlay changes facts of its own",
                   box_word(b));
}

/* For metamethods, whose first argument is always a box. */
struct box *box_this(lua_State *L)
{
    struct box *b = lua_touserdata(L, 1);
    box_check_mine(L, b);
    return b;
}

struct node *box_node(struct ruleset *rs, struct box *b)
{
    if (b->role == BOX_FACT)
        return cell_node(rs->record->facts[b->fact]);
    if (b->role == BOX_PART)
        b->node = node_now(b->node);
    return b->node;
}

uint32_t box_count(const struct shape *shape, const struct node *n)
{
    uint32_t count = 0;

    if (!n || shape->type->kind != TYPE_ROW)
        return n ? n->used / shape->width : 0;
    for (uint32_t i = 0; i < n->used; i++)
        count += !cell_is_nil(n->cells[i]);
    return count;
}

void box_check_keys(lua_State *L, const struct shape *shape, const struct node *n)
{
    const struct shape *key = shape->type->kind == TYPE_MAP ? shape->key : shape->of;

    if (n && n->used > 0 && shape->type->kind != TYPE_LIST && key->type->kind == TYPE_BOOL)
        luaL_error(L, "a key is true or false; only numbers and texts have an order");
}

/* Of what lies deeper it was noted when it was taken out. */
void box_note(lua_State *L, struct ruleset *rs, const struct box *b, int key)
{
    if (!rs->is_traced || b->role != BOX_FACT)
        return;
    if (key)
        trace_read_at(L, rs, b->fact, key);
    else
        trace_read(rs, b->fact, NULL, 0);
}

/* ---- pushing ---- */

static struct box *push_box(lua_State *L, const struct shape *shape, enum box_role role)
{
    struct box *b = lua_newuserdatauv(L, sizeof(*b), 0);

    *b = (struct box){ .shape = shape, .role = role };
    lua_rawgeti(L, LUA_REGISTRYINDEX, ruleset_of(L)->box_metas[kind_index(shape)]);
    lua_setmetatable(L, -2);
    return b;
}

int box_make(lua_State *L, const struct shape *shape, uint16_t fact)
{
    push_box(L, shape, BOX_FACT)->fact = fact;
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

void box_push_fact(lua_State *L, struct ruleset *rs, uint16_t fact)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].facts[fact].box);
    struct box *b = lua_touserdata(L, -1);
    b->record = rs->record_number;
}

/* Shapes are read-only but for this, which is made at first need. */
static void push_empty(lua_State *L, const struct shape *shape)
{
    struct shape *s = (struct shape *)(uintptr_t)shape;

    if (s->empty == LUA_NOREF) {
        push_box(L, s, BOX_EMPTY);
        s->empty = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->empty);
}

static void forget_part(struct ruleset *rs, struct box *b)
{
    struct box *last = rs->parts[--rs->part_count];

    rs->parts[b->number] = last;
    last->number = b->number;
}

/* A node that a box shows is gone. */
static void forget_node(struct cells *c, struct node *n)
{
    lua_State *L = c->sandbox->L;

    lua_rawgeti(L, LUA_REGISTRYINDEX, n->handle);
    forget_part(ruleset_of(L), lua_touserdata(L, -1));
    lua_pop(L, 1);
    luaL_unref(L, LUA_REGISTRYINDEX, n->handle);
}

void box_forget_parts(struct ruleset *rs)
{
    if (rs->part_count <= PARTS_KEPT)
        return;
    while (rs->part_count > 0) {
        struct box *b = rs->parts[rs->part_count - 1];
        struct node *n = node_now(b->node);
        luaL_unref(rs->sandbox.L, LUA_REGISTRYINDEX, n->handle);
        n->handle = 0;
        rs->part_count--;
    }
}

static void add_part(lua_State *L, struct ruleset *rs, struct box *b, struct node *n)
{
    if (rs->part_count == rs->part_cap) {
        uint32_t cap = rs->part_cap ? rs->part_cap * 2 : 64;
        struct box **grown = realloc(rs->parts, cap * sizeof(struct box *));
        if (!grown)
            sandbox_raise_starved(&rs->sandbox);
        rs->parts = grown;
        rs->part_cap = cap;
    }
    lua_pushvalue(L, -1);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    if (ref > HANDLE_MAX) { /* so many at once: this one is not the same the next time */
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        return;
    }
    b->number = rs->part_count;
    rs->parts[rs->part_count++] = b;
    n->handle = (uint32_t)ref & HANDLE_MAX;
}

/* The same node is the same box for as long as a run goes. */
static void push_part(lua_State *L, struct ruleset *rs, const struct shape *shape, struct node *n,
                      struct node *up)
{
    struct box *b;

    if (n->handle) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, n->handle);
        b = lua_touserdata(L, -1);
    } else {
        b = push_box(L, shape, BOX_PART);
        b->node = n;
        add_part(L, rs, b, n);
    }
    b->up = up;
    b->record = rs->record_number;
    b->run = rs->run;
}

void box_push_cell(lua_State *L, struct ruleset *rs, const struct shape *shape, struct cell cell,
                   struct node *up)
{
    if (cell_tag(cell) == CELL_NODE)
        push_part(L, rs, shape, cell_node(cell), up);
    else
        value_push(L, rs, cell);
}

/* ---- the object itself ---- */

static int unknown_method(lua_State *L, const struct box *b)
{
    static const char *const SET[] = { "add", "remove", "has", "clear" };
    static const char *const LIST[] = { "add", "remove_if", "clear" };
    char hint[160];
    bool is_set = b->shape->type->kind == TYPE_SET;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

    if (is_set && lua_type(L, 2) == LUA_TNUMBER)
        return luaL_error(L,
                          "a set has no places and no order to take [%d] from; ask whether it "
                          "holds a value by :has(...), or go through it by each(...)",
                          (int)lua_tointeger(L, 2));
    return luaL_error(L, "a %s has no '%s'%s", box_word(b), name,
                      text_hint(hint, sizeof(hint), name, is_set ? SET : LIST, is_set ? 4 : 3));
}

/* The methods are the first upvalue. */
static int set_or_list_index(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = box_this(L);

    if (b->shape->type->kind == TYPE_LIST && lua_isinteger(L, 2)) {
        box_note(L, rs, b, 0);
        const struct node *n = box_node(rs, b);
        lua_Integer i = lua_tointeger(L, 2);
        if (n && i >= 1 && i <= (lua_Integer)n->used)
            box_push_cell(L, rs, b->shape->of, n->cells[i - 1], (struct node *)(uintptr_t)n);
        else
            lua_pushnil(L);
        return 1;
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL)
        return unknown_method(L, b);
    return 1;
}

static int map_index(lua_State *L, struct ruleset *rs, struct box *b)
{
    const struct shape *of = b->shape->of;
    struct cell key = value_look(L, 2, b->shape->key, "key");
    struct node *n = box_node(rs, b);
    uint32_t at;

    box_note(L, rs, b, 2);
    if (node_seek(&at, n, 2, key)) {
        box_push_cell(L, rs, of, n->cells[at + 1], n);
    } else if (type_is_scalar(of->type) || of->type->kind == TYPE_ROW) {
        lua_pushnil(L); /* there is no empty row, as there is an empty set */
    } else if (!rs->is_writing || b->role == BOX_EMPTY || box_is_sealed(rs, b)) {
        push_empty(L, of);
    } else {
        struct node *inner = box_add_part(L, rs, b);
        push_part(L, rs, of, inner, box_node(rs, b));
    }
    return 1;
}

const struct shape_field *box_check_field(lua_State *L, const struct shape *shape, int index)
{
    const char *names[64];
    char hint[160];
    const struct shape_field *f = shape_field(L, shape, index);
    uint32_t count = shape->field_count < 64 ? shape->field_count : 64;

    if (f)
        return f;
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "?";
    for (uint32_t i = 0; i < count; i++)
        names[i] = shape->fields[i].name;
    luaL_error(L, "unknown field '%s'%s", name, text_hint(hint, sizeof(hint), name, names, count));
    return NULL;
}

static int map_or_row_index(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = box_this(L);

    if (b->shape->type->kind == TYPE_MAP)
        return map_index(L, rs, b);
    const struct shape_field *f = box_check_field(L, b->shape, 2);
    struct node *n = box_node(rs, b);
    box_note(L, rs, b, 0);
    if (n)
        box_push_cell(L, rs, f->shape, n->cells[f - b->shape->fields], n);
    else
        lua_pushnil(L);
    return 1;
}

static int box_len(lua_State *L)
{
    struct box *b = box_this(L);
    box_note(L, ruleset_of(L), b, 0);
    lua_pushinteger(L, box_count(b->shape, box_node(ruleset_of(L), b)));
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

/* Make the metatable of one kind of container. */
static void register_kind(lua_State *L, struct ruleset *rs, enum type_kind kind,
                          const luaL_Reg *methods)
{
    static const char *const NAMES[BOX_KINDS] = { [TYPE_SET - TYPE_SET] = "pathway.set",
                                                  [TYPE_LIST - TYPE_SET] = "pathway.list",
                                                  [TYPE_MAP - TYPE_SET] = "pathway.map",
                                                  [TYPE_ROW - TYPE_SET] = "pathway.row" };
    int i = (int)kind - (int)TYPE_SET;

    lua_createtable(L, 0, 5);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_pushcclosure(L, methods[0].name ? set_or_list_index : map_or_row_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, box_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, box_len);
    lua_setfield(L, -2, "__len");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushstring(L, NAMES[i]);
    lua_setfield(L, -2, "__name"); /* for messages, see words_of_object() */
    rs->box_meta_at[i] = lua_topointer(L, -1);
    rs->box_metas[i] = luaL_ref(L, LUA_REGISTRYINDEX);
}

void box_register(lua_State *L)
{
    static const luaL_Reg NONE[] = { { NULL, NULL } };
    struct ruleset *rs = ruleset_of(L);

    rs->cells.forget = forget_node;
    register_kind(L, rs, TYPE_SET, BOX_SET_METHODS);
    register_kind(L, rs, TYPE_LIST, BOX_LIST_METHODS);
    register_kind(L, rs, TYPE_MAP, NONE);
    register_kind(L, rs, TYPE_ROW, NONE);
}

void box_add_functions(lua_State *L)
{
    lua_pushcfunction(L, box_each);
    lua_setfield(L, -2, "each");
    lua_pushcfunction(L, box_clear);
    lua_setfield(L, -2, "clear");
}
