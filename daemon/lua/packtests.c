/* packtests.c - see packtests.h. Each test is read in a protected call of its own, so that one that
 * is malformed does not hide the others. */
#include "lua/packtests.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/state.h"
#include "lua/words.h"

#define DEFAULT_SCHOOL "school/100001"
#define DEFAULT_GROUP  "group/test"

struct test_job {
    struct ruleset *rs;
    lua_Integer index;
    struct arena arena; /* the test being read */
    struct pack_test test;
    bool is_end;
    int64_t time;   /* of the entry before */
    struct buf out; /* the text being written: an error must not leak it */
};

static void *need(lua_State *L, struct test_job *job, size_t size)
{
    void *p = arena_alloc(&job->arena, size);
    if (!p)
        luaL_error(L, "out of memory");
    return p;
}

static const char *keep(lua_State *L, struct test_job *job, int index)
{
    const char *copy = arena_strdup(&job->arena, lua_tostring(L, index));
    if (!copy)
        luaL_error(L, "out of memory");
    return copy;
}

static int64_t check_moment(lua_State *L, int index, const char *what)
{
    int64_t t = 0;
    struct err err;
    if (lua_isnil(L, index))
        luaL_error(L, "%s is missing; expected a date or a time as text", what);
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s is %s; expected a date or a time as text", what, words_found(L, index));
    if (moment_parse(&t, lua_tostring(L, index), &err) != OK)
        luaL_error(L, "%s: %s", what, err.msg);
    return t;
}

/* A value of a test as JSON; its type says whether an empty table is a list or an object. */
static void write_value(lua_State *L, int index, const struct type *type, struct buf *out)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, "test data too deep");
    if (!lua_istable(L, index)) {
        convert_write_scalar(L, index, out);
        return;
    }
    bool is_list =
        type ? type->kind == TYPE_SET || type->kind == TYPE_LIST : lua_rawlen(L, index) > 0;
    const struct type *of = type ? type->of : NULL;
    const char *comma = "";

    buf_char(out, is_list ? '[' : '{');
    sandbox_push_keys(L, index);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, keys, i) != LUA_TNIL; i++) {
        buf_str(out, comma);
        comma = ",";
        if (!is_list) {
            json_write_cstr(out, luaL_tolstring(L, -1, NULL));
            lua_pop(L, 1);
            buf_char(out, ':');
        }
        lua_rawget(L, index);
        write_value(L, -1, of, out);
        lua_settop(L, keys);
    }
    lua_settop(L, keys - 1);
    buf_char(out, is_list ? ']' : '}');
}

static bool is_envelope_key(lua_State *L, int index)
{
    const char *key = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
    return !key || strcmp(key, "as") == 0;
}

static void write_data(lua_State *L, const struct event_type *type, struct buf *out)
{
    const char *comma = "";
    int entry = lua_gettop(L);

    buf_char(out, '{');
    sandbox_push_keys(L, entry);
    for (lua_Integer i = 1; lua_rawgeti(L, entry + 1, i) != LUA_TNIL;
         i++, lua_settop(L, entry + 1)) {
        if (is_envelope_key(L, -1))
            continue;
        const struct type_field *field = type_field(type->data, lua_tostring(L, -1));
        buf_str(out, comma);
        comma = ",";
        json_write_cstr(out, lua_tostring(L, -1));
        buf_char(out, ':');
        lua_rawget(L, entry);
        write_value(L, -1, field ? field->type : NULL, out);
    }
    lua_settop(L, entry);
    buf_char(out, '}');
}

/* The entry on top as a CloudEvent. */
static const char *read_event(lua_State *L, struct test_job *job, int number)
{
    char time[TIME_TEXT], hint[200];
    struct buf *out = &job->out;
    int entry = lua_gettop(L);

    if (!lua_istable(L, entry) || lua_rawgeti(L, entry, 1) != LUA_TSTRING)
        luaL_error(L, "given %d: expected { \"event.type\", field = value ... }", number);
    const char *name = keep(L, job, -1);
    const struct event_type *type = catalog_find(&job->rs->catalog, name);
    if (!type) {
        const char *known[512];
        size_t count = 0;
        for (uint32_t i = 0; i < job->rs->catalog.types.count && count < 512; i++)
            known[count++] = job->rs->catalog.types.items[i].key;
        luaL_error(L, "given %d: unknown event '%s'%s", number, name,
                   text_hint(hint, sizeof(hint), name, known, count));
    }
    if (lua_rawgeti(L, entry, 2) != LUA_TNIL)
        job->time = check_moment(L, -1, "time");
    const char *subject = type->subjects[SUBJECT_SCHOOL] ? DEFAULT_SCHOOL : DEFAULT_GROUP;
    if (lua_getfield(L, entry, "as") == LUA_TSTRING)
        subject = keep(L, job, -1);
    lua_settop(L, entry);

    buf_reset(out);
    buf_printf(out,
               "{\"specversion\":\"1.0\",\"source\":\"%s\",\"id\":\"%d\",\"sequence\":\"%06d\","
               "\"time\":\"%s\",\"type\":",
               PACK_TEST_SOURCE, number, number, time_text(job->time, time));
    json_write_cstr(out, name);
    buf_str(out, ",\"subject\":");
    json_write_cstr(out, subject);
    buf_str(out, ",\"data\":");
    write_data(L, type, out);
    buf_char(out, '}');
    const char *copy = arena_strdup(&job->arena, buf_cstr(out));
    if (!copy || out->failed)
        luaL_error(L, "out of memory");
    return copy;
}

static void read_given(lua_State *L, struct test_job *job, int table)
{
    if (lua_getfield(L, table, "given") != LUA_TTABLE)
        luaL_error(L, "given is missing; expected a list of events");
    int given = lua_gettop(L);
    int count = (int)lua_rawlen(L, given);
    const char **events = need(L, job, sizeof(*events) * (size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, given, i + 1);
        events[i] = read_event(L, job, i + 1);
        lua_settop(L, given);
    }
    job->test.events = events;
    job->test.event_count = count;
}

static void read_expect(lua_State *L, struct test_job *job, int table)
{
    if (lua_getfield(L, table, "expect") != LUA_TTABLE)
        luaL_error(L, "expect is missing; expected a table of decisions and their values");
    int expect = lua_gettop(L);
    sandbox_push_keys(L, expect);
    int keys = lua_gettop(L), count = (int)lua_rawlen(L, keys);
    struct pack_test_expect *expects = need(L, job, sizeof(*expects) * (size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, keys, i + 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "expect: found a value without a name; expected decision = value");
        expects[i].decision = keep(L, job, -1);
        lua_rawget(L, expect);
        if (lua_istable(L, -1) || lua_isfunction(L, -1))
            luaL_error(L, "expect.%s is %s; expected a single value", expects[i].decision,
                       words_found(L, -1));
        buf_reset(&job->out);
        convert_write_scalar(L, -1, &job->out);
        expects[i].value = arena_strdup(&job->arena, buf_cstr(&job->out));
        if (!expects[i].value || job->out.failed)
            luaL_error(L, "out of memory");
        lua_settop(L, keys);
    }
    job->test.expects = expects;
    job->test.expect_count = count;
}

/* missing = { "two_leads", ... }: as a set, so that order and repeats do not count */
static void read_missing(lua_State *L, struct test_job *job, int table)
{
    luaL_Buffer b;

    if (lua_getfield(L, table, "missing") == LUA_TNIL)
        return;
    if (!lua_istable(L, -1))
        luaL_error(L, "missing is %s; expected a list of names", words_found(L, -1));
    int list = lua_gettop(L), count = (int)lua_rawlen(L, list);
    lua_newtable(L);
    for (int i = 1; i <= count; i++) {
        if (lua_rawgeti(L, list, i) != LUA_TSTRING)
            luaL_error(L, "missing: entry %d is %s; expected a name", i, words_found(L, -1));
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    sandbox_push_keys(L, -1);
    int keys = lua_gettop(L);
    luaL_buffinit(L, &b);
    for (int i = 1; lua_rawgeti(L, keys, i) != LUA_TNIL; i++) {
        luaL_addvalue(&b);
        luaL_addchar(&b, ' ');
    }
    lua_pop(L, 1);
    if (luaL_bufflen(&b) > 0)
        luaL_buffsub(&b, 1);
    luaL_pushresult(&b);
    job->test.missing = keep(L, job, -1);
}

static void check_keys(lua_State *L, int table)
{
    static const char *const KEYS[] = { "given", "at", "expect", "missing", "subject" };
    char hint[200];

    sandbox_push_keys(L, table);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        bool is_known = lua_type(L, -1) != LUA_TSTRING; /* numbered entries: only the name */
        for (size_t k = 0; k < 5 && !is_known; k++)
            is_known = strcmp(lua_tostring(L, -1), KEYS[k]) == 0;
        if (!is_known)
            luaL_error(L, "unknown key '%s'%s", lua_tostring(L, -1),
                       text_hint(hint, sizeof(hint), lua_tostring(L, -1), KEYS, 5));
    }
    lua_pop(L, 2);
}

static int read_test_in_lua(lua_State *L)
{
    struct test_job *job = lua_touserdata(L, 1);
    enum subject_kind kind;
    struct err err;

    lua_rawgeti(L, LUA_REGISTRYINDEX, job->rs->tests);
    if (lua_rawgeti(L, -1, job->index) == LUA_TNIL) {
        job->is_end = true;
        return 0;
    }
    job->test.where = job->rs->test_places[job->index - 1];
    int table = lua_gettop(L);
    if (!lua_istable(L, table))
        luaL_error(L, "found %s, expected { \"name\", given = {...}, at = ..., expect = {...} }",
                   words_found(L, table));
    if (lua_rawgeti(L, table, 1) != LUA_TSTRING)
        luaL_error(L, "the test has no name; expected a sentence as its first entry");
    job->test.name = keep(L, job, -1);
    check_keys(L, table);
    lua_getfield(L, table, "at");
    job->test.at = check_moment(L, -1, "at");
    job->time = london_add_days(job->test.at, -1);
    job->test.subject = DEFAULT_SCHOOL;
    if (lua_getfield(L, table, "subject") == LUA_TSTRING)
        job->test.subject = keep(L, job, -1);
    if (subject_parse(&kind, job->test.subject, strlen(job->test.subject), &err) != OK)
        luaL_error(L, "subject: %s", err.msg);
    read_given(L, job, table);
    read_expect(L, job, table);
    read_missing(L, job, table);
    return 0;
}

enum err_code ruleset_each_test(struct ruleset *rs, pack_test_fn *fn,
                                pack_test_malformed_fn *malformed, void *arg, struct err *err)
{
    struct test_job job = { .rs = rs };
    enum err_code rc = OK;

    for (job.index = 1; rc == OK; job.index++) {
        struct err why;
        char name[200];
        arena_reset(&job.arena);
        job.test = (struct pack_test){ 0 };
        lua_pushcfunction(rs->sandbox.L, read_test_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, &job);
        enum err_code read = sandbox_call(&rs->sandbox, 1, 0, &why);
        if (read == ERR_BUSY) { /* this one once more */
            job.index--;
            continue;
        }
        sandbox_trust(&rs->sandbox);
        bool failed = read != OK;
        if (job.is_end)
            break;
        snprintf(name, sizeof(name), "test %lld%s%s", (long long)job.index,
                 job.test.name ? ": " : "", job.test.name ? job.test.name : "");
        if (failed)
            malformed(name, rs->test_places[job.index - 1], why.msg, arg);
        else
            rc = fn(&job.test, arg, err);
    }
    arena_fini(&job.arena);
    buf_fini(&job.out);
    return rc;
}
