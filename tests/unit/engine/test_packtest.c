/* test_packtest.c - the tests of a pack are run through the same doors as real events, and a
 * failure says what was expected, what came, and why. */
#include "tests/unit/lua/support.h"

#include "engine/packtest.h"

static struct buf seen;

static void take_test(const char *name, const char *where, const char *detail, void *arg)
{
    (void)arg;
    buf_printf(&seen, "%s: %s: %s", where, name, detail ? "FAILED\n" : "passed\n");
    if (detail)
        buf_str(&seen, detail);
}

/* `tests` begin in line 13. */
static const char *run(const char *tests, size_t passed, size_t failed)
{
    static char result[4096];
    char text[4096];
    struct packtest_counts counts;
    snprintf(text, sizeof(text),
             "return pack { name = 'test', params = { few = 2 }, events = {\n"
             "  lead = { title = 'L', subject = 'school', data = { who = person } },\n"
             "  bad = { title = 'B', subject = 'school', data = {} } },\n"
             "facts = { school = { leads = set(person) } },\n"
             "on = { school = { lead = function(s, e) s.leads:add(e.data.who) end,\n"
             "  bad = function(s, e) error('too bad') end } },\n"
             "rules = {\n"
             "  two = rule { 'Two leads', source = 's', needs = at_least('few'), function(s) "
             "return #s.leads end },\n"
             "  any = rule { 'Any', source = 's', function(s) return #s.leads > 0 end },\n"
             "  fails = rule { 'Fails', source = 's', function(s) error('oh') end },\n"
             "  none = rule { 'None', source = 's', function(s) return nil end } },\n"
             "tests = {\n"
             "%s } }",
             tests);
    struct rulebook *rs = load_rulebook(text);
    assert_ok(packtest_run(&counts, rs, take_test, NULL, &err));
    snprintf(result, sizeof(result), "%s", buf_cstr(&seen));
    buf_fini(&seen);
    rulebook_free(rs);
    assert_int_equal(counts.passed, passed);
    assert_int_equal(counts.failed, failed);
    return result;
}

#define AT        "at = '2025-11-01', "
#define LEAD(who) "{ 'lead', who = '" who "' }"

static void what_is_expected_and_comes_passes(void **state)
{
    (void)state;
    assert_string_equal(run("{ 'none', " AT "given = {}, expect = { two = false, none = null } },\n"
                            "{ 'two', " AT "given = { " LEAD("a") ", " LEAD(
                                "b") " }, expect = { two = true, any = true } },\n"
                                     "{ 'missing', " AT "given = {}, expect = { two = false, any = "
                                     "false }, missing = { 'two', 'any' } }",
                            3, 0),
                        "national/pack.lua:13: none: passed\n"
                        "national/pack.lua:14: two: passed\n"
                        "national/pack.lua:15: missing: passed\n");
}

static void a_failure_shows_what_was_expected_what_came_and_why(void **state)
{
    (void)state;
    assert_string_equal(
        run("{ 'wrong', " AT "given = { " LEAD("a") " }, expect = { two = true } }", 0, 1),
        "national/pack.lua:13: wrong: FAILED\n"
        "  two: expected true, found false\n"
        "[no]  Two leads: 1, needed at least 2  (two, national/pack.lua:8)\n");
}

static void what_is_missing_is_compared_as_a_whole(void **state)
{
    (void)state;
    assert_string_equal(
        run("{ 'less', " AT
            "given = {}, expect = { two = false, any = false }, missing = { 'two' } }",
            0, 1),
        "national/pack.lua:13: less: FAILED\n"
        "  missing: expected \"two\", found \"any two\"\n"
        "[no]  Any  (any, national/pack.lua:9)\n"
        "[no]  Two leads: 0, needed at least 2  (two, national/pack.lua:8)\n");
}

static void an_event_that_the_door_refuses_fails_the_test(void **state)
{
    (void)state;
    assert_string_equal(run("{ 'name', " AT
                            "given = { { 'lead', who = 'Ann Lee' } }, expect = { any = true } },\n"
                            "{ 'good', " AT "given = {}, expect = { any = false } }",
                            1, 1),
                        "national/pack.lua:13: name: FAILED\n"
                        "  given 1: data.who: found \"Ann Lee\", expected a person's key (1 to 64 "
                        "of a-z 0-9 . _ -): "
                        "keep names and addresses out of the log: choose a key and store the name "
                        "with `pathway person "
                        "set KEY`\n"
                        "national/pack.lua:14: good: passed\n");
}

static void a_fault_of_a_reducer_fails_the_test(void **state)
{
    (void)state;
    assert_string_equal(
        run("{ 'bad', " AT "given = { { 'bad' } }, expect = { any = false } }", 0, 1),
        "national/pack.lua:13: bad: FAILED\n"
        "  national/pack.lua:6: too bad\n");
}

static void a_rule_that_fails_is_shown_with_its_message(void **state)
{
    (void)state;
    assert_string_equal(run("{ 'oh', " AT "given = {}, expect = { fails = true } }", 0, 1),
                        "national/pack.lua:13: oh: FAILED\n"
                        "  fails: expected true, found error \"national/pack.lua:10: oh\"\n"
                        "  national/pack.lua:10: oh\n");
}

static void a_decision_that_is_not_there_fails_the_test(void **state)
{
    (void)state;
    assert_string_equal(run("{ 'tow', " AT "given = {}, expect = { tow = true } }", 0, 1),
                        "national/pack.lua:13: tow: FAILED\n"
                        "  expect: there is no decision 'tow' about school/100001; did "
                        "you mean \"two\"?\n");
}

static void a_test_that_is_malformed_fails_and_the_others_run(void **state)
{
    (void)state;
    assert_string_equal(run("{ 'when', given = {}, expect = {} },\n"
                            "{ 'good', " AT "given = {}, expect = { any = false } }",
                            1, 1),
                        "national/pack.lua:13: test 1: when: FAILED\n"
                        "  at is missing; expected a date or a time as text\n"
                        "national/pack.lua:14: good: passed\n");
}

TEST_MAIN(CASE(what_is_expected_and_comes_passes),
          CASE(a_failure_shows_what_was_expected_what_came_and_why),
          CASE(what_is_missing_is_compared_as_a_whole),
          CASE(an_event_that_the_door_refuses_fails_the_test),
          CASE(a_fault_of_a_reducer_fails_the_test),
          CASE(a_rule_that_fails_is_shown_with_its_message),
          CASE(a_decision_that_is_not_there_fails_the_test),
          CASE(a_test_that_is_malformed_fails_and_the_others_run))
