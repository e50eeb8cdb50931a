/* test_forecast.c - what is foreseen: what changes after `from`, up to and including `until`, of
 * whoever belongs to a hub at `from`, wherever it goes. */
#include "tests/unit/engine/support.h"

#include "engine/forecast.h"

static const char NATIONAL[] =
    "return pack { name = 'national', events = {\n"
    "  at = { title = 'It came to a hub', subject = 'school', data = { hub = hub, name = "
    "optional(text) } },\n"
    "  due = { title = 'Due', subject = 'school', data = { on = date } },\n"
    "  go = { title = 'It went', subject = 'school', data = { n = int } } },\n"
    "facts = { school = { hub = hub, name = text, due = date, total = initially(0, int) } },\n"
    "on = { school = { at = function(s, e) s.hub, s.name = e.data.hub, e.data.name end,\n"
    "  due = function(s, e) s.due = e.data.on end,\n"
    "  go = function(s, e) s.total = s.total + e.data.n end } },\n"
    "rules = {\n"
    "  lapsed = rule { 'It has lapsed', source = 's', function(s)\n"
    "    return s.due ~= nil and s:reached(midnight(s.due)) end },\n"
    "  total = shown { 'Total', source = 's' } } }\n";
static const char AT_07[] =
    "return overlay { hub = '07', rules = { h07_some = rule { 'Some', source = 's', function(s)\n"
    "  return s.total > 0 end } } }\n";

static struct log LOG;

static int setup(void **state)
{
    const struct ruleset_file files[] = {
        { .path = "hubs/07/o.lua", .text = AT_07, .len = sizeof(AT_07) - 1 },
        { .path = "national/pack.lua", .text = NATIONAL, .len = sizeof(NATIONAL) - 1 },
    };
    (void)state;
    log_begin_files(&LOG, files, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_end(&LOG);
    return 0;
}

/* What is foreseen of school/1: a line "day decision old -> new, why" for each change. */
static const char *foreseen(const char *hub, const char *from, const char *until)
{
    static char text[4000];
    struct world *w = view(&LOG, ALL, false);
    struct arena arena = { 0 };
    struct foreseeing f = { .world = w,
                            .rules = LOG.rules,
                            .arena = &arena,
                            .hub = hub,
                            .from = at(from),
                            .until = at(until) };
    size_t len = 0;

    assert_ok(foresee(&f, "school/1", &err));
    text[0] = '\0';
    for (size_t i = 0; i < f.count; i++) {
        char time[TIME_TEXT];
        const struct foreseen *x = &f.items[i];
        assert_string_equal(x->subject, "school/1");
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.10s %s%s%s %s -> %s, %s\n",
                                time_text(x->time, time), x->name ? x->name : "",
                                x->name ? ": " : "", x->decision, x->old, x->now, x->why);
    }
    free(f.items);
    strmap_fini(&f.hubs);
    arena_fini(&arena);
    world_close(w);
    return text;
}

static void what_comes_on_until_itself_is_foreseen_and_what_has_come_is_not(void **state)
{
    static const char LAPSES[] = "2026-03-01 lapsed false -> true, time; read by lapsed\n";
    (void)state;

    put(&LOG, "due", "2026-01-01", "school/1", "due", "{\"on\":\"2026-03-01\"}");
    assert_string_equal(foreseen(NULL, "2026-02-01", "2026-03-01"), LAPSES);
    assert_string_equal(foreseen(NULL, "2026-02-01", "2026-02-28T23:59:59.999999Z"), "");
    assert_string_equal(foreseen(NULL, "2026-02-28T23:59:59.999999Z", "2026-04-01"), LAPSES);
    assert_string_equal(foreseen(NULL, "2026-03-01", "2026-04-01"), "");
}

static void an_event_that_lies_ahead_comes_on_until_too(void **state)
{
    (void)state;

    put(&LOG, "a", "2026-01-01", "school/1", "go", "{\"n\":1}");
    put(&LOG, "b", "2026-03-01", "school/1", "go", "{\"n\":2}");
    assert_string_equal(foreseen(NULL, "2026-02-01", "2026-03-01"),
                        "2026-03-01 total 1 -> 3, event go (s b); read by total\n");
    assert_string_equal(foreseen(NULL, "2026-02-01", "2026-02-28T23:59:59.999999Z"), "");
}

static void what_begins_after_from_is_told_as_it_differs_from_an_empty_record(void **state)
{
    (void)state;

    put(&LOG, "a", "2026-03-01", "school/1", "go", "{\"n\":5}");
    put(&LOG, "due", "2026-03-02", "school/1", "due", "{\"on\":\"2026-03-02\"}");
    assert_string_equal(foreseen(NULL, "2026-02-01", "2026-03-02"),
                        "2026-03-01 total 0 -> 5, event go (s a); read by total\n"
                        "2026-03-02 lapsed false -> true, event due (s due); read by lapsed\n");
    /* What it is at `from` is nothing new. */
    assert_string_equal(foreseen(NULL, "2026-03-01", "2026-03-01"), "");
}

static void what_leaves_a_hub_is_still_of_it_and_loses_what_only_that_decides(void **state)
{
    static const char LEAVES[] = "2026-03-01 Elm: h07_some true -> null, event at (s left)\n"
                                 "2026-04-01 Elm: total 5 -> 6, event go (s b); read by total\n";
    char all[sizeof(LEAVES) + 64];
    (void)state;

    put(&LOG, "came", "2026-01-01", "school/1", "at", "{\"hub\":\"07\",\"name\":\"Elm\"}");
    put(&LOG, "a", "2026-01-02", "school/1", "go", "{\"n\":5}");
    put(&LOG, "left", "2026-03-01", "school/1", "at", "{\"hub\":\"08\",\"name\":\"Elm\"}");
    put(&LOG, "b", "2026-04-01", "school/1", "go", "{\"n\":1}");
    snprintf(all, sizeof(all), "%s", foreseen(NULL, "2026-02-01", "2026-05-01"));
    assert_string_equal(all, LEAVES);
    assert_string_equal(foreseen("07", "2026-02-01", "2026-05-01"), all);
    assert_string_equal(foreseen("08", "2026-02-01", "2026-05-01"), ""); /* it comes later */
    assert_string_equal(foreseen("08", "2026-03-01", "2026-05-01"),
                        "2026-04-01 Elm: total 5 -> 6, event go (s b); read by total\n");
    /* One that begins after `from` is of the hub that it begins in. */
    assert_string_equal(foreseen("08", "2025-01-01", "2026-05-01"), "");
    assert_non_null(strstr(foreseen("07", "2025-01-01", "2026-05-01"), "h07_some false -> true"));
}

#define FORECAST_CASE(fn) CASE_WITH(fn, setup, teardown)

TEST_MAIN(FORECAST_CASE(what_comes_on_until_itself_is_foreseen_and_what_has_come_is_not),
          FORECAST_CASE(an_event_that_lies_ahead_comes_on_until_too),
          FORECAST_CASE(what_begins_after_from_is_told_as_it_differs_from_an_empty_record),
          FORECAST_CASE(what_leaves_a_hub_is_still_of_it_and_loses_what_only_that_decides))
