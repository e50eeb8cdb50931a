/* test_str.c - what HTTP does with strings: escapes, media types, what a peer accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "str.h"

static void json_strings_are_escaped(void **state)
{
    (void)state;
    struct str s = { 0 };
    str_json(&s, "a\"b\\c\n\x01\xc3\xa9", 9);
    assert_string_equal(s.data, "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa9\"");
    str_fini(&s);
}

static void text_grows_as_it_is_added(void **state)
{
    (void)state;
    struct str s = { 0 };
    for (int i = 0; i < 1000; i++)
        str_printf(&s, "%03d", i);
    assert_int_equal(s.len, 3000);
    assert_memory_equal(s.data + 2997, "999", 4);
    str_fini(&s);
}

static bool decodes(const char *in, const char *expected)
{
    char out[64];
    return percent_decode(out, in, strlen(in)) && strcmp(out, expected) == 0;
}

static void percent_encoding_is_undone_or_refused(void **state)
{
    (void)state;
    char out[64];
    assert_true(decodes("a%20b%2Fc%c3%A9", "a b/c\xc3\xa9"));
    assert_true(decodes("", ""));
    assert_false(percent_decode(out, "%", 1));
    assert_false(percent_decode(out, "a%2", 3));
    assert_false(percent_decode(out, "%zz", 3));
    assert_false(percent_decode(out, "a%00b", 5)); /* a NUL would cut what follows */
}

static void media_types_compare_without_their_parameters(void **state)
{
    (void)state;
    assert_true(media_is("application/json", "application/json"));
    assert_true(media_is("Application/JSON ; charset=utf-8", "application/json"));
    assert_false(media_is("application/jsonx", "application/json"));
    assert_false(media_is(NULL, "application/json"));
    assert_true(media_is_utf8("a/b; charset=\"UTF-8\""));
    assert_false(media_is_utf8("a/b; charset=latin1"));
    assert_true(media_is_utf8("a/b"));
}

static void the_best_acceptable_offer_is_chosen(void **state)
{
    (void)state;
    static const char *const OFFERS[] = { "text/csv", "application/x-ndjson", NULL };
    assert_int_equal(accept_choose(NULL, OFFERS), 0);
    assert_int_equal(accept_choose("", OFFERS), 0);
    assert_int_equal(accept_choose("*/*", OFFERS), 0);
    assert_int_equal(accept_choose("application/*", OFFERS), 1);
    assert_int_equal(accept_choose("text/csv;q=0.5, application/x-ndjson", OFFERS), 1);
    assert_int_equal(accept_choose("text/csv;q=0, */*;q=0.1", OFFERS), 1);
    assert_int_equal(accept_choose("text/html", OFFERS), -1);
    assert_int_equal(accept_choose("text/csvx, TEXT/CSV", OFFERS), 0);
}

static bool is_object(const char *text)
{
    return is_one_object(text, strlen(text));
}

static void a_body_can_not_break_out_of_the_object_around_it(void **state)
{
    (void)state;
    assert_true(is_object("{}"));
    assert_true(is_object(" {\"a\":[{\"b\":\"}\\\"}\"}]}\r\n"));
    assert_false(is_object("{},\"id\":\"other\""));
    assert_false(is_object("{}}"));
    assert_false(is_object("{\"a\":\"}"));
    assert_false(is_object("{\"a\":{}"));
    assert_false(is_object("[]"));
    assert_false(is_object(""));
    assert_false(is_object("{\"\\"));
}

static void what_is_shown_is_always_utf_8(void **state)
{
    struct str s = { 0 };
    (void)state;
    str_json_shown(&s, "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_string_equal(s.data, "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
    str_fini(&s);
    str_json_shown(&s, "a\xe2\x82"); /* cut in two */
    assert_string_equal(s.data, "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
    str_fini(&s);
    str_json_shown(&s, "\xff\xc0\xaf\xed\xa0\x80"); /* none, overlong, a surrogate */
    assert_int_equal(s.len, 2 + 6 * 3);
    str_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(text_grows_as_it_is_added),
        cmocka_unit_test(percent_encoding_is_undone_or_refused),
        cmocka_unit_test(media_types_compare_without_their_parameters),
        cmocka_unit_test(the_best_acceptable_offer_is_chosen),
        cmocka_unit_test(what_is_shown_is_always_utf_8),
        cmocka_unit_test(a_body_can_not_break_out_of_the_object_around_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
