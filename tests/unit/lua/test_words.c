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
    { "p.lua:3: variable 'x' got a non-closable value",
      "p.lua:3: <close> behind the name of a variable has no use here; leave it out" },
    { "p.lua:3: attempt to assign to const variable 'x'",
      "p.lua:3: 'x' is marked <const>, and can not be set again" },
    { "p.lua:3: unknown attribute 'konst'",
      "p.lua:3: <konst> behind the name of a variable is unknown; expected <const>, or nothing" },
    { "p.lua:9: no visible label 'out' for <goto> at line 5",
      "p.lua:5: goto out: there is no ::out:: around it" },
    { "p.lua:9: <goto x> at line 12 jumps into the scope of local 'y'",
      "p.lua:12: goto x jumps over the local variable y; declare that before it" },
    { "p.lua:9: label 'a' already defined on line 4",
      "p.lua:9: ::a:: is there twice; the first is in line 4" },
    { "hubs/07/p.lua:9: break outside loop at line 5",
      "hubs/07/p.lua:5: break stands in no loop (for, while or repeat)" },
    { "p.lua:9: unfinished long string (starting at line 3) near '<eof>'",
      "p.lua:3: a text begins here with [[, and no ]] ends it" },
    { "p.lua:9: unfinished long comment (starting at line 3) near <eof>",
      "p.lua:3: a comment begins here with --[[, and no ]] ends it" },
    { "p.lua:9: unfinished string near '\"abc'",
      "p.lua:9: a text is not ended in its line: near '\"abc'" },
    { "p.lua:9: invalid escape sequence near '\"\\q'",
      "p.lua:9: in a text \\ begins a sign such as \\n; itself it is written \\\\: near '\"\\q'" },
    { "p.lua:9: malformed number near '3x'",
      "p.lua:9: this is no number, and no name begins with a digit: near '3x'" },
    { "p.lua:201: too many local variables (limit is 200) in main function near '='",
      "p.lua:201: more than 200 local variables in one function, or at the top of one file: put "
      "some "
      "into a table, or into another file" },
    { "p.lua:3: too many upvalues (limit is 255) in function at line 2 near '+'",
      "p.lua:3: a function uses more than 255 variables from around it: put some into a table" },
    { "p.lua:3: function or expression needs too many registers near '1'",
      "p.lua:3: too many values at once in one expression, call or function (more than 250): write "
      "it "
      "in parts" },
    { "p.lua:3: cannot use '...' outside a vararg function near '...'",
      "p.lua:3: ... stands for further arguments, and can be used only in a function(...)" },
    { "p.lua:3: 'for' step is zero",
      "p.lua:3: the step of this for loop is 0, and it would never end" },
    { "p.lua:3: bad 'for' limit (number expected, got nil)",
      "p.lua:3: the last value of this for loop is nothing; expected a number" },
    { "p.lua:3: 'for' initial value must be a number",
      "p.lua:3: the first value of this for loop is no number" },
    { "p.lua:3: attempt to call a pathway.set value (for iterator 'for iterator')",
      "p.lua:3: a for loop goes through a set here; expected each(...), pairs(...) or ipairs(...) "
      "behind in" },
    { "p.lua:3: bad argument #1 to 'for iterator' (table expected, got nil)",
      "p.lua:3: a for loop goes through nothing here; expected each(...), pairs(...) or "
      "ipairs(...) "
      "behind in" },
    { "p.lua:3: attempt to call a nil value (method 'gsub')",
      "p.lua:3: 'gsub' is nothing here, where a function is expected; is its name right? "
      "(string.gsub "
      "is not here: there are no patterns in packs: find looks for plain text, sub and byte take "
      "texts apart)" },
    { "p.lua:3: attempt to add a 'string' with a 'number'",
      "p.lua:3: a text and a number can not be calculated with; tonumber(...) makes a number of a "
      "text "
      "that is one" },
    { "p.lua:3: table index is nil",
      "p.lua:3: a key of a table is nothing; ask first whether it is "
      "there" },
    { "p.lua:3: invalid value (table) at index 2 in table for 'concat'",
      "p.lua:3: table.concat: value 2 of the table is a table; expected a text or a number" },
    { "p.lua:3: bad argument #2 to 'string.format' (no value)",
      "p.lua:3: string.format: argument 2: a value is missing" },
    { "p.lua:3: bad argument #2 to 'table.insert' (position out of bounds)",
      "p.lua:3: table.insert: argument 2: the place lies outside of the list" },
    { "p.lua:3: invalid conversion '%y' to 'format'",
      "p.lua:3: string.format: %y is unknown; expected %s, %d, %5.1f or the like" },
    { "p.lua:3: assertion failed!",
      "p.lua:3: assert: what it asks for does not hold; a second argument "
      "can say what that is" },
    /* what is not Lua's own stays */
    { "p.lua:9: unknown fact 'nil'", "p.lua:9: unknown fact 'nil'" },
    { "no place at all", "no place at all" },
    { "", "" },
};

static void lua_speaks_the_authors_words(void **state)
{
    char text[400];
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
