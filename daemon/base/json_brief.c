/* json_brief.c - see json.h. Looking into a tree, and what messages say of a value. */
#include "base/json.h"

#include <stdio.h>

#include "base/text.h"

const struct json *json_get(const struct json *object, const char *name)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (const struct json *item = object->as.first; item; item = item->next) {
        if (item->name[0] == name[0] && strcmp(item->name, name) == 0)
            return item;
    }
    return NULL;
}

const char *json_type_name(const struct json *value)
{
    if (!value)
        return "nothing";
    switch (value->type) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return value->as.boolean ? "true" : "false";
    case JSON_INT:
    case JSON_REAL:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    }
    return "nothing";
}

/* Append a string for a message, ended by "...\"" where it would grow beyond `most` bytes. */
static void brief_string(struct buf *b, const struct json *value, size_t most)
{
    const char *s = value->as.string;
    size_t len = value->len;
    size_t fits = 1; /* how far a cut with ..." still has room */

    buf_char(b, '"');
    while (len > 0 && b->len + 1 <= most) {
        size_t step = text_utf8_char(s, len, NULL);
        if (step == 0)
            step = 1;
        json_write_text(b, s, step);
        s += step;
        len -= step;
        if (b->len + 4 <= most)
            fits = b->len;
    }
    if (len > 0 || b->len + 1 > most) {
        b->len = fits;
        buf_str(b, "...");
    }
    buf_char(b, '"');
}

const char *json_brief(const struct json *value, char *out, size_t size)
{
    struct buf b = { 0 };

    if (value && value->type == JSON_STRING)
        brief_string(&b, value, size > 0 ? size - 1 : 0);
    else if (value && (value->type == JSON_INT || value->type == JSON_REAL))
        json_write(&b, value);
    else
        buf_str(&b, json_type_name(value));
    if (size > 0)
        snprintf(out, size, "%s", buf_cstr(&b));
    buf_fini(&b);
    return out;
}
