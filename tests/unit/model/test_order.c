/* test_order.c - event order is total: one of below, equal, above; and transitive. */
#include "tests/unit/harness.h"

#include "model/event.h"

#define KEYS 120

static const char *const SEQUENCES[] = { NULL, "", "1", "10", "2", "a", "\xc3\xa9" };
static const char *const NAMES[] = { "a", "b", "ab", "B", "\xc3\xa9" };

static struct event_key random_key(unsigned *seed)
{
    return (struct event_key){
        .time = rand_r(seed) % 3 - 1,
        .sequence = SEQUENCES[rand_r(seed) % 7],
        .source = NAMES[rand_r(seed) % 5],
        .id = NAMES[rand_r(seed) % 5],
    };
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void random_keys_stand_in_a_total_order(void **state)
{
    (void)state;
    struct event_key k[KEYS];
    unsigned seed = 20261124;
    print_message("seed %u\n", seed);

    for (int i = 0; i < KEYS; i++)
        k[i] = random_key(&seed);
    for (int i = 0; i < KEYS; i++) {
        for (int j = 0; j < KEYS; j++) {
            int ij = sign(event_key_compare(&k[i], &k[j]));
            bool same = k[i].time == k[j].time && same_text(k[i].sequence, k[j].sequence) &&
                        same_text(k[i].source, k[j].source) && same_text(k[i].id, k[j].id);
            assert_int_equal(ij, -sign(event_key_compare(&k[j], &k[i])));
            assert_int_equal(ij == 0, same);
            for (int m = 0; ij <= 0 && m < KEYS; m++) {
                if (event_key_compare(&k[j], &k[m]) <= 0)
                    assert_true(event_key_compare(&k[i], &k[m]) <= 0);
            }
        }
    }
}

static void assert_below(struct event_key a, struct event_key b)
{
    assert_true(event_key_compare(&a, &b) < 0);
}

static void time_stands_before_sequence_before_source_before_id(void **state)
{
    (void)state;
    assert_below((struct event_key){ 1, "9", "z", "z" }, (struct event_key){ 2, NULL, "a", "a" });
    assert_below((struct event_key){ 1, NULL, "z", "z" }, (struct event_key){ 1, "0", "a", "a" });
    assert_below((struct event_key){ 1, "10", "z", "z" }, (struct event_key){ 1, "2", "a", "a" });
    assert_below((struct event_key){ 1, "1", "a", "z" }, (struct event_key){ 1, "1", "b", "a" });
    assert_below((struct event_key){ 1, "1", "a", "a" }, (struct event_key){ 1, "1", "a", "b" });
    assert_below((struct event_key){ 1, "1", "a", "z" },
                 (struct event_key){ 1, "1", "a", "\xc3\xa9" }); /* bytes, unsigned */
}

TEST_MAIN(CASE(random_keys_stand_in_a_total_order),
          CASE(time_stands_before_sequence_before_source_before_id))
