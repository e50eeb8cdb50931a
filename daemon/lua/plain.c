/* plain.c - what Lua itself says, in the words of words.h. Its messages have few forms, which have
 * stayed the same through all of 5.4; one that is not known here is shown as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lua/absent.h"
#include "lua/words.h"

#define NAME_MAX_LEN 80

/* Lua's name of a type, as in "a nil value" or "string expected", in our words. */
static const char *word_of_type(const char *name, size_t len)
{
    static const struct {
        const char *name;
        int type;
    } TYPES[] = {
        { "nil", LUA_TNIL },
        { "no value", LUA_TNIL },
        { "boolean", LUA_TBOOLEAN },
        { "number", LUA_TNUMBER },
        { "string", LUA_TSTRING },
        { "table", LUA_TTABLE },
        { "function", LUA_TFUNCTION },
        { "userdata", LUA_TUSERDATA },
        { "light userdata", LUA_TNIL },
    };
    char own[NAME_MAX_LEN];

    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
        if (strlen(TYPES[i].name) == len && strncmp(TYPES[i].name, name, len) == 0)
            return words_of(TYPES[i].type);
    snprintf(own, sizeof(own), "%.*s", (int)len, name);
    return words_of_object(own);
}

/* The name in " (field 'leads')" behind a message, written as 'leads'; else `otherwise`. */
static const char *named(char *out, const char *rest, const char *otherwise)
{
    const char *open = strchr(rest, '\''), *close = open ? strrchr(rest, '\'') : NULL;

    if (!open || close == open || close - open > NAME_MAX_LEN - 2)
        return otherwise;
    snprintf(out, NAME_MAX_LEN, "%.*s", (int)(close - open + 1), open);
    return strcmp(out, "'?'") == 0 ? otherwise : out;
}

/* A part of a message between two quotes, or "". */
static const char *quoted(char out[NAME_MAX_LEN], const char *text)
{
    const char *open = strchr(text, '\''), *close = open ? strchr(open + 1, '\'') : NULL;

    out[0] = '\0';
    if (close && close - open <= NAME_MAX_LEN)
        snprintf(out, NAME_MAX_LEN, "%.*s", (int)(close - open - 1), open + 1);
    return out;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* ---- while it runs ---- */

static void say_loop(struct buf *out, const char *word)
{
    buf_printf(out,
               "a for loop goes through %s here; expected each(...), pairs(...) or ipairs(...) "
               "behind in",
               word);
}

/* It may be a function that Lua has in a library, and packs have not. */
static void say_absent(struct buf *out, const char *rest)
{
    static const char *const LIBRARIES[] = { "string", "table", "math" };
    char name[NAME_MAX_LEN], full[NAME_MAX_LEN + 10];

    quoted(name, rest);
    for (size_t i = 0; i < sizeof(LIBRARIES) / sizeof(LIBRARIES[0]); i++) {
        snprintf(full, sizeof(full), "%s.%s", LIBRARIES[i], name);
        if (absent_why(full)) {
            buf_printf(out, " (%s is not here: %s)", full, absent_why(full));
            return;
        }
    }
}

/* "attempt to DO a TYPE value (field 'x')" */
static bool say_attempt(struct buf *out, const char *text)
{
    static const struct {
        const char *doing;
        const char *said;
        const char *if_nothing;
    } ATTEMPTS[] = {
        { "index a ", "and has no fields to be read",
          "and no field of it can be read; ask first whether it is there" },
        { "call a ", "and can not be called", "where a function is expected; is its name right?" },
        { "perform arithmetic on a ", "and can not be calculated with",
          "and can not be calculated with; where it may be missing, write (... or 0)" },
        { "concatenate a ", "and can not be joined to a text by ..",
          "and can not be joined to a text by ..; where it may be missing, write (... or \"\")" },
        { "get length of a ", "and has no length to be counted by #",
          "and has no length to be counted by #; ask first whether it is there" },
        { "perform bitwise operation on a ", "and has no bits", "and has no bits" },
    };
    char name[NAME_MAX_LEN];

    for (size_t i = 0; i < sizeof(ATTEMPTS) / sizeof(ATTEMPTS[0]); i++) {
        size_t len = strlen(ATTEMPTS[i].doing);
        if (strncmp(text, ATTEMPTS[i].doing, len) != 0)
            continue;
        const char *type = text + len, *end = strstr(type, " value");
        if (!end)
            return false;
        const char *word = word_of_type(type, (size_t)(end - type));
        if (strstr(end, "'for iterator'")) {
            say_loop(out, word);
            return true;
        }
        bool is_nothing = strcmp(word, "nothing") == 0;
        buf_printf(out, "%s is %s here, %s", named(name, end, "a value"), word,
                   is_nothing ? ATTEMPTS[i].if_nothing : ATTEMPTS[i].said);
        if (is_nothing && strcmp(ATTEMPTS[i].doing, "call a ") == 0)
            say_absent(out, end);
        return true;
    }
    return false;
}

/* "attempt to compare TYPE with TYPE", "attempt to compare two TYPE values" */
static bool say_compare(struct buf *out, const char *text)
{
    const char *with = strstr(text, " with "), *values = strstr(text, " values");
    const char *first, *second;

    if (strncmp(text, "two ", 4) == 0 && values) {
        first = second = word_of_type(text + 4, (size_t)(values - text - 4));
        buf_printf(out, "%s is compared with %s, and neither is the greater one", first, second);
        return true;
    }
    if (!with)
        return false;
    first = word_of_type(text, (size_t)(with - text));
    second = word_of_type(with + 6, strlen(with + 6));
    buf_printf(out, "%s is compared with %s", first, second);
    bool has_number = strcmp(first, "a number") == 0 || strcmp(second, "a number") == 0;
    bool has_text = strcmp(first, "a text") == 0 || strcmp(second, "a text") == 0;
    if (strcmp(first, "nothing") == 0 || strcmp(second, "nothing") == 0)
        buf_str(out, "; ask first whether it is there");
    else if (has_number && has_text)
        buf_str(out, "; if it is an instant, compare it with midnight(\"2026-09-01\") or ask "
                     "s:reached(...)");
    else if (has_number)
        buf_str(out, "; to count what is in it, write # before it");
    return true;
}

/* "attempt to add a 'string' with a 'number'": arithmetic on texts that are no numbers */
static bool say_text_arithmetic(struct buf *out, const char *text)
{
    const char *first = strstr(text, " a '"), *with = strstr(text, " with a '");
    char name[NAME_MAX_LEN];

    if (!first || !with)
        return false;
    const char *word = word_of_type(quoted(name, first), strlen(quoted(name, first)));
    buf_printf(out, "%s and ", word);
    word = word_of_type(quoted(name, with), strlen(quoted(name, with)));
    buf_printf(out,
               "%s can not be calculated with; tonumber(...) makes a number of a text that is "
               "one",
               word);
    return true;
}

/* Why an argument is wrong, where it is not of another type. */
static const char *say_why(const char *why, size_t len)
{
    static const char *const WHYS[][2] = {
        { "number has no integer representation",
          "a whole number is expected, not one with a fraction" },
        { "no value", "a value is missing" },
        { "value expected", "a value is missing" },
        { "position out of bounds", "the place lies outside of the list" },
        { "value out of range", "the number is out of range" },
        { "base out of range", "expected a base from 2 to 36" },
        { "index out of range", "the number is out of range" },
        { "zero", "it is 0" },
    };

    for (size_t i = 0; i < sizeof(WHYS) / sizeof(WHYS[0]); i++)
        if (strlen(WHYS[i][0]) == len && strncmp(why, WHYS[i][0], len) == 0)
            return WHYS[i][1];
    return NULL;
}

/* "bad argument #1 to 'sub' (number expected, got nil)" */
static bool say_argument(struct buf *out, const char *text)
{
    const char *to = strstr(text, " to '"), *end = to ? strstr(to + 5, "' (") : NULL;
    int number;

    if (!end || sscanf(text, "bad argument #%d", &number) != 1)
        return false;
    const char *why = end + 3, *expected = strstr(why, " expected, got ");
    const char *found = expected ? expected + strlen(" expected, got ") : NULL;
    const char *word = found ? word_of_type(found, strcspn(found, ")")) : NULL;
    if (begins(to, " to 'for iterator'") && word) {
        say_loop(out, word);
        return true;
    }
    buf_printf(out, "%.*s: argument %d: ", (int)(end - to - 5), to + 5, number);
    size_t len = strcspn(why, ")");
    if (expected)
        buf_printf(out, "found %s, expected %s", word, word_of_type(why, (size_t)(expected - why)));
    else if (say_why(why, len))
        buf_str(out, say_why(why, len));
    else
        buf_add(out, why, len);
    return true;
}

/* "bad 'for' limit (number expected, got nil)", "'for' step must be a number" */
static bool say_for(struct buf *out, const char *text)
{
    const char *got = strstr(text, "expected, got ");
    const char *which = strstr(text, "initial") ? "first value"
                        : strstr(text, "limit") ? "last value"
                                                : "step";

    if (begins(text, "'for' step is zero"))
        buf_str(out, "the step of this for loop is 0, and it would never end");
    else if (begins(text, "bad 'for' ") && got)
        buf_printf(out, "the %s of this for loop is %s; expected a number", which,
                   word_of_type(got + 14, strcspn(got + 14, ")")));
    else if (begins(text, "'for' ") && strstr(text, " must be a number"))
        buf_printf(out, "the %s of this for loop is no number", which);
    return out->len > 0;
}

/* "invalid value (nil) at index 2 in table for 'concat'" */
static bool say_concat(struct buf *out, const char *text)
{
    const char *open = strchr(text, '('), *at = strstr(text, "at index ");

    if (!begins(text, "invalid value (") || !open || !at)
        return false;
    buf_printf(out, "table.concat: value %d of the table is %s; expected a text or a number",
               atoi(at + 9), word_of_type(open + 1, strcspn(open + 1, ")")));
    return true;
}

/* ---- while it is read ---- */

/* Of a message of the reader of Lua's text: what stands for names and the end of a file. */
static void say_syntax(struct buf *out, const char *text)
{
    static const char *const WORDS[][2] = {
        { "near <eof>", "at the end of the file" },
        { "'<eof>' expected", "nothing more is expected here: too many 'end's, or something behind "
                              "return" },
        { "<eof> expected", "nothing more is expected here: an 'end' or a '}' too many, or "
                            "something behind return" },
        { "'<name>' expected", "a name is expected" },
        { "<name> expected", "a name is expected" },
        { "<eof>", "the end of the file" },
    };

    while (*text) {
        size_t i = 0, count = sizeof(WORDS) / sizeof(WORDS[0]);
        while (i < count && strncmp(text, WORDS[i][0], strlen(WORDS[i][0])) != 0)
            i++;
        if (i == count) {
            buf_char(out, *text++);
            continue;
        }
        buf_str(out, WORDS[i][1]);
        text += strlen(WORDS[i][0]);
    }
}

/* What names no line but the one it stands in, and nothing that has to be looked up. */
static const char *say_whole(const char *text)
{
    static const char *const SAID[][2] = {
        { "too many local variables",
          "more than 200 local variables in one function, or at the top of one file: put some into "
          "a table, or into another file" },
        { "too many upvalues", "a function uses more than 255 variables from around it: put some "
                               "into a table" },
        { "function or expression needs too many registers",
          "too many values at once in one expression, call or function (more than 250): write it "
          "in "
          "parts" },
        { "control structure too long",
          "a loop or condition is too long: put parts of it into functions" },
        { "multiple to-be-closed variables",
          "<close> behind the name of a variable has no use here; leave it out" },
        { "cannot use '...' outside",
          "... stands for further arguments, and can be used only in a function(...)" },
        { "table index is nil", "a key of a table is nothing; ask first whether it is there" },
        { "index is nil", "a key of a table is nothing; ask first whether it is there" },
        { "table index is NaN", "a key of a table is no number (0 divided by 0)" },
        { "index is NaN", "a key of a table is no number (0 divided by 0)" },
        { "wrong number of arguments to 'insert'",
          "expected table.insert(list, value) or table.insert(list, place, value)" },
        { "assertion failed!", "assert: what it asks for does not hold; a second argument can say "
                               "what that is" },
        { "string length overflow", "the text would be too long" },
        { "resulting string too large", "the text would be too long" },
        { "string slice too long", "the text would be too long" },
        { "too many results to unpack", "table.unpack: too many values" },
    };

    for (size_t i = 0; i < sizeof(SAID) / sizeof(SAID[0]); i++)
        if (begins(text, SAID[i][0]))
            return SAID[i][1];
    return strstr(text, " got a non-closable value") ? SAID[4][1] : NULL;
}

/* The sentence is another one; what was found there stays behind it ("near ..."). */
static bool say_token(struct buf *out, const char *text)
{
    static const char ESCAPE[] =
        "in a text \\ begins a sign such as \\n; itself it is written \\\\";
    static const char *const SAID[][2] = {
        { "invalid escape sequence", ESCAPE },
        { "decimal escape too large", ESCAPE },
        { "hexadecimal digit expected", ESCAPE },
        { "UTF-8 value too large", ESCAPE },
        { "missing '{' in \\u{xxxx}", ESCAPE },
        { "missing '}' in \\u{xxxx}", ESCAPE },
        { "unfinished string", "a text is not ended in its line" },
        { "malformed number", "this is no number, and no name begins with a digit" },
    };
    const char *near = strstr(text, " near ");

    for (size_t i = 0; near && i < sizeof(SAID) / sizeof(SAID[0]); i++) {
        if (!begins(text, SAID[i][0]))
            continue;
        buf_printf(out, "%s:", SAID[i][1]);
        say_syntax(out, near);
        return true;
    }
    return false;
}

/* Names a variable, a label or another line; *line is where the author has to look. */
static bool say_named(struct buf *out, const char *text, int *line)
{
    char name[NAME_MAX_LEN];
    const char *at = strstr(text, " at line "), *starts = strstr(text, "(starting at line ");

    quoted(name, text);
    if (begins(text, "attempt to assign to const variable "))
        buf_printf(out, "'%s' is marked <const>, and can not be set again", name);
    else if (begins(text, "unknown attribute "))
        buf_printf(out,
                   "<%s> behind the name of a variable is unknown; expected <const>, or nothing",
                   name);
    else if (begins(text, "no visible label ") && at)
        buf_printf(out, "goto %s: there is no ::%s:: around it", name, name);
    else if (begins(text, "label '") && strstr(text, "already defined on line "))
        buf_printf(out, "::%s:: is there twice; the first is in line %d", name,
                   atoi(strstr(text, "on line ") + 8));
    else if (begins(text, "<goto ") && at)
        buf_printf(out, "goto %.*s jumps over the local variable %s; declare that before it",
                   (int)strcspn(text + 6, ">"), text + 6, name);
    else if (begins(text, "break outside") && at)
        buf_str(out, "break stands in no loop (for, while or repeat)");
    else if (begins(text, "unfinished long string") && starts)
        buf_str(out, "a text begins here with [[, and no ]] ends it");
    else if (begins(text, "unfinished long comment") && starts)
        buf_str(out, "a comment begins here with --[[, and no ]] ends it");
    else if (begins(text, "invalid conversion ") && name[0])
        buf_printf(out, "string.format: %s is unknown; expected %%s, %%d, %%5.1f or the like",
                   name);
    else if (begins(text, "calling '"))
        buf_printf(out, "%s is called without what it belongs to; write a colon, as in s.name:%s()",
                   name, name);
    *line = starts ? atoi(starts + 18) : at ? atoi(at + 9) : 0;
    return out->len > 0;
}

/* ---- both ---- */

#define ENDLESS "functions call each other too deep; does one call itself without an end?"

bool words_is_endless(const char *message)
{
    return strstr(message, ENDLESS) != NULL;
}

static bool say(struct buf *out, const char *text, int *line)
{
    if (begins(text, "attempt to compare "))
        return say_compare(out, text + 19);
    if (begins(text, "attempt to perform 'n") || begins(text, "attempt to divide by zero")) {
        buf_str(out, "a whole number can not be divided by 0");
        return true;
    }
    if (say_named(out, text, line))
        return true;
    *line = 0;
    if (begins(text, "attempt to "))
        return say_attempt(out, text + 11) || say_text_arithmetic(out, text);
    if (begins(text, "bad argument #"))
        return say_argument(out, text);
    if (begins(text, "stack overflow") || begins(text, "C stack overflow")) {
        buf_str(out, ENDLESS);
        return true;
    }
    if (begins(text, "number") && strstr(text, " has no integer representation")) {
        buf_str(out, "a whole number is expected here, not one with a fraction");
        return true;
    }
    if (say_for(out, text) || say_concat(out, text) || say_token(out, text))
        return true;
    if (say_whole(text)) {
        buf_str(out, say_whole(text));
        return true;
    }
    if (strstr(text, "<eof>") || strstr(text, "<name>")) {
        say_syntax(out, text);
        return true;
    }
    return false;
}

/* Where the sentence behind "FILE:LINE: " begins. */
static char *behind_place(char *message)
{
    for (char *colon = strchr(message, ':'); colon; colon = strchr(colon + 1, ':')) {
        size_t digits = strspn(colon + 1, "0123456789");
        if (digits > 0 && strncmp(colon + 1 + digits, ": ", 2) == 0)
            return colon + digits + 3;
    }
    return message;
}

void words_plain(char *message, size_t size)
{
    char *text = behind_place(message);
    struct buf out = { 0 };
    int line = 0;

    if (say(&out, text, &line) && !out.failed) {
        if (line > 0 && text - message > 3) { /* another one than it was told in */
            text -= 2;
            while (text[-1] != ':')
                text--;
            snprintf(text, size - (size_t)(text - message), "%d: %s", line, buf_cstr(&out));
        } else {
            snprintf(text, size - (size_t)(text - message), "%s", buf_cstr(&out));
        }
    }
    buf_fini(&out);
}
