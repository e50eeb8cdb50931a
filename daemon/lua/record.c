/* record.c - see record.h. Each public call makes one protected call; the function below it that
 * may raise has the same name with _in_lua. */
#include "lua/record.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

#define ASK_ROUNDS                                                                                 \
    1000 /* a school moves a handful of times at one instant; more is a loop in the rules */

/* ---- a run: the ruleset looks at one record, at one instant ---- */

static void begin(struct record *r, int64_t now, bool is_writing, struct reads *reads)
{
    struct ruleset *rs = r->rs;

    reads_clear(reads);
    rs->record = r;
    rs->record_number = r->number;
    rs->now = now;
    rs->is_writing = is_writing;
    rs->is_keeping = false;
    rs->reads = reads;
    rs->running_count = 0;
    rs->epoch++; /* what another record or instant gave is forgotten */
}

void record_begin(struct record *r, int64_t now, struct reads *reads)
{
    begin(r, now, false, reads);
}

enum err_code record_run(struct record *r, lua_CFunction fn, void *job, struct err *err)
{
    lua_State *L = r->rs->sandbox.L;

    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, job);
    enum err_code rc = sandbox_call(&r->rs->sandbox, 1, 0, err);
    r->rs->record = NULL;
    r->rs->reads = &r->rs->unread;
    return rc;
}

/* ---- life ---- */

static int new_in_lua(lua_State *L)
{
    struct record *r = lua_touserdata(L, 1);
    lua_newtable(L);
    r->facts = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

enum err_code record_new(struct record **out, struct ruleset *rs, const char *subject,
                         struct err *err)
{
    enum subject_kind kind;

    *out = NULL;
    if (subject_parse(&kind, subject, strlen(subject), err) != OK)
        return err->code;
    struct record *r = calloc(1, sizeof(*r));
    uint16_t moves = rs->subjects[kind].move_count;
    if (r)
        r->moved = calloc(moves ? moves : 1, sizeof(*r->moved));
    if (!r || !r->moved) {
        record_free(r);
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", subject);
    }
    r->rs = rs;
    r->number = ++rs->records_made;
    r->kind = kind;
    r->facts = LUA_NOREF;
    for (uint16_t i = 0; i < moves; i++)
        r->moved[i] = TIME_NEVER;
    strcpy(r->subject, subject); /* subject_parse() has checked its length */
    if (record_run(r, new_in_lua, r, err) != OK) {
        record_free(r);
        return err->code;
    }
    *out = r;
    return OK;
}

void record_free(struct record *r)
{
    if (!r)
        return;
    if (r->rs)
        luaL_unref(r->rs->sandbox.L, LUA_REGISTRYINDEX, r->facts);
    free(r->moved);
    free(r->kept);
    free(r);
}

void record_touch(struct record *r, uint16_t fact)
{
    r->unjudged[fact / 64] |= 1ull << (fact % 64);
    r->unasked[fact / 64] |= 1ull << (fact % 64);
    r->changes++;
}

uint64_t record_changes(const struct record *r)
{
    return r->changes;
}

void record_forget_asked(struct record *r)
{
    r->was_asked = false;
}

/* ---- taking an event in ---- */

struct apply_job {
    struct record *r;
    const struct fold_event *e;
    const struct event_type *type;
};

/* e: the event as a table whose unknown names are errors (the metatable is made with the type). */
static void push_event(lua_State *L, const struct apply_job *job)
{
    const struct fold_event *e = job->e;

    lua_createtable(L, 0, 8);
    lua_pushstring(L, e->type);
    lua_setfield(L, -2, "type");
    lua_pushstring(L, e->source);
    lua_setfield(L, -2, "source");
    lua_pushstring(L, e->id);
    lua_setfield(L, -2, "id");
    lua_pushstring(L, e->subject);
    lua_setfield(L, -2, "subject");
    lua_pushinteger(L, e->time);
    lua_setfield(L, -2, "time");
    lua_createtable(L, e->as_count, 0);
    for (int i = 0; i < e->as_count; i++) {
        lua_pushstring(L, e->as[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "as");
    convert_push_json(L, e->data, job->type->data);
    lua_setfield(L, -2, "data");
    convert_guard_event(L);
}

static int apply_in_lua(lua_State *L)
{
    const struct apply_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->r->rs;
    const struct subject_defs *defs = &rs->subjects[job->r->kind];
    size_t len = strlen(job->e->type);
    const struct strmap_item *own = strmap_find(&defs->reducer_by_event, job->e->type, len);
    const struct strmap_item *any = strmap_find(&defs->reducer_by_event, "*", 1);

    if (!own && !any)
        return 0;
    push_event(L, job);
    int event = lua_gettop(L);
    for (int i = 0; i < 2; i++) {
        const struct strmap_item *item = i == 0 ? own : any;
        const struct reducer_def *reducer = item ? &defs->reducers[item->as.num] : NULL;
        if (!reducer || (i == 1 && strmap_find(&defs->any_except, job->e->type, len)))
            continue;
        lua_rawgeti(L, LUA_REGISTRYINDEX, reducer->function);
        lua_rawgeti(L, LUA_REGISTRYINDEX, defs->view);
        lua_pushvalue(L, event);
        lua_call(L, 2, 0);
    }
    return 0;
}

enum err_code record_apply(bool *known, struct record *r, const struct fold_event *e,
                           struct err *err)
{
    struct apply_job job = { .r = r, .e = e, .type = catalog_find(&r->rs->catalog, e->type) };

    *known = job.type != NULL;
    if (!job.type)
        return OK;
    begin(r, e->time, true, &r->rs->unread);
    return record_run(r, apply_in_lua, &job, err);
}

/* ---- moves ---- */

struct ask_job {
    struct record *r;
    struct reads reads;
};

/* Change a fact that moves, as a reducer would. */
static void move_to(lua_State *L, struct ruleset *rs, uint16_t fact, int enter)
{
    rs->is_writing = true;
    view_set_fact(L, rs, fact, -1);
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

static void push_fact_value(lua_State *L, struct ruleset *rs, uint16_t fact)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].view);
    lua_getfield(L, -1, rs->subjects[rs->record->kind].facts[fact].name);
    lua_remove(L, -2);
}

static bool ask_once(lua_State *L, struct ruleset *rs, const struct move_def *m)
{
    push_fact_value(L, rs, m->fact);
    if (lua_toboolean(L, -1))
        return false; /* latched */
    call_move(L, rs, m->function);
    if (!lua_toboolean(L, -1))
        return false;
    lua_pushboolean(L, 1);
    move_to(L, rs, m->fact, LUA_NOREF);
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
    rs->is_writing = true;
    push_fact_value(L, rs, m->fact);
    rs->is_writing = false;
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
        char problem[1024];
        if (value_problem(L, -1, of, problem, sizeof(problem)))
            raise_as_is(L, "%s: %s: %s", m->where, m->name, problem);
        if (box_set_add(L, list + 1))
            changed = true;
    }
    if (changed) {
        record_touch(rs->record, m->fact);
        rs->epoch++;
    }
    return changed;
}

static bool ask_first(lua_State *L, struct ruleset *rs, const struct move_def *m)
{
    push_fact_value(L, rs, m->fact);
    int current = lua_gettop(L);

    for (uint16_t i = 0; i < m->step_count; i++) {
        const struct move_step *step = &m->steps[i];
        lua_settop(L, current);
        if (step->from != LUA_NOREF) {
            lua_rawgeti(L, LUA_REGISTRYINDEX, step->from);
            lua_pushvalue(L, current);
            if (lua_rawget(L, -2) == LUA_TNIL)
                continue;
        }
        lua_rawgeti(L, LUA_REGISTRYINDEX, step->value);
        if (lua_rawequal(L, current, -1))
            continue; /* it is there already */
        int value = lua_gettop(L);
        call_move(L, rs, step->holds);
        if (!lua_toboolean(L, -1))
            continue;
        lua_pushvalue(L, value);
        move_to(L, rs, m->fact, step->enter);
        return true;
    }
    return false;
}

static int ask_in_lua(lua_State *L)
{
    struct ask_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->r->rs;
    const struct subject_defs *defs = &rs->subjects[job->r->kind];
    bool changed = true;

    for (int round = 0; changed; round++) {
        if (round == ASK_ROUNDS)
            return luaL_error(L, "%s: the moves of %s go round in circles", defs->moves[0].where,
                              job->r->subject);
        changed = false;
        reads_clear(
            &job->reads); /* only the last round, in which nothing moved, says what to wait for */
        for (uint16_t i = 0; i < defs->move_count; i++) {
            const struct move_def *m = &defs->moves[i];
            lua_settop(L, 1);
            if (m->form == MOVE_ONCE)
                changed |= ask_once(L, rs, m);
            else if (m->form == MOVE_GATHER)
                changed |= ask_gather(L, rs, m);
            else
                changed |= ask_first(L, rs, m);
        }
    }
    return 0;
}

/* Would the moves say what they said last time? Nothing they read was touched, nothing they waited for came. */
static bool moves_still_hold(const struct record *r, int64_t now)
{
    for (int i = 0; i < FACTS_MAX / 64; i++)
        if (r->asked.facts[i] & r->unasked[i])
            return false;
    return r->was_asked && r->asked.wake > now;
}

enum err_code record_ask(int64_t *wake, struct record *r, int64_t now, struct err *err)
{
    struct ask_job job = { .r = r };

    *wake = TIME_NEVER;
    if (r->rs->subjects[r->kind].move_count == 0)
        return OK;
    if (RECORD_TRACKING && moves_still_hold(r, now)) {
        *wake = r->asked.wake;
        return OK;
    }
    record_begin(r, now, &job.reads);
    enum err_code rc = record_run(r, ask_in_lua, &job, err);
    r->was_asked = rc == OK;
    if (rc == OK) {
        *wake = job.reads.wake;
        r->asked = job.reads;
        memset(r->unasked, 0, sizeof(r->unasked));
    }
    return rc;
}

/* ---- judging ---- */

struct rule_job {
    struct ruleset *rs;
    uint16_t rule;
    struct buf *out;
};

static int rule_in_lua(lua_State *L)
{
    struct rule_job *job = lua_touserdata(L, 1);

    view_push_rule(L, job->rs, job->rule);
    convert_write_scalar(L, -1, job->out);
    return 0;
}

enum err_code record_judge(struct record *r, int64_t now, judged_fn *fn, void *arg, struct err *err)
{
    struct ruleset *rs = r->rs;
    struct reads reads;
    struct buf text = { 0 };
    struct err why;
    enum err_code rc = OK;

    record_begin(r, now, &reads);
    for (uint16_t i = 0; i < rs->rule_count && rc == OK; i++) {
        struct rule_job job = { .rs = rs, .rule = i, .out = &text };
        if (rs->rules[i].of != r->kind || !rs->rules[i].is_decision)
            continue;
        buf_reset(&text);
        reads_clear(&reads);
        rs->reads = &reads;
        rs->record = r;
        lua_pushcfunction(rs->sandbox.L, rule_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, &job);
        bool failed = sandbox_call(&rs->sandbox, 1, 0, &why) != OK;
        if (failed) {
            rs->running_count = 0;
            rs->epoch++; /* marks left by the rules that were cut short */
            buf_reset(&text);
            json_write_cstr(&text, why.msg);
        }
        if (text.failed)
            rc = err_set(err, ERR_LIMIT, "no memory to judge %s", r->subject);
        else
            fn(&(struct judged){ .name = rs->rules[i].name,
                                 .value = buf_cstr(&text),
                                 .is_error = failed,
                                 .is_alert = rs->rules[i].is_alert,
                                 .wake = reads.wake },
               arg);
    }
    rs->record = NULL;
    rs->reads = &r->rs->unread;
    buf_fini(&text);
    return rc;
}

/* ---- judging again, only what may have changed ---- */

struct failure_job {
    struct ruleset *rs;
    const char *message;
    uint32_t value;
};

static int failure_in_lua(lua_State *L)
{
    struct failure_job *job = lua_touserdata(L, 1);
    job->value = kept_intern_failure(L, job->rs, job->message);
    return 0;
}

/*
 * A rule failed while `top` was judged: the innermost one that was running. It is remembered as failed, so
 * that whoever reads it fails with the same message. False when that was `top` itself.
 */
static enum err_code keep_failure(bool *is_top, struct record *r, uint16_t top, struct err *why)
{
    struct ruleset *rs = r->rs;
    struct failure_job job = { .rs = rs, .message = why->msg };
    uint16_t failed = rs->running_count ? rs->running[rs->running_count - 1] : top;
    struct memo *memo = &rs->memos[failed];
    struct kept *kept = &r->kept[failed];
    struct err err;

    for (int i = 0; i < rs->running_count; i++)
        rs->memos[rs->running[i]].epoch = rs->epoch - 1; /* cut short: to be run again */
    rs->running_count = 0;
    lua_pushcfunction(rs->sandbox.L, failure_in_lua);
    lua_pushlightuserdata(rs->sandbox.L, &job);
    if (sandbox_call(&rs->sandbox, 1, 0, &err) != OK)
        return err_set(why, err.code, "%s", err.msg);
    memo->epoch = rs->epoch;
    memo->is_running = false;
    memo->has_failed = true;
    memo->had_value = kept->has_value;
    memo->old_value = kept->value;
    memo->is_changed = !kept->has_value || kept->value != job.value;
    *kept = (struct kept){ .value = job.value, .has_value = true, .wake = TIME_NEVER };
    *is_top = failed == top;
    return OK;
}

struct rejudge_job {
    struct ruleset *rs;
    uint16_t rule;
};

static int rejudge_in_lua(lua_State *L)
{
    struct rejudge_job *job = lua_touserdata(L, 1);
    view_push_rule(L, job->rs, job->rule);
    return 0;
}

/* Bring one rule of a kept record up to date. */
static enum err_code rejudge_rule(struct record *r, uint16_t rule, struct err *err)
{
    struct ruleset *rs = r->rs;
    struct reads reads;
    bool is_done = false;

    while (!is_done && !(rs->memos[rule].epoch == rs->epoch)) {
        struct rejudge_job job = { rs, rule };
        struct err why;
        reads_clear(&reads);
        rs->reads = &reads;
        rs->running_count = 0;
        lua_pushcfunction(rs->sandbox.L, rejudge_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, &job);
        if (sandbox_call(&rs->sandbox, 1, 0, &why) == OK)
            return OK;
        if (keep_failure(&is_done, r, rule, &why) != OK)
            return err_set(err, why.code, "%s", why.msg);
    }
    return OK;
}

/* A kept value as JSON; a failure's message goes through `b`. */
static const char *shown(const struct ruleset *rs, uint32_t value, bool *is_error, struct buf *b)
{
    const char *text = kept_text(rs, value);

    *is_error = text[0] == '!';
    if (!*is_error)
        return text;
    buf_reset(b);
    json_write_cstr(b, text + 1);
    return buf_cstr(b);
}

static void tell_changed(struct record *r, uint16_t rule, judged_fn *fn, void *arg)
{
    const struct memo *memo = &r->rs->memos[rule];
    struct judged j = { .name = r->rs->rules[rule].name,
                        .is_alert = r->rs->rules[rule].is_alert,
                        .wake = r->kept[rule].wake };
    struct buf now = { 0 }, before = { 0 };

    j.value = shown(r->rs, r->kept[rule].value, &j.is_error, &now);
    if (memo->had_value)
        j.old_value = shown(r->rs, memo->old_value, &j.old_is_error, &before);
    fn(&j, arg);
    buf_fini(&now);
    buf_fini(&before);
}

enum err_code record_rejudge(int64_t *wake, struct record *r, int64_t now, judged_fn *fn, void *arg,
                             struct err *err)
{
    struct ruleset *rs = r->rs;
    struct reads reads;
    enum err_code rc = OK;

    *wake = TIME_NEVER;
    if (!r->kept && !(r->kept = calloc((size_t)rs->rule_count + 1, sizeof(*r->kept))))
        return err_set(err, ERR_LIMIT, "no memory to judge %s", r->subject);
    record_begin(r, now, &reads);
    rs->is_keeping = true;
    for (uint16_t i = 0; i < rs->rule_count && rc == OK; i++)
        if (rs->rules[i].of == r->kind)
            rc = rejudge_rule(r, i, err);
    for (uint16_t i = 0; i < rs->rule_count && rc == OK; i++) {
        if (rs->rules[i].of != r->kind)
            continue;
        if (r->kept[i].wake < *wake)
            *wake = r->kept[i].wake;
        if (rs->memos[i].is_changed && rs->rules[i].is_decision)
            tell_changed(r, i, fn, arg);
    }
    if (rc == OK) {
        memset(r->unjudged, 0, sizeof(r->unjudged));
    } else {
        free(r->kept); /* some of it may be of this judging, some of the one before */
        r->kept = NULL;
    }
    rs->is_keeping = false;
    rs->record = NULL;
    rs->reads = &rs->unread;
    return rc;
}

const char *const *ruleset_decisions(struct ruleset *rs, enum subject_kind kind, int *count)
{
    *count = rs->decision_counts[kind];
    if (rs->decisions[kind])
        return rs->decisions[kind];
    const char **names = arena_alloc(&rs->arena, sizeof(*names) * (size_t)(rs->rule_count + 1));
    for (uint16_t i = 0; names && i < rs->rule_count; i++)
        if (rs->rules[i].of == kind && rs->rules[i].is_decision)
            names[(*count)++] = rs->rules[i].name;
    rs->decisions[kind] = names;
    rs->decision_counts[kind] = *count;
    return names;
}

/* ---- facts ---- */

struct facts_job {
    struct record *r;
    struct buf *out;
};

static int facts_in_lua(lua_State *L)
{
    struct facts_job *job = lua_touserdata(L, 1);
    const struct subject_defs *defs = &job->r->rs->subjects[job->r->kind];
    const char *comma = "";

    buf_char(job->out, '{');
    for (uint16_t i = 0; i < defs->fact_count; i++) { /* declared in the order of their names */
        lua_settop(L, 1);
        push_fact_value(L, job->r->rs, i);
        if (lua_isnil(L, -1) || (box_is(L, -1) && luaL_len(L, -1) == 0))
            continue;
        buf_str(job->out, comma);
        json_write_cstr(job->out, defs->facts[i].name);
        buf_char(job->out, ':');
        convert_write(L, -1, defs->facts[i].type, job->out);
        comma = ",";
    }
    buf_char(job->out, '}');
    return 0;
}

enum err_code record_write_facts(struct buf *out, struct record *r, struct err *err)
{
    struct facts_job job = { .r = r, .out = out };
    struct reads reads;

    record_begin(r, TIME_MIN, &reads);
    return record_run(r, facts_in_lua, &job, err);
}

struct text_fact_job {
    struct record *r;
    struct buf *out;
    const char *fact;
    bool found;
};

static int text_fact_in_lua(lua_State *L)
{
    struct text_fact_job *job = lua_touserdata(L, 1);
    const struct subject_defs *defs = &job->r->rs->subjects[job->r->kind];

    for (uint16_t i = 0; i < defs->fact_count && !job->found; i++) {
        if (strcmp(defs->facts[i].name, job->fact) != 0)
            continue;
        push_fact_value(L, job->r->rs, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            break;
        size_t len;
        const char *s = lua_tolstring(L, -1, &len);
        buf_add(job->out, s, len);
        job->found = true;
    }
    return 0;
}

bool record_text_fact(struct buf *out, struct record *r, const char *fact)
{
    struct text_fact_job job = { .r = r, .out = out, .fact = fact };
    struct reads reads;
    struct err ignored;

    record_begin(r, TIME_MIN, &reads);
    return record_run(r, text_fact_in_lua, &job, &ignored) == OK && job.found;
}
