/* test_known.c - an answer is told again only while nothing has happened. */
#include "tests/unit/harness.h"

#include "base/civil.h"
#include "host/known.h"

#define NOW (1000 * US_PER_S)

static const struct known_state STATE = {
    .commits = 7, .generation = 2, .now = NOW, .next_wake = NOW + US_PER_DAY
};
static const char PARAMS[] = "{\"subject\":\"school/100001\"}";

static struct known *k;

static int set_up(void **state)
{
    (void)state;
    k = known_new();
    known_keep(k, PARAMS, &STATE, "{\"seq\":1}", 9);
    return k ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    known_free(k);
    return 0;
}

static bool is_known(const char *params, struct known_state now)
{
    size_t len = 0;
    const char *text = known_find(k, params, &now, &len);

    if (text) {
        assert_int_equal(len, 9);
        assert_memory_equal(text, "{\"seq\":1}", 9);
    }
    return text != NULL;
}

static void it_is_told_again_while_nothing_happens(void **state)
{
    struct known_state later = STATE;

    (void)state;
    assert_true(is_known(PARAMS, STATE));
    later.now += 9 * US_PER_S;
    assert_true(is_known(PARAMS, later));
    assert_false(is_known("{\"subject\":\"school/100002\"}", STATE));
    assert_false(is_known("{\"subject\":\"school/10000\"}", STATE));
}

static void a_commit_other_rules_and_a_moment_that_came_end_it(void **state)
{
    struct known_state other = STATE;

    (void)state;
    other.commits++;
    assert_false(is_known(PARAMS, other));
    other = STATE;
    other.generation++;
    assert_false(is_known(PARAMS, other));
    other = STATE;
    other.next_wake = other.now;
    assert_false(is_known(PARAMS, other));
    other = STATE;
    other.now += 10 * US_PER_S;
    assert_false(is_known(PARAMS, other));
    other = STATE;
    other.now--;
    assert_false(is_known(PARAMS, other));
}

static void only_what_is_asked_about_now_is_kept(void **state)
{
    (void)state;
    assert_true(known_keeps("subject", PARAMS));
    assert_false(known_keeps("history", PARAMS));
    assert_false(known_keeps("subject", "{\"subject\":\"school/1\",\"at\":\"2025-01-01\"}"));
    assert_false(known_keeps("subject", "{\"subject\":\"school/1\",\"known\":\"2025-01-01\"}"));
    assert_false(known_keeps("subject", "{\"subject\":\"school/1\",\"rules\":\"current\"}"));
}

static void many_never_get_each_others(void **state)
{
    char params[64], text[16];
    size_t len, found = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(params, sizeof(params), "{\"subject\":\"school/%d\"}", i);
        snprintf(text, sizeof(text), "%d", i);
        known_keep(k, params, &STATE, text, strlen(text));
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(params, sizeof(params), "{\"subject\":\"school/%d\"}", i);
        snprintf(text, sizeof(text), "%d", i);
        const char *told = known_find(k, params, &STATE, &len);
        if (told)
            assert_string_equal(told, text);
        found += told != NULL;
    }
    assert_in_range(found, 100, 1024);
}

static void without_memory_nothing_is_known(void **state)
{
    size_t len;

    (void)state;
    known_keep(NULL, PARAMS, &STATE, "{}", 2);
    assert_null(known_find(NULL, PARAMS, &STATE, &len));
    known_free(NULL);
}

TEST_MAIN(CASE_WITH(it_is_told_again_while_nothing_happens, set_up, tear_down),
          CASE_WITH(a_commit_other_rules_and_a_moment_that_came_end_it, set_up, tear_down),
          CASE_WITH(only_what_is_asked_about_now_is_kept, set_up, tear_down),
          CASE_WITH(many_never_get_each_others, set_up, tear_down),
          CASE(without_memory_nothing_is_known))
