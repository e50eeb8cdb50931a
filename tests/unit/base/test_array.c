/* test_array.c - an array keeps its items while it grows, and stands when there is no memory. */
#include "tests/unit/harness.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"

static void items_stay_while_it_grows(void **state)
{
    struct arena arena = { 0 };
    int *plain = NULL, *pooled = NULL;
    size_t plain_cap = 0, pooled_cap = 0;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        plain = array_room(plain, i, &plain_cap, sizeof(*plain));
        pooled = array_room_in(&arena, pooled, i, &pooled_cap, sizeof(*pooled));
        assert_non_null(plain);
        assert_non_null(pooled);
        plain[i] = pooled[i] = (int)i;
    }
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(plain[i], i);
        assert_int_equal(pooled[i], i);
    }
    assert_in_range(plain_cap, 10000, 20000);
    free(plain);
    arena_fini(&arena);
}

static void it_stands_when_there_is_no_memory(void **state)
{
    struct arena arena = { 0 };
    size_t cap = SIZE_MAX / 4, before = cap; /* more bytes than can be counted */
    int item = 7;

    (void)state;
    assert_null(array_room(NULL, cap, &cap, sizeof(item)));
    assert_null(array_room_in(&arena, &item, cap, &cap, sizeof(item)));
    assert_true(cap == before);
    cap = SIZE_MAX; /* twice of it is less */
    assert_null(array_room(NULL, SIZE_MAX, &cap, 1));
    arena_fini(&arena);
}

TEST_MAIN(CASE(items_stay_while_it_grows), CASE(it_stands_when_there_is_no_memory))
