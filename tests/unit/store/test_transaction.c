/* test_transaction.c - commits, rollbacks, a full disk; readers beside the writer. */
#include "tests/unit/store/support.h"

static void a_rollback_undoes_rows_and_memory(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct buf seen = { 0 };
    append_alone(s, &(struct sent){ .id = "a", .subject = "school/1" });
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "b", .subject = "school/1", .also = "group/new" });
    assert_ok(decisions_put(s, "school/1", "[\"committed\"]", "[true]", &err));
    assert_ok(wake_put(s, "school/1", 50, &err));
    assert_ok(pending_add(s, "school/1", "2", &err));
    undo(s);
    assert_ok(log_scan_subject(s, "group/new", END, note_id, &seen, &err));
    note_decisions(&seen, s, "school/1");
    assert_collected(&seen, "");
    assert_int_equal(wake_next(s), TIME_NEVER);
    assert_int_equal(pending_count(s), 0);
    assert_ok(log_subjects(s, note_text, &seen, &err));
    assert_collected(&seen, "school/1 ");
    assert_int_equal(
        append_alone(s, &(struct sent){ .id = "c", .subject = "group/new", .also = "school/1" }),
        2);
    assert_ok(log_scan_subject(s, "school/1", END, note_id, &seen, &err));
    assert_collected(&seen, "2:c 1:a ");
    assert_ok(log_scan_subject(s, "group/new", END, note_id, &seen, &err));
    assert_collected(&seen, "2:c ");
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM subject_event WHERE subject = 'group/new'"),
                     1);
    int64_t checked;
    assert_ok(log_verify(&checked, s, &err));
    buf_fini(&seen);
    store_close(s);
}

/* What is open has changed heads, wakes and more in memory: none of it may get into a table. */
static void closing_rolls_back_what_is_open(void **state)
{
    struct scratch *x = *state;
    for (int is_rolled_back = 0; is_rolled_back < 2; is_rolled_back++) {
        struct store *s = open_store(x->path, STORE_WRITE);
        struct buf seen = { 0 };
        int64_t number;
        if (!is_rolled_back)
            append_alone(s, &(struct sent){ .id = "a", .subject = "school/1" });
        assert_ok(store_begin(s, &err));
        append(s, &(struct sent){ .id = "b", .subject = "school/1", .also = "group/new" });
        assert_ok(log_add_commit(&number, s, 2, 2, 0, 1, NULL, &err));
        assert_ok(wake_put(s, "school/1", 50, &err));
        if (is_rolled_back)
            store_rollback(s);
        store_close(s);
        s = open_store(x->path, STORE_WRITE);
        assert_ok(log_scan(s, 0, END, note_id, &seen, &err));
        assert_ok(log_scan_subject(s, "school/1", END, note_id, &seen, &err));
        assert_collected(&seen, "1:a 1:a ");
        assert_ok(log_subjects(s, note_text, &seen, &err));
        assert_collected(&seen, "school/1 ");
        assert_int_equal(wake_next(s), TIME_NEVER);
        assert_int_equal(derived_mark(s).commit, log_commits(s));
        assert_int_equal(derived_mark(s).seq, 1);
        assert_int_equal(ask_sql(s, "SELECT count(*) FROM subject_row"), 1);
        buf_fini(&seen);
        store_close(s);
    }
}

static void limit_pages(struct store *s, int more)
{
    char sql[80];
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
             (long long)ask_sql(s, "PRAGMA page_count") + more);
    ask_sql(s, sql);
}

static void a_full_disk_undoes_the_batch_and_the_store_goes_on(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    static char big[400001];
    int64_t checked;
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    append_alone(s, &(struct sent){ .id = "a" });
    limit_pages(s, 1);
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "small" });
    append(s, &(struct sent){ .id = "b", .content = big });
    assert_int_equal(store_commit(s, &err), ERR_LIMIT);
    assert_non_null(strstr(err.msg, "Free some space"));
    assert_ok(store_reload(s, &err)); /* the disk is still full, but it can be read */
    assert_ok(log_scan(s, 0, END, note_id, &seen, &err));
    assert_collected(&seen, "1:a ");
    limit_pages(s, 1000);
    assert_int_equal(append_alone(s, &(struct sent){ .id = "b", .content = big }), 2);
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 2);
    buf_fini(&seen);
    store_close(s);
}

/* Memory is ahead of what is durable then, and nobody may make it durable. */
static void closing_after_a_failed_commit_keeps_nothing_of_it(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    static char big[400001];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    append_alone(s, &(struct sent){ .id = "a", .subject = "school/1" });
    limit_pages(s, 0);
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "b", .subject = "school/1", .content = big });
    for (int i = 0; i < 100; i++) { /* more than go into any commit */
        char subject[24];
        snprintf(subject, sizeof(subject), "school/%d", i);
        assert_ok(wake_put(s, subject, 50, &err));
    }
    assert_int_equal(store_commit(s, &err), ERR_LIMIT);
    limit_pages(s, 1000);
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    assert_ok(log_scan_subject(s, "school/1", END, note_id, &seen, &err));
    assert_collected(&seen, "1:a ");
    assert_int_equal(derived_mark(s).seq, 1);
    assert_int_equal(wake_next(s), TIME_NEVER);
    buf_fini(&seen);
    store_close(s);
}

static void a_reader_sees_the_live_writers_commits_and_only_those(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    struct store *reader = open_store(x->path, STORE_READ);
    struct buf seen = { 0 };
    append_alone(writer, &(struct sent){ .id = "a", .subject = "school/1" });
    assert_ok(store_begin(writer, &err));
    append(writer, &(struct sent){ .id = "b", .subject = "school/1", .also = "group/g" });
    assert_ok(log_scan(reader, 0, END, note_id, &seen, &err));
    assert_collected(&seen, "1:a ");
    assert_ok(store_commit(writer, &err));
    assert_ok(log_scan_subject(reader, "group/g", END, note_id, &seen, &err));
    assert_collected(&seen, "2:b ");
    assert_ok(log_scan_subject(reader, "school/1", END, note_id, &seen, &err));
    assert_collected(&seen, "2:b 1:a ");
    buf_fini(&seen);
    store_close(reader);
    store_close(writer);
}

static void a_snapshot_stands_still_while_the_writer_goes_on(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    struct store *reader = open_store(x->path, STORE_READ);
    int64_t seq;
    append_alone(writer, &(struct sent){ .id = "a" });
    assert_ok(store_snapshot(reader, &err));
    append_alone(writer, &(struct sent){ .id = "b" });
    assert_ok(log_last_seq(&seq, reader, &err));
    assert_int_equal(seq, 1);
    store_snapshot_end(reader);
    assert_ok(log_last_seq(&seq, reader, &err));
    assert_int_equal(seq, 2);
    store_close(reader);
    store_close(writer);
}

static void reads_leave_nothing_open_that_would_pin_the_wal(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    struct store *reader = open_store(x->path, STORE_READ);
    struct buf seen = { 0 };
    int64_t value;
    bool found;
    append_alone(writer, &(struct sent){ .id = "a", .also = "group/g" });
    assert_ok(log_scan(reader, 0, END, note_id, &seen, &err));
    assert_ok(log_scan_subject(reader, "group/g", END, note_id, &seen, &err));
    assert_ok(log_find(&found, reader, "urn:hub:07", "a", END, note_id, &seen, &err));
    assert_ok(log_seq_known_at(&value, reader, 5, &err));
    assert_ok(log_subjects(reader, note_text, &seen, &err));
    assert_ok(wake_first(&value, reader, &err));
    assert_ok(feed_last_seq(&value, reader, &err));
    for (sqlite3_stmt *st = NULL; (st = sqlite3_next_stmt(reader->db, st));)
        assert_false(sqlite3_stmt_busy(st));
    int left = -1, done = -1;
    assert_int_equal(
        sqlite3_wal_checkpoint_v2(writer->db, "main", SQLITE_CHECKPOINT_TRUNCATE, &left, &done),
        SQLITE_OK);
    assert_int_equal(left, 0);
    buf_fini(&seen);
    store_close(reader);
    store_close(writer);
}

TEST_MAIN(SCRATCH(a_rollback_undoes_rows_and_memory), SCRATCH(closing_rolls_back_what_is_open),
          SCRATCH(a_full_disk_undoes_the_batch_and_the_store_goes_on),
          SCRATCH(closing_after_a_failed_commit_keeps_nothing_of_it),
          SCRATCH(a_reader_sees_the_live_writers_commits_and_only_those),
          SCRATCH(a_snapshot_stands_still_while_the_writer_goes_on),
          SCRATCH(reads_leave_nothing_open_that_would_pin_the_wal))
