/* sandbox.c - see sandbox.h. Every library function that a pack can reach is chosen here. */
#include "lua/sandbox.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "lua/slips.h"
#include "lua/words.h"

#define FORMAT_MAX 4096

enum err_code sandbox_init(struct sandbox *sb, size_t cap, struct err *err)
{
    *sb = (struct sandbox){ .cap = cap,
                            .limit = cap,
                            .outside_limit = cap,
                            .most_memory = SANDBOX_RUN_MEMORY,
                            .most_steps = SANDBOX_STEPS,
                            .counts = true,
                            .is_strict = true };
    sb->L = lua_newstate(sandbox_alloc, sb);
    if (!sb->L)
        return err_set(err, ERR_LIMIT, "no memory for a Lua state");
    return OK;
}

void sandbox_fini(struct sandbox *sb)
{
    if (sb->L)
        lua_close(sb->L);
    sb->L = NULL;
    sandbox_free_spare(sb);
}

void sandbox_settle(struct sandbox *sb)
{
    lua_gc(sb->L, LUA_GCCOLLECT);
    lua_gc(sb->L, LUA_GCINC, 400, 100, 0);
    sb->base = sb->used;
    sandbox_trust(sb);
}

/* A key of a table, outside Lua, so that sorting needs no calls. Texts are the table's own. */
struct key {
    const char *text; /* NULL: a number */
    size_t len;
    bool is_integer;
    lua_Integer integer;
    lua_Number number;
};

/* Numbers before texts, each in their own order: the same in every process. */
static int key_order(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    if (!x->text != !y->text)
        return x->text ? 1 : -1;
    if (x->text) {
        int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
        return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
    }
    if (x->is_integer && y->is_integer)
        return (x->integer > y->integer) - (x->integer < y->integer);
    /* A real key is no whole number, so it lies where integers convert exactly, or at infinity. */
    return (x->number > y->number) - (x->number < y->number);
}

/* The key at index -2, while lua_next() walks; it may not be converted. */
static struct key read_key(lua_State *L)
{
    struct key k = { 0 };
    int type = lua_type(L, -2);

    if (type == LUA_TSTRING) {
        k.text = lua_tolstring(L, -2, &k.len);
    } else if (type == LUA_TNUMBER) {
        k.is_integer = lua_isinteger(L, -2);
        k.integer = k.is_integer ? lua_tointeger(L, -2) : 0;
        k.number = lua_tonumber(L, -2);
    } else {
        luaL_error(L, "a key is %s; only numbers and texts have an order", words_of(type));
    }
    return k;
}

void sandbox_push_keys(lua_State *L, int index)
{
    struct key few[32], *keys = few;
    size_t count = 0, i = 0;

    index = lua_absindex(L, index);
    luaL_checkstack(L, 6, "too many nested tables");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        count++;
    sandbox_charge(L, 30 + count * 24);
    lua_createtable(L, count < INT_MAX ? (int)count : INT_MAX, 0);
    if (count > sizeof(few) / sizeof(few[0]))
        keys = lua_newuserdatauv(L, count * sizeof(*keys), 0);
    else
        lua_pushnil(L); /* so that the stack looks alike */
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        keys[i++] = read_key(L);
    qsort(keys, count, sizeof(*keys), key_order);
    for (i = 0; i < count; i++) {
        if (keys[i].text)
            lua_pushlstring(L, keys[i].text, keys[i].len);
        else if (keys[i].is_integer)
            lua_pushinteger(L, keys[i].integer);
        else
            lua_pushnumber(L, keys[i].number);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
    }
    lua_pop(L, 1);
}

void sandbox_fill(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (!lua_getmetatable(L, index))
        return;
    lua_pushliteral(L, SANDBOX_FILL);
    if (lua_rawget(L, -2) == LUA_TFUNCTION) {
        lua_pushvalue(L, index);
        lua_call(L, 1, 0);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 2);
    }
}

static int pairs_next(lua_State *L)
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));

    for (;;) { /* what was taken out meanwhile is left out */
        lua_settop(L, 0);
        if (lua_rawgeti(L, lua_upvalueindex(2), ++i) == LUA_TNIL)
            break;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            break;
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(3));
    return lua_gettop(L);
}

/* pairs() in a fixed order: raw order differs between two runs of the same program. */
static int ordered_pairs(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TUSERDATA)
        return luaL_error(L, "pairs: found %s, expected a table; go through a fact by each(...)",
                          words_found(L, 1));
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    sandbox_thaw(L, 1);
    sandbox_fill(L, 1);
    sandbox_push_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_next, 3);
    return 1;
}

/* A value that has the same text in every run. */
static bool is_plain(lua_State *L, int index)
{
    int type = lua_type(L, index);
    return type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING;
}

/* What is no single value has no text: Lua's would hold an address, which differs between runs, and
 * the word for what it is helps nobody who reads the decision. */
static int refuse_text(lua_State *L, const char *function, int index)
{
    return luaL_error(L,
                      "%s: found %s, which has no text; expected a text, a number, true or false: "
                      "name a field of it, or go through it by each(...) or ipairs(...)",
                      function, words_found(L, index));
}

/* The same text of no number on every machine; the sign of it is chance. */
static void push_text(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TNUMBER && isnan(lua_tonumber(L, index)))
        lua_pushliteral(L, "nan");
    else
        luaL_tolstring(L, index, NULL);
}

static int plain_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    sandbox_charge(L, 30);
    if (!is_plain(L, 1))
        return refuse_text(L, "tostring", 1);
    push_text(L, 1);
    return 1;
}

/* No addresses, which differ between runs: %p is refused, as is what has no text. */
static int safe_format(lua_State *L)
{
    size_t len;
    const char *format = luaL_checklstring(L, 1, &len);

    if (len > FORMAT_MAX)
        return luaL_error(L, "string.format: the format is longer than %d bytes", FORMAT_MAX);
    sandbox_charge(L, 100 + len);
    for (const char *p = strchr(format, '%'); p; p = strchr(p, '%')) {
        p++;
        p += strspn(p, "-+ #0123456789.");
        if (*p == 'p')
            return luaL_error(L, "string.format: %%p shows an address, which differs in every run");
        if (*p)
            p++;
    }
    for (int i = 2; i <= lua_gettop(L); i++) {
        if (!is_plain(L, i))
            return refuse_text(L, "string.format", i);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* ---- table.sort: stable, so that equal values do not change places by a random pivot ---- */

static bool comes_before(lua_State *L, int a, int b)
{
    if (lua_isnil(L, 2))
        return lua_compare(L, a, b, LUA_OPLT);
    a = lua_absindex(L, a);
    b = lua_absindex(L, b);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    if (lua_type(L, -1) == LUA_TNUMBER) /* as in other languages; here it would always be yes */
        luaL_error(L,
                   "table.sort: the function gave a number; expected true when its first argument "
                   "comes before the second, as in a < b");
    bool is_before = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_before;
}

/* Merge from[lo+1..mid] and from[mid+1..hi], both sorted, into `to`. */
static void merge(lua_State *L, int from, int to, lua_Integer lo, lua_Integer mid, lua_Integer hi)
{
    lua_Integer i = lo, j = mid;

    for (lua_Integer k = lo; k < hi; k++) {
        bool takes_second = i >= mid;
        sandbox_charge(L, 8);
        if (i < mid && j < hi) {
            lua_rawgeti(L, from, j + 1);
            lua_rawgeti(L, from, i + 1);
            takes_second = comes_before(L, -2, -1);
            lua_pop(L, 2);
        }
        lua_rawgeti(L, from, takes_second ? ++j : ++i);
        lua_rawseti(L, to, k + 1);
    }
}

/* Works on copies: when comparing raises, the table is as it was. */
static int stable_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    if (sandbox_is_frozen(L, 1))
        return sandbox_raise_frozen(L);
    lua_settop(L, 2);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    int from = 3, to = 4;

    sandbox_charge(L, (size_t)count * 4);
    lua_newtable(L);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        lua_rawseti(L, from, i);
    }
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer lo = 0; lo < count; lo += 2 * width) {
            lua_Integer mid = lo + width < count ? lo + width : count;
            lua_Integer hi = mid + width < count ? mid + width : count;
            merge(L, from, to, lo, mid, hi);
        }
        from = 7 - from;
        to = 7 - to;
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        lua_rawseti(L, 1, i);
    }
    return 0;
}

/* Wrap field `name` of the table on top with a C function that has the original as upvalue. */
static void wrap(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

/* Copy the named fields of the table at `from` into the one on top. */
static void pick(lua_State *L, int from, const char *const *names)
{
    for (; *names; names++) {
        lua_getfield(L, from, *names);
        lua_setfield(L, -2, *names);
    }
}

/* Let Lua find the names of the library on top, which is opened as `field`: a function that is
 * called by one of ours has none otherwise, and its messages would be about '?'. */
static void remember_names(lua_State *L, const char *field)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
}

/* Open a standard library, keep only `names` of it as field `field` of the table on top. */
static void add_library(lua_State *L, const char *field, lua_CFunction open,
                        const char *const *names)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, field);
    lua_call(L, 1, 1);
    int from = lua_gettop(L);
    remember_names(L, field);
    lua_newtable(L);
    pick(L, from, names);
    lua_remove(L, from);
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "the library's tables can not be changed");
}

/* Put an empty table that shows the one on top in its place: a rule that could write into a library
 * could remember there what it saw of another school. */
static void seal(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

void sandbox_push_env(lua_State *L)
{
    static const char *const BASE[] = { "assert",   "error", "ipairs", "select",
                                        "tonumber", "type",  NULL };
    static const char *const STRING[] = { "byte", "char",    "find", "format", "len", "lower",
                                          "rep",  "reverse", "sub",  "upper",  NULL };
    static const char *const TABLE[] = { "concat", "insert", "remove", "unpack", NULL };
    static const char *const MATH[] = { "abs",  "ceil",       "floor", "fmod",       "huge",
                                        "max",  "maxinteger", "min",   "mininteger", "modf",
                                        "sqrt", "tointeger",  "type",  "ult",        NULL };

    /* luaopen_base() fills the table of globals, which no pack ever sees. */
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    int base = lua_gettop(L);
    remember_names(L, LUA_GNAME);
    lua_newtable(L);
    pick(L, base, BASE);
    lua_remove(L, base);
    sandbox_bound_base(L);
    lua_pushcfunction(L, ordered_pairs);
    lua_setfield(L, -2, "pairs");
    lua_pushcfunction(L, plain_tostring);
    lua_setfield(L, -2, "tostring");

    add_library(L, "string", luaopen_string, STRING);
    sandbox_bound_strings(L);
    wrap(L, "format", safe_format);
    /* Methods on strings, ("x"):rep(2), go through the string metatable: it gets the
     * bounded ones. */
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
    seal(L);
    lua_setfield(L, -2, "string");

    add_library(L, "table", luaopen_table, TABLE);
    lua_pushcfunction(L, stable_sort);
    lua_setfield(L, -2, "sort");
    sandbox_bound_tables(L);
    seal(L);
    lua_setfield(L, -2, "table");
    add_library(L, "math", luaopen_math, MATH);
    seal(L);
    lua_setfield(L, -2, "math");
}

/* Does the message begin with "FILE:LINE: "? */
static bool has_place(const char *message)
{
    const char *colon = strchr(message, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    return digits > 0 && strncmp(colon + 1 + digits, ": ", 2) == 0;
}

enum err_code sandbox_load(struct sandbox *sb, const char *name, const char *text, size_t len,
                           int env, struct err *err)
{
    env = lua_absindex(sb->L, env);
    if (luaL_loadbufferx(sb->L, text, len, name, "t") != LUA_OK) {
        const char *why = lua_tostring(sb->L, -1);
        if (why && strstr(why, "C stack overflow"))
            why =
                "something here is nested more than 190 levels deep, or a chain of .. is as long; "
                "write it in parts";
        enum err_code rc = err_set(err, ERR_RULE, "%s", why ? why : "the file does not load");
        if (err && !has_place(err->msg))
            err_at(err, "%s:1", name + 1);
        if (err) {
            words_plain(err->msg, sizeof(err->msg));
            slips_explain(err->msg, sizeof(err->msg), text, len);
        }
        lua_pop(sb->L, 1);
        return rc;
    }
    lua_pushvalue(sb->L, env);
    lua_setupvalue(sb->L, -2, 1); /* a main chunk's first upvalue is its environment */
    return OK;
}

/* Message handler: an error raised by C, however deep, gets the place of the pack's code that
 * called it. */
static int add_place(lua_State *L)
{
    lua_Debug ar;

    if (lua_type(L, 1) != LUA_TSTRING) {
        lua_pushfstring(L, "error() was called with %s instead of a message", words_found(L, 1));
        lua_replace(L, 1);
    }
    lua_settop(L, 1);
    if (has_place(lua_tostring(L, 1)))
        return 1;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0)
            continue;
        lua_pushfstring(L, "%s:%d: %s", ar.short_src, ar.currentline, lua_tostring(L, 1));
        return 1;
    }
    return 1;
}

/* What to say of a run that was stopped. One that is suspect is counted when it is repeated, and
 * one that wanted memory begins then from what is alive. */
static enum err_code verdict(struct sandbox *sb, int status, struct err *err)
{
    const char *where = sb->where ? sb->where : sb->place, *colon = where[0] ? ": " : "";

    if (sb->is_starved)
        return err_set(err, ERR_IO, "out of memory: this machine has no more");
    if (sb->is_text_too_long) {
        sb->end = SANDBOX_FULL;
        return err_set(err, ERR_LIMIT, "%s%sstopped: it made a text longer than %zu KiB", where,
                       colon, SANDBOX_TEXT >> 10);
    }
    if (status == LUA_ERRMEM || sb->is_full) {
        sb->end = sb->is_strict ? SANDBOX_FULL : SANDBOX_SUSPECT;
        sb->is_strict = sb->counts = true;
        size_t most = sb->cap < sb->most_memory ? sb->cap : sb->most_memory;
        return err_set(err, sb->end == SANDBOX_FULL ? ERR_LIMIT : ERR_BUSY,
                       "%s%sstopped: out of memory: it needs more than %zu MiB", where, colon,
                       most >> 20);
    }
    if (sb->end == SANDBOX_SUSPECT) {
        sb->counts = true;
        return err_set(err, ERR_BUSY, "%s%sstopped: it is slow", where, colon);
    }
    if (sb->end == SANDBOX_SPENT)
        return err_set(err, ERR_RULE,
                       "%s%sstopped after %llu million steps; is there a loop that does not end?",
                       where, colon, (unsigned long long)sb->most_steps / 1000000);
    return err_set(err, ERR_RULE, "%s%sstopped: it took seconds of the processor's time", where,
                   colon);
}

enum err_code sandbox_call(struct sandbox *sb, int nargs, int nresults, struct err *err)
{
    lua_State *L = sb->L;
    int handler = lua_gettop(L) - nargs;
    enum err_code rc = OK;

    lua_pushcfunction(L, add_place);
    lua_insert(L, handler);
    sandbox_set_limits(sb);
    sandbox_begin(sb);
    int status = lua_pcall(L, nargs, nresults, handler);
    sandbox_end(sb);
    sb->limit = sb->outside_limit = sb->cap;
    if (status == LUA_OK)
        sb->end = SANDBOX_BY_ITSELF; /* at the last moment */
    else if (status == LUA_ERRMEM || sb->is_full || sb->is_starved || sb->end != SANDBOX_BY_ITSELF)
        rc = verdict(sb, status, err);
    else
        rc = err_set(err, ERR_RULE, "%s",
                     lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error in an error");
    lua_remove(L, handler);
    if (rc != OK)
        lua_pop(L, 1);
    if (rc == ERR_RULE && err)
        words_plain(err->msg, sizeof(err->msg));
    return rc;
}
