/* slips_signs.c - see slips_stop.h. Who knows other languages writes what they have. */
#include <ctype.h>
#include <string.h>

#include "lua/slips_stop.h"

#define LOOPS "a loop is written for i = 1, 10 do ... end, or for x in each(s.leads) do ... end"
#define LOCAL "a variable is declared by local: local x = 5"
#define FUNCTION                                                                                   \
    "a function is written function(s) ... end, and kept by local f = function(s) ... end"

/* The first word of the line, where the reader stopped behind it. */
const char *slips_first_word(const struct stop *s)
{
    static const char *const WORDS[][2] = {
        { "let", LOCAL },
        { "var", LOCAL },
        { "const", LOCAL },
        { "int", LOCAL },
        { "string", LOCAL },
        { "bool", LOCAL },
        { "auto", LOCAL },
        { "def", FUNCTION },
        { "func", FUNCTION },
        { "fn", FUNCTION },
        { "fun", FUNCTION },
        { "foreach", LOOPS },
        { "switch", "several cases are written if ... then ... elseif ... then ... end" },
        { "case", "several cases are written if ... then ... elseif ... then ... end" },
        { "try", "there is no try: ask by if, before, whether a value is there" },
        { "unless", "it is written if not ... then ... end" },
        { "continue", "there is no continue: put what comes behind it into an if" },
        { "import", "a file is taken in by: local words = import \"words\"" },
        { "from", "a file is taken in by: local words = import \"words\"" },
    };
    const char *word = stop_skip_blank(s->line, s->end);
    size_t len = 0;

    while (word + len < s->end && isalpha((unsigned char)word[len]))
        len++;
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (strlen(WORDS[i][0]) == len && memcmp(word, WORDS[i][0], len) == 0)
            return WORDS[i][1];
    return NULL;
}

/* Two signs that are one in other languages; the first of them may be one of Lua's. */
static const char *say_pair(const struct stop *s)
{
    static const struct {
        const char *token, *pair, *said;
    } PAIRS[] = {
        { ">", "<>", "\"is not equal to\" is written ~=" },
        { "=", "=<", "\"at most\" is written <=" },
        { "=", "===", "two values are compared by ==" },
        { "=", "!==", "\"is not equal to\" is written ~=" },
        { ">", "->", FUNCTION },
        { "?", "??", "a value for want of another is written: s.pupils or 0" },
        { "?", "?.", "whether it is there is asked before: s.a and s.a.b" },
        { "?", "?", "a choice of two is written: condition and this or that" },
        { "`", "`", "a text stands between \" and \", or ' and '" },
        { "+", "+=", "write it out: s.count = s.count + 1" },
        { "+", "++", "write it out: s.count = s.count + 1" },
        { "-", "-=", "write it out: s.count = s.count - 1" },
    };

    for (size_t i = 0; i < sizeof(PAIRS) / sizeof(PAIRS[0]); i++)
        if (stop_is(s, PAIRS[i].token) && stop_has(s, PAIRS[i].pair))
            return PAIRS[i].said;
    return NULL;
}

/* Words between two values. */
static const char *say_between(const struct stop *s)
{
    bool expects_more = stop_says(s, "'then' expected") || stop_says(s, "'end' expected") ||
                        stop_says(s, "'}' expected") || stop_says(s, "'do' expected");

    if (!expects_more)
        return NULL;
    if (stop_is(s, "is"))
        return stop_has(s, " is not ") ? "\"is not equal to\" is written ~="
                                       : "two values are compared by ==";
    if (stop_is(s, "in") || (stop_is(s, "not") && stop_has(s, " not in ")))
        return "whether a set holds a value is asked by s.leads:has(value)";
    return NULL;
}

const char *slips_sign(const struct stop *s)
{
    bool expects_then = stop_says(s, "'then' expected"),
         expects_end = stop_says(s, "'end' expected");
    const char *pair;

    if (stop_is(s, "!"))
        return stop_has(s, "!=") ? "\"is not equal to\" is written ~=" : "\"not\" is written not";
    if (stop_is(s, "&"))
        return "two conditions are joined by and";
    if (stop_is(s, "|"))
        return "two conditions are joined by or";
    if ((stop_is(s, "//") || stop_is(s, "/") || stop_is(s, "#")) && stop_begins_line(s))
        return "a comment begins with --";
    if ((stop_is(s, ">") || stop_is(s, "=")) && stop_has(s, "=>"))
        return expects_then || expects_end
                   ? "\"at least\" is written >=, and a function is written function(s) ... end"
                   : "a function is written function(s) return ... end";
    if ((pair = say_pair(s)) || (pair = say_between(s)))
        return pair;
    if (stop_is(s, "=") && (expects_then || expects_end))
        return "two values are compared by ==";
    if (stop_has(s, "elif ") || stop_has(s, "elsif "))
        return "it is written elseif";
    if (expects_then && stop_has(s, "{"))
        return "it is written if ... then ... end, without braces";
    if ((stop_begins_with(s, "while") || stop_begins_with(s, "if")) && stop_has(s, ") {"))
        return "it is written while ... do ... end, or if ... then ... end, without braces";
    if (stop_begins_with(s, "for") &&
        (stop_says(s, "a name is expected") || stop_says(s, "'=' or 'in'") ||
         stop_says(s, "',' expected") || stop_says(s, "'in' expected") ||
         stop_says(s, "this is no number") || stop_says(s, "'do' expected near '{'")))
        return LOOPS;
    return NULL;
}
