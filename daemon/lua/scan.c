/* scan.c - names that a function uses, read from its compiled form, so that a misspelt fact is found
 * when a pack is loaded and not when the first school reaches that line. It reads the form that
 * lua_dump() of Lua 5.4 writes; any other version compiles to nothing found. */
#include <string.h>

#include <lauxlib.h>

#include "base/buf.h"
#include "lua/state.h"

/* Opcodes of Lua 5.4 that reach a name. */
enum {
    OP_MOVE = 0,
    OP_GETUPVAL = 9,
    OP_GETTABUP = 11,
    OP_GETFIELD = 14,
    OP_SETTABUP = 15,
    OP_SETFIELD = 18,
    OP_SELF = 20
};
enum {
    K_NIL = 0x00,
    K_FALSE = 0x01,
    K_TRUE = 0x11,
    K_INT = 0x03,
    K_FLOAT = 0x13,
    K_SHORT = 0x04,
    K_LONG = 0x14
};
#define ABSOLUTE_LINE (-128)
#define HEADER_BYTES  31 /* signature, version, format, data, three sizes, an integer, a number */
#define NO_UPVALUE    (-1)

struct reader {
    const unsigned char *at;
    const unsigned char *end;
    lua_State *L;
    scan_fn *fn;
    void *arg;
};

static const unsigned char *take(struct reader *r, size_t len)
{
    const unsigned char *p = r->at;
    if ((size_t)(r->end - r->at) < len)
        luaL_error(r->L, "scan: the compiled form of a function ended early");
    r->at += len;
    return p;
}

static size_t take_size(struct reader *r)
{
    size_t x = 0;
    unsigned char b;
    do {
        b = *take(r, 1);
        x = x << 7 | (b & 0x7f);
    } while (!(b & 0x80));
    return x;
}

/* A string of the dump into the Lua stack; nil when it is absent. */
static void push_string(struct reader *r)
{
    size_t size = take_size(r);
    if (size == 0)
        lua_pushnil(r->L);
    else
        lua_pushlstring(r->L, (const char *)take(r, size - 1), size - 1);
}

/* What the body of one function needs from its parts. */
struct proto {
    const unsigned char *code;
    size_t code_count;
    int constants; /* stack index of the list of constant strings */
    int line_defined;
    bool has_view;    /* its first argument is the view */
    int view_upvalue; /* the upvalue that is the view, or NO_UPVALUE */
    const signed char *lines;
    size_t line_count;
    const unsigned char *absolute; /* where the absolute lines begin */
    int upvalue_names;             /* stack index of the list */
};

static void read_constants(struct reader *r)
{
    size_t count = take_size(r);

    lua_newtable(r->L);
    for (size_t i = 0; i < count; i++) {
        unsigned char type = *take(r, 1);
        if (type == K_INT || type == K_FLOAT) {
            take(r, 8);
        } else if (type == K_SHORT || type == K_LONG) {
            push_string(r);
            lua_rawseti(r->L, -2, (lua_Integer)i);
        } else if (type != K_NIL && type != K_FALSE && type != K_TRUE) {
            luaL_error(r->L, "scan: unknown kind of constant %d", type);
        }
    }
}

static void read_proto(struct reader *r, struct proto *outer, bool has_view);

/* The upvalue of an inner function that is the view of the one around it. */
static int find_view(struct reader *r, const struct proto *outer)
{
    int found = NO_UPVALUE;
    size_t count = take_size(r);

    for (size_t i = 0; i < count; i++) {
        const unsigned char *desc = take(r, 3); /* in the outer function's stack?, index, kind */
        if (outer && ((desc[0] && outer->has_view && desc[1] == 0) ||
                      (!desc[0] && desc[1] == outer->view_upvalue)))
            found = (int)i;
    }
    return found;
}

static void read_debug(struct reader *r, struct proto *p)
{
    p->line_count = take_size(r);
    p->lines = (const signed char *)take(r, p->line_count);
    size_t absolute_count = take_size(r);
    p->absolute = r->at;
    for (size_t i = 0; i < absolute_count; i++) {
        take_size(r);
        take_size(r);
    }
    for (size_t i = take_size(r); i > 0; i--) { /* local variables */
        push_string(r);
        lua_pop(r->L, 1);
        take_size(r);
        take_size(r);
    }
    lua_newtable(r->L);
    p->upvalue_names = lua_gettop(r->L);
    size_t count = take_size(r);
    for (size_t i = 0; i < count; i++) {
        push_string(r);
        lua_rawseti(r->L, p->upvalue_names, (lua_Integer)i);
    }
}

static int line_of(struct reader *r, const struct proto *p, size_t pc)
{
    struct reader absolute = { .at = p->absolute, .end = r->end, .L = r->L };
    int line = p->line_defined;

    for (size_t i = 0; i <= pc && i < p->line_count; i++) {
        if (p->lines[i] != ABSOLUTE_LINE) {
            line += p->lines[i];
        } else {
            take_size(&absolute);
            line = (int)take_size(&absolute);
        }
    }
    return line;
}

static bool upvalue_is_env(struct reader *r, const struct proto *p, unsigned upvalue)
{
    lua_rawgeti(r->L, p->upvalue_names, upvalue);
    const char *name = lua_tostring(r->L, -1);
    bool is_env = name && strcmp(name, "_ENV") == 0;
    lua_pop(r->L, 1);
    return is_env;
}

struct use {
    unsigned op, a, b, c;
};

static struct use decode(const struct proto *p, size_t pc)
{
    uint32_t i;
    memcpy(&i, p->code + pc * 4, 4);
    return (struct use){ i & 0x7f, i >> 7 & 0xff, i >> 16 & 0xff, i >> 24 & 0xff };
}

static void tell(struct reader *r, const struct proto *p, size_t pc, enum scan_what what,
                 unsigned constant, bool is_write)
{
    if (lua_rawgeti(r->L, p->constants, constant) == LUA_TSTRING)
        r->fn(what, lua_tostring(r->L, -1), line_of(r, p, pc), is_write, r->arg);
    lua_pop(r->L, 1);
}

static bool constant_is(struct reader *r, const struct proto *p, unsigned constant, const char *s)
{
    lua_rawgeti(r->L, p->constants, constant);
    const char *found = lua_tostring(r->L, -1);
    bool is = found && strcmp(found, s) == 0;
    lua_pop(r->L, 1);
    return is;
}

/* A field read from the view; when it is `param`, the name read next is a parameter's. */
static void tell_field(struct reader *r, const struct proto *p, size_t pc, unsigned reg,
                       unsigned constant)
{
    tell(r, p, pc, SCAN_FIELD, constant, false);
    if (!constant_is(r, p, constant, "param") || pc + 1 >= p->code_count)
        return;
    struct use next = decode(p, pc + 1);
    if (next.op == OP_GETFIELD && next.b == reg)
        tell(r, p, pc + 1, SCAN_PARAM, next.c, false);
}

static void scan_code(struct reader *r, struct proto *p)
{
    for (size_t pc = 0; pc < p->code_count; pc++) {
        struct use u = decode(p, pc);
        if (u.op == OP_GETTABUP && upvalue_is_env(r, p, u.b))
            tell(r, p, pc, SCAN_GLOBAL, u.c, false);
        else if (u.op == OP_SETTABUP && upvalue_is_env(r, p, u.a))
            tell(r, p, pc, SCAN_GLOBAL, u.b, true);
        else if (u.op == OP_GETTABUP && (int)u.b == p->view_upvalue)
            tell_field(r, p, pc, u.a, u.c);
        else if (u.op == OP_SETTABUP && (int)u.a == p->view_upvalue)
            tell(r, p, pc, SCAN_FIELD, u.b, true);
        else if (p->has_view && (u.op == OP_GETFIELD || u.op == OP_SELF) && u.b == 0)
            tell_field(r, p, pc, u.a, u.c);
        else if (p->has_view && u.op == OP_SETFIELD && u.a == 0)
            tell(r, p, pc, SCAN_FIELD, u.b, true);
        if (u.a == 0 && (u.op == OP_MOVE || u.op == OP_GETUPVAL || u.op == OP_GETFIELD))
            p->has_view = false; /* the argument's variable was given another value */
    }
}

static void read_proto(struct reader *r, struct proto *outer, bool has_view)
{
    struct proto p = { .view_upvalue = NO_UPVALUE };
    int top = lua_gettop(r->L);

    luaL_checkstack(r->L, 8, "functions nested too deep");
    push_string(r); /* source */
    p.line_defined = (int)take_size(r);
    take_size(r); /* last line */
    unsigned char params = *take(r, 1);
    p.has_view = has_view && params > 0;
    take(r, 2); /* is it variadic, stack size */
    p.code_count = take_size(r);
    p.code = take(r, p.code_count * 4);
    read_constants(r);
    p.constants = lua_gettop(r->L);
    p.view_upvalue = find_view(r, outer);
    for (size_t i = take_size(r); i > 0; i--)
        read_proto(r, &p, false);
    read_debug(r, &p);
    scan_code(r, &p);
    lua_settop(r->L, top);
}

static int collect(lua_State *L, const void *bytes, size_t len, void *arg)
{
    (void)L;
    buf_add(arg, bytes, len);
    return 0;
}

void scan_function(lua_State *L, scan_fn *fn, void *arg)
{
    struct buf code = { 0 };

    if (lua_iscfunction(L, -1))
        return;
    lua_dump(L, collect, &code, 0);
    lua_pushlstring(L, buf_cstr(&code),
                    code.len); /* the collector frees it if an error is raised */
    buf_fini(&code);
    size_t len;
    const char *bytes = lua_tolstring(L, -1, &len);
    struct reader r = { .at = (const unsigned char *)bytes,
                        .end = (const unsigned char *)bytes + len,
                        .L = L,
                        .fn = fn,
                        .arg = arg };
    const unsigned char *header = take(&r, HEADER_BYTES);
    take(&r, 1); /* how many upvalues */
    if (memcmp(header, "\x1bLua\x54", 5) == 0)
        read_proto(&r, NULL, true);
    lua_pop(L, 1);
}
