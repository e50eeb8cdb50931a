/* absent.c - see absent.h. */
#include "lua/absent.h"

#include <stddef.h>
#include <string.h>

#define NOTHING_OUTSIDE "a pack reads no files and no clock, and runs nothing but itself"
#define NO_CODE         "a pack is what stands in its files: it makes no code while it runs"
#define NO_ERRORS                                                                                  \
    "an error ends this rule for this school, and is told; ask by if, before, whether a value is " \
    "there"
#define NO_METATABLES "tables have no metatables in packs"
#define NO_PATTERNS                                                                                \
    "there are no patterns in packs: find looks for plain text, sub and byte take texts apart"
#define NO_CHANCE "the same events must give the same decisions: there is no chance in packs"
#define NO_PRINT                                                                                   \
    "a rule prints nothing: a test with expect shows what it gives, pathway explain shows why"
#define NO_MATHS                                                                                   \
    "of math there are abs, ceil, floor, fmod, huge, max, min, modf, sqrt and tointeger"

const char *absent_why(const char *name)
{
    static const char *const WHYS[][2] = {
        { "os", NOTHING_OUTSIDE "; what time it is ask by s:reached(...)" },
        { "io", NOTHING_OUTSIDE },
        { "package", NOTHING_OUTSIDE },
        { "require", "a file of the same pack is taken in by: local words = import \"words\"" },
        { "dofile", "a file of the same pack is taken in by: local words = import \"words\"" },
        { "loadfile", "a file of the same pack is taken in by: local words = import \"words\"" },
        { "load", NO_CODE },
        { "loadstring", NO_CODE },
        { "debug", NO_CODE },
        { "coroutine", NO_CODE },
        { "collectgarbage", NO_CODE },
        { "pcall", NO_ERRORS },
        { "xpcall", NO_ERRORS },
        { "print", NO_PRINT },
        { "warn", NO_PRINT },
        { "next", "go through a table by pairs(...), which keeps an order" },
        { "setmetatable", NO_METATABLES },
        { "getmetatable", NO_METATABLES },
        { "rawget", NO_METATABLES },
        { "rawset", NO_METATABLES },
        { "rawequal", NO_METATABLES },
        { "rawlen", NO_METATABLES },
        { "utf8", "texts are taken as they are: # counts bytes" },
        { "_G", "there are no global variables in packs" },
        { "unpack", "it is table.unpack" },
        { "True", "it is written true" },
        { "TRUE", "it is written true" },
        { "False", "it is written false" },
        { "FALSE", "it is written false" },
        { "None", "nothing is written nil" },
        { "NULL", "nothing is written nil" },
        { "Nil", "nothing is written nil" },
        { "undefined", "nothing is written nil" },
        { "param", "a parameter is read by s.param.NAME" },
        { "params", "a parameter is read by s.param.NAME" },
        { "integer", "whole numbers are of type int" },
        { "float", "numbers with a fraction are of type number" },
        { "boolean", "what is true or false is of type bool" },
        { "str", "words are of type text" },
        { "datetime", "an instant is of type time, a day of type date" },
        { "string.match", NO_PATTERNS },
        { "string.gmatch", NO_PATTERNS },
        { "string.gsub", NO_PATTERNS },
        { "string.dump", NO_CODE },
        { "string.split", NO_PATTERNS },
        { "string.trim", NO_PATTERNS },
        { "math.random", NO_CHANCE },
        { "math.randomseed", NO_CHANCE },
        { "math.pi", NO_MATHS },
        { "math.sin", NO_MATHS },
        { "math.cos", NO_MATHS },
        { "math.log", NO_MATHS },
        { "math.exp", NO_MATHS },
        { "math.pow", "a power is written 2 ^ 3" },
        { "math.round", "write math.floor(x + 0.5)" },
        { "table.move", "copy the values one by one" },
        { "table.pack", "write { ... }" },
        { "table.getn", "how many there are is written #list" },
        { "table.foreach", "write for k, v in pairs(...) do ... end" },
    };

    for (size_t i = 0; i < sizeof(WHYS) / sizeof(WHYS[0]); i++)
        if (strcmp(WHYS[i][0], name) == 0)
            return WHYS[i][1];
    return NULL;
}
