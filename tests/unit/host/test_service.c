/* test_service.c - events and questions through both threads, over an engine in memory. */
#include "tests/unit/harness.h"

#include "host/service.h"
#include "tests/unit/host/fake_engine.h"

#define EVENT(id, teacher)                                                                         \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"s\",\"type\":\"lead.named\","         \
    "\"subject\":\"school/1\",\"time\":\"2025-01-01T00:00:00Z\",\"data\":{\"teacher\":\"" teacher  \
    "\"}}"

struct world {
    uv_loop_t loop;
    struct service *service;
    bool is_ready, has_failed, is_closed;
    int64_t feed_seq;
};

/* What one request was told. */
struct told {
    int times;
    enum pw_status status;
    size_t count;
    struct pw_event_result results[16];
    char detail[16][512];
    char text[4096];
};

static void on_ready(void *arg)
{
    ((struct world *)arg)->is_ready = true;
}

static void on_failed(void *arg, const struct err *why)
{
    (void)why;
    ((struct world *)arg)->has_failed = true;
}

static void on_changed(void *arg, int64_t seq)
{
    ((struct world *)arg)->feed_seq = seq;
}

static void on_closed(void *arg)
{
    ((struct world *)arg)->is_closed = true;
}

static void on_describe(void *arg, struct buf *out)
{
    (void)arg;
    buf_str(out, ",\"plugins\":[]");
}

static void on_submitted(void *arg, const struct pw_submit_result *result)
{
    struct told *t = arg;
    t->times++;
    t->status = result->status;
    t->count = result->count;
    snprintf(t->text, sizeof(t->text), "%s", result->error ? result->error : "");
    for (size_t i = 0; i < result->count && i < 16; i++) {
        t->results[i] = result->results[i];
        snprintf(t->detail[i], sizeof(t->detail[i]), "%s",
                 result->results[i].detail ? result->results[i].detail : "");
    }
}

static void on_answer(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct told *t = arg;
    t->times++;
    t->status = status;
    t->count = len;
    snprintf(t->text, sizeof(t->text), "%s", text);
}

#define RUN_UNTIL(w, condition)                                                                    \
    while (!(condition))                                                                           \
    uv_run(&(w)->loop, UV_RUN_ONCE)

static void open_service(struct world *w, int64_t now)
{
    static const struct service_callbacks CALLBACKS = { on_ready,  on_failed,   on_changed,
                                                        on_closed, on_describe, NULL,
                                                        NULL,      NULL,        NULL };
    struct service_options options = { .database = "fake.db",
                                       .rules = "rules",
                                       .limits = { 4096, 5, 8192, 8 },
                                       .queue_events = 6,
                                       .queue_bytes = 1 << 20,
                                       .questions = 3 };
    if (now == TIME_NEVER)
        clock_init_real(&options.clock);
    else
        clock_init_fixed(&options.clock, now);
    memset(w, 0, sizeof(*w));
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_ok(service_open(&w->service, &w->loop, &options, &CALLBACKS, w, &err));
}

static void close_service(struct world *w)
{
    service_stop(w->service);
    RUN_UNTIL(w, w->is_closed);
    service_free(w->service);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static struct world world;

static int set_up(void **state)
{
    (void)state;
    fake_reset();
    open_service(&world, 1000);
    RUN_UNTIL(&world, world.is_ready);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_service(&world);
    assert_int_equal(fake.readers, 0);
    assert_int_equal(fake.readers_at_close, 0);
    assert_int_equal(fake.closes, 1);
    fake_fini();
    return 0;
}

static enum pw_status submit(struct told *t, enum pw_format format, const char *text)
{
    memset(t, 0, sizeof(*t));
    return service_submit(world.service, format, text, strlen(text), "tester", NULL, on_submitted,
                          t);
}

static void submit_and_wait(struct told *t, enum pw_format format, const char *text)
{
    assert_int_equal(submit(t, format, text), PW_OK);
    assert_int_equal(t->times, 0); /* never inside the call */
    RUN_UNTIL(&world, t->times > 0);
}

static enum pw_status ask(struct told *t, const char *question, const char *params)
{
    memset(t, 0, sizeof(*t));
    return service_ask(world.service, question, params, on_answer, t);
}

static void ask_and_wait(struct told *t, const char *question, const char *params)
{
    assert_int_equal(ask(t, question, params), PW_OK);
    assert_int_equal(t->times, 0);
    RUN_UNTIL(&world, t->times > 0);
}

static void each_event_of_a_request_has_its_status(void **state)
{
    (void)state;
    struct told t;
    submit_and_wait(&t, PW_NDJSON,
                    EVENT("1", "a") "\n\n" EVENT("1", "a") "\r\n" EVENT("1", "b") "\nno json\n{}");
    assert_int_equal(t.status, PW_OK);
    assert_int_equal(t.count, 5);
    assert_int_equal(t.results[0].status, PW_ACCEPTED);
    assert_int_equal(t.results[0].seq, 1);
    assert_int_equal(t.results[1].status, PW_DUPLICATE);
    assert_int_equal(t.results[1].seq, 1);
    assert_int_equal(t.results[2].status, PW_CONFLICTING);
    assert_non_null(strstr(t.detail[2], "with id '1' and other content (seq 1)"));
    assert_int_equal(t.results[3].status, PW_INVALID);
    assert_non_null(strstr(t.detail[3], "line 5, column"));
    assert_int_equal(t.results[4].status, PW_INVALID);
    assert_int_equal(world.feed_seq, 1);
}

static void a_refused_event_does_not_shift_the_others(void **state)
{
    (void)state;
    struct told t;
    submit_and_wait(&t, PW_NDJSON, "{}\n" EVENT("1", "a") "\n{}\n" EVENT("1", "a"));
    assert_int_equal(t.results[0].status, PW_INVALID);
    assert_int_equal(t.results[1].status, PW_ACCEPTED);
    assert_int_equal(t.results[2].status, PW_INVALID);
    assert_int_equal(t.results[3].status, PW_DUPLICATE);
}

static void a_request_without_valid_events_is_answered_too(void **state)
{
    (void)state;
    struct told t;
    submit_and_wait(&t, PW_EVENT, "{}");
    assert_int_equal(t.status, PW_OK);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.results[0].status, PW_INVALID);
    submit_and_wait(&t, PW_NDJSON, "");
    assert_int_equal(t.status, PW_OK);
    assert_int_equal(t.count, 0);
    submit_and_wait(&t, PW_BATCH, "[]");
    assert_int_equal(t.status, PW_OK);
}

static void a_batch_that_is_no_array_is_refused_whole(void **state)
{
    (void)state;
    struct told t;
    submit_and_wait(&t, PW_BATCH, "[" EVENT("1", "a") ",");
    assert_int_equal(t.status, PW_INPUT);
    assert_int_equal(fake_get(&fake.commits), 0);
    submit_and_wait(&t, PW_BATCH, "{}");
    assert_int_equal(t.status, PW_INPUT);
    assert_non_null(strstr(t.text, "a batch is a JSON array of events"));
}

static void limits_are_told_with_their_number(void **state)
{
    (void)state;
    struct told t;
    char text[9000];
    submit_and_wait(&t, PW_NDJSON, "1\n2\n3\n4\n5\n6\n");
    assert_int_equal(t.status, PW_LIMIT);
    assert_non_null(strstr(t.text, "more than 5 events"));
    submit_and_wait(&t, PW_EVENT, "[[[[[[[[[1]]]]]]]]]");
    assert_int_equal(t.status, PW_LIMIT);
    memset(text, ' ', sizeof(text));
    text[5000] = '\0';
    submit_and_wait(&t, PW_EVENT, text);
    assert_int_equal(t.status, PW_LIMIT);
    assert_non_null(strstr(t.text, "5000 bytes; at most 4096"));
    text[5000] = ' ';
    text[8999] = '\0';
    submit_and_wait(&t, PW_NDJSON, text);
    assert_int_equal(t.status, PW_LIMIT);
}

static void one_line_too_long_does_not_fail_its_neighbours(void **state)
{
    (void)state;
    struct told t;
    char text[8000];
    int len = snprintf(text, sizeof(text), "%s\n", EVENT("1", "a"));
    memset(text + len, 'x', 5000);
    text[len + 5000] = '\0';
    submit_and_wait(&t, PW_NDJSON, text);
    assert_int_equal(t.results[0].status, PW_ACCEPTED);
    assert_int_equal(t.results[1].status, PW_INVALID);
    assert_non_null(strstr(t.detail[1], "line 2: the event has 5000 bytes"));
}

/* Hold the engine in a commit of its own, so that what follows queues up behind it. */
static void hold(struct told *first)
{
    fake_set(&fake.is_held, true);
    assert_int_equal(submit(first, PW_EVENT, EVENT("first", "a")), PW_OK);
    fake_await_waiting(1);
}

static void what_arrives_during_a_commit_goes_into_the_next_one(void **state)
{
    (void)state;
    struct told first, a, b, c;
    hold(&first);
    assert_int_equal(submit(&a, PW_EVENT, EVENT("a", "a")), PW_OK);
    assert_int_equal(submit(&b, PW_NDJSON, EVENT("b", "a") "\n" EVENT("b2", "a")), PW_OK);
    assert_int_equal(submit(&c, PW_EVENT, EVENT("a", "a")), PW_OK);
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, c.times);
    assert_int_equal(fake_get(&fake.commits), 2);
    assert_int_equal(fake.largest, 4);
    assert_int_equal(a.results[0].seq, 2);
    assert_int_equal(b.results[1].seq, 4);
    assert_int_equal(c.results[0].status, PW_DUPLICATE);
    assert_true(first.times == 1 && a.times == 1 && b.times == 1);
}

static void a_failing_request_fails_alone(void **state)
{
    (void)state;
    struct told first, good, bad, late;
    hold(&first);
    assert_int_equal(submit(&good, PW_EVENT, EVENT("a", "a")), PW_OK);
    assert_int_equal(submit(&bad, PW_EVENT, EVENT("poison", "a")), PW_OK);
    assert_int_equal(submit(&late, PW_EVENT, EVENT("b", "a")), PW_OK);
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, late.times);
    assert_int_equal(good.status, PW_OK);
    assert_int_equal(bad.status, PW_FAILED);
    assert_string_equal(bad.text, "disk full");
    assert_int_equal(late.status, PW_OK);
    assert_int_equal(fake_get(&fake.refusals), 2); /* the group, then the one */
}

/* ---- commits on their way to the disk ---- */

/* The engine thread has done all that was queued before this. */
static void count_ping(void *arg)
{
    ++*(int *)arg;
}

static void await_engine_thread(void)
{
    int pings = 0;
    assert_true(service_ping(world.service, count_ping, &pings));
    RUN_UNTIL(&world, pings == 1);
}

static void an_answer_waits_until_its_commit_is_durable(void **state)
{
    (void)state;
    struct told a, b;
    fake_set(&fake.is_disk_held, true);
    assert_int_equal(submit(&a, PW_EVENT, EVENT("a", "a")), PW_OK);
    await_engine_thread();
    assert_int_equal(fake_get(&fake.commits), 1);
    assert_int_equal(submit(&b, PW_EVENT, EVENT("b", "a")), PW_OK);
    await_engine_thread();
    assert_int_equal(fake_get(&fake.commits), 2); /* the engine does not wait for the disk */
    assert_true(a.times == 0 && b.times == 0);
    assert_int_equal(world.feed_seq, 0); /* nobody hears of what may never have been */
    fake_let_through();
    RUN_UNTIL(&world, b.times);
    assert_true(a.times == 1 && a.status == PW_OK && b.status == PW_OK);
    assert_int_equal(world.feed_seq, 2);
}

static void what_is_a_duplicate_of_a_commit_under_way_waits_with_it(void **state)
{
    (void)state;
    struct told a, again;
    fake_set(&fake.is_disk_held, true);
    assert_int_equal(submit(&a, PW_EVENT, EVENT("a", "a")), PW_OK);
    await_engine_thread();
    assert_int_equal(submit(&again, PW_EVENT, EVENT("a", "a")), PW_OK);
    await_engine_thread();
    assert_int_equal(again.times, 0);
    fake_set(&fake.disk_fails, true);
    fake_let_through();
    RUN_UNTIL(&world, a.times && again.times);
    assert_int_equal(a.status, PW_FAILED);
    assert_int_equal(again.status, PW_FAILED); /* "duplicate" would say that it is kept */
}

static void a_commit_that_does_not_become_durable_fails_all_its_requests(void **state)
{
    (void)state;
    struct told first, a, b, c;
    fake_set(&fake.is_disk_held, true);
    hold(&first);
    assert_int_equal(submit(&a, PW_EVENT, EVENT("a", "a")), PW_OK);
    assert_int_equal(submit(&b, PW_NDJSON, EVENT("b", "a") "\n{}\n" EVENT("b2", "a")), PW_OK);
    fake_set(&fake.is_held, false);
    await_engine_thread();
    fake_set(&fake.disk_fails, true);
    fake_let_through();
    RUN_UNTIL(&world, first.times && a.times && b.times);
    assert_int_equal(first.status, PW_FAILED);
    assert_int_equal(a.status, PW_FAILED);
    assert_int_equal(b.status, PW_FAILED);
    assert_string_equal(b.text, "the disk is full");
    assert_int_equal(world.feed_seq, 0);
    fake_set(&fake.disk_fails, false);
    fake_set(&fake.is_disk_held, false);
    submit_and_wait(&c, PW_EVENT, EVENT("c", "a"));
    assert_int_equal(c.status, PW_OK);
}

/* The writer's thread may be done before the engine's has noted whose commit it was. */
static void a_commit_that_fails_at_once_fails_its_requests_too(void **state)
{
    (void)state;
    struct told a, b;
    fake_set(&fake.disk_fails, true);
    submit_and_wait(&a, PW_EVENT, EVENT("a", "a"));
    assert_int_equal(a.status, PW_FAILED);
    assert_string_equal(a.text, "the disk is full");
    assert_int_equal(world.feed_seq, 0);
    submit_and_wait(&a, PW_EVENT, EVENT("b", "a"));
    assert_int_equal(a.status, PW_FAILED);
    fake_set(&fake.disk_fails, false);
    submit_and_wait(&b, PW_EVENT, EVENT("c", "a"));
    assert_int_equal(b.status, PW_OK);
}

/* After a failure the engine begins anew from what is durable: then what it finds there is. */
static void a_duplicate_is_told_as_such_after_a_failed_commit(void **state)
{
    (void)state;
    struct told a, b;
    submit_and_wait(&a, PW_EVENT, EVENT("a", "a"));
    fake_set(&fake.disk_fails, true);
    submit_and_wait(&b, PW_EVENT, EVENT("b", "a"));
    assert_int_equal(b.status, PW_FAILED);
    submit_and_wait(&a, PW_EVENT, EVENT("a", "a"));
    assert_int_equal(a.status, PW_OK);
    assert_int_equal(a.results[0].status, PW_DUPLICATE);
}

static void stopping_answers_what_is_on_its_way_to_the_disk(void **state)
{
    (void)state;
    struct told a;
    fake_set(&fake.is_disk_held, true);
    assert_int_equal(submit(&a, PW_EVENT, EVENT("a", "a")), PW_OK);
    await_engine_thread();
    service_stop(world.service);
    RUN_UNTIL(&world, world.is_closed);
    assert_int_equal(a.times, 1);
    assert_int_equal(a.status, PW_OK);
}

/* ---- tables that follow behind ---- */

static void tables_are_brought_on_when_there_is_nothing_else_to_do(void **state)
{
    (void)state;
    struct told a;
    fake_set(&fake.is_behind, true);
    submit_and_wait(&a, PW_NDJSON, EVENT("a", "a"));
    uv_mutex_lock(&fake.lock);
    while (fake.is_behind)
        uv_cond_wait(&fake.moved, &fake.lock);
    uv_mutex_unlock(&fake.lock);
    assert_int_equal(fake_get(&fake.catch_ups), 1);
}

/* A reader's tables may not know yet who is due. */
static void a_question_knows_when_the_next_wake_is(void **state)
{
    (void)state;
    struct told t;
    uv_mutex_lock(&fake.lock);
    fake.next_wake = 5000; /* the clock stands at 1000 */
    uv_mutex_unlock(&fake.lock);
    submit_and_wait(&t, PW_EVENT, EVENT("1", "a"));
    ask_and_wait(&t, "status", NULL);
    uv_mutex_lock(&fake.lock);
    assert_int_equal(fake.told_wake, 5000);
    uv_mutex_unlock(&fake.lock);
}

static void a_list_waits_for_tables_that_are_as_new_as_what_was_acknowledged(void **state)
{
    (void)state;
    struct told t, list;
    fake_set(&fake.cannot_catch_up, true); /* else there would be no time to ask */
    fake_set(&fake.is_behind, true);
    submit_and_wait(&t, PW_EVENT, EVENT("a", "a"));
    fake_set(&fake.cannot_catch_up, false);
    ask_and_wait(&list, "list", "{}");
    assert_int_equal(list.status, PW_OK);
    uv_mutex_lock(&fake.lock);
    assert_int_equal(fake.wanted == 0 || fake.tables >= fake.wanted, 1);
    uv_mutex_unlock(&fake.lock);
}

static void a_list_is_answered_without_tables_that_can_not_be_brought_on(void **state)
{
    (void)state;
    struct told t, list;
    fake_set(&fake.cannot_catch_up, true);
    fake_set(&fake.is_behind, true);
    submit_and_wait(&t, PW_EVENT, EVENT("a", "a"));
    ask_and_wait(&list, "list", "{}");
    assert_int_equal(list.status, PW_OK); /* folded from the log */
    uv_mutex_lock(&fake.lock);
    assert_int_equal(fake.wanted, 0);
    uv_mutex_unlock(&fake.lock);
    assert_true(fake_get(&fake.catch_ups) < 20); /* one that fails is not tried again at once */
}

static void a_full_queue_says_busy_and_takes_nothing(void **state)
{
    (void)state;
    struct told first, a, b;
    hold(&first);
    assert_int_equal(submit(&a, PW_NDJSON,
                            EVENT("1", "a") "\n" EVENT("2", "a") "\n" EVENT("3", "a") "\n" EVENT(
                                "4", "a") "\n" EVENT("5", "a")),
                     PW_OK);
    assert_int_equal(submit(&b, PW_NDJSON, EVENT("6", "a") "\n" EVENT("7", "a")), PW_BUSY);
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, a.times);
    assert_int_equal(b.times, 0);
    assert_int_equal(fake.seq, 6);
}

static void stopping_finishes_what_was_taken(void **state)
{
    (void)state;
    struct told first, a, late;
    hold(&first);
    assert_int_equal(submit(&a, PW_EVENT, EVENT("a", "a")), PW_OK);
    service_stop(world.service);
    assert_int_equal(submit(&late, PW_EVENT, EVENT("b", "a")), PW_BUSY);
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, world.is_closed);
    assert_int_equal(first.status, PW_OK);
    assert_int_equal(a.results[0].status, PW_ACCEPTED);
    assert_int_equal(late.times, 0);
}

static void a_question_sees_what_was_acknowledged(void **state)
{
    (void)state;
    struct told t, a;
    submit_and_wait(&t, PW_EVENT, EVENT("1", "a"));
    ask_and_wait(&a, "list", "{\"kind\":\"school\"}");
    assert_int_equal(a.status, PW_OK);
    assert_string_equal(a.text,
                        "{\"question\":\"list\",\"events\":1,\"params\":{\"kind\":\"school\"}}");
    ask_and_wait(&a, "nonsense", NULL);
    assert_int_equal(a.status, PW_INPUT);
    assert_string_equal(a.text, "unknown question 'nonsense'");
    ask_and_wait(&a, "subject", "{\"subject\":\"school/404\"}");
    assert_int_equal(a.status, PW_ABSENT);
    ask_and_wait(&a, "list", "{broken");
    assert_int_equal(a.status, PW_INPUT);
}

static void few_readers_answer_many_questions_in_turn(void **state)
{
    (void)state;
    struct told t[6];
    fake_set(&fake.is_held, true);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(&t[i], "list", "{}"), PW_OK);
    assert_int_equal(ask(&t[5], "list", "{}"), PW_BUSY); /* two are asked, three wait */
    fake_await_waiting(2);
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, t[4].times);
    RUN_UNTIL(&world, t[0].times && t[1].times && t[2].times && t[3].times);
    assert_int_equal(fake_get(&fake.most_asking), 2);
    assert_int_equal(fake_get(&fake.readers_opened), 2);
}

static void a_long_question_leaves_a_reader_for_the_others(void **state)
{
    struct told verify = { 0 }, replay = { 0 }, other = { 0 };
    (void)state;

    fake_set(&fake.is_held, true);
    assert_int_equal(service_ask(world.service, "verify", NULL, on_answer, &verify), PW_OK);
    fake_await_waiting(1);
    assert_int_equal(service_ask(world.service, "replay", NULL, on_answer, &replay), PW_OK);
    assert_int_equal(service_ask(world.service, "other", NULL, on_answer, &other), PW_OK);
    fake_await_waiting(2); /* not the one that came second */
    assert_int_equal(fake_get(&fake.readers_opened), 2);
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, verify.times && other.times && replay.times);
    assert_non_null(strstr(replay.text, "replay"));
    assert_non_null(strstr(other.text, "other"));
    assert_int_equal(fake_get(&fake.most_asking), 2);
}

static void it_is_told_how_far_questions_have_come(void **state)
{
    struct told whatif = { 0 }, verify = { 0 }, far = { 0 };
    (void)state;

    fake_set(&fake.is_held, true);
    assert_int_equal(service_ask(world.service, "whatif", "{\"tag\":\"mine\"}", on_answer, &whatif),
                     PW_OK);
    fake_await_waiting(1);
    assert_int_equal(service_ask(world.service, "verify", NULL, on_answer, &verify), PW_OK);
    assert_int_equal(service_ask(world.service, "questions", NULL, on_answer, &far), PW_OK);
    RUN_UNTIL(&world, far.times);
    assert_string_equal(
        far.text,
        "{\"items\":[{\"question\":\"whatif\",\"tag\":\"mine\",\"state\":\"answering\","
        "\"done\":3,\"of\":7},{\"question\":\"verify\",\"tag\":null,\"state\":\"waiting\","
        "\"done\":0,\"of\":0}]}");
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, whatif.times && verify.times);
    memset(&far, 0, sizeof(far));
    assert_int_equal(service_ask(world.service, "questions", NULL, on_answer, &far), PW_OK);
    RUN_UNTIL(&world, far.times);
    assert_string_equal(far.text, "{\"items\":[]}");
}

static void commands_go_to_the_engine_thread(void **state)
{
    (void)state;
    struct told t;
    ask_and_wait(&t, "person.set", "{\"key\":\"k\",\"details\":{}}");
    assert_int_equal(t.status, PW_OK);
    assert_string_equal(t.text, "{\"did\":\"person.set\"}");
    ask_and_wait(&t, "person.erase", "{\"key\":\"nobody\"}");
    assert_int_equal(t.status, PW_ABSENT);
    ask_and_wait(&t, "note.erase", "{}");
    assert_int_equal(t.status, PW_INPUT);
    assert_int_equal(fake_get(&fake.readers_opened), 0);
}

static void status_holds_what_only_the_host_knows(void **state)
{
    (void)state;
    struct told t;
    ask_and_wait(&t, "status", NULL);
    assert_non_null(strstr(t.text, "{\"question\":\"status\""));
    assert_non_null(strstr(t.text, "},\"ready\":true,\"uptime_seconds\":"));
    assert_non_null(strstr(t.text,
                           "\"queue_events\":0,\"refold_lag\":0,\"held_back\":0,\"rule_errors\":[],"
                           "\"skipped_events\":0,\"reload\":\"idle\",\"plugins\":[]}"));
    ask_and_wait(&t, "ready", NULL);
    assert_memory_equal(t.text, "{\"ready\":true", 13);
}

/* Though nobody was told of the commits that it made then. */
static void figures_hold_what_the_engine_did_while_it_opened(void **state)
{
    struct told t;
    (void)state;

    ask_and_wait(&t, "metrics", NULL);
    assert_non_null(strstr(t.text, "{generation=\"3\",digest=\"cafe\"} 1\n"));
}

static void metrics_hold_what_was_just_answered(void **state)
{
    struct told t;
    (void)state;

    submit_and_wait(&t, PW_NDJSON, EVENT("a", "t") "\n" EVENT("a", "t") "\n{}\n");
    ask_and_wait(&t, "metrics", NULL);
    assert_non_null(strstr(t.text, "\npathwayd_events_total{status=\"accepted\"} 1\n"));
    assert_non_null(strstr(t.text, "\npathwayd_events_total{status=\"duplicate\"} 1\n"));
    assert_non_null(strstr(t.text, "\npathwayd_events_total{status=\"invalid\"} 1\n"));
    assert_non_null(strstr(t.text, "\npathwayd_changes_total 1\n"));
    assert_non_null(strstr(t.text, "\npathwayd_commit_seconds_bucket{le=\"+Inf\"} 1\n"));
    assert_non_null(strstr(t.text, "\npathwayd_commit_seconds_count 1\n"));
    assert_non_null(strstr(t.text, "{generation=\"3\",digest=\"cafe\"} 1\n"));
}

static void a_ping_returns_only_when_the_engine_thread_moves(void **state)
{
    (void)state;
    struct told first;
    int pings = 0;
    hold(&first);
    assert_true(service_ping(world.service, count_ping, &pings));
    uv_run(&world.loop, UV_RUN_NOWAIT);
    assert_int_equal(pings, 0);
    fake_set(&fake.is_held, false);
    RUN_UNTIL(&world, pings == 1);
}

static void a_fixed_clock_wakes_what_is_due_and_no_more(void **state)
{
    (void)state;
    struct told t;
    uv_mutex_lock(&fake.lock);
    fake.next_wake = 1000 - 2 * US_PER_S; /* the clock stands at 1000 */
    uv_mutex_unlock(&fake.lock);
    submit_and_wait(&t, PW_EVENT, EVENT("1", "a"));
    RUN_UNTIL(&world, world.feed_seq == 4);
    assert_int_equal(fake_get(&fake.wakes), 3);
}

static void while_opening_it_is_not_ready_and_busy(void **state)
{
    (void)state;
    struct told t;
    fake_reset();
    fake.is_opening = true;
    open_service(&world, TIME_NEVER);
    assert_int_equal(submit(&t, PW_EVENT, EVENT("1", "a")), PW_BUSY);
    assert_int_equal(ask(&t, "list", NULL), PW_BUSY);
    assert_int_equal(ask(&t, "person.set", "{\"key\":\"k\"}"), PW_BUSY);
    ask_and_wait(&t, "ready", NULL);
    assert_memory_equal(t.text, "{\"ready\":false", 14);
    assert_non_null(strstr(t.text, "\"reason\":\"the database is being opened\""));
    ask_and_wait(&t, "status", NULL);
    assert_int_equal(t.status, PW_OK);
    fake_set(&fake.is_opening, false);
    RUN_UNTIL(&world, world.is_ready);
    submit_and_wait(&t, PW_EVENT, EVENT("1", "a"));
    close_service(&world);
    fake_fini();
}

static void an_engine_that_can_not_open_closes_the_service(void **state)
{
    (void)state;
    fake_reset();
    fake.cannot_open = true;
    open_service(&world, TIME_NEVER);
    RUN_UNTIL(&world, world.is_closed);
    assert_true(world.has_failed);
    assert_false(world.is_ready);
    service_free(world.service);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world.loop), 0);
    fake_fini();
}

static void a_real_clock_wakes_by_itself(void **state)
{
    (void)state;
    fake_reset();
    struct clock clock;
    clock_init_real(&clock);
    fake.next_wake = clock_now(&clock) + 50000;
    open_service(&world, TIME_NEVER);
    RUN_UNTIL(&world, world.feed_seq > 0);
    close_service(&world);
    fake_fini();
}

#define SERVICE_CASE(fn) CASE_WITH(fn, set_up, tear_down)
TEST_MAIN(SERVICE_CASE(each_event_of_a_request_has_its_status),
          SERVICE_CASE(a_refused_event_does_not_shift_the_others),
          SERVICE_CASE(a_request_without_valid_events_is_answered_too),
          SERVICE_CASE(a_batch_that_is_no_array_is_refused_whole),
          SERVICE_CASE(limits_are_told_with_their_number),
          SERVICE_CASE(one_line_too_long_does_not_fail_its_neighbours),
          SERVICE_CASE(what_arrives_during_a_commit_goes_into_the_next_one),
          SERVICE_CASE(a_failing_request_fails_alone),
          SERVICE_CASE(an_answer_waits_until_its_commit_is_durable),
          SERVICE_CASE(what_is_a_duplicate_of_a_commit_under_way_waits_with_it),
          SERVICE_CASE(a_commit_that_does_not_become_durable_fails_all_its_requests),
          SERVICE_CASE(a_commit_that_fails_at_once_fails_its_requests_too),
          SERVICE_CASE(a_duplicate_is_told_as_such_after_a_failed_commit),
          SERVICE_CASE(stopping_answers_what_is_on_its_way_to_the_disk),
          SERVICE_CASE(tables_are_brought_on_when_there_is_nothing_else_to_do),
          SERVICE_CASE(a_question_knows_when_the_next_wake_is),
          SERVICE_CASE(a_list_waits_for_tables_that_are_as_new_as_what_was_acknowledged),
          SERVICE_CASE(a_list_is_answered_without_tables_that_can_not_be_brought_on),
          SERVICE_CASE(a_full_queue_says_busy_and_takes_nothing),
          SERVICE_CASE(stopping_finishes_what_was_taken),
          SERVICE_CASE(a_question_sees_what_was_acknowledged),
          SERVICE_CASE(few_readers_answer_many_questions_in_turn),
          SERVICE_CASE(it_is_told_how_far_questions_have_come),
          SERVICE_CASE(a_long_question_leaves_a_reader_for_the_others),
          SERVICE_CASE(commands_go_to_the_engine_thread),
          SERVICE_CASE(status_holds_what_only_the_host_knows),
          SERVICE_CASE(figures_hold_what_the_engine_did_while_it_opened),
          SERVICE_CASE(metrics_hold_what_was_just_answered),
          SERVICE_CASE(a_ping_returns_only_when_the_engine_thread_moves),
          SERVICE_CASE(a_fixed_clock_wakes_what_is_due_and_no_more),
          CASE(while_opening_it_is_not_ready_and_busy),
          CASE(an_engine_that_can_not_open_closes_the_service), CASE(a_real_clock_wakes_by_itself))
