/* test_packtests.c - the tests of a pack as plain values, and what is wrong with those that are
 * none. */
#include "tests/unit/lua/support.h"

#include "lua/packtests.h"

static struct buf seen; /* what the callbacks were told, one a line */

static enum err_code take_test(const struct pack_test *t, void *arg, struct err *e)
{
    (void)arg;
    (void)e;
    buf_printf(&seen, "%s: %s about %s at %s", t->where, t->name, t->subject, time_of(t->at));
    for (int i = 0; i < t->event_count; i++)
        buf_printf(&seen, "\n  %s", t->events[i]);
    for (int i = 0; i < t->expect_count; i++)
        buf_printf(&seen, "\n  %s = %s", t->expects[i].decision, t->expects[i].value);
    if (t->missing)
        buf_printf(&seen, "\n  missing [%s]", t->missing);
    buf_char(&seen, '\n');
    return OK;
}

static void take_malformed(const char *name, const char *where, const char *why, void *arg)
{
    (void)arg;
    buf_printf(&seen, "%s: %s: %s\n", where, name, why);
}

/* `tests` begin in line 7. */
static const char *read_tests(const char *tests)
{
    static char result[4096];
    char text[4096];
    snprintf(text, sizeof(text),
             "return pack { name = 'test', events = {\n"
             "  lead = { title = 'L', subject = 'school', data = { who = optional(person),\n"
             "    many = optional(list(text)), by = optional(map(school, list(person))), at = "
             "optional(time),\n"
             "    yes = optional(bool), n = optional(number) } },\n"
             "  met = { title = 'M', subject = 'group', data = {} },\n"
             "},\n"
             "%s }",
             tests);
    struct ruleset *rs = load_pack(text);
    buf_reset(&seen);
    assert_ok(ruleset_each_test(rs, take_test, take_malformed, NULL, &err));
    snprintf(result, sizeof(result), "%s", buf_cstr(&seen));
    buf_fini(&seen);
    ruleset_free(rs);
    return result;
}

#define EVENT(id, time, type, subject, data)                                                       \
    "  {\"specversion\":\"1.0\",\"source\":\"urn:test\",\"id\":\"" id "\",\"sequence\":\"00000" id \
    "\",\"time\":\"" time "\",\"type\":\"" type "\",\"subject\":\"" subject "\",\"data\":" data    \
    "}\n"

static void a_test_is_read_as_events_and_expectations(void **state)
{
    (void)state;
    assert_string_equal(
        read_tests("tests = {\n"
                   "  { 'one', at = '2025-11-01', given = {\n"
                   "      { 'lead', who = 't1' },\n"
                   "      { 'lead', '2025-10-01', many = {}, by = {} },\n"
                   "      { 'lead', as = 'school/7', many = { 'a', 'b' }, by = { ['school/1'] = { "
                   "'x' } } },\n"
                   "      { 'met', '2025-10-02T10:00:00Z' } },\n"
                   "    expect = { b = true, a = 'x', n = 2.5, none = null }, missing = { 'q', "
                   "'p', 'q' } },\n"
                   "}"),
        "national/pack.lua:8: one about school/100001 at 2025-11-01T00:00:00.000000Z\n" EVENT(
            "1", "2025-10-31T00:00:00.000000Z", "lead", "school/100001",
            "{\"who\":\"t1\"}") EVENT("2", "2025-09-30T23:00:00.000000Z", "lead", "school/100001",
                                      "{\"by\":{},\"many\":[]}")
            EVENT("3", "2025-09-30T23:00:00.000000Z", "lead", "school/7",
                  "{\"by\":{\"school/1\":[\"x\"]},\"many\":[\"a\",\"b\"]}")
                EVENT("4", "2025-10-02T10:00:00.000000Z", "met", "group/test",
                      "{}") "  a = \"x\"\n  b = true\n  n = 2.5\n  none = null\n  missing [p q]\n");
}

static void a_test_may_be_about_another_subject(void **state)
{
    (void)state;
    assert_string_equal(
        read_tests("tests = { { 'one', subject = 'group/g', at = '2025-11-01', given = {},"
                   " expect = {}, missing = {} } }"),
        "national/pack.lua:7: one about group/g at 2025-11-01T00:00:00.000000Z\n"
        "  missing []\n");
}

static void what_is_malformed_is_told_and_the_others_are_read(void **state)
{
    (void)state;
    assert_string_equal(
        read_tests("tests = {\n"
                   " 'no test',\n"
                   " { at = '2025-11-01', given = {}, expect = {} },\n"
                   " { 'a', given = {}, expect = {} },\n"
                   " { 'b', at = '1 May', given = {}, expect = {} },\n"
                   " { 'c', at = '2025-11-01', expect = {} },\n"
                   " { 'd', at = '2025-11-01', given = {} },\n"
                   " { 'e', at = '2025-11-01', given = { {} }, expect = {} },\n"
                   " { 'f', at = '2025-11-01', given = { { 'laed' } }, expect = {} },\n"
                   " { 'g', at = '2025-11-01', given = { { 'lead', 5 } }, expect = {} },\n"
                   " { 'h', at = '2025-11-01', given = {}, expect = { 5 } },\n"
                   " { 'i', at = '2025-11-01', given = {}, expect = { a = {} } },\n"
                   " { 'j', at = '2025-11-01', given = {}, expect = {}, missing = 'x' },\n"
                   " { 'k', at = '2025-11-01', given = {}, expect = {}, missing = { {} } },\n"
                   " { 'l', at = '2025-11-01', given = {}, expect = {}, mising = {} },\n"
                   " { 'm', at = '2025-11-01', given = {}, expect = {}, subject = 'scool/1' },\n"
                   " { 'good', at = '2025-11-01', given = {}, expect = {} },\n"
                   "}"),
        "national/pack.lua:8: test 1: found a text, expected { \"name\", given = {...}, at = "
        "..., "
        "expect = {...} }\n"
        "national/pack.lua:9: test 2: the test has no name; expected a sentence as its first "
        "entry\n"
        "national/pack.lua:10: test 3: a: at is missing; expected a date or a time as text\n"
        "national/pack.lua:11: test 4: b: at: found \"1 May\", expected a date such as 2026-11-21 "
        "or an "
        "RFC 3339 time: a date has four, two and two digits\n"
        "national/pack.lua:12: test 5: c: given is missing; expected a list of events\n"
        "national/pack.lua:13: test 6: d: expect is missing; expected a table of decisions and "
        "their "
        "values\n"
        "national/pack.lua:14: test 7: e: given 1: expected { \"event.type\", field = value ... }\n"
        "national/pack.lua:15: test 8: f: given 1: unknown event 'laed'; did you mean \"lead\"?\n"
        "national/pack.lua:16: test 9: g: time is a number; expected a date or a time as text\n"
        "national/pack.lua:17: test 10: h: expect: found a value without a name; expected decision "
        "= "
        "value\n"
        "national/pack.lua:18: test 11: i: expect.a is a table; expected a single value\n"
        "national/pack.lua:19: test 12: j: missing is a text; expected a list of names\n"
        "national/pack.lua:20: test 13: k: missing: entry 1 is a table; expected a name\n"
        "national/pack.lua:21: test 14: l: unknown key 'mising'; did you mean \"missing\"?\n"
        "national/pack.lua:22: test 15: m: subject: found \"scool/1\", expected school/URN, "
        "group/CODE or "
        "hub/CODE; did you mean \"school\"?\n"
        "national/pack.lua:23: good about school/100001 at 2025-11-01T00:00:00.000000Z\n");
}

static enum err_code stop(const struct pack_test *t, void *arg, struct err *e)
{
    ++*(int *)arg;
    return err_set(e, ERR_IO, "stopped at %s", t->name);
}

static void a_callback_that_fails_ends_the_reading(void **state)
{
    int count = 0;
    struct ruleset *rs = load_pack("return pack { name = 'test', tests = {\n"
                                   " { 'a', at = '2025-11-01', given = {}, expect = {} },\n"
                                   " { 'b', at = '2025-11-01', given = {}, expect = {} } } }");
    (void)state;
    assert_int_equal(ruleset_each_test(rs, stop, take_malformed, &count, &err), ERR_IO);
    assert_string_equal(err.msg, "stopped at a");
    assert_int_equal(count, 1);
    ruleset_free(rs);
}

TEST_MAIN(CASE(a_test_is_read_as_events_and_expectations),
          CASE(a_test_may_be_about_another_subject),
          CASE(what_is_malformed_is_told_and_the_others_are_read),
          CASE(a_callback_that_fails_ends_the_reading))
