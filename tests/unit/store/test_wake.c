/* test_wake.c - when subjects are due: earliest first, then by name bytewise. */
#include "tests/unit/store/support.h"

#define SUBJECTS 300
#define ROUNDS   4000

static enum err_code note_wake(const char *subject, int64_t due, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%s@%lld ", subject, (long long)due);
    return OK;
}

static struct store *begun(void)
{
    struct store *s = open_store(NULL, STORE_MEMORY);
    assert_ok(store_begin(s, &err));
    return s;
}

static void wakes_come_earliest_first_then_by_name(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    int64_t due;
    assert_int_equal(wake_next(s), TIME_NEVER);
    assert_ok(wake_put(s, "school/2", 50, &err));
    assert_ok(wake_put(s, "school/10", 50, &err));
    assert_ok(wake_put(s, "group/g", 70, &err));
    assert_ok(wake_put(s, "hub/07", -5, &err));
    assert_ok(wake_put(s, "group/g", 60, &err));
    assert_ok(wake_put(s, "group/g", 60, &err));
    assert_ok(wake_due(s, 60, 10, note_wake, &seen, &err));
    assert_collected(&seen, "hub/07@-5 school/10@50 school/2@50 group/g@60 ");
    assert_ok(wake_due(s, 59, 2, note_wake, &seen, &err));
    assert_collected(&seen, "hub/07@-5 school/10@50 ");
    assert_ok(wake_due(s, -6, 10, note_wake, &seen, &err));
    assert_collected(&seen, "");
    assert_ok(wake_of(&due, s, "group/g", &err));
    assert_int_equal(due, 60);
    assert_ok(wake_put(s, "hub/07", TIME_NEVER, &err));
    assert_ok(wake_put(s, "hub/07", TIME_NEVER, &err));
    assert_ok(wake_of(&due, s, "hub/07", &err));
    assert_int_equal(due, TIME_NEVER);
    assert_ok(wake_of(&due, s, "school/never met", &err));
    assert_int_equal(due, TIME_NEVER);
    assert_int_equal(wake_next(s), 50);
    buf_fini(&seen);
    store_close(s);
}

static enum err_code stop_at_two(const char *subject, int64_t due, void *arg, struct err *e2)
{
    note_wake(subject, due, arg, e2);
    return strcmp(subject, "school/2") == 0 ? err_set(e2, ERR_RULE, "enough") : OK;
}

static void a_callback_ends_the_wakes_and_its_sentence_is_kept(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    for (int i = 3; i >= 1; i--) {
        char subject[20];
        snprintf(subject, sizeof(subject), "school/%d", i);
        assert_ok(wake_put(s, subject, i, &err));
    }
    assert_int_equal(wake_due(s, 9, 10, stop_at_two, &seen, &err), ERR_RULE);
    assert_string_equal(err.msg, "enough");
    assert_collected(&seen, "school/1@1 school/2@2 ");
    buf_fini(&seen);
    store_close(s);
}

/* ---- against a plain list ---- */

/* By number, which is the order of their names. */
struct model {
    int64_t due[SUBJECTS];
};

static void name(char *out, size_t size, int subject)
{
    snprintf(out, size, "school/%d", 100 + subject);
}

/* What the list says of those due by `now`, by selecting the least again and again. */
static void note_model(struct buf *out, const struct model *m, int64_t now, int limit)
{
    bool taken[SUBJECTS] = { false };
    char subject[20];
    for (int n = 0; n < limit; n++) {
        int least = -1;
        for (int i = 0; i < SUBJECTS; i++)
            if (!taken[i] && m->due[i] <= now && (least < 0 || m->due[i] < m->due[least]))
                least = i;
        if (least < 0)
            return;
        taken[least] = true;
        name(subject, sizeof(subject), least);
        buf_printf(out, "%s@%lld ", subject, (long long)m->due[least]);
    }
}

static int64_t least_due(const struct model *m)
{
    int64_t least = TIME_NEVER;
    for (int i = 0; i < SUBJECTS; i++)
        least = m->due[i] < least ? m->due[i] : least;
    return least;
}

static void assert_as_model(struct store *s, const struct model *m, int64_t now, int limit)
{
    struct buf found = { 0 }, expected = { 0 };
    assert_ok(wake_due(s, now, limit, note_wake, &found, &err));
    note_model(&expected, m, now, limit < WAKES_MAX ? limit : WAKES_MAX);
    assert_string_equal(buf_cstr(&found), buf_cstr(&expected));
    assert_int_equal(wake_next(s), least_due(m));
    buf_fini(&found);
    buf_fini(&expected);
}

static void any_changes_leave_what_a_plain_list_would_say(void **state)
{
    (void)state;
    struct store *s = begun();
    struct model m;
    srand((unsigned)given_seed());
    for (int n = 0; n < SUBJECTS; n++) {
        char subject[20];
        int i = n * 7 % SUBJECTS; /* they are met in another order */
        name(subject, sizeof(subject), i);
        assert_ok(wake_put(s, subject, m.due[i] = rand() % 50, &err));
    }
    for (int round = 0; round < ROUNDS; round++) {
        char subject[20];
        int i = rand() % SUBJECTS;
        m.due[i] = rand() % 4 == 0 ? TIME_NEVER : rand() % 100 - 10; /* many are due together */
        name(subject, sizeof(subject), i);
        assert_ok(wake_put(s, subject, m.due[i], &err));
        if (round % 40 == 0)
            assert_as_model(s, &m, rand() % 100 - 10, rand() % 320);
        else
            assert_int_equal(wake_next(s), least_due(&m));
    }
    for (int i = 0; i < SUBJECTS; i++) { /* down to none */
        char subject[20];
        name(subject, sizeof(subject), i);
        m.due[i] = TIME_NEVER;
        assert_ok(wake_put(s, subject, TIME_NEVER, &err));
        assert_int_equal(wake_next(s), least_due(&m));
    }
    store_close(s);
}

static void no_more_than_the_limit_and_wakes_max_are_shown(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    for (int i = 0; i < WAKES_MAX + 20; i++) {
        char subject[20];
        snprintf(subject, sizeof(subject), "school/%d", i);
        assert_ok(wake_put(s, subject, 5, &err));
    }
    assert_ok(wake_due(s, 5, 0, note_wake, &seen, &err));
    assert_collected(&seen, "");
    assert_ok(wake_due(s, 5, INT32_MAX, note_wake, &seen, &err));
    int shown = 0;
    for (const char *at = buf_cstr(&seen); (at = strchr(at, '@')); at++)
        shown++;
    assert_int_equal(shown, WAKES_MAX);
    buf_fini(&seen);
    store_close(s);
}

static void wakes_are_the_same_after_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct model m;
    for (int i = 0; i < SUBJECTS; i++) {
        char subject[20];
        name(subject, sizeof(subject), i);
        m.due[i] = i % 7 == 0 ? TIME_NEVER : i * 31 % 40;
        assert_ok(store_begin(s, &err));
        assert_ok(wake_put(s, subject, m.due[i] == TIME_NEVER ? 1 : m.due[i], &err));
        assert_ok(wake_put(s, subject, m.due[i], &err));
        assert_ok(store_commit(s, &err));
    }
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_as_model(s, &m, 20, 100);
    assert_as_model(s, &m, 100, WAKES_MAX);
    store_close(s);
}

TEST_MAIN(CASE(wakes_come_earliest_first_then_by_name),
          CASE(a_callback_ends_the_wakes_and_its_sentence_is_kept),
          CASE(any_changes_leave_what_a_plain_list_would_say),
          CASE(no_more_than_the_limit_and_wakes_max_are_shown),
          SCRATCH(wakes_are_the_same_after_a_reopen))
