/* test_subject.c - what a subject is, and what is said of one that is not. */
#include "tests/unit/harness.h"

#include "model/subject.h"

static enum subject_kind kind;

static enum err_code parse(const char *s)
{
    return subject_parse(&kind, s, strlen(s), &err);
}

static void each_kind_has_its_codes(void **state)
{
    (void)state;
    assert_ok(parse("school/100001"));
    assert_int_equal(kind, SUBJECT_SCHOOL);
    assert_ok(parse("group/h07-Dev_2024.1"));
    assert_int_equal(kind, SUBJECT_GROUP);
    assert_ok(parse("hub/07"));
    assert_int_equal(kind, SUBJECT_HUB);
    assert_string_equal(subject_code("hub/07"), "07");
    assert_true(subject_kind_parse(&kind, "group") && kind == SUBJECT_GROUP);
    assert_string_equal(subject_kind_name(SUBJECT_SCHOOL), "school");
}

static void a_wrong_subject_is_refused_with_what_was_expected(void **state)
{
    (void)state;
    static const char *const WRONG[][2] = {
        { "", "found \"\", expected school/URN" },
        { "schol/100001", "did you mean \"school\"?" },
        { "100001", "found \"100001\", expected school/URN" },
        { "school", "expected behind \"school/\" a URN" },
        { "school/", "a URN of 1 to 10 digits" },
        { "school/12345678901", "a URN of 1 to 10 digits" },
        { "school/10000l", "a URN of 1 to 10 digits" },
        { "school/1/2", "a URN of 1 to 10 digits" },
        { "group/a b", "a code of 1 to 64" },
        { "group/caf\xc3\xa9", "a code of 1 to 64" },
        { "hub/", "a code of 1 to 64" },
        { "Hub/07", "did you mean \"hub\"?" },
        { "a-kind-that-is-far-too-long-to-be-one/7", "expected school/URN" },
    };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        assert_int_equal(parse(WRONG[i][0]), ERR_INPUT);
        if (!strstr(err.msg, WRONG[i][1]))
            fail_msg("\"%s\" does not say \"%s\"", err.msg, WRONG[i][1]);
    }
}

static void the_longest_subject_fits_its_bound(void **state)
{
    (void)state;
    char s[80] = "school/1234567890";
    assert_ok(parse(s));
    snprintf(s, sizeof(s), "group/%064d", 0);
    assert_ok(parse(s));
    assert_true(strlen(s) < SUBJECT_MAX);
    snprintf(s, sizeof(s), "group/%065d", 0);
    assert_int_equal(parse(s), ERR_INPUT);
}

TEST_MAIN(CASE(each_kind_has_its_codes), CASE(a_wrong_subject_is_refused_with_what_was_expected),
          CASE(the_longest_subject_fits_its_bound))
