/* test_personal.c - people and notes: kept, replaced, and gone from the disk when erased. */
#include "tests/unit/store/support.h"

#include "store/personal.h"

static enum err_code note_note(const char *path, const char *text, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%s=%s ", path, text);
    return OK;
}

/* Do the bytes occur in the database's file or in its WAL? */
static bool on_disk(const char *path, const char *needle)
{
    static const char *const ENDINGS[] = { "", "-wal" };
    bool found = false;
    for (int i = 0; i < 2; i++) {
        char name[200];
        snprintf(name, sizeof(name), "%s%s", path, ENDINGS[i]);
        FILE *f = fopen(name, "rb");
        char *bytes = malloc(1 << 22);
        size_t len = f && bytes ? fread(bytes, 1, 1 << 22, f) : 0;
        found = found || (len && memmem(bytes, len, needle, strlen(needle)));
        free(bytes);
        if (f)
            fclose(f);
    }
    return found;
}

static void a_person_is_kept_replaced_and_erased(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    char *details;
    assert_int_equal(person_get(&details, s, "t-01", &err), ERR_ABSENT);
    assert_null(details);
    assert_ok(person_put(s, "t-01", "{\"name\":\"A\"}", &err));
    assert_ok(person_put(s, "t-01", "{\"name\":\"B\"}", &err));
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_ok(person_get(&details, s, "t-01", &err));
    assert_string_equal(details, "{\"name\":\"B\"}");
    free(details);
    assert_ok(person_erase(s, "t-01", &err));
    assert_int_equal(person_get(&details, s, "t-01", &err), ERR_ABSENT);
    assert_int_equal(person_erase(s, "t-01", &err), ERR_ABSENT);
    assert_non_null(strstr(err.msg, "t-01"));
    store_close(s);
}

static void what_is_erased_leaves_the_disk(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    int64_t seq = append_alone(s, &(struct sent){ .id = "a" });
    assert_ok(person_put(s, "t-01", "{\"name\":\"Wilhelmina\"}", &err));
    assert_ok(person_put(s, "t-02", "{\"name\":\"Ethelbert\"}", &err));
    assert_ok(note_put(s, seq, "data.reason", "an unfortunate remark", &err));
    assert_true(on_disk(x->path, "Wilhelmina"));
    assert_true(on_disk(x->path, "unfortunate"));
    assert_ok(person_erase(s, "t-01", &err));
    assert_false(on_disk(x->path, "Wilhelmina"));
    assert_ok(note_erase(s, seq, &err));
    assert_false(on_disk(x->path, "unfortunate"));
    assert_ok(person_put(s, "t-02", "{\"name\":\"X\"}", &err)); /* what is replaced is gone too */
    assert_false(on_disk(x->path, "Ethelbert"));
    store_close(s);
}

static void what_a_reader_held_up_is_scrubbed_with_a_later_commit(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct store *reader = open_store(x->path, STORE_READ);
    assert_ok(person_put(s, "t-01", "{\"name\":\"Wilhelmina\"}", &err));
    assert_ok(store_snapshot(reader, &err));
    assert_ok(person_erase(s, "t-01", &err));
    assert_true(on_disk(x->path, "Wilhelmina")); /* the reader's state may still be needed */
    store_snapshot_end(reader);
    append_alone(s, &(struct sent){ .id = "a" });
    assert_false(on_disk(x->path, "Wilhelmina"));
    store_close(reader);
    store_close(s);
}

static void personal_writes_join_an_open_transaction(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    char *details;
    assert_ok(store_begin(s, &err));
    assert_ok(person_put(s, "t-01", "{}", &err));
    store_rollback(s);
    assert_int_equal(person_get(&details, s, "t-01", &err), ERR_ABSENT);
    assert_ok(store_begin(s, &err));
    assert_int_equal(person_erase(s, "t-01", &err), ERR_ABSENT);
    assert_ok(person_put(s, "t-01", "{}", &err)); /* that there was nothing breaks nothing */
    assert_ok(store_commit(s, &err));
    assert_ok(person_get(&details, s, "t-01", &err));
    free(details);
    store_close(s);
}

static void notes_belong_to_an_event_and_the_log_outlives_them(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct buf seen = { 0 };
    int64_t checked;
    append_alone(s, &(struct sent){ .id = "a" });
    assert_ok(note_put(s, 1, "data.reason", "why", &err));
    assert_ok(note_put(s, 1, "data.notes", "more", &err));
    assert_ok(note_put(s, 2, "data.reason", "other", &err));
    assert_ok(note_each(s, 1, note_note, &seen, &err));
    assert_collected(&seen, "data.notes=more data.reason=why ");
    assert_ok(note_erase(s, 1, &err));
    assert_int_equal(note_erase(s, 1, &err), ERR_ABSENT);
    assert_ok(note_each(s, 1, note_note, &seen, &err));
    assert_collected(&seen, "");
    assert_ok(note_each(s, 2, note_note, &seen, &err));
    assert_collected(&seen, "data.reason=other ");
    assert_ok(log_verify(&checked, s, &err));
    buf_fini(&seen);
    store_close(s);
}

TEST_MAIN(SCRATCH(a_person_is_kept_replaced_and_erased), SCRATCH(what_is_erased_leaves_the_disk),
          SCRATCH(what_a_reader_held_up_is_scrubbed_with_a_later_commit),
          CASE(personal_writes_join_an_open_transaction),
          CASE(notes_belong_to_an_event_and_the_log_outlives_them))
