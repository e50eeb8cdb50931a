/*
 * slips.h - what was most likely meant where a file is no Lua.
 *
 * Lua's reader says where it could not go on, not why. Who knows other languages, or writes with a
 * word processor, makes the same few slips; each has its mark in what stands there.
 */
#ifndef PATHWAY_LUA_SLIPS_H
#define PATHWAY_LUA_SLIPS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `message` is the reader's ("x.lua:9: '}' expected near 'b'") about a file of this text. Add what
 * was most likely meant ("; is a comma missing at the end of line 8?") where it can be seen; a
 * character that Lua does not know is named. What does not fit into `size` bytes is cut.
 */
void slips_explain(char *message, size_t size, const char *text, size_t len);

/* Are these bytes no text? Then true, and `out` says it, after the line: "3: there is a byte E9,
 * which is not UTF-8 ...". */
bool slips_in_bytes(char *out, size_t size, const char *text, size_t len);

/* Is there a date that stands in no text, and so is a number, behind `from` (NULL: anywhere) in
 * this Lua? Then `out` says it, after the line, and where to look on is returned; else NULL. */
const char *slips_in_dates(char *out, size_t size, const char *text, const char *from, size_t len);

#endif
