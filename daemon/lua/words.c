/* words.c - see words.h. Lua's messages have few forms, which have stayed the same through all
 * of 5.4; one that is not known here is shown as it is. */
#include "lua/words.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/buf.h"
#include "base/text.h"

const char *words_of(int lua_type)
{
    switch (lua_type) {
    case LUA_TBOOLEAN:
        return "true or false";
    case LUA_TNUMBER:
        return "a number";
    case LUA_TSTRING:
        return "a text";
    case LUA_TTABLE:
        return "a table";
    case LUA_TFUNCTION:
        return "a function";
    case LUA_TUSERDATA:
    case LUA_TLIGHTUSERDATA:
        return "a record, set, list or map";
    default:
        return "nothing";
    }
}

/* What our objects call themselves, to Lua and so in its messages. */
static const char *word_of_object(const char *name)
{
    if (strcmp(name, "pathway.type") == 0)
        return "a type";
    if (strcmp(name, "pathway.days") == 0)
        return "a number of days";
    return words_of(LUA_TUSERDATA);
}

const char *words_found(lua_State *L, int index)
{
    const char *word = words_of(lua_type(L, index));

    if (lua_isboolean(L, index))
        return lua_toboolean(L, index) ? "true" : "false";
    if (lua_type(L, index) == LUA_TLIGHTUSERDATA)
        return "null";
    if (lua_type(L, index) == LUA_TUSERDATA && luaL_getmetafield(L, index, "__name")) {
        if (lua_type(L, -1) == LUA_TSTRING)
            word = word_of_object(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return word;
}

#define SHOWN_MAX 40 /* bytes of a text */

const char *words_value(lua_State *L, int index, char *out, size_t size)
{
    size_t len;

    if (lua_isinteger(L, index)) {
        snprintf(out, size, "%lld", (long long)lua_tointeger(L, index));
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        double n = lua_tonumber(L, index);
        if (isnan(n))
            snprintf(out, size, "no number (0 divided by 0)");
        else if (isinf(n))
            snprintf(out, size, "%sinfinity (divided by 0?)", n < 0 ? "minus " : "");
        else
            snprintf(out, size, floor(n) == n && fabs(n) < 1e15 ? "%.1f" : "%.14g", n);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &len);
        size_t shown = len;
        if (len > SHOWN_MAX)
            for (shown = SHOWN_MAX; shown > 0 && (text[shown] & 0xc0) == 0x80;)
                shown--; /* not within a character */
        bool is_plain = text_is_utf8(text, shown);
        snprintf(out, size, is_plain ? "\"%.*s%s\"" : "a text", (int)shown, text,
                 shown < len ? "..." : "");
    } else {
        snprintf(out, size, "%s", words_found(L, index));
    }
    return out;
}

/* ---- Lua's own messages ---- */

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
    return word_of_object(own);
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
        bool is_nothing = strcmp(word, "nothing") == 0;
        buf_printf(out, "%s is %s here, %s", named(name, end, "a value"), word,
                   is_nothing ? ATTEMPTS[i].if_nothing : ATTEMPTS[i].said);
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

/* "bad argument #1 to 'sub' (number expected, got nil)" */
static bool say_argument(struct buf *out, const char *text)
{
    const char *to = strstr(text, " to '"), *end = to ? strstr(to + 5, "' (") : NULL;
    int number;

    if (!end || sscanf(text, "bad argument #%d", &number) != 1)
        return false;
    const char *why = end + 3, *expected = strstr(why, " expected, got ");
    buf_printf(out, "%.*s: argument %d: ", (int)(end - to - 5), to + 5, number);
    if (!expected) {
        buf_add(out, why, strcspn(why, ")"));
        return true;
    }
    const char *found = expected + strlen(" expected, got ");
    buf_printf(out, "found %s, expected %s", word_of_type(found, strcspn(found, ")")),
               word_of_type(why, (size_t)(expected - why)));
    return true;
}

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

static bool say(struct buf *out, const char *text)
{
    if (strncmp(text, "attempt to compare ", 19) == 0)
        return say_compare(out, text + 19);
    if (strncmp(text, "attempt to perform 'n", 21) == 0 ||
        strncmp(text, "attempt to divide by zero", 25) == 0) {
        buf_str(out, "a whole number can not be divided by 0");
        return true;
    }
    if (strncmp(text, "attempt to ", 11) == 0)
        return say_attempt(out, text + 11);
    if (strncmp(text, "bad argument #", 14) == 0)
        return say_argument(out, text);
    if (strncmp(text, "stack overflow", 14) == 0 || strncmp(text, "C stack overflow", 16) == 0) {
        buf_str(out, "functions call each other too deep; does one call itself without an end?");
        return true;
    }
    const char *whole = strstr(text, " has no integer representation");
    if (strncmp(text, "number", 6) == 0 && whole) {
        buf_str(out, "a whole number is expected here, not one with a fraction");
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

    if (say(&out, text) && !out.failed)
        snprintf(text, size - (size_t)(text - message), "%s", buf_cstr(&out));
    buf_fini(&out);
}
