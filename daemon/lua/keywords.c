/* keywords.c - the words of the pack language. Each only makes a marked table or a type; pack.c
 * reads what they made, so that loading a file has no effect. */
#include <stdarg.h>

#include <lauxlib.h>

#include "lua/state.h"
#include "lua/words.h"

#define TYPE_META "pathway.type"

struct type_word {
    const struct type *type;
    bool is_optional;
    int initial; /* registry reference; LUA_NOREF: none */
};

void ruleset_own(struct ruleset *rs, lua_State *L)
{
    *(struct ruleset **)lua_getextraspace(L) = rs;
}

int raise_as_is(lua_State *L, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    lua_pushvfstring(L, fmt, args);
    va_end(args);
    return lua_error(L);
}

/* The words build what a ruleset keeps until it is freed: a rule that could use them would let it
 * grow. */
static void check_loading(lua_State *L, const char *word)
{
    if (!ruleset_of(L)->loading)
        luaL_error(L, "%s is a word for packs; it can not be used inside a rule or reducer", word);
}

static void *need(lua_State *L, size_t size)
{
    check_loading(L, "a type");
    void *p = arena_alloc(&ruleset_of(L)->arena, size);
    if (!p)
        luaL_error(L, "out of memory");
    return p;
}

static const char *keep(lua_State *L, int index)
{
    const char *copy = arena_strdup(&ruleset_of(L)->arena, lua_tostring(L, index));
    if (!copy)
        luaL_error(L, "out of memory");
    return copy;
}

static struct type_word *push_word(lua_State *L, const struct type *type)
{
    struct type_word *w = lua_newuserdatauv(L, sizeof(*w), 0);
    *w = (struct type_word){ .type = type, .initial = LUA_NOREF };
    luaL_setmetatable(L, TYPE_META);
    return w;
}

/* The place of the first entry that is no text, or 0. */
static lua_Integer other_than_text(lua_State *L, int index)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, index), found = 0;

    for (lua_Integer i = 1; i <= count && !found; i++, lua_pop(L, 1))
        if (lua_rawgeti(L, index, i) != LUA_TSTRING)
            found = i;
    return found;
}

static bool is_marked(lua_State *L, int index)
{
    lua_pushliteral(L, "@kind");
    bool is_marked = lua_rawget(L, index) != LUA_TNIL;
    lua_pop(L, 1);
    return is_marked;
}

/* A list of texts as an enum. */
static const struct type *enum_of(lua_State *L, int index)
{
    size_t count = lua_rawlen(L, index);
    struct type *t = need(L, sizeof(*t));
    const char **values = need(L, sizeof(*values) * count);

    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        values[i] = keep(L, -1);
        lua_pop(L, 1);
    }
    *t = (struct type){ .kind = TYPE_ENUM, .values = values, .value_count = (uint32_t)count };
    return t;
}

const struct type *keyword_type(lua_State *L, int index, bool *is_optional, int *initial)
{
    index = lua_absindex(L, index);
    const struct type_word *w = luaL_testudata(L, index, TYPE_META);

    if (is_optional)
        *is_optional = w && w->is_optional;
    if (initial)
        *initial = w ? w->initial : LUA_NOREF;
    if (w)
        return w->type;
    if (lua_istable(L, index) && lua_rawlen(L, index) > 0 && !is_marked(L, index) &&
        !other_than_text(L, index))
        return enum_of(L, index);
    return NULL;
}

static const struct type *check_type(lua_State *L, int index, const char *word)
{
    const struct type *t = keyword_type(L, index, NULL, NULL);
    if (!t)
        luaL_error(L, "%s: found %s, expected a type such as text, person or enum {...}", word,
                   words_found(L, index));
    return t;
}

static int word_enum(lua_State *L)
{
    if (!lua_istable(L, 1) || lua_rawlen(L, 1) == 0)
        return luaL_error(L,
                          "enum: found %s, expected a list of texts: enum { \"open\", \"closed\" }",
                          lua_istable(L, 1) ? "no texts" : words_found(L, 1));
    lua_Integer other = other_than_text(L, 1);
    if (other) {
        lua_rawgeti(L, 1, other);
        return luaL_error(L, "enum: value %d is %s; expected a text", (int)other,
                          words_found(L, -1));
    }
    push_word(L, enum_of(L, 1));
    return 1;
}

static int container(lua_State *L, enum type_kind kind, const struct type *key,
                     const struct type *of)
{
    struct type *t = need(L, sizeof(*t));
    *t = (struct type){ .kind = kind, .key = key, .of = of };
    push_word(L, t);
    return 1;
}

static int word_set(lua_State *L)
{
    const struct type *of = check_type(L, 1, "set");
    if (!type_is_scalar(of))
        return luaL_error(L, "set: holds single values such as text or person, not containers");
    return container(L, TYPE_SET, NULL, of);
}

static int word_list(lua_State *L)
{
    return container(L, TYPE_LIST, NULL, check_type(L, 1, "list"));
}

static int word_map(lua_State *L)
{
    const struct type *key = check_type(L, 1, "map");
    if (!type_is_scalar(key))
        return luaL_error(L, "map: a key is a single value such as text or year");
    return container(L, TYPE_MAP, key, check_type(L, 2, "map"));
}

/* row { name = type, ... }: fields in the order of their names, so that messages do not vary. */
static int word_row(lua_State *L)
{
    if (!lua_istable(L, 1))
        return luaL_error(L, "row: found %s, expected a table: row { name = type }",
                          words_found(L, 1));
    lua_settop(L, 1);
    sandbox_push_keys(L, 1);
    uint32_t count = (uint32_t)lua_rawlen(L, 2);
    struct type_field *fields = need(L, sizeof(*fields) * (count + 1));
    for (uint32_t i = 0; i < count; i++, lua_settop(L, 2)) {
        if (lua_rawgeti(L, 2, i + 1) != LUA_TSTRING)
            return luaL_error(L, "row: a field needs a name: row { name = type }");
        fields[i].name = keep(L, -1);
        lua_rawget(L, 1);
        fields[i].type = keyword_type(L, -1, &fields[i].is_optional, NULL);
        if (!fields[i].type)
            return luaL_error(
                L, "row: field %s is %s; expected a type such as text, person or enum {...}",
                fields[i].name, words_found(L, -1));
    }
    struct type *t = need(L, sizeof(*t));
    *t = (struct type){ .kind = TYPE_ROW, .fields = fields, .field_count = count };
    push_word(L, t);
    return 1;
}

static int word_optional(lua_State *L)
{
    push_word(L, check_type(L, 1, "optional"))->is_optional = true;
    return 1;
}

static int word_initially(lua_State *L)
{
    const struct type *t = check_type(L, 2, "initially");
    if (!type_is_scalar(t))
        return luaL_error(L, "initially: only single values have one; containers begin empty");
    value_check(L, 1, t, "initially");
    check_loading(L, "initially");
    struct type_word *w = push_word(L, t);
    lua_pushvalue(L, 1);
    w->initial = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

/* int(1, 6) */
static int type_call(lua_State *L)
{
    const struct type_word *w = luaL_checkudata(L, 1, TYPE_META);
    if (w->type->kind != TYPE_INT)
        return luaL_error(L, "only int takes bounds: int(1, 6)");
    if (!lua_isinteger(L, 2) || !lua_isinteger(L, 3))
        return luaL_error(L, "int: found %s and %s, expected two whole numbers: int(1, 6)",
                          words_found(L, 2), words_found(L, 3));
    lua_Integer min = lua_tointeger(L, 2), max = lua_tointeger(L, 3);
    if (min > max)
        return luaL_error(L, "int: the lower bound %I is above the upper one %I", (LUAI_UACINT)min,
                          (LUAI_UACINT)max);
    struct type *t = need(L, sizeof(*t));
    *t = (struct type){ .kind = TYPE_INT, .min = min, .max = max };
    push_word(L, t);
    return 1;
}

/* Mark the table on top with its kind and the place in the pack that made it. */
static void mark(lua_State *L, const char *kind)
{
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "@kind");
    luaL_where(L, 1);
    size_t len;
    const char *where = lua_tolstring(L, -1, &len);
    lua_pushlstring(L, where, len >= 2 ? len - 2 : 0); /* without its ": " */
    lua_remove(L, -2);
    lua_setfield(L, -2, "@where");
}

/* A word that marks the table it is given: rule { ... }. Its name is the upvalue. */
static int word_table(lua_State *L)
{
    const char *kind = lua_tostring(L, lua_upvalueindex(1));
    check_loading(L, kind);
    if (!lua_istable(L, 1))
        return luaL_error(L, "%s: found %s, expected a table: %s { ... }", kind, words_found(L, 1),
                          kind);
    lua_settop(L, 1);
    mark(L, kind);
    return 1;
}

/* A word around one value: at_least(2), once(function). */
static int word_value(lua_State *L)
{
    const char *kind = lua_tostring(L, lua_upvalueindex(1));
    check_loading(L, kind);
    if (lua_isnoneornil(L, 1))
        return luaL_error(L, "%s: a value is missing: %s(...)", kind, kind);
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    mark(L, kind);
    return 1;
}

static void add_words(lua_State *L, const char *const *names, lua_CFunction fn)
{
    for (; *names; names++) {
        lua_pushstring(L, *names);
        lua_pushcclosure(L, fn, 1);
        lua_setfield(L, -2, *names);
    }
}

void keywords_add(lua_State *L)
{
    static const char *const TABLES[] = { "pack",  "overlay",  "rule",   "criterion",
                                          "alert", "all_of",   "any_of", "unless",
                                          "shown", "first_of", NULL };
    static const char *const CHANGES[] = { "tighten", "loosen", "freely", NULL };
    static const char *const VALUES[] = {
        "at_least", "at_most", "equal_to", "once", "gather", NULL
    };
    static const struct {
        const char *name;
        struct type type;
    } SCALARS[] = {
        { "text", { .kind = TYPE_TEXT } },
        { "bool", { .kind = TYPE_BOOL } },
        { "number", { .kind = TYPE_NUMBER } },
        { "time", { .kind = TYPE_TIME } },
        { "date", { .kind = TYPE_DATE } },
        { "year", { .kind = TYPE_YEAR } },
        { "person", { .kind = TYPE_PERSON } },
        { "note", { .kind = TYPE_NOTE } },
        { "school", { .kind = TYPE_SCHOOL } },
        { "group", { .kind = TYPE_GROUP } },
        { "hub", { .kind = TYPE_HUB } },
        { "int", { .kind = TYPE_INT, .min = -1000000000000, .max = 1000000000000 } },
    };
    static const luaL_Reg FUNCTIONS[] = {
        { "enum", word_enum }, { "set", word_set }, { "list", word_list },
        { "map", word_map },   { "row", word_row }, { "optional", word_optional },
        { NULL, NULL },
    };

    luaL_newmetatable(L, TYPE_META);
    lua_pushcfunction(L, type_call);
    lua_setfield(L, -2, "__call");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);

    for (size_t i = 0; i < sizeof(SCALARS) / sizeof(SCALARS[0]); i++) {
        push_word(L, &SCALARS[i].type);
        lua_setfield(L, -2, SCALARS[i].name);
    }
    luaL_setfuncs(L, FUNCTIONS, 0);
    lua_pushcfunction(L, word_initially);
    lua_setfield(L, -2, "initially");
    add_words(L, TABLES, word_table);
    add_words(L, VALUES, word_value);
    /* What a test expects of a decision that has no value: nil can not stand in a table. */
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    /* How an overlay may change what a pack opens to it; and, in the overlay, the change itself. */
    add_words(L, CHANGES, word_table);
}
