/* test_advise.c - advice: sets of events that make a decision true earlier than any part of them
 * does, and earlier than time alone. */
#include "tests/unit/engine/one_log.h"

#include "engine/advise.h"

/* `a`, `b` and `c` are what can be done; what is to be waited for, and what is shut, is not. */
static const char PACK[] =
    "local function has_come(s, on) return on ~= nil and s:reached(midnight(on)) end\n"
    "local function is_due(s) return has_come(s, s.on) end\n"
    "local function count(s) return (s.a and 1 or 0) + (s.b and 1 or 0) + (s.c and 1 or 0) end\n"
    "return pack { name = 'test', events = {\n"
    "  a = { title = 'A', subject = 'school', data = {}, advice = 'Do a.' },\n"
    "  b = { title = 'B', subject = 'school', data = {}, advice = 'Do b.' },\n"
    "  c = { title = 'C', subject = 'school', data = {}, advice = 'Do c.' },\n"
    "  wait = { title = 'W', subject = 'school', data = { on = date } },\n"
    "  hold = { title = 'H', subject = 'school', data = { to = date } },\n"
    "  shut = { title = 'S', subject = 'school', data = { shut = bool } } },\n"
    "facts = { school = { a = bool, b = bool, c = bool, on = date, to = date, moved = bool,\n"
    "  shut = bool } },\n"
    "on = { school = { a = function(s) s.a = true end, b = function(s) s.b = true end,\n"
    "  c = function(s) s.c = true end, wait = function(s, e) s.on = e.data.on end,\n"
    "  hold = function(s, e) s.to = e.data.to end, shut = function(s, e) s.shut = e.data.shut end "
    "} "
    "},\n"
    "moves = { school = { moved = once(function(s) return has_come(s, s.to) end) } },\n"
    "rules = {\n"
    "  due = rule { 'It is due', source = 's', is_due },\n"
    "  moved_on = rule { 'It has moved', source = 's', function(s) return s.moved == true end },\n"
    "  a_done = rule { 'A is done', source = 's', function(s) return s.a == true end },\n"
    "  both = all_of { 'Due, and a is done', source = 's', 'due', 'a_done' },\n"
    "  either = any_of { 'Due, or a is done', source = 's', 'due', 'a_done' },\n"
    "  is_shut = rule { 'It is shut', source = 's', function(s) return s.shut == true end },\n"
    "  soon = rule { 'It is not due yet', source = 's', function(s) return not is_due(s) end },\n"
    "  open = unless { 'It is open', source = 's', 'is_shut' },\n"
    "  blocked = all_of { 'Open, and a is done', source = 's', 'open', 'a_done' },\n"
    "  before = all_of { 'A is done, and it is not due yet', source = 's', 'soon', 'a_done' },\n"
    "  shut_or_a = any_of { 'Shut, or a is done', source = 's', 'is_shut', 'a_done' },\n"
    "  odd = rule { 'An odd number of them', source = 's', function(s)\n"
    "    local n = count(s) return is_due(s) and n % 2 == 1 end } } }";

#define NOW   "2026-01-01T12:00:00Z"
#define DUE   "2026-03-01"
#define UNTIL "2026-06-01"

static const char *day(int64_t t)
{
    static char text[TIME_TEXT];

    if (t == TIME_NEVER || t == at(NOW))
        return t == TIME_NEVER ? "never" : "now";
    time_text(t, text);
    text[sizeof(DUE) - 1] = '\0';
    return text;
}

/* What is in the way: "due by DAY, not is_shut!, a_done": with ! what nothing that can be done
 * touches. */
static void say_obstacles(char *to, size_t size, const struct advice *a)
{
    size_t len = 0;

    for (int i = 0; i < a->obstacle_count; i++) {
        const struct obstacle *o = &a->obstacles[i];
        bool comes = o->comes_at != TIME_NEVER;
        len += (size_t)snprintf(to + len, size - len, "%s%s%s%s%s%s", i ? ", " : "",
                                o->is_wanted ? "" : "not ", o->rule, o->is_reachable ? "" : "!",
                                comes ? " by " : "", comes ? day(o->comes_at) : "");
    }
}

static char in_the_way[400];

/* "by itself DAY: a b from DAY; ..."; what is in the way is left in `in_the_way`. */
static const char *advice(const char *decision, const char *until)
{
    static char said[2000];
    struct world *w = view(&LOG, ALL, false);
    struct arena arena = { 0 };
    struct advice a = { .world = w,
                        .rules = LOG.rules,
                        .arena = &arena,
                        .note_key = store_note_key(LOG.store),
                        .subject = "school/1",
                        .decision = decision,
                        .at = at(NOW),
                        .until = at(until) };

    assert_ok(advise(&a, &err));
    assert_true(a.is_complete);
    size_t len = (size_t)snprintf(said, sizeof(said), "%s", day(a.true_at));
    for (int i = 0; i < a.set_count; i++) {
        len += (size_t)snprintf(said + len, sizeof(said) - len, i ? ";" : ":");
        for (int k = 0; k < a.sets[i].count; k++)
            len += (size_t)snprintf(said + len, sizeof(said) - len, " %c", a.sets[i].titles[k][3]);
        len += (size_t)snprintf(said + len, sizeof(said) - len, " %s", day(a.sets[i].true_at));
    }
    say_obstacles(in_the_way, sizeof(in_the_way), &a);
    arena_fini(&arena);
    world_close(w);
    return said;
}

static void wait_for(const char *date)
{
    char data[40];
    snprintf(data, sizeof(data), "{\"on\":\"%s\"}", date);
    put(&LOG, "w", "2025-12-01", "school/1", "wait", data);
}

/* A moment that rules wait for. */
static void time_alone_is_an_answer(void **state)
{
    (void)state;
    wait_for(DUE);
    assert_string_equal(advice("due", UNTIL), DUE);
    assert_string_equal(advice("due", DUE), DUE); /* on the last moment looked at */
    assert_string_equal(advice("due", "2026-02-28T23:59:59.999999Z"), "never");
}

static void so_is_a_move_that_time_brings(void **state)
{
    (void)state;
    put(&LOG, "h", "2025-12-01", "school/1", "hold", "{\"to\":\"" DUE "\"}");
    assert_string_equal(advice("moved_on", UNTIL), DUE);
    assert_string_equal(advice("moved_on", DUE), DUE);
    assert_string_equal(advice("moved_on", "2026-02-28T23:59:59.999999Z"), "never");
}

static void so_is_an_event_that_lies_ahead(void **state)
{
    (void)state;
    wait_for(DUE);
    put(&LOG, "ahead", "2026-02-01", "school/1", "a", "{}");
    assert_string_equal(advice("a_done", UNTIL), "2026-02-01: a now");
    assert_string_equal(advice("both", UNTIL), DUE); /* nothing makes it so earlier */
}

static void events_that_need_time_too_are_told_with_the_day(void **state)
{
    (void)state;
    wait_for(DUE);
    assert_string_equal(advice("both", UNTIL), "never: a " DUE);
    assert_string_equal(in_the_way, "a_done, due! by " DUE);
    assert_string_equal(advice("either", UNTIL), DUE ": a now");
    assert_string_equal(advice("both", "2026-02-01"), "never"); /* it is not due by then */
    assert_string_equal(in_the_way, "a_done, due!");
}

/* A register, an inspector: whoever sends what is no advice. */
static void what_somebody_else_must_change_is_in_the_way_of_all(void **state)
{
    (void)state;
    put(&LOG, "shut", "2025-12-01", "school/1", "shut", "{\"shut\":true}");
    assert_string_equal(advice("blocked", UNTIL), "never");
    assert_string_equal(in_the_way, "a_done, not is_shut!, open!");
    put(&LOG, "opens", "2026-02-01", "school/1", "shut", "{\"shut\":false}");
    put(&LOG, "shuts", "2026-03-01", "school/1", "shut", "{\"shut\":true}");
    put(&LOG, "again", "2026-04-01", "school/1", "shut", "{\"shut\":false}");
    assert_string_equal(advice("blocked", UNTIL), "never: a 2026-02-01");
    assert_string_equal(in_the_way, "a_done, not is_shut! by 2026-02-01, open! by 2026-02-01");
}

static void what_need_not_be_is_not_in_the_way(void **state)
{
    (void)state;
    put(&LOG, "open", "2025-12-01", "school/1", "shut", "{\"shut\":false}");
    assert_string_equal(advice("shut_or_a", UNTIL), "never: a now");
    assert_string_equal(in_the_way, "a_done, is_shut!");
}

/* It was so until then. */
static void what_time_has_taken_away_is_in_the_way(void **state)
{
    (void)state;
    wait_for("2025-12-02");
    assert_string_equal(advice("before", UNTIL), "never");
    assert_string_equal(in_the_way, "a_done, soon!");
}

/* All three would do as one of them does, and no two of them: what a part does well is looked for
 * down to the smallest. */
static void no_part_of_a_part_does_as_well(void **state)
{
    (void)state;
    wait_for(DUE);
    assert_string_equal(advice("odd", UNTIL), "never: a " DUE "; b " DUE "; c " DUE);
    put(&LOG, "done", "2025-12-02", "school/1", "a", "{}");
    assert_string_equal(advice("odd", UNTIL), DUE); /* b and c are no better than nothing */
}

#define ADVISE_CASE(fn) LOG_CASE(fn, PACK)

TEST_MAIN(ADVISE_CASE(time_alone_is_an_answer), ADVISE_CASE(so_is_a_move_that_time_brings),
          ADVISE_CASE(so_is_an_event_that_lies_ahead),
          ADVISE_CASE(events_that_need_time_too_are_told_with_the_day),
          ADVISE_CASE(what_somebody_else_must_change_is_in_the_way_of_all),
          ADVISE_CASE(what_need_not_be_is_not_in_the_way),
          ADVISE_CASE(what_time_has_taken_away_is_in_the_way),
          ADVISE_CASE(no_part_of_a_part_does_as_well))
