/* test_fault.c - the n-th write, sync or allocation of SQLite fails, for every n there is. */
#include "tests/unit/store/support.h"

/* What fails: `left` calls go well, then one does not, or none ever again. */
static struct {
    long left; /* below 0: nothing fails */
    bool for_good;
    int code;
    bool torn; /* half of what should be written is */
} fault;

static bool strikes(void)
{
    if (fault.left < 0)
        return false;
    if (fault.left > 0) {
        fault.left--;
        return false;
    }
    if (!fault.for_good)
        fault.left = -1;
    return true;
}

/* --- a file system between SQLite and the real one --- */

/* The methods of one sort of file, with ours in place of three; files point to `ours`. */
struct sort {
    sqlite3_io_methods ours;
    const sqlite3_io_methods *real;
};
static struct sort sorts[8];
static sqlite3_vfs shim, *below;

static const sqlite3_io_methods *real_of(const sqlite3_file *file)
{
    return ((const struct sort *)(const void *)file->pMethods)->real;
}

static int failing_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    if (!strikes())
        return real_of(file)->xWrite(file, bytes, len, at);
    if (fault.torn)
        (void)real_of(file)->xWrite(file, bytes, len / 2, at);
    return fault.code;
}

static int failing_sync(sqlite3_file *file, int flags)
{
    return strikes() ? SQLITE_IOERR_FSYNC : real_of(file)->xSync(file, flags);
}

static int failing_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return strikes() ? SQLITE_IOERR_TRUNCATE : real_of(file)->xTruncate(file, size);
}

static int shim_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *out)
{
    (void)vfs;
    int rc = below->xOpen(below, name, file, flags, out);
    if (rc != SQLITE_OK || !file->pMethods)
        return rc;
    struct sort *sort = sorts;
    while (sort->real && sort->real != file->pMethods)
        sort++;
    if (!sort->real) {
        sort->real = file->pMethods;
        sort->ours = *file->pMethods;
        sort->ours.xWrite = failing_write;
        sort->ours.xSync = failing_sync;
        sort->ours.xTruncate = failing_truncate;
    }
    file->pMethods = &sort->ours;
    return SQLITE_OK;
}

static int with_shim(void **state)
{
    fault.left = -1;
    below = sqlite3_vfs_find(NULL);
    shim = *below;
    shim.zName = "shim";
    shim.xOpen = shim_open;
    if (sqlite3_vfs_register(&shim, 1) != SQLITE_OK)
        return -1;
    return scratch_new(state);
}

static int without_shim(void **state)
{
    sqlite3_vfs_unregister(&shim);
    sqlite3_vfs_register(below, 1);
    return scratch_free(state);
}

/* --- an allocator between SQLite and the real one --- */

static sqlite3_mem_methods real_memory;

static void *failing_malloc(int size)
{
    return strikes() ? NULL : real_memory.xMalloc(size);
}

static void *failing_realloc(void *block, int size)
{
    return strikes() ? NULL : real_memory.xRealloc(block, size);
}

static int with_allocator(void **state)
{
    fault.left = -1;
    sqlite3_shutdown();
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods ours = real_memory;
    ours.xMalloc = failing_malloc;
    ours.xRealloc = failing_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK)
        return -1;
    return scratch_new(state);
}

static int without_allocator(void **state)
{
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_MALLOC, &real_memory);
    return scratch_free(state);
}

/* --- what a daemon does --- */

static enum err_code take(struct store *s, const char *id)
{
    enum append_status status;
    int64_t seq, number, recorded;
    const struct sent x = { .id = id, .also = "group/g", .voids = "another" };
    const struct change change = {
        .subject = "school/1", .decision = "committed", .old_value = "false", .new_value = "true"
    };

    enum err_code rc = send(&status, &seq, s, &x);
    if (rc == OK)
        rc = log_recorded_time(&recorded, s, 0, &err);
    if (rc == OK)
        rc = log_add_commit(&number, s, seq, seq, recorded, 1, &err);
    if (rc == OK)
        rc = decision_put(s, "school/1", "committed", "true", &err);
    if (rc == OK)
        rc = wake_put(s, "school/1", seq, &err);
    if (rc == OK)
        rc = feed_append(&number, s, &change, &err);
    return rc;
}

static enum err_code batch(struct store *s, const char *id)
{
    enum err_code rc = store_begin(s, &err);
    if (rc != OK)
        return rc;
    rc = take(s, id);
    if (rc == OK)
        return store_commit(s, &err);
    store_rollback(s);
    return rc;
}

/* Events a and b are there once, the chain is sound, the feed has no gap. */
static void assert_whole(const char *path)
{
    struct store *s = open_store(path, STORE_WRITE);
    int64_t checked, changes;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 2);
    assert_int_equal(ask_sql(s, "SELECT count(DISTINCT id) FROM event"), 2);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM subject_event WHERE prev = 1"), 2);
    assert_ok(feed_last_seq(&changes, s, &err));
    assert_int_equal(changes, 2);
    assert_int_equal(ask_sql(s, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    store_close(s);
}

static bool is_said_well(enum err_code rc)
{
    return (rc == ERR_STORE || rc == ERR_LIMIT || rc == ERR_IO) && err.msg[0] != '\0';
}

/* The store that was hit goes on: what failed is sent again and taken. True: nothing was hit. */
static bool survives(const char *path)
{
    struct store *s = NULL;
    bool hit = false;

    enum err_code rc = store_open(&s, path, STORE_WRITE, &err);
    if (rc != OK) {
        assert_null(s);
        assert_true(is_said_well(rc));
        hit = true;
        fault.left = -1;
        s = open_store(path, STORE_WRITE);
    }
    for (const char *id = "a"; id; id = *id == 'a' ? "b" : NULL) {
        rc = batch(s, id);
        if (rc == OK)
            continue;
        assert_true(is_said_well(rc));
        hit = true;
        fault.left = -1;
        assert_ok(batch(s, id));
    }
    bool all_went_well = fault.left >= 0 && !hit;
    fault.left = -1;
    store_close(s);
    assert_whole(path);
    return all_went_well;
}

/* `stride` above 1: not every place, but others in each run. */
static void any_one_failure_loses_nothing(const char *dir, const char *name, int stride)
{
    bool done = false;
    long n;

    for (n = 0; !done && n<100000; n += stride> 1 ? 1 + rand() % (2 * stride) : 1) {
        char path[140];
        snprintf(path, sizeof(path), "%s/%s-%ld.db", dir, name, n);
        fault.left = n;
        done = survives(path);
    }
    print_message("%s: %ld places\n", name, n);
    assert_true(done);
    assert_true(n > 20); /* else the fault was never there */
}

static void any_one_failed_write_loses_nothing(void **state)
{
    struct scratch *x = *state;
    fault.for_good = fault.torn = false;
    fault.code = SQLITE_IOERR_WRITE;
    any_one_failure_loses_nothing(x->dir, "write", 1);
    fault.torn = true;
    fault.code = SQLITE_FULL;
    any_one_failure_loses_nothing(x->dir, "torn", 1);
}

static void any_one_failed_allocation_loses_nothing(void **state)
{
    struct scratch *x = *state;
    fault.for_good = false;
    unsigned seed = (unsigned)getpid();
    print_message("seed %u\n", seed);
    srand(seed);
    any_one_failure_loses_nothing(x->dir, "allocation", 50);
}

/* From the n-th write on nothing reaches the disk, then the program ends. */
static void a_disk_that_dies_keeps_what_was_committed(void **state)
{
    struct scratch *x = *state;
    bool done = false;
    fault.for_good = fault.torn = true;
    fault.code = SQLITE_IOERR_WRITE;
    for (long n = 0; !done && n < 5000; n++) {
        char path[140];
        int64_t committed = 0, checked;
        struct store *s = NULL;
        snprintf(path, sizeof(path), "%s/dead-%ld.db", x->dir, n);
        fault.left = n;
        if (store_open(&s, path, STORE_WRITE, &err) == OK) {
            committed += batch(s, "a") == OK;
            committed += batch(s, "b") == OK;
        }
        done = fault.left > 0;
        store_close(s);
        fault.left = -1;
        s = open_store(path, STORE_WRITE);
        assert_ok(log_verify(&checked, s, &err));
        assert_true(checked >= committed);
        assert_int_equal(ask_sql(s, "SELECT count(*) FROM change"), checked);
        store_close(s);
    }
    assert_true(done);
}

TEST_MAIN(CASE_WITH(any_one_failed_write_loses_nothing, with_shim, without_shim),
          CASE_WITH(a_disk_that_dies_keeps_what_was_committed, with_shim, without_shim),
          CASE_WITH(any_one_failed_allocation_loses_nothing, with_allocator, without_allocator))
