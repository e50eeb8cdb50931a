/* test_time.c - instants, days and years in rules, and what a rule waits for. */
#include "tests/unit/lua/support.h"

/* What an expression gives in a rule that is judged at `now`; *wake NULL allowed. */
static const char *eval(const char *calendar, const char *expression, const char *now,
                        int64_t *wake)
{
    static char result[1200];
    char text[4096];
    snprintf(text, sizeof(text),
             "return pack { name = 'test', calendar = { %s },\n"
             "rules = { it = rule { 'It', source = 'here', function(s)\n"
             "return %s\n" /* line 3 */
             "end } } }\n",
             calendar, expression);
    struct ruleset *rs = load_pack(text);
    struct record *r = new_record(rs, SCHOOL);
    struct answer a = judge(r, now, "it");
    snprintf(result, sizeof(result), "%s", a.value);
    if (wake)
        *wake = a.wake;
    record_free(r);
    ruleset_free(rs);
    return result;
}

static void assert_instant(const char *expression, const char *expected)
{
    const char *found = eval("", expression, "2025-01-01", NULL);
    char wanted[40];
    snprintf(wanted, sizeof(wanted), "%lld", (long long)at(expected));
    if (strcmp(found, wanted) != 0)
        fail_msg("%s: found %s, expected %s (%s)", expression, found, wanted, expected);
}

static void assert_value(const char *expression, const char *expected)
{
    const char *found = eval("", expression, "2025-01-01", NULL);
    if (strcmp(found, expected) != 0)
        fail_msg("%s: found %s, expected %s", expression, found, expected);
}

static void an_academic_year_runs_from_september_to_september_in_london(void **state)
{
    (void)state;
    assert_instant("year_start('2024/25')", "2024-08-31T23:00:00Z");
    assert_instant("year_end('2024/25')", "2025-08-31T23:00:00Z");
    assert_value("year_of(year_start('2024/25'))", "\"2024/25\"");
    assert_value("year_of(year_start('2024/25') - 1)", "\"2023/24\"");
    assert_value("year_of(year_end('1999/00'))", "\"2000/01\"");
    assert_value("day_of(year_start('2024/25'))", "\"2024-09-01\"");
}

static void a_day_begins_at_midnight_in_london(void **state)
{
    (void)state;
    assert_instant("midnight('2025-01-15')", "2025-01-15T00:00:00Z");
    assert_instant("midnight('2025-07-15')", "2025-07-14T23:00:00Z");
    assert_value("day_of(midnight('2025-07-15'))", "\"2025-07-15\"");
    assert_value("day_of(midnight('2025-07-15') - 1)", "\"2025-07-14\"");
}

/* People count days by the calendar: a day may have 23 or 25 hours. */
static void days_are_counted_across_a_change_of_the_clocks(void **state)
{
    (void)state;
    assert_instant("midnight('2025-03-29') + days(1)", "2025-03-30T00:00:00Z");
    assert_instant("midnight('2025-03-29') + days(2)", "2025-03-30T23:00:00Z");
    assert_instant("midnight('2025-10-25') + days(2)", "2025-10-27T00:00:00Z");
    assert_instant("midnight('2025-10-27') - days(2)", "2025-10-24T23:00:00Z");
    assert_instant("days(14) + midnight('2025-03-20')", "2025-04-02T23:00:00Z");
    assert_instant("midnight('2025-03-20') + days(-1)", "2025-03-19T00:00:00Z");
    assert_instant("midnight('2024-02-28') + days(1)", "2024-02-29T00:00:00Z");
}

static void days_can_be_added_to_instants_only(void **state)
{
    (void)state;
    const char *NO =
        "error \"national/pack.lua:3: days(...) can be added to or taken from an instant, "
        "nothing else\"";
    assert_value("days(1) + days(2)", NO);
    assert_value("days(1) - midnight('2025-01-01')", NO);
    assert_value("days('x')",
                 "error \"national/pack.lua:3: days: found a text, expected a whole number\"");
    assert_value("days(1e9)", "error \"national/pack.lua:3: days: 1000000000 is out of range\"");
    assert_value("'2025-01-01' + days(1)",
                 "error \"national/pack.lua:3: found a text, expected an instant (a fact of type "
                 "time, midnight(...), year_end(...))\"");
    assert_value("midnight('2025-01-01') < '2025-01-02'",
                 "error \"national/pack.lua:3: a number is compared with a text; if it is an "
                 "instant, compare it with midnight(\\\"2026-09-01\\\") or ask s:reached(...)\"");
}

static void wrong_days_and_years_say_what_is_wrong(void **state)
{
    (void)state;
    assert_value("midnight('2025-02-29')",
                 "error \"national/pack.lua:3: found \\\"2025-02-29\\\", expected a date such as "
                 "2026-11-21: that month has no such day\"");
    assert_value(
        "midnight(5)",
        "error \"national/pack.lua:3: found a number, expected a day such as \\\"2026-09-01\\\"\"");
    assert_value(
        "year_end('2025')",
        "error \"national/pack.lua:3: found \\\"2025\\\", expected an academic year such as "
        "2024/25: it has four digits, a slash and two digits\"");
    assert_value("year_of('2025/26')",
                 "error \"national/pack.lua:3: found a text, expected an instant (a fact of type "
                 "time, midnight(...), year_end(...))\"");
    assert_value(
        "s:in_year('2025')",
        "error \"national/pack.lua:3: in_year: found \\\"2025\\\", expected an academic year "
        "such as 2024/25: it has four digits, a slash and two digits\"");
    assert_value("s:reached('2025-01-01')",
                 "error \"national/pack.lua:3: reached: found a text, expected an instant such as "
                 "midnight(...) or year_end(...)\"");
    assert_value(
        "half_term_end('2024/25', 7)",
        "error \"national/pack.lua:3: half_term_end: found 7, expected a half term from 1 to 6\"");
    assert_value("term_end('2024/25', 0)",
                 "error \"national/pack.lua:3: term_end: found 0, expected a term from 1 to 3\"");
    assert_value("s:since('phase')", "error \"national/pack.lua:3: unknown fact 'phase'\"");
    assert_value("s:since('waivers')",
                 "error \"national/pack.lua:3: since: waivers is not a fact that moves\"");
}

/* Numbers that are no instant are refused before the calendar sees them. */
static void what_lies_beyond_the_calendar_is_refused(void **state)
{
    (void)state;
    assert_value("day_of(math.maxinteger)",
                 "error \"national/pack.lua:3: 9223372036854775807 lies beyond the calendar\"");
    assert_value("year_of(math.mininteger)",
                 "error \"national/pack.lua:3: -9223372036854775808 lies beyond the calendar\"");
    assert_value("math.maxinteger + days(1)",
                 "error \"national/pack.lua:3: 9223372036854775807 lies beyond the calendar\"");
    assert_value("s:reached(math.maxinteger)", "false");
    assert_value("year_end('9999/00') > 0", "true");
    assert_value("midnight('9999-12-31') + days(400) > 0", "true");
    assert_value("s:in_year('9999/00')", "false");
    assert_value("midnight('0001-01-01') - days(400) < 0", "true");
}

#define CALENDAR                                                                                   \
    "['2024/25'] = { '2024-09-02', '2024-11-04', '2025-01-06', '2025-02-24', '2025-04-22', "       \
    "'2025-06-02' }"

static void a_half_term_ends_where_the_next_one_begins(void **state)
{
    static const char *const LISTED[] = { "2024-11-04", "2025-01-06", "2025-02-24",
                                          "2025-04-22", "2025-06-02", "2025-09-01" };
    static const char *const OTHER[] = { "2025-11-01", "2026-01-04", "2026-02-22",
                                         "2026-04-15", "2026-06-03", "2026-09-01" };
    char expression[100], expected[40];
    (void)state;

    for (int n = 1; n <= 6; n++) {
        snprintf(expression, sizeof(expression), "half_term_end('2024/25', %d)", n);
        snprintf(expected, sizeof(expected), "%lld", (long long)at(LISTED[n - 1]));
        assert_string_equal(eval(CALENDAR, expression, "2025-01-01", NULL), expected);
        snprintf(expression, sizeof(expression), "half_term_end('2025/26', %d)", n);
        snprintf(expected, sizeof(expected), "%lld", (long long)at(OTHER[n - 1]));
        assert_string_equal(eval(CALENDAR, expression, "2025-01-01", NULL), expected);
        assert_string_equal(eval("", expression, "2025-01-01", NULL), expected);
    }
    snprintf(expected, sizeof(expected), "%lld", (long long)at("2025-04-22"));
    assert_string_equal(eval(CALENDAR, "half_term_end('2024/25', 4)", "2025-01-01", NULL),
                        expected);
    assert_string_equal(eval(CALENDAR, "term_end('2024/25', 2)", "2025-01-01", NULL), expected);
    snprintf(expected, sizeof(expected), "%lld", (long long)at("2025-09-01"));
    assert_string_equal(eval(CALENDAR, "term_end('2024/25', 3)", "2025-01-01", NULL), expected);
}

static const char *wake_of(const char *expression, const char *now)
{
    int64_t wake = 0;
    eval("", expression, now, &wake);
    return time_of(wake);
}

static void what_was_not_reached_is_waited_for(void **state)
{
    (void)state;
    assert_string_equal(wake_of("s:reached(midnight('2025-06-01'))", "2025-01-01"),
                        "2025-05-31T23:00:00.000000Z");
    assert_string_equal(wake_of("s:reached(midnight('2025-06-01'))", "2025-06-01"), "never");
    assert_string_equal(
        wake_of("s:reached(midnight('2025-06-01')) or s:reached(midnight('2025-02-01'))"
                " or s:reached(midnight('2025-07-01'))",
                "2025-01-01"),
        "2025-02-01T00:00:00.000000Z");
    assert_string_equal(wake_of("5", "2025-01-01"), "never");
}

static void the_running_year_is_waited_for_to_begin_and_to_end(void **state)
{
    (void)state;
    assert_string_equal(wake_of("s:in_year('2025/26')", "2025-01-01"),
                        "2025-08-31T23:00:00.000000Z");
    assert_string_equal(wake_of("s:in_year('2025/26')", "2025-10-01"),
                        "2026-08-31T23:00:00.000000Z");
    assert_string_equal(wake_of("s:in_year('2025/26')", "2027-10-01"), "never");
    assert_string_equal(wake_of("s:current_year()", "2025-01-01"), "2025-08-31T23:00:00.000000Z");
    assert_string_equal(eval("", "s:current_year()", "2025-08-31T22:59:59.999999Z", NULL),
                        "\"2024/25\"");
    assert_string_equal(eval("", "s:current_year()", "2025-08-31T23:00:00Z", NULL), "\"2025/26\"");
    assert_string_equal(eval("", "s:in_year('2025/26')", "2025-08-31T23:00:00Z", NULL), "true");
}

TEST_MAIN(CASE(an_academic_year_runs_from_september_to_september_in_london),
          CASE(a_day_begins_at_midnight_in_london),
          CASE(days_are_counted_across_a_change_of_the_clocks),
          CASE(days_can_be_added_to_instants_only), CASE(wrong_days_and_years_say_what_is_wrong),
          CASE(what_lies_beyond_the_calendar_is_refused),
          CASE(a_half_term_ends_where_the_next_one_begins),
          CASE(what_was_not_reached_is_waited_for),
          CASE(the_running_year_is_waited_for_to_begin_and_to_end))
