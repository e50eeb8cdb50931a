/*
 * dump.h - a compiled function as a tree: code, constants, upvalues, inner functions.
 *
 * Reads the form that lua_dump() of Lua 5.4 writes.
 */
#ifndef PATHWAY_LUA_DUMP_H
#define PATHWAY_LUA_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct dump_upvalue {
    const char *name; /* "" when unknown */
    bool is_local;    /* a register of the function around; else one of its upvalues */
    uint8_t index;
};

struct dump_function {
    const uint32_t *code;
    size_t code_count;
    const char **texts; /* the constants; NULL where one is no text */
    size_t text_count;
    struct dump_upvalue *upvalues;
    size_t upvalue_count;
    struct dump_function **inner;
    size_t inner_count;
    const char
        *form; /* all that it does by itself, as bytes: code, constants, upvalues; no lines */
    size_t form_len;
    int *lines; /* of each instruction */
    int line_defined;
    uint8_t params;
    bool has_local_env; /* a local variable is called _ENV */
    uint32_t walked;    /* for whoever walks the tree: how it has been here */
    void *kept;         /* and what it found */
};

/* NULL: not such a form, or no memory. The memory is the arena's; `bytes` may go. */
struct dump_function *dump_read(struct arena *arena, const char *bytes, size_t len);

#endif
