/* test_moves.c - facts that change by themselves: latched, gathered, the first of several; and
 * reducers. */
#include "tests/unit/lua/support.h"

static struct ruleset *RS;
static struct record *R;

static void begin(const char *sections)
{
    char text[8192];
    snprintf(text, sizeof(text),
             "return pack { name = 'test', events = {\n"
             "  set = { title = 'Set', subject = 'school', data = { at = optional(time), n = "
             "optional(int),\n"
             "    phase = optional(text), year = optional(year) } },\n"
             "  other = { title = 'Other', subject = 'school', data = {} },\n"
             "},\n"
             "facts = { school = { at = time, n = int, done = bool, years = set(year), in_years = "
             "set(year),\n"
             "  phase = initially('a', { 'a', 'b', 'c' }), entered = list(text), seen = list(text) "
             "} },\n"
             "params = { p = { 1, from = { ['2025-09-01'] = 2 } } },\n"
             "%s }\n", /* line 9 */
             sections);
    RS = load_pack(text);
    R = new_record(RS, SCHOOL);
}

#define ON_SET                                                                                     \
    "on = { school = { set = function(s, e)\n"                                                     \
    "  if e.data.at then s.at = e.data.at end if e.data.n then s.n = e.data.n end\n"               \
    "  if e.data.phase then s.phase = e.data.phase end\n"                                          \
    "  if e.data.year then s.in_years:add(e.data.year) end end } },\n"

static void end(void)
{
    record_free(R);
    ruleset_free(RS);
}

static void set(const char *time, const char *data)
{
    take_event(R, "set", time, data);
}

static void assert_facts(const char *expected)
{
    assert_string_equal(facts_of(R), expected);
}

/* The moves are asked on 1 January, and one at least fails. Returns when to ask next. */
static int64_t ask_in_vain(failed_move_fn *failed)
{
    int64_t wake = 0;
    count_steps(R);
    assert_int_equal(record_ask(&wake, R, at("2025-01-01"), false, failed, NULL, &err), ERR_RULE);
    return wake;
}

static void once_latches(void **state)
{
    (void)state;
    begin(ON_SET "moves = { school = { done = once(function(s) return s.n and s.n > 1 end) } },\n"
                 "rules = { done_since = rule { 'S', source = 's', function(s) return "
                 "s:since('done') end } }");
    assert_string_equal(time_of(ask(R, "2025-01-01")), "never");
    assert_facts("{\"done\":false,\"phase\":\"a\"}");
    assert_decision(R, "2025-01-01", "done_since", "null");
    set("2025-01-02", "{\"n\":2}");
    ask(R, "2025-01-02");
    assert_facts("{\"done\":true,\"n\":2,\"phase\":\"a\"}");
    set("2025-01-03", "{\"n\":0}");
    ask(R, "2025-01-03");
    assert_facts("{\"done\":true,\"n\":0,\"phase\":\"a\"}");
    assert_decision(R, "2025-01-03", "done_since", "1735776000000000"); /* 2 January */
    end();
}

static void gather_adds_and_never_takes_away(void **state)
{
    (void)state;
    begin(ON_SET "moves = { school = { years = gather(function(s)\n"
                 "  local list = {} for y in each(s.in_years) do\n"
                 "    if s:in_year(y) then list[#list + 1] = y end end return list end) } }");
    set("2024-10-01", "{\"year\":\"2025/26\"}");
    assert_string_equal(time_of(ask(R, "2024-10-01")), "2025-08-31T23:00:00.000000Z");
    assert_facts("{\"done\":false,\"in_years\":[\"2025/26\"],\"phase\":\"a\"}");
    assert_string_equal(time_of(ask(R, "2025-09-01")), "2026-08-31T23:00:00.000000Z");
    assert_facts(
        "{\"done\":false,\"in_years\":[\"2025/26\"],\"phase\":\"a\",\"years\":[\"2025/26\"]}");
    assert_string_equal(time_of(ask(R, "2026-09-01")), "never");
    assert_facts(
        "{\"done\":false,\"in_years\":[\"2025/26\"],\"phase\":\"a\",\"years\":[\"2025/26\"]}");
    end();
}

static void what_is_gathered_must_fit(void **state)
{
    (void)state;
    begin(ON_SET
          "moves = { school = { years = gather(function(s)\n"
          "  if s.n == 1 then return { '2025' } end if s.n == 2 then return 'x' end end) } }");
    set("2025-01-01", "{\"n\":1}");
    ask_in_vain(NULL);
    assert_string_equal(err.msg,
                        "national/pack.lua:13: years: found \"2025\", expected an academic "
                        "year such as 2024/25: it has four digits, a slash and two digits");
    set("2025-01-01", "{\"n\":2}");
    ask_in_vain(NULL);
    assert_string_equal(err.msg,
                        "national/pack.lua:13: years gave a text; expected a list of values");
    set("2025-01-01", "{\"n\":3}");
    assert_string_equal(time_of(ask(R, "2025-01-01")), "never");
    end();
}

#define STEPS                                                                                      \
    "moves = { school = { phase = first_of {\n"                                                    \
    "  { 'c', from = { 'b' }, function(s) return s.n and s.n >= 2 end,\n"                          \
    "    enter = function(s, at) s.entered:add('c ' .. day_of(at)) end },\n"                       \
    "  { 'b', from = { 'a' }, function(s) return s.n and s.n >= 1 end,\n"                          \
    "    enter = function(s, at) s.entered:add('b ' .. day_of(at)) end },\n"                       \
    "} } }"

static void the_first_step_that_holds_moves_from_where_it_may(void **state)
{
    (void)state;
    begin(ON_SET STEPS);
    ask(R, "2025-01-01");
    assert_facts("{\"done\":false,\"phase\":\"a\"}");
    set("2025-01-02", "{\"n\":1}");
    ask(R, "2025-01-02");
    assert_facts("{\"done\":false,\"entered\":[\"b 2025-01-02\"],\"n\":1,\"phase\":\"b\"}");
    ask(R, "2025-01-03"); /* it stays, and is not entered again */
    assert_facts("{\"done\":false,\"entered\":[\"b 2025-01-02\"],\"n\":1,\"phase\":\"b\"}");
    set("2025-01-04", "{\"n\":2}");
    ask(R, "2025-01-04");
    assert_facts(
        "{\"done\":false,\"entered\":[\"b 2025-01-02\",\"c 2025-01-04\"],\"n\":2,\"phase\":"
        "\"c\"}");
    end();
}

static void moves_are_asked_until_nothing_changes(void **state)
{
    (void)state;
    begin(ON_SET STEPS);
    set("2025-01-02", "{\"n\":5}"); /* a to b and on to c in one */
    ask(R, "2025-01-02");
    assert_facts(
        "{\"done\":false,\"entered\":[\"b 2025-01-02\",\"c 2025-01-02\"],\"n\":5,\"phase\":"
        "\"c\"}");
    set("2025-01-03", "{\"phase\":\"b\"}"); /* set back by hand: it moves again */
    ask(R, "2025-01-03");
    assert_facts("{\"done\":false,\"entered\":[\"b 2025-01-02\",\"c 2025-01-02\",\"c 2025-01-03\"],"
                 "\"n\":5,\"phase\":\"c\"}");
    end();
}

static void what_is_latched_is_asked_before_what_moves(void **state)
{
    (void)state;
    begin(ON_SET "moves = { school = {\n"
                 "  phase = first_of { { 'b', from = { 'a' }, function(s) return s.done and "
                 "#s.years > 0 end } },\n"
                 "  years = gather(function(s) return s.done and { '2024/25' } or nil end),\n"
                 "  done = once(function(s) return s.n == 1 end) } }");
    set("2025-01-02", "{\"n\":1}");
    ask(R, "2025-01-02");
    assert_facts("{\"done\":true,\"n\":1,\"phase\":\"b\",\"years\":[\"2024/25\"]}");
    end();
}

static void moves_that_go_round_in_circles_end_with_an_error(void **state)
{
    (void)state;

    begin("moves = { school = { phase = first_of {\n"
          "  { 'b', from = { 'a' }, function(s) return true end },\n"
          "  { 'a', from = { 'b' }, function(s) return true end } } } }");
    int64_t wake = ask_in_vain(NULL);
    assert_string_equal(err.msg, "national/pack.lua:9: the moves go round in circles: phase moves "
                                 "again and again");
    assert_int_equal(wake, TIME_NEVER);
    end();
}

static int failed_count;

static void count_failed(const struct failed_move *failed, void *arg)
{
    (void)arg;
    failed_count++;
    assert_string_equal(failed->name, "done");
    assert_false(failed->is_own);
}

static void a_move_that_fails_leaves_the_others_alone(void **state)
{
    (void)state;

    begin(ON_SET
          "moves = { school = {\n"
          "  done = once(function(s) if s.n == 1 then error 'no' end return s.n == 2 end),\n"
          "  years = gather(function(s) return s.n and { '2024/25' } or nil end),\n"
          "  phase = first_of { { 'b', from = { 'a' }, function(s) return #s.years > 0 end } "
          "} } }");
    set("2025-01-01", "{\"n\":1}");
    failed_count = 0;
    ask_in_vain(count_failed);
    assert_string_equal(err.msg, "national/pack.lua:14: no");
    assert_int_equal(failed_count, 1); /* asked once, however often the others move */
    assert_facts("{\"done\":false,\"n\":1,\"phase\":\"b\",\"years\":[\"2024/25\"]}");
    set("2025-01-02", "{\"n\":2}"); /* it is asked again at the next event */
    ask(R, "2025-01-02");
    assert_facts("{\"done\":true,\"n\":2,\"phase\":\"b\",\"years\":[\"2024/25\"]}");
    end();
}

static void a_move_that_fails_half_way_changes_nothing(void **state)
{
    (void)state;

    begin(ON_SET "moves = { school = {\n"
                 "  years = gather(function(s) return { '2024/25', s.phase ~= 'c' and 'x' or "
                 "'2025/26' } end),\n"
                 "  phase = first_of { { 'b', from = { 'a' }, function(s) return s.n ~= nil end,\n"
                 "    enter = function(s, at) s.entered:add('b') s.n = 7 "
                 "if #s.seen == 0 then error 'no' end end } } } }");
    set("2025-01-01", "{\"n\":1}");
    int64_t wake = ask_in_vain(NULL);
    assert_facts("{\"done\":false,\"n\":1,\"phase\":\"a\"}");
    assert_int_equal(wake, TIME_NEVER);
    end();
}

static void a_move_that_fails_says_where(void **state)
{
    (void)state;

    begin("moves = { school = { done = once(function(s)\n return nil + 1 end) } }");
    ask_in_vain(NULL);
    assert_string_equal(err.msg, "national/pack.lua:10: a value is nothing here, and can not be "
                                 "calculated with; where it may be missing, write (... or 0)");
    end();
    begin(ON_SET "moves = { school = {\n  done = once(function(s) return s.n end) } }");
    ask(R, "2025-01-01"); /* nothing is no */
    set("2025-01-01", "{\"n\":0}");
    ask_in_vain(NULL);
    assert_string_equal(err.msg,
                        "national/pack.lua:14: done gave 0; expected true or false: compare "
                        "it, as in ... >= 2, or ask whether it is there: ... ~= nil");
    assert_facts("{\"done\":false,\"n\":0,\"phase\":\"a\"}");
    end();
}

/* Only the earliest instant that was asked for and had not come, and none of what was asked before
 * a move. */
static void moves_wait_for_the_earliest_instant(void **state)
{
    (void)state;
    begin(
        ON_SET
        "moves = { school = {\n"
        "  done = once(function(s) return s.at and s:reached(s.at + days(10)) end),\n"
        "  phase = first_of {\n"
        "    { 'c', from = { 'b' }, function(s) return s.at and s:reached(s.at + days(30)) end },\n"
        "    { 'b', from = { 'a' }, function(s) return s.at and s:reached(s.at + days(20)) end } } "
        "} }");
    set("2025-01-01", "{\"at\":\"2025-01-01T12:00:00Z\"}");
    assert_string_equal(time_of(ask(R, "2025-01-02")), "2025-01-11T12:00:00.000000Z");
    assert_string_equal(time_of(ask(R, "2025-01-11T12:00:00Z")), "2025-01-21T12:00:00.000000Z");
    assert_facts("{\"at\":\"2025-01-01T12:00:00.000000Z\",\"done\":true,\"phase\":\"a\"}");
    assert_string_equal(time_of(ask(R, "2025-01-21T12:00:00Z")), "2025-01-31T12:00:00.000000Z");
    assert_string_equal(time_of(ask(R, "2025-01-31T12:00:00Z")), "never");
    assert_facts("{\"at\":\"2025-01-01T12:00:00.000000Z\",\"done\":true,\"phase\":\"c\"}");
    end();
}

static void moves_wait_for_a_change_of_a_parameter(void **state)
{
    (void)state;
    begin("moves = { school = { done = once(function(s) return s.param.p == 2 end) } }");
    assert_string_equal(time_of(ask(R, "2025-01-01")), "2025-08-31T23:00:00.000000Z");
    assert_string_equal(time_of(ask(R, "2025-09-01")), "never");
    assert_facts("{\"done\":true,\"phase\":\"a\"}");
    end();
}

/* What rules said before the move is forgotten, and asked again. */
static void moves_read_rules_as_they_are_after_a_move(void **state)
{
    (void)state;
    begin("rules = { in_a = rule { 'A', source = 's', function(s) return s.phase == 'a' end } },\n"
          "moves = { school = {\n"
          "  phase = first_of { { 'b', from = { 'a' }, function(s) return s.in_a end },\n"
          "    { 'c', from = { 'b' }, function(s) return s.in_a end } } } }");
    ask(R, "2025-01-01");
    assert_facts("{\"done\":false,\"phase\":\"b\"}");
    end();
}

/* ---- reducers ---- */

static void the_reducer_for_all_events_comes_last_and_leaves_out_what_it_says(void **state)
{
    (void)state;
    begin("on = { school = {\n"
          "  set = function(s, e) s.seen:add('set') end,\n"
          "  ['*'] = { function(s, e) s.seen:add('* ' .. e.type) end, except = { 'other', "
          "'event.voided' } },\n"
          "} }");
    set("2025-01-01", "{}");
    take_event(R, "other", "2025-01-01", "{}");
    take_event(R, "event.voided", "2025-01-01", "{\"source\":\"a\",\"id\":\"b\"}");
    assert_facts("{\"done\":false,\"phase\":\"a\",\"seen\":[\"set\",\"* set\"]}");
    end();
}

static void the_reducer_for_all_events_needs_no_exceptions(void **state)
{
    (void)state;
    begin("on = { school = { ['*'] = { function(s, e) s.seen:add(e.type) end } } }");
    set("2025-01-01", "{}");
    take_event(R, "other", "2025-01-01", "{}");
    assert_facts("{\"done\":false,\"phase\":\"a\",\"seen\":[\"set\",\"other\"]}");
    end();
    begin("on = { school = { ['*'] = function(s, e) s.seen:add(e.type) end } }");
    set("2025-01-01", "{}");
    assert_facts("{\"done\":false,\"phase\":\"a\",\"seen\":[\"set\"]}");
    end();
}

static void a_reducer_that_fails_says_where_and_the_record_stays_usable(void **state)
{
    (void)state;
    begin("on = { school = {\n"
          "  set = function(s, e) s.seen:add('half')\n s.n = e.data.phase end,\n"
          "  other = function(s, e) s.seen:add('other') end,\n"
          "} }");
    assert_string_equal(
        try_event(R, SCHOOL, "set", "2025-01-01", "{\"phase\":\"x\"}"),
        "national/pack.lua:11: n: found a text, expected a whole number from -1000000000000 to "
        "1000000000000");
    take_event(R, "other", "2025-01-02", "{}");
    assert_facts("{\"done\":false,\"phase\":\"a\",\"seen\":[\"half\",\"other\"]}");
    end();
}

static void an_event_that_the_packs_do_not_know_does_nothing(void **state)
{
    bool known = true;
    struct fold_event e = { .type = "long.gone", .source = "s", .id = "1", .subject = SCHOOL };
    (void)state;

    begin("");
    count_steps(R);
    assert_ok(record_apply(&known, R, &e, &err));
    assert_false(known);
    e.type = "other"; /* known, but nothing reduces it */
    count_steps(R);
    assert_ok(record_apply(&known, R, &e, &err));
    assert_true(known);
    end();
}

TEST_MAIN(CASE(once_latches), CASE(gather_adds_and_never_takes_away),
          CASE(what_is_gathered_must_fit), CASE(the_first_step_that_holds_moves_from_where_it_may),
          CASE(moves_are_asked_until_nothing_changes),
          CASE(what_is_latched_is_asked_before_what_moves),
          CASE(moves_that_go_round_in_circles_end_with_an_error),
          CASE(a_move_that_fails_leaves_the_others_alone),
          CASE(a_move_that_fails_half_way_changes_nothing), CASE(a_move_that_fails_says_where),
          CASE(moves_wait_for_the_earliest_instant), CASE(moves_wait_for_a_change_of_a_parameter),
          CASE(moves_read_rules_as_they_are_after_a_move),
          CASE(the_reducer_for_all_events_comes_last_and_leaves_out_what_it_says),
          CASE(the_reducer_for_all_events_needs_no_exceptions),
          CASE(a_reducer_that_fails_says_where_and_the_record_stays_usable),
          CASE(an_event_that_the_packs_do_not_know_does_nothing))
