/* test_keys.c - an event is found by its source and id, wherever its key stands: recent, or in a
 * run. */
#include "tests/unit/store/support.h"

#define RUN  16384 /* keys of a run, as in keys.c */
#define MANY 50000 /* more than the table of recent keys takes */

static int64_t found(struct store *s, const char *id)
{
    struct buf seen = { 0 };
    bool is_there;
    assert_ok(log_find(&is_there, s, "urn:hub:07", id, END, note_id, &seen, &err));
    int64_t seq = is_there ? strtoll(buf_cstr(&seen), NULL, 10) : 0;
    buf_fini(&seen);
    return seq;
}

static int64_t found_number(struct store *s, int64_t i)
{
    char id[24];
    snprintf(id, sizeof(id), "e%lld", (long long)i);
    return found(s, id);
}

static int64_t sent_again(struct store *s, const char *id)
{
    enum append_status status;
    int64_t seq;
    assert_ok(send(&status, &seq, s, &(struct sent){ .id = id }));
    assert_int_equal(status, APPEND_DUPLICATE);
    return seq;
}

/* Events e<first>..e<last> in one commit, with those numbers. */
static void append_many(struct store *s, int64_t first, int64_t last)
{
    char id[24];
    int64_t number;
    assert_ok(store_begin(s, &err));
    for (int64_t i = first; i <= last; i++) {
        snprintf(id, sizeof(id), "e%lld", (long long)i);
        assert_int_equal(append(s, &(struct sent){ .id = id }), i);
    }
    assert_ok(log_add_commit(&number, s, first, last, 0, 1, NULL, &err));
    assert_ok(store_commit(s, &err));
}

/* Each of the events 1..last is found, and no other. */
static void assert_all_found(struct store *s, int64_t last, int64_t step)
{
    for (int64_t i = 1; i <= last; i += step)
        assert_int_equal(found_number(s, i), i);
    assert_int_equal(found_number(s, last), last);
    assert_int_equal(found_number(s, last + 1), 0);
    assert_int_equal(found_number(s, 0), 0);
}

static void assert_verifies(struct store *s, int64_t last)
{
    int64_t checked;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, last);
}

static void a_recent_key_is_found_before_and_after_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    append_many(s, 1, 3000);
    for (int again = 0; again < 2; again++) {
        assert_all_found(s, 3000, 1);
        assert_ok(store_begin(s, &err));
        assert_int_equal(sent_again(s, "e1"), 1);
        assert_int_equal(sent_again(s, "e3000"), 3000);
        assert_ok(store_commit(s, &err));
        store_close(s);
        s = open_store(x->path, STORE_WRITE);
    }
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM event_key"), 0); /* no run is that short */
    store_close(s);
}

static void enough_recent_keys_become_a_run_with_the_commit_that_brings_them(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    append_many(s, 1, RUN - 1);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM event_key"), 0);
    append_many(s, RUN, RUN + 5);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM event_key"), 1);
    assert_int_equal(ask_sql(s, "SELECT first FROM event_key"), 1);
    assert_int_equal(ask_sql(s, "SELECT last FROM event_key"), RUN + 5);
    append_many(s, RUN + 6, RUN + 100); /* the next ones are recent again */
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM event_key"), 1);
    assert_all_found(s, RUN + 100, 7);
    assert_verifies(s, RUN + 100);
    store_close(s);
    s = open_store(x->path, STORE_WRITE); /* now the run is the file's */
    assert_all_found(s, RUN + 100, 7);
    assert_ok(store_begin(s, &err));
    assert_int_equal(sent_again(s, "e1"), 1);
    assert_int_equal(sent_again(s, "e16400"), 16400);
    undo(s);
    store_close(s);
}

/* Runs of all lengths, so that some are merged and some not. */
static void keys_are_found_across_merged_runs(void **state)
{
    static const int64_t LENGTHS[] = { 2 * RUN, RUN, RUN + 77, 3 * RUN, RUN, RUN, 500 };
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    int64_t last = 0;
    for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(*LENGTHS); i++) {
        append_many(s, last + 1, last + LENGTHS[i]);
        last += LENGTHS[i];
        assert_all_found(s, last, 997);
        for (int r = 0; r + 1 < s->keys.run_count;
             r++) /* few to look into, however many there are */
            assert_true(s->keys.runs[r].count >= 2 * s->keys.runs[r + 1].count);
    }
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM event_key"), 6); /* as they were written */
    assert_int_equal(ask_sql(s, "SELECT sum(last - first + 1) FROM event_key"), last - 500);
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_all_found(s, last, 101);
    assert_verifies(s, last);
    store_close(s);
}

static void one_commit_may_hold_more_than_the_recent_table(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    append_many(s, 1, MANY);
    assert_all_found(s, MANY, 101);
    assert_verifies(s, MANY);
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_all_found(s, MANY, 101);
    store_close(s);
}

/* As after a migration: runs are made of the events that are in none, with the next commit. */
static void runs_that_are_missing_are_made_of_the_events(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    append_many(s, 1, MANY);
    append_many(s, MANY + 1, 2 * MANY);
    store_close(s);
    run_sql(x->path, "DELETE FROM event_key");
    s = open_store(x->path, STORE_WRITE);
    assert_all_found(s, 2 * MANY, 997);
    append_many(s, 2 * MANY + 1, 2 * MANY + 1);
    assert_true(ask_sql(s, "SELECT sum(last - first + 1) FROM event_key") > 2 * MANY - RUN);
    assert_verifies(s, 2 * MANY + 1);
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_all_found(s, 2 * MANY + 1, 997);
    store_close(s);
}

static void what_was_rolled_back_is_new_and_its_number_is_anothers(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    append_alone(s, &(struct sent){ .id = "a" });
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "b" });
    append(s, &(struct sent){ .id = "c" });
    undo(s);
    assert_int_equal(found(s, "b"), 0);
    assert_int_equal(append_alone(s, &(struct sent){ .id = "c" }), 2);
    assert_int_equal(append_alone(s, &(struct sent){ .id = "b" }), 3);
    assert_int_equal(found(s, "b"), 3);
    assert_int_equal(found(s, "c"), 2);
    assert_ok(store_begin(s, &err));
    assert_int_equal(sent_again(s, "b"), 3);
    assert_int_equal(sent_again(s, "c"), 2);
    store_rollback(s); /* nothing was appended: nothing to load anew */
    assert_int_equal(append_alone(s, &(struct sent){ .id = "d" }), 4);
    store_close(s);
}

static void a_run_that_was_rolled_back_is_none(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    char id[24];
    append_many(s, 1, 100);
    assert_ok(store_begin(s, &err));
    for (int i = 1; i <= MANY; i++) { /* more than one, before it ends */
        snprintf(id, sizeof(id), "lost%d", i);
        append(s, &(struct sent){ .id = id });
    }
    undo(s);
    assert_int_equal(found(s, "lost1"), 0);
    assert_int_equal(found(s, "lost49999"), 0);
    append_many(s, 101, RUN + 1);
    assert_all_found(s, RUN + 1, 101);
    assert_int_equal(ask_sql(s, "SELECT first FROM event_key"), 1);
    assert_verifies(s, RUN + 1);
    store_close(s);
}

static void keys_with_one_hash_are_told_apart(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct dict_entry *source;
    int64_t seq;
    append_alone(s, &(struct sent){ .id = "a" });
    append_alone(s, &(struct sent){ .id = "b" });
    assert_ok(dict_find(&source, s, DICT_SOURCE, "urn:hub:07", &err));
    assert_ok(store_begin(s, &err));
    assert_ok(keys_add(s, 77, 1, &err)); /* as if a and b had the hash 77 */
    assert_ok(keys_add(s, 77, 2, &err));
    assert_ok(keys_find(&seq, s, 77, source->id, "a", &err));
    assert_int_equal(seq, 1);
    assert_ok(keys_find(&seq, s, 77, source->id, "b", &err));
    assert_int_equal(seq, 2);
    assert_ok(keys_find(&seq, s, 77, source->id, "c", &err));
    assert_int_equal(seq, 0);
    assert_ok(keys_find(&seq, s, 77, source->id + 1, "a", &err));
    assert_int_equal(seq, 0);
    undo(s);
    store_close(s);
}

/* In a run: the same hash many times over, at its edges too. */
static void a_hit_in_a_run_is_confirmed_against_the_event(void **state)
{
    static const uint32_t HASHES[] = { 0, 77, UINT32_MAX };
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct dict_entry *source;
    int64_t seq;
    append_many(s, 1, 300);
    assert_ok(dict_find(&source, s, DICT_SOURCE, "urn:hub:07", &err));
    for (size_t h = 0; h < 3; h++) {
        uint64_t *keys = malloc(300 * sizeof(*keys));
        for (uint64_t i = 0; i < 300; i++)
            keys[i] = (uint64_t)HASHES[h] << 32 | (i + 1);
        s->keys.runs[s->keys.run_count++] = (struct key_run){ keys, 300 };
        assert_ok(keys_find(&seq, s, HASHES[h], source->id, "e1", &err));
        assert_int_equal(seq, 1);
        assert_ok(keys_find(&seq, s, HASHES[h], source->id, "e300", &err));
        assert_int_equal(seq, 300);
        assert_ok(keys_find(&seq, s, HASHES[h], source->id, "e301", &err));
        assert_int_equal(seq, 0);
        assert_ok(keys_find(&seq, s, HASHES[h], source->id + 1, "e1", &err));
        assert_int_equal(seq, 0);
    }
    store_close(s);
}

/* Of a database with two runs. */
static const struct {
    const char *sql;
    bool is_refused; /* at opening; else `verify` names it */
} DAMAGE[] = {
    { "DELETE FROM event_key WHERE first = 1", true },
    { "UPDATE event_key SET first = 2 WHERE first = 1", true },
    { "UPDATE event_key SET last = last + 1 WHERE first = 1", true },
    { "UPDATE event_key SET last = 0 WHERE first = 1", true },
    { "UPDATE event_key SET keys = substr(keys, 9) WHERE first = 1", true },
    { "UPDATE event_key SET keys = CAST(keys || x'00' AS BLOB) WHERE first = 1", true },
    { "UPDATE event_key SET keys = x'' WHERE first = 1", true },
    { "UPDATE event_key SET keys = CAST(keys || zeroblob(8) AS BLOB) WHERE first > 1", true },
    { "INSERT INTO event_key VALUES (32779, 32779, zeroblob(8))", true }, /* beyond the log */
    { "UPDATE event_key SET keys = zeroblob(length(keys)) WHERE first = 1", false },
    { "UPDATE event_key SET keys = CAST(substr(keys, 1, 800) || x'01' || substr(keys, 802) AS BLOB)"
      " WHERE first > 1",
      false },
    { "UPDATE event_key SET keys = CAST(substr(keys, 9, 8) || substr(keys, 1, 8) || substr(keys, "
      "17)"
      " AS BLOB) WHERE first = 1",
      false },
};

static void a_damaged_run_is_refused_or_named(void **state)
{
    struct scratch *x = *state;
    char copy[140];
    int64_t checked;
    struct store *s = open_store(x->path, STORE_WRITE);
    append_many(s, 1, RUN);
    append_many(s, RUN + 1, 2 * RUN + 10);
    store_close(s);
    snprintf(copy, sizeof(copy), "%s-copy", x->path);
    for (size_t i = 0; i < sizeof(DAMAGE) / sizeof(*DAMAGE); i++) {
        char sql[200];
        unlink(copy);
        snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", copy);
        run_sql(x->path, sql);
        run_sql(copy, DAMAGE[i].sql);
        s = NULL;
        enum err_code rc = store_open(&s, copy, STORE_WRITE, &err);
        if (DAMAGE[i].is_refused ? rc != ERR_STORE : rc != OK)
            fail_msg("%s: opening says %d", DAMAGE[i].sql, rc);
        if (rc != OK)
            assert_non_null(strstr(err.msg, "the keys of events"));
        store_close(s);
        s = open_store(copy, STORE_READ); /* which needs no keys */
        if (log_verify(&checked, s, &err) != ERR_CONFLICT)
            fail_msg("verify does not name: %s", DAMAGE[i].sql);
        assert_non_null(strstr(err.msg, "event_key"));
        store_close(s);
    }
}

static void the_hash_is_the_databases_own(void **state)
{
    (void)state;
    struct store *a = open_store(NULL, STORE_MEMORY), *b = open_store(NULL, STORE_MEMORY);
    int same = 0;
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof(id), "e%d", i);
        same += keys_hash(a, "urn:x", id) == keys_hash(b, "urn:x", id);
    }
    assert_in_range(same, 0, 2);
    assert_int_not_equal(keys_hash(a, "urn:x", "y"), keys_hash(a, "urn:", "xy"));
    store_close(a);
    store_close(b);
}

TEST_MAIN(SCRATCH(a_recent_key_is_found_before_and_after_a_reopen),
          SCRATCH(enough_recent_keys_become_a_run_with_the_commit_that_brings_them),
          SCRATCH(keys_are_found_across_merged_runs),
          SCRATCH(one_commit_may_hold_more_than_the_recent_table),
          SCRATCH(runs_that_are_missing_are_made_of_the_events),
          CASE(what_was_rolled_back_is_new_and_its_number_is_anothers),
          SCRATCH(a_run_that_was_rolled_back_is_none), CASE(keys_with_one_hash_are_told_apart),
          CASE(a_hit_in_a_run_is_confirmed_against_the_event),
          SCRATCH(a_damaged_run_is_refused_or_named), CASE(the_hash_is_the_databases_own))
