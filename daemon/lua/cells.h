/*
 * cells.h - what facts hold, outside Lua: a nation of records is no work for its collector.
 *
 * A cell is one value in eight bytes: nothing, true or false, a number, a text that is shared by
 * all who hold it, or a node. A node is the contents of a set, list, map or row, and is held by one
 * cell. All memory counts against the cap of the sandbox.
 */
#ifndef PATHWAY_LUA_CELLS_H
#define PATHWAY_LUA_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "lua/sandbox.h"

/* Equal texts are the same one. */
struct text {
    struct text *next; /* with the same end of its hash */
    uint32_t refs;
    uint32_t hash;
    uint32_t len;
    uint32_t fits; /* kinds of scalar types that it is known to fit: a bit each */
    int32_t ref;   /* Lua registry reference of it as a string; LUA_NOREF: none yet */
    char bytes[];  /* and a NUL */
};

enum cell_tag {
    CELL_NIL,
    CELL_BOOL,
    CELL_INT,
    CELL_WIDE, /* a number that needs all its 64 bits */
    CELL_TEXT,
    CELL_NODE,
};
#define CELL_TAG ((uint64_t)7)
/* What is looked for and held nowhere: equal to no cell. */
#define CELL_UNKNOWN ((struct cell){ 6 })

struct cell {
    uint64_t bits; /* the tag in the lowest three; 0: nothing */
};

struct wide {
    uint32_t refs;
    bool is_real;
    union {
        int64_t integer;
        double real;
    } as;
};

/*
 * Cells side by side: a set's values and a map's keys (each with its value behind it) in their
 * order, a list's values, a row's fields by their number.
 */
struct node {
    uint32_t used;     /* cells */
    uint32_t room : 6; /* how many there is room for: see node_room() */
    uint32_t state : 2;
    uint32_t handle : 23; /* Lua registry reference of the box that shows it to rules; 0: none */
    uint32_t is_buried : 1;
    struct cell cells[];
};
enum node_state {
    NODE_GOOD,
    NODE_MOVED, /* all is in another node, which cells[0] holds */
    NODE_SHELL, /* its cells belong to somebody else; they can still be read */
};

struct cells {
    struct sandbox *sandbox; /* borrowed */
    struct text **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t text_count;
    uint32_t string_count; /* texts that have a `ref` */
    struct cell *graves;   /* taken out in the run under way: somebody may still look at them */
    size_t grave_count, grave_cap;
    void (*forget)(struct cells *c, struct node *n); /* a node that has a handle goes */
};

static inline enum cell_tag cell_tag(struct cell c)
{
    return (enum cell_tag)(c.bits & CELL_TAG);
}

static inline bool cell_is_nil(struct cell c)
{
    return c.bits == 0;
}

static inline struct cell cell_bool(bool b)
{
    return (struct cell){ (uint64_t)b << 3 | CELL_BOOL };
}

static inline bool cell_is_true(struct cell c) /* as Lua sees it */
{
    return c.bits != 0 && c.bits != CELL_BOOL;
}

static inline struct text *cell_text(struct cell c)
{
    return cell_tag(c) == CELL_TEXT ? (struct text *)(uintptr_t)(c.bits & ~CELL_TAG) : NULL;
}

static inline struct cell cell_of_text(const struct text *t)
{
    return (struct cell){ (uint64_t)(uintptr_t)t | CELL_TEXT };
}

/* The node that a cell holds, wherever it has moved, or NULL. */
static inline struct node *cell_node(struct cell c)
{
    return cell_tag(c) == CELL_NODE ? (struct node *)(uintptr_t)(c.bits & ~CELL_TAG) : NULL;
}

static inline struct cell cell_of_node(const struct node *n)
{
    return (struct cell){ (uint64_t)(uintptr_t)n | CELL_NODE };
}

static inline struct wide *cell_wide(struct cell c)
{
    return (struct wide *)(uintptr_t)(c.bits & ~CELL_TAG);
}

#define CELL_INT_MAX (((int64_t)1 << 60) - 1)
#define CELL_INT_MIN (-((int64_t)1 << 60))

/* False: it needs all its 64 bits. */
static inline bool cell_of_small(struct cell *out, int64_t value)
{
    *out = (struct cell){ (uint64_t)value << 3 | CELL_INT };
    return value >= CELL_INT_MIN && value <= CELL_INT_MAX;
}

/* Numbers. False: no memory. The cell is the caller's, for cell_release(). */
MUST_CHECK bool cell_of_integer(struct cell *out, struct cells *c, int64_t value);
MUST_CHECK bool cell_of_real(struct cell *out, struct cells *c, double value);
bool cell_is_integer(struct cell c);
int64_t cell_integer(struct cell c);
double cell_real(struct cell c); /* of any number */

/* Below, equal to or above 0: numbers before texts, each in their own order. Of keys: no nodes. */
int cell_order(struct cell a, struct cell b);
/* The same as Lua's rawequal(): 1 and 1.0 are equal. */
bool cell_equal(struct cell a, struct cell b);

/* Another cell with the same value, which is no node. */
struct cell cell_share(struct cell c);
/* Another cell with the same value; of a node, another node with copies of its cells. False: no
 * memory. */
MUST_CHECK bool cell_copy(struct cell *out, struct cells *c, struct cell from);
/* Let go of a cell and of all that it holds. */
void cell_release(struct cells *c, struct cell cell);

void cells_init(struct cells *c, struct sandbox *sandbox);
/* All cells have been released; texts that are held nevertheless go too. */
void cells_fini(struct cells *c);

uint32_t text_hash(const char *bytes, size_t len);
/* The text, or NULL: then no cell holds it. */
struct text *text_find(const struct cells *c, const char *bytes, size_t len, uint32_t hash);
/* A text that there is not yet, held once. NULL: no memory. */
struct text *text_add(struct cells *c, const char *bytes, size_t len, uint32_t hash);
/* The text, held once more; NULL: no memory. */
struct text *text_hold(struct cells *c, const char *bytes, size_t len, uint32_t hash);

/*
 * Nodes. `width` is 2 for a map, whose values stand behind their keys, else 1.
 */
/* An empty one with room for `cells`. NULL: no memory. */
struct node *node_new(struct cells *c, uint32_t cells);
uint32_t node_room(const struct node *n);
/* A larger one with the same cells, in whose favour this one is given up and buried. NULL: no
 * memory. */
struct node *node_grow(struct cells *c, struct node *n, uint32_t more);
/* Where a node that may have moved is now. */
struct node *node_now(struct node *n);
/* Where the key is among the cells; false: nowhere. */
bool node_seek(uint32_t *at, const struct node *n, uint32_t width, struct cell key);
/* Where the key is, or belongs, among the sorted cells; true when it is there. */
bool node_find(uint32_t *at, const struct node *n, uint32_t width, struct cell key);
/* Make a gap of `width` cells, for which there is room. */
void node_open(struct node *n, uint32_t at, uint32_t width);
/* Close one, whose cells have been taken out. */
void node_close(struct node *n, uint32_t at, uint32_t width);

/*
 * Cells that are taken out while a pack runs are buried, and let go when it has ended; those that
 * come in are until they have their place. A node is buried once.
 */
MUST_CHECK bool graves_dig(struct cells *c, size_t more); /* false: no memory */
/* There must be room. The grave is where it lies. */
size_t graves_bury(struct cells *c, struct cell cell);
/* Take back what lies in a grave and bury another cell there. */
struct cell graves_raise(struct cells *c, size_t grave, struct cell other);
void graves_clear(struct cells *c);

#endif
