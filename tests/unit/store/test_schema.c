/* test_schema.c - migrations: from every version to the newest, each step whole or not at all. */
#include "tests/unit/store/support.h"

static const char *const FIRST[] = { "CREATE TABLE a (x)", "INSERT INTO a VALUES (1)", NULL };
static const char *const SECOND[] = { "ALTER TABLE a ADD COLUMN y", NULL };
static const char *const THIRD[] = { "UPDATE a SET y = x + 1", NULL };
static const char *const BROKEN[] = { "UPDATE a SET y = 7", "UPDATE nowhere SET y = 8", NULL };
static const char *const *const STEPS[] = { FIRST, SECOND, THIRD };
static const char *const *const FAULTY[] = { FIRST, SECOND, BROKEN };

/* A database in memory as schema.c finds it, with nothing in it. */
static void bare_open(struct store *s)
{
    static char path[] = "bare";
    *s = (struct store){ .path = path, .mode = STORE_MEMORY, .lock_fd = -1 };
    assert_int_equal(sqlite3_open(":memory:", &s->db), SQLITE_OK);
}

static void bare_close(struct store *s)
{
    for (int i = 0; i < STATEMENT_SLOTS; i++)
        sqlite3_finalize(s->statements[i].st);
    sqlite3_close(s->db);
}

static void migrates_from_every_older_version(void **state)
{
    (void)state;
    for (int from = 0; from <= 3; from++) {
        struct store s;
        bare_open(&s);
        assert_ok(schema_migrate(&s, STEPS, from, &err));
        assert_int_equal(ask_sql(&s, "PRAGMA user_version"), from);
        assert_ok(schema_migrate(&s, STEPS, 3, &err));
        assert_int_equal(ask_sql(&s, "PRAGMA user_version"), 3);
        assert_int_equal(ask_sql(&s, "SELECT y FROM a"), 2);
        assert_ok(schema_migrate(&s, STEPS, 3, &err)); /* nothing left to do */
        bare_close(&s);
    }
}

static void a_failing_migration_leaves_the_version_before_whole(void **state)
{
    struct store s;
    (void)state;
    bare_open(&s);
    assert_int_equal(schema_migrate(&s, FAULTY, 3, &err), ERR_STORE);
    assert_non_null(strstr(err.msg, "schema version 3"));
    assert_int_equal(ask_sql(&s, "PRAGMA user_version"), 2);
    assert_int_equal(ask_sql(&s, "SELECT y IS NULL FROM a"), 1);
    bare_close(&s);
}

static void every_released_version_migrates_to_the_newest(void **state)
{
    (void)state;
    for (int from = 0; from < store_migration_count; from++) {
        struct store s;
        bare_open(&s);
        assert_ok(schema_migrate(&s, store_migrations, from, &err));
        assert_ok(schema_migrate(&s, store_migrations, store_migration_count, &err));
        assert_int_equal(ask_sql(&s, "SELECT count(*) FROM event"), 0);
        bare_close(&s);
    }
}

TEST_MAIN(CASE(migrates_from_every_older_version),
          CASE(a_failing_migration_leaves_the_version_before_whole),
          CASE(every_released_version_migrates_to_the_newest))
