/* test_derived.c - decisions, the feed and wakes: what derived.h promises. */
#include "tests/unit/store/support.h"

static enum err_code note_decision(const char *name, const char *value, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%s=%s ", name, value);
    return OK;
}

static enum err_code note_wake(const char *subject, int64_t due, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%s@%lld ", subject, (long long)due);
    return OK;
}

static enum err_code note_change(const struct change *c, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%lld %lld %lld %s %s %s>%s %s %s\n", (long long)c->seq, (long long)c->recorded,
               (long long)c->generation, c->subject, c->decision, c->old_value, c->new_value,
               c->hub ? c->hub : "-", c->cause ? c->cause : "-");
    return OK;
}

static struct store *begun(void)
{
    struct store *s = open_store(NULL, STORE_MEMORY);
    assert_ok(store_begin(s, &err));
    return s;
}

static int64_t changed(struct store *s, const char *subject)
{
    int64_t seq;
    const struct change c = { .recorded = 5,
                              .generation = 3,
                              .subject = subject,
                              .decision = "committed",
                              .old_value = "false",
                              .new_value = "true",
                              .hub = "07",
                              .cause = "{}" };
    assert_ok(feed_append(&seq, s, &c, &err));
    return seq;
}

static void decisions_are_replaced_removed_and_read_by_name(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    assert_ok(decision_put(s, "school/1", "two_leads", "true", &err));
    assert_ok(decision_put(s, "school/1", "committed", "false", &err));
    assert_ok(decision_put(s, "school/1", "committed", "true", &err));
    assert_ok(decision_put(s, "school/1", "pathway_phase", "\"building\"", &err));
    assert_ok(decision_put(s, "school/2", "committed", "null", &err));
    assert_ok(decision_remove(s, "school/1", "two_leads", &err));
    assert_ok(decision_remove(s, "school/1", "two_leads", &err));
    assert_ok(decision_remove(s, "school/9", "unknown", &err));
    assert_ok(decision_each(s, "school/1", note_decision, &seen, &err));
    assert_collected(&seen, "committed=true pathway_phase=\"building\" ");
    assert_ok(decision_each(s, "school/3", note_decision, &seen, &err));
    assert_collected(&seen, "");
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM decision WHERE subject = 'school/1'"
                                " AND decision = 'committed' AND value = 'true'"),
                     1);
    buf_fini(&seen);
    store_close(s);
}

static void the_feed_is_numbered_without_a_gap_across_rollbacks(void **state)
{
    (void)state;
    struct store *s = begun();
    int64_t seq;
    assert_int_equal(changed(s, "school/1"), 1);
    assert_int_equal(changed(s, "school/2"), 2);
    assert_ok(store_commit(s, &err));
    assert_ok(store_begin(s, &err));
    assert_int_equal(changed(s, "school/3"), 3);
    store_rollback(s);
    assert_ok(store_begin(s, &err));
    assert_int_equal(changed(s, "school/3"), 3);
    assert_ok(store_commit(s, &err));
    assert_ok(feed_last_seq(&seq, s, &err));
    assert_int_equal(seq, 3);
    store_close(s);
}

static void the_feed_is_read_from_a_place_up_to_a_limit(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    int64_t seq;
    const struct change bare = { .recorded = 6,
                                 .generation = 4,
                                 .subject = "group/g",
                                 .decision = "group_schools",
                                 .old_value = "null",
                                 .new_value = "6" };
    changed(s, "school/1");
    assert_ok(feed_append(&seq, s, &bare, &err));
    changed(s, "school/3");
    assert_ok(feed_each(s, 0, 2, note_change, &seen, &err));
    assert_collected(&seen, "1 5 3 school/1 committed false>true 07 {}\n"
                            "2 6 4 group/g group_schools null>6 - -\n");
    assert_ok(feed_each(s, 2, 100, note_change, &seen, &err));
    assert_collected(&seen, "3 5 3 school/3 committed false>true 07 {}\n");
    assert_ok(feed_each(s, 3, 100, note_change, &seen, &err));
    assert_ok(feed_each(s, 0, 0, note_change, &seen, &err));
    assert_collected(&seen, "");
    buf_fini(&seen);
    store_close(s);
}

static void wakes_come_earliest_first_then_by_subject(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    int64_t due;
    assert_ok(wake_next(&due, s, &err));
    assert_int_equal(due, TIME_NEVER);
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
    assert_ok(wake_of(&due, s, "group/g", &err));
    assert_int_equal(due, 60);
    assert_ok(wake_put(s, "hub/07", TIME_NEVER, &err));
    assert_ok(wake_put(s, "hub/07", TIME_NEVER, &err));
    assert_ok(wake_of(&due, s, "hub/07", &err));
    assert_int_equal(due, TIME_NEVER);
    assert_ok(wake_next(&due, s, &err));
    assert_int_equal(due, 50);
    buf_fini(&seen);
    store_close(s);
}

static void clearing_forgets_what_is_derived_and_keeps_the_log(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    int64_t value;
    append_alone(s, &(struct sent){ .id = "a", .subject = "school/1" });
    assert_ok(store_begin(s, &err));
    assert_ok(decision_put(s, "school/1", "committed", "true", &err));
    assert_ok(subject_put(s, &(struct subject_card){ .subject = "school/1" }, &err));
    assert_ok(wake_put(s, "school/1", 50, &err));
    changed(s, "school/1");
    changed(s, "school/1");
    assert_ok(derived_clear(s, false, &err));
    assert_int_equal(ask_sql(s, "SELECT (SELECT count(*) FROM decision)"
                                " + (SELECT count(*) FROM subject)"
                                " + (SELECT count(*) FROM wake)"),
                     0);
    assert_ok(feed_last_seq(&value, s, &err));
    assert_int_equal(value, 2);
    assert_ok(derived_clear(s, true, &err));
    assert_int_equal(changed(s, "school/1"), 1); /* made anew, it counts from 1 */
    assert_ok(store_commit(s, &err));
    assert_ok(log_last_seq(&value, s, &err));
    assert_int_equal(value, 1);
    store_close(s);
}

static void derived_rows_survive_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    assert_ok(store_begin(s, &err));
    assert_ok(decision_put(s, "school/1", "committed", "true", &err));
    assert_ok(wake_put(s, "school/1", 50, &err));
    changed(s, "school/1");
    assert_ok(store_commit(s, &err));
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_ok(decision_each(s, "school/1", note_decision, &seen, &err));
    assert_ok(wake_due(s, 50, 1, note_wake, &seen, &err));
    assert_collected(&seen, "committed=true school/1@50 ");
    assert_ok(store_begin(s, &err));
    assert_int_equal(changed(s, "school/2"), 2);
    assert_ok(store_commit(s, &err));
    buf_fini(&seen);
    store_close(s);
}

TEST_MAIN(CASE(decisions_are_replaced_removed_and_read_by_name),
          CASE(the_feed_is_numbered_without_a_gap_across_rollbacks),
          CASE(the_feed_is_read_from_a_place_up_to_a_limit),
          CASE(wakes_come_earliest_first_then_by_subject),
          CASE(clearing_forgets_what_is_derived_and_keeps_the_log),
          SCRATCH(derived_rows_survive_a_reopen))
