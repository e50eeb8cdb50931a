/* moves.c - what a record becomes by itself: asked after every event and at each awaited instant.
 * See record.h. */
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"
#include "lua/trace_internal.h"
#include "lua/words.h"

/* A school moves a handful of times at one instant; more is a loop in the rules. */
#define ASK_ROUNDS 1000
/* So often may a move use up its budget for one subject, and all of an overlay's together: one
 * after the other they could take any time. */
#define STOPPED_MAX 3

/* It goes on where it was, after a move that has failed. */
struct ask_job {
    struct record *r;
    struct reads reads;
    int round;
    uint16_t at;   /* the move that is asked */
    uint16_t last; /* that changed something */
    bool changed;  /* in this round */
};

/* Change a fact that moves, as a reducer would. `value` is borrowed. */
static void move_to(lua_State *L, struct ruleset *rs, const struct move_def *m, struct cell value,
                    int enter)
{
    struct sandbox_part outer;

    if (enter != LUA_NOREF && !undo_begin_one(rs->record))
        sandbox_raise_starved(&rs->sandbox);
    rs->is_writing = true;
    rs->is_own_only = rs->subjects[rs->record->kind].facts[m->fact].is_own;
    view_change_fact(rs, m->fact, cell_share(value));
    if (enter != LUA_NOREF) {
        sandbox_enter(&rs->sandbox, &outer, m->where);
        lua_rawgeti(L, LUA_REGISTRYINDEX, enter);
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].view);
        lua_pushinteger(L, rs->now);
        lua_call(L, 2, 0);
        sandbox_leave(&rs->sandbox, &outer);
    }
    rs->is_writing = rs->is_own_only = false;
    undo_end_one(rs->record);
    rs->epoch++; /* what rules said before the move may no longer hold */
}

/* Call a move's function with the view; its value is left on the stack. */
static void call_move(lua_State *L, struct ruleset *rs, int function, const char *where)
{
    struct sandbox_part outer;

    sandbox_enter(&rs->sandbox, &outer, where);
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].view);
    lua_call(L, 1, 1);
    sandbox_leave(&rs->sandbox, &outer);
}

static bool says_yes(lua_State *L, struct ruleset *rs, int function, const struct move_def *m)
{
    call_move(L, rs, function, m->where);
    return view_take_answer(L, m->where, m->name);
}

/* What a move's function says. Where it looked at a parameter that is supposed to have another
 * value, it is asked by that too: as long as both say the same, the facts are the same either way.
 */
static bool ask_function(lua_State *L, struct ruleset *rs, int function, const struct move_def *m)
{
    bool yes = says_yes(L, rs, function, m);

    if (rs->supposed_in != rs->epoch || rs->was_moved || rs->is_supposing)
        return yes;
    rs->is_supposing = true;
    rs->epoch++;
    if (says_yes(L, rs, function, m) != yes)
        rs->was_moved = true;
    rs->is_supposing = false;
    rs->epoch++;
    return yes;
}

static bool ask_once(lua_State *L, struct ruleset *rs, const struct move_def *m)
{
    if (rs->is_traced)
        trace_read(rs, m->fact, NULL, 0);
    if (cell_is_true(view_read_fact(rs, m->fact)))
        return false; /* latched */
    if (!ask_function(L, rs, m->function, m))
        return false;
    move_to(L, rs, m, cell_bool(true), LUA_NOREF);
    return true;
}

/* All of it must fit, before any joins. */
static void check_gathered(lua_State *L, struct ruleset *rs, const struct move_def *m, int list)
{
    const struct type *of = rs->subjects[rs->record->kind].facts[m->fact].type->of;

    if (!lua_istable(L, list))
        raise_as_is(L, "%s: %s gave %s; expected a list of values", m->where, m->name,
                    words_found(L, list));
    sandbox_thaw(L, list);
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        char problem[1024];
        if (value_problem(L, -1, of, problem, sizeof(problem)))
            raise_as_is(L, "%s: %s: %s", m->where, m->name, problem);
    }
    lua_settop(L, list);
}

/* Each value in the list that the function returns joins the set for good. */
static bool ask_gather(lua_State *L, struct ruleset *rs, const struct move_def *m)
{
    bool changed = false;

    call_move(L, rs, m->function, m->where);
    if (rs->supposed_in == rs->epoch)
        rs->was_moved = true; /* lists are not held against each other */
    int list = lua_gettop(L);
    if (lua_isnil(L, list))
        return false;
    check_gathered(L, rs, m, list);
    view_read_fact(rs, m->fact);
    if (lua_rawlen(L, list) > 0)
        undo_note(rs->record, m->fact);
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++, lua_pop(L, 1))
        if (box_gather(L, rs, m->fact, lua_gettop(L)))
            changed = true;
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

    if (rs->is_traced)
        trace_read(rs, m->fact, NULL, 0);
    for (uint16_t i = 0; i < m->step_count; i++) {
        const struct move_step *step = &m->steps[i];
        if (!may_step(step, current))
            continue;
        if (!ask_function(L, rs, step->holds, m))
            continue;
        move_to(L, rs, m, step->value, step->enter);
        return true;
    }
    return false;
}

/* Would a move say what it said last time? Nothing it read was touched, nothing it waited for has
 * come. */
static bool still_holds(const struct record *r, uint16_t move, int64_t now)
{
    return RECORD_TRACKING && r->asked[move].is_good && r->asked[move].wake > now;
}

/* Facts on which the moves depend since the last event for which they were asked. */
static void note_asked(struct record *r, const uint64_t *facts)
{
    for (uint16_t i = 0; i < r->rs->fact_words; i++)
        r->asked_facts[i] |= facts[i];
}

/* Ask one move; true when something has changed. It is noted what it read; a change that touches
 * that makes it one to be asked again. */
static bool ask_move(lua_State *L, struct ask_job *job, uint16_t move)
{
    struct record *r = job->r;
    const struct move_def *m = &r->rs->subjects[r->kind].moves[move];
    struct asked *asked = &r->asked[move];

    lua_settop(L, 1);
    reads_clear(r->rs, &job->reads);
    asked->is_good = false;
    if (r->trace)
        trace_move_begins(r, move);
    bool has_moved = m->form == MOVE_ONCE     ? ask_once(L, r->rs, m)
                     : m->form == MOVE_GATHER ? ask_gather(L, r->rs, m)
                                              : ask_first(L, r->rs, m);
    note_asked(r, job->reads.facts);
    record_note(r, job->reads.facts);
    memcpy(asked->facts, job->reads.facts, r->rs->fact_words * sizeof(asked->facts[0]));
    asked->wake = job->reads.wake;
    asked->is_good = !has_moved;
    if (r->trace)
        trace_move(r, move, has_moved);
    return has_moved;
}

/* It failed in this asking, or too often for this subject. */
static bool is_left_out(const struct record *r, uint16_t move)
{
    const struct move_def *m = &r->rs->subjects[r->kind].moves[move];
    return r->asked[move].has_failed || r->asked[move].spent >= STOPPED_MAX ||
           (m->is_own && r->own_spent >= STOPPED_MAX);
}

static int ask_in_lua(lua_State *L)
{
    struct ask_job *job = lua_touserdata(L, 1);
    struct record *r = job->r;
    const struct subject_defs *defs = &r->rs->subjects[r->kind];

    for (;;) {
        for (; job->at < defs->move_count; job->at++) {
            if (is_left_out(r, job->at) || still_holds(r, job->at, r->rs->now) ||
                !ask_move(L, job, job->at))
                continue;
            job->last = job->at;
            job->changed = true;
        }
        if (!job->changed)
            return 0;
        job->at = job->last;
        if (++job->round == ASK_ROUNDS)
            return raise_as_is(L, "%s: the moves go round in circles: %s moves again and again",
                               defs->moves[job->at].where, defs->moves[job->at].name);
        job->at = 0;
        job->changed = false;
    }
}

static bool all_still_hold(const struct record *r, int64_t now)
{
    for (uint16_t i = 0; i < r->rs->subjects[r->kind].move_count; i++)
        if (!still_holds(r, i, now))
            return false;
    return true;
}

/* The move under way has failed. What it has read may let it say something else at the next event.
 * False: what it has changed can not be taken back. */
static bool leave_out(struct ask_job *job)
{
    struct record *r = job->r;
    struct asked *asked = &r->asked[job->at];
    const struct move_def *m = &r->rs->subjects[r->kind].moves[job->at];

    bool is_back = undo_one(r), was_spent = ruleset_was_spent(r->rs);
    asked->has_failed = true;
    asked->is_good = false;
    asked->wake = TIME_NEVER;
    asked->spent += was_spent;
    r->own_spent += was_spent && m->is_own;
    note_asked(r, job->reads.facts);
    record_note(r, job->reads.facts);
    if (r->trace)
        trace_move(r, job->at, false);
    job->at++;
    job->round = 0;
    return is_back;
}

static enum err_code ask_some(struct ask_job *job, int64_t now, bool by_itself, struct err *err)
{
    struct record *r = job->r;

    record_begin(r, now, &job->reads);
    r->is_by_itself = by_itself;
    r->rs->is_asking = true;
    enum err_code rc = record_run(r, ask_in_lua, job, err);
    r->rs->is_asking = r->rs->is_writing = r->rs->is_own_only = false;
    r->is_by_itself = false;
    return rc;
}

/* What is supposed is no reason for a move to fail: where it does by that, the facts may be others,
 * and it is asked once more by what is so. */
static enum err_code ask_by_what_is_so(struct ask_job *job, int64_t now, bool by_itself,
                                       struct err *err)
{
    struct ruleset *rs = job->r->rs;
    bool is_supposing = rs->is_supposing;

    enum err_code rc = ask_some(job, now, by_itself, err);
    if (rs->is_supposing == is_supposing)
        return rc;
    rs->is_supposing = is_supposing;
    rs->was_moved = true;
    return ask_some(job, now, by_itself, err);
}

struct listener {
    failed_move_fn *failed;
    void *arg;
};

static void tell_failed(const struct ask_job *job, const struct listener *to, const char *message)
{
    const struct move_def *m = &job->r->rs->subjects[job->r->kind].moves[job->at];

    if (to->failed)
        to->failed(
            &(struct failed_move){ m->name, message, m->is_own, ruleset_was_spent(job->r->rs) },
            to->arg);
}

static enum err_code ask_all(struct record *r, int64_t now, bool by_itself,
                             const struct listener *to, struct err *err)
{
    struct ask_job job;
    struct err why;
    enum err_code rc = OK, one;

    job.r = r; /* its reads are cleared where they are used */
    job.round = 0;
    job.at = job.last = 0;
    job.changed = false;
    memset(r->touched, 0, r->rs->fact_words * sizeof(r->touched[0]));
    for (uint16_t i = 0; i < r->rs->subjects[r->kind].move_count; i++)
        r->asked[i].has_failed = false;
    while ((one = ask_by_what_is_so(&job, now, by_itself, &why)) == ERR_RULE || one == ERR_LIMIT) {
        tell_failed(&job, to, why.msg);
        if (rc == OK)
            rc = err_set(err, ERR_RULE, "%s", why.msg);
        if (!leave_out(&job))
            return err_set(err, ERR_BUSY, "no memory to take back what a move has changed");
    }
    if (one != OK) {
        record_forget_asked(r);
        return err_set(err, one, "%s", why.msg);
    }
    for (uint16_t i = 0; by_itself && i < r->rs->fact_words; i++)
        r->moved_facts[i] |= r->touched[i];
    return rc;
}

enum err_code record_ask(int64_t *wake, struct record *r, int64_t now, bool by_itself,
                         failed_move_fn *failed, void *arg, struct err *err)
{
    uint16_t moves = r->rs->subjects[r->kind].move_count;
    enum err_code rc = OK;

    *wake = TIME_NEVER;
    if (moves == 0)
        return OK;
    if (!by_itself) {
        undo_forget(r); /* what moved before this event stays */
        memset(r->asked_facts, 0, r->rs->fact_words * sizeof(r->asked_facts[0]));
        memset(r->moved_facts, 0, r->rs->fact_words * sizeof(r->moved_facts[0]));
    }
    if (!all_still_hold(r, now))
        rc = ask_all(r, now, by_itself, &(struct listener){ failed, arg }, err);
    for (uint16_t i = 0; i < moves && (rc == OK || rc == ERR_RULE); i++) {
        note_asked(r, r->asked[i].facts);
        if (!is_left_out(r, i) && r->asked[i].wake < *wake)
            *wake = r->asked[i].wake;
    }
    return rc;
}

/* Those that were not asked since they last changed something, or failed, may say anything. */
static bool were_asked(const struct record *r)
{
    for (uint16_t i = 0; i < r->rs->subjects[r->kind].move_count; i++)
        if (!r->asked[i].is_good)
            return false;
    return true;
}

bool record_left_moves_alone(const struct record *r)
{
    for (uint16_t i = 0; i < r->rs->fact_words; i++)
        if ((r->touched[i] & r->asked_facts[i]) ||
            ((r->touched[i] | r->applied_reads[i]) & r->moved_facts[i]))
            return false;
    return were_asked(r);
}
