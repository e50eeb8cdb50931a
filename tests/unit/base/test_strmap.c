/* test_strmap.c - every key once, found again, in the order in which it came. */
#include "tests/unit/harness.h"

#include "base/strmap.h"

#define MANY 20000

static char keys[MANY][24];

static void keys_are_found_and_kept_in_order(void **state)
{
    (void)state;
    struct strmap m = { 0 };
    bool is_new;

    assert_null(strmap_find(&m, "x", 1));
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "school/%d", 100000 + i);
        struct strmap_item *item = strmap_add(&m, keys[i], strlen(keys[i]), &is_new);
        assert_true(is_new && item->as.num == 0);
        item->as.num = i;
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(strmap_find(&m, keys[i], strlen(keys[i]))->as.num, i);
        assert_ptr_equal(m.items[i].key, keys[i]);
    }
    assert_non_null(strmap_add(&m, keys[7], strlen(keys[7]), &is_new));
    assert_false(is_new);
    assert_int_equal(m.count, MANY);
    assert_null(strmap_find(&m, "school/1", 8));
    strmap_fini(&m);
}

static void near_keys_do_not_pile_up(void **state)
{
    (void)state;
    struct strmap m = { 0 };
    uint32_t longest = 0, run = 0;

    for (int i = 0; i < MANY; i++)
        assert_non_null(strmap_add(&m, keys[i], strlen(keys[i]), NULL));
    for (uint32_t i = 0; i < m.slot_cap; i++) {
        run = m.slots[i] ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_true(longest < 100);
    strmap_fini(&m);
}

static void empty_keys_and_nul_bytes_are_keys(void **state)
{
    (void)state;
    struct strmap m = { 0 };

    strmap_add(&m, "", 0, NULL)->as.num = 1;
    strmap_add(&m, "a\0b", 3, NULL)->as.num = 2;
    strmap_add(&m, "a\0c", 3, NULL)->as.num = 3;
    strmap_add(&m, "a", 1, NULL)->as.num = 4;
    assert_int_equal(m.count, 4);
    assert_int_equal(strmap_find(&m, "", 0)->as.num, 1);
    assert_int_equal(strmap_find(&m, "a\0b", 3)->as.num, 2);
    assert_int_equal(strmap_find(&m, "a", 1)->as.num, 4);
    strmap_fini(&m);
}

TEST_MAIN(CASE(keys_are_found_and_kept_in_order), CASE(near_keys_do_not_pile_up),
          CASE(empty_keys_and_nul_bytes_are_keys))
