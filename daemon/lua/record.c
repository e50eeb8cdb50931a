/* record.c - see record.h. Each public call makes one protected call; the function below it that
 * may raise has the same name with _in_lua. */
#include "lua/record.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

/* ---- a run: the ruleset looks at one record, at one instant ---- */

static void begin(struct record *r, int64_t now, bool is_writing, struct reads *reads)
{
    struct ruleset *rs = r->rs;

    reads_clear(rs, reads);
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
    kept_end(r);
    free(r);
}

void record_touch(struct record *r, uint16_t fact)
{
    r->unjudged[fact / 64] |= 1ull << (fact % 64);
    r->unasked[fact / 64] |= 1ull << (fact % 64);
    r->touched[fact / 64] |= 1ull << (fact % 64);
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
    memset(r->touched, 0, sizeof(r->touched));
    begin(r, e->time, true, &r->rs->unread);
    enum err_code rc = record_run(r, apply_in_lua, &job, err);
    memcpy(r->applied_reads, r->rs->unread.facts, sizeof(r->applied_reads));
    return rc;
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
        view_push_fact(L, job->r->rs, i);
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
        view_push_fact(L, job->r->rs, i);
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
