/*
 * box.h - what rules hold of a fact with many values: a userdata that shows a node of the record
 * under way.
 *
 * A box of a fact is made once for a ruleset and shows that fact of whatever record it was last
 * read from; a box of a part, such as a row of a list, shows one node in one run. Kept longer, both
 * are of no use.
 */
#ifndef PATHWAY_LUA_BOX_H
#define PATHWAY_LUA_BOX_H

#include <lauxlib.h>

#include "lua/state.h"

enum box_role {
    BOX_FACT,
    BOX_PART,  /* it lies in another node */
    BOX_EMPTY, /* it stands for every part of its type that is not there; can not be written */
};

struct box {
    const struct shape *shape;
    enum box_role role;
    uint16_t fact;     /* BOX_FACT */
    uint64_t record;   /* number of the record that it was read from */
    uint64_t run;      /* BOX_PART: the run in which it was read */
    struct node *node; /* BOX_PART; it may have moved */
    struct node *up;   /* BOX_PART: the node that it lies in; it may have moved */
    uint32_t number;   /* BOX_PART: among the ruleset's parts */
};

/* The box at `index`; raises unless it is one of the record under way. */
struct box *box_check(lua_State *L, int index);
/* Raises unless the box is of the record under way. */
void box_check_mine(lua_State *L, const struct box *b);
/* The node that a box shows, NULL: nothing is in it yet. */
struct node *box_node(struct ruleset *rs, struct box *b);
/* It is read: the key at stack index `key`, or (0) all of it. */
void box_note(lua_State *L, struct ruleset *rs, const struct box *b, int key);
/* Values held; of a row its fields. */
uint32_t box_count(const struct shape *shape, const struct node *n);
/* Push the value of a cell that lies in `up`: a scalar, or a box. */
void box_push_cell(lua_State *L, struct ruleset *rs, const struct shape *shape, struct cell cell,
                   struct node *up);
/* Keys are walked in their order; raises where they have none. */
void box_check_keys(lua_State *L, const struct shape *shape, const struct node *n);

/* "set", "list" ...: for messages. */
const char *box_word(const struct box *b);
void box_check_writable(lua_State *L, const struct box *b);
/* Does an overlay's reducer look at what is the national pack's? It may read it. */
bool box_is_sealed(const struct ruleset *rs, const struct box *b);
/* The box that a metamethod was called for. */
struct box *box_this(lua_State *L);
/* The field whose name is at a stack index; raises when there is none. */
const struct shape_field *box_check_field(lua_State *L, const struct shape *shape, int index);

/* box_each.c: each() */
int box_each(lua_State *L);

/* box_change.c */
extern const luaL_Reg BOX_SET_METHODS[], BOX_LIST_METHODS[];
int box_newindex(lua_State *L);
int box_clear(lua_State *L);
/* Add a part of a map with the key at stack index 2, which has none yet. */
struct node *box_add_part(lua_State *L, struct ruleset *rs, struct box *b);

#endif
