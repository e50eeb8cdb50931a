/* box_change.c - how facts with many values change: adding, removing, setting. What is taken out of
 * a record lives until the run ends, since a rule may still hold a box of it. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/box.h"
#include "lua/record_internal.h"
#include "lua/words.h"

static int no_memory(lua_State *L)
{
    return sandbox_raise_full(&ruleset_of(L)->sandbox);
}

static struct box *check_written(lua_State *L, int index)
{
    struct box *b = box_check(L, index);
    box_check_writable(L, b);
    return b;
}

/* ---- graves ---- */

/* Room for so many more that are buried. */
static void dig(lua_State *L, struct ruleset *rs, size_t more)
{
    if (!graves_dig(&rs->cells, more))
        no_memory(L);
}

/* Take `width` cells out of a node; somebody may still look at them. */
static void take_out(lua_State *L, struct ruleset *rs, struct node *n, uint32_t at, uint32_t width)
{
    dig(L, rs, width);
    for (uint32_t i = 0; i < width; i++)
        graves_bury(&rs->cells, n->cells[at + i]);
    sandbox_charge(L, (n->used - at) / 4);
    node_close(n, at, width);
}

/* ---- the node behind a box ---- */

/* Let another node, or none, stand where `old` stood in its record. The old one is the caller's. */
static void put_in_place(struct ruleset *rs, struct box *b, struct node *old, struct cell new)
{
    if (b->role == BOX_FACT) {
        rs->record->facts[b->fact] = new;
        return;
    }
    b->node = cell_node(new);
    b->up = node_now(b->up);
    for (uint32_t i = 0; i < b->up->used; i++) {
        if (b->up->cells[i].bits == cell_of_node(old).bits) {
            b->up->cells[i] = new;
            return;
        }
    }
    graves_bury(&rs->cells, new); /* the old one was taken out: both go when the run ends */
}

/* The box's node, with room for `more` cells. */
static struct node *make_room(lua_State *L, struct ruleset *rs, struct box *b, uint32_t more)
{
    struct node *n = box_node(rs, b);
    struct node *roomy = n;

    dig(L, rs, 2);
    if (!n)
        roomy = node_new(&rs->cells, more);
    else if (node_room(n) - n->used < more)
        roomy = node_grow(&rs->cells, n, more);
    if (!roomy)
        no_memory(L);
    else if (roomy != n)
        put_in_place(rs, b, n, cell_of_node(roomy));
    return roomy;
}

/* ---- values that come in ---- */

static size_t bury_row(lua_State *L, int value, const struct shape *shape, const char *what);

/* The cell for the value at stack index `value` in a place of this shape; a plain table becomes a
 * row. It is buried, so that an error does not lose it, until graves_raise() gives it to its place.
 */
static size_t bury_value(lua_State *L, int value, const struct shape *shape, const char *what)
{
    struct ruleset *rs = ruleset_of(L);
    const struct type *type = shape->type;
    char expected[400];

    if (type->kind == TYPE_ROW && lua_istable(L, value))
        return bury_row(L, value, shape, what);
    if (!type_is_scalar(type))
        luaL_error(L, "%s: found %s, expected %s", what, words_found(L, value),
                   type->kind == TYPE_ROW ? "a table of fields"
                                          : type_describe(type, expected, sizeof(expected)));
    dig(L, rs, 1);
    return graves_bury(&rs->cells, value_take(L, value, shape, what));
}

/* Raise for the first key, in the order of keys, that is no field. */
static void refuse_unknown(lua_State *L, int value, const struct shape *shape)
{
    sandbox_push_keys(L, value);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1))
        box_check_field(L, shape, -1);
    lua_pop(L, 2);
}

static struct node *new_row(lua_State *L, struct ruleset *rs, const struct shape *shape)
{
    dig(L, rs, 1);
    struct node *n = node_new(&rs->cells, shape->field_count);
    if (!n)
        no_memory(L);
    for (; n->used < shape->field_count; n->used++)
        n->cells[n->used] = (struct cell){ 0 };
    return n;
}

/* A row with the fields of the table at stack index `value`. */
static size_t bury_row(lua_State *L, int value, const struct shape *shape, const char *what)
{
    struct ruleset *rs = ruleset_of(L);
    uint32_t given = 0, count = 0;
    int top = lua_gettop(L);

    luaL_checkstack(L, 10, "rows nested too deep");
    sandbox_thaw(L, value);
    sandbox_fill(L, value);
    struct node *row = new_row(L, rs, shape);
    size_t place = graves_bury(&rs->cells, cell_of_node(row));
    for (lua_pushnil(L); lua_next(L, value); lua_pop(L, 1))
        given++;
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct shape_field *f = &shape->fields[i];
        lua_rawgeti(L, LUA_REGISTRYINDEX, f->ref);
        if (lua_rawget(L, value) != LUA_TNIL) {
            size_t grave = bury_value(L, lua_gettop(L), f->shape, f->name);
            row->cells[i] = graves_raise(&rs->cells, grave, (struct cell){ 0 });
            count++;
        }
        lua_settop(L, top);
    }
    if (given != count)
        refuse_unknown(L, value, shape);
    for (uint32_t i = 0; i < shape->field_count; i++)
        if (!shape->fields[i].is_optional && cell_is_nil(row->cells[i]))
            luaL_error(L, "%s: field %s is missing", what, shape->fields[i].name);
    return place;
}

/* ---- sets ---- */

/* Add the scalar at stack index `value`, which fits; true when it was new. */
static bool add_to_set(lua_State *L, struct ruleset *rs, struct box *b, int value,
                       struct cell known)
{
    uint32_t at;
    struct cell cell;

    if (node_seek(&at, box_node(rs, b), 1, known))
        return false;
    struct node *n = make_room(L, rs, b, 1);
    if (!value_own(L, value, true, &cell))
        no_memory(L);
    node_find(&at, n, 1, cell);
    sandbox_charge(L, (n->used - at) / 4);
    node_open(n, at, 1);
    n->cells[at] = cell;
    return true;
}

static int set_add(lua_State *L)
{
    struct box *b = check_written(L, 1);
    struct cell known = value_look(L, 2, b->shape->of, "add");

    add_to_set(L, ruleset_of(L), b, 2, known);
    return 0;
}

bool box_gather(lua_State *L, struct ruleset *rs, uint16_t fact, int value)
{
    const struct fact_def *f = &rs->subjects[rs->record->kind].facts[fact];
    struct cell known = value_look(L, value, f->shape->of, f->name);

    value = lua_absindex(L, value);
    box_push_fact(L, rs, fact);
    bool is_new = add_to_set(L, rs, lua_touserdata(L, -1), value, known);
    lua_pop(L, 1);
    return is_new;
}

static int set_remove(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = check_written(L, 1);
    struct cell value = value_look(L, 2, b->shape->of, "remove");
    struct node *n = box_node(rs, b);
    uint32_t at;

    if (node_find(&at, n, 1, value))
        take_out(L, rs, n, at, 1);
    return 0;
}

static int set_has(lua_State *L)
{
    struct box *b = box_check(L, 1);
    struct cell value = value_look(L, 2, b->shape->of, "has");
    uint32_t at;

    box_note(L, ruleset_of(L), b, 2);
    lua_pushboolean(L, node_seek(&at, box_node(ruleset_of(L), b), 1, value));
    return 1;
}

/* ---- lists ---- */

static void add_to_list(lua_State *L, struct ruleset *rs, struct box *b, int value)
{
    size_t grave = bury_value(L, value, b->shape->of, "add");
    struct node *n = make_room(L, rs, b, 1);

    n->cells[n->used++] = graves_raise(&rs->cells, grave, (struct cell){ 0 });
}

static int list_add(lua_State *L)
{
    struct box *b = check_written(L, 1);

    lua_settop(L, 2);
    add_to_list(L, ruleset_of(L), b, 2);
    return 0;
}

void box_add_row(lua_State *L, struct ruleset *rs, uint16_t fact, int value)
{
    value = lua_absindex(L, value);
    box_push_fact(L, rs, fact);
    add_to_list(L, rs, lua_touserdata(L, -1), value);
    lua_pop(L, 1);
}

/* Keep those cells of a list that have no mark; the old node can still be walked. */
static void keep_unmarked(lua_State *L, struct ruleset *rs, struct box *b, struct node *n,
                          const char *marks)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n->used; i++)
        kept += !marks[i];
    if (kept == n->used)
        return;
    dig(L, rs, (size_t)n->used + 2);
    struct node *new = node_new(&rs->cells, kept);
    if (!new)
        no_memory(L);
    for (uint32_t i = 0; i < n->used; i++) {
        if (marks[i])
            graves_bury(&rs->cells, n->cells[i]);
        else
            new->cells[new->used++] = n->cells[i];
    }
    new->handle = n->handle;
    n->handle = 0;
    n->state = NODE_SHELL;
    graves_bury(&rs->cells, cell_of_node(n));
    put_in_place(rs, b, n, cell_of_node(new));
}

/* list:remove_if(function(value) ... end) */
static int list_remove_if(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = check_written(L, 1);

    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    struct node *n = box_node(rs, b);
    size_t size = n ? n->used : 0;
    box_note(L, rs, b, 0);
    char *marks = lua_newuserdatauv(L, size + 1, 0);
    for (uint32_t i = 0; n && i < n->used; i++) {
        if (i == size) { /* the function has added to the list */
            char *more = lua_newuserdatauv(L, size * 2 + 1, 0);
            memcpy(more, marks, size);
            lua_replace(L, 3);
            marks = more;
            size *= 2;
        }
        lua_pushvalue(L, 2);
        box_push_cell(L, rs, b->shape->of, n->cells[i], n);
        lua_call(L, 1, 1);
        if (lua_type(L, -1) == LUA_TNUMBER || lua_type(L, -1) == LUA_TSTRING)
            return luaL_error(L,
                              "remove_if: the function gave %s; expected true for what is to be "
                              "taken out, else false",
                              words_found(L, -1));
        marks[i] = (char)lua_toboolean(L, -1);
        lua_pop(L, 1);
        n = node_now(n);
        if (n != box_node(rs, b))
            return luaL_error(L, "remove_if: the function may not take values out itself");
    }
    if (n)
        keep_unmarked(L, rs, b, n, marks);
    return 0;
}

void box_remove_rows(lua_State *L, struct ruleset *rs, uint16_t fact, uint32_t field,
                     const struct text *value)
{
    box_push_fact(L, rs, fact);
    struct box *b = lua_touserdata(L, -1);
    struct node *n = box_node(rs, b);

    if (n && value) {
        char *marks = lua_newuserdatauv(L, n->used + 1u, 0);
        for (uint32_t i = 0; i < n->used; i++)
            marks[i] = cell_text(cell_node(n->cells[i])->cells[field]) == value;
        keep_unmarked(L, rs, b, n, marks);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* clear(container) and container:clear() */
int box_clear(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = check_written(L, 1);
    struct node *n = box_node(rs, b);
    struct node *empty = NULL;

    if (!n)
        return 0;
    dig(L, rs, 3);
    if (b->role == BOX_PART) {
        bool is_row = b->shape->type->kind == TYPE_ROW;
        empty = is_row ? new_row(L, rs, b->shape) : node_new(&rs->cells, 1);
        if (!empty)
            no_memory(L);
        empty->handle = n->handle;
        n->handle = 0;
    }
    put_in_place(rs, b, n, empty ? cell_of_node(empty) : (struct cell){ 0 });
    graves_bury(&rs->cells, cell_of_node(n));
    return 0;
}

/* ---- maps and rows ---- */

struct node *box_add_part(lua_State *L, struct ruleset *rs, struct box *b)
{
    uint32_t at;
    struct cell key;
    struct node *n = make_room(L, rs, b, 2);
    struct node *inner = node_new(&rs->cells, 1);

    if (!inner || !value_own(L, 2, true, &key)) {
        if (inner)
            cell_release(&rs->cells, cell_of_node(inner));
        no_memory(L);
    }
    node_find(&at, n, 2, key);
    sandbox_charge(L, (n->used - at) / 4);
    node_open(n, at, 2);
    n->cells[at] = key;
    n->cells[at + 1] = cell_of_node(inner);
    return inner;
}

/* How a message names the key at stack index 2, which must stay what it is. */
static const char *key_name(lua_State *L, char *out)
{
    if (lua_type(L, 2) == LUA_TSTRING)
        return lua_tostring(L, 2);
    if (lua_isinteger(L, 2))
        return int_text(lua_tointeger(L, 2), out);
    lua_pushvalue(L, 2);
    return lua_tostring(L, -1);
}

static void set_in_map(lua_State *L, struct ruleset *rs, struct box *b)
{
    struct cell key = value_look(L, 2, b->shape->key, "key");
    char name[INT_TEXT];
    uint32_t at;

    if (lua_isnil(L, 3)) {
        if (node_find(&at, box_node(rs, b), 2, key))
            take_out(L, rs, box_node(rs, b), at, 2);
        return;
    }
    size_t grave = bury_value(L, 3, b->shape->of, key_name(L, name));
    struct node *n = box_node(rs, b);
    if (node_find(&at, n, 2, key)) { /* they change places */
        n->cells[at + 1] = graves_raise(&rs->cells, grave, n->cells[at + 1]);
        return;
    }
    n = make_room(L, rs, b, 2);
    if (!value_own(L, 2, true, &key))
        no_memory(L);
    node_find(&at, n, 2, key);
    sandbox_charge(L, (n->used - at) / 4);
    node_open(n, at, 2);
    n->cells[at] = key;
    n->cells[at + 1] = graves_raise(&rs->cells, grave, (struct cell){ 0 });
}

static void set_in_row(lua_State *L, struct ruleset *rs, struct box *b)
{
    const struct shape_field *f = box_check_field(L, b->shape, 2);
    uint32_t i = (uint32_t)(f - b->shape->fields);
    struct node *n = box_node(rs, b);

    if (!n) { /* a fact that is a row, for the first time */
        n = new_row(L, rs, b->shape);
        put_in_place(rs, b, NULL, cell_of_node(n));
    }
    if (lua_isnil(L, 3)) {
        dig(L, rs, 1);
        graves_bury(&rs->cells, n->cells[i]);
        n->cells[i] = (struct cell){ 0 };
        return;
    }
    size_t grave = bury_value(L, 3, f->shape, f->name);
    n->cells[i] = graves_raise(&rs->cells, grave, n->cells[i]);
}

int box_newindex(lua_State *L)
{
    struct ruleset *rs = ruleset_of(L);
    struct box *b = box_this(L);

    box_check_writable(L, b);
    lua_settop(L, 3);
    if (b->shape->type->kind == TYPE_ROW)
        set_in_row(L, rs, b);
    else if (b->shape->type->kind == TYPE_MAP)
        set_in_map(L, rs, b);
    else
        return luaL_error(L, "a %s is changed by its methods, such as add", box_word(b));
    return 0;
}

const luaL_Reg BOX_SET_METHODS[] = { { "add", set_add },
                                     { "remove", set_remove },
                                     { "has", set_has },
                                     { "clear", box_clear },
                                     { NULL, NULL } };
const luaL_Reg BOX_LIST_METHODS[] = {
    { "add", list_add }, { "remove_if", list_remove_if }, { "clear", box_clear }, { NULL, NULL }
};
