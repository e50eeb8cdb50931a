/* test_world.c - voids are settled as the plain and slow definition says. */
#include "tests/unit/engine/world.h"

static void a_void_takes_an_event_out_even_if_it_came_first(void **state)
{
    (void)state;
    put_void(&LOG, "v", "2025-01-03", "school/1", "a");
    go("a", "2025-01-01", "school/1");
    go("b", "2025-01-02", "school/1");
    assert_items("school/1", "2025-02-01", "b v");
    assert_items("school/1", "2025-01-01",
                 ""); /* it never happened, whatever moment is asked about */
}

static void a_void_of_a_void_brings_the_event_back(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    put_void(&LOG, "v", "2025-01-02", "school/1", "a");
    put_void(&LOG, "w", "2025-01-03", "school/1", "v");
    assert_items("school/1", "2025-02-01", "a w");
    put_void(&LOG, "x", "2025-01-04", "school/1", "w");
    assert_items("school/1", "2025-02-01", "v x");
}

static void a_void_acts_on_earlier_events_of_the_same_subject_only(void **state)
{
    (void)state;
    go("a", "2025-01-02", "school/1");
    put_void(&LOG, "early", "2025-01-01", "school/1", "a");
    put_void(&LOG, "other", "2025-01-03", "school/2", "a");
    assert_items("school/1", "2025-02-01", "early a");
    put_void(&LOG, "same-z", "2025-01-02", "school/1", "a"); /* of one instant: behind it by id */
    assert_items("school/1", "2025-02-01", "early same-z");
}

static void a_void_acts_on_every_subject_that_the_event_touches(void **state)
{
    (void)state;
    put(&LOG, "a", "2025-01-01", "school/1", "go",
        "{\"other\":\"school/2\",\"group\":\"group/g\"}");
    assert_items("school/2", "2025-02-01", "a");
    assert_items("group/g", "2025-02-01", "a");
    put_void(&LOG, "v", "2025-01-02", "school/1", "a");
    assert_items("school/2", "2025-02-01", "");
    assert_items("group/g", "2025-02-01", "");
    assert_items("school/1", "2025-02-01", "v");
}

static void a_void_is_not_known_before_it_was_recorded(void **state)
{
    struct world *w;
    (void)state;

    go("a", "2025-01-01", "school/1");
    go("b", "2025-01-02", "school/1");
    put_void(&LOG, "v", "2025-01-03", "school/1", "a");
    w = view(&LOG, 2, false);
    assert_string_equal(items_in(w, "school/1", "2025-02-01"), "a b");
    world_close(w);
    w = view(&LOG, 2, true);
    assert_string_equal(items_in(w, "school/1", "2025-02-01"), "a b");
    world_close(w);
}

static void a_long_chain_of_voids_is_no_recursion(void **state)
{
    enum { LENGTH = 3001 };
    char id[16], target[16], time[32];
    bool is_voided = false;
    const struct entry *const *entries;
    size_t count;
    (void)state;

    go("v0", "2025-01-01", "school/1");
    for (int i = 1; i < LENGTH; i++) {
        snprintf(id, sizeof(id), "v%d", i);
        snprintf(target, sizeof(target), "v%d", i - 1);
        snprintf(time, sizeof(time), "2025-01-02T%02d:%02d:%02dZ", i / 3600, i / 60 % 60, i % 60);
        put_void(&LOG, id, time, "school/1", target);
    }
    struct world *w = view(&LOG, ALL, true);
    assert_ok(world_touching(&entries, &count, w, "school/1", &err));
    assert_int_equal(count, LENGTH);
    for (size_t i = 0; i < count; i++) {
        assert_ok(world_is_voided(&is_voided, w, entries[i], &err));
        assert_int_equal(is_voided,
                         i % 2 == 1); /* the last stands, the one before it does not ... */
    }
    world_close(w);
}

/* ---- the same by the plain definition, on worlds by chance ---- */

static void random_voids(void)
{
    int order[EVENTS];

    for (int i = 0; i < EVENTS; i++) {
        struct model_event *m = &MODEL[i];
        unsigned second = pick(20); /* few instants, so that many are the same */
        order[i] = i;
        snprintf(m->id, sizeof(m->id), "%c%d", 'a' + (char)pick(26), i);
        snprintf(m->subject, sizeof(m->subject), "school/%u", pick(5) ? 1 : 2);
        snprintf(m->time, sizeof(m->time), "2025-01-01T00:00:%02uZ", second);
        m->target[0] = '\0';
        m->key = (struct event_key){ .time = at(m->time), .source = "s", .id = m->id };
    }
    for (int i = 0; i < EVENTS; i++) {
        unsigned kind = pick(10);
        if (kind < 8)
            memmove(MODEL[i].target, MODEL[pick(EVENTS)].id, sizeof(MODEL[i].target));
        else if (kind == 8)
            snprintf(MODEL[i].target, sizeof(MODEL[i].target), "nobody");
    }
    shuffle(order, EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        struct model_event *m = &MODEL[order[i]];
        if (m->target[0])
            put_void(&LOG, m->id, m->time, m->subject, m->target);
        else
            go(m->id, m->time, m->subject);
        m->seq = i + 1;
    }
}

static void compare_voids(struct world *w, const char *subject, int64_t max_seq)
{
    const struct entry *const *entries;
    size_t count;
    int order[EVENTS];

    assert_ok(world_touching(&entries, &count, w, subject, &err));
    for (size_t i = 0; i < count; i++)
        order[i] = (int)i;
    shuffle(order, (int)count); /* what is settled first must not matter */
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = entries[order[i]];
        bool is_voided;
        int m = 0;
        while (strcmp(MODEL[m].id, e->key.id) != 0)
            m++;
        assert_ok(world_is_voided(&is_voided, w, e, &err));
        if (is_voided == stands(m, max_seq))
            fail_msg("%s of %s, known to %lld: voided %d", e->key.id, subject, (long long)max_seq,
                     is_voided);
    }
}

static void voids_are_settled_as_the_plain_definition_says(void **state)
{
    (void)state;
    begin_chance();
    for (int round = 0; round < 40; round++) {
        log_clear(&LOG);
        random_voids();
        int64_t max_seq = pick(2) ? EVENTS : 1 + pick(EVENTS);
        for (int all = 0; all < 2; all++) {
            struct world *w = view(&LOG, max_seq, all == 1);
            compare_voids(w, "school/1", max_seq);
            compare_voids(w, "school/2", max_seq);
            world_close(w);
        }
    }
}

TEST_MAIN(WORLD_CASE(a_void_takes_an_event_out_even_if_it_came_first),
          WORLD_CASE(a_void_of_a_void_brings_the_event_back),
          WORLD_CASE(a_void_acts_on_earlier_events_of_the_same_subject_only),
          WORLD_CASE(a_void_acts_on_every_subject_that_the_event_touches),
          WORLD_CASE(a_void_is_not_known_before_it_was_recorded),
          WORLD_CASE(a_long_chain_of_voids_is_no_recursion),
          WORLD_CASE(voids_are_settled_as_the_plain_definition_says))
