/* ruleset.c - see ruleset.h. Finds a pack's files, loads them, hands their tables to pack.c. */
#include "lua/ruleset.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lauxlib.h>

#include "lua/record.h"
#include "lua/state.h"

#define FILES_MAX      200
#define FILE_BYTES_MAX (1024 * 1024)

void problems_add(struct problems *p, const char *fmt, ...)
{
    char text[sizeof(((struct err *)0)->msg)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    struct problem *item = arena_alloc(&p->arena, sizeof(*item));
    char *copy = arena_strdup(&p->arena, text);
    p->count++; /* counted also when there is no memory to keep it: the load fails all the same */
    if (!item || !copy)
        return;
    *item = (struct problem){ .text = copy };
    if (p->last)
        p->last->next = item;
    else
        p->first = item;
    p->last = item;
}

void problems_fini(struct problems *p)
{
    arena_fini(&p->arena);
    memset(p, 0, sizeof(*p));
}

/* ---- files ---- */

struct source {
    const char *path; /* as messages show it */
    const char *name; /* "areas" of areas.lua: what import() takes */
    const char *text;
    size_t len;
};
struct sources {
    struct source items[FILES_MAX];
    int count;
};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct source *)a)->path, ((const struct source *)b)->path);
}

static const char *join(struct arena *arena, const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = arena_alloc(arena, size);
    if (path)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static enum err_code read_file(struct source *out, struct arena *arena, const char *path,
                               struct err *err)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    enum err_code rc = OK;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        rc = err_set(err, ERR_IO, "%s: is not a file that can be read", path);
    else if (st.st_size > FILE_BYTES_MAX)
        rc = err_set(err, ERR_LIMIT, "%s: longer than %d bytes", path, FILE_BYTES_MAX);
    if (rc == OK) {
        char *text = arena_alloc(arena, (size_t)st.st_size + 1);
        out->text = text;
        out->len = text ? fread(text, 1, (size_t)st.st_size, f) : 0;
        if (!text)
            rc = err_set(err, ERR_LIMIT, "%s: no memory", path);
        else if (ferror(f))
            rc = err_set(err, ERR_IO, "%s: can not be read", path);
    }
    fclose(f);
    return rc;
}

static enum err_code read_folder(struct sources *out, struct arena *arena, const char *dir,
                                 struct err *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return err_set(err, ERR_ABSENT, "%s: %s", dir, strerror(errno));
    enum err_code rc = OK;
    for (struct dirent *entry; rc == OK && (entry = readdir(d));) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 4, ".lua") != 0 || entry->d_name[0] == '.')
            continue;
        if (out->count == FILES_MAX) {
            rc = err_set(err, ERR_LIMIT, "%s: more than %d files", dir, FILES_MAX);
            break;
        }
        struct source *s = &out->items[out->count++];
        s->path = join(arena, dir, entry->d_name);
        s->name = arena_copy(arena, entry->d_name, len - 4);
        rc = s->path && s->name ? read_file(s, arena, s->path, err)
                                : err_set(err, ERR_LIMIT, "%s: no memory", dir);
    }
    closedir(d);
    qsort(out->items, (size_t)out->count, sizeof(out->items[0]), by_path);
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A rules folder holds national/; anything else with .lua files in it is a pack's own folder. */
static enum err_code find_pack(const char **out, struct arena *arena, const char *dir,
                               struct err *err)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    const char *base = arena_copy(arena, dir, len);
    const char *national = base ? join(arena, base, "national") : NULL;
    if (!national)
        return err_set(err, ERR_LIMIT, "no memory");
    if (!is_folder(base))
        return err_set(err, ERR_ABSENT, "%s: there is no such rules folder", dir);
    *out = is_folder(national) ? national : base;
    return OK;
}

/* ---- loading ---- */

struct load_job {
    struct ruleset *rs;
    struct sources *sources;
    struct problems *problems;
    struct part parts[FILES_MAX];
    int part_count;
};

static void run_file(lua_State *L, struct load_job *job, int index);

/* import("areas"): what areas.lua beside this file returns */
static int import(lua_State *L)
{
    struct load_job *job = ruleset_of(L)->loading;
    const char *name = luaL_checkstring(L, 1);

    if (!job)
        return luaL_error(L, "import: files are imported while a pack is loaded, not by a rule");

    for (int i = 0; i < job->sources->count; i++) {
        if (strcmp(job->sources->items[i].name, name) == 0) {
            run_file(L, job, i);
            return 1;
        }
    }
    return luaL_error(L, "import: there is no %s.lua in this pack", name);
}

/* Run a file once and push what it returned. */
static void run_file(lua_State *L, struct load_job *job, int index)
{
    const struct source *s = &job->sources->items[index];
    char chunk[64];
    struct err err;

    luaL_checkstack(L, 10, "imports too deep");
    lua_getfield(L, LUA_REGISTRYINDEX, "pathway.modules");
    int type = lua_getfield(L, -1, s->name);
    if (type == LUA_TBOOLEAN)
        luaL_error(L, "import: %s imports itself", s->path);
    if (type != LUA_TNIL) {
        lua_remove(L, -2);
        return;
    }
    lua_pop(L, 1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, s->name);
    /* Lua cuts long names at the front; the end of the path is what tells files apart. */
    size_t len = strlen(s->path), max = sizeof(chunk) - 6;
    snprintf(chunk, sizeof(chunk), "@%s", len > max ? s->path + len - max : s->path);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->rs->env);
    if (sandbox_load(&job->rs->sandbox, chunk, s->text, s->len, -1, &err) != OK)
        luaL_error(L, "%s", err.msg);
    lua_call(L, 0, 1);
    lua_remove(L, -2);
    if (!lua_istable(L, -1))
        luaL_error(L,
                   "%s: the file returned a %s; expected return pack { ... } or a table to import",
                   s->path, luaL_typename(L, -1));
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, s->name);
    lua_remove(L, -2);
}

static bool is_pack_table(lua_State *L)
{
    lua_pushliteral(L, "@kind");
    lua_rawget(L, -2);
    const char *kind = lua_tostring(L, -1);
    bool is_pack = kind && strcmp(kind, "pack") == 0;
    lua_pop(L, 1);
    return is_pack;
}

static int load_file_in_lua(lua_State *L)
{
    struct load_job *job = lua_touserdata(L, 1);
    int index = (int)lua_tointeger(L, 2);

    run_file(L, job, index);
    if (is_pack_table(L)) {
        job->parts[job->part_count].path = job->sources->items[index].path;
        job->parts[job->part_count++].ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
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
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *word = arena_strdup(&rs->arena, lua_tostring(L, -2));
        if (!word || !strmap_add(&rs->env_names, word, strlen(word), NULL))
            return luaL_error(L, "out of memory");
    }
    rs->env = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "pathway.modules");
    return 0;
}

static int define_in_lua(lua_State *L)
{
    struct load_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->rs;

    pack_define(L, rs, job->parts, job->part_count, job->problems);
    view_register(rs, L);
    lua_newtable(L);
    rs->memo_values = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    rs->seen_values = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    rs->lua_values = luaL_ref(L, LUA_REGISTRYINDEX);
    /* What served loading only goes. */
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "pathway.modules");
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->env);
    lua_pushnil(L);
    lua_setfield(L, -2, "import");
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

/* Remember what was loaded, by paths that do not depend on where the rules folder lies. */
static enum err_code keep_files(struct ruleset *rs, const char *pack, const struct sources *sources,
                                struct err *err)
{
    const char *slash = strrchr(pack, '/');
    struct ruleset_file *files =
        arena_alloc(&rs->arena, sizeof(*files) * (size_t)(sources->count + 1));

    for (int i = 0; files && i < sources->count; i++) {
        const struct source *s = &sources->items[i];
        size_t size = strlen(pack) + strlen(s->name) + 8;
        char *path = arena_alloc(&rs->arena, size);
        if (!path)
            return err_set(err, ERR_LIMIT, "no memory for rules");
        snprintf(path, size, "%s/%s.lua", slash ? slash + 1 : pack, s->name);
        files[i] = (struct ruleset_file){ path, s->text, s->len };
    }
    rs->files = files;
    rs->file_count = files ? sources->count : 0;
    return files ? OK : err_set(err, ERR_LIMIT, "no memory for rules");
}

static void digest_files(struct ruleset *rs, const struct sources *sources)
{
    struct digest_part parts[FILES_MAX * 2];
    uint8_t digest[DIGEST_BYTES];

    for (int i = 0; i < sources->count; i++) {
        parts[i * 2] =
            (struct digest_part){ sources->items[i].name, strlen(sources->items[i].name) };
        parts[i * 2 + 1] = (struct digest_part){ sources->items[i].text, sources->items[i].len };
    }
    digest_parts(digest, NULL, parts, (size_t)sources->count * 2);
    digest_hex(digest, rs->digest);
}

static enum err_code load(struct ruleset *rs, const char *pack, struct sources *sources,
                          struct problems *problems, struct err *err)
{
    struct load_job job = { .rs = rs, .sources = sources, .problems = problems };

    rs->reads = &rs->unread;
    rs->loading = &job;
    if (sandbox_init(&rs->sandbox, SANDBOX_MEMORY, err) != OK ||
        catalog_init(&rs->catalog, err) != OK)
        return err->code;
    ruleset_own(rs, rs->sandbox.L);
    if (call_job(&job, prepare_in_lua, 0, err) != OK)
        return err->code;
    for (int i = 0; i < sources->count; i++) {
        struct err why;
        if (call_job(&job, load_file_in_lua, i, &why) != OK)
            problems_add(problems, "%s", why.msg);
    }
    if (job.part_count == 0 && problems->count == 0)
        problems_add(problems, "%s: no file here returns pack { ... }", pack);
    if (problems->count == 0 && call_job(&job, define_in_lua, 0, err) != OK)
        problems_add(problems, "%s", err->msg);
    rs->loading = NULL; /* it is gone when this function returns */
    if (problems->count > 0)
        return err_set(err, ERR_RULE, "%s", problems->first ? problems->first->text : "no memory");
    return OK;
}

/* Take over `sources`, whose texts are in rs->arena, and load them. */
static enum err_code load_sources(struct ruleset **out, struct ruleset *rs, const char *pack,
                                  struct sources *sources, struct problems *problems,
                                  struct err *err)
{
    struct problems own = { 0 };

    enum err_code rc = keep_files(rs, pack, sources, err);
    if (rc == OK) {
        digest_files(rs, sources);
        rc = load(rs, pack, sources, problems ? problems : &own, err);
    }
    problems_fini(&own);
    if (rc == OK)
        *out = rs;
    return rc;
}

static enum err_code read_archived(struct sources *out, struct ruleset *rs,
                                   const struct ruleset_file *files, int count, struct err *err)
{
    if (count > FILES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d rules files", FILES_MAX);
    for (int i = 0; i < count; i++) {
        const char *slash = strrchr(files[i].path, '/');
        const char *name = slash ? slash + 1 : files[i].path;
        struct source *s = &out->items[out->count++];
        s->path = arena_strdup(&rs->arena, files[i].path);
        s->name = arena_copy(&rs->arena, name, strlen(name) - strlen(".lua"));
        s->text = arena_copy(&rs->arena, files[i].text, files[i].len);
        s->len = files[i].len;
        if (!s->path || !s->name || !s->text)
            return err_set(err, ERR_LIMIT, "no memory for rules");
    }
    return OK;
}

static enum err_code new_ruleset(struct ruleset **rs, struct sources **sources, struct err *err)
{
    *rs = calloc(1, sizeof(**rs));
    *sources = calloc(1, sizeof(**sources));
    return *rs && *sources ? OK : err_set(err, ERR_LIMIT, "no memory for rules");
}

enum err_code ruleset_load(struct ruleset **out, const char *dir, struct problems *problems,
                           struct err *err)
{
    const char *pack = NULL;
    struct ruleset *rs;
    struct sources *sources;

    *out = NULL;
    enum err_code rc = new_ruleset(&rs, &sources, err);
    if (rc == OK)
        rc = find_pack(&pack, &rs->arena, dir, err);
    if (rc == OK)
        rc = read_folder(sources, &rs->arena, pack, err);
    if (rc == OK)
        rc = load_sources(out, rs, pack, sources, problems, err);
    free(sources);
    if (rc != OK)
        ruleset_free(rs);
    return rc;
}

enum err_code ruleset_load_files(struct ruleset **out, const struct ruleset_file *files, int count,
                                 struct problems *problems, struct err *err)
{
    struct ruleset *rs;
    struct sources *sources;

    *out = NULL;
    enum err_code rc = new_ruleset(&rs, &sources, err);
    if (rc == OK)
        rc = read_archived(sources, rs, files, count, err);
    if (rc == OK)
        rc = load_sources(out, rs, "national", sources, problems, err);
    free(sources);
    if (rc != OK)
        ruleset_free(rs);
    return rc;
}

void ruleset_free(struct ruleset *rs)
{
    if (!rs)
        return;
    sandbox_fini(&rs->sandbox);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &rs->subjects[kind];
        strmap_fini(&defs->any_except);
        strmap_fini(&defs->reducer_by_event);
        strmap_fini(&defs->names);
    }
    strmap_fini(&rs->param_names);
    strmap_fini(&rs->rule_names);
    strmap_fini(&rs->env_names);
    strmap_fini(&rs->values);
    strmap_fini(&rs->pattern_ids);
    free(rs->patterns);
    buf_fini(&rs->scratch);
    catalog_fini(&rs->catalog);
    arena_fini(&rs->arena);
    free(rs);
}

const struct catalog *ruleset_catalog(const struct ruleset *rs)
{
    return &rs->catalog;
}

const char *ruleset_digest(const struct ruleset *rs)
{
    return rs->digest;
}

bool ruleset_file_at(struct ruleset_file *out, const struct ruleset *rs, int index)
{
    if (index < 0 || index >= rs->file_count)
        return false;
    *out = rs->files[index];
    return true;
}

uint64_t ruleset_runs(const struct ruleset *rs)
{
    return rs->runs;
}
