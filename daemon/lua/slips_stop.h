/*
 * slips_stop.h - where Lua's reader stopped, and what stands there: for slips.c and slips_signs.c.
 */
#ifndef PATHWAY_LUA_SLIPS_STOP_H
#define PATHWAY_LUA_SLIPS_STOP_H

#include <stdbool.h>
#include <stddef.h>

/* The place at which the reader stopped. */
struct stop {
    const char *text;       /* of the whole file */
    const char *line, *end; /* the line, without its end */
    int number;             /* of the line, from 1 */
    const char *said;       /* the reader's sentence */
    const char *token;      /* in the sentence: what it did not expect, without quotes */
    size_t token_len;
};

/* Find the line and the token of a message about a text of `len` bytes, with `text`, `number` and
 * `said` set. False: it names none. */
bool stop_find(struct stop *s, size_t len);

/* Is this what was not expected? Does the sentence begin so? */
bool stop_is(const struct stop *s, const char *token);
bool stop_says(const struct stop *s, const char *begin);
/* Is it one of Lua's words that stand between values, or begin and end statements; any of its
 * words? */
bool stop_is_keyword(const struct stop *s);
bool stop_is_lua_word(const struct stop *s);

/* Does its line hold this; begin with this word; begin with the token? */
bool stop_has(const struct stop *s, const char *text);
bool stop_begins_with(const struct stop *s, const char *word);
bool stop_begins_line(const struct stop *s);
/* The number of the last line before it that holds code, and the last sign of that; 0: none does.
 */
int stop_line_before(const struct stop *s, char *last);

const char *stop_skip_blank(const char *p, const char *end);

/* slips_signs.c: what was meant by a sign or word of another language. NULL: nothing that is known.
 */
const char *slips_sign(const struct stop *s);
/* The same of the first word of the line, where no statement of Lua begins with it. */
const char *slips_first_word(const struct stop *s);

#endif
