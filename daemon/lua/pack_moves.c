/* pack_moves.c - the moves of a pack: facts that change by themselves. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/loader.h"
#include "lua/words.h"

/* Is the value on top one that the fact can have? */
static bool check_value(struct loader *ld, const struct move_def *m, const char *where,
                        const struct type *type)
{
    char problem[1024];

    if (!value_problem(ld->L, -1, type, problem, sizeof(problem)))
        return true;
    problems_add(ld->problems, "%s: move %s: %s", where, m->name, problem);
    return false;
}

/* The value on top, which is popped. */
static struct cell take_value(struct loader *ld)
{
    struct cell cell;

    if (!value_own(ld->L, -1, false, &cell))
        luaL_error(ld->L, "out of memory");
    lua_pop(ld->L, 1);
    return cell;
}

/* from = { "a", "b" } */
static void read_from(struct loader *ld, const struct move_def *m, struct move_step *step,
                      const char *where, const struct type *type)
{
    lua_State *L = ld->L;
    struct cell *from;

    if (lua_getfield(L, -1, "from") != LUA_TTABLE) {
        if (!lua_isnil(L, -1))
            problems_add(ld->problems, "%s: move %s: from is %s; expected a list of values", where,
                         m->name, words_found(L, -1));
        lua_pop(L, 1);
        return;
    }
    step->from = from = loader_alloc(ld, sizeof(*from) * (lua_rawlen(L, -1) + 1));
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        if (check_value(ld, m, where, type))
            from[step->from_count++] = take_value(ld);
        else
            lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

/* A function in field `key` or at place 2 of the table on top; LUA_NOREF when there is none. */
static int read_function(struct loader *ld, const char *key, int *type)
{
    *type = key ? lua_getfield(ld->L, -1, key) : lua_rawgeti(ld->L, -1, 2);
    if (*type == LUA_TFUNCTION)
        return luaL_ref(ld->L, LUA_REGISTRYINDEX);
    lua_pop(ld->L, 1);
    return LUA_NOREF;
}

/* { value, from = {...}, function(s) ... end, enter = function(s, at) ... end } */
static void read_step(struct loader *ld, const struct move_def *m, struct move_step *step,
                      const struct type *type)
{
    static const char *const KEYS[] = { "from", "enter", NULL };
    lua_State *L = ld->L;
    const char *where = loader_place(ld, m->where);
    int found;

    *step = (struct move_step){ .enter = LUA_NOREF, .holds = LUA_NOREF };
    if (!lua_istable(L, -1)) {
        problems_add(ld->problems,
                     "%s: move %s: a step is %s; expected { value, function(s) ... end }", where,
                     m->name, words_found(L, -1));
        return;
    }
    loader_check_keys(ld, where, "a step of first_of", KEYS);
    lua_rawgeti(L, -1, 1);
    check_value(ld, m, where, type);
    step->value = take_value(ld);
    read_from(ld, m, step, where, type);
    step->holds = read_function(ld, NULL, &found);
    if (found != LUA_TFUNCTION)
        problems_add(ld->problems, "%s: move %s: a step has no function(s) that says when it holds",
                     where, m->name);
    step->enter = read_function(ld, "enter", &found);
    if (found != LUA_TFUNCTION && found != LUA_TNIL)
        problems_add(ld->problems, "%s: move %s: enter is %s; expected function(s, at) ... end",
                     where, m->name, words_of(found));
}

static void read_steps(struct loader *ld, struct move_def *m, const struct type *type)
{
    static const char *const KEYS[] = { NULL };
    struct move_step *steps;

    loader_check_keys(ld, m->where, "first_of", KEYS);
    m->form = MOVE_FIRST;
    m->step_count = (uint16_t)lua_rawlen(ld->L, -1);
    steps = loader_alloc(ld, sizeof(*steps) * (m->step_count + 1u));
    for (uint16_t i = 0; i < m->step_count; i++, lua_pop(ld->L, 1)) {
        lua_rawgeti(ld->L, -1, i + 1);
        loader_enter_number(ld, i + 1);
        read_step(ld, m, &steps[i], type);
        loader_leave(ld);
    }
    m->steps = steps;
    if (m->step_count == 0)
        problems_add(ld->problems,
                     "%s: move %s has no steps; expected { value, function(s) ... end }", m->where,
                     m->name);
}

static void read_move(struct loader *ld, struct move_def *m, const char *kind,
                      const struct type *type)
{
    lua_State *L = ld->L;

    if (strcmp(kind, "first_of") == 0 && type_is_scalar(type)) {
        read_steps(ld, m, type);
        return;
    }
    bool is_once = strcmp(kind, "once") == 0 && type->kind == TYPE_BOOL;
    if (!is_once && !(strcmp(kind, "gather") == 0 && type->kind == TYPE_SET)) {
        problems_add(ld->problems,
                     "%s: move %s: expected once(function) for a bool, gather(function) for a set, "
                     "first_of { ... } for a single value",
                     m->where, m->name);
        return;
    }
    m->form = is_once ? MOVE_ONCE : MOVE_GATHER;
    if (lua_rawgeti(L, -1, 1) == LUA_TFUNCTION) {
        m->function = luaL_ref(L, LUA_REGISTRYINDEX);
        return;
    }
    problems_add(ld->problems, "%s: move %s: found %s; expected %s(function(s) ... end)", m->where,
                 m->name, words_found(L, -1), kind);
    lua_pop(L, 1);
}

static void define_move(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct subject_defs *defs = arg;
    const struct strmap_item *item = strmap_find(&defs->names, name, strlen(name));
    struct move_def m = {
        .name = name, .where = where, .is_own = loader_is_overlay(ld), .function = LUA_NOREF
    };

    if (!item || item->as.num >> 16 != SLOT_FACT) {
        problems_add(ld->problems, "%s: move %s: there is no fact of that name%s", where, name,
                     loader_hint(ld, name, &defs->names));
        return;
    }
    m.fact = (uint16_t)(item->as.num & 0xffff);
    if (!overlay_may_add(ld, "move", name, '_', where, defs->facts[m.fact].where))
        return;
    for (uint16_t i = 0; i < defs->move_count; i++) {
        if (defs->moves[i].fact == m.fact) {
            problems_add(ld->problems, "%s: move %s is declared twice; the first is at %s", where,
                         name, defs->moves[i].where);
            return;
        }
    }
    read_move(ld, &m, loader_kind(ld), defs->facts[m.fact].type);
    defs->moves[defs->move_count++] = m;
}

/* What is latched first, then what is gathered, then what moves: the order of the contract. */
static int by_form(const void *a, const void *b)
{
    const struct move_def *x = a, *y = b;
    return x->form != y->form ? (int)x->form - (int)y->form : strcmp(x->name, y->name);
}

static void define_subject_moves(struct loader *ld, const char *name, const char *where, void *arg)
{
    enum subject_kind kind;
    (void)arg;

    if (!subject_kind_parse(&kind, name) || !lua_istable(ld->L, -1))
        problems_add(ld->problems, "%s: moves of '%s'; expected school, group or hub = { ... }",
                     where, name);
    else
        loader_entries(ld, "moves", where, define_move, &ld->rs->subjects[kind]);
}

void pack_define_moves(struct loader *ld)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++)
        ld->rs->subjects[kind].moves = loader_alloc(ld, sizeof(struct move_def) * (FACTS_MAX + 1));
    loader_each(ld, "moves", define_subject_moves, NULL);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &ld->rs->subjects[kind];
        qsort(defs->moves, defs->move_count, sizeof(*defs->moves), by_form);
    }
}
