/* test_watch.c - waiting for the feed: nobody stops short of its end, whatever has been said of its
 * growth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch.h"

/* A host with a feed of so many entries, which answers when the test says so. */
struct feed {
    int64_t head;
    int asked;
    int64_t after; /* of the question that waits */
    int limit;
    pw_changes_fn *done; /* NULL: none waits */
    void *arg;
};

static enum pw_status ask_changes(void *ctx, int64_t after, int limit, pw_changes_fn *done,
                                  void *arg)
{
    struct feed *f = ctx;

    assert_null(f->done);
    f->asked++;
    f->after = after;
    f->limit = limit;
    f->done = done;
    f->arg = arg;
    return PW_OK;
}

/* Answer what was asked as the feed is now; its head is said as it was `then`. */
static void answer(struct feed *f, int64_t then)
{
    struct pw_change items[200];
    struct pw_changes page = { .status = PW_OK, .head = then, .items = items };
    pw_changes_fn *done = f->done;

    assert_non_null(done);
    for (int64_t seq = f->after + 1; seq <= then && page.count < (size_t)f->limit; seq++)
        items[page.count++] = (struct pw_change){ .seq = seq, .json = "{}", .len = 2 };
    f->done = NULL;
    done(f->arg, &page);
}

struct reader {
    struct watcher watcher;
    int pages, empty;
};

static void on_page(struct watcher *w, const struct pw_changes *page, bool is_ahead)
{
    struct reader *r = (struct reader *)w;

    assert_false(is_ahead);
    r->pages++;
    r->empty += page->count == 0;
    if (page->count > 0)
        w->after = page->items[page->count - 1].seq;
}

struct world {
    uv_loop_t loop;
    struct pw_host host;
    struct feed feed;
    struct server server;
    struct reader reader;
};

static int set_up(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    uv_loop_init(&w->loop);
    w->host = (struct pw_host){ .ctx = &w->feed, .changes = ask_changes };
    w->server.host = &w->host;
    w->server.loop = &w->loop;
    uv_timer_init(&w->loop, &w->server.watch);
    w->server.watch.data = &w->server;
    w->reader.watcher = (struct watcher){
        .server = &w->server, .limit = 100, .due_ms = uv_now(&w->loop) + 3600000, .page = on_page
    };
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    uv_close((uv_handle_t *)&w->server.watch, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    test_free(w);
    return 0;
}

static void who_has_one_page_of_several_is_given_the_next_though_nothing_grows(void **state)
{
    struct world *w = *state;
    struct reader *r = &w->reader;

    w->feed.head = 250; /* nobody has said so: it has not grown since the daemon started */
    for (int page = 1; page <= 3; page++) {
        watch(&r->watcher);
        assert_int_equal(w->feed.asked, page);
        answer(&w->feed, 250);
        assert_int_equal(r->pages, page);
    }
    assert_int_equal(r->watcher.after, 250);
    watch(&r->watcher);
    assert_int_equal(w->feed.asked, 3); /* it is known that there is no more */
    watch_changed(&w->server, 251);
    assert_int_equal(w->feed.asked, 4);
    answer(&w->feed, 251);
    assert_int_equal(r->watcher.after, 251);
    assert_int_equal(r->empty, 0);
}

static void what_comes_while_the_question_is_on_its_way_is_asked_for_again(void **state)
{
    struct world *w = *state;
    struct reader *r = &w->reader;

    r->watcher.after = 10;
    watch(&r->watcher);
    watch_changed(&w->server, 11);
    answer(&w->feed, 10); /* read before that was written */
    assert_int_equal(r->pages, 0);
    assert_int_equal(w->feed.asked, 2);
    answer(&w->feed, 11);
    assert_int_equal(r->watcher.after, 11);
}

static void who_stops_has_everybody_answered(void **state)
{
    struct world *w = *state;

    watch(&w->reader.watcher);
    answer(&w->feed, 0);
    assert_int_equal(w->reader.pages, 0);
    watch_stop(&w->server);
    assert_int_equal(w->reader.empty, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            who_has_one_page_of_several_is_given_the_next_though_nothing_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_comes_while_the_question_is_on_its_way_is_asked_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_stops_has_everybody_answered, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
