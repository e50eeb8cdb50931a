/* test_feed.c - the feed: numbered without a gap, read from any place, and what its causes say. */
#include "tests/unit/store/support.h"

static enum err_code note_change(const struct change *c, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%lld %lld %lld %s %s %s>%s %s %s\n", (long long)c->seq, (long long)c->recorded,
               (long long)c->generation, c->subject, c->decision, c->old_value, c->new_value,
               c->hub ? c->hub : "-", c->cause ? c->cause : "-");
    return OK;
}

static int64_t changed(struct store *s, const char *subject, const char *cause)
{
    int64_t seq;
    const struct change c = { .recorded = 5,
                              .generation = 3,
                              .subject = subject,
                              .decision = "committed",
                              .old_value = "false",
                              .new_value = "true",
                              .hub = "07",
                              .cause = cause };
    assert_ok(feed_append(&seq, s, &c, &err));
    return seq;
}

static struct store *begun(void)
{
    struct store *s = open_store(NULL, STORE_MEMORY);
    assert_ok(store_begin(s, &err));
    return s;
}

static void the_feed_is_numbered_without_a_gap_across_rollbacks(void **state)
{
    (void)state;
    struct store *s = begun();
    int64_t seq;
    assert_int_equal(changed(s, "school/1", NULL), 1);
    assert_int_equal(changed(s, "school/2", NULL), 2);
    assert_int_equal(log_changes(s), 2);
    assert_ok(store_commit(s, &err));
    assert_ok(store_begin(s, &err));
    assert_int_equal(changed(s, "school/3", NULL), 3);
    undo(s);
    assert_ok(store_begin(s, &err));
    assert_int_equal(changed(s, "school/3", NULL), 3);
    assert_ok(store_commit(s, &err));
    assert_ok(feed_last_seq(&seq, s, &err));
    assert_int_equal(seq, 3);
    store_close(s);
}

static void numbering_goes_on_after_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    assert_ok(store_begin(s, &err));
    changed(s, "school/1", NULL);
    assert_ok(store_commit(s, &err));
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_ok(store_begin(s, &err));
    assert_int_equal(changed(s, "school/2", NULL), 2);
    assert_ok(store_commit(s, &err));
    assert_ok(feed_each(s, 0, 9, note_change, &seen, &err));
    assert_collected(&seen, "1 5 3 school/1 committed false>true 07 -\n"
                            "2 5 3 school/2 committed false>true 07 -\n");
    buf_fini(&seen);
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
    changed(s, "school/1", NULL);
    assert_ok(feed_append(&seq, s, &bare, &err));
    changed(s, "school/3", NULL);
    assert_ok(store_commit(s, &err));
    assert_ok(feed_each(s, 0, 2, note_change, &seen, &err));
    assert_collected(&seen, "1 5 3 school/1 committed false>true 07 -\n"
                            "2 6 4 group/g group_schools null>6 - -\n");
    assert_ok(feed_each(s, 2, 100, note_change, &seen, &err));
    assert_collected(&seen, "3 5 3 school/3 committed false>true 07 -\n");
    assert_ok(feed_each(s, 3, 100, note_change, &seen, &err));
    assert_ok(feed_each(s, 0, 0, note_change, &seen, &err));
    assert_ok(feed_each(s, 0, -1, note_change, &seen, &err));
    assert_collected(&seen, "");
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM change WHERE subject = 'group/g'"
                                " AND decision = 'group_schools' AND old = 'null' AND new = '6'"
                                " AND hub IS NULL AND recorded = '1970-01-01T00:00:00.000006Z'"),
                     1);
    buf_fini(&seen);
    store_close(s);
}

/* ---- causes ---- */

#define MOMENT (1788220800LL * US_PER_S) /* 2026-09-01T00:00:00Z */

/* Each as it is written, and what it says. */
static const struct {
    const char *events;
    int64_t moment, generation;
    const char *text, *json;
} CAUSES[] = {
    { "2", TIME_NEVER, 0, "2",
      "{\"events\":[{\"source\":\"urn:hub:07\",\"id\":\"b\"}],\"moment\":null,\"generation\":"
      "null}" },
    { "1,3", TIME_NEVER, 0, "1,3",
      "{\"events\":[{\"source\":\"urn:hub:07\",\"id\":\"a\"},"
      "{\"source\":\"urn:hub:07\",\"id\":\"say "
      "\\\"c\\\"\"}],\"moment\":null,\"generation\":null}" },
    { "", MOMENT, 0, ";2026-09-01T00:00:00.000000Z",
      "{\"events\":[],\"moment\":\"2026-09-01T00:00:00.000000Z\",\"generation\":null}" },
    { "1", MOMENT, 0, "1;2026-09-01T00:00:00.000000Z",
      "{\"events\":[{\"source\":\"urn:hub:07\",\"id\":\"a\"}],"
      "\"moment\":\"2026-09-01T00:00:00.000000Z\",\"generation\":null}" },
    { "", TIME_NEVER, 7, ";;7", "{\"events\":[],\"moment\":null,\"generation\":7}" },
    { "2", MOMENT, 12, "2;2026-09-01T00:00:00.000000Z;12",
      "{\"events\":[{\"source\":\"urn:hub:07\",\"id\":\"b\"}],"
      "\"moment\":\"2026-09-01T00:00:00.000000Z\",\"generation\":12}" },
    { "", TIME_NEVER, 0, "", "{\"events\":[],\"moment\":null,\"generation\":null}" },
};
#define CAUSE_COUNT (sizeof(CAUSES) / sizeof(*CAUSES))

static struct store *with_three_events(void)
{
    struct store *s = open_store(NULL, STORE_MEMORY);
    append_alone(s, &(struct sent){ .id = "a" });
    append_alone(s, &(struct sent){ .id = "b" });
    append_alone(s, &(struct sent){ .id = "say \"c\"" });
    return s;
}

static void a_cause_is_short_and_says_all_that_its_json_did(void **state)
{
    (void)state;
    struct store *s = with_three_events();
    struct buf text = { 0 }, json = { 0 };
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        cause_text(&text, CAUSES[i].events, CAUSES[i].moment, CAUSES[i].generation);
        assert_string_equal(buf_cstr(&text), CAUSES[i].text);
        assert_ok(cause_expand(&json, s, buf_cstr(&text), &err));
        assert_string_equal(buf_cstr(&json), CAUSES[i].json);
        buf_reset(&text);
    }
    buf_fini(&text);
    buf_fini(&json);
    store_close(s);
}

static void the_feed_is_read_with_causes_that_name_their_events(void **state)
{
    (void)state;
    struct store *s = with_three_events();
    struct buf seen = { 0 }, expected = { 0 };
    assert_ok(store_begin(s, &err));
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        changed(s, "school/1", CAUSES[i].text);
    assert_ok(store_commit(s, &err));
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        buf_printf(&expected, "%zu 5 3 school/1 committed false>true 07 %s\n", i + 1,
                   CAUSES[i].json);
    assert_ok(feed_each(s, 0, 99, note_change, &seen, &err));
    assert_collected(&seen, buf_cstr(&expected));
    buf_fini(&seen);
    buf_fini(&expected);
    store_close(s);
}

static void a_cause_from_before_it_was_numbers_is_shown_as_it_stands(void **state)
{
    static const char OLD[] = "{\"events\":[{\"source\":\"s\",\"id\":\"gone, or not\"}],"
                              "\"moment\":null,\"generation\":null}";
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct buf json = { 0 }, seen = { 0 };
    assert_ok(cause_expand(&json, s, OLD, &err)); /* what it names need not be there */
    assert_string_equal(buf_cstr(&json), OLD);
    assert_ok(store_begin(s, &err));
    changed(s, "school/1", OLD);
    assert_ok(store_commit(s, &err));
    assert_ok(feed_each(s, 0, 9, note_change, &seen, &err));
    assert_non_null(strstr(buf_cstr(&seen), OLD));
    buf_fini(&json);
    buf_fini(&seen);
    store_close(s);
}

static void a_cause_that_names_what_is_not_there_is_damage(void **state)
{
    static const char *const BAD[] = { "4", "1,99", "0", "x", "1,", "1,,2", "-1" };
    (void)state;
    struct store *s = with_three_events();
    struct buf json = { 0 };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
        err.msg[0] = '\0';
        if (cause_expand(&json, s, BAD[i], &err) != ERR_STORE)
            fail_msg("not refused: %s -> %s", BAD[i], buf_cstr(&json));
        assert_non_null(strstr(err.msg, "not in the log"));
    }
    buf_fini(&json);
    store_close(s);
}

TEST_MAIN(CASE(the_feed_is_numbered_without_a_gap_across_rollbacks),
          SCRATCH(numbering_goes_on_after_a_reopen),
          CASE(the_feed_is_read_from_a_place_up_to_a_limit),
          CASE(a_cause_is_short_and_says_all_that_its_json_did),
          CASE(the_feed_is_read_with_causes_that_name_their_events),
          CASE(a_cause_from_before_it_was_numbers_is_shown_as_it_stands),
          CASE(a_cause_that_names_what_is_not_there_is_damage))
