/* test_log.c - the promise of log.h: appended once, read back whole, by number, subject and key. */
#include "tests/unit/store/support.h"

#define ROUNDS 30

static enum append_status status_of(struct store *s, const struct sent *x, int64_t *seq)
{
    enum append_status status;
    assert_ok(store_begin(s, &err));
    assert_ok(send(&status, seq, s, x));
    assert_ok(store_commit(s, &err));
    return status;
}

static void keeps_what_was_appended_across_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    append_alone(s, &(struct sent){ .id = "a", .recorded = 5 });
    append_alone(s, &(struct sent){ .id = "b", .recorded = 6 });
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_ok(log_scan(s, 0, END, note_id, &seen, &err));
    assert_collected(&seen, "1:a 2:b ");
    assert_int_equal(append_alone(s, &(struct sent){ .id = "c", .recorded = 6 }), 3);
    assert_ok(log_scan_subject(s, "school/100001", END, note_id, &seen, &err));
    assert_collected(&seen, "3:c 2:b 1:a "); /* the chain goes on where it ended */
    int64_t checked;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 3);
    buf_fini(&seen);
    store_close(s);
}

static void sends_again_are_duplicates_and_other_content_conflicts(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    const struct sent first = { .id = "a", .content = "x" };
    int64_t seq;
    append_alone(s, &(struct sent){ .id = "before" });
    append_alone(s, &first);
    assert_int_equal(status_of(s, &first, &seq), APPEND_DUPLICATE);
    assert_int_equal(seq, 2);
    assert_int_equal(status_of(s, &(struct sent){ .id = "a", .content = "y" }, &seq),
                     APPEND_CONFLICT);
    assert_int_equal(seq, 2);
    assert_int_equal(append_alone(s, &(struct sent){ .id = "c" }), 3); /* no number was used up */
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM subject_event"), 3);
    store_close(s);
}

static void a_duplicate_is_found_within_one_batch_too(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    enum append_status status;
    int64_t seq;
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "a" });
    assert_ok(send(&status, &seq, s, &(struct sent){ .id = "a" }));
    assert_int_equal(status, APPEND_DUPLICATE);
    assert_int_equal(seq, 1);
    assert_ok(store_commit(s, &err));
    store_close(s);
}

static enum err_code is_whole(const struct logged *e, void *arg, struct err *e2)
{
    (void)e2;
    assert_int_equal(e->seq, 1);
    assert_int_equal(e->time, 7 * US_PER_S);
    assert_int_equal(e->recorded, 42);
    assert_string_equal(e->source, "urn:hub:07");
    assert_string_equal(e->id, "a");
    assert_string_equal(e->type, "lead.named");
    assert_string_equal(e->subject, "school/1");
    assert_string_equal(e->sequence, "03");
    assert_string_equal(e->actor, "hub-07");
    assert_int_equal(e->body_len, strlen(e->body));
    assert_int_equal(e->touch_count, *(uint32_t *)arg);
    if (e->touch_count) {
        assert_string_equal(e->touches[0], "school/1");
        assert_string_equal(e->touches[1], "group/g");
    }
    return OK;
}

static void an_event_is_read_back_as_it_was_appended(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    uint32_t touches = 2, none = 0;
    bool found;
    append_alone(s, &(struct sent){ .id = "a",
                                    .subject = "school/1",
                                    .also = "group/g",
                                    .sequence = "03",
                                    .recorded = 42 });
    assert_ok(log_scan(s, 0, END, is_whole, &touches, &err));
    assert_ok(log_scan_subject(s, "group/g", END, is_whole, &none, &err));
    assert_ok(log_find(&found, s, "urn:hub:07", "a", END, is_whole, &none, &err));
    assert_true(found);
    store_close(s);
}

static void people_read_times_and_texts(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    append_alone(s, &(struct sent){ .id = "a", .subject = "school/1", .recorded = -1 });
    append_alone(s, &(struct sent){ .id = "b", .subject = "school/1", .recorded = 1500000 });
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM event WHERE source = 'urn:hub:07'"
                                " AND type = 'lead.named' AND subject = 'school/1'"
                                " AND time = '1970-01-01T00:00:07.000000Z'"),
                     2);
    assert_int_equal(
        ask_sql(s, "SELECT seq FROM event WHERE recorded = '1970-01-01T00:00:01.500000Z'"), 2);
    assert_int_equal(
        ask_sql(s, "SELECT seq FROM event WHERE recorded = '1969-12-31T23:59:59.999999Z'"), 1);
    assert_int_equal(
        ask_sql(s, "SELECT prev FROM subject_event WHERE subject = 'school/1' AND seq = 2"), 1);
    store_close(s);
}

/* Five events; b and d touch a group, c has a touch of its own. */
static struct store *five(void)
{
    struct store *s = open_store(NULL, STORE_MEMORY);
    append_alone(s, &(struct sent){ .id = "a", .recorded = 10 });
    append_alone(s, &(struct sent){ .id = "b", .recorded = 20, .also = "group/g" });
    append_alone(s, &(struct sent){ .id = "c", .recorded = 20, .subject = "school/2" });
    append_alone(s, &(struct sent){ .id = "d", .recorded = 30, .also = "group/g" });
    append_alone(s, &(struct sent){ .id = "e", .recorded = 40, .subject = "group/g" });
    return s;
}

static void scans_stay_within_after_and_max_seq(void **state)
{
    (void)state;
    struct store *s = five();
    struct buf seen = { 0 };
    assert_ok(log_scan(s, 1, 3, note_id, &seen, &err));
    assert_collected(&seen, "2:b 3:c ");
    assert_ok(log_scan(s, 4, END, note_id, &seen, &err));
    assert_collected(&seen, "5:e ");
    assert_ok(log_scan(s, 5, END, note_id, &seen, &err));
    assert_ok(log_scan(s, 3, 3, note_id, &seen, &err));
    assert_ok(log_scan(s, 0, 0, note_id, &seen, &err));
    assert_collected(&seen, "");
    assert_ok(log_scan_subject(s, "group/g", END, note_id, &seen, &err));
    assert_collected(&seen, "5:e 4:d 2:b ");
    assert_ok(log_scan_subject(s, "group/g", 4, note_id, &seen, &err));
    assert_collected(&seen, "4:d 2:b ");
    assert_ok(log_scan_subject(s, "group/g", 1, note_id, &seen, &err));
    assert_ok(log_scan_subject(s, "group/unknown", END, note_id, &seen, &err));
    assert_collected(&seen, "");
    buf_fini(&seen);
    store_close(s);
}

static enum err_code stop_at_two(const struct logged *e, void *arg, struct err *e2)
{
    note_id(e, arg, e2);
    return e->seq == 2 ? err_set(e2, ERR_RULE, "enough") : OK;
}

static void a_callback_ends_its_scan_and_its_sentence_is_kept(void **state)
{
    (void)state;
    struct store *s = five();
    struct buf seen = { 0 };
    assert_int_equal(log_scan(s, 0, END, stop_at_two, &seen, &err), ERR_RULE);
    assert_string_equal(err.msg, "enough");
    assert_int_equal(log_scan_subject(s, "group/g", END, stop_at_two, &seen, &err), ERR_RULE);
    assert_collected(&seen, "1:a 2:b 5:e 4:d 2:b ");
    append_alone(s, &(struct sent){ .id = "f", .recorded = 50 }); /* nothing was left open */
    buf_fini(&seen);
    store_close(s);
}

struct nested {
    struct store *s;
    struct buf seen;
};

static enum err_code scan_again(const struct logged *e, void *arg, struct err *e2)
{
    struct nested *n = arg;
    buf_printf(&n->seen, "[%lld/%u] ", (long long)e->seq, e->touch_count);
    if (e->touch_count > 1)
        return log_scan(n->s, e->seq, END, scan_again, n, e2);
    return OK;
}

static void scans_nest(void **state)
{
    (void)state;
    struct nested n = { .s = five() };
    assert_ok(log_scan(n.s, 0, END, scan_again, &n, &err));
    assert_collected(&n.seen, "[1/1] [2/2] [3/1] [4/2] [5/1] [5/1] [3/1] [4/2] [5/1] [5/1] ");
    buf_fini(&n.seen);
    store_close(n.s);
}

static void finds_by_key_up_to_max_seq(void **state)
{
    (void)state;
    struct store *s = five();
    struct buf seen = { 0 };
    bool found;
    assert_ok(log_find(&found, s, "urn:hub:07", "c", END, note_id, &seen, &err));
    assert_true(found);
    assert_collected(&seen, "3:c ");
    assert_ok(log_find(&found, s, "urn:hub:07", "c", 2, note_id, &seen, &err));
    assert_false(found);
    assert_ok(log_find(&found, s, "urn:hub:07", "z", END, note_id, &seen, &err));
    assert_false(found);
    assert_ok(log_find(&found, s, "urn:other", "c", END, note_id, &seen, &err));
    assert_false(found);
    assert_collected(&seen, "");
    buf_fini(&seen);
    store_close(s);
}

static void voids_are_found_by_their_target_even_before_it_arrives(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct buf seen = { 0 };
    append_alone(s, &(struct sent){ .id = "v1", .voids = "late" });
    append_alone(s, &(struct sent){ .id = "late" });
    append_alone(s, &(struct sent){ .id = "v2", .voids = "late" });
    append_alone(s, &(struct sent){ .id = "v3", .voids = "v2" });
    assert_ok(log_voids_of(s, "urn:hub:07", "late", END, note_id, &seen, &err));
    assert_collected(&seen, "1:v1 3:v2 ");
    assert_ok(log_voids_of(s, "urn:hub:07", "late", 2, note_id, &seen, &err));
    assert_collected(&seen, "1:v1 ");
    assert_ok(log_voids_of(s, "urn:hub:07", "v2", END, note_id, &seen, &err));
    assert_collected(&seen, "4:v3 ");
    assert_ok(log_voids_of(s, "urn:other", "late", END, note_id, &seen, &err));
    assert_collected(&seen, "");
    buf_fini(&seen);
    store_close(s);
}

static void touches_and_subjects_come_in_the_order_of_the_log(void **state)
{
    (void)state;
    struct store *s = five();
    struct buf seen = { 0 };
    assert_ok(log_touches(s, 2, note_text, &seen, &err));
    assert_collected(&seen, "school/100001 group/g ");
    assert_ok(log_touches(s, 5, note_text, &seen, &err));
    assert_collected(&seen, "group/g ");
    assert_ok(log_touches(s, 6, note_text, &seen, &err));
    assert_ok(log_touches(s, 0, note_text, &seen, &err));
    assert_collected(&seen, "");
    assert_ok(log_subjects(s, note_text, &seen, &err));
    assert_collected(&seen, "school/100001 group/g school/2 ");
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "f", .subject = "hub/07" });
    assert_ok(log_subjects(s, note_text, &seen, &err)); /* what is not committed yet too */
    assert_collected(&seen, "school/100001 group/g school/2 hub/07 ");
    undo(s);
    assert_ok(log_subjects(s, note_text, &seen, &err));
    assert_collected(&seen, "school/100001 group/g school/2 ");
    buf_fini(&seen);
    store_close(s);
}

static void knows_what_was_recorded_when(void **state)
{
    static const struct {
        int64_t known, seq;
    } CASES[] = { { 9, 0 }, { 10, 1 }, { 19, 1 }, { 20, 3 }, { 30, 4 }, { 39, 4 }, { END, 5 } };
    (void)state;
    struct store *s = five();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        int64_t seq;
        assert_ok(log_seq_known_at(&seq, s, CASES[i].known, &err));
        assert_int_equal(seq, CASES[i].seq);
    }
    store_close(s);
}

static void recorded_time_never_runs_backwards(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    int64_t number;
    assert_int_equal(log_recorded_time(s, 100), 100);
    assert_ok(store_begin(s, &err));
    assert_ok(log_add_commit(&number, s, 1, 0, 100, 1, NULL, &err));
    assert_int_equal(number, 1);
    assert_int_equal(log_recorded_time(s, 90), 100); /* the open transaction counts too */
    assert_ok(store_commit(s, &err));
    assert_int_equal(log_recorded_time(s, 90), 100);
    assert_int_equal(log_recorded_time(s, 101), 101);
    assert_ok(store_begin(s, &err));
    assert_int_equal(log_add_commit(&number, s, 1, 0, 99, 1, NULL, &err), ERR_CONFLICT);
    assert_ok(log_add_commit(&number, s, 1, 0, 100, 1, NULL, &err));
    assert_int_equal(number, 2);
    assert_ok(store_commit(s, &err));
    store_close(s);
}

/* The words of a text, the last one first. */
static void add_reversed(struct buf *out, const char *text)
{
    for (size_t end = strlen(text); end > 0;) {
        size_t start = end - 1; /* each has a space behind it */
        while (start > 0 && text[start - 1] != ' ')
            start--;
        buf_add(out, text + start, end - start);
        end = start;
    }
}

/* Against a model: any mix of sends, commits, rollbacks and reopenings leaves just what was
 * committed, in each chain. */
static void chains_hold_what_was_committed_and_nothing_else(void **state)
{
    struct scratch *x = *state;
    srand((unsigned)given_seed());
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf model[4] = { 0 }, pending[4] = { 0 }, seen = { 0 };
    char names[4][32], id[16];
    int64_t next = 1;
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof(names[i]), "school/%d", i);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t first = next;
        assert_ok(store_begin(s, &err));
        for (int n = rand() % 6; n > 0; n--) {
            int one = rand() % 4, other = (one + 1 + rand() % 3) % 4;
            snprintf(id, sizeof(id), "e%d", rand());
            int64_t seq =
                append(s, &(struct sent){ .id = id, .subject = names[one], .also = names[other] });
            assert_int_equal(seq, next++);
            buf_printf(&pending[one], "%lld:%s ", (long long)seq, id);
            buf_printf(&pending[other], "%lld:%s ", (long long)seq, id);
        }
        bool keep = rand() % 3 > 0;
        if (keep)
            assert_ok(store_commit(s, &err));
        else
            undo(s);
        next = keep ? next : first;
        for (int i = 0; i < 4; i++) {
            if (keep)
                buf_str(&model[i], buf_cstr(&pending[i]));
            buf_reset(&pending[i]);
        }
        if (rand() % 5 == 0) {
            store_close(s);
            s = open_store(x->path, STORE_WRITE);
        }
    }
    for (int i = 0; i < 4; i++) {
        assert_ok(log_scan_subject(s, names[i], END, note_id, &seen, &err));
        add_reversed(&pending[i], buf_cstr(&model[i]));
        assert_collected(&seen, buf_cstr(&pending[i]));
        buf_fini(&model[i]);
        buf_fini(&pending[i]);
    }
    int64_t checked;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, next - 1);
    buf_fini(&seen);
    store_close(s);
}

TEST_MAIN(SCRATCH(keeps_what_was_appended_across_a_reopen),
          CASE(sends_again_are_duplicates_and_other_content_conflicts),
          CASE(a_duplicate_is_found_within_one_batch_too),
          CASE(an_event_is_read_back_as_it_was_appended), CASE(people_read_times_and_texts),
          CASE(scans_stay_within_after_and_max_seq),
          CASE(a_callback_ends_its_scan_and_its_sentence_is_kept), CASE(scans_nest),
          CASE(finds_by_key_up_to_max_seq),
          CASE(voids_are_found_by_their_target_even_before_it_arrives),
          CASE(touches_and_subjects_come_in_the_order_of_the_log),
          CASE(knows_what_was_recorded_when), CASE(recorded_time_never_runs_backwards),
          SCRATCH(chains_hold_what_was_committed_and_nothing_else))
