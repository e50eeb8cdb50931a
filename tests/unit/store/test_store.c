/* test_store.c - opening, refusing, locking. */
#include "tests/unit/store/support.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void refused(const char *path, enum store_mode mode, enum err_code code, const char *says)
{
    struct store *s = (struct store *)1;
    assert_int_equal(store_open(&s, path, mode, &err), code);
    assert_null(s);
    if (!strstr(err.msg, says))
        fail_msg("'%s' does not say '%s'", err.msg, says);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void makes_a_database_once_and_finds_it_again(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    char id[33];
    uint8_t key[DIGEST_BYTES];
    snprintf(id, sizeof(id), "%s", store_id(s));
    memcpy(key, store_note_key(s), sizeof(key));
    assert_int_equal(strlen(id), 16);
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    assert_string_equal(store_id(s), id);
    assert_memory_equal(store_note_key(s), key, sizeof(key));
    store_close(s);
    s = open_store(x->path, STORE_READ);
    assert_string_equal(store_id(s), id);
    assert_memory_equal(store_note_key(s), key, sizeof(key));
    store_close(s);
}

static void two_databases_differ_in_id_and_note_key(void **state)
{
    (void)state;
    struct store *a = open_store(NULL, STORE_MEMORY), *b = open_store(NULL, STORE_MEMORY);
    assert_string_not_equal(store_id(a), store_id(b));
    assert_memory_not_equal(store_note_key(a), store_note_key(b), DIGEST_BYTES);
    store_close(a);
    store_close(b);
}

static void a_new_database_is_closed_to_others(void **state)
{
    struct scratch *x = *state;
    struct stat st;
    store_close(open_store(x->path, STORE_WRITE));
    assert_int_equal(stat(x->path, &st), 0);
    assert_int_equal(st.st_mode & S_IRWXO, 0);
}

static void has_the_tables_and_views_that_people_query(void **state)
{
    static const char *const NAMES[] = { "event",  "event_commit", "subject_event", "change",
                                         "pack",   "decision",     "subject",       "wake",
                                         "cursor", "token",        "personal",      "quarantine" };
    (void)state;
    struct store *s = open_store(NULL, STORE_MEMORY);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++) {
        char sql[80];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", NAMES[i]);
        assert_int_equal(ask_sql(s, sql), 0);
    }
    store_close(s);
}

static void writes_durably_and_overwrites_what_is_deleted(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    assert_int_equal(ask_sql(s, "PRAGMA synchronous"), 2);
    assert_int_equal(ask_sql(s, "PRAGMA secure_delete"), 1);
    assert_int_equal(ask_sql(s, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    store_close(s);
}

static void refuses_a_path_that_cannot_be_a_database(void **state)
{
    struct scratch *x = *state;
    char path[200];
    refused("", STORE_WRITE, ERR_INPUT, "no path");
    refused(x->dir, STORE_WRITE, ERR_INPUT, "is a folder");
    refused(x->dir, STORE_READ, ERR_INPUT, "is a folder");
    refused("/dev/null", STORE_WRITE, ERR_INPUT, "not an ordinary file");
    snprintf(path, sizeof(path), "%s/absent/pathway.db", x->dir);
    refused(path, STORE_WRITE, ERR_IO, "folder must exist");
    refused(path, STORE_READ, ERR_ABSENT, "no such database");
    refused(x->path, STORE_READ, ERR_ABSENT, "no such database");
}

static void refuses_a_disk_that_cannot_be_written(void **state)
{
    (void)state; /* the one such place that stops root too */
    refused("/proc/pathway.db", STORE_WRITE, ERR_IO, "writable by the daemon's user");
    if (access("/sys/kernel", F_OK) == 0) /* a bare system in a folder may have no sysfs */
        refused("/sys/pathway.db", STORE_WRITE, ERR_IO, "cannot make the database");
}

static void refuses_a_file_that_is_no_database(void **state)
{
    struct scratch *x = *state;
    write_file(x->path, "A letter to the headteacher, long enough to be mistaken for a page. "
                        "A letter to the headteacher, long enough to be mistaken for a page.");
    refused(x->path, STORE_WRITE, ERR_INPUT, "file is not a database");
    refused(x->path, STORE_READ, ERR_INPUT, "file is not a database");
}

static void refuses_the_database_of_another_application(void **state)
{
    struct scratch *x = *state;
    run_sql(x->path, "CREATE TABLE recipe (name)");
    refused(x->path, STORE_WRITE, ERR_INPUT, "another application");
    run_sql(x->path, "PRAGMA application_id = 7");
    refused(x->path, STORE_WRITE, ERR_INPUT, "application id 7");
    refused(x->path, STORE_READ, ERR_INPUT, "application id 7");
    run_sql(x->path, "INSERT INTO recipe VALUES ('untouched')");
}

static void refuses_a_newer_schema_naming_both_versions(void **state)
{
    struct scratch *x = *state;
    store_close(open_store(x->path, STORE_WRITE));
    run_sql(x->path, "PRAGMA user_version = 99");
    refused(x->path, STORE_WRITE, ERR_INPUT, "schema is version 99");
    refused(x->path, STORE_READ, ERR_INPUT, "knows versions up to ");
}

static void a_reader_refuses_an_older_schema_and_does_not_migrate(void **state)
{
    struct scratch *x = *state;
    store_close(open_store(x->path, STORE_WRITE));
    run_sql(x->path, "PRAGMA user_version = 0");
    refused(x->path, STORE_READ, ERR_INPUT, "start pathwayd on it once");
}

static void refuses_a_damaged_database(void **state)
{
    struct scratch *x = *state;
    char junk[3000];
    store_close(open_store(x->path, STORE_WRITE));
    memset(junk, 0x5a, sizeof(junk));
    int fd = open(x->path, O_WRONLY);
    assert_int_equal(pwrite(fd, junk, sizeof(junk), 100), (ssize_t)sizeof(junk));
    close(fd);
    refused(x->path, STORE_WRITE, ERR_STORE, "damaged");
}

static void refuses_a_log_whose_note_key_is_lost(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    append_alone(s, &(struct sent){ .id = "a" });
    store_close(s);
    run_sql(x->path, "DELETE FROM meta WHERE key = 'note_key'");
    refused(x->path, STORE_WRITE, ERR_STORE, "note key");
}

static void one_daemon_at_a_time(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    char pid[40], link[120];
    snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    refused(x->path, STORE_WRITE, ERR_BUSY, pid);
    refused(x->path, STORE_WRITE, ERR_BUSY, "stop that one first");
    snprintf(link, sizeof(link), "%s/other.db", x->dir);
    assert_int_equal(symlink(x->path, link), 0);
    refused(link, STORE_WRITE, ERR_BUSY, pid); /* another name, the same database */
    store_close(s);
    store_close(open_store(x->path, STORE_WRITE));
}

static void a_crash_releases_the_lock_and_keeps_what_was_committed(void **state)
{
    struct scratch *x = *state;
    pid_t child = fork();
    if (child == 0) {
        struct store *s = open_store(x->path, STORE_WRITE);
        append_alone(s, &(struct sent){ .id = "kept" });
        assert_ok(store_begin(s, &err));
        append(s, &(struct sent){ .id = "lost" });
        _exit(0); /* nothing is closed */
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    assert_ok(log_scan(s, 0, END, note_id, &seen, &err));
    assert_collected(&seen, "1:kept ");
    assert_int_equal(append_alone(s, &(struct sent){ .id = "next" }), 2);
    buf_fini(&seen);
    store_close(s);
}

TEST_MAIN(SCRATCH(makes_a_database_once_and_finds_it_again),
          SCRATCH(two_databases_differ_in_id_and_note_key),
          SCRATCH(a_new_database_is_closed_to_others),
          SCRATCH(has_the_tables_and_views_that_people_query),
          SCRATCH(writes_durably_and_overwrites_what_is_deleted),
          SCRATCH(refuses_a_path_that_cannot_be_a_database),
          SCRATCH(refuses_a_disk_that_cannot_be_written),
          SCRATCH(refuses_a_file_that_is_no_database),
          SCRATCH(refuses_the_database_of_another_application),
          SCRATCH(refuses_a_newer_schema_naming_both_versions),
          SCRATCH(a_reader_refuses_an_older_schema_and_does_not_migrate),
          SCRATCH(refuses_a_damaged_database), SCRATCH(refuses_a_log_whose_note_key_is_lost),
          SCRATCH(one_daemon_at_a_time),
          SCRATCH(a_crash_releases_the_lock_and_keeps_what_was_committed))
