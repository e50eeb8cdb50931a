/*
 * json.h - JSON as a read-only tree, and a writer.
 *
 * Parsing is done by a library (json.c is the only file that knows which) and
 * is strict: RFC 8259, one value, no trailing bytes, valid UTF-8, no duplicate
 * member names and no NUL in them, at most `max_depth` levels, integers within
 * int64 and reals within double. A real that is a whole number within int64 (1.0,
 * 1e2, -0.0) becomes an integer, so that what is parsed from canonical form is the
 * same tree as what was parsed first.
 */
#ifndef PATHWAY_JSON_H
#define PATHWAY_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    uint32_t len;            /* bytes of a string; items of an array or object */
    const char *name;        /* the member's name inside an object, NUL-terminated; else NULL */
    const struct json *next; /* the next item of the same array or object */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *string;       /* UTF-8, NUL-terminated; may hold NUL bytes, so mind `len` */
        const struct json *first; /* first item of an array or object */
    } as;
};

/*
 * Parse `len` bytes; the tree lives in `arena`. ERR_INPUT: the message says
 * line, column and byte, what is wrong. ERR_LIMIT: deeper than `max_depth` (an
 * empty array or object at top is depth 1).
 */
MUST_CHECK enum err_code json_parse(const struct json **out, struct arena *arena, const char *bytes,
                                    size_t len, int max_depth, struct err *err);

/* The member called `name`, or NULL; NULL too when `object` is not an object. */
const struct json *json_get(const struct json *object, const char *name);
/* True when it is a string equal to `s`. NULL is allowed. */
static inline bool json_is_string(const struct json *value, const char *s)
{
    size_t len = strlen(s);
    return value && value->type == JSON_STRING && value->len == len &&
           memcmp(value->as.string, s, len) == 0;
}
/* "null", "true", "false", "a number", "a string" ...: for messages. NULL is "nothing". */
const char *json_type_name(const struct json *value);
/* A short, safe rendering of a value for a message: at most `size` bytes with the NUL, cut with
 * "..."; of an array or object only the kind. */
const char *json_brief(const struct json *value, char *out, size_t size);

/*
 * Append the value in canonical form: members sorted bytewise by name, no
 * white space, shortest round-trip numbers, reals that are whole numbers within
 * int64 as integers. Equal values give equal bytes.
 */
void json_write(struct buf *b, const struct json *value);
/* Append an object of these members, sorting them in place. */
void json_write_members(struct buf *b, const struct json **members, uint32_t count);
/* Append `len` bytes of UTF-8 as a quoted JSON string. Bytes that are not UTF-8 become U+FFFD. */
void json_write_string(struct buf *b, const char *bytes, size_t len);
/* The same for a NUL-terminated string; NULL writes null. */
void json_write_cstr(struct buf *b, const char *s);
/* As json_write_string(), without the quotes. */
void json_write_text(struct buf *b, const char *bytes, size_t len);
void json_write_real(struct buf *b, double value); /* shortest round trip; not finite: null */

#endif
