/* test_problems.c - what is wrong with packs is listed once, and not without an end. */
#include "tests/unit/harness.h"

#include "lua/problems.h"

static size_t listed(const struct problems *p)
{
    size_t n = 0;

    for (const struct problem *item = p->first; item; item = item->next)
        n++;
    return n;
}

static void one_is_listed_once(void **state)
{
    struct problems p = { 0 };
    (void)state;

    problems_add(&p, "a.lua:%d: x", 1);
    problems_add(&p, "a.lua:%d: x", 2);
    problems_add(&p, "a.lua:%d: x", 1);
    assert_int_equal(listed(&p), 2);
    assert_int_equal(p.count, 2);
    problems_fini(&p);
}

/* Who makes mistakes in a loop neither takes the time of all others, nor hides theirs. */
static void of_one_pack_only_so_many_are_listed(void **state)
{
    struct problems p = { .hub = "07" };
    (void)state;

    for (int i = 0; i < 100000; i++)
        problems_add(&p, "hubs/07/a.lua:%d: x", i);
    assert_int_equal(listed(&p), PROBLEMS_LISTED + 1);
    assert_int_equal(p.count, 100000);
    assert_string_equal(p.last->text,
                        "hubs/07: more than 1000 mistakes; the others are not listed");
    p.hub = "12";
    problems_add(&p, "hubs/12/a.lua:1: x");
    assert_string_equal(p.last->text, "hubs/12/a.lua:1: x");
    problems_fini(&p);
}

TEST_MAIN(CASE(one_is_listed_once), CASE(of_one_pack_only_so_many_are_listed))
