/* test_keys.c - an event is found by its source and id, whatever happened to the table of keys. */
#include "tests/unit/store/support.h"

#define SENT 3000 /* enough for the table to grow several times */

static int64_t found(struct store *s, const char *id)
{
    struct buf seen = { 0 };
    bool is_there;
    assert_ok(log_find(&is_there, s, "urn:hub:07", id, END, note_id, &seen, &err));
    int64_t seq = is_there ? strtoll(buf_cstr(&seen), NULL, 10) : 0;
    buf_fini(&seen);
    return seq;
}

static int64_t sent_again(struct store *s, const char *id)
{
    enum append_status status;
    int64_t seq;
    assert_ok(send(&status, &seq, s, &(struct sent){ .id = id }));
    assert_int_equal(status, APPEND_DUPLICATE);
    return seq;
}

static void every_key_is_found_after_growing_and_after_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    char id[16];
    for (int again = 0; again < 2; again++) {
        assert_ok(store_begin(s, &err));
        for (int i = 1; i <= SENT; i++) {
            snprintf(id, sizeof(id), "e%d", i);
            assert_int_equal(again ? sent_again(s, id) : append(s, &(struct sent){ .id = id }), i);
        }
        assert_ok(store_commit(s, &err));
        assert_int_equal(found(s, "e1"), 1);
        assert_int_equal(found(s, "e3000"), SENT);
        assert_int_equal(found(s, "e3001"), 0);
        store_close(s);
        s = open_store(x->path, STORE_WRITE);
    }
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
    store_rollback(s);
    assert_int_equal(found(s, "b"), 0);
    assert_int_equal(append_alone(s, &(struct sent){ .id = "c" }), 2);
    assert_int_equal(append_alone(s, &(struct sent){ .id = "b" }), 3);
    assert_int_equal(found(s, "b"), 3);
    assert_int_equal(found(s, "c"), 2);
    assert_ok(store_begin(s, &err));
    assert_int_equal(sent_again(s, "b"), 3);
    assert_int_equal(sent_again(s, "c"), 2);
    store_rollback(s);
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
    ask_sql(s, "DELETE FROM event_key");
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
    store_rollback(s);
    store_close(s);
}

static void a_reader_finds_what_was_committed_since_it_last_looked(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    struct store *reader = open_store(x->path, STORE_READ);
    assert_int_equal(found(reader, "a"), 0);
    append_alone(writer, &(struct sent){ .id = "a" });
    assert_int_equal(found(reader, "a"), 1);
    assert_ok(store_begin(writer, &err));
    append(writer, &(struct sent){ .id = "b" });
    assert_int_equal(found(reader, "b"), 0);
    assert_ok(store_commit(writer, &err));
    assert_int_equal(found(reader, "b"), 2);
    store_close(reader);
    store_close(writer);
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

TEST_MAIN(SCRATCH(every_key_is_found_after_growing_and_after_a_reopen),
          CASE(what_was_rolled_back_is_new_and_its_number_is_anothers),
          CASE(keys_with_one_hash_are_told_apart),
          SCRATCH(a_reader_finds_what_was_committed_since_it_last_looked),
          CASE(the_hash_is_the_databases_own))
