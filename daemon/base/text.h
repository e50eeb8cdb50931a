/*
 * text.h - small helpers for names and messages.
 */
#ifndef PATHWAY_TEXT_H
#define PATHWAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when the bytes are well-formed UTF-8: no surrogates, nothing overlong, up to U+10FFFF. */
bool text_is_utf8(const char *s, size_t len);
/* The bytes of the well-formed UTF-8 character at the start of `s`, 1 to 4; 0 when there is none.
 * *code is the character (NULL allowed). */
size_t text_utf8_char(const char *s, size_t len, uint32_t *code);
/* How many bytes at the start are printable ASCII, U+0020 to U+007E. */
size_t text_ascii_run(const char *s, size_t len);
/* True when it is UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F) and without
 * noncharacters: what CloudEvents allows in a string. */
bool text_is_printable(const char *s, size_t len);
/* Bytes of windows-1252 to UTF-8 in a new string that the caller frees; NULL when there is no
 * memory. The five bytes that windows-1252 leaves open become U+FFFD. */
char *text_from_cp1252(const char *s, size_t len, size_t *out_len);

/*
 * The candidate nearest to `name` (edits and swaps, case ignored), or NULL when
 * none is near enough to be a likely slip (a third of its length, at least 1 edit).
 * Ties go to the first. When none is near: the only one of which it is the beginning,
 * or the beginning of a word.
 */
const char *text_nearest(const char *name, const char *const *candidates, size_t count);

/* Write `; did you mean "X"?` or "" into out (size bytes) and return it. */
const char *text_hint(char *out, size_t size, const char *name, const char *const *candidates,
                      size_t count);

#endif
