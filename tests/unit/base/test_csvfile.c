/* test_csvfile.c - CSV as people and programs save it. */
#include "tests/unit/base/fixture.h"

#include "base/buf.h"
#include "base/csvfile.h"

static struct buf seen; /* "LINE[a|b]" for each row */

static enum err_code note_row(const struct csv_row *row, void *arg, struct err *e)
{
    (void)arg;
    (void)e;
    buf_printf(&seen, "%lld[", (long long)row->line);
    for (int i = 0; i < row->count; i++)
        buf_printf(&seen, "%s%s", i ? "|" : "", row->fields[i]);
    buf_char(&seen, ']');
    return OK;
}

static enum err_code read_bytes(const char *bytes, size_t len)
{
    buf_fini(&seen);
    enum err_code rc = csvfile_read(file_of(bytes, len), note_row, NULL, &err);
    remove_file(NULL);
    return rc;
}

static const char *rows(const char *text)
{
    assert_ok(read_bytes(text, strlen(text)));
    return buf_cstr(&seen);
}

static void assert_refused(const char *bytes, size_t len, const char *saying)
{
    assert_int_equal(read_bytes(bytes, len), ERR_INPUT);
    assert_non_null(strstr(err.msg, saying));
}

static int forget(void **state)
{
    buf_fini(&seen);
    return remove_file(state);
}

static void quotes_may_be_mixed_and_hold_commas_and_line_ends(void **state)
{
    (void)state;
    assert_string_equal(rows("a,\"b\"\r\n1,\"x, \"\"y\"\"\r\nz\"\r\n\r\n2,\r\n"),
                        "1[a|b]2[1|x, \"y\"\r\nz]5[2|]");
}

static void any_line_end_ends_a_row_and_the_last_may_lack_it(void **state)
{
    (void)state;
    assert_string_equal(rows("a\n1\n\n\n2"), "1[a]2[1]5[2]");
    assert_string_equal(rows("a\r\n1\r\n2"), "1[a]2[1]3[2]");
}

static void bytes_that_are_not_utf8_are_windows_1252(void **state)
{
    (void)state;
    assert_string_equal(rows("Becket \xE0, O\x92Neill\n"), "1[Becket \xC3\xA0|O\xE2\x80\x99Neill]");
    assert_string_equal(rows("Becket \xC3\xA0\n"), "1[Becket \xC3\xA0]");
    assert_string_equal(rows("\xEF\xBB\xBF"
                             "URN\n"),
                        "1[URN]");
}

static void what_is_no_csv_is_refused_by_name(void **state)
{
    (void)state;
    assert_refused("", 0, "empty");
    assert_refused("\xEF\xBB\xBF \n", 5, "empty");
    assert_refused("\n <!DOCTYPE html>", 17, "web page");
    assert_refused("\xFF\xFE"
                   "a\0",
                   4, "UTF-16");
    assert_refused("a\0b\n", 4, "NUL");
    assert_refused("\xEF\xBB\xBF\xE0\n", 5, "mark of UTF-8");
}

static void a_file_that_broke_off_inside_quotes_is_refused(void **state)
{
    (void)state;
    assert_refused("a,b\n1,\"x\n2,y\n", 13, "line 2");
}

static void a_missing_file_is_told(void **state)
{
    (void)state;
    assert_int_equal(csvfile_read("/no/such/file.csv", note_row, NULL, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "/no/such/file.csv"));
}

static void columns_are_found_by_name(void **state)
{
    (void)state;
    const char *const fields[] = { "URN", " LA (Code) ", "LA (name)" };
    const struct csv_row header = { .line = 1, .fields = fields, .count = 3 };
    assert_int_equal(csv_column(&header, "urn"), 0);
    assert_int_equal(csv_column(&header, "LA (code)"), 1);
    assert_int_equal(csv_column(&header, "LA"), -1);
    assert_string_equal(csv_field(&header, -1), "");
    assert_string_equal(csv_field(&header, 3), "");
    assert_string_equal(csv_field(&header, 1), "LA (Code) ");
}

#define READS(fn) CASE_WITH(fn, NULL, forget)
TEST_MAIN(READS(quotes_may_be_mixed_and_hold_commas_and_line_ends),
          READS(any_line_end_ends_a_row_and_the_last_may_lack_it),
          READS(bytes_that_are_not_utf8_are_windows_1252), READS(what_is_no_csv_is_refused_by_name),
          READS(a_file_that_broke_off_inside_quotes_is_refused), READS(a_missing_file_is_told),
          READS(columns_are_found_by_name))
