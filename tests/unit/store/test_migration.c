/* test_migration.c - a database of version 2 says after its migration all that it said before. */
#include "tests/unit/store/support.h"

#include <signal.h>
#include <sys/wait.h>

/* ---- a database as the pathwayd of then left it ---- */

static void execute(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* The tables and views of then: tests/data/version2.sql. */
static void make_tables(sqlite3 *db)
{
    static char sql[20000];
    FILE *f = fopen(test_data("version2.sql"), "r");
    assert_non_null(f);
    sql[fread(sql, 1, sizeof(sql) - 1, f)] = '\0';
    fclose(f);
    execute(db, sql);
}

static const char *const NAMES[] = {
    "INSERT INTO source_name VALUES (1, 'urn:a'), (2, 'urn:b')",
    "INSERT INTO type_name VALUES (1, 'lead.named'), (2, 'event.voided'), (3, 'school.succeeded')",
    "INSERT INTO subject_name VALUES (1, 'school/1'), (2, 'group/g'), (3, 'school/2'),"
    " (4, 'school/3')",
    "INSERT INTO decision_name VALUES (1, 'pathway_phase'), (2, 'committed'), (3, 'advice'),"
    " (4, 'members')",
    "INSERT INTO meta VALUES ('id', x'0102030405060708'), ('note_key', randomblob(32))",
};
static const char *const TYPES[] = { "", "lead.named", "event.voided", "school.succeeded" };
static const char *const SUBJECTS[] = { "", "school/1", "group/g", "school/2", "school/3" };

/* Its number is its place, from 1. */
static const struct old_event {
    int source, type, subject;
    const char *id, *sequence, *actor, *data; /* data: members of it */
    int64_t recorded;
    int touches[3]; /* subjects, until 0 */
} EVENTS[] = {
    { 1, 1, 1, "e1", NULL, "hub-07", "\"teacher\":\"t1\"", 100, { 1 } },
    { 1, 1, 1, "e2", NULL, "hub-07", "\"group\":\"group/g\"", 100, { 1, 2 } },
    { 2, 2, 1, "v1", NULL, NULL, "\"source\":\"urn:a\",\"id\":\"e1\"", 100, { 1 } },
    { 2, 3, 3, "s1", NULL, NULL, "\"predecessor\":\"school/1\"", 200, { 3, 1 } },
    { 1, 1, 2, "say \"c\"", "02", NULL, "\"x\":1", 300, { 2 } },
    { 2, 3, 3, "s2", NULL, NULL, "\"reason\":\"names no predecessor\"", 300, { 3, 4 } },
    { 2, 1, 1, "e1", NULL, "hub-08", "\"teacher\":\"t2\"", 300, { 1, 2, 3 } },
};
#define EVENT_COUNT ((int)(sizeof(EVENTS) / sizeof(*EVENTS)))

static const char *const REST[] = {
    "INSERT INTO event_void VALUES (3, 'urn:a', 'e1')",
    "INSERT INTO event_commit_row VALUES (1, 1, 0, 50, 1), (2, 1, 3, 100, 1), (3, 4, 4, 200, 1),"
    " (4, 5, 7, 300, 2), (5, 8, 7, 400, 2)",
    "INSERT INTO commit_judged VALUES (3, '[\"school/1\"]')",
    "INSERT INTO decision_row VALUES (1, 1, '\"building\"'), (1, 2, 'true'), (1, 3, '\"it''s, "
    "\\\"x\\\"\"'),"
    " (2, 4, '2'), (2, 1, 'null'), (4, 2, '{\"error\":\"no\"}')",
    "INSERT INTO subject VALUES ('school/1', 1, 'Oak', '07', '9001 9002'), ('group/g', 2, NULL, "
    "'07',"
    " NULL), ('school/2', 3, NULL, NULL, NULL), ('school/3', 4, 'Elm', NULL, NULL)",
    "INSERT INTO wake_row VALUES ('school/1', 1000), ('group/g', -5), ('school/2', 200)",
    "INSERT INTO pending VALUES ('school/2', '{\"source\":\"urn:b\",\"id\":\"s1\"},"
    "{\"source\":\"urn:b\",\"id\":\"e1\"}'), ('group/g', '{\"source\":\"urn:a\",\"id\":\"say "
    "\\\"c\\\"\"}')",
    "INSERT INTO change_row VALUES (1, 100, 1, 1, 2, 'false', 'true', '07',"
    " '{\"events\":[{\"source\":\"urn:a\",\"id\":\"e2\"}],\"moment\":null,\"generation\":null}'),"
    " (2, 400, 2, 2, 4, 'null', '2', NULL, NULL)",
    "INSERT INTO generation VALUES (1, 'cafe', 50), (2, 'beef', 300)",
    "INSERT INTO pack_text VALUES (x'01', 'return 1'), (x'02', 'return 2')",
    "INSERT INTO pack_file VALUES (1, 'national/pack.lua', x'01'), (2, 'national/pack.lua', x'02'),"
    " (2, 'national/more.lua', x'01')",
    "INSERT INTO personal VALUES ('t1', '{\"name\":\"Ann\"}')",
    "INSERT INTO note VALUES (3, 'data.reason', 'not so')",
    "INSERT INTO cursor VALUES ('hook', 1)",
    "INSERT INTO token VALUES ('hub-07', x'AB', 'send', NULL, 1, NULL)",
    "INSERT INTO quarantine VALUES (5, 'spool', 7, 'no JSON', x'7B')",
};

static void insert_event(sqlite3 *db, int seq, const struct old_event *e, uint8_t *hash)
{
    static int64_t heads[5];
    struct buf body = { 0 }, id = { 0 };
    char *sql, hex[2 * DIGEST_BYTES + 1];

    if (seq == 1)
        memset(heads, 0, sizeof(heads));
    json_write_cstr(&id, e->id);
    buf_printf(&body, "{\"data\":{%s},\"id\":%s,", e->data, buf_cstr(&id));
    if (e->sequence)
        buf_printf(&body, "\"sequence\":\"%s\",", e->sequence);
    buf_printf(&body, "\"source\":\"urn:%c\",\"subject\":\"%s\",", "?ab"[e->source],
               SUBJECTS[e->subject]);
    buf_printf(&body, "\"time\":\"1970-01-01T00:00:07Z\",\"type\":\"%s\"}", TYPES[e->type]);
    log_hash(hash, hash, e->recorded, e->actor, buf_cstr(&body), body.len);
    for (int i = 0; i < DIGEST_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    sql = sqlite3_mprintf("INSERT INTO event_row VALUES (%d, 7000000, %lld, %d, %Q, %d, %d, %Q, %Q,"
                          " %Q, x'%s'); INSERT INTO event_key VALUES (%d, %d)",
                          seq, e->recorded, e->source, e->id, e->type, e->subject, e->sequence,
                          e->actor, buf_cstr(&body), hex, seq, 77 * seq);
    execute(db, sql);
    sqlite3_free(sql);
    for (int i = 0; i < 3 && e->touches[i]; i++) {
        int subject = e->touches[i];
        sql = sqlite3_mprintf(
            "INSERT INTO subject_event_row VALUES (%lld, %d, nullif(%lld, 0));"
            "INSERT INTO subject_head VALUES (%d, %d, %d) ON CONFLICT DO UPDATE SET head = %d",
            ((int64_t)seq << 16) + i, subject, heads[subject], subject, seq, seq, seq);
        execute(db, sql);
        sqlite3_free(sql);
        heads[subject] = seq;
    }
    buf_fini(&body);
    buf_fini(&id);
}

/* `more`: also many events and subjects, so that there are runs, and pages to write. */
static void build(const char *path, bool more)
{
    uint8_t hash[DIGEST_BYTES] = { 0 };
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    execute(db, "PRAGMA journal_mode = WAL; BEGIN");
    make_tables(db);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++)
        execute(db, NAMES[i]);
    for (int i = 0; i < EVENT_COUNT; i++)
        insert_event(db, i + 1, &EVENTS[i], hash);
    for (size_t i = 0; i < sizeof(REST) / sizeof(*REST); i++)
        execute(db, REST[i]);
    if (more)
        execute(
            db,
            "WITH RECURSIVE n (i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
            " INSERT INTO subject_name SELECT i, 'school/' || i FROM n;"
            "INSERT INTO decision_row SELECT id, 2, 'true' FROM subject_name WHERE id >= 100;"
            "INSERT INTO subject SELECT text, id, NULL, NULL, NULL FROM subject_name WHERE id >= "
            "100;"
            "INSERT INTO wake_row SELECT text, id FROM subject_name WHERE id >= 100;"
            "INSERT INTO subject_head SELECT id, 7, 7 FROM subject_name WHERE id >= 100");
    execute(db, "COMMIT");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- what it says ---- */

/* Rows of a question, one a line. */
static void note_rows(struct buf *out, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const unsigned char *value = sqlite3_column_text(st, i);
            buf_printf(out, "%s|", value ? (const char *)value : "null");
        }
        buf_char(out, '\n');
    }
    sqlite3_finalize(st);
}

static const char *const ASKED[] = {
    /* What people read. */
    "SELECT * FROM event ORDER BY seq",
    "SELECT * FROM event_commit ORDER BY number",
    "SELECT * FROM subject_event ORDER BY seq, subject",
    "SELECT * FROM decision ORDER BY subject, decision",
    "SELECT subject, number, name, hub, former FROM subject ORDER BY subject",
    "SELECT * FROM wake ORDER BY subject",
    "SELECT * FROM change ORDER BY seq",
    "SELECT * FROM pack ORDER BY generation, path",
    /* What only stays as it is. */
    "SELECT seq, time, recorded, source, id, type, subject, sequence, actor, body, hex(hash)"
    " FROM event_row ORDER BY seq",
    "SELECT * FROM event_commit_row ORDER BY number",
    "SELECT * FROM commit_judged ORDER BY number",
    "SELECT * FROM event_void ORDER BY seq",
    "SELECT seq, recorded, generation, subject, old, new, hub, cause FROM change_row ORDER BY seq",
    "SELECT * FROM generation ORDER BY number",
    "SELECT hex(digest), text FROM pack_text ORDER BY digest",
    "SELECT generation, path, hex(digest) FROM pack_file ORDER BY generation, path",
    "SELECT * FROM source_name ORDER BY id",
    "SELECT * FROM type_name ORDER BY id",
    "SELECT * FROM subject_name ORDER BY id",
    "SELECT hex(key), hex(value) FROM meta WHERE key <> 'judged_since' ORDER BY key",
    "SELECT * FROM personal ORDER BY key",
    "SELECT * FROM note ORDER BY seq, path",
    "SELECT * FROM cursor ORDER BY name",
    "SELECT name, hex(hash), scopes, hubs, created, revoked FROM token ORDER BY name",
    "SELECT number, origin, received, reason, hex(body) FROM quarantine ORDER BY number",
};

/* What a file says to all of these; so that it can be read, nobody may have it open. */
static void note_all(struct buf *out, const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof(ASKED) / sizeof(*ASKED); i++) {
        buf_printf(out, "-- %s\n", ASKED[i]);
        note_rows(out, db, ASKED[i]);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_rows(const char *path, const char *sql, const char *expected)
{
    struct buf found = { 0 };
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    note_rows(&found, db, sql);
    assert_string_equal(buf_cstr(&found), expected);
    buf_fini(&found);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void migrate(const char *path)
{
    char newest[16];

    store_close(open_store(path, STORE_WRITE));
    snprintf(newest, sizeof(newest), "%d|\n", store_migration_count);
    assert_rows(path, "PRAGMA user_version", newest);
}

static void all_that_was_said_is_still_said(void **state)
{
    struct scratch *x = *state;
    for (int more = 0; more < 2; more++) {
        struct buf before = { 0 }, after = { 0 };
        unlink(x->path);
        build(x->path, more);
        note_all(&before, x->path);
        migrate(x->path);
        note_all(&after, x->path);
        assert_string_equal(buf_cstr(&after), buf_cstr(&before));
        migrate(x->path); /* once is enough */
        buf_reset(&after);
        note_all(&after, x->path);
        assert_string_equal(buf_cstr(&after), buf_cstr(&before));
        buf_fini(&before);
        buf_fini(&after);
    }
}

static void each_new_row_says_what_the_old_ones_did(void **state)
{
    struct scratch *x = *state;
    build(x->path, false);
    migrate(x->path);
    assert_rows(x->path, "SELECT number, seq, feed, is_whole FROM watermark", "5|7|2|1|\n");
    assert_rows(x->path, "SELECT value FROM meta WHERE key = 'judged_since'", "5|\n");
    assert_rows(x->path, "SELECT seq, touches FROM event_row",
                "1|[1,0]|\n2|[1,1,2,0]|\n3|[1,2]|\n4|[3,0,1,3]|\n5|[2,2]|\n6|[3,4,4,0]|\n"
                "7|[1,4,2,5,3,6]|\n");
    assert_rows(x->path, "SELECT * FROM event_succession", "4|1|3|\n");
    assert_rows(x->path, "SELECT count(*) FROM event_key", "0|\n");
    assert_rows(x->path, "SELECT * FROM decision_name", "1|committed|\n2|members|\n");
    assert_rows(x->path, "SELECT seq, decision FROM change_row", "1|1|\n2|2|\n");
    assert_rows(x->path,
                "SELECT r.id, head, due, name, hub, former, l.text, decisions, causes"
                " FROM subject_row r LEFT JOIN decision_layout l ON l.id = r.layout ORDER BY r.id",
                "1|7|1000|Oak|07|9001 9002|[\"advice\",\n\"committed\",\n\"pathway_phase\"]|"
                "[\"it's, \\\"x\\\"\",\ntrue,\n\"building\"]|null|\n"
                "2|7|-5|null|07|null|[\"members\",\n\"pathway_phase\"]|[2,\nnull]|5|\n"
                "3|7|200|null|null|null|[]|[]|4,7|\n"
                "4|6|null|Elm|null|null|[\"committed\"]|[{\"error\":\"no\"}]|null|\n");
}

static void the_store_goes_on_where_it_was(void **state)
{
    struct scratch *x = *state;
    struct buf seen = { 0 };
    bool found;
    char *waited;
    int64_t checked;
    build(x->path, false);
    struct store *s = open_store(x->path, STORE_WRITE);
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, EVENT_COUNT);
    assert_ok(log_scan_subject(s, "school/1", END, note_id, &seen, &err));
    assert_collected(&seen, "7:e1 4:s1 3:v1 2:e2 1:e1 ");
    assert_ok(log_find(&found, s, "urn:b", "e1", END, note_id, &seen, &err));
    assert_ok(log_find(&found, s, "urn:a", "say \"c\"", END, note_id, &seen, &err));
    assert_collected(&seen, "7:e1 5:say \"c\" ");
    assert_ok(log_voids_of(s, "urn:a", "e1", END, note_id, &seen, &err));
    assert_collected(&seen, "3:v1 ");
    assert_true(log_is_named_by_void(s, "urn:a", "e1"));
    note_decisions(&seen, s, "school/1");
    assert_collected(&seen,
                     "advice=\"it's, \\\"x\\\"\" committed=true pathway_phase=\"building\" ");
    assert_int_equal(wake_next(s), -5);
    assert_int_equal(pending_count(s), 2);
    assert_false(store_is_behind(s));
    assert_int_equal(log_commits(s), 5);
    assert_ok(store_begin(s, &err));
    assert_ok(pending_take(&waited, s, "school/2", &err));
    assert_string_equal(waited, "4,7");
    free(waited);
    append(s, &(struct sent){ .id = "next", .subject = "school/1", .recorded = 400 });
    const struct change change = {
        .subject = "school/1", .decision = "d", .old_value = "1", .new_value = "2", .cause = "8"
    };
    assert_ok(feed_append(&checked, s, &change, &err));
    assert_int_equal(checked, 3);
    assert_ok(log_add_commit(&checked, s, 8, 8, 400, 2, NULL, &err));
    assert_int_equal(checked, 6);
    assert_ok(store_commit(s, &err));
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, EVENT_COUNT + 1);
    buf_fini(&seen);
    store_close(s);
}

/* ---- migrations that do not come to their end ---- */

#define TEXTS_MAX 64

static const char *texts[TEXTS_MAX];
static const char *const *broken[3];

/* The migration to version 3 up to its n-th text, then `last`; its number of texts. */
static int break_after(int n, const char *last)
{
    int count = 0;
    while (store_migrations[2][count])
        count++;
    assert_true(count + 1 < TEXTS_MAX);
    memset(texts, 0, sizeof(texts));
    memcpy(texts, store_migrations[2], (size_t)(n < count ? n : count) * sizeof(*texts));
    texts[n < count ? n : count] = last;
    memcpy(broken, store_migrations, sizeof(broken));
    broken[2] = texts;
    return count;
}

/* A store as schema.c finds it, with this file open. */
static void bare_open(struct store *s, char *path)
{
    *s = (struct store){ .path = path, .mode = STORE_WRITE, .lock_fd = -1 };
    assert_int_equal(sqlite3_open(path, &s->db), SQLITE_OK);
}

static void bare_close(struct store *s)
{
    for (int i = 0; i < STATEMENT_SLOTS; i++)
        sqlite3_finalize(s->statements[i].st);
    assert_int_equal(sqlite3_close(s->db), SQLITE_OK);
}

/* Everything in the file, and its schema. */
static void note_file(struct buf *out, const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    note_rows(out, db, "PRAGMA user_version");
    note_rows(out, db, "SELECT type, name, sql FROM sqlite_schema ORDER BY rowid");
    note_rows(out, db, "SELECT * FROM subject_head");
    note_rows(out, db, "SELECT * FROM subject_event_row");
    note_rows(out, db, "SELECT * FROM decision_row");
    note_rows(out, db, "SELECT * FROM pending");
    note_rows(out, db, "SELECT * FROM event_key");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    note_all(out, path);
}

static void a_step_that_fails_leaves_version_2_whole(void **state)
{
    struct scratch *x = *state;
    struct buf before = { 0 }, after = { 0 };
    struct store s;
    build(x->path, false);
    note_file(&before, x->path);
    for (int n = 0; n <= break_after(n, "UPDATE nowhere SET x = 1"); n++) {
        bare_open(&s, x->path);
        assert_int_equal(schema_migrate(&s, broken, 3, &err), ERR_STORE);
        assert_non_null(strstr(err.msg, "schema version 3"));
        bare_close(&s);
        note_file(&after, x->path);
        assert_string_equal(buf_cstr(&after), buf_cstr(&before));
        buf_reset(&after);
    }
    migrate(x->path); /* the next start does it all */
    buf_fini(&before);
    buf_fini(&after);
}

static void die(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)context, (void)count, (void)values;
    raise(SIGKILL);
}

static void a_kill_half_way_leaves_version_2_whole(void **state)
{
    struct scratch *x = *state;
    struct buf before = { 0 }, after = { 0 };
    build(x->path, true);
    note_file(&before, x->path);
    for (int n = 0; n <= break_after(n, "SELECT die()"); n++) {
        pid_t child = fork();
        if (child == 0) {
            struct store s;
            bare_open(&s, x->path);
            sqlite3_exec(s.db, "PRAGMA cache_size = 10", NULL, NULL,
                         NULL); /* spills into the WAL */
            sqlite3_create_function(s.db, "die", 0, SQLITE_UTF8, NULL, die, NULL, NULL);
            _exit(schema_migrate(&s, broken, 3, &err));
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        note_file(&after, x->path);
        assert_string_equal(buf_cstr(&after), buf_cstr(&before));
        buf_reset(&after);
    }
    migrate(x->path);
    buf_fini(&before);
    buf_fini(&after);
}

static void a_reader_refuses_it_until_it_is_migrated(void **state)
{
    struct scratch *x = *state;
    struct store *s = NULL;
    build(x->path, false);
    assert_int_equal(store_open(&s, x->path, STORE_READ, &err), ERR_INPUT);
    char told[48];
    snprintf(told, sizeof(told), "its schema is version 2, expected %d", store_migration_count);
    assert_non_null(strstr(err.msg, told));
    migrate(x->path);
    store_close(open_store(x->path, STORE_READ));
}

TEST_MAIN(SCRATCH(all_that_was_said_is_still_said),
          SCRATCH(each_new_row_says_what_the_old_ones_did), SCRATCH(the_store_goes_on_where_it_was),
          SCRATCH(a_step_that_fails_leaves_version_2_whole),
          SCRATCH(a_kill_half_way_leaves_version_2_whole),
          SCRATCH(a_reader_refuses_it_until_it_is_migrated))
