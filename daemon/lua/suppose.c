/* suppose.c - see suppose.h. */
#include "lua/suppose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"
#include "lua/state.h"

void suppose_note(struct ruleset *rs, uint16_t param)
{
    struct param_watch *watch = rs->watched ? &rs->watched[param] : NULL;
    bool is_supposed = rs->params[param].is_supposed;

    if (rs->running_count > 0) {
        uint16_t place = rs->rules[rs->running[rs->running_count - 1]].place;
        uint64_t bit = 1ull << (place % 64);
        if (is_supposed)
            rs->supposed_readers[rs->record->kind][place / 64] |= bit;
        if (watch)
            watch->readers[rs->record->kind][place / 64] |= bit;
    }
    if (is_supposed && rs->is_writing)
        rs->was_moved = true;
    else if (is_supposed && rs->is_asking)
        rs->supposed_in = rs->epoch;
    if (watch && (rs->is_asking || rs->is_writing))
        watch->was_moved = true;
}

/* ---- watching ---- */

/* No parameter is found without asking view.c from here on. */
static int watch_in_lua(lua_State *L)
{
    const struct ruleset *rs = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->params_table);
    for (uint16_t i = 0; i < rs->param_count; i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, rs->params[i].name);
    }
    return 0;
}

enum err_code rulebook_watch(struct rulebook *b, struct err *err)
{
    struct ruleset *rs;

    for (int i = 0; (rs = rulebook_at(b, i)); i++) {
        if (!rs->watched)
            rs->watched = calloc((size_t)rs->param_count + 1, sizeof(*rs->watched));
        if (!rs->watched)
            return err_set(err, ERR_LIMIT, "no memory to note who reads parameters");
        lua_pushcfunction(rs->sandbox.L, watch_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, rs);
        ruleset_count(rs, false); /* so that it is never suspect */
        if (sandbox_call(&rs->sandbox, 1, 0, err) != OK)
            return err->code;
        ruleset_trust(rs);
    }
    return OK;
}

bool rulebook_moves_read(const struct rulebook *b, const char *param)
{
    const struct ruleset *rs;

    for (int i = 0; (rs = rulebook_at(b, i)); i++) {
        const struct strmap_item *item = strmap_find(&rs->param_names, param, strlen(param));
        if (item && (!rs->watched || rs->watched[item->as.num].was_moved))
            return true;
    }
    return false;
}

void rulebook_suppose_nothing(struct rulebook *b)
{
    struct ruleset *rs;

    rulebook_switch(b, false);
    for (int i = 0; (rs = rulebook_at(b, i)); i++) {
        for (uint16_t p = 0; p < rs->param_count; p++) {
            if (rs->params[p].is_supposed)
                luaL_unref(rs->sandbox.L, LUA_REGISTRYINDEX, rs->params[p].supposed);
            rs->params[p].is_supposed = false;
        }
        memset(rs->supposed_readers, 0, sizeof(rs->supposed_readers));
    }
}

void rulebook_switch(struct rulebook *b, bool supposed)
{
    struct ruleset *rs;

    for (int i = 0; (rs = rulebook_at(b, i)); i++)
        rs->is_supposing = supposed;
}

bool rulebook_was_moved(struct rulebook *b)
{
    struct ruleset *rs;
    bool was = false;

    for (int i = 0; (rs = rulebook_at(b, i)); i++) {
        was = was || rs->was_moved;
        rs->was_moved = false;
    }
    return was;
}

void record_stir(struct record *r)
{
    r->is_stirred = true;
}

/* ---- values ---- */

struct suppose_job {
    struct param_def *param;
    int params_table;
    const struct json *value;
    const char *problem; /* what it is not */
    char expected[160];
};

static bool is_year(const char *text, size_t len)
{
    int year;
    return year_parse(&year, text, len, NULL) == OK;
}

static bool is_day(const char *text, size_t len)
{
    int32_t day;
    return day_parse(&day, text, len, NULL) == OK;
}

/* Push the value; false: it is none for a parameter that holds what is at `like`. */
static bool push_number(lua_State *L, const struct json *v)
{
    if (v->type == JSON_INT)
        lua_pushinteger(L, v->as.integer);
    else if (v->type == JSON_REAL)
        lua_pushnumber(L, v->as.real);
    else if (v->type != JSON_STRING || lua_stringtonumber(L, v->as.string) == 0)
        return false;
    return true;
}

static bool push_truth(lua_State *L, const struct json *v)
{
    bool is_true = v->type == JSON_BOOL ? v->as.boolean : json_is_string(v, "true");

    if (v->type != JSON_BOOL && !is_true && !json_is_string(v, "false"))
        return false;
    lua_pushboolean(L, is_true);
    return true;
}

static bool push_text(lua_State *L, struct suppose_job *job, int like)
{
    const struct json *v = job->value;
    size_t len;
    const char *now = lua_tolstring(L, like, &len);

    if (v->type != JSON_STRING)
        return false;
    job->problem = is_year(now, len) && !is_year(v->as.string, v->len) ? "an academic year"
                   : is_day(now, len) && !is_day(v->as.string, v->len) ? "a date"
                                                                       : "a text";
    if (strcmp(job->problem, "a text") != 0)
        return false;
    lua_pushlstring(L, v->as.string, v->len);
    return true;
}

static int suppose_in_lua(lua_State *L)
{
    struct suppose_job *job = lua_touserdata(L, 1);
    bool fits = false;

    int type = lua_rawgeti(L, LUA_REGISTRYINDEX, job->param->versions[0].ref);
    if (type == LUA_TNUMBER) {
        job->problem = "a number";
        fits = push_number(L, job->value);
    } else if (type == LUA_TBOOLEAN) {
        job->problem = "true or false";
        fits = push_truth(L, job->value);
    } else {
        job->problem = "a text";
        fits = push_text(L, job, 2);
    }
    if (!fits) {
        const char *now =
            type == LUA_TBOOLEAN ? lua_toboolean(L, 2) ? "true" : "false" : lua_tostring(L, 2);
        snprintf(job->expected, sizeof(job->expected), "expected %s, as it has now: %.80s",
                 job->problem, now);
        return 0;
    }
    job->problem = NULL;
    job->param->supposed = luaL_ref(L, LUA_REGISTRYINDEX);
    job->param->is_supposed = true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->params_table);
    lua_pushnil(L); /* no longer one that is found without asking view.c */
    lua_setfield(L, -2, job->param->name);
    return 0;
}

/* Those who have read it before anything was supposed of it. */
static void add_readers(struct ruleset *rs, const struct param_watch *watch)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++)
        for (uint16_t i = 0; i < rs->rule_words; i++)
            rs->supposed_readers[kind][i] |= watch->readers[kind][i];
}

static enum err_code suppose(struct ruleset *rs, struct param_def *param, const struct json *value,
                             struct err *err)
{
    struct suppose_job job = {
        .param = param, .params_table = rs->params_table, .value = value, .problem = "a value"
    };
    char brief[64];

    lua_pushcfunction(rs->sandbox.L, suppose_in_lua);
    lua_pushlightuserdata(rs->sandbox.L, &job);
    ruleset_count(rs, false);
    if (sandbox_call(&rs->sandbox, 1, 0, err) != OK)
        return err->code;
    ruleset_trust(rs);
    if (!job.problem && rs->watched)
        add_readers(rs, &rs->watched[param - rs->params]);
    return !job.problem ? OK
                        : err_set(err, ERR_INPUT, "parameter %s: found %s, %s", param->name,
                                  json_brief(value, brief, sizeof(brief)), job.expected);
}

static enum err_code no_such_param(const struct rulebook *b, const char *param, struct err *err)
{
    const char *known[PARAMS_MAX * 4];
    char hint[160];
    const struct ruleset *rs;
    size_t count = 0;

    for (int i = 0; (rs = rulebook_at(b, i)); i++)
        for (uint16_t p = 0; p < rs->param_count && count < sizeof(known) / sizeof(known[0]); p++)
            known[count++] = rs->params[p].name;
    return err_set(err, ERR_INPUT, "there is no parameter '%s'%s", param,
                   text_hint(hint, sizeof(hint), param, known, count));
}

enum err_code rulebook_suppose(struct rulebook *b, const char *param, const struct json *value,
                               struct err *err)
{
    struct ruleset *rs;
    bool found = false;

    for (int i = 0; (rs = rulebook_at(b, i)); i++) {
        const struct strmap_item *item = strmap_find(&rs->param_names, param, strlen(param));
        found = found || item;
        if (item && suppose(rs, &rs->params[item->as.num], value, err) != OK)
            return err->code;
    }
    return found ? OK : no_such_param(b, param, err);
}
