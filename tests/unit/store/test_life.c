/* test_life.c - which database gave a number of the feed, and what a reader has in common
 * with it. */
#include "tests/unit/store/support.h"

#include "store/life.h"
#include "store/meta.h"

static void grow(struct store *s, int count)
{
    const struct change c = { .recorded = 5,
                              .generation = 1,
                              .subject = "school/1",
                              .decision = "committed",
                              .old_value = "false",
                              .new_value = "true" };
    int64_t seq;

    assert_ok(store_begin(s, &err));
    for (int i = 0; i < count; i++)
        assert_ok(feed_append(&seq, s, &c, &err));
    assert_ok(store_commit(s, &err));
}

static int64_t common(const struct store *s, const char *id, int64_t seq, int64_t head)
{
    return life_common(s, id, strlen(id), seq, head);
}

static void a_database_that_was_never_restored_has_one(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);

    grow(s, 3);
    assert_string_equal(life_of(s, 0), store_id(s));
    assert_string_equal(life_of(s, 3), store_id(s));
    assert_int_equal(common(s, store_id(s), 2, 3), 2);
    assert_int_equal(common(s, store_id(s), 4, 3), 3); /* a copy that is older */
    assert_int_equal(common(s, "0123456789abcdef", 1, 3), LIFE_UNKNOWN);
    assert_int_equal(life_common(s, store_id(s), 15, 1, 3), LIFE_UNKNOWN);
    store_close(s);
}

static void each_gives_the_numbers_behind_the_end_of_the_one_before(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    char first[17], second[17], third[17];

    grow(s, 3);
    memcpy(first, store_id(s), sizeof(first));
    assert_ok(life_begin(s, &err));
    memcpy(second, store_id(s), sizeof(second));
    assert_ok(life_begin(s, &err)); /* restored again, before anything had changed */
    memcpy(third, store_id(s), sizeof(third));
    grow(s, 2);
    store_close(s);
    s = open_store(x->path, STORE_READ);
    assert_string_equal(store_id(s), third);
    assert_string_equal(life_of(s, 0), first);
    assert_string_equal(life_of(s, 3), first);
    assert_string_equal(life_of(s, 4), third);
    assert_string_not_equal(second, third);
    assert_int_equal(common(s, first, 3, 5), 3);
    assert_int_equal(common(s, first, 4, 5), 3);
    assert_int_equal(common(s, second, 5, 5), 3);
    assert_int_equal(common(s, third, 5, 5), 5);
    assert_int_equal(common(s, third, 6, 5), 5);
    store_close(s);
}

static void a_note_that_is_none_is_named(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);

    assert_ok(store_begin(s, &err));
    assert_ok(meta_put(s, "life.000002", "soon", &err));
    assert_ok(store_commit(s, &err));
    store_close(s);
    s = NULL;
    assert_int_equal(store_open(&s, x->path, STORE_READ, &err), ERR_STORE);
    assert_non_null(strstr(err.msg, "life.000002"));
}

TEST_MAIN(SCRATCH(a_database_that_was_never_restored_has_one),
          SCRATCH(each_gives_the_numbers_behind_the_end_of_the_one_before),
          SCRATCH(a_note_that_is_none_is_named))
