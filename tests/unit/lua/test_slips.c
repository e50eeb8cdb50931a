/* test_slips.c - where a file is no Lua, what was most likely meant is said with it. */
#include "tests/unit/harness.h"

#include "lua/sandbox.h"
#include "lua/slips.h"

/* The text of a file, and all that is said of it. */
struct slip {
    const char *text, *said;
};

static const struct slip SLIPS[] = {
    { "let x = 5", "t.lua:1: syntax error near 'x'; a variable is declared by local: local x = 5" },
    { "def f(x): return x",
      "t.lua:1: syntax error near 'f'; a function is written function(s) ... end, "
      "and kept by local f = function(s) ... end" },
    { "for x in y do\n  continue\nend",
      "t.lua:3: syntax error near 'end'; a value alone does nothing: "
      "is return or = missing in line 2?" },
    { "for x in y do continue end", "t.lua:1: syntax error near 'end'; there is no continue: put "
                                    "what comes behind it into an if" },
    { "local f = function(s)\n  s.open\nend",
      "t.lua:3: syntax error near 'end'; a value alone does "
      "nothing: is return or = missing in line 2?" },
    { "s.open == true",
      "t.lua:1: syntax error near '=='; a value alone does nothing: is return or = "
      "missing?" },
    { "local x 5", "t.lua:1: unexpected symbol near '5'; is = missing before it?" },
    { "return a <> b", "t.lua:1: unexpected symbol near '>'; \"is not equal to\" is written ~=" },
    { "if a =< b then end", "t.lua:1: 'then' expected near '='; \"at most\" is written <=" },
    { "if a => b then end", "t.lua:1: 'then' expected near '='; \"at least\" is written >=, and a "
                            "function is written function(s) ... end" },
    { "return a === b", "t.lua:1: unexpected symbol near '='; two values are compared by ==" },
    { "if a is not b then end",
      "t.lua:1: 'then' expected near 'is'; \"is not equal to\" is written ~=" },
    { "if a in b then end",
      "t.lua:1: 'then' expected near 'in'; whether a set holds a value is asked by "
      "s.leads:has(value)" },
    { "return { f = function(s) return s ? 1 : 2 end }",
      "t.lua:1: 'end' expected near '?'; a choice of two is written: condition and this or that" },
    { "for (i = 0; i < 5; i++) {",
      "t.lua:1: a name is expected near '('; a loop is written for i = 1, "
      "10 do ... end, or for x in each(s.leads) do ... end" },
    { "for i in 1..5 do end", "t.lua:1: this is no number, and no name begins with a digit: near "
                              "'1..5'; a loop is written for "
                              "i = 1, 10 do ... end, or for x in each(s.leads) do ... end" },
    { "return { f = function(s) if s then return 1 } end",
      "t.lua:1: 'end' expected near '}'; is an end missing before it?" },
    { "return { f = function(s) return 1 end end }",
      "t.lua:1: '}' expected near 'end'; is there one end too many?" },
    { "return { end = 5 }",
      "t.lua:1: unexpected symbol near 'end'; end is a word of Lua and can not be "
      "a name; a key may be called so in brackets: [\"end\"] = ..." },
    { "return s.end",
      "t.lua:1: a name is expected near 'end'; end is a word of Lua and can not be a "
      "name; a key may be called so in brackets: [\"end\"] = ..." },
    { "return { facts = { my-fact = 1 } }",
      "t.lua:1: '}' expected near '='; a key that is no plain word is written in brackets: "
      "[\"my-fact\"] = ..." },
    { "return { a = { h07.cubes.lent = 1 } }",
      "t.lua:1: '}' expected near '='; a key that is no plain word is written in brackets: "
      "[\"h07.cubes.lent\"] = ..." },
    { "return {\n  a = 1\n  -- b\n  b = 2,\n}",
      "t.lua:4: '}' expected (to close '{' at line 1) near 'b'; is a comma or a '}' missing at the "
      "end of line 2?" },
    { "return { 'a', function() end 'b' }",
      "t.lua:1: '}' expected near ''b''; is a comma missing before it?" },
    { "return { \"a\" source = 1 }",
      "t.lua:1: '}' expected near 'source'; is a comma missing before it?" },
    { "return {\n  a = 1\n", "t.lua:3: '}' expected (to close '{' at line 1) at the end of the "
                             "file" },
    { "return { a = 1,, }", "t.lua:1: unexpected symbol near ','" },
    { "return { f = function(s)\n  if s then s = 1\nend, g = 1 }",
      "t.lua:3: unexpected symbol near ','; this end closes an if or a loop: is one more end "
      "missing before it?" },
    { "if a = 1 then end", "t.lua:1: 'then' expected near '='; two values are compared by ==" },
    { "return function(s) return s.a = 1 end",
      "t.lua:1: 'end' expected near '='; two values are compared by ==" },
    { "return ! a", "t.lua:1: unexpected symbol near '!'; \"not\" is written not" },
    { "if a != b then end",
      "t.lua:1: 'then' expected near '!'; \"is not equal to\" is written ~=" },
    { "return a && b", "t.lua:1: unexpected symbol near '&'; two conditions are joined by and" },
    { "return a || b", "t.lua:1: unexpected symbol near '|'; two conditions are joined by or" },
    { "// x\nreturn 1", "t.lua:1: unexpected symbol near '//'; a comment begins with --" },
    { "/* x */\nreturn 1", "t.lua:1: unexpected symbol near '/'; a comment begins with --" },
    { "s.n += 1", "t.lua:1: syntax error near '+'; write it out: s.count = s.count + 1" },
    { "s.n++", "t.lua:1: syntax error near '+'; write it out: s.count = s.count + 1" },
    { "return { s => 1 }", "t.lua:1: unexpected symbol near '>'; a function is written "
                           "function(s) return ... end" },
    { "return { f = s => 1 }",
      "t.lua:1: '}' expected near '='; a function is written function(s) return ... end" },
    { "if a then f() elsif b then f() end",
      "t.lua:1: syntax error near 'b'; it is written elseif" },
    { "return { \"a\": 1 }", "t.lua:1: '}' expected near ':'; a key and its value are joined by "
                             "=, as in title = \"...\"" },
    { "return { a: \"x\" }", "t.lua:1: a name is expected near '\"x\"'; a key and its value are "
                             "joined by =, as in title = \"...\"" },
    { "return { 2025-09-01 = 9 }", "t.lua:1: '}' expected near '='; a key that is no plain word is "
                                   "written in brackets: [\"2025-09-01\"] = ..." },
    { "return rule ( \"a\", b = 1 )",
      "t.lua:1: ')' expected near '='; a table is written in braces: rule { ... }" },
    { "return { }\n}", "t.lua:2: nothing more is expected here: an 'end' or a '}' too many, or "
                       "something behind return near '}'" },
    /* characters */
    { "return \xe2\x80\x9c"
      "a\xe2\x80\x9d",
      "t.lua:1: \"\xe2\x80\x9c\", U+201C is a quotation mark as word processors make it; write \" "
      "in its place" },
    { "return 'it\xe2\x80\x99s', \xe2\x80\x98"
      "a\xe2\x80\x99",
      "t.lua:1: \"\xe2\x80\x98\", U+2018 is an apostrophe as word processors make it; write ' or "
      "\" in its place" },
    { "return 1 \xe2\x80\x93 2", "t.lua:1: \"\xe2\x80\x93\", U+2013 is a dash; a minus sign is "
                                 "written -, and a comment begins with --" },
    { "return\xc2\xa0"
      "1",
      "t.lua:1: U+00A0 is a space that does not break, and looks like any "
      "other; write a space in its place" },
    { "\xef\xbb\xbfreturn 1", "t.lua:1: U+FEFF is a character without width, which can not be "
                              "seen; take it out" },
    { "local gr\xc3\xb6sse = 1", "t.lua:1: \"\xc3\xb6\", U+00F6 is a character that can only stand "
                                 "in a text or a comment; names are made of a-z, A-Z, 0-9 and _" },
};

static void what_was_meant_is_said(void **state)
{
    struct sandbox sb;
    (void)state;

    assert_ok(sandbox_init(&sb, (size_t)4 << 20, &err));
    lua_newtable(sb.L);
    for (size_t i = 0; i < sizeof(SLIPS) / sizeof(SLIPS[0]); i++) {
        const char *text = SLIPS[i].text;
        assert_int_equal(sandbox_load(&sb, "@t.lua", text, strlen(text), -1, &err), ERR_RULE);
        assert_string_equal(err.msg, SLIPS[i].said);
    }
    sandbox_fini(&sb);
}

static void a_message_is_cut_at_its_size(void **state)
{
    static const char TEXT[] = "if a = 1 then end";
    char message[45] = "t.lua:1: 'then' expected near '='";
    (void)state;

    slips_explain(message, sizeof(message), TEXT, strlen(TEXT));
    assert_string_equal(message, "t.lua:1: 'then' expected near '='; two value");
    strcpy(message, "t.lua:9: 'then' expected near '='"); /* there is no such line */
    slips_explain(message, sizeof(message), TEXT, strlen(TEXT));
    assert_string_equal(message, "t.lua:9: 'then' expected near '='");
}

static void bytes_that_are_no_text_are_told_with_their_line(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *said;
    } BYTES[] = {
        { "\033Lua", 4, "1: this is compiled Lua (a binary chunk); expected its text" },
        { "\xff\xfer\0", 4, "1: the file is in UTF-16; save it as UTF-8" },
        { "--\n-- caf\xe9\n", 11,
          "2: there is a byte E9, which is not UTF-8; save the file as UTF-8" },
        { "\n\nx\0y", 5, "3: there is a byte 0, which no text has; take it out" },
        { "-- caf\xc3\xa9\n", 9, NULL },
        { "", 0, NULL },
    };
    char said[120];
    (void)state;

    for (size_t i = 0; i < sizeof(BYTES) / sizeof(BYTES[0]); i++) {
        bool is_told = slips_in_bytes(said, sizeof(said), BYTES[i].bytes, BYTES[i].len);
        assert_int_equal(is_told, BYTES[i].said != NULL);
        if (is_told)
            assert_string_equal(said, BYTES[i].said);
    }
}

/* A date without quotes is a number, and nothing says so. */
static void a_date_that_stands_in_no_text_is_named(void **state)
{
    static const char TEXT[] = "local a = \"2025-09-01\" -- 2025-09-01\n"
                               "--[==[ 2025-09-01 ]] ]==] local b = [[ 2025-09-01\n ]]\n"
                               "return { at = 2025-09-01, [2026-01-31] = '\\'2025-09-01',\n"
                               "  x2025-09-01, 12025-09-01, 2025-09-011, 2025-9-1, 2025-09-01.5 }";
    char why[120];
    (void)state;

    const char *at = slips_in_dates(why, sizeof(why), TEXT, NULL, strlen(TEXT));
    assert_non_null(at);
    assert_string_equal(
        why, "4: 2025-09-01 without quotes is a calculation, which gives 2015; a date is "
             "a text: \"2025-09-01\"");
    at = slips_in_dates(why, sizeof(why), TEXT, at, strlen(TEXT));
    assert_non_null(at);
    assert_string_equal(
        why, "4: 2026-01-31 without quotes is a calculation, which gives 1994; a date is "
             "a text: \"2026-01-31\"");
    assert_null(slips_in_dates(why, sizeof(why), TEXT, at, strlen(TEXT)));
    for (size_t len = 0; len < strlen(TEXT); len++) { /* wherever it ends */
        char *copy = malloc(len + 1);
        memcpy(copy, TEXT, len);
        for (at = NULL; (at = slips_in_dates(why, sizeof(why), copy, at, len));)
            continue;
        free(copy);
    }
}

TEST_MAIN(CASE(a_date_that_stands_in_no_text_is_named), CASE(what_was_meant_is_said),
          CASE(a_message_is_cut_at_its_size), CASE(bytes_that_are_no_text_are_told_with_their_line))
