/*
 * str.h - a growing string, and what HTTP needs to do with strings.
 *
 * A zeroed struct str is empty and valid. After a failed allocation `failed` stays set, so
 * that a writer checks once, at its end.
 */
#ifndef HTTP_STR_H
#define HTTP_STR_H

#include <stdbool.h>
#include <stddef.h>

struct str {
    char *data; /* followed by a NUL that `len` does not count; NULL while empty */
    size_t len;
    size_t cap;
    bool failed;
};

void str_add(struct str *s, const char *bytes, size_t len);
void str_text(struct str *s, const char *text);
void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Append as a JSON string with its quotes. Bytes above 0x7f pass: whoever parses judges UTF-8. */
void str_json(struct str *s, const char *bytes, size_t len);
/* The same for people to read: bytes that are no UTF-8, a character cut in two perhaps, become
 * U+FFFD. */
void str_json_shown(struct str *s, const char *text);
void str_fini(struct str *s);

/*
 * Undo percent-encoding, writing `in` of `len` bytes to `out` (as long, and a NUL; may be the
 * same). False: a '%' without two hex digits, or one that makes a NUL.
 */
bool percent_decode(char *out, const char *in, size_t len);

/* True when header `value` names this media type, whatever its parameters: "a/b; charset=utf-8". */
bool media_is(const char *value, const char *type);
/* False when it has a charset that is not UTF-8. */
bool media_is_utf8(const char *value);

/*
 * Which of `offers` (media types, best first, NULL at the end) an Accept header likes best;
 * -1: none of them. `accept` NULL: the first.
 */
int accept_choose(const char *accept, const char *const *offers);

/*
 * True when the bytes are shaped as exactly one JSON object: a brace, all up to the brace that
 * closes it, and white space. What is inside is for a parser; this makes sure that a body put
 * inside another object stays inside.
 */
bool is_one_object(const char *bytes, size_t len);

#endif
