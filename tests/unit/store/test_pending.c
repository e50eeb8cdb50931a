/* test_pending.c - subjects that are left for later, and the events that they wait with. */
#include "tests/unit/store/support.h"

static void take(struct store *s, const char *subject, const char *expected)
{
    char *events;
    assert_ok(pending_take(&events, s, subject, &err));
    if (expected)
        assert_string_equal(events, expected);
    else
        assert_null(events);
    free(events);
}

static void events_gather_until_the_subject_is_taken_off(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    assert_ok(store_begin(s, &err));
    assert_int_equal(pending_count(s), 0);
    assert_false(pending_has(s, "school/1"));
    take(s, "school/1", NULL);
    assert_ok(pending_add(s, "school/1", "3", &err));
    assert_ok(pending_add(s, "school/1", "4,7", &err));
    assert_ok(pending_add(s, "school/2", "5", &err));
    assert_int_equal(pending_count(s), 2);
    assert_true(pending_has(s, "school/1"));
    assert_false(pending_has(s, "school/3"));
    take(s, "school/1", "3,4,7");
    take(s, "school/1", NULL);
    assert_false(pending_has(s, "school/1"));
    assert_int_equal(pending_count(s), 1);
    assert_ok(pending_add(s, "school/1", "9", &err)); /* anew */
    take(s, "school/1", "9");
    assert_ok(store_commit(s, &err));
    store_close(s);
}

/* One that is taken off is so in its table too. */
static void what_waits_is_the_same_after_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    assert_ok(store_begin(s, &err));
    assert_ok(pending_add(s, "school/1", "3", &err));
    assert_ok(pending_add(s, "school/2", "3", &err));
    assert_ok(store_commit(s, &err));
    assert_ok(store_begin(s, &err));
    assert_ok(pending_add(s, "school/1", "5,6", &err));
    take(s, "school/2", "3");
    assert_ok(store_commit(s, &err));
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_int_equal(pending_count(s), 1);
    assert_true(pending_has(s, "school/1"));
    assert_false(pending_has(s, "school/2"));
    assert_ok(store_begin(s, &err));
    take(s, "school/1", "3,5,6");
    assert_ok(store_commit(s, &err));
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_int_equal(pending_count(s), 0);
    store_close(s);
}

static void a_rollback_brings_back_what_waited(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    assert_ok(store_begin(s, &err));
    assert_ok(pending_add(s, "school/1", "3", &err));
    assert_ok(store_commit(s, &err));
    assert_ok(store_begin(s, &err));
    take(s, "school/1", "3");
    assert_ok(pending_add(s, "school/2", "4", &err));
    undo(s);
    assert_int_equal(pending_count(s), 1);
    assert_ok(store_begin(s, &err));
    take(s, "school/1", "3");
    assert_ok(store_commit(s, &err));
    store_close(s);
}

TEST_MAIN(CASE(events_gather_until_the_subject_is_taken_off),
          SCRATCH(what_waits_is_the_same_after_a_reopen), CASE(a_rollback_brings_back_what_waited))
