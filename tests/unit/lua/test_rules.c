/* test_rules.c - rules: what they need, criteria, waivers, dated parameters, failures, what they
 * wait for. */
#include "tests/unit/lua/support.h"

#define SOURCE ", source = 'here'"

static struct ruleset *RS;
static struct record *R;

/* A pack of these sections and a record of a school. */
static void begin(const char *sections)
{
    char text[8192];
    snprintf(
        text, sizeof(text),
        "return pack { name = 'test', events = {\n"
        "  lead = { title = 'Lead', subject = 'school', data = { who = person } },\n"
        "  grant = { title = 'Waived', subject = 'school', data = { rule = text, last = "
        "optional(date) } },\n"
        "  end_it = { title = 'Ended', subject = 'school', data = { rule = text } },\n"
        "  set = { title = 'Set', subject = 'school', data = { at = optional(time), n = "
        "optional(int), word = optional(text), yes = optional(bool) } },\n"
        "},\n"
        "facts = { school = { leads = set(person), at = time, n = int, word = text, yes = bool } "
        "},\n"
        "on = { school = {\n"
        "  lead = function(s, e) s.leads:add(e.data.who) end,\n"
        "  grant = function(s, e) s:waive { rule = e.data.rule, last_day = e.data.last } end,\n"
        "  end_it = function(s, e) s:end_waivers(e.data.rule) end,\n"
        "  set = function(s, e) for _, k in ipairs { 'at', 'n', 'word', 'yes' } do\n"
        "    if e.data[k] ~= nil then s[k] = e.data[k] end end end,\n"
        "} },\n"
        "%s }\n", /* line 15 */
        sections);
    RS = load_pack(text);
    R = new_record(RS, SCHOOL);
}

static void end(void)
{
    record_free(R);
    ruleset_free(RS);
}

static void set(const char *data)
{
    take_event(R, "set", "2025-01-01", data);
}

static void needs_compare_numbers_and_texts(void **state)
{
    (void)state;
    begin(
        "params = { few = 2, what = 'b' }, rules = {\n"
        "  two = rule { 'Two', needs = at_least('few')" SOURCE
        ", function(s) return #s.leads end },\n"
        "  most = rule { 'Most', needs = at_most(1)" SOURCE ", function(s) return #s.leads end },\n"
        "  same = rule { 'Same', needs = equal_to(1)" SOURCE
        ", function(s) return #s.leads end },\n"
        "  is_b = rule { 'B', needs = equal_to('what')" SOURCE
        ", function(s) return s.word end },\n"
        "  from_b = rule { 'From B', needs = at_least('what')" SOURCE
        ", function(s) return s.word end },\n"
        "  wrong = rule { 'Wrong', needs = at_least(2)" SOURCE ", function(s) return 'two' end },\n"
        "}");
    assert_decision(R, "2025-01-01", "two", "false");
    assert_decision(R, "2025-01-01", "most", "true");
    assert_decision(R, "2025-01-01", "same", "false");
    assert_decision(R, "2025-01-01", "is_b", "false"); /* nothing meets no need */
    assert_decision(R, "2025-01-01", "from_b", "false");
    assert_decision(
        R, "2025-01-01", "wrong",
        "error \"national/pack.lua:21: rule wrong gave a text, which can not be compared "
        "with a number, which it needs\"");
    take_event(R, "lead", "2025-01-01", "{\"who\":\"a\"}");
    assert_decision(R, "2025-01-01", "same", "true");
    take_event(R, "lead", "2025-01-01", "{\"who\":\"b\"}");
    set("{\"word\":\"c\"}");
    assert_decision(R, "2025-01-01", "two", "true");
    assert_decision(R, "2025-01-01", "most", "false");
    assert_decision(R, "2025-01-01", "is_b", "false");
    assert_decision(R, "2025-01-01", "from_b", "true");
    end();
}

static void a_decision_has_the_value_that_its_function_gives(void **state)
{
    (void)state;
    begin("rules = {\n"
          "  text_ = rule { 'T'" SOURCE ", function(s) return s.word end },\n"
          "  number_ = rule { 'N'" SOURCE ", function(s) return 2.5 end },\n"
          "  nan_ = rule { 'N'" SOURCE ", function(s) return 0 / 0 end },\n"
          "  int_ = rule { 'I'" SOURCE ", function(s) return 7 end },\n"
          "  table_ = rule { 'T'" SOURCE ", function(s) return {} end },\n"
          "  set_ = rule { 'T'" SOURCE ", function(s) return s.leads end },\n"
          "  n = shown { 'N'" SOURCE " }, word = shown { 'W'" SOURCE " }, at = shown { 'At'" SOURCE
          " },\n"
          "  truthy = rule { 'T', waivable = true" SOURCE ", function(s) return s.n end },\n"
          "}, alerts = { ring = alert { 'R'" SOURCE ", function(s) return s.n end } }");
    assert_decision(R, "2025-01-01", "text_", "null");
    assert_decision(R, "2025-01-01", "n", "null");
    assert_decision(R, "2025-01-01", "truthy", "false");
    assert_decision(R, "2025-01-01", "ring", "false");
    set("{\"word\":\"a \\\"b\\\"\",\"n\":3,\"at\":\"2025-01-01T00:00:00Z\"}");
    assert_decision(R, "2025-01-01", "text_", "\"a \\\"b\\\"\"");
    assert_decision(R, "2025-01-01", "number_", "2.5");
    assert_decision(R, "2025-01-01", "nan_",
                    "error \"national/pack.lua:18: rule nan_ gave no number (0 divided by 0); "
                    "expected a number, or nothing\"");
    assert_decision(R, "2025-01-01", "int_", "7");
    assert_decision(R, "2025-01-01", "n", "3");
    assert_decision(R, "2025-01-01", "word", "\"a \\\"b\\\"\"");
    assert_decision(R, "2025-01-01", "at", "\"2025-01-01T00:00:00.000000Z\"");
    assert_decision(
        R, "2025-01-01", "truthy",
        "error \"national/pack.lua:23: truthy gave 3; expected true or false: compare it, "
        "as in ... >= 2, or ask whether it is there: ... ~= nil\"");
    assert_decision(
        R, "2025-01-01", "ring",
        "error \"national/pack.lua:24: ring gave 3; expected true or false: compare it, as "
        "in ... >= 2, or ask whether it is there: ... ~= nil\"");
    assert_decision(
        R, "2025-01-01", "table_",
        "error \"national/pack.lua:20: rule table_ gave a table; expected true, false, a "
        "number, a text or nothing\"");
    assert_true(judge(R, "2025-01-01", "set_").is_error);
    end();
}

/* A number or a text would count as true, whatever it is; nothing counts as false. */
static void a_criterion_is_a_yes_or_no(void **state)
{
    (void)state;
    begin("rules = {\n"
          "  count = rule { 'C'" SOURCE ", function(s) return #s.leads end },\n"
          "  words = rule { 'W'" SOURCE ", function(s) return s.word end },\n"
          "  all_ = all_of { 'A',\n"
          "    'yes_',\n"
          "    'count'" SOURCE " },\n"
          "  any_ = any_of { 'A', 'words'" SOURCE " },\n"
          "  none_ = unless { 'N', 'half'" SOURCE " },\n"
          "  yes_ = criterion { 'Y', function(s) return true end },\n"
          "  half = rule { 'H'" SOURCE ", function(s) return 0.5 end },\n"
          "  one = criterion { 'O', function(s) return 'x' end },\n"
          "  of_one = all_of { 'O', 'one'" SOURCE " } }");
    assert_decision(
        R, "2025-01-01", "all_",
        "error \"national/pack.lua:20: all_ asks whether count is met, and that gave 0; "
        "expected true or false: name a rule here that compares it, or give it needs = "
        "at_least(...)\"");
    assert_decision(R, "2025-01-01", "any_", "false");
    set("{\"word\":\"yes\"}");
    assert_decision(
        R, "2025-01-01", "any_",
        "error \"national/pack.lua:21: any_ asks whether words is met, and that gave "
        "\\\"yes\\\"; expected true or false: name a rule here that compares it, or give it "
        "needs = at_least(...)\"");
    assert_decision(
        R, "2025-01-01", "none_",
        "error \"national/pack.lua:22: none_ asks whether half is met, and that gave 0.5; "
        "expected true or false: name a rule here that compares it, or give it needs = "
        "at_least(...)\"");
    assert_decision(
        R, "2025-01-01", "of_one",
        "error \"national/pack.lua:25: one gave \\\"x\\\"; expected true or false: compare "
        "it, as in ... == \\\"open\\\", or ask whether it is there: ... ~= nil\"");
    end();
}

/* All criteria are evaluated, so that each can fail, and be explained, whatever the first
 * one said. */
static void every_criterion_is_evaluated(void **state)
{
    (void)state;
    begin("rules = {\n"
          "  yes_ = criterion { 'Y', function(s) return true end },\n"
          "  no_ = criterion { 'N', function(s) return false end },\n"
          "  bad_ = criterion { 'B', function(s) error('seen') end },\n"
          "  all_a = all_of { 'All', 'no_', 'bad_'" SOURCE " },\n"
          "  any_a = any_of { 'Any', 'yes_', 'bad_'" SOURCE " },\n"
          "  none_a = unless { 'None', 'yes_', 'bad_'" SOURCE " },\n"
          "  all_t = all_of { 'All', 'yes_', 'yes_'" SOURCE
          " }, all_f = all_of { 'All', 'yes_', 'no_'" SOURCE " },\n"
          "  any_t = any_of { 'Any', 'no_', 'yes_'" SOURCE
          " }, any_f = any_of { 'Any', 'no_'" SOURCE " },\n"
          "  none_t = unless { 'None', 'no_', 'no_'" SOURCE
          " }, none_f = unless { 'None', 'no_', 'yes_'" SOURCE " },\n"
          "}");
    const char *SEEN = "error \"national/pack.lua:18: seen\"";
    assert_decision(R, "2025-01-01", "all_a", SEEN);
    assert_decision(R, "2025-01-01", "any_a", SEEN);
    assert_decision(R, "2025-01-01", "none_a", SEEN);
    assert_decision(R, "2025-01-01", "all_t", "true");
    assert_decision(R, "2025-01-01", "all_f", "false");
    assert_decision(R, "2025-01-01", "any_t", "true");
    assert_decision(R, "2025-01-01", "any_f", "false");
    assert_decision(R, "2025-01-01", "none_t", "true");
    assert_decision(R, "2025-01-01", "none_f", "false");
    end();
}

static void count_names(const struct judged *j, void *arg)
{
    char *names = arg;
    strcat(strcat(names, j->name), j->is_error ? "! " : " ");
}

static void a_rule_that_fails_is_an_answer_and_the_others_go_on(void **state)
{
    char names[400] = "";
    int count = 0;
    (void)state;

    begin("rules = {\n"
          "  a = rule { 'A'" SOURCE ", function(s) return s.z end },\n"
          "  b = rule { 'B'" SOURCE ", function(s) return true end },\n"
          "  c = criterion { 'C', function(s) return true end },\n"
          "  d = rule { 'D'" SOURCE ", function(s) return nil + 1 end },\n"
          "  z = rule { 'Z'" SOURCE ", function(s) return s.d end },\n"
          "  g = rule { 'G', of = 'group'" SOURCE ", function(g) return 1 end },\n"
          "}");
    assert_ok(record_judge(R, at("2025-01-01"), count_names, names, &err));
    assert_string_equal(names, "a! b d! z! ");
    const char *NIL = "error \"national/pack.lua:19: a value is nothing here, and can not be "
                      "calculated with; where it may be missing, write (... or 0)\"";
    assert_decision(R, "2025-01-01", "z", NIL);
    assert_decision(R, "2025-01-01", "a", NIL);
    assert_decision(R, "2025-01-01", "b", "true");
    const char *const *decisions = ruleset_decisions(RS, SUBJECT_SCHOOL, &count);
    assert_int_equal(count, 4);
    assert_string_equal(decisions[3], "z");
    assert_ptr_equal(ruleset_decisions(RS, SUBJECT_SCHOOL, &count), decisions); /* made once */
    assert_int_equal(count, 4);
    end();
}

/* Names that are made when a rule runs: what stands in its text is found when the pack is
 * loaded. */
static void rules_that_read_each_other_in_a_circle_say_so(void **state)
{
    (void)state;
    begin("rules = {\n"
          "  a = rule { 'A'" SOURCE ", function(s) return s['b' .. ''] end },\n"
          "  b = all_of { 'B', 'c'" SOURCE " },\n"
          "  c = rule { 'C'" SOURCE ", function(s) return not s.a end },\n"
          "  d = rule { 'D'" SOURCE ", function(s) return s['d' .. ''] end },\n"
          "  e = rule { 'E'" SOURCE ", function(s) return 1 end },\n"
          "}");
    assert_decision(R, "2025-01-01", "a",
                    "error \"national/pack.lua:16: rule a reads itself: a -> b -> c -> a\"");
    assert_decision(R, "2025-01-01", "c",
                    "error \"national/pack.lua:16: rule a reads itself: a -> b -> c -> a\"");
    assert_decision(R, "2025-01-01", "d",
                    "error \"national/pack.lua:19: rule d reads itself: d -> d\"");
    assert_decision(R, "2025-01-01", "e", "1");
    end();
}

static void rules_that_read_each_other_very_deep_say_so(void **state)
{
    char text[8192] = "rules = {\n";
    (void)state;

    for (int i = 10; i < 90; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "r%d = rule { 'R', source = 's', function(s) return s.r%d end },\n", i, i + 1);
    strcat(text, "r90 = rule { 'R', source = 's', function(s) return 1 end } }");
    begin(text);
    assert_decision(R, "2025-01-01", "r10",
                    "error \"national/pack.lua:80: rules read each other more than 64 deep\"");
    assert_decision(R, "2025-01-01", "r50", "1");
    end();
}

static void a_waiver_makes_a_rule_true_until_its_last_day_has_ended(void **state)
{
    (void)state;
    begin("rules = {\n"
          "  plain = rule { 'P', waivable = true" SOURCE ", function(s) return s.yes end },\n"
          "  number_ = rule { 'N', waivable = true, needs = at_least(2)" SOURCE
          ", function(s) return #s.leads end },\n"
          "  all_ = all_of { 'A', 'plain', 'number_', waivable = true" SOURCE " },\n"
          "  fixed = rule { 'F'" SOURCE ", function(s) return s.plain end },\n"
          "}");
    take_event(R, "grant", "2025-01-01", "{\"rule\":\"plain\",\"last\":\"2025-03-31\"}");
    assert_decision(R, "2025-01-01", "plain", "true");
    assert_decision(R, "2025-03-31T22:59:59.999999Z", "plain", "true"); /* summer time has begun */
    assert_decision(R, "2025-03-31T23:00:00Z", "plain", "false");
    assert_decision(R, "2025-02-01", "fixed", "true"); /* wherever it is read */
    assert_string_equal(time_of(judge(R, "2025-02-01", "plain").wake),
                        "2025-03-31T23:00:00.000000Z");
    assert_string_equal(time_of(judge(R, "2025-02-01", "fixed").wake),
                        "2025-03-31T23:00:00.000000Z");
    assert_string_equal(time_of(judge(R, "2025-04-01", "plain").wake), "never");

    take_event(R, "grant", "2025-01-02", "{\"rule\":\"number_\"}"); /* without end */
    assert_decision(R, "2035-01-01", "number_", "true");
    assert_string_equal(time_of(judge(R, "2025-01-03", "number_").wake), "never");
    assert_decision(R, "2025-02-01", "all_", "true");
    assert_decision(R, "2025-04-02", "all_", "false");
    take_event(R, "end_it", "2025-01-03", "{\"rule\":\"number_\"}");
    assert_decision(R, "2025-02-01", "number_", "false");
    assert_decision(R, "2025-02-01", "plain", "true"); /* another rule's waivers stay */

    take_event(R, "grant", "2025-01-04", "{\"rule\":\"all_\",\"last\":\"2025-02-10\"}");
    take_event(R, "grant", "2025-01-04", "{\"rule\":\"all_\",\"last\":\"2025-02-20\"}");
    assert_decision(R, "2025-02-15", "all_", "true"); /* of several, any that stands */
    assert_decision(R, "2025-02-21", "all_", "false");
    end();
}

static void a_waiver_of_a_rule_that_can_not_be_waived_does_nothing(void **state)
{
    (void)state;
    begin("rules = { fixed = rule { 'F'" SOURCE ", function(s) return s.yes end } }");
    take_event(R, "grant", "2025-01-01", "{\"rule\":\"fixed\"}");
    take_event(R, "grant", "2025-01-01", "{\"rule\":\"nothing_of_that_name\"}");
    assert_decision(R, "2025-01-02", "fixed", "false");
    assert_string_equal(facts_of(R), "{\"waivers\":[{\"rule\":\"fixed\"},{\"rule\":\"nothing_of_"
                                     "that_name\"}],\"yes\":false}");
    end();
}

static void a_parameter_has_the_value_of_the_moment_asked_about(void **state)
{
    (void)state;
    begin("params = { p = { 1, from = { ['2025-04-01'] = 2, ['2025-09-01'] = 3 } } }, rules = {\n"
          "  p_now = rule { 'P'" SOURCE ", function(s) return s.param.p end },\n"
          "  met = rule { 'M', needs = at_least('p')" SOURCE ", function(s) return 2 end },\n"
          "}");
    assert_decision(R, "2020-01-01", "p_now", "1");
    assert_string_equal(time_of(judge(R, "2020-01-01", "p_now").wake),
                        "2025-03-31T23:00:00.000000Z");
    assert_decision(R, "2025-03-31T23:00:00Z", "p_now",
                    "2"); /* a day begins at midnight in London */
    assert_string_equal(time_of(judge(R, "2025-04-01", "met").wake), "2025-08-31T23:00:00.000000Z");
    assert_decision(R, "2025-08-31", "met", "true");
    assert_decision(R, "2025-09-01", "met", "false");
    assert_string_equal(time_of(judge(R, "2025-09-01", "met").wake), "never");
    end();
}

/* A rule that fails waits for what it had asked for: it may succeed then. */
static void a_failing_rule_keeps_its_wake(void **state)
{
    (void)state;
    begin("rules = {\n"
          "  a = rule { 'A'" SOURCE
          ", function(s) if not s:reached(s.at) then error('too early') end return 1 end },\n"
          "  b = rule { 'B'" SOURCE ", function(s) return s.a end },\n"
          "}");
    set("{\"at\":\"2025-06-01T00:00:00Z\"}");
    assert_true(judge(R, "2025-02-01", "a").is_error);
    assert_string_equal(time_of(judge(R, "2025-02-01", "a").wake), "2025-06-01T00:00:00.000000Z");
    assert_string_equal(time_of(judge(R, "2025-02-01", "b").wake), "2025-06-01T00:00:00.000000Z");
    assert_decision(R, "2025-07-01", "b", "1");
    end();
}

TEST_MAIN(CASE(needs_compare_numbers_and_texts),
          CASE(a_decision_has_the_value_that_its_function_gives), CASE(a_criterion_is_a_yes_or_no),
          CASE(every_criterion_is_evaluated),
          CASE(a_rule_that_fails_is_an_answer_and_the_others_go_on),
          CASE(rules_that_read_each_other_in_a_circle_say_so),
          CASE(rules_that_read_each_other_very_deep_say_so),
          CASE(a_waiver_makes_a_rule_true_until_its_last_day_has_ended),
          CASE(a_waiver_of_a_rule_that_can_not_be_waived_does_nothing),
          CASE(a_parameter_has_the_value_of_the_moment_asked_about),
          CASE(a_failing_rule_keeps_its_wake))
