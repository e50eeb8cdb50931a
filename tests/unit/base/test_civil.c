/* test_civil.c - days, instants and London, against arithmetic done another way. */
#include "tests/unit/harness.h"

#include <stdbool.h>

#include "base/civil.h"

static int setup(void **state)
{
    (void)state;
    return civil_init(&err) == OK ? 0 : -1;
}

static int64_t at(const char *text)
{
    int64_t t = 0;
    assert_ok(time_parse(&t, text, strlen(text), &err));
    return t;
}

static const char *shown(int64_t t)
{
    static char out[TIME_TEXT];
    return time_text(t, out);
}

static int32_t day(const char *text)
{
    int32_t out = 0;
    assert_ok(day_parse(&out, text, strlen(text), &err));
    return out;
}

static void assert_no_time(const char *text, const char *says)
{
    int64_t t;
    assert_int_equal(time_parse(&t, text, strlen(text), &err), ERR_INPUT);
    if (!strstr(err.msg, says))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
}

static void every_day_of_two_centuries_has_its_date(void **state)
{
    (void)state;
    static const int MONTHS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int32_t expected = -25567; /* 1900-01-01 */

    for (int y = 1900; y <= 2100; y++) {
        bool is_leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        for (int m = 1; m <= 12; m++) {
            for (int d = 1; d <= MONTHS[m - 1] + (m == 2 && is_leap); d++, expected++) {
                int year, month, mday;
                assert_int_equal(day_from_ymd(y, m, d), expected);
                day_to_ymd(expected, &year, &month, &mday);
                assert_true(year == y && month == m && mday == d);
            }
        }
    }
    assert_int_equal(day_from_ymd(1970, 1, 1), 0);
}

static void each_london_day_starts_where_the_last_one_ends(void **state)
{
    (void)state;
    int64_t short_days = 0, long_days = 0;

    for (int32_t d = day("1900-01-01"); d <= day("2150-12-31"); d++) {
        int64_t start = london_midnight(d), hours = (london_midnight(d + 1) - start) / 3600000000;
        assert_int_equal(london_day(start), d);
        assert_int_equal(london_day(start - 1), d - 1);
        assert_true(hours >= 23 && hours <= 25);
        short_days += hours == 23;
        long_days += hours == 25;
    }
    assert_true(short_days > 200 && long_days > 200);
}

static void summer_time_is_that_of_london(void **state)
{
    (void)state;
    assert_string_equal(shown(london_midnight(day("2024-01-15"))), "2024-01-15T00:00:00.000000Z");
    assert_string_equal(shown(london_midnight(day("2024-07-01"))), "2024-06-30T23:00:00.000000Z");
    assert_string_equal(shown(london_midnight(day("1947-07-01"))), "1947-06-30T22:00:00.000000Z");
    assert_string_equal(shown(london_midnight(day("1970-01-15"))), "1970-01-14T23:00:00.000000Z");
    assert_string_equal(shown(london_midnight(day("1850-07-01"))), "1850-07-01T00:00:00.000000Z");
    /* After the table: the last Sundays of March and October. */
    assert_int_equal(london_midnight(day("2400-03-27")) - london_midnight(day("2400-03-26")),
                     23 * 3600000000LL);
    assert_int_equal(london_midnight(day("9999-11-01")) - london_midnight(day("9999-10-31")),
                     25 * 3600000000LL);
}

static void days_are_added_by_the_clock_on_the_wall(void **state)
{
    (void)state;
    assert_string_equal(shown(london_add_days(at("2024-03-30T12:00:00Z"), 1)),
                        "2024-03-31T11:00:00.000000Z");
    assert_string_equal(shown(london_add_days(at("2024-10-26T11:00:00Z"), 1)),
                        "2024-10-27T12:00:00.000000Z");
    assert_string_equal(shown(london_add_days(at("2024-02-29T00:00:00.000001Z"), 366)),
                        "2025-03-01T00:00:00.000001Z");
}

static void a_skipped_hour_moves_on_and_a_repeated_one_is_the_first(void **state)
{
    (void)state;
    assert_string_equal(shown(london_add_days(at("2024-03-30T01:30:00Z"), 1)),
                        "2024-03-31T01:30:00.000000Z"); /* 02:30 BST: 01:30 does not exist */
    assert_string_equal(shown(london_add_days(at("2024-10-26T00:30:00Z"), 1)),
                        "2024-10-27T00:30:00.000000Z"); /* 01:30 BST, not 01:30 GMT */
    int64_t second = at("2024-10-27T01:30:00Z");
    assert_int_equal(london_add_days(second, 0), second);
}

static void adding_days_and_taking_them_away_comes_back(void **state)
{
    (void)state;
    unsigned seed = 20261124;
    print_message("seed %u\n", seed);
    for (int i = 0; i < 20000; i++) {
        int32_t d = day("1900-01-01") + rand_r(&seed) % 73000;
        int64_t noon = london_midnight(d) + 12 * 3600000000LL;
        int64_t n = rand_r(&seed) % 4000 - 2000;
        assert_int_equal(london_add_days(london_add_days(noon, n), -n), noon);
        assert_int_equal(london_day(london_add_days(noon, n)), d + n);
        assert_int_equal(london_add_days(london_midnight(d), n), london_midnight(d + (int32_t)n));
    }
}

static void beyond_the_calendar_is_never(void **state)
{
    (void)state;
    assert_true(london_add_days(at("2024-01-01T00:00:00Z"), INT64_MAX) == TIME_NEVER);
    assert_true(london_add_days(at("2024-01-01T00:00:00Z"), INT64_MIN) == TIME_MIN);
    assert_true(london_add_days(TIME_NEVER, -5) == TIME_NEVER);
    assert_string_equal(shown(TIME_NEVER), "9999-12-31T23:59:59.999999Z");
    assert_string_equal(shown(TIME_MIN), "0001-01-01T00:00:00.000000Z");
    (void)london_day(TIME_NEVER);
    (void)london_day(INT64_MIN);
    (void)london_midnight(INT32_MAX);
    (void)london_midnight(INT32_MIN);
    (void)year_start(INT32_MAX);
}

static void times_are_read_at_any_offset_to_the_microsecond(void **state)
{
    (void)state;
    int64_t t = at("2018-04-05T17:31:00Z");
    assert_int_equal(at("2018-04-05t18:31:00+01:00"), t);
    assert_int_equal(at("2018-04-05T16:31:00-01:00"), t);
    assert_int_equal(at("2018-04-05T17:31:00.0000009999z"), t);
    assert_int_equal(at("2018-04-05T17:31:00.5Z"), t + 500000);
    assert_int_equal(at("2018-04-05T17:31:00.123456789-00:00"), t + 123456);
    assert_int_equal(at("2018-04-06T17:30:00+23:59"), t);
    assert_true(at("0001-01-01T00:00:00Z") == TIME_MIN);
    assert_true(at("9999-12-31T23:59:59.999999Z") == TIME_MAX);
    assert_string_equal(shown(at("1969-12-31T23:59:59.999999Z")), "1969-12-31T23:59:59.999999Z");
}

static void a_leap_second_is_the_next_minutes_start(void **state)
{
    (void)state;
    assert_int_equal(at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z"));
    assert_int_equal(at("2017-01-01T00:59:60.7+01:00"), at("2017-01-01T00:00:00Z"));
    assert_no_time("2016-12-31T12:00:60Z", "a second 60 ends a month");
    assert_no_time("2016-12-30T23:59:60Z", "a second 60 ends a month");
}

static void what_is_no_time_is_refused_with_a_reason(void **state)
{
    (void)state;
    assert_no_time("lunchtime", "found \"lunchtime\", expected an RFC 3339 time");
    assert_no_time("2018-04-05", "this is a day without a time");
    assert_no_time("2018-04-05 18:31:00Z", "a T stands between");
    assert_no_time("2018-04-05T18:31Z", "HH:MM:SS");
    assert_no_time("2018-04-05T18:31:00", "end with Z");
    assert_no_time("2018-04-05T18:31:00X", "end with Z");
    assert_no_time("2018-04-05T18:31:00.Z", "a fraction needs a digit");
    assert_no_time("2018-04-05T18:31:00+25:00", "an offset goes to 23:59");
    assert_no_time("2018-04-05T18:31:00+05", "+01:00");
    assert_no_time("2018-04-05T18:31:00+0500", "+01:00");
    assert_no_time("2018-04-05T24:00:00Z", "the clock goes to");
    assert_no_time("2018-04-05T18:31:61Z", "the clock goes to");
    assert_no_time("2018-13-05T18:31:00Z", "no such month");
    assert_no_time("2018-02-29T18:31:00Z", "no such day");
    assert_no_time("1900-02-29T18:31:00Z", "no such day");
    assert_no_time("0000-01-01T00:00:00Z", "year 0000");
    assert_no_time("0001-01-01T00:00:00+00:01", "outside the years");
    assert_no_time("9999-12-31T23:59:59-00:01", "outside the years");
    assert_no_time("2018-04-05T18:31:00Z ", "nothing may follow");
    assert_no_time(" 2018-04-05T18:31:00Z", "digits");
    assert_no_time("", "digits");
}

/* A small z makes it one that is read piece by piece. */
static void times_as_programs_write_them_are_read_like_all_others(void **state)
{
    (void)state;
    unsigned seed = 20261127;
    print_message("seed %u\n", seed);
    for (int i = 0; i < 200000; i++) {
        char text[40];
        int64_t usual = 0, other = 0;
        snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%s", rand_r(&seed) % 10000,
                 rand_r(&seed) % 14, rand_r(&seed) % 33, rand_r(&seed) % 26, rand_r(&seed) % 62,
                 rand_r(&seed) % 62, i % 2 ? "Z" : ".654321Z");
        if (i % 3 == 0) {
            char *odd = &text[(unsigned)rand_r(&seed) % (strlen(text) - 1)];
            *odd = (char)("/:.-0T \xff\0"[(unsigned)rand_r(&seed) % 9]);
        }
        size_t len = i % 2 ? 20 : 27;
        enum err_code rc = time_parse(&usual, text, len, NULL);
        text[len - 1] = 'z';
        assert_int_equal(time_parse(&other, text, len, NULL), rc);
        assert_int_equal(usual, other);
    }
}

static void a_day_alone_is_its_start_in_london(void **state)
{
    (void)state;
    int64_t t;
    assert_ok(moment_parse(&t, "2026-07-01", &err));
    assert_string_equal(shown(t), "2026-06-30T23:00:00.000000Z");
    assert_ok(moment_parse(&t, "2026-07-01T00:00:00Z", &err));
    assert_string_equal(shown(t), "2026-07-01T00:00:00.000000Z");
    assert_int_equal(moment_parse(&t, "2026-07-01 00:00", &err), ERR_INPUT);
    assert_int_equal(moment_parse(&t, "now", &err), ERR_INPUT);
}

static void an_instant_is_written_as_short_as_it_is_read_again(void **state)
{
    static const char *const WRITTEN[][2] = {
        { "2026-01-01T00:00:00Z", "2026-01-01" },
        { "2026-06-30T23:00:00Z", "2026-07-01" }, /* midnight in London */
        { "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z" },
        { "2026-07-01T09:30:15Z", "2026-07-01T09:30:15Z" },
        { "2026-07-01T09:30:15.25Z", "2026-07-01T09:30:15.250000Z" },
        { "1950-02-01T00:00:01Z", "1950-02-01T00:00:01Z" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(WRITTEN) / sizeof(WRITTEN[0]); i++) {
        char text[TIME_TEXT];
        int64_t t, again;
        assert_ok(moment_parse(&t, WRITTEN[i][0], &err));
        assert_string_equal(moment_text(t, text), WRITTEN[i][1]);
        assert_ok(moment_parse(&again, text, &err));
        assert_true(again == t);
    }
}

static void academic_years_run_from_september(void **state)
{
    (void)state;
    char text[YEAR_TEXT];
    int year;

    assert_ok(year_parse(&year, "2024/25", 7, &err));
    assert_int_equal(year, 2024);
    assert_string_equal(shown(year_start(year)), "2024-08-31T23:00:00.000000Z");
    assert_int_equal(year_at(year_start(2024)), 2024);
    assert_int_equal(year_at(year_start(2024) - 1), 2023);
    assert_string_equal(year_text(1999, text), "1999/00");
    assert_int_equal(year_parse(&year, "2024/26", 7, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "not the year after"));
    assert_int_equal(year_parse(&year, "2024-25", 7, &err), ERR_INPUT);
    assert_int_equal(year_parse(&year, "2024/2025", 9, &err), ERR_INPUT);
}

static void the_callers_time_zone_is_put_back(void **state)
{
    (void)state;
    assert_string_equal(getenv("TZ"), "America/New_York");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_day_of_two_centuries_has_its_date),
        CASE(each_london_day_starts_where_the_last_one_ends),
        CASE(summer_time_is_that_of_london),
        CASE(days_are_added_by_the_clock_on_the_wall),
        CASE(a_skipped_hour_moves_on_and_a_repeated_one_is_the_first),
        CASE(adding_days_and_taking_them_away_comes_back),
        CASE(beyond_the_calendar_is_never),
        CASE(times_are_read_at_any_offset_to_the_microsecond),
        CASE(times_as_programs_write_them_are_read_like_all_others),
        CASE(a_leap_second_is_the_next_minutes_start),
        CASE(what_is_no_time_is_refused_with_a_reason),
        CASE(a_day_alone_is_its_start_in_london),
        CASE(an_instant_is_written_as_short_as_it_is_read_again),
        CASE(academic_years_run_from_september),
        CASE(the_callers_time_zone_is_put_back),
    };
    setenv("TZ", "America/New_York", 1);
    return cmocka_run_group_tests(tests, setup, NULL);
}
