/* convert.c - values as JSON: what rules gave, and facts. */
#include <string.h>

#include <lauxlib.h>

#include "lua/state.h"

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
