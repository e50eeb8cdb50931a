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

/* An event of its own commit with a note; its number. */
static int64_t append_noted(struct store *s, const char *id, const char *path, const char *text)
{
    assert_ok(store_begin(s, &err));
    int64_t seq = append(s, &(struct sent){ .id = id });
    assert_ok(log_add_note(s, seq, path, text, &err));
    assert_ok(store_commit(s, &err));
    return seq;
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
    int64_t seq = append_noted(s, "a", "data.reason", "an unfortunate remark");
    assert_ok(person_put(s, "t-01", "{\"name\":\"Wilhelmina\"}", &err));
    assert_ok(person_put(s, "t-02", "{\"name\":\"Ethelbert\"}", &err));
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

static void what_a_reader_held_up_is_scrubbed_when_it_has_read(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct store *reader = open_store(x->path, STORE_READ);
    assert_ok(person_put(s, "t-01", "{\"name\":\"Wilhelmina\"}", &err));
    assert_ok(store_snapshot(reader, &err));
    assert_ok(person_erase(s, "t-01", &err));
    assert_ok(store_scrub(s, &err));
    assert_true(store_must_scrub(s)); /* the reader's state may still be needed */
    assert_true(on_disk(x->path, "Wilhelmina"));
    store_snapshot_end(reader);
    assert_ok(store_scrub(s, &err));
    assert_false(store_must_scrub(s));
    assert_false(on_disk(x->path, "Wilhelmina"));
    store_close(reader);
    store_close(s);
}

/* A commit only appends to the log: people stand beside it, and so do their writes. */
static void personal_writes_stand_whatever_becomes_of_an_open_transaction(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct buf seen = { 0 };
    char *details;
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "a" });
    assert_int_equal(person_erase(s, "t-01", &err), ERR_ABSENT);
    assert_ok(person_put(s, "t-01", "{}", &err)); /* that there was nothing breaks nothing */
    undo(s);
    assert_ok(person_get(&details, s, "t-01", &err));
    assert_string_equal(details, "{}");
    free(details);
    assert_ok(log_scan(s, 0, END, note_id, &seen, &err));
    assert_collected(&seen, "");
    buf_fini(&seen);
    store_close(s);
}

static void notes_belong_to_an_event_and_the_log_outlives_them(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct buf seen = { 0 };
    int64_t checked;
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "a" });
    assert_ok(log_add_note(s, 1, "data.reason", "why", &err));
    assert_ok(log_add_note(s, 1, "data.notes", "more", &err));
    append(s, &(struct sent){ .id = "b" });
    assert_ok(log_add_note(s, 2, "data.reason", "other", &err));
    assert_ok(store_commit(s, &err));
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

static void notes_of_what_is_rolled_back_are_kept_nowhere(void **state)
{
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    struct buf seen = { 0 };
    assert_ok(store_begin(s, &err));
    append(s, &(struct sent){ .id = "a" });
    assert_ok(log_add_note(s, 1, "data.reason", "why", &err));
    undo(s);
    append_alone(s, &(struct sent){ .id = "b" });
    assert_ok(note_each(s, 1, note_note, &seen, &err));
    assert_collected(&seen, "");
    buf_fini(&seen);
    store_close(s);
}

/* The connection that writes belongs to the writer's thread then: it is used while that one
 * rests. */
static void people_and_notes_are_written_beside_the_writers_thread(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    char *details;
    assert_ok(store_start_writer(s, NULL, NULL, &err));
    for (int i = 0; i < 50; i++) {
        char id[8], text[40];
        snprintf(id, sizeof(id), "e%d", i);
        snprintf(text, sizeof(text), "{\"name\":\"%d\"}", i);
        int64_t seq = append_noted(s, id, "data.reason", text);
        if (i % 3 == 0)
            assert_ok(person_put(s, "t-01", text, &err));
        if (i % 3 == 1)
            assert_ok(note_erase(s, seq, &err)); /* it may not be durable when it is asked */
    }
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_ok(person_get(&details, s, "t-01", &err));
    assert_string_equal(details, "{\"name\":\"48\"}");
    free(details);
    assert_ok(note_each(s, 1, note_note, &seen, &err));
    assert_ok(note_each(s, 2, note_note, &seen, &err));
    assert_collected(&seen, "data.reason={\"name\":\"0\"} ");
    int64_t checked;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 50);
    buf_fini(&seen);
    store_close(s);
}

TEST_MAIN(SCRATCH(a_person_is_kept_replaced_and_erased), SCRATCH(what_is_erased_leaves_the_disk),
          SCRATCH(what_a_reader_held_up_is_scrubbed_when_it_has_read),
          CASE(personal_writes_stand_whatever_becomes_of_an_open_transaction),
          CASE(notes_belong_to_an_event_and_the_log_outlives_them),
          CASE(notes_of_what_is_rolled_back_are_kept_nowhere),
          SCRATCH(people_and_notes_are_written_beside_the_writers_thread))
