/* test_copy.c - a copy is one snapshot, whatever is committed meanwhile; a restore takes the one
 * that is whole. */
#include "tests/unit/store/support.h"

#include <fcntl.h>

#include "store/copy.h"
#include "store/restore.h"

static int64_t add(struct store *s, const char *id)
{
    return append_alone(s, &(struct sent){ .id = id, .recorded = 100 });
}

static void fill(struct store *s, int count)
{
    char id[16];

    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "e%d", i);
        add(s, id);
    }
}

static const char *beside(const struct scratch *x, const char *name)
{
    static char path[4][160];
    static int next;
    char *out = path[next++ % 4];

    snprintf(out, sizeof(path[0]), "%s/%s", x->dir, name);
    return out;
}

static const char *empty_file(const struct scratch *x, const char *name)
{
    const char *path = beside(x, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    close(fd);
    return path;
}

struct meanwhile {
    struct store *writer;
    int calls;
    int64_t bytes, of;
};

/* Commits while the copy is under way. */
static void write_meanwhile(int64_t bytes, int64_t of, void *arg)
{
    struct meanwhile *m = arg;
    char id[16];

    assert_true(m->calls < 100); /* it would begin anew at each of them */
    snprintf(id, sizeof(id), "late%d", m->calls++);
    add(m->writer, id);
    assert_true(bytes >= m->bytes);
    m->bytes = bytes;
    m->of = of;
}

static void it_is_one_moment_whatever_is_committed_meanwhile(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    struct meanwhile m = { .writer = writer };
    struct copied held;
    int64_t checked;

    fill(writer, 50);
    run_sql(x->path, "CREATE TABLE bulk (b BLOB); INSERT INTO bulk VALUES (zeroblob(6000000))");
    struct store *reader = open_store(x->path, STORE_READ);
    const char *path = empty_file(x, "copy.db");
    assert_ok(store_copy(&held, reader, path, write_meanwhile, &m, &err));
    store_close(reader);
    assert_true(m.calls > 3); /* in steps, of which none began anew */
    assert_true(m.calls < 9);
    assert_int_equal(m.bytes, m.of);
    assert_int_equal(held.events, 50);
    assert_int_equal(held.recorded, 100);

    struct store *copy = open_store(path, STORE_READ);
    assert_int_equal(ask_sql(copy, "SELECT count(*) FROM event_row"), 50);
    assert_ok(log_verify(&checked, copy, &err));
    store_close(copy);
    assert_int_equal(access(beside(x, "copy.db-wal"), F_OK), -1);
    store_close(writer);
}

static void a_snapshot_that_stands_is_what_is_copied(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    struct copied held;

    fill(writer, 3);
    struct store *reader = open_store(x->path, STORE_READ);
    assert_ok(store_snapshot(reader, &err));
    add(writer, "later");
    assert_ok(store_copy(&held, reader, empty_file(x, "copy.db"), NULL, NULL, &err));
    store_snapshot_end(reader);
    assert_int_equal(held.events, 3);
    store_close(reader);
    store_close(writer);
}

static void room_is_made_once_and_what_was_left_goes(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    char *path = NULL;
    struct stat st;

    for (int i = 0; i < 2; i++) {
        assert_ok(copy_make_room(&path, writer, &err));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(st.st_size, 0);
        if (i == 0)
            free(path);
    }
    store_close(writer);
    store_close(open_store(x->path, STORE_WRITE));
    assert_int_equal(stat(path, &st), -1);
    free(path);
}

static void a_restore_keeps_what_was_there(void **state)
{
    struct scratch *x = *state;
    struct store *writer = open_store(x->path, STORE_WRITE);
    struct restored done;
    struct copied held;

    fill(writer, 3);
    struct store *reader = open_store(x->path, STORE_READ);
    const char *backup = empty_file(x, "backup.db");
    assert_ok(store_copy(&held, reader, backup, NULL, NULL, &err));
    store_close(reader);
    assert_int_equal(store_restore(&done, backup, x->path, NULL, NULL, &err), ERR_BUSY);
    add(writer, "later");
    store_close(writer);

    assert_ok(store_restore(&done, backup, x->path, NULL, NULL, &err));
    assert_int_equal(done.holds.events, 3);
    struct store *old = open_store(done.before, STORE_READ);
    assert_int_equal(ask_sql(old, "SELECT count(*) FROM event_row"), 4);
    store_close(old);
    struct store *new = open_store(x->path, STORE_WRITE);
    assert_int_equal(ask_sql(new, "SELECT count(*) FROM event_row"), 3);
    assert_int_equal(add(new, "later"), 4);
    store_close(new);
    free(done.before);
}

static void a_backup_with_another_event_is_refused(void **state)
{
    struct scratch *x = *state;
    struct restored done;

    store_close(open_store(x->path, STORE_WRITE));
    struct store *other = open_store(beside(x, "other.db"), STORE_WRITE);
    fill(other, 3);
    store_close(other);
    run_sql(beside(x, "other.db"), "UPDATE event_row SET actor = 'somebody' WHERE seq = 2");
    assert_int_equal(store_restore(&done, beside(x, "other.db"), x->path, NULL, NULL, &err),
                     ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "other.db: is not whole: event 2 does not fit its hash"));
    assert_non_null(strstr(err.msg, "; take another backup"));
    assert_null(strstr(err.msg, "restore a backup"));
    assert_int_equal(access(beside(x, "pathway.db.restoring"), F_OK), -1);
    struct store *still = open_store(x->path, STORE_READ);
    assert_int_equal(ask_sql(still, "SELECT count(*) FROM event_row"), 0);
    store_close(still);
}

TEST_MAIN(SCRATCH(it_is_one_moment_whatever_is_committed_meanwhile),
          SCRATCH(a_snapshot_that_stands_is_what_is_copied),
          SCRATCH(room_is_made_once_and_what_was_left_goes),
          SCRATCH(a_restore_keeps_what_was_there), SCRATCH(a_backup_with_another_event_is_refused))
