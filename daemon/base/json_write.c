/* json_write.c - see json.h. Canonical form, and the short forms for messages. */
#include "base/json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define INT64_EDGE  9223372036854775808.0 /* 2^63: the first whole number beyond int64 */
#define FEW_MEMBERS 32                    /* so many are sorted without an allocation */

const struct json *json_get(const struct json *object, const char *name)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (const struct json *item = object->as.first; item; item = item->next) {
        if (strcmp(item->name, name) == 0)
            return item;
    }
    return NULL;
}

bool json_is_string(const struct json *value, const char *s)
{
    return value && value->type == JSON_STRING && value->len == strlen(s) &&
           memcmp(value->as.string, s, value->len) == 0;
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

/* The letter behind the backslash of a short escape; 0 when there is none. */
static char short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* Append one character in quotes' form; returns the bytes of `s` that it took. */
static size_t write_char(struct buf *b, const char *s, size_t len)
{
    size_t step = text_utf8_char(s, len, NULL);

    if (step == 0) {
        buf_str(b, "\xef\xbf\xbd");
        return 1;
    }
    char escape = short_escape(s[0]);
    if (escape) {
        char pair[2] = { '\\', escape };
        buf_add(b, pair, sizeof(pair));
    } else if ((unsigned char)s[0] < 0x20) {
        buf_printf(b, "\\u%04x", (unsigned)s[0]);
    } else {
        buf_add(b, s, step);
    }
    return step;
}

/* How many bytes from `s` on stand for themselves: plain ASCII, by far the most. */
static size_t plain_run(const char *s, size_t len)
{
    size_t n = 0;

    while (n < len && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
        n++;
    return n;
}

void json_write_string(struct buf *b, const char *bytes, size_t len)
{
    buf_char(b, '"');
    while (len > 0) {
        size_t step = plain_run(bytes, len);
        if (step > 0)
            buf_add(b, bytes, step);
        else
            step = write_char(b, bytes, len);
        bytes += step;
        len -= step;
    }
    buf_char(b, '"');
}

void json_write_cstr(struct buf *b, const char *s)
{
    if (s)
        json_write_string(b, s, strlen(s));
    else
        buf_str(b, "null");
}

void json_write_real(struct buf *b, double value)
{
    char text[32];

    if (!isfinite(value)) {
        buf_str(b, "null");
        return;
    }
    if (value >= -INT64_EDGE && value < INT64_EDGE && floor(value) == value) {
        buf_printf(b, "%" PRId64, (int64_t)value); /* -0.0 too becomes 0 */
        return;
    }
    /* Fifteen digits always tell normal numbers apart, and %g drops their zeros. */
    for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (back >= value && back <= value)
            break;
    }
    buf_str(b, text);
}

static int by_name(const void *a, const void *b)
{
    const struct json *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static void write_object(struct buf *b, const struct json *object)
{
    const struct json *few[FEW_MEMBERS];
    const struct json **members = few;
    uint32_t n = 0;

    if (object->len > FEW_MEMBERS)
        members = malloc(object->len * sizeof(*members));
    if (!members) {
        b->failed = true;
        return;
    }
    for (const struct json *item = object->as.first; item; item = item->next)
        members[n++] = item;
    qsort(members, n, sizeof(*members), by_name);
    buf_char(b, '{');
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            buf_char(b, ',');
        json_write_cstr(b, members[i]->name);
        buf_char(b, ':');
        json_write(b, members[i]);
    }
    buf_char(b, '}');
    if (members != few)
        free(members);
}

void json_write(struct buf *b, const struct json *value)
{
    switch (value->type) {
    case JSON_NULL:
        buf_str(b, "null");
        return;
    case JSON_BOOL:
        buf_str(b, value->as.boolean ? "true" : "false");
        return;
    case JSON_INT:
        buf_printf(b, "%" PRId64, value->as.integer);
        return;
    case JSON_REAL:
        json_write_real(b, value->as.real);
        return;
    case JSON_STRING:
        json_write_string(b, value->as.string, value->len);
        return;
    case JSON_ARRAY:
        buf_char(b, '[');
        for (const struct json *item = value->as.first; item; item = item->next) {
            json_write(b, item);
            if (item->next)
                buf_char(b, ',');
        }
        buf_char(b, ']');
        return;
    case JSON_OBJECT:
        write_object(b, value);
        return;
    }
}

/* Append a string for a message, ended by "...\"" where it would grow beyond `most` bytes. */
static void brief_string(struct buf *b, const struct json *value, size_t most)
{
    const char *s = value->as.string;
    size_t len = value->len;
    size_t fits = 1; /* how far a cut with ..." still has room */

    buf_char(b, '"');
    while (len > 0 && b->len + 1 <= most) {
        size_t step = write_char(b, s, len);
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
