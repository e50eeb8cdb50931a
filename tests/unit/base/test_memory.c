/* test_memory.c - buf.h and arena.h. */
#include "tests/unit/harness.h"

#include <stdalign.h>

#include "base/arena.h"
#include "base/buf.h"

static void a_buffer_grows_and_ends_with_nul(void **state)
{
    (void)state;
    struct buf b = { 0 };
    assert_string_equal(buf_cstr(&b), "");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%03d,", i);
    assert_int_equal(b.len, 4000);
    assert_int_equal(strlen(b.data), 4000);
    assert_memory_equal(b.data + 3996, "999,", 4);
    buf_reset(&b);
    assert_string_equal(buf_cstr(&b), "");
    buf_str(&b, "ab");
    buf_char(&b, 'c');
    char *taken = buf_take(&b);
    assert_string_equal(taken, "abc");
    assert_null(b.data);
    free(taken);
    taken = buf_take(&b);
    assert_string_equal(taken, "");
    free(taken);
}

static void a_failed_buffer_stays_failed_until_reset(void **state)
{
    (void)state;
    struct buf b = { 0 };
    buf_str(&b, "kept");
    buf_add(&b, "", SIZE_MAX / 2 + 1);
    assert_true(b.failed);
    buf_str(&b, " not this");
    assert_string_equal(buf_cstr(&b), "kept");
    assert_null(buf_take(&b));
    assert_false(b.failed);
}

static void a_buffer_outgrows_what_was_lent_to_it(void **state)
{
    (void)state;
    for (int letters = 0; letters < 20; letters++) {
        char room[8];
        struct buf b = { 0 };
        buf_lend(&b, room, sizeof(room));
        assert_string_equal(buf_cstr(&b), "");
        for (int i = 0; i < letters; i++)
            buf_char(&b, (char)('a' + i));
        assert_int_equal(b.data == room, letters < 8);
        assert_memory_equal(b.data, "abcdefghijklmnopqrst", (size_t)letters);
        char *taken = buf_take(&b); /* the caller's, wherever it stood */
        assert_true(taken != room);
        assert_int_equal(strlen(taken), letters);
        free(taken);
    }
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a = { 0 };
    for (int round = 0; round < 3; round++) {
        unsigned char *last = NULL;
        for (size_t size = 0; size < 3000; size += 7) {
            unsigned char *p = arena_alloc(&a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            if (size > 0)
                memset(p, 0xff, size);
            assert_true(p != last);
            last = size > 0 ? p : NULL;
        }
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_fini(&a);
}

static void a_huge_piece_does_not_waste_the_block_and_is_given_back(void **state)
{
    (void)state;
    struct arena a = { 0 };
    char *first = arena_alloc(&a, 16);
    assert_non_null(arena_alloc(&a, 4000000));
    assert_ptr_equal((char *)arena_alloc(&a, 16), first + 16);
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 4000000));
    arena_fini(&a);
    assert_non_null(arena_strdup(&a, "after fini it is empty and valid"));
    arena_fini(&a);
}

static void memory_that_was_used_before_is_zeroed_again(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct arena a = { 0 };
        arena_expect(&a, 1000000);
        assert_int_equal(a.used, 0);
        for (int i = 0; i < 40; i++) {
            unsigned char *p = arena_alloc(&a, 100000);
            assert_non_null(p);
            assert_int_equal(p[0] + p[50000] + p[99999], 0);
            memset(p, 0xff, 100000);
        }
        arena_fini(&a);
    }
}

static void copies_end_with_nul(void **state)
{
    (void)state;
    struct arena a = { 0 };
    assert_memory_equal(arena_copy(&a, "a\0bc", 3), "a\0b", 4);
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    arena_fini(&a);
}

TEST_MAIN(CASE(a_buffer_grows_and_ends_with_nul), CASE(a_failed_buffer_stays_failed_until_reset),
          CASE(a_buffer_outgrows_what_was_lent_to_it),
          CASE(arena_memory_is_zeroed_aligned_and_apart),
          CASE(memory_that_was_used_before_is_zeroed_again),
          CASE(a_huge_piece_does_not_waste_the_block_and_is_given_back), CASE(copies_end_with_nul))
