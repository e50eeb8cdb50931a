/* test_verify.c - whatever is changed in the log behind the daemon's back is found. */
#include "tests/unit/store/support.h"

/* Nine events in three commits, closed. */
static void fill(const char *path)
{
    struct store *s = open_store(path, STORE_WRITE);
    for (int i = 0; i < 3; i++) {
        int64_t first = 0, last = 0, number;
        assert_ok(store_begin(s, &err));
        for (int n = 0; n < 3; n++) {
            char id[8];
            snprintf(id, sizeof(id), "e%d", 3 * i + n + 1);
            last = append(s, &(struct sent){ .id = id, .recorded = 100 + i, .sequence = "1" });
            first = n ? first : last;
        }
        assert_ok(log_add_commit(&number, s, first, last, 100 + i, 1, NULL, &err));
        assert_ok(store_commit(s, &err));
    }
    store_close(s);
}

static const struct {
    const char *sql;
    const char *says;
} TAMPERING[] = {
    { "UPDATE event_row SET body = replace(body, '\"x\":\"', '\"x\":\"y') WHERE seq = 4",
      "event 4 " },
    { "UPDATE event_row SET body = body || ' ' WHERE seq = 1", "event 1 " },
    { "UPDATE event_row SET body = 'nothing' WHERE seq = 9", "event 9 " },
    { "UPDATE event_row SET recorded = recorded - 1 WHERE seq = 5", "event 5 " },
    { "UPDATE event_row SET actor = 'somebody' WHERE seq = 6", "event 6 " },
    { "UPDATE event_row SET actor = NULL WHERE seq = 6", "event 6 " },
    { "UPDATE event_row SET hash = zeroblob(32) WHERE seq = 3", "event 3 " },
    { "UPDATE event_row SET hash = x'00' WHERE seq = 3", "event 3 " },
    { "UPDATE event_row SET seq = -seq WHERE seq IN (3, 4);"
      "UPDATE event_row SET seq = 7 + seq WHERE seq IN (-3, -4)",
      "event 3 " },
    { "DELETE FROM event_row WHERE seq = 8", "event 8 is missing" },
    { "DELETE FROM event_row WHERE seq = 1", "event 1 is missing" },
    { "DELETE FROM event_row WHERE seq = 9", "event 9 is missing" },
    { "DELETE FROM event_row", "event 1 is missing" },
    { "UPDATE event_row SET time = time + 1 WHERE seq = 2", "column time" },
    { "UPDATE event_row SET id = 'other' WHERE seq = 2", "column id" },
    { "UPDATE event_row SET sequence = NULL WHERE seq = 2", "column sequence" },
    { "UPDATE event_row SET sequence = '2' WHERE seq = 2", "column sequence" },
    { "INSERT INTO event_key VALUES (1, 2, zeroblob(16))", "event_key" },
    { "INSERT INTO event_key VALUES (10, 10, zeroblob(8))", "event_key" },
    { "UPDATE source_name SET text = 'urn:other'", "column source" },
    { "UPDATE type_name SET text = 'school.closed'", "column type" },
    { "UPDATE subject_name SET text = 'school/2'", "column subject" },
};

static void an_untouched_log_is_sound(void **state)
{
    struct scratch *x = *state;
    int64_t checked;
    fill(x->path);
    struct store *s = open_store(x->path, STORE_READ);
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 9);
    store_close(s);
}

static void an_empty_log_is_sound(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    int64_t checked = -1;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 0);
    store_close(s);
}

static void each_kind_of_tampering_is_found_and_named(void **state)
{
    struct scratch *x = *state;
    for (size_t i = 0; i < sizeof(TAMPERING) / sizeof(*TAMPERING); i++) {
        int64_t checked;
        char path[140];
        snprintf(path, sizeof(path), "%s-%zu", x->path, i);
        fill(path);
        run_sql(path, TAMPERING[i].sql);
        struct store *s = open_store(path, STORE_READ);
        if (log_verify(&checked, s, &err) != ERR_CONFLICT)
            fail_msg("not found: %s", TAMPERING[i].sql);
        if (!strstr(err.msg, TAMPERING[i].says))
            fail_msg("'%s' does not say '%s'", err.msg, TAMPERING[i].says);
        store_close(s);
    }
}

static void the_hash_depends_on_every_part(void **state)
{
    uint8_t before[DIGEST_BYTES] = { 0 }, hash[5][DIGEST_BYTES];
    (void)state;
    log_hash(hash[0], before, 1, "ab", "c", 1);
    log_hash(hash[1], before, 2, "ab", "c", 1);
    log_hash(hash[2], before, 1, "a", "bc", 2);
    log_hash(hash[3], before, 1, "ab", "d", 1);
    before[31] = 1;
    log_hash(hash[4], before, 1, "ab", "c", 1);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(hash[i], hash[j], DIGEST_BYTES);
}

TEST_MAIN(SCRATCH(an_untouched_log_is_sound), CASE(an_empty_log_is_sound),
          SCRATCH(each_kind_of_tampering_is_found_and_named), CASE(the_hash_depends_on_every_part))
