/* convert.c - values across the border between C and Lua. */
#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/state.h"

static void push_scalar(lua_State *L, const struct json *v, const struct type *type)
{
    int64_t t;
    struct err ignored;

    switch (v->type) {
    case JSON_BOOL:
        lua_pushboolean(L, v->as.boolean);
        break;
    case JSON_INT:
        lua_pushinteger(L, v->as.integer);
        break;
    case JSON_REAL:
        lua_pushnumber(L, v->as.real);
        break;
    case JSON_STRING:
        if (type->kind == TYPE_TIME && time_parse(&t, v->as.string, v->len, &ignored) == OK)
            lua_pushinteger(L, t);
        else
            lua_pushlstring(L, v->as.string, v->len);
        break;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        lua_pushnil(L);
        break;
    }
}

static void guard_fields(lua_State *L, const struct type *type);

/* A set arrives as a list that may repeat itself; a rule gets each value once. */
static void push_set(lua_State *L, const struct json *v, const struct type *type)
{
    lua_Integer count = 0;

    lua_createtable(L, (int)v->len, 0);
    lua_createtable(L, 0, (int)v->len); /* those that were seen */
    for (const struct json *i = v->as.first; i; i = i->next) {
        push_scalar(L, i, type->of);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) == LUA_TNIL && !lua_isnil(L, -2)) {
            lua_pushvalue(L, -2);
            lua_pushboolean(L, 1);
            lua_rawset(L, -5);
            lua_pushvalue(L, -2);
            lua_rawseti(L, -5, ++count);
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

void convert_push_json(lua_State *L, const struct json *v, const struct type *type)
{
    lua_Integer count = 0;

    luaL_checkstack(L, 6, "data too deep");
    if (v && v->type == JSON_ARRAY && type->kind == TYPE_SET) {
        push_set(L, v, type);
    } else if (v && v->type == JSON_ARRAY && type->kind == TYPE_LIST) {
        lua_createtable(L, (int)v->len, 0);
        for (const struct json *i = v->as.first; i; i = i->next) {
            convert_push_json(L, i, type->of);
            lua_rawseti(L, -2, ++count);
        }
    } else if (v && v->type == JSON_OBJECT) {
        lua_createtable(L, 0, (int)v->len);
        for (const struct json *i = v->as.first; i; i = i->next) {
            const struct type_field *f = type->kind == TYPE_ROW ? type_field(type, i->name) : NULL;
            const struct type *of = f ? f->type : type->kind == TYPE_MAP ? type->of : NULL;
            if (!of || of->kind == TYPE_NOTE)
                continue; /* a field that the pack no longer has; free text, which rules may not see */
            convert_push_json(L, i, of);
            lua_setfield(L, -2, i->name);
        }
        if (type->kind == TYPE_ROW)
            guard_fields(L, type);
    } else if (v) {
        push_scalar(L, v, type);
    } else {
        lua_pushnil(L);
    }
}

/* ---- names that an event does not have are errors, never nil ---- */

static int missing_field(lua_State *L)
{
    const struct type *type = lua_touserdata(L, lua_upvalueindex(1));
    const char *names[128];
    char hint[160];
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    const struct type_field *f = type_field(type, name);
    uint32_t count = type->field_count < 128 ? type->field_count : 128;

    if (f && f->type->kind == TYPE_NOTE)
        return luaL_error(L, "%s is a note: free text for people, which rules can not read", name);
    if (f)
        return 0; /* optional, and not given */
    for (uint32_t i = 0; i < count; i++)
        names[i] = type->fields[i].name;
    return luaL_error(L, "unknown field '%s' of the event's data%s", name,
                      text_hint(hint, sizeof(hint), name, names, count));
}

static int missing_event_name(lua_State *L)
{
    static const char *const NAMES[] = { "type", "source", "id", "subject", "time", "as", "data" };
    char hint[160];
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    return luaL_error(L, "unknown name '%s' of the event e%s", name,
                      text_hint(hint, sizeof(hint), name, NAMES, 7));
}

/* Give the table on top the metatable kept in the registry under `key`, made at first need. */
static void set_guard(lua_State *L, const void *key, const struct type *type, lua_CFunction fn)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 2);
        lua_pushlightuserdata(L, (void *)(uintptr_t)type);
        lua_pushcclosure(L, fn, 1);
        lua_setfield(L, -2, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    }
    lua_setmetatable(L, -2);
}

static void guard_fields(lua_State *L, const struct type *type)
{
    /* The type's own address is the key of its shared empty container. */
    set_guard(L, &type->field_count, type, missing_field);
}

void convert_guard_event(lua_State *L)
{
    static const char KEY = 0; /* its address is what counts */
    set_guard(L, &KEY, NULL, missing_event_name);
}

/* ---- out of Lua ---- */

const char *int_text(int64_t value, char *out)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[INT_TEXT];
    char *at = digits + sizeof(digits);

    *--at = '\0';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    return memcpy(out, at, (size_t)(digits + sizeof(digits) - at));
}

void convert_write_scalar(lua_State *L, int index, struct buf *out)
{
    char text[INT_TEXT];
    size_t len;
    const char *s;

    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        buf_str(out, lua_toboolean(L, index) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            buf_str(out, int_text(lua_tointeger(L, index), text));
        else
            json_write_real(out, lua_tonumber(L, index));
        break;
    case LUA_TSTRING:
        s = lua_tolstring(L, index, &len);
        json_write_string(out, s, len);
        break;
    default:
        buf_str(out, "null");
        break;
    }
}

static void write_scalar(struct buf *out, const struct type *type, struct cell cell)
{
    char text[TIME_TEXT];

    switch (cell_tag(cell)) {
    case CELL_BOOL:
        buf_str(out, cell_is_true(cell) ? "true" : "false");
        break;
    case CELL_TEXT:
        json_write_string(out, cell_text(cell)->bytes, cell_text(cell)->len);
        break;
    case CELL_INT:
    case CELL_WIDE:
        if (!cell_is_integer(cell))
            json_write_real(out, cell_real(cell));
        else if (type->kind == TYPE_TIME)
            json_write_cstr(out, time_text(cell_integer(cell), text));
        else
            buf_str(out, int_text(cell_integer(cell), text));
        break;
    case CELL_NIL:
    case CELL_NODE:
        buf_str(out, "null");
        break;
    }
}

/* A JSON object's names are texts. */
static void write_key(struct buf *out, struct cell key)
{
    static const struct type PLAIN = { .kind = TYPE_NUMBER };

    if (cell_tag(key) == CELL_TEXT) {
        write_scalar(out, &PLAIN, key);
    } else {
        buf_char(out, '"');
        write_scalar(out, &PLAIN, key);
        buf_char(out, '"');
    }
}

static void write_row(struct buf *out, const struct shape *shape, const struct node *n)
{
    const char *comma = "";

    for (uint32_t i = 0; i < n->used; i++) {
        if (cell_is_nil(n->cells[i]))
            continue;
        buf_str(out, comma);
        comma = ",";
        json_write_cstr(out, shape->fields[i].name);
        buf_char(out, ':');
        convert_write(out, shape->fields[i].shape, n->cells[i]);
    }
}

bool convert_has_order(const struct shape *shape, struct cell cell)
{
    const struct node *n = cell_node(cell);
    enum type_kind kind = shape->type->kind;
    bool has_order = true;

    if (!n || n->used == 0)
        return true;
    if (kind == TYPE_SET || kind == TYPE_MAP)
        has_order = (kind == TYPE_MAP ? shape->key : shape->of)->type->kind != TYPE_BOOL;
    for (uint32_t i = 0; kind == TYPE_MAP && has_order && i < n->used; i += 2)
        has_order = convert_has_order(shape->of, n->cells[i + 1]);
    return has_order;
}

/* A map or row as an object, a set as a sorted array. */
void convert_write(struct buf *out, const struct shape *shape, struct cell cell)
{
    const struct node *n = cell_node(cell);
    enum type_kind kind = shape->type->kind;
    bool is_array = kind == TYPE_SET || kind == TYPE_LIST;

    if (type_is_scalar(shape->type)) {
        write_scalar(out, shape->type, cell);
        return;
    }
    buf_char(out, is_array ? '[' : '{');
    if (n && kind == TYPE_ROW)
        write_row(out, shape, n);
    for (uint32_t i = 0; n && kind != TYPE_ROW && i < n->used; i += shape->width) {
        if (i > 0)
            buf_char(out, ',');
        if (kind == TYPE_MAP) {
            write_key(out, n->cells[i]);
            buf_char(out, ':');
        }
        convert_write(out, shape->of, n->cells[i + shape->width - 1]);
    }
    buf_char(out, is_array ? ']' : '}');
}
