/* test_moment.c - a mark stays while nothing has happened, and never comes again. */
#include "tests/unit/harness.h"

#include "base/civil.h"
#include "host/moment.h"

#define NOW (1000 * US_PER_S)

static const struct moment_state STATE = {
    .commits = 7, .generation = 2, .now = NOW, .next_wake = NOW + US_PER_DAY
};

static void it_stays_while_nothing_happens(void **state)
{
    struct moment m = { 0 };
    struct moment_state later = STATE;
    uint64_t mark = moment_mark(&m, &STATE);

    (void)state;
    assert_true(mark > 0);
    later.now += 9 * US_PER_S;
    assert_true(moment_mark(&m, &later) == mark);
    assert_true(moment_mark(&m, &STATE) == mark);
}

static void a_commit_other_rules_and_ten_seconds_end_it(void **state)
{
    struct moment_state ends[4] = { STATE, STATE, STATE, STATE };

    (void)state;
    ends[0].commits++;
    ends[1].generation++;
    ends[2].now += 10 * US_PER_S;
    ends[3].now--; /* a clock that was put back */
    for (size_t i = 0; i < 4; i++) {
        struct moment m = { 0 };
        uint64_t mark = moment_mark(&m, &STATE), other = moment_mark(&m, &ends[i]);
        assert_true(other > mark);
        assert_true(moment_mark(&m, &ends[i]) == other);
    }
}

static void what_was_before_gets_a_new_one(void **state)
{
    struct moment m = { 0 };
    struct moment_state other = STATE;
    uint64_t mark = moment_mark(&m, &STATE);

    (void)state;
    other.commits++;
    uint64_t second = moment_mark(&m, &other);
    assert_true(moment_mark(&m, &STATE) > second);
    assert_true(second > mark);
}

static void nothing_may_be_kept_while_a_moment_is_due(void **state)
{
    struct moment m = { 0 };
    struct moment_state due = STATE;

    (void)state;
    moment_mark(&m, &STATE);
    due.next_wake = due.now;
    assert_true(moment_mark(&m, &due) == 0);
}

TEST_MAIN(CASE(it_stays_while_nothing_happens), CASE(a_commit_other_rules_and_ten_seconds_end_it),
          CASE(what_was_before_gets_a_new_one), CASE(nothing_may_be_kept_while_a_moment_is_due))
