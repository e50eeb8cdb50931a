/*
 * json.c - see json.h. The strict road: jansson parses; its tree is copied into the arena and freed
 * at once.
 */

/* Jansson has other uses for some of our names: rename its own while its header is read. Its
 * json_is_...() macros compare with these names and can not be used below. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_REAL   JANSSON_REAL
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_REAL
#undef JSON_NULL
#undef json_is_string

#include "base/json.h"

#include <string.h>

#include "base/json_roads.h"

struct copier {
    struct arena *arena;
    int max_depth;
    struct err *err;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for this JSON");
}

static enum err_code too_deep(int max_depth, struct err *err)
{
    return err_set(err, ERR_LIMIT, "nested deeper than %d levels", max_depth);
}

static enum err_code copy_value(struct json *out, const json_t *value, int depth,
                                const struct copier *cp);

/* Room for `count` items, each linked to the next. */
static struct json *new_items(struct json *out, size_t count, const struct copier *cp)
{
    struct json *items = arena_alloc(cp->arena, count * sizeof(*items));

    if (!items)
        return NULL;
    for (size_t i = 0; i + 1 < count; i++)
        items[i].next = &items[i + 1];
    out->len = (uint32_t)count;
    out->as.first = count > 0 ? items : NULL;
    return items;
}

static enum err_code copy_array(struct json *out, const json_t *array, int depth,
                                const struct copier *cp)
{
    size_t count = json_array_size(array);
    struct json *items = new_items(out, count, cp);

    if (!items)
        return no_memory(cp->err);
    for (size_t i = 0; i < count; i++) {
        enum err_code rc = copy_value(&items[i], json_array_get(array, i), depth + 1, cp);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static enum err_code copy_object(struct json *out, json_t *object, int depth,
                                 const struct copier *cp)
{
    struct json *item = new_items(out, json_object_size(object), cp);
    const char *name;
    json_t *value;

    if (!item)
        return no_memory(cp->err);
    json_object_foreach(object, name, value)
    {
        item->name = arena_strdup(cp->arena, name);
        if (!item->name)
            return no_memory(cp->err);
        enum err_code rc = copy_value(item++, value, depth + 1, cp);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static enum err_code copy_string(struct json *out, const json_t *string, const struct copier *cp)
{
    size_t len = json_string_length(string);

    out->len = (uint32_t)len;
    out->as.string = arena_copy(cp->arena, json_string_value(string), len);
    return out->as.string ? OK : no_memory(cp->err);
}

/* Fill in all of `out` but its name and next. `depth` is that of `value`, 1 at the top. */
static enum err_code copy_value(struct json *out, const json_t *value, int depth,
                                const struct copier *cp)
{
    json_type type = json_typeof(value);

    if ((type == JANSSON_ARRAY || type == JANSSON_OBJECT) && depth > cp->max_depth)
        return too_deep(cp->max_depth, cp->err);
    switch (type) {
    case JANSSON_NULL:
        out->type = JSON_NULL;
        return OK;
    case JSON_TRUE:
    case JSON_FALSE:
        out->type = JSON_BOOL;
        out->as.boolean = type == JSON_TRUE;
        return OK;
    case JSON_INTEGER:
        out->type = JSON_INT;
        out->as.integer = json_integer_value(value);
        return OK;
    case JANSSON_REAL:
        json_set_real(out, json_real_value(value));
        return OK;
    case JANSSON_STRING:
        out->type = JSON_STRING;
        return copy_string(out, value, cp);
    case JANSSON_ARRAY:
        out->type = JSON_ARRAY;
        return copy_array(out, value, depth, cp);
    case JANSSON_OBJECT:
        out->type = JSON_OBJECT;
        return copy_object(out, (json_t *)(uintptr_t)value, depth, cp);
    }
    return OK;
}

/* The name of the member whose value begins at `value`: *out points into the text. */
static size_t name_before(const char **out, const char *bytes, const char *value)
{
    const char *at = value;

    while (at > bytes && strchr(" \t\r\n:", at[-1]))
        at--;
    if (at == value || at == bytes || at[-1] != '"')
        return 0;
    const char *end = --at;
    while (at > bytes && at[-1] != '"')
        at--;
    *out = at;
    return at > bytes ? (size_t)(end - at) : 0;
}

/* Jansson stands behind the number that it can not hold. */
static enum err_code too_great(const json_error_t *e, const char *bytes, size_t len,
                               struct err *err)
{
    const char *end = bytes + ((size_t)e->position < len ? (size_t)e->position : len), *at = end;
    const char *name = "";
    int shown;

    while (at > bytes && strchr("0123456789+-.eE", at[-1]))
        at--;
    shown = (int)(end - at);
    const bool is_real = memchr(at, '.', (size_t)shown) || memchr(at, 'e', (size_t)shown) ||
                         memchr(at, 'E', (size_t)shown);
    int name_len = (int)name_before(&name, bytes, at);
    return err_set(err, ERR_INPUT, "line %d, column %d (byte %d): %s%.*s%s%.*s%s: %s", e->line,
                   e->column, e->position, name_len > 0 ? "\"" : "", name_len < 60 ? name_len : 60,
                   name, name_len > 0 ? "\" is " : "", shown < 40 ? shown : 40, at,
                   shown <= 40 ? "" : "...",
                   is_real ? "a number beyond 1.8e308"
                           : "a whole number beyond 64 bits; where a text is expected, put quotes "
                             "around it");
}

/* What jansson found, with what to do where its own words leave that open. */
static enum err_code syntax_error(const json_error_t *e, const char *bytes, size_t len,
                                  int max_depth, struct err *err)
{
    const char *advice = "";

    switch (json_error_code(e)) {
    case json_error_stack_overflow:
        return too_deep(max_depth, err);
    case json_error_out_of_memory:
        return no_memory(err);
    case json_error_duplicate_key:
        advice = ": each name may stand once in an object";
        break;
    case json_error_end_of_input_expected:
        advice = ": expected nothing behind the value";
        break;
    case json_error_numeric_overflow:
        return too_great(e, bytes, len, err);
    default:
        break;
    }
    return err_set(err, ERR_INPUT, "line %d, column %d (byte %d): %s%s", e->line, e->column,
                   e->position, e->text, advice);
}

static bool is_blank(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\0' || !strchr(" \t\r\n", bytes[i]))
            return false;
    }
    return true;
}

/* Jansson takes a NUL for the end of the text and would not see what is behind it. */
static enum err_code nul_error(const char *bytes, const char *nul, struct err *err)
{
    int line = 1, column = 1;

    for (const char *at = bytes; at < nul; at++) {
        column = *at == '\n' ? 1 : column + 1;
        line += *at == '\n';
    }
    return err_set(err, ERR_INPUT,
                   "line %d, column %d (byte %zd): a NUL byte: write it as \\u0000 in a string",
                   line, column, nul - bytes + 1);
}

enum err_code json_strict(const struct json **out, struct arena *arena, const char *bytes,
                          size_t len, int max_depth, struct err *err)
{
    static const size_t FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
    const struct copier cp = { .arena = arena, .max_depth = max_depth, .err = err };
    json_error_t error;

    *out = NULL;
    if (len > INT32_MAX) /* so that every count and length fits its uint32 */
        return err_set(err, ERR_LIMIT, "%zu bytes of JSON: expected less than 2 GiB", len);
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        return err_set(err, ERR_INPUT,
                       "line 1, column 1 (byte 1): a byte order mark: save as UTF-8 without one");
    if (is_blank(bytes, len))
        return err_set(err, ERR_INPUT, "line 1, column 1 (byte 1): empty: expected a JSON value");
    const char *nul = memchr(bytes, '\0', len);
    if (nul)
        return nul_error(bytes, nul, err);
    json_t *tree = json_loadb(bytes, len, FLAGS, &error);
    if (!tree)
        return syntax_error(&error, bytes, len, max_depth, err);

    struct json *top = arena_alloc(arena, sizeof(*top));
    enum err_code rc = top ? copy_value(top, tree, 1, &cp) : no_memory(err);
    json_decref(tree);
    if (rc == OK)
        *out = top;
    return rc;
}

enum err_code json_parse(const struct json **out, struct arena *arena, const char *bytes,
                         size_t len, int max_depth, struct err *err)
{
    *out = len <= INT32_MAX ? json_fast(arena, bytes, len, max_depth) : NULL;
    return *out ? OK : json_strict(out, arena, bytes, len, max_depth, err);
}
