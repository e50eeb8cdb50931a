/* test_parts.c - a large request is done when its last part is, with the first error. */
#include "tests/unit/harness.h"

#include "host/parts.h"

static int finished;

static void finish(struct job *job)
{
    (void)job;
    finished++;
}

static int set_up(void **state)
{
    (void)state;
    finished = 0;
    return 0;
}

static void what_is_small_or_no_events_stays_whole(void **state)
{
    (void)state;
    struct job small = { .kind = JOB_TAKE, .count = 10 }, ping = { .kind = JOB_PING };
    assert_ptr_equal(parts_of(&small, 10), &small);
    assert_ptr_equal(parts_of(&ping, 10), &ping);
    parts_free(&small, &small);
}

static void parts_hold_every_event_and_byte_once_and_in_order(void **state)
{
    (void)state;
    struct take items[25];
    struct job whole = { .kind = JOB_TAKE, .items = items, .count = 25, .bytes = 1000 };
    struct job *parts = parts_of(&whole, 10);
    size_t events = 0, bytes = 0;

    assert_non_null(parts);
    for (const struct job *p = parts; p; p = p->next) {
        assert_int_equal(p->kind, JOB_TAKE);
        assert_ptr_equal(p->items, items + events);
        assert_in_range(p->count, 1, 10);
        events += p->count;
        bytes += p->bytes;
    }
    assert_int_equal(events, 25);
    assert_int_equal(bytes, 1000);
    parts_free(parts, &whole);
}

static void the_whole_is_done_with_its_last_part(void **state)
{
    (void)state;
    struct take items[25];
    struct job whole = { .kind = JOB_TAKE, .items = items, .count = 25, .done = finish };
    struct job *first = parts_of(&whole, 10);

    assert_non_null(first);
    struct job *second = first->next, *third = second->next;
    second->done(second);
    first->done(first);
    assert_int_equal(finished, 0);
    third->done(third);
    assert_int_equal(finished, 1);
    assert_int_equal(whole.code, OK);
}

static void the_first_error_is_the_whole_s(void **state)
{
    (void)state;
    struct take items[30];
    struct job whole = { .kind = JOB_TAKE, .items = items, .count = 30, .done = finish };
    struct job *first = parts_of(&whole, 10);

    assert_non_null(first);
    struct job *second = first->next, *third = second->next;
    first->done(first);
    second->code = err_set(&second->err, ERR_IO, "the disk is full");
    second->done(second);
    third->code = err_set(&third->err, ERR_STORE, "another");
    third->done(third);
    assert_int_equal(finished, 1);
    assert_int_equal(whole.code, ERR_IO);
    assert_string_equal(whole.err.msg, "the disk is full");
}

TEST_MAIN(CASE(what_is_small_or_no_events_stays_whole),
          CASE_WITH(parts_hold_every_event_and_byte_once_and_in_order, set_up, NULL),
          CASE_WITH(the_whole_is_done_with_its_last_part, set_up, NULL),
          CASE_WITH(the_first_error_is_the_whole_s, set_up, NULL))
