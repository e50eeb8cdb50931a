/* test_debts.c - who holds up others waits for it, is told, and is trusted again. */
#include "tests/unit/engine/support.h"

#include "base/clock.h"
#include "engine/debts.h"

static const char NATIONAL[] =
    "return pack { name = 'national',\n"
    "events = { at = { title = 'A', subject = 'school', data = { hub = hub } } },\n"
    "facts = { school = { hub = hub } },\n"
    "on = { school = { at = function(s, e) s.hub = e.data.hub end } } }\n";

static struct log LOG;
static struct debts *D;
static struct world *W;
static struct fold NATION, HUB;

static int begin(void **state)
{
    static const char OVERLAY[] = "return overlay { hub = '07' }\n";
    const struct ruleset_file files[] = {
        { .path = "hubs/07/o.lua", .text = OVERLAY, .len = sizeof(OVERLAY) - 1 },
        { .path = "national/pack.lua", .text = NATIONAL, .len = sizeof(NATIONAL) - 1 },
    };
    (void)state;
    log_begin_files(&LOG, files, 2);
    put(&LOG, "a", "2025-01-01", "school/1", "at", "{\"hub\":\"07\"}");
    put(&LOG, "b", "2025-01-01", "school/2", "at", "{\"hub\":\"08\"}");
    W = view(&LOG, ALL, true);
    assert_ok(fold_subject(&HUB, LOG.rules, W, "school/1", at("2025-02-01"), &err));
    assert_ok(fold_subject(&NATION, LOG.rules, W, "school/2", at("2025-02-01"), &err));
    assert_ok(debts_new(&D, &err));
    return 0;
}

static int end(void **state)
{
    (void)state;
    debts_free(D);
    fold_fini(&HUB);
    fold_fini(&NATION);
    world_close(W);
    log_end(&LOG);
    return 0;
}

static const char *owing(void)
{
    static char text[100];
    debts_list(D, text, sizeof(text));
    return text;
}

static void a_slow_hub_owes_and_the_nation_never_does(void **state)
{
    (void)state;
    debts_charge(D, &NATION, 1000, true);
    assert_false(debts_are_owed(D));
    assert_string_equal(owing(), "");
    debts_charge(D, &HUB, 1000, true);
    assert_true(debts_are_owed(D));
    assert_string_equal(owing(), "07");
    assert_true(debts_must_wait(D, "school/1", "07"));
    assert_false(debts_must_wait(D, "school/2", "08"));
    assert_false(debts_must_wait(D, "school/3", NULL));
}

/* Each turn is paid for: nobody's comes before. */
static void one_at_a_time_after_a_wait(void **state)
{
    const int64_t hour = 3600000000;
    (void)state;
    debts_charge(D, &HUB, hour, true);
    assert_ok(debts_hold(D, "school/1", "07", &err));
    assert_ok(debts_hold(D, "school/1", "07", &err)); /* once is enough */
    assert_ok(debts_hold(D, "school/9", "07", &err));
    assert_int_equal(debts_held(D), 2);
    int64_t now = clock_monotonic(), turn = debts_turn_at(D);
    assert_true(turn > now + 20 * hour);
    assert_null(debts_next(D, turn - 1));
    assert_string_equal(debts_next(D, turn), "school/1");
    assert_false(debts_must_wait(D, "school/1", "07")); /* its turn */
    assert_true(debts_must_wait(D, "school/9", "07"));
    assert_null(debts_next(D, turn));
    debts_charge(D, &HUB, 0, false); /* it was quick: the next one may come */
    assert_string_equal(debts_next(D, turn), "school/9");
    assert_int_equal(debts_held(D), 0);
}

static void a_hub_is_trusted_again_after_so_many_quick_ones_in_a_row(void **state)
{
    int quick = 0;
    (void)state;
    debts_charge(D, &HUB, 1, true);
    for (; debts_are_owed(D) && quick < 100; quick++)
        debts_charge(D, &HUB, 0, false);
    assert_in_range(quick, 2, 99);
    debts_charge(D, &HUB, 1, true);
    for (int i = 0; i < quick - 1; i++)
        debts_charge(D, &HUB, 0, false);
    debts_charge(D, &HUB, 1, true); /* the row begins anew */
    debts_charge(D, &HUB, 0, false);
    assert_true(debts_are_owed(D));
    assert_string_equal(owing(), "07");
}

static void other_rules_forgive_and_a_new_beginning_only_releases(void **state)
{
    (void)state;
    debts_charge(D, &HUB, 1, true);
    assert_ok(debts_hold(D, "school/1", "07", &err));
    debts_release(D);
    assert_int_equal(debts_held(D), 0);
    assert_int_equal(debts_turn_at(D), INT64_MAX);
    assert_true(debts_are_owed(D));
    debts_forgive(D);
    assert_false(debts_are_owed(D));
    assert_string_equal(owing(), "");
    assert_false(debts_must_wait(D, "school/1", "07"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
TEST_MAIN(EACH(a_slow_hub_owes_and_the_nation_never_does), EACH(one_at_a_time_after_a_wait),
          EACH(a_hub_is_trusted_again_after_so_many_quick_ones_in_a_row),
          EACH(other_rules_forgive_and_a_new_beginning_only_releases))
