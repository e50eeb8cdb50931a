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
#include "lua/slips_stop.h"

static void add(char *message, size_t size, const char *hint)
{
    size_t len = strlen(message);

    snprintf(message + len, size - len, "; %s", hint);
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

/* In a table: `title: "x"`, `"title" = "x"`, `2025-09-01 = 90`. */
static const char *say_key(const struct stop *s)
{
    bool expects_brace = strncmp(s->said, "'}' expected", 12) == 0;

    if (strncmp(s->said, "')' expected", 12) == 0 && stop_is(s, "="))
        return "a table is written in braces: rule { ... }";
    if (expects_brace && stop_is(s, ":"))
        return "a key and its value are joined by =, as in title = \"...\"";
    if (strncmp(s->said, "a name is expected", 18) == 0 && s->token[0] == '"' && stop_has(s, ":"))
        return "a key and its value are joined by =, as in title = \"...\"";
    return NULL;
}

/* ---- what is missing ---- */

static bool begins_entry(const struct stop *s)
{
    char first = s->token[0];

    return isalnum((unsigned char)first) || first == '_' ? !stop_is_keyword(s)
                                                         : strchr("\"'[{", first) != NULL;
}

/* A table ends where its next entry begins. */
static bool add_comma(char *message, size_t size, const struct stop *s)
{
    char hint[80], last = ',';

    if (strncmp(s->said, "'}' expected", 12) != 0 || !begins_entry(s))
        return false;
    int before = stop_begins_line(s) ? stop_line_before(s, &last) : 0;
    if (!before && stop_begins_line(s))
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
    const char *p = stop_skip_blank(s->line, s->end);
    bool is_end = s->end - p >= 4 && memcmp(p, "end", 3) == 0 && !isalnum((unsigned char)p[3]);

    if (!is_end || strncmp(s->said, "unexpected symbol", 17) != 0 ||
        (!stop_is(s, ",") && !stop_is(s, "}")))
        return NULL;
    return "this end closes an if or a loop: is one more end missing before it?";
}

/* ---- statements ---- */

/* "syntax error": a value stands where something has to be done. */
static bool add_statement(char *message, size_t size, const struct stop *s)
{
    char hint[120], last = '\0';
    const char *meant = slips_first_word(s);

    if (!stop_says(s, "syntax error"))
        return false;
    int before = stop_begins_line(s) ? stop_line_before(s, &last) : 0;
    if (meant)
        snprintf(hint, sizeof(hint), "%s", meant);
    else if (stop_has(s, "continue"))
        snprintf(hint, sizeof(hint), "there is no continue: put what comes behind it into an if");
    else if (before)
        snprintf(hint, sizeof(hint),
                 "a value alone does nothing: is return or = missing in line %d?", before);
    else
        snprintf(hint, sizeof(hint), "a value alone does nothing: is return or = missing?");
    add(message, size, hint);
    return true;
}

/* Where a name has to stand, there is one of Lua's own words. */
static bool add_reserved(char *message, size_t size, const struct stop *s)
{
    char assigned[40], hint[120];
    int len = (int)(s->token_len < 10 ? s->token_len : 10);
    bool is_name = stop_says(s, "a name is expected");

    snprintf(assigned, sizeof(assigned), "%.*s =", len, s->token);
    if (!stop_is_lua_word(s) ||
        !(is_name || (stop_says(s, "unexpected symbol") && stop_has(s, assigned))))
        return false;
    snprintf(hint, sizeof(hint),
             "%.*s is a word of Lua and can not be a name; a key may be called so "
             "in brackets: [\"%.*s\"] = ...",
             len, s->token, len, s->token);
    add(message, size, hint);
    return true;
}

/* One that closes what is not open, or leaves open what is. */
static const char *say_balance(const struct stop *s)
{
    if (stop_says(s, "'end' expected") && (stop_is(s, "}") || stop_is(s, ",")))
        return "is an end missing before it?";
    if (stop_says(s, "'end' expected") && stop_is(s, ")"))
        return "is there one ) too many, or an end missing?";
    if (stop_says(s, "'}' expected") && stop_is(s, "end"))
        return "is there one end too many?";
    if (stop_says(s, "'}' expected") && stop_is(s, ")"))
        return "is a } missing before it?";
    if (stop_says(s, "unexpected symbol") && stop_begins_with(s, "local") && !stop_has(s, "="))
        return "is = missing before it?";
    return NULL;
}

/* The key in front of `equals`, without its quotes; 0: it is a plain word, or in brackets. */
static int odd_key(const char **key, const struct stop *s, const char *equals)
{
    const char *begin = stop_skip_blank(s->line, s->end), *end = equals;
    bool is_plain = true;

    for (const char *p = begin; p < equals;
         p++) /* behind what opens the table, or the entry before */
        if (strchr("{,;", *p))
            begin = stop_skip_blank(p + 1, equals);
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    for (const char *p = begin; p < end; p++)
        is_plain = is_plain && (isalnum((unsigned char)*p) || *p == '_');
    if (end == begin || end[-1] == ']' || (is_plain && !isdigit((unsigned char)*begin)))
        return 0;
    while (end > begin && strchr("\"'", end[-1]))
        end--;
    while (begin < end && strchr("\"'", *begin))
        begin++;
    *key = begin;
    return (int)(end - begin < 60 ? end - begin : 60);
}

/* `my-fact = 1`, `h07.lent = {`, `2025-09-01 = 9`: the key is written as it must be. */
static bool add_key(char *message, size_t size, const struct stop *s)
{
    char hint[200];
    const char *key = "2025-09-01";
    int len = 0;

    if (!stop_says(s, "'}' expected") || !stop_is(s, "="))
        return false;
    for (const char *p = s->line; p < s->end && len == 0; p++)
        if (*p == '=')
            len = odd_key(&key, s, p);
    snprintf(hint, sizeof(hint),
             "a key that is no plain word is written in brackets: [\"%.*s\"] = ...",
             len > 0 ? len : 10, key);
    add(message, size, hint);
    return true;
}

void slips_explain(char *message, size_t size, const char *text, size_t len)
{
    const char *colon = strchr(message, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    struct stop s = { .text = text, .number = digits ? atoi(colon + 1) : 0 };

    if (!digits || strncmp(colon + 1 + digits, ": ", 2) != 0)
        return;
    s.said = colon + 1 + digits + 2;
    if (!stop_find(&s, len))
        return;
    if (name_character(message, size, &s) || add_comma(message, size, &s))
        return;
    const char *hint = slips_sign(&s);
    if (!hint && (add_reserved(message, size, &s) || add_key(message, size, &s)))
        return;
    if (!hint)
        hint = say_key(&s);
    if (!hint)
        hint = say_end(&s);
    if (!hint)
        hint = say_balance(&s);
    if (hint)
        add(message, size, hint);
    else
        add_statement(message, size, &s);
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
