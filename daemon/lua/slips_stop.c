/* slips_stop.c - see slips_stop.h. */
#include "lua/slips_stop.h"

#include <ctype.h>
#include <string.h>

static bool find_line(struct stop *s, size_t len)
{
    const char *end = s->text + len;

    s->line = s->text;
    for (int i = 1; i < s->number; i++) {
        const char *newline = memchr(s->line, '\n', (size_t)(end - s->line));
        if (!newline)
            return false;
        s->line = newline + 1;
    }
    const char *newline = memchr(s->line, '\n', (size_t)(end - s->line));
    s->end = newline ? newline : end;
    return true;
}

/* What stands behind the last "near" of the sentence, in quotes. */
static bool find_token(struct stop *s)
{
    const char *near = NULL;

    for (const char *at = strstr(s->said, " near '"); at; at = strstr(at + 1, " near '"))
        near = at + strlen(" near '");
    size_t len = near ? strlen(near) : 0;
    if (len < 2 || near[len - 1] != '\'')
        return false;
    s->token = near;
    s->token_len = len - 1;
    return true;
}

bool stop_is(const struct stop *s, const char *token)
{
    return strlen(token) == s->token_len && memcmp(token, s->token, s->token_len) == 0;
}

bool stop_has(const struct stop *s, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = s->line; p + len <= s->end; p++)
        if (memcmp(p, word, len) == 0)
            return true;
    return false;
}

const char *stop_skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

bool stop_begins_line(const struct stop *s)
{
    const char *p = stop_skip_blank(s->line, s->end);

    return p + s->token_len <= s->end && memcmp(p, s->token, s->token_len) == 0;
}

/* The number of the last line before this one that holds code, and the last sign of that. */
int stop_line_before(const struct stop *s, char *last)
{
    int number = s->number;

    for (const char *end = s->line; end > s->text;) {
        const char *begin = --end; /* its newline */
        while (begin > s->text && begin[-1] != '\n')
            begin--;
        number--;
        const char *p = stop_skip_blank(begin, end), *code = p;
        if (p < end && !(end - p >= 2 && p[0] == '-' && p[1] == '-')) {
            for (; p < end; p++)
                if (p + 1 < end && p[0] == '-' && p[1] == '-')
                    break; /* a comment, or "--" in a text: then too little is seen */
                else if (!isspace((unsigned char)*p))
                    code = p;
            *last = *code;
            return number;
        }
        end = begin;
    }
    return 0;
}

bool stop_is_keyword(const struct stop *s)
{
    static const char *const WORDS[] = { "and",    "break",  "do",   "else",  "elseif", "end",
                                         "for",    "goto",   "if",   "in",    "local",  "or",
                                         "repeat", "return", "then", "until", "while" };

    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (stop_is(s, WORDS[i]))
            return true;
    return false;
}

bool stop_is_lua_word(const struct stop *s)
{
    return stop_is_keyword(s) || stop_is(s, "false") || stop_is(s, "function") ||
           stop_is(s, "local") || stop_is(s, "nil") || stop_is(s, "not") || stop_is(s, "true");
}

bool stop_begins_with(const struct stop *s, const char *word)
{
    const char *p = stop_skip_blank(s->line, s->end);
    size_t len = strlen(word);

    return (size_t)(s->end - p) > len && memcmp(p, word, len) == 0 &&
           !isalnum((unsigned char)p[len]);
}

bool stop_says(const struct stop *s, const char *begin)
{
    return strncmp(s->said, begin, strlen(begin)) == 0;
}

bool stop_find(struct stop *s, size_t len)
{
    return find_line(s, len) && find_token(s);
}
