/* test_generation.c - every set of rules that judged stays, each text once. */
#include "tests/unit/store/support.h"

#include "store/generation.h"

static int64_t add(struct store *s, const char *digest, int64_t since,
                   const struct pack_file *files, int count)
{
    int64_t number;
    assert_ok(store_begin(s, &err));
    assert_ok(generation_add(&number, s, digest, since, files, count, &err));
    assert_ok(store_commit(s, &err));
    return number;
}

static void generations_count_from_one(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct generation last;
    assert_ok(generation_last(&last, s, &err));
    assert_int_equal(last.number, 0);
    assert_int_equal(add(s, "aa", 100, NULL, 0), 1);
    assert_int_equal(add(s, "bb", 200, NULL, 0), 2);
    assert_int_equal(add(s, "aa", 300, NULL, 0), 3); /* an old set of rules may come back */
    assert_ok(generation_last(&last, s, &err));
    assert_int_equal(last.number, 3);
    assert_string_equal(last.digest, "aa");
    assert_int_equal(last.since, 300);
    store_close(s);
}

static void a_text_is_kept_once_and_stays_readable_by_generation(void **state)
{
    const struct pack_file first[] = { { "national/pack.lua", "return 1", 8 },
                                       { "hubs/07/pack.lua", "return 1", 8 } };
    const struct pack_file second[] = { { "national/pack.lua", "return 2", 8 },
                                        { "hubs/07/pack.lua", "return 1", 8 } };
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    add(s, "aa", 100, first, 2);
    add(s, "bb", 200, second, 2);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM pack_text"), 2);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM pack"), 4);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM pack WHERE generation = 1"
                                " AND path = 'national/pack.lua' AND text = 'return 1'"),
                     1);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM pack WHERE generation = 2"
                                " AND path = 'national/pack.lua' AND text = 'return 2'"),
                     1);
    store_close(s);
}

static void a_digest_that_is_none_is_reported(void **state)
{
    char digest[100];
    struct generation last;
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    memset(digest, 'a', sizeof(digest) - 1);
    digest[sizeof(digest) - 1] = '\0';
    add(s, digest, 100, NULL, 0);
    assert_int_equal(generation_last(&last, s, &err), ERR_STORE);
    store_close(s);
}

TEST_MAIN(CASE(generations_count_from_one),
          CASE(a_text_is_kept_once_and_stays_readable_by_generation),
          CASE(a_digest_that_is_none_is_reported))
