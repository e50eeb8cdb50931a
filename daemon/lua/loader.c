/* loader.c - see loader.h. */
#include "lua/loader.h"
#include "lua/words.h"

#include <string.h>

#include <lauxlib.h>

#include "base/text.h"

void *loader_alloc(struct loader *ld, size_t size)
{
    void *p = arena_alloc(&ld->rs->arena, size);
    if (!p)
        luaL_error(ld->L, "out of memory");
    return p;
}

const char *loader_keep(struct loader *ld, const char *text)
{
    char *copy = arena_strdup(&ld->rs->arena, text);
    if (!copy)
        luaL_error(ld->L, "out of memory");
    return copy;
}

/* ---- places ---- */

void loader_enter(struct loader *ld, const char *key)
{
    if (ld->depth < (int)(sizeof(ld->path) / sizeof(ld->path[0])))
        ld->path[ld->depth] = key;
    ld->depth++;
}

void loader_enter_number(struct loader *ld, int number)
{
    char key[16];
    snprintf(key, sizeof(key), "#%d", number);
    loader_enter(ld, loader_keep(ld, key));
}

void loader_leave(struct loader *ld)
{
    ld->depth--;
}

const char *loader_place(struct loader *ld, const char *otherwise)
{
    const char *file = ld->parts[ld->part].path;
    int line = ld->depth <= (int)(sizeof(ld->path) / sizeof(ld->path[0]))
                   ? places_line(ld->places, file, ld->path, ld->depth)
                   : 0;

    if (!line)
        return otherwise;
    const char *place = loader_keep(ld, lua_pushfstring(ld->L, "%s:%d", file, line));
    lua_pop(ld->L, 1);
    return place;
}

const char *const *loader_entry_places(struct loader *ld, const char *otherwise)
{
    int count = lua_istable(ld->L, -1) ? (int)lua_rawlen(ld->L, -1) : 0;
    const char **places = loader_alloc(ld, sizeof(*places) * ((size_t)count + 1));

    for (int i = 2; i <= count; i++) {
        loader_enter_number(ld, i);
        places[i - 2] = loader_place(ld, otherwise);
        loader_leave(ld);
    }
    return places;
}

/* A text that a word has put into the table on top, or NULL. */
static const char *mark_of(struct loader *ld, const char *name)
{
    const char *mark = NULL;

    if (!lua_istable(ld->L, -1))
        return NULL;
    lua_pushstring(ld->L, name);
    if (lua_rawget(ld->L, -2) == LUA_TSTRING)
        mark = loader_keep(ld, lua_tostring(ld->L, -1));
    lua_pop(ld->L, 1);
    return mark;
}

const char *loader_where(struct loader *ld, const char *otherwise)
{
    const char *where = mark_of(ld, "@where");
    return where ? where : loader_place(ld, otherwise);
}

const char *loader_kind(struct loader *ld)
{
    const char *kind = mark_of(ld, "@kind");
    return kind ? kind : "";
}

const char *loader_function_where(struct loader *ld)
{
    lua_Debug ar;

    lua_pushvalue(ld->L, -1);
    lua_getinfo(ld->L, ">S", &ar);
    const char *where =
        loader_keep(ld, lua_pushfstring(ld->L, "%s:%d", ar.short_src, ar.linedefined));
    lua_pop(ld->L, 1);
    return where;
}

/* ---- keys ---- */

void loader_push_keys(struct loader *ld, const char *where)
{
    lua_State *L = ld->L;
    int table = lua_gettop(L);

    luaL_checkstack(L, 16, "pack too deep");
    lua_newtable(L); /* those with an order, as the keys of a table of their own */
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        int type = lua_type(L, -2);
        if (type != LUA_TSTRING && type != LUA_TNUMBER) {
            problems_add(ld->problems, "%s: a key is %s; expected a name", where, words_of(type));
            continue;
        }
        lua_pushvalue(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, table + 1);
    }
    sandbox_push_keys(L, -1);
    lua_remove(L, -2);
}

const char *loader_text(struct loader *ld, const char *field, const char *where)
{
    const char *text = NULL;
    int type = lua_getfield(ld->L, -1, field);

    if (type == LUA_TSTRING) {
        text = loader_keep(ld, lua_tostring(ld->L, -1));
    } else if (type != LUA_TNIL) {
        loader_enter(ld, field);
        problems_add(ld->problems, "%s: %s is %s; expected a text", loader_place(ld, where), field,
                     words_of(type));
        loader_leave(ld);
    }
    lua_pop(ld->L, 1);
    return text;
}

void loader_check_keys(struct loader *ld, const char *where, const char *what,
                       const char *const *known)
{
    size_t count = 0;
    char hint[200];

    while (known[count])
        count++;
    loader_push_keys(ld, where);
    for (lua_Integer i = 1; lua_rawgeti(ld->L, -1, i) != LUA_TNIL; i++, lua_pop(ld->L, 1)) {
        const char *key = lua_type(ld->L, -1) == LUA_TSTRING ? lua_tostring(ld->L, -1) : NULL;
        bool is_known = !key || key[0] == '@'; /* numbered entries are checked by their reader */
        for (size_t k = 0; k < count && !is_known; k++)
            is_known = strcmp(known[k], key) == 0;
        if (is_known)
            continue;
        loader_enter(ld, key);
        problems_add_new(ld->problems, "%s: unknown key '%s' in %s%s", loader_place(ld, where), key,
                         what, text_hint(hint, sizeof(hint), key, known, count));
        loader_leave(ld);
    }
    lua_pop(ld->L, 2);
}

const char *loader_hint(struct loader *ld, const char *name, const struct strmap *names)
{
    char hint[200];
    const char **known = arena_alloc(ld->scratch, sizeof(*known) * (names->count + 1));

    for (uint32_t i = 0; known && i < names->count; i++)
        known[i] = names->items[i].key;
    return loader_keep(ld, text_hint(hint, sizeof(hint), name, known, known ? names->count : 0));
}

/* ---- entries ---- */

/* The entry at hand is written once more in the same table. */
static void check_twice(struct loader *ld, const char *section, const char *name)
{
    const char *file = ld->parts[ld->part].path;
    int second = ld->depth <= (int)(sizeof(ld->path) / sizeof(ld->path[0]))
                     ? places_twice(ld->places, file, ld->path, ld->depth)
                     : 0;

    if (second)
        problems_add_new(ld->problems, "%s:%d: %s: %s is written twice; the first is at %s", file,
                         second, section, name, loader_place(ld, file));
}

void loader_entries(struct loader *ld, const char *section, const char *where, entry_fn *fn,
                    void *arg)
{
    lua_State *L = ld->L;
    int table = lua_gettop(L);

    loader_push_keys(ld, where);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, keys, i) != LUA_TNIL; i++) {
        if (lua_type(L, -1) != LUA_TSTRING) {
            loader_enter_number(ld, (int)lua_tointeger(L, -1));
            problems_add(ld->problems, "%s: an entry of %s has no name; expected name = ...",
                         loader_place(ld, where), section);
            loader_leave(ld);
        } else if (lua_tostring(L, -1)[0] != '@') {
            const char *name = loader_keep(ld, lua_tostring(L, -1));
            lua_rawget(L, table);
            loader_enter(ld, name);
            check_twice(ld, section, name);
            fn(ld, name, loader_where(ld, where), arg);
            loader_leave(ld);
        }
        lua_settop(L, keys);
    }
    lua_settop(L, table);
}

void loader_each(struct loader *ld, const char *section, entry_fn *fn, void *arg)
{
    for (ld->part = 0; ld->part < ld->count; ld->part++) {
        lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ld->parts[ld->part].ref);
        int type = lua_getfield(ld->L, -1, section);
        loader_enter(ld, section);
        const char *where = loader_where(ld, ld->parts[ld->part].path);
        if (type == LUA_TTABLE)
            loader_entries(ld, section, where, fn, arg);
        else if (type != LUA_TNIL)
            problems_add(ld->problems, "%s: %s is %s; expected a table", where, section,
                         words_of(type));
        loader_leave(ld);
        lua_pop(ld->L, 2);
    }
    ld->part = 0;
}
