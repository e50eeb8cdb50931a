/* test_queue.c - the bounds and the order of the queue in front of the engine thread. */
#include "tests/unit/harness.h"

#include "host/queue.h"

static struct queue q;

static int set_up(void **state)
{
    (void)state;
    return queue_init(&q, 10, 1000, &err) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    queue_fini(&q);
    return 0;
}

static void gives_jobs_back_in_order(void **state)
{
    (void)state;
    struct job a = { .count = 1 }, b = { .count = 2 }, c = { .kind = JOB_PING };
    assert_ok(queue_put(&q, &a, &err));
    assert_ok(queue_put(&q, &b, &err));
    assert_ok(queue_put(&q, &c, &err));
    assert_int_equal(queue_events(&q), 4);
    struct job *jobs = queue_take(&q, QUEUE_SMALL, 100);
    assert_ptr_equal(jobs, &a);
    assert_ptr_equal(a.next, &b);
    assert_ptr_equal(b.next, &c);
    assert_null(c.next);
    assert_int_equal(queue_events(&q), 0);
    assert_null(queue_take(&q, QUEUE_SMALL, 100));
}

static void takes_no_more_events_than_a_group_holds(void **state)
{
    (void)state;
    struct job a = { .count = 3 }, b = { .count = 3 }, c = { .count = 3 };
    assert_ok(queue_put(&q, &a, &err));
    assert_ok(queue_put(&q, &b, &err));
    assert_ok(queue_put(&q, &c, &err));
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 6), &a);
    assert_ptr_equal(a.next, &b);
    assert_null(b.next);
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 1),
                     &c); /* one job is always taken, however large */
}

static void refuses_what_is_over_its_bounds(void **state)
{
    (void)state;
    struct job a = { .count = 8 }, b = { .count = 3 }, c = { .count = 1, .bytes = 2000 };
    assert_ok(queue_put(&q, &a, &err));
    assert_int_equal(queue_put(&q, &b, &err), ERR_BUSY);
    assert_string_equal(err.msg, "the queue is full: 8 events of at most 10 wait");
    assert_int_equal(queue_put(&q, &c, &err), ERR_BUSY);
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &a);
    assert_ok(queue_put(&q, &b, &err));
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &b);
}

static void takes_all_of_a_chain_or_none_of_it(void **state)
{
    (void)state;
    struct job waiting = { .count = 1 }, b = { .count = 8 }, a = { .count = 8, .next = &b };
    assert_ok(queue_put(&q, &waiting, &err));
    assert_int_equal(queue_put(&q, &a, &err), ERR_BUSY);
    assert_ptr_equal(a.next, &b);
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &waiting);
    assert_ok(queue_put(&q, &a, &err));
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 8), &a);
    assert_null(a.next);
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 8), &b);
    assert_int_equal(queue_events(&q), 0);
}

static void small_ones_do_not_wait_behind_large_ones(void **state)
{
    (void)state;
    struct job large = { .count = 17 }, small = { .count = 1 };
    q.max_events = 100;
    assert_ok(queue_put(&q, &large, &err));
    assert_ok(queue_put(&q, &small, &err));
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &small);
    assert_null(small.next);
    assert_null(queue_take(&q, QUEUE_SMALL, 100));
    assert_ptr_equal(queue_take(&q, QUEUE_LARGE, 100), &large);
}

static void what_was_taken_counts_no_more(void **state)
{
    (void)state;
    struct job a = { .count = 8, .bytes = 900 }, b = { .count = 8, .bytes = 900 };
    struct job small = { .count = 1, .bytes = 90 };
    assert_ok(queue_put(&q, &a, &err));
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &a);
    assert_ok(queue_put(&q, &small, &err));
    assert_ok(queue_put(&q, &b, &err));
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &small);
}

static void takes_any_job_when_empty(void **state)
{
    (void)state;
    struct job huge = { .count = 500, .bytes = 1 << 20 };
    assert_ok(queue_put(&q, &huge, &err));
    assert_null(queue_take(&q, QUEUE_SMALL, 1));
    assert_ptr_equal(queue_take(&q, QUEUE_LARGE, 1), &huge);
}

static void drains_after_closing(void **state)
{
    (void)state;
    struct job a = { .count = 1 }, late = { .count = 1 };
    assert_ok(queue_put(&q, &a, &err));
    queue_close(&q);
    assert_int_equal(queue_put(&q, &late, &err), ERR_BUSY);
    assert_false(queue_is_finished(&q));
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &a);
    assert_true(queue_is_finished(&q));
    queue_await(&q, QUEUE_FOREVER); /* does not wait for what can not come */
}

static void put_later(void *arg)
{
    struct err why;
    uv_sleep(20);
    if (queue_put(&q, arg, &why) != OK)
        abort();
}

static void wakes_who_waits(void **state)
{
    (void)state;
    uv_thread_t thread;
    struct job a = { .count = 1 };
    assert_int_equal(uv_thread_create(&thread, put_later, &a), 0);
    queue_await(&q, QUEUE_FOREVER);
    assert_ptr_equal(queue_take(&q, QUEUE_SMALL, 100), &a);
    uv_thread_join(&thread);
}

#define QUEUE_CASE(fn) CASE_WITH(fn, set_up, tear_down)
TEST_MAIN(QUEUE_CASE(gives_jobs_back_in_order), QUEUE_CASE(takes_no_more_events_than_a_group_holds),
          QUEUE_CASE(refuses_what_is_over_its_bounds), QUEUE_CASE(what_was_taken_counts_no_more),
          QUEUE_CASE(small_ones_do_not_wait_behind_large_ones),
          QUEUE_CASE(takes_all_of_a_chain_or_none_of_it), QUEUE_CASE(takes_any_job_when_empty),
          QUEUE_CASE(drains_after_closing), QUEUE_CASE(wakes_who_waits))
