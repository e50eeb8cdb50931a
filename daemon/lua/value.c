/* value.c - single values between Lua and the cells of facts: does one fit its type? The rules for
 * texts are model/type's; a text that is known to fit is not looked at again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/state.h"
#include "lua/words.h"

static const char *text_problem(lua_State *L, int index, const struct type *type, char *out,
                                size_t size)
{
    size_t len;
    const char *s = lua_tolstring(L, index, &len);
    struct json value = { .type = JSON_STRING, .len = (uint32_t)len, .as.string = s };
    struct err err;

    if (type_check(type, &value, "value", &err) == OK)
        return NULL;
    snprintf(out, size, "%s", strncmp(err.msg, "value: ", 7) == 0 ? err.msg + 7 : err.msg);
    return out;
}

static bool is_of_kind(lua_State *L, int index, enum type_kind kind)
{
    int found = lua_type(L, index);

    if (kind == TYPE_BOOL)
        return found == LUA_TBOOLEAN;
    if (kind == TYPE_NUMBER)
        return found == LUA_TNUMBER && isfinite(lua_tonumber(L, index));
    if (kind == TYPE_INT || kind == TYPE_TIME)
        return lua_isinteger(L, index);
    return found == LUA_TSTRING;
}

/* What was expected, in words; only for a value that does not fit. */
static const char *expectation(const struct type *type, char *out, size_t size)
{
    if (type->kind == TYPE_TIME) { /* in rules an instant is a number */
        snprintf(out, size, "an instant such as e.time or midnight(...)");
        return out;
    }
    return type_describe(type, out, size);
}

static bool kind_is_whole(enum type_kind kind)
{
    return kind == TYPE_INT || kind == TYPE_TIME;
}

const char *value_problem(lua_State *L, int index, const struct type *type, char *out, size_t size)
{
    char expected[400];

    if (!is_of_kind(L, index, type->kind)) {
        expectation(type, expected, sizeof(expected));
        bool is_real = lua_type(L, index) == LUA_TNUMBER && !lua_isinteger(L, index);
        bool is_whole = is_real && floor(lua_tonumber(L, index)) == lua_tonumber(L, index);
        char found[WORDS_VALUE];
        snprintf(out, size, "found %s, expected %s%s",
                 is_real ? words_value(L, index, found, sizeof(found)) : words_found(L, index),
                 expected,
                 is_whole && isfinite(lua_tonumber(L, index)) && kind_is_whole(type->kind)
                     ? "; math.floor(...) makes a whole number of it"
                     : "");
        return out;
    }
    if (lua_type(L, index) == LUA_TSTRING)
        return text_problem(L, index, type, out, size);
    lua_Integer n = lua_tointeger(L, index);
    bool fits = type->kind != TYPE_INT || (n >= type->min && n <= type->max);
    if (type->kind == TYPE_TIME && (n < TIME_MIN || n > TIME_MAX))
        fits = false;
    if (fits)
        return NULL;
    snprintf(out, size, "found %lld, expected %s", (long long)n,
             expectation(type, expected, sizeof(expected)));
    return out;
}

void value_check(lua_State *L, int index, const struct type *type, const char *what)
{
    char problem[1024];

    if (value_problem(L, index, type, problem, sizeof(problem)))
        luaL_error(L, "%s: %s", what, problem);
}

/* ---- into cells ---- */

/* Is this text known to fit? */
static bool is_known_to_fit(const struct text *t, const struct shape *shape)
{
    if (shape->type->kind != TYPE_ENUM)
        return t->fits >> shape->type->kind & 1;
    for (uint32_t i = 0; i < shape->value_count; i++)
        if (shape->values[i] == t)
            return true;
    return false;
}

/* Types of one kind differ only as enums, and as texts of another length. */
static bool is_alike(const struct type *type)
{
    return type->kind != TYPE_ENUM && (type->kind != TYPE_TEXT || type->max == 0);
}

/* See that a string fits, whose text is `t` if any cell holds it. */
static void fit_text(lua_State *L, int index, const struct shape *shape, const char *what,
                     struct text *t)
{
    if (t && is_known_to_fit(t, shape))
        return;
    value_check(L, index, shape->type, what);
    if (t && is_alike(shape->type))
        t->fits |= 1u << shape->type->kind;
}

static struct cell look_at_text(lua_State *L, int index, const struct shape *shape,
                                const char *what)
{
    size_t len;
    const char *s = lua_tolstring(L, index, &len);
    struct text *t = text_find(&ruleset_of(L)->cells, s, len, text_hash(s, len));

    fit_text(L, index, shape, what, t);
    return t ? cell_of_text(t) : CELL_UNKNOWN;
}

struct cell value_take(lua_State *L, int index, const struct shape *shape, const char *what)
{
    struct ruleset *rs = ruleset_of(L);
    struct cell cell;

    if (lua_type(L, index) == LUA_TSTRING) {
        size_t len;
        const char *s = lua_tolstring(L, index, &len);
        uint32_t hash = text_hash(s, len);
        struct text *t = text_find(&rs->cells, s, len, hash);
        fit_text(L, index, shape, what, t);
        if (t)
            return cell_share(cell_of_text(t));
        t = text_add(&rs->cells, s, len, hash);
        if (!t)
            sandbox_raise_full(&rs->sandbox);
        else if (is_alike(shape->type))
            t->fits |= 1u << shape->type->kind;
        return cell_of_text(t);
    }
    value_check(L, index, shape->type, what);
    if (!value_own(L, index, false, &cell))
        sandbox_raise_full(&rs->sandbox);
    return cell;
}

struct cell value_look(lua_State *L, int index, const struct shape *shape, const char *what)
{
    struct ruleset *rs = ruleset_of(L);
    enum type_kind kind = shape->type->kind;
    struct cell cell = { 0 };

    if (kind == TYPE_INT && lua_isinteger(L, index)) {
        lua_Integer n = lua_tointeger(L, index);
        if (n >= shape->type->min && n <= shape->type->max && cell_of_small(&cell, n))
            return cell;
    } else if (lua_type(L, index) == LUA_TSTRING) {
        return look_at_text(L, index, shape, what);
    }
    value_check(L, index, shape->type, what);
    if (!value_own(L, index, true, &cell))
        sandbox_raise_full(&rs->sandbox);
    if (cell_tag(cell) == CELL_WIDE) { /* to be let go at the end of the run */
        if (!graves_dig(&rs->cells, 1)) {
            cell_release(&rs->cells, cell);
            sandbox_raise_full(&rs->sandbox);
        }
        graves_bury(&rs->cells, cell);
    }
    return cell;
}

bool value_own(lua_State *L, int index, bool is_key, struct cell *out)
{
    struct cells *c = &ruleset_of(L)->cells;
    size_t len;
    lua_Integer whole;

    *out = (struct cell){ 0 };
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        *out = cell_bool(lua_toboolean(L, index));
        return true;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            return cell_of_integer(out, c, lua_tointeger(L, index));
        if (is_key && lua_numbertointeger(lua_tonumber(L, index), &whole) &&
            (lua_Number)whole == lua_tonumber(L, index))
            return cell_of_integer(out, c, whole); /* as Lua does with keys of tables */
        return cell_of_real(out, c, lua_tonumber(L, index));
    case LUA_TSTRING: {
        const char *s = lua_tolstring(L, index, &len);
        struct text *t = text_hold(c, s, len, text_hash(s, len));
        if (t)
            *out = cell_of_text(t);
        return t != NULL;
    }
    default:
        return true;
    }
}

/* ---- out of cells ---- */

/* The strings of texts that rules see are kept, as many as this. */
#define STRINGS_MAX 8192

static void push_text(lua_State *L, struct ruleset *rs, struct text *t)
{
    if (t->ref != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, t->ref);
        return;
    }
    lua_pushlstring(L, t->bytes, t->len);
    if (rs->cells.string_count < STRINGS_MAX) {
        lua_pushvalue(L, -1);
        t->ref = luaL_ref(L, LUA_REGISTRYINDEX);
        rs->cells.string_count++;
    }
}

void value_push(lua_State *L, struct ruleset *rs, struct cell cell)
{
    switch (cell_tag(cell)) {
    case CELL_BOOL:
        lua_pushboolean(L, cell_is_true(cell));
        break;
    case CELL_INT:
        lua_pushinteger(L, cell_integer(cell));
        break;
    case CELL_WIDE:
        if (cell_is_integer(cell))
            lua_pushinteger(L, cell_integer(cell));
        else
            lua_pushnumber(L, cell_real(cell));
        break;
    case CELL_TEXT:
        push_text(L, rs, cell_text(cell));
        break;
    case CELL_NIL:
    case CELL_NODE:
        lua_pushnil(L);
        break;
    }
}
