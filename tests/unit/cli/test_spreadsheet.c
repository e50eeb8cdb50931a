/* test_spreadsheet.c - no cell of an export is a formula. */
#include "tests/unit/harness.h"

#include "cli/spreadsheet.h"

static void expect(const char *csv, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    struct buf in = { 0 };

    buf_str(&in, csv);
    FILE *to = open_memstream(&text, &len);
    assert_int_equal(spreadsheet_print(to, &in, &err), OK);
    fclose(to);
    assert_string_equal(text, expected);
    free(text);
    buf_fini(&in);
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
