/* test_spreadsheet.c - no cell of an export is a formula. */
#include "tests/unit/harness.h"

#include "base/spreadsheet.h"

static void expect(const char *csv, const char *expected)
{
    struct buf out = { 0 };

    assert_ok(spreadsheet_write(&out, csv, strlen(csv), &err));
    assert_string_equal(buf_cstr(&out), expected);
    buf_fini(&out);
}

static void what_would_be_a_formula_is_text(void **state)
{
    (void)state;
    expect(
        "a,b\n=1+1,@x\n+44 1,-2-1--\n-5,+7.5\n\"=a \"\"q\"\"\",x\n",
        "\xEF\xBB\xBF"
        "a,b\r\n\"'=1+1\",\"'@x\"\r\n\"'+44 1\",\"'-2-1--\"\r\n-5,+7.5\r\n\"'=a \"\"q\"\"\",x\r\n");
}

static void what_needs_quotes_has_them(void **state)
{
    (void)state;
    expect("a\n\"x, y\"\n\"l1\nl2\"\n\"\"\"q\"\"\"\n",
           "\xEF\xBB\xBF"
           "a\r\n\"x, y\"\r\n\"l1\nl2\"\r\n\"\"\"q\"\"\"\r\n");
}

TEST_MAIN(CASE(what_would_be_a_formula_is_text), CASE(what_needs_quotes_has_them))
