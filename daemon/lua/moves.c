/* moves.c - what a record becomes by itself: asked after every event and at each awaited instant. See
 * record.h. */
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

/* A school moves a handful of times at one instant; more is a loop in the rules. */
#define ASK_ROUNDS 1000

struct ask_job {
    struct record *r;
    struct reads reads;
};

/* Change a fact that moves, as a reducer would. `value` is borrowed. */
static void move_to(lua_State *L, struct ruleset *rs, uint16_t fact, struct cell value, int enter)
{
    rs->is_writing = true;
    view_change_fact(rs, fact, cell_share(value));
    if (enter != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, enter);
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].view);
        lua_pushinteger(L, rs->now);
        lua_call(L, 2, 0);
    }
    rs->is_writing = false;
    rs->epoch++; /* what rules said before the move may no longer hold */
}

/* Call a move's function with the view; its value is left on the stack. */
static void call_move(lua_State *L, struct ruleset *rs, int function)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].view);
    lua_call(L, 1, 1);
}

static bool ask_once(lua_State *L, struct ruleset *rs, const struct move_def *m)
{
    if (cell_is_true(view_read_fact(rs, m->fact)))
        return false; /* latched */
    call_move(L, rs, m->function);
    if (!lua_toboolean(L, -1))
        return false;
    move_to(L, rs, m->fact, cell_bool(true), LUA_NOREF);
    return true;
}

/* Each value in the list that the function returns joins the set for good. */
static bool ask_gather(lua_State *L, struct ruleset *rs, const struct move_def *m)
{
    bool changed = false;

    call_move(L, rs, m->function);
    int list = lua_gettop(L);
    if (lua_isnil(L, list))
        return false;
    if (!lua_istable(L, list))
        raise_as_is(L, "%s: %s gave a %s; expected a list of values", m->where, m->name,
                    luaL_typename(L, list));
    const struct type *of = rs->subjects[rs->record->kind].facts[m->fact].type->of;
    view_read_fact(rs, m->fact);
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        char problem[1024];
        if (value_problem(L, -1, of, problem, sizeof(problem)))
            raise_as_is(L, "%s: %s: %s", m->where, m->name, problem);
        if (box_gather(L, rs, m->fact, lua_gettop(L)))
            changed = true;
    }
    if (changed) {
        rs->record->moved[m - rs->subjects[rs->record->kind].moves] = rs->now;
        record_touch(rs->record, m->fact);
        rs->epoch++;
    }
    return changed;
}

static bool may_step(const struct move_step *step, struct cell current)
{
    bool is_from = step->from == NULL;

    for (uint16_t i = 0; i < step->from_count && !is_from; i++)
        is_from = cell_equal(step->from[i], current);
    return is_from && !cell_equal(step->value, current);
}

static bool ask_first(lua_State *L, struct ruleset *rs, const struct move_def *m)
{
    struct cell current = view_read_fact(rs, m->fact);

    for (uint16_t i = 0; i < m->step_count; i++) {
        const struct move_step *step = &m->steps[i];
        if (!may_step(step, current))
            continue;
        call_move(L, rs, step->holds);
        bool holds = lua_toboolean(L, -1);
        lua_pop(L, 1);
        if (!holds)
            continue;
        move_to(L, rs, m->fact, step->value, step->enter);
        return true;
    }
    return false;
}

/* Facts on which the moves depend since the last event for which they were asked. */
static void note_asked(struct record *r, const uint64_t *facts)
{
    for (uint16_t i = 0; i < r->rs->fact_words; i++)
        r->asked_facts[i] |= facts[i];
}

/* Would those who read these facts, and waited for this instant, say what they said then? */
static bool still_hold(const struct record *r, const uint64_t *facts, int64_t wake)
{
    uint64_t met = 0;

    for (uint16_t i = 0; i < r->rs->fact_words; i++)
        met |= facts[i] & r->unasked[i];
    return RECORD_TRACKING && met == 0 && wake > r->rs->now;
}

/* Ask move number i and remember what it read. */
static bool ask_move(lua_State *L, struct ask_job *job, uint16_t i)
{
    struct record *r = job->r;
    struct ruleset *rs = r->rs;
    const struct move_def *m = &rs->subjects[r->kind].moves[i];

    reads_clear(rs, &job->reads);
    lua_settop(L, 1);
    bool has_moved = m->form == MOVE_ONCE     ? ask_once(L, rs, m)
                     : m->form == MOVE_GATHER ? ask_gather(L, rs, m)
                                              : ask_first(L, rs, m);
    note_asked(r, job->reads.facts);
    memcpy(r->move_reads + i * rs->fact_words, job->reads.facts,
           rs->fact_words * sizeof(r->move_reads[0]));
    r->move_wakes[i] = job->reads.wake;
    return has_moved;
}

/* In rounds, until nothing moves; what each said last says what to wait for. */
static int ask_in_lua(lua_State *L)
{
    struct ask_job *job = lua_touserdata(L, 1);
    struct record *r = job->r;
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    const struct move_def *last = &defs->moves[0];
    bool changed = true;

    for (int round = 0; changed; round++) {
        if (round == ASK_ROUNDS)
            return raise_as_is(L, "%s: the moves go round in circles: %s moves again and again",
                               last->where, last->name);
        changed = false;
        for (uint16_t i = 0; i < defs->move_count; i++) {
            const uint64_t *facts = r->move_reads + i * r->rs->fact_words;
            bool is_known = r->was_asked || round > 0;
            if (is_known && still_hold(r, facts, r->move_wakes[i]))
                continue;
            if (ask_move(L, job, i)) {
                last = &defs->moves[i];
                changed = true;
            }
        }
    }
    return 0;
}

/* What all moves together read and wait for. */
static void sum_up(struct record *r)
{
    uint16_t words = r->rs->fact_words;

    memset(r->asked, 0, words * sizeof(r->asked[0]));
    r->asked_wake = TIME_NEVER;
    for (uint16_t i = 0; i < r->rs->subjects[r->kind].move_count; i++) {
        for (uint16_t w = 0; w < words; w++)
            r->asked[w] |= r->move_reads[i * words + w];
        if (r->move_wakes[i] < r->asked_wake)
            r->asked_wake = r->move_wakes[i];
    }
}

static enum err_code ask_all(struct record *r, int64_t now, bool by_itself, struct err *err)
{
    struct ask_job job = { .r = r };

    memset(r->touched, 0, r->rs->fact_words * sizeof(r->touched[0]));
    record_begin(r, now, &job.reads);
    enum err_code rc = record_run(r, ask_in_lua, &job, err);
    r->was_asked = rc == OK;
    if (rc != OK)
        return rc;
    sum_up(r);
    memset(r->unasked, 0, r->rs->fact_words * sizeof(r->unasked[0]));
    for (uint16_t i = 0; by_itself && i < r->rs->fact_words; i++)
        r->moved_facts[i] |= r->touched[i];
    return OK;
}

enum err_code record_ask(int64_t *wake, struct record *r, int64_t now, bool by_itself,
                         struct err *err)
{
    *wake = TIME_NEVER;
    if (r->rs->subjects[r->kind].move_count == 0)
        return OK;
    if (!by_itself) {
        memset(r->asked_facts, 0, r->rs->fact_words * sizeof(r->asked_facts[0]));
        memset(r->moved_facts, 0, r->rs->fact_words * sizeof(r->moved_facts[0]));
    }
    r->rs->now = now;
    bool is_known = r->was_asked && still_hold(r, r->asked, r->asked_wake);
    if (!is_known && ask_all(r, now, by_itself, err) != OK)
        return err->code;
    note_asked(r, r->asked);
    *wake = r->asked_wake;
    return OK;
}

bool record_left_moves_alone(const struct record *r)
{
    for (uint16_t i = 0; i < r->rs->fact_words; i++)
        if ((r->touched[i] & r->asked_facts[i]) ||
            ((r->touched[i] | r->applied_reads[i]) & r->moved_facts[i]))
            return false;
    return r->was_asked || r->rs->subjects[r->kind].move_count == 0;
}
