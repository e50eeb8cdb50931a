/* test_words.c - what Lua says is said again in the words of those who write rules. */
#include "tests/unit/harness.h"

#include "lua/words.h"

struct said {
    const char *lua, *plain;
};

static const struct said SAID[] = {
    { "p.lua:3: attempt to index a nil value (field 'leads')",
      "p.lua:3: 'leads' is nothing here, and no field of it can be read; ask first whether it is "
      "there" },
    { "p.lua:3: attempt to index a number value (local 'n')",
      "p.lua:3: 'n' is a number here, and has no fields to be read" },
    { "p.lua:3: attempt to index a function value (upvalue 'f')",
      "p.lua:3: 'f' is a function here, and has no fields to be read" },
    { "p.lua:3: attempt to call a nil value (method 'adds')",
      "p.lua:3: 'adds' is nothing here, where a function is expected; is its name right?" },
    { "p.lua:3: attempt to call a table value (local 't')",
      "p.lua:3: 't' is a table here, and can not be called" },
    { "p.lua:3: attempt to perform arithmetic on a nil value (field 'pupils')",
      "p.lua:3: 'pupils' is nothing here, and can not be calculated with; where it may be missing, "
      "write (... or 0)" },
    { "p.lua:3: attempt to perform arithmetic on a userdata value (field 'leads')",
      "p.lua:3: 'leads' is a record, set, list or map here, and can not be calculated with" },
    { "p.lua:3: attempt to concatenate a boolean value (local 'b')",
      "p.lua:3: 'b' is true or false here, and can not be joined to a text by .." },
    { "p.lua:3: attempt to get length of a nil value (field '?')",
      "p.lua:3: a value is nothing here, and has no length to be counted by #; ask first whether "
      "it "
      "is there" },
    { "p.lua:3: attempt to compare number with nil",
      "p.lua:3: a number is compared with nothing; ask first whether it is there" },
    { "p.lua:3: attempt to compare string with number",
      "p.lua:3: a text is compared with a number; if it is an instant, compare it with "
      "midnight(\"2026-09-01\") or ask s:reached(...)" },
    { "p.lua:3: attempt to compare userdata with number",
      "p.lua:3: a record, set, list or map is compared with a number; to count what is in it, "
      "write "
      "# before it" },
    { "p.lua:3: attempt to compare two table values",
      "p.lua:3: a table is compared with a table, and neither is the greater one" },
    { "p.lua:3: attempt to compare two pathway.days values",
      "p.lua:3: a number of days is compared with a number of days, and neither is the greater "
      "one" },
    { "p.lua:3: attempt to perform 'n//0'", "p.lua:3: a whole number can not be divided by 0" },
    { "p.lua:3: bad argument #2 to 'sub' (number expected, got no value)",
      "p.lua:3: sub: argument 2: found nothing, expected a number" },
    { "p.lua:3: number has no integer representation",
      "p.lua:3: a whole number is expected here, not one with a fraction" },
    { "p.lua:3: stack overflow",
      "p.lua:3: functions call each other too deep; does one call itself without an end?" },
    { "p.lua:9: 'end' expected (to close 'function' at line 3) near <eof>",
      "p.lua:9: 'end' expected (to close 'function' at line 3) at the end of the file" },
    { "p.lua:9: '<eof>' expected near 'end'",
      "p.lua:9: nothing more is expected here: too many 'end's, or something behind return near "
      "'end'" },
    { "p.lua:9: <name> expected near '='", "p.lua:9: a name is expected near '='" },
    /* what is not Lua's own stays */
    { "p.lua:9: unknown fact 'nil'", "p.lua:9: unknown fact 'nil'" },
    { "no place at all", "no place at all" },
    { "", "" },
};

static void lua_speaks_the_authors_words(void **state)
{
    char text[300];
    (void)state;

    for (size_t i = 0; i < sizeof(SAID) / sizeof(SAID[0]); i++) {
        snprintf(text, sizeof(text), "%s", SAID[i].lua);
        words_plain(text, sizeof(text));
        assert_string_equal(text, SAID[i].plain);
    }
}

static void what_does_not_fit_is_cut(void **state)
{
    char text[60] = "p.lua:3: attempt to index a nil value (field 'leads')";
    (void)state;

    words_plain(text, sizeof(text));
    assert_string_equal(text, "p.lua:3: 'leads' is nothing here, and no field of it can be");
    assert_int_equal(strlen(text), sizeof(text) - 1);
}

TEST_MAIN(CASE(lua_speaks_the_authors_words), CASE(what_does_not_fit_is_cut))
