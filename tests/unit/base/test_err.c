/* test_err.c - one line, whole characters, and a place before it. */
#include "tests/unit/harness.h"

static void a_place_is_put_before_the_sentence(void **state)
{
    (void)state;
    assert_int_equal(err_set(&err, ERR_LIMIT, "found %d, expected %d", 3, 2), ERR_LIMIT);
    assert_int_equal(err_at(&err, "%s:%d", "rules.lua", 12), ERR_LIMIT);
    assert_string_equal(err.msg, "rules.lua:12: found 3, expected 2");
}

static void a_sentence_may_hold_the_one_before(void **state)
{
    (void)state;
    err_set(&err, ERR_IO, "no such file");
    err_set(&err, ERR_IO, "can not open it: %s", err.msg);
    assert_string_equal(err.msg, "can not open it: no such file");
}

static void a_sentence_is_one_line(void **state)
{
    (void)state;
    err_set(&err, ERR_INPUT, "a\nb\tc");
    assert_string_equal(err.msg, "a b c");
}

static void a_long_sentence_is_cut_between_characters(void **state)
{
    (void)state;
    char longer[2048];
    for (size_t i = 0; i + 1 < sizeof(longer); i += 2)
        memcpy(longer + i, "\xc3\xa9", 2);
    longer[sizeof(longer) - 2] = '\0';
    err_set(&err, ERR_INPUT, "%s", longer);
    assert_int_equal(strlen(err.msg), 1022);
    err_set(&err, ERR_INPUT, "x%s", longer);
    assert_true(strlen(err.msg) % 2 == 1);
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_BUSY, "unheard"), ERR_BUSY);
}

TEST_MAIN(CASE(a_place_is_put_before_the_sentence), CASE(a_sentence_may_hold_the_one_before),
          CASE(a_sentence_is_one_line), CASE(a_long_sentence_is_cut_between_characters),
          CASE(nobody_has_to_listen))
