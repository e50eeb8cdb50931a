/* scan.c - names that functions use, read from their compiled form, so that a misspelt fact is
 * found when a pack is loaded and not when the first school reaches that line. It follows what
 * registers hold along straight lines of code; where paths meet, only variables that are set once
 * are trusted, so that it misses some uses and never invents one. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/dump.h"
#include "lua/state.h"

/* Opcodes of Lua 5.4. */
enum {
    OP_MOVE = 0,
    OP_LOADI = 1,
    OP_LOADK = 3,
    OP_LFALSESKIP = 6,
    OP_LOADNIL = 8,
    OP_GETUPVAL = 9,
    OP_SETUPVAL = 10,
    OP_GETTABUP = 11,
    OP_GETTABLE = 12,
    OP_GETI = 13,
    OP_GETFIELD = 14,
    OP_SETTABUP = 15,
    OP_SETTABLE = 16,
    OP_SETI = 17,
    OP_SETFIELD = 18,
    OP_SELF = 20,
    OP_ADDI = 21,
    OP_SUBK = 23,
    OP_ADD = 34,
    OP_SUB = 35,
    OP_MMBIN = 46,
    OP_MMBINK = 48,
    OP_CLOSE = 54,
    OP_JMP = 56,
    OP_EQ = 57,
    OP_LT = 58,
    OP_LE = 59,
    OP_EQK = 60,
    OP_EQI = 61,
    OP_GEI = 65,
    OP_TEST = 66,
    OP_CALL = 68,
    OP_TAILCALL = 69,
    OP_RETURN = 70,
    OP_RETURN1 = 72,
    OP_FORLOOP = 73,
    OP_FORPREP = 74,
    OP_TFORPREP = 75,
    OP_TFORCALL = 76,
    OP_TFORLOOP = 77,
    OP_SETLIST = 78,
    OP_CLOSURE = 79,
    OP_VARARG = 80,
    OP_VARARGPREP = 81
};
#define REGISTERS    256
#define CLOSURES_MAX 100 /* functions inside functions */

struct use {
    unsigned op, a, b, c, bx;
    bool k;
    int jump;
};

static struct use decode(uint32_t i)
{
    return (struct use){ .op = i & 0x7f,
                         .a = i >> 7 & 0xff,
                         .k = (i >> 15 & 1) != 0,
                         .b = i >> 16 & 0xff,
                         .c = i >> 24,
                         .bx = i >> 15,
                         .jump = (int)(i >> 7) - 0xffffff };
}

/* What a register or upvalue holds. */
enum holds {
    NOTHING,
    VIEW,
    PARAMS,
    PARAM,
    ENVIRONMENT,
    GLOBAL,
    TEXT,
    NUMBER,
    FIELD,
    OUTER,
    ELEMENT,
    INNER
};
struct tag {
    enum holds holds;
    int index;                   /* OUTER, ELEMENT: of the scanned function's upvalue; NUMBER: it */
    const char *text;            /* TEXT; FIELD: of a view; ELEMENT: its key, NULL when unknown */
    struct dump_function *inner; /* INNER */
};

struct scan {
    struct arena *arena;
    const struct scan_hooks *hooks;
};

struct walk {
    struct scan *scan;
    struct dump_function *f;
    struct tag *upvalues;
    struct tag *registers;
    uint8_t *writes;  /* how often each register is set, at most 2 */
    bool *is_meeting; /* instructions that several paths reach */
    int depth;
};

static void walk_function(struct scan *s, struct dump_function *f, struct tag *upvalues,
                          uint32_t views, int depth);

/* The registers that an instruction sets. */
static void written(struct use u, unsigned *first, unsigned *last)
{
    *first = 1;
    *last = 0;
    if ((u.op >= OP_SETTABUP && u.op <= OP_SETFIELD) || u.op == OP_SETUPVAL ||
        (u.op >= OP_MMBIN && u.op <= OP_MMBINK) || (u.op >= OP_CLOSE && u.op <= OP_TEST) ||
        (u.op >= OP_TAILCALL && u.op <= OP_RETURN1) || u.op == OP_SETLIST || u.op > OP_VARARG)
        return;
    *first = *last = u.a;
    if (u.op == OP_LOADNIL)
        *last = u.a + u.b;
    else if (u.op == OP_SELF)
        *last = u.a + 1;
    else if (u.op == OP_FORLOOP || u.op == OP_FORPREP)
        *last = u.a + 3;
    else if (u.op == OP_TFORPREP)
        *last = u.a + 3;
    else if (u.op == OP_TFORLOOP)
        *first = *last = u.a + 2;
    else if (u.op == OP_CALL || u.op == OP_TFORCALL || u.op == OP_VARARG)
        *last = REGISTERS - 1; /* what lies above the results is not kept either */
    if (u.op == OP_TFORCALL)
        *first = u.a + 4;
    if (*last > REGISTERS - 1)
        *last = REGISTERS - 1;
}

/* As written(), but what a call leaves undefined above its results is no variable's value. */
static void count_writes(struct walk *w, struct use u)
{
    unsigned first, last;

    written(u, &first, &last);
    if (u.op == OP_CALL && u.c > 0)
        last = u.c > 1 ? u.a + u.c - 2 : u.a;
    else if (u.op == OP_TFORCALL)
        last = u.a + 3 + u.c;
    else if (u.op == OP_VARARG && u.c > 1)
        last = u.a + u.c - 2;
    for (unsigned i = first; i <= last && i < REGISTERS; i++)
        if (w->writes[i] < 2)
            w->writes[i]++;
}

static void find_meetings(struct walk *w)
{
    size_t count = w->f->code_count;

    for (size_t pc = 0; pc < count; pc++) {
        struct use u = decode(w->f->code[pc]);
        int64_t to = -1;
        if (u.op == OP_JMP)
            to = (int64_t)pc + 1 + u.jump;
        else if (u.op == OP_FORLOOP || u.op == OP_TFORLOOP)
            to = (int64_t)pc + 1 - u.bx;
        else if (u.op == OP_FORPREP)
            to = (int64_t)pc + 2 + u.bx;
        else if (u.op == OP_TFORPREP)
            to = (int64_t)pc + 1 + u.bx;
        else if (u.op == OP_LFALSESKIP)
            to = (int64_t)pc + 2;
        if (to >= 0 && to < (int64_t)count)
            w->is_meeting[to] = true;
        count_writes(w, u);
    }
}

/* Is it a variable that has one value for as long as it lives? */
static bool is_stable(const struct walk *w, unsigned reg)
{
    return w->writes[reg] == (reg < w->f->params ? 0 : 1);
}

static void tell(const struct walk *w, size_t pc, enum scan_what what, const char *name)
{
    if (name)
        w->scan->hooks->name(what, name, w->f->lines[pc], w->scan->hooks->arg);
}

static const char *text_at(const struct walk *w, unsigned constant)
{
    return constant < w->f->text_count ? w->f->texts[constant] : NULL;
}

/* Reading field `name` of what `from` holds: tell it, and say what was read. */
static struct tag read_field(const struct walk *w, size_t pc, const struct tag *from,
                             const char *name)
{
    switch (from->holds) {
    case ENVIRONMENT:
        tell(w, pc, SCAN_GLOBAL, name);
        return (struct tag){ .holds = name ? GLOBAL : NOTHING, .text = name };
    case VIEW:
        tell(w, pc, name ? SCAN_FIELD : SCAN_FIELD_ANY, name ? name : "?");
        if (!name)
            return (struct tag){ 0 };
        return (struct tag){ .holds = strcmp(name, "param") == 0 ? PARAMS : FIELD, .text = name };
    case PARAMS:
        tell(w, pc, SCAN_PARAM, name);
        return (struct tag){ .holds = name ? PARAM : NOTHING, .text = name };
    case OUTER:
        return (struct tag){ .holds = ELEMENT, .index = from->index, .text = name };
    default:
        break;
    }
    return (struct tag){ 0 };
}

static void write_field(const struct walk *w, size_t pc, const struct tag *to, const char *name)
{
    if (to->holds == ENVIRONMENT)
        tell(w, pc, SCAN_GLOBAL_WRITE, name);
    else if (to->holds == VIEW)
        tell(w, pc, name ? SCAN_FIELD_WRITE : SCAN_FIELD_ANY_WRITE, name ? name : "?");
    else if (to->holds == PARAMS)
        tell(w, pc, SCAN_PARAM_WRITE, name ? name : "param");
    else if (to->holds == OUTER || to->holds == ELEMENT)
        tell(w, pc, SCAN_OUTER_WRITE, w->scan->hooks->upvalue(to->index, w->scan->hooks->arg));
}

/* _ENV as a value of its own, other than in the long form of a global in a function of many
 * constants. */
static bool uses_environment(const struct walk *w, size_t pc, struct use u)
{
    if (u.op != OP_GETUPVAL || w->upvalues[u.b].holds != ENVIRONMENT)
        return false;
    return pc + 1 >= w->f->code_count || decode(w->f->code[pc + 1]).op != OP_LOADK;
}

/* A call: which arguments are views? Functions of this file that get one are looked into. */
static void call(const struct walk *w, struct use u)
{
    const struct tag *called = &w->registers[u.a];
    unsigned count = u.b > 0 ? u.b - 1 : 31;
    uint32_t views = 0;

    for (unsigned i = 0; i < count && i < 31 && u.a + 1 + i < REGISTERS; i++)
        if (w->registers[u.a + 1 + i].holds == VIEW)
            views |= 1u << i;
    if (!views)
        return;
    if (called->holds == OUTER)
        w->scan->hooks->helper(called->index, NULL, true, views, w->scan->hooks->arg);
    else if (called->holds == ELEMENT)
        w->scan->hooks->helper(called->index, called->text, false, views, w->scan->hooks->arg);
    else if (called->holds == INNER && w->depth < CLOSURES_MAX)
        walk_function(w->scan, called->inner, NULL, views, w->depth + 1);
}

static struct tag closure(const struct walk *w, struct use u)
{
    struct dump_function *inner = u.bx < w->f->inner_count ? w->f->inner[u.bx] : NULL;
    struct tag *upvalues =
        inner ? arena_alloc(w->scan->arena, (inner->upvalue_count + 1) * sizeof(*upvalues)) : NULL;

    if (!upvalues || w->depth >= CLOSURES_MAX)
        return (struct tag){ 0 };
    w->registers[u.a] = (struct tag){ .holds = INNER, .inner = inner }; /* it may call itself */
    for (size_t i = 0; i < inner->upvalue_count; i++) {
        const struct dump_upvalue *from = &inner->upvalues[i];
        if (!from->is_local && from->index < w->f->upvalue_count)
            upvalues[i] = w->upvalues[from->index];
        else if (from->is_local && is_stable(w, from->index))
            upvalues[i] = w->registers[from->index];
    }
    walk_function(w->scan, inner, upvalues, 0, w->depth + 1);
    return (struct tag){ .holds = INNER, .inner = inner };
}

/* The text that a register holds as a key, or NULL. */
static const char *key_in(const struct walk *w, unsigned reg)
{
    return w->registers[reg].holds == TEXT ? w->registers[reg].text : NULL;
}

/* What the instruction leaves in register A. */
static struct tag read(struct walk *w, size_t pc, struct use u)
{
    switch (u.op) {
    case OP_MOVE:
        return w->registers[u.b];
    case OP_LOADI:
        return (struct tag){ .holds = NUMBER, .index = (int)u.bx - 0xffff };
    case OP_LOADK:
        return (struct tag){ .holds = TEXT, .text = text_at(w, u.bx) };
    case OP_GETUPVAL:
        if (uses_environment(w, pc, u))
            tell(w, pc, SCAN_ENVIRONMENT, "_ENV");
        return w->upvalues[u.b];
    case OP_GETTABUP:
        return read_field(w, pc, &w->upvalues[u.b], text_at(w, u.c));
    case OP_GETFIELD:
        return read_field(w, pc, &w->registers[u.b], text_at(w, u.c));
    case OP_GETTABLE:
        return read_field(w, pc, &w->registers[u.b], key_in(w, u.c));
    case OP_GETI:
        return read_field(w, pc, &w->registers[u.b], NULL);
    case OP_SELF:
        read_field(w, pc, &w->registers[u.b], u.k ? text_at(w, u.c) : key_in(w, u.c));
        return (struct tag){ 0 };
    case OP_CLOSURE:
        return closure(w, u);
    default:
        return (struct tag){ 0 };
    }
}

/* A comparison of a field with what stands in the function itself. */
static void compare(const struct walk *w, size_t pc, struct use u)
{
    const struct scan_hooks *hooks = w->scan->hooks;
    const struct tag *a = &w->registers[u.a], *b = &w->registers[u.b];
    const char *text = NULL;
    int number = (int)u.b - 127; /* as these instructions hold it */
    bool has_number = u.op >= OP_EQI;

    if (u.op == OP_EQK)
        text = text_at(w, u.b);
    else if (u.op <= OP_LE && b->holds == TEXT)
        text = b->text;
    else if (u.op <= OP_LE && a->holds == TEXT) {
        text = a->text;
        a = b;
    } else if (u.op <= OP_LE && (a->holds == NUMBER || b->holds == NUMBER)) {
        number = a->holds == NUMBER ? a->index : b->index;
        a = a->holds == NUMBER ? b : a;
        has_number = true;
    }
    if (!hooks->compare || a->holds != FIELD)
        return;
    if (text)
        hooks->compare(a->text, text, NULL, false, w->f->lines[pc], hooks->arg);
    else if (has_number)
        hooks->compare(a->text, NULL, &number, false, w->f->lines[pc], hooks->arg);
}

/* A sum of a field and a number that stands in the function, or a parameter: s.since + 90 */
static void reckon(const struct walk *w, size_t pc, struct use u)
{
    const struct scan_hooks *hooks = w->scan->hooks;
    const struct tag *a = &w->registers[u.b], *b = &w->registers[u.c];
    bool has_constant = u.op < OP_ADD;

    if (!has_constant && a->holds == PARAM) {
        const struct tag *swap = a;
        a = b;
        b = swap;
    }
    if (hooks->reckon && a->holds == FIELD && (has_constant || b->holds == PARAM))
        hooks->reckon(a->text, has_constant ? NULL : b->text, w->f->lines[pc], hooks->arg);
}

/* s.phase = "primary" */
static void check_set(const struct walk *w, size_t pc, struct use u)
{
    const struct scan_hooks *hooks = w->scan->hooks;
    const char *name = text_at(w, u.b), *text = u.k ? text_at(w, u.c) : key_in(w, u.c);

    if (hooks->compare && w->registers[u.a].holds == VIEW && name && text)
        hooks->compare(name, text, NULL, true, w->f->lines[pc], hooks->arg);
}

static void step(struct walk *w, size_t pc)
{
    struct use u = decode(w->f->code[pc]);
    unsigned first, last;

    if (u.op == OP_SETTABUP)
        write_field(w, pc, &w->upvalues[u.a], text_at(w, u.b));
    else if (u.op == OP_SETFIELD) {
        write_field(w, pc, &w->registers[u.a], text_at(w, u.b));
        check_set(w, pc, u);
    } else if (u.op >= OP_EQ && u.op <= OP_GEI)
        compare(w, pc, u);
    else if ((u.op >= OP_ADDI && u.op <= OP_SUBK) || u.op == OP_ADD || u.op == OP_SUB)
        reckon(w, pc, u);
    else if (u.op == OP_SETTABLE)
        write_field(w, pc, &w->registers[u.a], key_in(w, u.b));
    else if (u.op == OP_SETI)
        write_field(w, pc, &w->registers[u.a], NULL);
    else if (u.op == OP_SETUPVAL && w->upvalues[u.b].holds == OUTER)
        tell(w, pc, SCAN_OUTER_WRITE,
             w->scan->hooks->upvalue(w->upvalues[u.b].index, w->scan->hooks->arg));
    else if (u.op == OP_CALL || u.op == OP_TAILCALL)
        call(w, u);

    struct tag tag = read(w, pc, u);
    struct tag self = w->registers[u.b];
    written(u, &first, &last);
    for (unsigned i = first; i <= last; i++)
        w->registers[i] = (struct tag){ 0 };
    if (first <= last)
        w->registers[first] = tag;
    if (u.op == OP_SELF && u.a + 1 < REGISTERS)
        w->registers[u.a + 1] = self;
}

/* `upvalues` NULL: those that it was walked with when it was made. */
static void walk_function(struct scan *s, struct dump_function *f, struct tag *upvalues,
                          uint32_t views, int depth)
{
    struct walk w = { .scan = s, .f = f, .upvalues = upvalues, .depth = depth };

    if (!upvalues)
        w.upvalues = f->kept;
    else
        f->kept = upvalues;
    if (!w.upvalues || (views && (f->walked & views) == views))
        return;
    f->walked |= views;
    w.registers = arena_alloc(s->arena, REGISTERS * sizeof(*w.registers));
    w.writes = arena_alloc(s->arena, REGISTERS);
    w.is_meeting = arena_alloc(s->arena, f->code_count + 1);
    if (!w.registers || !w.writes || !w.is_meeting)
        return;
    if (f->has_local_env)
        s->hooks->name(SCAN_ENVIRONMENT, "_ENV", f->line_defined > 0 ? f->line_defined : 1,
                       s->hooks->arg);
    find_meetings(&w);
    for (unsigned i = 0; i < f->params && i < 31; i++)
        if (views & 1u << i)
            w.registers[i].holds = VIEW;
    for (size_t pc = 0; pc < f->code_count; pc++) {
        for (unsigned i = 0; w.is_meeting[pc] && i < REGISTERS; i++)
            if (!is_stable(&w, i))
                w.registers[i] = (struct tag){ 0 };
        step(&w, pc);
    }
}

/* Does a function that does something give nothing back, whatever happens? One that raises an error
 * has its reasons. */
static bool lacks_return(const struct dump_function *f)
{
    for (size_t pc = 0; pc < f->code_count; pc++) {
        struct use u = decode(f->code[pc]);
        if (u.op == OP_RETURN1 || u.op == OP_TAILCALL || (u.op == OP_RETURN && u.b != 1))
            return false;
    }
    for (size_t i = 0; i < f->text_count; i++)
        if (f->texts[i] && strcmp(f->texts[i], "error") == 0)
            return false;
    return f->code_count > 1;
}

struct dumping {
    luaL_Buffer b;
    bool is_begun;
};

/* The buffer is begun here: lua_dump() wants the function on top when it is called. */
static int collect(lua_State *L, const void *bytes, size_t len, void *arg)
{
    struct dumping *d = arg;

    if (!d->is_begun)
        luaL_buffinit(L, &d->b);
    d->is_begun = true;
    luaL_addlstring(&d->b, bytes, len);
    return 0;
}

static int dump_in_lua(lua_State *L)
{
    struct dumping d = { .is_begun = false };

    if (lua_dump(L, collect, &d, 0) != 0 || !d.is_begun)
        return luaL_error(L, "a function can not be looked into");
    luaL_pushresult(&d.b);
    return 1;
}

void scan_function(lua_State *L, struct arena *arena, uint32_t views,
                   const struct scan_hooks *hooks)
{
    struct scan s = { .arena = arena, .hooks = hooks };
    size_t len;

    if (lua_iscfunction(L, -1))
        return;
    lua_pushcfunction(L, dump_in_lua);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
    const char *bytes = lua_tolstring(L, -1, &len);
    struct dump_function *f = dump_read(arena, bytes, len);
    lua_pop(L, 1);
    struct tag *upvalues =
        f ? arena_alloc(arena, (f->upvalue_count + 1) * sizeof(*upvalues)) : NULL;
    if (!upvalues)
        return;
    for (size_t i = 0; i < f->upvalue_count; i++)
        upvalues[i] = (struct tag){
            .holds = strcmp(f->upvalues[i].name, "_ENV") == 0 ? ENVIRONMENT : OUTER,
            .index = (int)i,
        };
    if (views && lacks_return(f))
        hooks->name(SCAN_NO_RETURN, "return", f->line_defined, hooks->arg);
    walk_function(&s, f, upvalues, views, 0);
}
