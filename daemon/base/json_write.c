/* json_write.c - see json.h. Canonical form; most strings are short and plain ASCII. */
#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define INT64_EDGE  9223372036854775808.0 /* 2^63: the first whole number beyond int64 */
#define FEW_MEMBERS 32 /* so many are sorted without an allocation, and one by one */

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

typedef uint8_t sixteen __attribute__((vector_size(16)));

/* All sixteen bytes stand for themselves. */
static inline bool are_plain(sixteen bytes)
{
    sixteen odd = (sixteen)((bytes - 0x20 > 0x5e) | (bytes == '"') | (bytes == '\\'));
    uint64_t halves[2];

    memcpy(halves, &odd, sizeof(odd));
    return (halves[0] | halves[1]) == 0;
}

/* Copy sixteen bytes when they are plain. */
static inline bool copy_sixteen(char *out, const char *s)
{
    sixteen bytes;

    memcpy(&bytes, s, sizeof(bytes));
    if (!are_plain(bytes))
        return false;
    memcpy(out, &bytes, sizeof(bytes));
    return true;
}

/* Copy 4 to 15 bytes when they are plain: from both ends, with those in the middle twice. */
static inline bool copy_fewer(char *out, const char *s, size_t len)
{
    size_t half = len >= 8 ? 8 : 4;
    uint64_t ends[2];
    uint32_t first, last;
    sixteen bytes;

    if (half == 8) {
        memcpy(&ends[0], s, 8);
        memcpy(&ends[1], s + len - 8, 8);
    } else {
        memcpy(&first, s, 4);
        memcpy(&last, s + len - 4, 4);
        ends[0] = ends[1] = (uint64_t)last << 32 | first;
    }
    memcpy(&bytes, ends, sizeof(bytes));
    if (!are_plain(bytes))
        return false;
    if (half == 8) {
        memcpy(out, &ends[0], 8);
        memcpy(out + len - 8, &ends[1], 8);
    } else {
        memcpy(out, &first, 4);
        memcpy(out + len - 4, &last, 4);
    }
    return true;
}

/* Copy what stands for itself, plain ASCII, by far the most; returns how many bytes. */
static size_t copy_plain(char *out, const char *s, size_t len)
{
    size_t n = 0;

    if (len >= 16) {
        while (len - n >= 16 && copy_sixteen(out + n, s + n))
            n += 16;
        if (len - n < 16 && copy_sixteen(out + len - 16, s + len - 16))
            return len;
    } else if (len >= 4 && copy_fewer(out, s, len)) {
        return len;
    }
    for (; n < len && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\'; n++)
        out[n] = s[n];
    return n;
}

void json_write_text(struct buf *b, const char *bytes, size_t len)
{
    while (len > 0) {
        char *out = buf_room(b, len);
        if (!out)
            return;
        size_t step = copy_plain(out, bytes, len);
        if (step > 0)
            buf_wrote(b, step);
        else
            step = write_char(b, bytes, len);
        bytes += step;
        len -= step;
    }
}

void json_write_string(struct buf *b, const char *bytes, size_t len)
{
    char *out = buf_room(b, len + 2);

    if (!out)
        return;
    *out = '"';
    size_t plain = copy_plain(out + 1, bytes, len);
    if (plain == len) {
        out[len + 1] = '"';
        buf_wrote(b, len + 2);
        return;
    }
    buf_wrote(b, plain + 1);
    json_write_text(b, bytes + plain, len - plain);
    buf_char(b, '"');
}

/* `before`, the name in quotes, a colon. */
static void write_name(struct buf *b, char before, const char *name)
{
    size_t len = strlen(name);
    char *out = buf_room(b, len + 4);

    if (!out)
        return;
    out[0] = before;
    out[1] = '"';
    if (copy_plain(out + 2, name, len) == len) {
        out[len + 2] = '"';
        out[len + 3] = ':';
        buf_wrote(b, len + 4);
        return;
    }
    buf_char(b, before);
    json_write_string(b, name, len);
    buf_char(b, ':');
}

void json_write_cstr(struct buf *b, const char *s)
{
    if (s)
        json_write_string(b, s, strlen(s));
    else
        buf_str(b, "null");
}

static void write_int(struct buf *b, int64_t value)
{
    char text[20]; /* of INT64_MIN */
    char *end = text + sizeof(text), *at = end;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    buf_add(b, at, (size_t)(end - at));
}

void json_write_real(struct buf *b, double value)
{
    char text[32];

    if (!isfinite(value)) {
        buf_str(b, "null");
        return;
    }
    if (value >= -INT64_EDGE && value < INT64_EDGE && floor(value) == value) {
        write_int(b, (int64_t)value); /* -0.0 too becomes 0 */
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

static int compare_names(const struct json *a, const struct json *b)
{
    int by_first = (unsigned char)a->name[0] - (unsigned char)b->name[0];
    return by_first != 0 ? by_first : strcmp(a->name, b->name);
}

static int by_name(const void *a, const void *b)
{
    const struct json *const *left = a, *const *right = b;
    return compare_names(*left, *right);
}

/* Few members are the rule, and they are often sorted already. */
static void sort_members(const struct json **members, uint32_t count)
{
    if (count > FEW_MEMBERS) {
        qsort(members, count, sizeof(*members), by_name);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        const struct json *member = members[i];
        uint32_t at = i;
        for (; at > 0 && compare_names(member, members[at - 1]) < 0; at--)
            members[at] = members[at - 1];
        members[at] = member;
    }
}

void json_write_members(struct buf *b, const struct json **members, uint32_t count)
{
    sort_members(members, count);
    for (uint32_t i = 0; i < count; i++) {
        write_name(b, i > 0 ? ',' : '{', members[i]->name);
        json_write(b, members[i]);
    }
    buf_str(b, count > 0 ? "}" : "{}");
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
    json_write_members(b, members, n);
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
        write_int(b, value->as.integer);
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
