/* test_fault.c - the n-th write, sync or allocation fails, SQLite's or ours, for every n
 * there is. */
#include "tests/unit/store/support.h"

#include <pthread.h>

/* What may fail. */
enum kind { WRITES, SQLITES_MEMORY, OUR_MEMORY };

/* What fails: `left` calls go well, then one does not, or none ever again. Several threads may be
 * hit. */
static struct {
    pthread_mutex_t lock;
    enum kind kind;
    long left; /* below 0: nothing fails */
    bool for_good;
    int code;
    bool torn; /* half of what should be written is */
} fault = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = -1 };

static bool strikes(enum kind kind)
{
    pthread_mutex_lock(&fault.lock);
    bool now = kind == fault.kind && fault.left == 0;
    if (kind == fault.kind && fault.left > 0)
        fault.left--;
    else if (now && !fault.for_good)
        fault.left = -1;
    pthread_mutex_unlock(&fault.lock);
    return now;
}

/* -1: nothing fails from now on. What was left until then. */
static long set_left(long left)
{
    pthread_mutex_lock(&fault.lock);
    long was = fault.left;
    fault.left = left;
    pthread_mutex_unlock(&fault.lock);
    return was;
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
    if (!strikes(WRITES))
        return real_of(file)->xWrite(file, bytes, len, at);
    if (fault.torn)
        (void)real_of(file)->xWrite(file, bytes, len / 2, at);
    return fault.code;
}

/* The machine goes on whatever happens here, so that nothing need really be synced. */
static int failing_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return strikes(WRITES) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int failing_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return strikes(WRITES) ? SQLITE_IOERR_TRUNCATE : real_of(file)->xTruncate(file, size);
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

static int set_up(enum kind kind, void **state)
{
    fault.kind = kind;
    set_left(-1);
    below = sqlite3_vfs_find(NULL);
    shim = *below;
    shim.zName = "shim";
    shim.xOpen = shim_open;
    if (sqlite3_vfs_register(&shim, 1) != SQLITE_OK)
        return -1;
    return scratch_new(state);
}

static int with_failing_writes(void **state)
{
    return set_up(WRITES, state);
}

static int tear_down(void **state)
{
    sqlite3_vfs_unregister(&shim);
    sqlite3_vfs_register(below, 1);
    return scratch_free(state);
}

/* --- an allocator between SQLite and the real one --- */

static sqlite3_mem_methods real_memory;

static void *failing_malloc(int size)
{
    return strikes(SQLITES_MEMORY) ? NULL : real_memory.xMalloc(size);
}

static void *failing_realloc(void *block, int size)
{
    return strikes(SQLITES_MEMORY) ? NULL : real_memory.xRealloc(block, size);
}

static int with_allocator(void **state)
{
    sqlite3_shutdown();
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods ours = real_memory;
    ours.xMalloc = failing_malloc;
    ours.xRealloc = failing_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK)
        return -1;
    return set_up(SQLITES_MEMORY, state);
}

static int without_allocator(void **state)
{
    int rc = tear_down(state);
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_MALLOC, &real_memory);
    return rc;
}

/* --- our own allocations: the linker sends them here, see CMakeLists.txt --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return strikes(OUR_MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return strikes(OUR_MEMORY) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return strikes(OUR_MEMORY) ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text)
{
    return strikes(OUR_MEMORY) ? NULL : __real_strdup(text);
}

static int with_our_allocations(void **state)
{
    return set_up(OUR_MEMORY, state);
}

/* --- what a daemon does --- */

#define MANY 90 /* subjects: more than go into any commit */

/* What is derived of the subjects that an event concerns. A subject that is put again stays what it
 * was. */
static enum err_code derive(struct store *s, const char *id)
{
    int count = *id == 'b' ? MANY : 1;
    enum err_code rc = OK;

    for (int i = 1; rc == OK && i <= count; i++) {
        char subject[20], name[20], *waited = NULL;
        snprintf(subject, sizeof(subject), "school/%d", 100000 + i);
        snprintf(name, sizeof(name), "School %s%d", id, i);
        const struct subject_card card = { subject, name, "07", NULL };
        rc = decisions_put(s, subject, "[\"committed\"]", *id == 'a' ? "[true]" : "[false]", &err);
        if (rc == OK)
            rc = subject_put(s, &card, &err);
        if (rc == OK)
            rc = wake_put(s, subject, 1000 * *id + i, &err);
        if (rc == OK)
            rc = pending_take(&waited, s, subject, &err);
        free(waited);
        if (rc == OK && i % 10 == 1)
            rc = pending_add(s, subject, *id == 'a' ? "1" : "2", &err);
    }
    return rc;
}

static enum err_code tell(struct store *s, const char *id, int64_t seq)
{
    const struct change change = { .subject = "school/1",
                                   .decision = "committed",
                                   .old_value = "false",
                                   .new_value = "true",
                                   .cause = *id == 'a' ? "1" : "2" };
    const struct pack_file file = { "pack.lua", id, (uint32_t)strlen(id) };
    int64_t number, recorded = log_recorded_time(s, 0);
    enum err_code rc = log_add_note(s, seq, "data.reason", id, &err);

    if (rc == OK)
        rc = log_add_succession(s, seq, "school/1", "school/2", &err);
    if (rc == OK)
        rc = feed_append(&number, s, &change, &err);
    if (rc == OK && *id == 'a')
        rc = generation_add(&number, s, "cafe", recorded, &file, 1, &err);
    if (rc == OK)
        rc = log_add_commit(&number, s, seq, seq, recorded, 1, "[\"school/1\"]", &err);
    return rc;
}

static enum err_code take(struct store *s, const char *id)
{
    enum append_status status;
    int64_t seq;
    const struct sent x = { .id = id, .also = "group/g", .voids = "another" };

    enum err_code rc = send(&status, &seq, s, &x);
    if (rc == OK && status == APPEND_ACCEPTED)
        rc = tell(s, id, seq);
    return rc == OK ? derive(s, id) : rc;
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

/* Send events a and b, bring the tables on slice by slice, all of it durable at the end. */
static enum err_code send_all(struct store *s)
{
    enum err_code rc = batch(s, "a");
    if (rc == OK)
        rc = batch(s, "b");
    while (rc == OK && store_is_behind(s))
        rc = store_catch_up(s, false, &err);
    return rc == OK ? store_drain(s, &err) : rc;
}

/* What is hit: a database that is being made; commits to one; commits by a thread that writes. */
enum story { OPENING, BY_ITSELF, WITH_WRITER };
static const char *const STORIES[] = { "opening", "by itself", "with a writer's thread" };

/* An empty database, to begin with: making one takes longer than all the rest. */
static char *made;
static size_t made_len;

static void make_once(const char *dir)
{
    char path[140];
    struct stat st;
    if (made)
        return;
    snprintf(path, sizeof(path), "%s/made.db", dir);
    store_close(open_store(path, STORE_WRITE));
    assert_int_equal(stat(path, &st), 0);
    made_len = (size_t)st.st_size;
    made = malloc(made_len);
    FILE *f = fopen(path, "rb");
    assert_int_equal(fread(made, 1, made_len, f), made_len);
    fclose(f);
}

static void copy_made(const char *path)
{
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(made, 1, made_len, f), made_len);
    fclose(f);
}

/* All rows of all tables, but for those that differ between databases. */
static void dump(struct buf *out, const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *tables = NULL, *rows = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                        " AND name NOT IN ('meta') ORDER BY name",
                                        -1, &tables, NULL),
                     SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        char *sql = sqlite3_mprintf("SELECT * FROM %s", sqlite3_column_text(tables, 0));
        buf_printf(out, "%s:\n", (const char *)sqlite3_column_text(tables, 0));
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
        while (sqlite3_step(rows) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(rows); i++) {
                bool is_blob = sqlite3_column_type(rows, i) == SQLITE_BLOB;
                const unsigned char *value = sqlite3_column_text(rows, i);
                if (is_blob)
                    buf_printf(out, "%02x..%d|", value[0], sqlite3_column_bytes(rows, i));
                else
                    buf_printf(out, "%s|", value ? (const char *)value : "null");
            }
            buf_char(out, '\n');
        }
        sqlite3_finalize(rows);
        sqlite3_free(sql);
    }
    sqlite3_finalize(tables);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What is there when nothing fails. */
static struct buf expected;

/* The file holds what it would without any failure, and is sound. */
static void assert_whole(const char *path)
{
    struct buf found = { 0 };
    struct store *s = open_store(path, STORE_WRITE);
    int64_t checked;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 2);
    assert_int_equal(derived_mark(s).commit, 2);
    assert_true(derived_mark(s).is_whole);
    store_close(s);
    dump(&found, path);
    if (expected.len == 0)
        buf_str(&expected, buf_cstr(&found));
    assert_string_equal(buf_cstr(&found), buf_cstr(&expected));
    buf_fini(&found);
}

static bool is_said_well(enum err_code rc)
{
    return (rc == ERR_STORE || rc == ERR_LIMIT || rc == ERR_IO) && err.msg[0] != '\0';
}

/* The fault has struck, or never will: what happens from here on goes well. */
static bool was_hit(enum err_code rc)
{
    set_left(-1);
    if (rc == OK)
        return false;
    assert_true(is_said_well(rc));
    return true;
}

static enum err_code open_for(struct store **s, const char *path, enum story story, long n)
{
    if (story != OPENING)
        copy_made(path);
    else
        set_left(n);
    enum err_code rc = store_open(s, path, STORE_WRITE, &err);
    if (rc != OK)
        assert_null(*s);
    if (rc == OK && story != OPENING)
        set_left(n);
    if (rc == OK && story == WITH_WRITER && (rc = store_start_writer(*s, NULL, NULL, &err)) != OK)
        store_close(*s);
    return rc;
}

/* The store that was hit goes on: what failed is sent again and taken. True: nothing was hit. */
static bool survives(const char *path, enum story story, long n)
{
    struct store *s = NULL;
    bool hit = false, is_over = false;

    enum err_code rc = open_for(&s, path, story, n);
    if (rc != OK || story == OPENING) {
        is_over = fault.left > 0;
        hit = was_hit(rc);
        if (hit)
            assert_ok(store_open(&s, path, STORE_WRITE, &err));
    }
    rc = send_all(s);
    is_over = is_over || (story != OPENING && fault.left > 0);
    if (was_hit(rc)) {
        hit = true;
        assert_ok(store_reload(s, &err));
        assert_ok(send_all(s));
    }
    store_close(s);
    assert_whole(path);
    return is_over && !hit;
}

/* `stride` above 1: not every place, but others in each run. */
static void any_one_failure_loses_nothing(const char *dir, const char *name, int stride)
{
    make_once(dir);
    for (enum story story = OPENING; story <= WITH_WRITER; story++) {
        bool is_over = false;
        long n;
        for (n = 0; !is_over && n<100000; n += stride> 1 ? 1 + rand() % (2 * stride) : 1) {
            char path[140];
            snprintf(path, sizeof(path), "%s/%s-%d-%ld.db", dir, name, (int)story, n);
            is_over = survives(path, story, n);
            unlink(path);
        }
        print_message("%s, %s: %ld places\n", name, STORIES[story], n);
        assert_true(is_over);
        assert_true(n > (story == OPENING ? 2 : 20)); /* else the fault was never there */
    }
}

static void begin_chance(void)
{
    srand((unsigned)given_seed());
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
    begin_chance();
    any_one_failure_loses_nothing(x->dir, "allocation", 100);
}

static void any_one_failed_allocation_of_ours_loses_nothing(void **state)
{
    struct scratch *x = *state;
    fault.for_good = false;
    begin_chance();
    any_one_failure_loses_nothing(x->dir, "ours", 1);
}

/* What the writer's thread has told. */
struct told {
    pthread_mutex_t lock;
    int64_t durable; /* the newest ticket */
    bool has_failed;
};

static void take_told(int64_t ticket, const struct err *why, void *arg)
{
    struct told *t = arg;
    pthread_mutex_lock(&t->lock);
    if (!why) {
        assert_false(t->has_failed); /* nothing stands behind a gap */
        assert_int_equal(ticket, t->durable + 1);
        t->durable = ticket;
    }
    t->has_failed = t->has_failed || why;
    pthread_mutex_unlock(&t->lock);
}

static int64_t send_to_a_dying_disk(const char *path, enum story story, long n)
{
    struct told told = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct store *s = NULL;
    int64_t committed = 0;

    if (story != OPENING)
        copy_made(path);
    else
        set_left(n);
    enum err_code rc = store_open(&s, path, STORE_WRITE, &err);
    if (story != OPENING)
        set_left(n);
    if (rc == OK && story == WITH_WRITER)
        rc = store_start_writer(s, take_told, &told, &err);
    for (const char *id = "a"; rc == OK && story != OPENING && id; id = *id == 'a' ? "b" : NULL) {
        rc = batch(s, id);
        committed += rc == OK;
    }
    store_close(s);
    return story == WITH_WRITER ? told.durable : committed;
}

/* From the n-th write on nothing reaches the disk, then the program ends. */
static void a_disk_that_dies_keeps_what_was_committed(void **state)
{
    struct scratch *x = *state;
    struct buf seen = { 0 };
    fault.for_good = fault.torn = true;
    fault.code = SQLITE_IOERR_WRITE;
    make_once(x->dir);
    for (enum story story = OPENING; story <= WITH_WRITER; story++) {
        bool is_over = false;
        for (long n = 0; !is_over && n < 5000; n++) {
            char path[140];
            int64_t checked;
            snprintf(path, sizeof(path), "%s/dead-%d-%ld.db", x->dir, (int)story, n);
            int64_t committed = send_to_a_dying_disk(path, story, n);
            is_over = set_left(-1) > 0;
            struct store *s = open_store(path, STORE_WRITE);
            assert_ok(log_verify(&checked, s, &err));
            assert_true(checked >= (committed < 2 ? committed : 2));
            assert_int_equal(ask_sql(s, "SELECT count(*) FROM change"), checked);
            assert_int_equal(log_commits(s), checked);
            assert_ok(log_scan_subject(s, "group/g", END, note_id, &seen, &err));
            assert_collected(&seen, checked == 0 ? "" : checked == 1 ? "1:a " : "2:b 1:a ");
            store_close(s);
            unlink(path);
        }
        assert_true(is_over);
    }
    buf_fini(&seen);
}

TEST_MAIN(CASE_WITH(any_one_failed_write_loses_nothing, with_failing_writes, tear_down),
          CASE_WITH(a_disk_that_dies_keeps_what_was_committed, with_failing_writes, tear_down),
          CASE_WITH(any_one_failed_allocation_loses_nothing, with_allocator, without_allocator),
          CASE_WITH(any_one_failed_allocation_of_ours_loses_nothing, with_our_allocations,
                    tear_down))
