/* packfiles.c - see packfiles.h. */
#include "lua/packfiles.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/loader.h"
#include "lua/slips.h"
#include "lua/words.h"

struct load_job {
    struct ruleset *rs;
    struct sources *sources;
    struct loader loader;
    struct places places;
    struct arena scratch;
    struct part parts[SOURCES_MAX];
    int running[SOURCES_MAX]; /* files that import each other, outermost first */
    int running_count;
    bool is_told; /* what is raised now is among the problems already */
};

static void run_file(lua_State *L, struct load_job *job, int index);

/* The word of the pack language that a file's table is made with. */
static const char *word_of(bool is_overlay)
{
    return is_overlay ? "overlay" : "pack";
}

static int import_cycle(lua_State *L, const struct load_job *job, int index)
{
    luaL_Buffer b;
    int i = 0;

    while (job->running[i] != index)
        i++;
    luaL_buffinit(L, &b);
    for (; i < job->running_count; i++) {
        luaL_addstring(&b, job->sources->items[job->running[i]].name);
        luaL_addstring(&b, " -> ");
    }
    luaL_addstring(&b, job->sources->items[index].name);
    luaL_pushresult(&b);
    return luaL_error(L, "import: these files import each other: %s", lua_tostring(L, -1));
}

/* import("areas"): what areas.lua beside this file returns */
static int import(lua_State *L)
{
    struct load_job *job = ruleset_of(L)->loading;
    const char *name = luaL_checkstring(L, 1);
    const char *names[SOURCES_MAX];
    char hint[160];
    size_t count = 0;

    if (!job)
        return luaL_error(L, "import: files are imported while a pack is loaded, not by a rule");
    bool is_overlay = job->sources->items[job->running[job->running_count - 1]].is_overlay;
    for (int i = 0; i < job->sources->count; i++) {
        struct source *s = &job->sources->items[i];
        if (s->is_overlay !=
            is_overlay) /* what a file of another pack holds is not to be touched */
            continue;
        names[count++] = s->name;
        if (strcmp(s->name, name) != 0)
            continue;
        if (s->state == SOURCE_RUNNING)
            return import_cycle(L, job, i);
        s->is_imported = true;
        run_file(L, job, i);
        return 1;
    }
    size_t len = strlen(name);
    if (len > 4 && strcmp(name + len - 4, ".lua") == 0)
        return luaL_error(
            L, "import: there is no %s.lua in this pack; a file is named without .lua", name);
    return luaL_error(L, "import: there is no %s.lua in this pack%s", name,
                      text_hint(hint, sizeof(hint), name, names, count));
}

static int raise_told(lua_State *L, struct load_job *job)
{
    job->is_told = true;
    lua_pushliteral(L, "told");
    return lua_error(L);
}

/* Push the main function of a file, after a look at all names in it. */
static void load_chunk(lua_State *L, struct load_job *job, const struct source *s)
{
    char chunk[64], why[120];
    struct err err;
    size_t problems = job->loader.problems->count;

    /* Lua cuts long names at the front, and messages with them: then the file's own name
     * will do. */
    int len = snprintf(chunk, sizeof(chunk), "@%s", s->path);
    if (len > 58)
        snprintf(chunk, sizeof(chunk), "@%.50s.lua", s->name);
    if (!job->loader.problems->was_in_force && slips_in_bytes(why, sizeof(why), s->text, s->len))
        raise_as_is(L, "%s:%s", chunk + 1, why);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->rs->env);
    if (sandbox_load(&job->rs->sandbox, chunk, s->text, s->len, -1, &err) != OK)
        raise_as_is(L, "%s", err.msg);
    lua_remove(L, -2);
    for (const char *p = slips_in_dates(why, sizeof(why), s->text, NULL, s->len); p;
         p = slips_in_dates(why, sizeof(why), s->text, p, s->len))
        problems_add_new(job->loader.problems, "%s:%s", chunk + 1, why);
    pack_check_file(&job->loader, chunk + 1);
    if (job->loader.problems->count > problems)
        raise_told(L, job);
}

/* Run a file once and push what it returned. */
static void run_file(lua_State *L, struct load_job *job, int index)
{
    struct source *s = &job->sources->items[index];

    luaL_checkstack(L, 10, "imports too deep");
    lua_getfield(L, LUA_REGISTRYINDEX, "pathway.modules");
    if (s->state == SOURCE_FAILED)
        raise_told(L, job);
    if (s->state == SOURCE_DONE) {
        lua_getfield(L, -1, s->path);
        lua_remove(L, -2);
        return;
    }
    s->state = SOURCE_RUNNING;
    job->running[job->running_count++] = index;
    load_chunk(L, job, s);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        raise_as_is(L,
                    "%s:1: the file returned %s; expected return %s { ... } or a table to import",
                    s->path, words_found(L, -1), word_of(s->is_overlay));
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, s->path);
    lua_remove(L, -2);
    s->state = SOURCE_DONE;
    job->running_count--;
}

/* Is the table on top a pack's, or an overlay's? One in the place of the other is raised. */
static bool is_pack_table(lua_State *L, const struct source *s)
{
    const char *wanted = word_of(s->is_overlay), *other = word_of(!s->is_overlay);

    lua_pushliteral(L, "@kind");
    lua_rawget(L, -2);
    const char *kind = lua_tostring(L, -1);
    bool is_pack = kind && strcmp(kind, wanted) == 0;
    if (kind && strcmp(kind, other) == 0)
        raise_as_is(
            L, "%s:1: the file returned %s { ... }; expected %s { ... }, since it is a file of %s",
            s->path, other, wanted, s->is_overlay ? "a hub's overlay" : "the national pack");
    lua_pop(L, 1);
    return is_pack;
}

/* Does the pack's table on top hold nothing but tests? */
static bool holds_tests(lua_State *L)
{
    bool has_others = false;

    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        has_others |= key[0] != '@' && strcmp(key, "tests") != 0; /* "@kind": ours */
    }
    return !has_others;
}

static int load_file_in_lua(lua_State *L)
{
    struct load_job *job = lua_touserdata(L, 1);
    int index = (int)lua_tointeger(L, 2);

    run_file(L, job, index);
    if (!is_pack_table(L, &job->sources->items[index]))
        return 0;
    job->rs->files[index].is_tests = !job->rs->hub && holds_tests(L);
    struct part *part = &job->parts[job->loader.count++];
    part->path = job->sources->items[index].path;
    part->is_overlay = job->sources->items[index].is_overlay;
    part->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    job->sources->items[index].is_imported = true; /* it is of use */
    return 0;
}

/* The environment that all files of the pack share; it can not be written once it is made. */
static int prepare_in_lua(lua_State *L)
{
    struct load_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->rs;

    box_register(L);
    sandbox_push_env(L);
    keywords_add(L);
    timelib_add(L);
    box_add_functions(L);
    lua_pushcfunction(L, import);
    lua_setfield(L, -2, "import");
    sandbox_push_keys(L, -1);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        const char *word = arena_strdup(&rs->arena, lua_tostring(L, -1));
        if (!word || !strmap_add(&rs->env_names, word, strlen(word), NULL))
            return luaL_error(L, "out of memory");
    }
    lua_pop(L, 2);
    rs->env = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "pathway.modules");
    return 0;
}

static int define_in_lua(lua_State *L)
{
    struct load_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->rs;

    pack_define(&job->loader);
    view_register(rs, L);
    event_register(L);
    lua_newtable(L);
    rs->memo_values = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    rs->seen_values = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    rs->lua_values = luaL_ref(L, LUA_REGISTRYINDEX);
    /* What served loading only goes. */
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "pathway.modules");
    return 0;
}

static enum err_code call_job(struct load_job *job, lua_CFunction fn, int index, struct err *err)
{
    lua_State *L = job->rs->sandbox.L;
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, job);
    lua_pushinteger(L, index);
    return sandbox_call(&job->rs->sandbox, 2, 0, err);
}

/* Run all files; what is wrong with one does not hide what is wrong with the others. */
static enum err_code load_files(struct load_job *job, struct err *err)
{
    struct problems *problems = job->loader.problems;

    for (int i = 0; i < job->sources->count; i++) {
        struct source *s = &job->sources->items[i];
        struct err why;
        if (s->is_left_out)
            continue;
        if (!places_read(&job->places, s->path, s->text, s->len))
            return err_set(err, ERR_LIMIT, "no memory for rules");
        if (s->state == SOURCE_FAILED || call_job(job, load_file_in_lua, i, &why) == OK)
            continue;
        if (!job->is_told)
            problems_add(problems, "%s", why.msg);
        job->is_told = false;
        for (; job->running_count > 0; job->running_count--)
            job->sources->items[job->running[job->running_count - 1]].state = SOURCE_FAILED;
        s->state = SOURCE_FAILED;
    }
    return OK;
}

static void check_files(struct load_job *job)
{
    struct problems *problems = job->loader.problems;

    const struct sources *sources = job->sources;
    int parts[2] = { 0 };

    for (int i = 0; i < job->loader.count; i++)
        parts[job->parts[i].is_overlay]++;
    if (parts[0] == 0 && !sources->pack)
        problems_add(problems,
                     "national/: it is not there; a rules folder holds the national pack in "
                     "national/, and hubs' overlays in hubs/CODE/");
    else if (parts[0] == 0)
        problems_add(problems, "%s/: no file here returns pack { ... }", sources->pack);
    if (sources->hub && parts[1] == 0)
        problems_add(problems, "hubs/%s/: no file here returns overlay { ... }", sources->hub);
    for (int i = 0; i < sources->count; i++) {
        const struct source *s = &sources->items[i];
        bool is_checked_before = sources->hub && !s->is_overlay; /* by itself, with all its files */
        if (!s->is_imported && !is_checked_before)
            problems_add_new(
                problems,
                "%s:1: the file returned a table that is no pack, and no file imports it; "
                "expected return %s { ... }",
                s->path, word_of(s->is_overlay));
    }
}

static enum err_code load_job(struct load_job *job, struct problems *problems, struct err *err)
{
    size_t before = problems->count;
    const struct problem *last = problems->last;

    if (call_job(job, prepare_in_lua, 0, err) != OK || load_files(job, err) != OK)
        return err->code;
    if (problems->count == before)
        check_files(job);
    if (problems->count == before && call_job(job, define_in_lua, 0, err) != OK)
        problems_add(problems, "%s", err->msg);
    if (problems->count == before)
        return OK;
    const struct problem *first = last ? last->next : problems->first;
    return err_set(err, ERR_RULE, "%s", first ? first->text : "no memory for rules");
}

static void name_places(struct problems *problems, const struct sources *sources)
{
    const struct pack_place pack = { sources->pack, sources->pack_folder },
                            overlay = { sources->overlay, sources->overlay_folder };
    size_t count = 0;

    if (pack.pack && pack.folder)
        problems->places[count++] = pack;
    if (overlay.pack && overlay.folder)
        problems->places[count++] = overlay;
}

enum err_code packfiles_load(struct ruleset *rs, struct sources *sources, struct problems *problems,
                             struct err *err)
{
    struct load_job job = { .rs = rs, .sources = sources };

    job.loader = (struct loader){ .L = rs->sandbox.L,
                                  .rs = rs,
                                  .problems = problems,
                                  .parts = job.parts,
                                  .places = &job.places,
                                  .scratch = &job.scratch };
    rs->loading = &job;
    name_places(problems, sources);
    enum err_code rc = load_job(&job, problems, err);
    memcpy(rs->places, problems->places, sizeof(rs->places));
    problems_place(problems, NULL);
    rs->loading = NULL; /* it is gone when this function returns */
    places_fini(&job.places);
    arena_fini(&job.scratch);
    return rc;
}
