/* test_lineage.c - successions are followed as the plain and slow definition says. */
#include "tests/unit/engine/world.h"

static void a_school_takes_over_what_stood_before_the_succession(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    go("b", "2025-01-05", "school/1"); /* too late */
    go("c", "2025-01-02", "school/2");
    succeed("s", "2025-01-03", "school/2", "school/1");
    assert_items("school/2", "2025-02-01", "a/1 c s");
    assert_items("school/1", "2025-02-01", "a s b");
}

static void before_the_succession_there_is_none(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    go("c", "2025-01-02", "school/2");
    succeed("s", "2025-01-03", "school/2", "school/1");
    assert_items("school/2", "2025-01-02", "c");
    assert_items("school/2", "2025-01-03", "a/1 c s");
}

static void a_succession_that_is_voided_takes_nothing_over(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    succeed("s", "2025-01-03", "school/2", "school/1");
    put_void(&LOG, "v", "2025-01-04", "school/2", "s");
    assert_items("school/2", "2025-02-01", "v");
    assert_items("school/1", "2025-02-01", "a");
    put_void(&LOG, "w", "2025-01-05", "school/2", "v");
    assert_items("school/2", "2025-02-01", "a/1 s w");
}

static void what_is_voided_is_not_taken_over(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    go("b", "2025-01-02", "school/1");
    succeed("s", "2025-01-03", "school/2", "school/1");
    put_void(&LOG, "v", "2025-06-01", "school/1", "a"); /* also long after the succession */
    assert_items("school/2", "2025-02-01", "b/1 s");
}

static void a_chain_is_followed_to_its_end(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    succeed("s", "2025-01-02", "school/2", "school/1");
    go("b", "2025-01-03", "school/2");
    go("late", "2025-01-03", "school/1"); /* behind s: school 2 never had it */
    succeed("t", "2025-01-04", "school/3", "school/2");
    go("c", "2025-01-05", "school/3");
    assert_items("school/3", "2025-02-01", "a/1 s/2 b/2 t c");
}

/* The succession of the predecessor came after it was taken over itself: it is not on the way. */
static void a_predecessor_is_taken_over_as_it_was(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    succeed("t", "2025-01-02", "school/3", "school/2");
    succeed("s", "2025-01-03", "school/2", "school/1");
    assert_items("school/3", "2025-02-01", "t");
    assert_items("school/2", "2025-02-01", "a/1 t s");
}

static void an_event_of_both_counts_once_as_the_schools_own(void **state)
{
    (void)state;
    put(&LOG, "a", "2025-01-01", "school/1", "go", "{\"other\":\"school/2\"}");
    succeed("s", "2025-01-02", "school/2", "school/1");
    assert_items("school/2", "2025-02-01", "a s");
}

static void an_event_of_two_predecessors_counts_once_as_both(void **state)
{
    (void)state;
    put(&LOG, "a", "2025-01-01", "school/1", "go", "{\"other\":\"school/2\"}");
    go("b", "2025-01-01", "school/2");
    succeed("s", "2025-01-02", "school/3", "school/1");
    succeed("t", "2025-01-03", "school/3", "school/2");
    assert_items("school/3", "2025-02-01", "a/1/2 b/2 s t");
    assert_items("school/3", "2025-01-02", "a/1 s");
}

static void a_circle_of_successions_does_no_harm(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    go("b", "2025-01-01", "school/2");
    succeed("s", "2025-01-02", "school/2", "school/1");
    succeed("t", "2025-01-03", "school/1", "school/2");
    succeed("u", "2025-01-04", "school/1", "school/1");
    assert_items("school/1", "2025-02-01", "a b/2 s t u");
    assert_items("school/2", "2025-02-01", "a/1 b s t");
}

static void groups_do_not_follow(void **state)
{
    (void)state;
    put(&LOG, "a", "2025-01-01", "school/1", "go", "{\"group\":\"group/g\"}");
    succeed("s", "2025-01-02", "school/2", "school/1");
    assert_items("group/g", "2025-02-01", "a");
    assert_items("school/2", "2025-02-01", "a/1 s");
}

static void an_unknown_subject_has_no_events(void **state)
{
    (void)state;
    go("a", "2025-01-01", "school/1");
    assert_items("school/9", "2025-02-01", "");
}

/* The definition: own events, and for each standing succession among them all of the predecessor
 * before it. */
struct through {
    char as[SUBJECT_MAX * 4];
    bool is_in;
};

static void gather(struct through *out, int subject, const struct event_key *before, unsigned path);

static int SUCCESSOR[EVENTS], PREDECESSOR[EVENTS], TOUCHED[EVENTS], OWNER[EVENTS];

static int by_key(const void *a, const void *b)
{
    return event_key_compare(&MODEL[*(const int *)a].key, &MODEL[*(const int *)b].key);
}

static bool comes_before(int e, const struct event_key *before)
{
    return !before || event_key_compare(&MODEL[e].key, before) < 0;
}

static void gather(struct through *out, int subject, const struct event_key *before, unsigned path)
{
    bool own[EVENTS] = { 0 };
    int order[EVENTS];

    for (int e = 0; e < EVENTS; e++) {
        order[e] = e;
        bool touches = OWNER[e] == subject || TOUCHED[e] == subject ||
                       (SUCCESSOR[e] && PREDECESSOR[e] == subject);
        own[e] = touches && comes_before(e, before) && stands(e, INT64_MAX);
        if (own[e])
            out[e] = (struct through){ .is_in = true };
        if (own[e])
            snprintf(out[e].as, sizeof(out[e].as), "/%d", subject);
    }
    qsort(order, EVENTS, sizeof(order[0]), by_key);
    for (int i = 0; i < EVENTS; i++) {
        struct through taken[EVENTS] = { 0 };
        int e = order[i]; /* predecessors are told in the order of the successions */
        if (!own[e] || SUCCESSOR[e] != subject || (path & 1u << PREDECESSOR[e]))
            continue;
        gather(taken, PREDECESSOR[e], &MODEL[e].key, path | 1u << PREDECESSOR[e]);
        for (int t = 0; t < EVENTS; t++) {
            if (!taken[t].is_in || own[t])
                continue;
            out[t].is_in = true;
            for (const char *as = taken[t].as; *as; as += 2)
                if (!strstr(out[t].as, (char[]){ as[0], as[1], 0 }))
                    strcat(out[t].as, (char[]){ as[0], as[1], 0 });
        }
    }
}

static void random_lineage(void)
{
    int order[EVENTS];
    char data[100];

    for (int i = 0; i < EVENTS; i++) {
        struct model_event *m = &MODEL[i];
        order[i] = i;
        OWNER[i] = (int)pick(5) + 1;
        SUCCESSOR[i] = pick(5) == 0 ? OWNER[i] : 0;
        PREDECESSOR[i] = (int)pick(5) + 1;
        TOUCHED[i] = !SUCCESSOR[i] && pick(3) == 0 ? (int)pick(5) + 1 : 0;
        snprintf(m->id, sizeof(m->id), "e%d", i);
        snprintf(m->subject, sizeof(m->subject), "school/%d", OWNER[i]);
        snprintf(m->time, sizeof(m->time), "2025-01-01T00:00:%02uZ", pick(40));
        m->target[0] = '\0';
        if (!SUCCESSOR[i] && !TOUCHED[i] && i > 0 && pick(4) == 0) {
            const struct model_event *other = &MODEL[pick((unsigned)i)];
            memcpy(m->target, other->id, sizeof(m->target));
            memcpy(m->subject, other->subject, sizeof(m->subject));
            OWNER[i] = atoi(m->subject + strlen("school/"));
        }
        m->key = (struct event_key){ .time = at(m->time), .source = "s", .id = m->id };
    }
    shuffle(order, EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        struct model_event *m = &MODEL[order[i]];
        m->seq = i + 1;
        if (m->target[0]) {
            put_void(&LOG, m->id, m->time, m->subject, m->target);
        } else if (SUCCESSOR[order[i]]) {
            snprintf(data, sizeof(data), "school/%d", PREDECESSOR[order[i]]);
            succeed(m->id, m->time, m->subject, data);
        } else {
            snprintf(data, sizeof(data), "{\"other\":\"school/%d\"}", TOUCHED[order[i]]);
            put(&LOG, m->id, m->time, m->subject, "go", TOUCHED[order[i]] ? data : "{}");
        }
    }
}

static void compare_lineage(struct world *w, int school, const char *moment)
{
    struct through all[EVENTS] = { 0 };
    int order[EVENTS];
    char subject[16], expected[2000] = "", self[4];

    snprintf(subject, sizeof(subject), "school/%d", school);
    snprintf(self, sizeof(self), "/%d", school);
    struct event_key end = { .time = at(moment) + 1, .source = "", .id = "" };
    gather(all, school, &end, 1u << school);
    for (int i = 0; i < EVENTS; i++)
        order[i] = i;
    qsort(order, EVENTS, sizeof(order[0]), by_key);
    for (int i = 0; i < EVENTS; i++) {
        const struct through *t = &all[order[i]];
        if (t->is_in)
            snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%s%s%s",
                     expected[0] ? " " : "", MODEL[order[i]].id,
                     strcmp(t->as, self) == 0 ? "" : t->as);
    }
    assert_string_equal(items_in(w, subject, moment), expected);
}

static void successions_are_followed_as_the_plain_definition_says(void **state)
{
    (void)state;
    begin_chance();
    for (int round = 0; round < 40; round++) {
        char moment[32];
        log_clear(&LOG);
        random_lineage();
        snprintf(moment, sizeof(moment), "2025-01-01T00:00:%02uZ", pick(2) ? 59 : pick(40));
        for (int all = 0; all < 2; all++) {
            struct world *w = view(&LOG, ALL, all == 1);
            for (int school = 1; school <= 5; school++)
                compare_lineage(w, school, moment);
            world_close(w);
        }
    }
}

TEST_MAIN(WORLD_CASE(a_school_takes_over_what_stood_before_the_succession),
          WORLD_CASE(before_the_succession_there_is_none),
          WORLD_CASE(a_succession_that_is_voided_takes_nothing_over),
          WORLD_CASE(what_is_voided_is_not_taken_over), WORLD_CASE(a_chain_is_followed_to_its_end),
          WORLD_CASE(a_predecessor_is_taken_over_as_it_was),
          WORLD_CASE(an_event_of_both_counts_once_as_the_schools_own),
          WORLD_CASE(an_event_of_two_predecessors_counts_once_as_both),
          WORLD_CASE(a_circle_of_successions_does_no_harm), WORLD_CASE(groups_do_not_follow),
          WORLD_CASE(an_unknown_subject_has_no_events),
          WORLD_CASE(successions_are_followed_as_the_plain_definition_says))
