/* slips.c - see slips.h. Only the line that the reader stopped in, and what stands before it, is
 * looked at; where nothing fits, nothing is said. */
#include "lua/slips.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The place at which the reader stopped. */
struct stop {
    const char *text;       /* of the whole file */
    const char *line, *end; /* the line, without its end */
    int number;             /* of the line, from 1 */
    const char *said;       /* the reader's sentence */
    const char *token;      /* in the sentence: what it did not expect, without quotes */
    size_t token_len;
};

static void add(char *message, size_t size, const char *hint)
{
    size_t len = strlen(message);

    snprintf(message + len, size - len, "; %s", hint);
}

/* ---- where ---- */

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

static bool is_token(const struct stop *s, const char *token)
{
    return strlen(token) == s->token_len && memcmp(token, s->token, s->token_len) == 0;
}

static bool has_in_line(const struct stop *s, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = s->line; p + len <= s->end; p++)
        if (memcmp(p, word, len) == 0)
            return true;
    return false;
}

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

static bool begins_line(const struct stop *s)
{
    const char *p = skip_blank(s->line, s->end);

    return p + s->token_len <= s->end && memcmp(p, s->token, s->token_len) == 0;
}

/* ---- characters that Lua does not know ---- */

static const char *say_character(uint32_t code)
{
    switch (code) {
    case 0x201c:
    case 0x201d:
    case 0x201e:
        return "a quotation mark as word processors make it; write \" in its place";
    case 0x2018:
    case 0x2019:
    case 0x201a:
        return "an apostrophe as word processors make it; write ' or \" in its place";
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
        return "a dash; a minus sign is written -, and a comment begins with --";
    case 0xa0:
    case 0x2007:
    case 0x202f:
        return "a space that does not break, and looks like any other; write a space in its place";
    case 0x200b:
    case 0x200c:
    case 0x200d:
    case 0x2060:
    case 0xfeff:
        return "a character without width, which can not be seen; take it out";
    case 0x2260:
        return "no sign of Lua; \"is not equal to\" is written ~=";
    case 0x2264:
        return "no sign of Lua; \"at most\" is written <=";
    case 0x2265:
        return "no sign of Lua; \"at least\" is written >=";
    default:
        return "a character that can only stand in a text or a comment; names are made of a-z, "
               "A-Z, "
               "0-9 and _";
    }
}

/* "unexpected symbol near '<\226>'": the first byte of one of them. It is the first in the line
 * that stands in no text and no comment, as far as that can be told from the line. */
static bool name_character(char *message, size_t size, const struct stop *s)
{
    char quote = '\0';
    unsigned byte;

    if (sscanf(s->token, "<\\%u>", &byte) != 1 || byte < 0x80)
        return false;
    for (const char *p = s->line; p < s->end; p++) {
        uint32_t code;
        size_t len = text_utf8_char(p, (size_t)(s->end - p), &code);
        if (quote && *p == '\\')
            p++;
        else if (quote)
            quote = *p == quote ? '\0' : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if ((unsigned char)*p == byte && len > 1) {
            char *sentence = message + (s->said - message);
            bool is_seen = code != 0xa0 && code != 0xfeff && code >> 4 != 0x200 && code != 0x2060 &&
                           code != 0x202f;
            snprintf(sentence, size - (size_t)(sentence - message), "%s%.*s%sU+%04X is %s",
                     is_seen ? "\"" : "", is_seen ? (int)len : 0, p, is_seen ? "\", " : "",
                     (unsigned)code, say_character(code));
            return true;
        }
    }
    return false;
}

/* ---- signs of other languages ---- */

static const char *say_sign(const struct stop *s)
{
    bool expects_then = strncmp(s->said, "'then' expected", 15) == 0;
    bool expects_end = strncmp(s->said, "'end' expected", 14) == 0;

    if (is_token(s, "!"))
        return has_in_line(s, "!=") ? "\"is not equal to\" is written ~="
                                    : "\"not\" is written not";
    if (is_token(s, "&"))
        return "two conditions are joined by and";
    if (is_token(s, "|"))
        return "two conditions are joined by or";
    if ((is_token(s, "//") || is_token(s, "/") || is_token(s, "#")) && begins_line(s))
        return "a comment begins with --";
    if (is_token(s, "+") && (has_in_line(s, "+=") || has_in_line(s, "++")))
        return "write it out: s.count = s.count + 1";
    if (is_token(s, "-") && has_in_line(s, "-="))
        return "write it out: s.count = s.count - 1";
    if ((is_token(s, ">") || is_token(s, "=")) && has_in_line(s, "=>"))
        return "a function is written function(s) return ... end";
    if (is_token(s, "=") && (expects_then || expects_end))
        return "two values are compared by ==";
    if (has_in_line(s, "elif ") || has_in_line(s, "elsif "))
        return "it is written elseif";
    if (expects_then && has_in_line(s, "{"))
        return "it is written if ... then ... end, without braces";
    return NULL;
}

/* In a table: `title: "x"`, `"title" = "x"`, `2025-09-01 = 90`. */
static const char *say_key(const struct stop *s)
{
    bool expects_brace = strncmp(s->said, "'}' expected", 12) == 0;

    if (strncmp(s->said, "')' expected", 12) == 0 && is_token(s, "="))
        return "a table is written in braces: rule { ... }";
    if (expects_brace && is_token(s, ":"))
        return "a key and its value are joined by =, as in title = \"...\"";
    if (expects_brace && is_token(s, "="))
        return "a key that is no plain word is written in brackets: [\"2025-09-01\"] = ...";
    if (strncmp(s->said, "a name is expected", 18) == 0 && s->token[0] == '"' &&
        has_in_line(s, ":"))
        return "a key and its value are joined by =, as in title = \"...\"";
    return NULL;
}

/* ---- what is missing ---- */

/* The number of the last line before this one that holds code, and the last sign of that. */
static int line_before(const struct stop *s, char *last)
{
    int number = s->number;

    for (const char *end = s->line; end > s->text;) {
        const char *begin = --end; /* its newline */
        while (begin > s->text && begin[-1] != '\n')
            begin--;
        number--;
        const char *p = skip_blank(begin, end), *code = p;
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

static bool is_keyword(const struct stop *s)
{
    static const char *const WORDS[] = { "and",    "break",  "do",   "else",  "elseif", "end",
                                         "for",    "goto",   "if",   "in",    "local",  "or",
                                         "repeat", "return", "then", "until", "while" };

    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (is_token(s, WORDS[i]))
            return true;
    return false;
}

static bool begins_entry(const struct stop *s)
{
    char first = s->token[0];

    return isalnum((unsigned char)first) || first == '_' ? !is_keyword(s)
                                                         : strchr("\"'[{", first) != NULL;
}

/* A table ends where its next entry begins. */
static bool add_comma(char *message, size_t size, const struct stop *s)
{
    char hint[80], last = ',';

    if (strncmp(s->said, "'}' expected", 12) != 0 || !begins_entry(s))
        return false;
    int before = begins_line(s) ? line_before(s, &last) : 0;
    if (!before && begins_line(s))
        return false;
    if (before)
        snprintf(hint, sizeof(hint), "is a comma or a '}' missing at the end of line %d?", before);
    else
        snprintf(hint, sizeof(hint), "is a comma missing before it?");
    if (before && strchr(",;{", last))
        return false;
    add(message, size, hint);
    return true;
}

/* `end,` where the end has closed an if, and so none is left for the function. */
static const char *say_end(const struct stop *s)
{
    const char *p = skip_blank(s->line, s->end);
    bool is_end = s->end - p >= 4 && memcmp(p, "end", 3) == 0 && !isalnum((unsigned char)p[3]);

    if (!is_end || strncmp(s->said, "unexpected symbol", 17) != 0 ||
        (!is_token(s, ",") && !is_token(s, "}")))
        return NULL;
    return "this end closes an if or a loop: is one more end missing before it?";
}

void slips_explain(char *message, size_t size, const char *text, size_t len)
{
    const char *colon = strchr(message, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    struct stop s = { .text = text, .number = digits ? atoi(colon + 1) : 0 };

    if (!digits || strncmp(colon + 1 + digits, ": ", 2) != 0)
        return;
    s.said = colon + 1 + digits + 2;
    if (!find_line(&s, len) || !find_token(&s))
        return;
    if (name_character(message, size, &s) || add_comma(message, size, &s))
        return;
    const char *hint = say_sign(&s);
    if (!hint)
        hint = say_key(&s);
    if (!hint)
        hint = say_end(&s);
    if (hint)
        add(message, size, hint);
}

bool slips_in_bytes(char *out, size_t size, const char *text, size_t len)
{
    int line = 1;

    if (len > 0 && text[0] == '\033') {
        snprintf(out, size, "1: this is compiled Lua (a binary chunk); expected its text");
        return true;
    }
    if (len > 1 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        snprintf(out, size, "1: the file is in UTF-16; save it as UTF-8");
        return true;
    }
    for (size_t i = 0; i < len; line += text[i++] == '\n') {
        size_t more = text_utf8_char(text + i, len - i, NULL);
        if (more > 1)
            i += more - 1;
        if (more > 0 && text[i] != '\0')
            continue;
        if (text[i] == '\0')
            snprintf(out, size, "%d: there is a byte 0, which no text has; take it out", line);
        else
            snprintf(out, size,
                     "%d: there is a byte %02X, which is not UTF-8; save the file as UTF-8", line,
                     (unsigned)(unsigned char)text[i]);
        return true;
    }
    return false;
}
