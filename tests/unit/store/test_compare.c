/* test_compare.c - what is stored against what is made again: any change of any table is told. */
#include "tests/unit/store/support.h"

#include "store/compare.h"
#include "store/generation.h"

#define MANY 500 /* subjects: more than go into any commit, and more than one slice of a sweep */

/* What differed: the tables, one after the other, and the first difference. */
struct told {
    struct buf tables;
    char first[600];
};

static void take_difference(const char *table, const char *difference, void *arg)
{
    struct told *t = arg;
    if (t->tables.len == 0)
        snprintf(t->first, sizeof(t->first), "%s: %s", table, difference);
    buf_printf(&t->tables, "[%s]", table);
}

/* ---- a history, to be made and to be made again ---- */

static void derive(struct store *s, int subject, int value)
{
    char name[24], values[60], card_name[24];
    snprintf(name, sizeof(name), "school/%d", subject);
    snprintf(values, sizeof(values), "[true,\n%d]", value);
    snprintf(card_name, sizeof(card_name), "School %d", value);
    const struct subject_card card = { name, card_name, "07", subject % 2 ? "900" : NULL };
    assert_ok(decisions_put(s, name, "[\"committed\",\n\"number\"]", values, &err));
    assert_ok(subject_put(s, &card, &err));
    assert_ok(wake_put(s, name, 1000 + value, &err));
}

static void commit(struct store *s, int64_t first, int64_t recorded, int64_t generation,
                   const char *judged)
{
    int64_t number;
    assert_ok(log_add_commit(&number, s, first, log_tip(s), recorded, generation, judged, &err));
    assert_ok(store_commit(s, &err));
}

static void add_generation(struct store *s, const char *digest, const char *text)
{
    const struct pack_file files[] = { { "national/events.lua", "return 0", 8 },
                                       { "national/pack.lua", text, (uint32_t)strlen(text) } };
    int64_t number;
    assert_ok(generation_add(&number, s, digest, 10, files, 2, &err));
}

/* `commits` of them; the fifth one changes many subjects. */
static void make(struct store *s, int commits)
{
    const struct change change = { .recorded = 20,
                                   .generation = 1,
                                   .subject = "school/1",
                                   .decision = "committed",
                                   .old_value = "false",
                                   .new_value = "true",
                                   .hub = "07",
                                   .cause = "1,2" };
    int64_t seq;
    assert_ok(store_begin(s, &err));
    add_generation(s, "cafe", "return 1");
    commit(s, 1, 10, 1, NULL);

    assert_ok(store_begin(s, &err));
    append(s,
           &(struct sent){ .id = "a", .subject = "school/1", .also = "group/g", .recorded = 20 });
    append(s, &(struct sent){ .id = "b", .subject = "school/1", .sequence = "1", .recorded = 20 });
    append(s, &(struct sent){ .id = "v", .subject = "school/1", .voids = "a", .recorded = 20 });
    seq = append(s, &(struct sent){ .id = "s", .subject = "school/2", .recorded = 20 });
    assert_ok(log_add_succession(s, seq, "school/1", "school/2", &err));
    derive(s, 1, 1);
    derive(s, 2, 2);
    assert_ok(pending_add(s, "group/g", "1", &err));
    assert_ok(feed_append(&seq, s, &change, &err));
    commit(s, 1, 20, 1, "[\"school/1\",\"school/2\"]");

    assert_ok(store_begin(s, &err));
    assert_ok(feed_append(&seq, s, &change, &err));
    commit(s, 5, 30, 1, "[]");

    assert_ok(store_begin(s, &err));
    add_generation(s, "beef", "return 2");
    derive(s, 1, 3);
    commit(s, 5, 40, 2, NULL);

    for (int i = 4; i < commits; i++) {
        assert_ok(store_begin(s, &err));
        for (int n = 0; n < (i == 4 ? MANY : 10); n++)
            derive(s, 100 + n, i);
        derive(s, 1, i);
        commit(s, 5, 50, 2, "[\"school/1\"]");
    }
}

/* ---- */

static int64_t made_again(struct told *t, const char *path, int commits)
{
    struct store *source = open_store(path, STORE_READ), *again = NULL;
    int differences;
    int64_t rows;
    assert_ok(store_snapshot(source, &err));
    assert_ok(store_open_replay(&again, source, take_difference, t, &err));
    make(again, commits);
    assert_ok(store_end_replay(&differences, &rows, again, &err));
    int count = 0;
    for (const char *at = buf_cstr(&t->tables); (at = strchr(at, '[')); at++)
        count++;
    assert_int_equal(differences, count);
    store_close(again);
    store_snapshot_end(source);
    store_close(source);
    return rows;
}

static void assert_same(const char *path, int commits)
{
    struct told t = { 0 };
    made_again(&t, path, commits);
    assert_string_equal(buf_cstr(&t.tables), "");
    buf_fini(&t.tables);
}

static void fill(const char *path, int commits)
{
    struct store *s = open_store(path, STORE_WRITE);
    make(s, commits);
    store_close(s);
}

static void what_was_not_touched_is_the_same(void **state)
{
    struct scratch *x = *state;
    struct told t = { 0 };
    fill(x->path, 4);
    /* names: a source, a type, three subjects, a decision, a layout; events, a void, a succession,
     * commits, what they judged, changes, generations, their files and texts, subjects */
    assert_int_equal(made_again(&t, x->path, 4), 7 + 4 + 1 + 1 + 4 + 2 + 2 + 2 + 4 + 3 + 3);
    assert_string_equal(buf_cstr(&t.tables), "");
    buf_fini(&t.tables);
}

static void nothing_is_the_same_as_nothing(void **state)
{
    struct scratch *x = *state;
    struct told t = { 0 };
    struct store *source, *again = NULL;
    int differences;
    int64_t rows;
    store_close(open_store(x->path, STORE_WRITE));
    for (int has_stray = 0; has_stray < 2; has_stray++) {
        source = open_store(x->path, STORE_READ);
        assert_ok(store_snapshot(source, &err));
        assert_ok(store_open_replay(&again, source, take_difference, &t, &err));
        assert_ok(store_end_replay(&differences, &rows, again, &err));
        assert_int_equal(differences, has_stray);
        store_close(again);
        store_snapshot_end(source);
        store_close(source);
        if (!has_stray)
            run_sql(x->path, "INSERT INTO subject_row (id, head) VALUES (1, 1)");
    }
    buf_fini(&t.tables);
}

#define DERIVED "decision, subject, wake"

static const struct {
    const char *sql;
    const char *says; /* the beginning of the first difference */
} CHANGED[] = {
    { "UPDATE event_row SET time = time + 1 WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET recorded = recorded + 1 WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET source = source + 1 WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET id = id || 'x' WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET type = type + 1 WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET subject = subject + 1 WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET sequence = NULL WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET sequence = 'x' WHERE seq = 1", "event: row (1, " },
    { "UPDATE event_row SET actor = NULL WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET body = body || ' ' WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET hash = zeroblob(32) WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET touches = '[]' WHERE seq = 2", "event: row (2, " },
    { "UPDATE event_row SET touches = replace(touches, '0', '1') WHERE seq = 1",
      "event: row (1, " },
    { "DELETE FROM event_row WHERE seq = 4", "event: row (4) is missing" },
    { "DELETE FROM event_row WHERE seq = 1", "event: row (2, " },
    { "INSERT INTO event_row SELECT 5, time, recorded, source, 'x', type, subject, sequence, actor,"
      " body, hash, touches FROM event_row WHERE seq = 1",
      "event: row (5, 7000000, " },
    { "UPDATE event_void SET source = 'x'", "event (voids): row (3, x, a): column source" },
    { "UPDATE event_void SET id = 'x'", "event (voids): row (3, urn:hub:07, x): column id" },
    { "DELETE FROM event_void", "event (voids): row (3) is missing" },
    { "INSERT INTO event_void VALUES (4, 'x', 'y')", "event (voids): row (4, x, y) is none" },
    { "UPDATE event_succession SET predecessor = 9", "event (successions): row (4, 9, " },
    { "UPDATE event_succession SET successor = 9", "event (successions): row (4, " },
    { "DELETE FROM event_succession", "event (successions): row (4) is missing" },
    { "INSERT INTO event_succession VALUES (1, 1, 2)", "event (successions): row (1, 1, 2)" },
    { "UPDATE event_commit_row SET first = first + 1 WHERE number = 2", "event_commit: row (2, " },
    { "UPDATE event_commit_row SET last = last + 1 WHERE number = 2", "event_commit: row (2, " },
    { "UPDATE event_commit_row SET recorded = 0 WHERE number = 2", "event_commit: row (2, " },
    { "UPDATE event_commit_row SET generation = 7 WHERE number = 2", "event_commit: row (2, " },
    { "DELETE FROM event_commit_row WHERE number = 4", "event_commit: row (4) is missing" },
    { "INSERT INTO event_commit_row VALUES (5, 5, 4, 40, 2)", "event_commit: row (5, 5, 4, 40)" },
    { "UPDATE commit_judged SET subjects = '[]' WHERE number = 2",
      "event_commit (judged): row (2, " },
    { "DELETE FROM commit_judged WHERE number = 3", "event_commit (judged): row (3) is missing" },
    { "INSERT INTO commit_judged VALUES (1, '[]')", "event_commit (judged): row (1, [])" },
    { "UPDATE change_row SET recorded = 0 WHERE seq = 1", "change: row (1, 0, " },
    { "UPDATE change_row SET generation = 7 WHERE seq = 1", "change: row (1, 20, 7, " },
    { "UPDATE change_row SET subject = 7 WHERE seq = 1", "change: row (1, 20, 1, 7)" },
    { "UPDATE change_row SET decision = 7 WHERE seq = 1", "change: row (1, " },
    { "UPDATE change_row SET old = 'x' WHERE seq = 1", "change: row (1, " },
    { "UPDATE change_row SET new = 'x' WHERE seq = 1", "change: row (1, " },
    { "UPDATE change_row SET hub = NULL WHERE seq = 1", "change: row (1, " },
    { "UPDATE change_row SET cause = NULL WHERE seq = 1", "change: row (1): column cause" },
    { "UPDATE change_row SET cause = '1' WHERE seq = 2", "change: row (2): column cause" },
    { "UPDATE change_row SET cause = '{}' WHERE seq = 2", "change: row (2): column cause" },
    { "DELETE FROM change_row WHERE seq = 2", "change: row (2) is missing" },
    { "INSERT INTO change_row SELECT 3, recorded, generation, subject, decision, old, new, hub, "
      "cause"
      " FROM change_row WHERE seq = 1",
      "change: row (3, " },
    { "UPDATE generation SET digest = 'x' WHERE number = 1",
      "pack: row (1, x, 10): column digest" },
    { "UPDATE generation SET since = 0 WHERE number = 2", "pack: row (2, beef, 0): column since" },
    { "DELETE FROM generation WHERE number = 2", "pack: row (2) is missing" },
    { "INSERT INTO generation VALUES (3, 'x', 0)", "pack: row (3, x, 0) is none" },
    { "UPDATE pack_file SET path = 'x' WHERE generation = 2 AND path LIKE '%pack.lua'",
      "pack (files): row (2, x, ...): column path" },
    { "UPDATE pack_file SET digest = x'00' WHERE generation = 1 AND path LIKE '%pack.lua'",
      "pack (files): row (1, national/pack.lua, ...): column digest" },
    { "DELETE FROM pack_file WHERE generation = 2", "pack (files): row (2) is missing" },
    { "INSERT INTO pack_file SELECT 2, 'x', digest FROM pack_file LIMIT 1",
      "pack (files): row (2, x, ...) is none" },
    { "UPDATE pack_text SET text = 'return 3' WHERE text = 'return 2'",
      "pack (texts): a row is none" },
    { "INSERT INTO pack_text VALUES (x'00', '')", "pack (texts): a row is none" },
    { "UPDATE source_name SET text = 'x'", "source names: row (1, x): column text" },
    { "INSERT INTO source_name VALUES (7, 'x')", "source names: row (7, x) is none" },
    { "UPDATE type_name SET text = 'x'", "type names: row (1, x): column text" },
    { "INSERT INTO type_name VALUES (7, 'x')", "type names: row (7, x) is none" },
    { "UPDATE subject_name SET text = 'x' WHERE id = 2", "subject names: row (2, x): column text" },
    { "DELETE FROM subject_name WHERE id = 3", "subject names: row (3) is missing" },
    { "INSERT INTO subject_name VALUES (7, 'x')", "subject names: row (7, x) is none" },
    { "UPDATE decision_name SET text = 'x'", "decision names: row (1, x): column text" },
    { "INSERT INTO decision_name VALUES (7, 'x')", "decision names: row (7, x) is none" },
    { "UPDATE decision_layout SET text = '[]'", "decision layouts: row (1, []): column text" },
    { "DELETE FROM decision_layout", "decision layouts: row (1) is missing" },
    { "INSERT INTO decision_layout VALUES (7, 'x')", "decision layouts: row (7, x) is none" },
    { "UPDATE subject_row SET head = head - 1 WHERE id = 1", DERIVED ": row (1, 2, " },
    { "UPDATE subject_row SET due = due + 1 WHERE id = 1", DERIVED ": row (1, 3, 1004, School 3)" },
    { "UPDATE subject_row SET due = NULL WHERE id = 1", DERIVED ": row (1, 3, null, School 3)" },
    { "UPDATE subject_row SET due = 5 WHERE id = 2", DERIVED ": row (2, 1, 5, null): column due" },
    { "UPDATE subject_row SET name = NULL WHERE id = 1", DERIVED ": row (1, 3, 1003, null)" },
    { "UPDATE subject_row SET hub = '08' WHERE id = 1",
      DERIVED ": row (1, 3, 1003, School 3): column hub" },
    { "UPDATE subject_row SET former = NULL WHERE id = 1",
      DERIVED ": row (1, 3, 1003, School 3): column former" },
    { "UPDATE subject_row SET layout = 9 WHERE id = 1",
      DERIVED ": row (1, 3, 1003, School 3): column layout" },
    { "UPDATE subject_row SET layout = NULL WHERE id = 1",
      DERIVED ": row (1, 3, 1003, School 3): column layout" },
    { "UPDATE subject_row SET decisions = replace(decisions, '3', '4') WHERE id = 1",
      DERIVED ": row (1, 3, 1003, School 3): column decisions" },
    { "UPDATE subject_row SET decisions = NULL WHERE id = 3",
      DERIVED ": row (3, 4, 1002, School 2): column decisions" },
    { "UPDATE subject_row SET causes = '1,1' WHERE id = 2",
      DERIVED ": row (2, 1, null, null): column causes" },
    { "UPDATE subject_row SET causes = NULL WHERE id = 2",
      DERIVED ": row (2, 1, null, null): column causes" },
    { "UPDATE subject_row SET causes = '' WHERE id = 1",
      DERIVED ": row (1, 3, 1003, School 3): column causes" },
    { "DELETE FROM subject_row WHERE id = 3", DERIVED ": row (3) is missing" },
    { "DELETE FROM subject_row WHERE id = 1", DERIVED ": row (2, 1, null, null): column id" },
    { "INSERT INTO subject_row (id, head) VALUES (7, 0)",
      DERIVED ": row (7, 0, null, null) is none" },
    { "UPDATE watermark SET seq = seq + 1", "watermark: its row is not that of any commit" },
    { "UPDATE watermark SET feed = feed - 1", "watermark: its row is not that of any commit" },
    { "UPDATE watermark SET number = number + 1", "watermark: its row is not that of any commit" },
    { "UPDATE watermark SET is_whole = 0; UPDATE subject_row SET due = 7 WHERE id = 1",
      DERIVED ": row (1, 3, 7, " }, /* it does not hide anything */
    { "UPDATE watermark SET is_whole = 2", "watermark: its row is not that of any commit" },
    { "INSERT INTO watermark VALUES (9, 1, 1, 1)", "watermark: its row is not that of any commit" },
};

static void each_change_of_each_table_is_told(void **state)
{
    struct scratch *x = *state;
    char copy[140], sql[200];
    fill(x->path, 4);
    snprintf(copy, sizeof(copy), "%s-copy", x->path);
    for (size_t i = 0; i < sizeof(CHANGED) / sizeof(*CHANGED); i++) {
        struct told t = { 0 };
        unlink(copy);
        snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", copy);
        run_sql(x->path, sql);
        run_sql(copy, CHANGED[i].sql);
        made_again(&t, copy, 4);
        if (strncmp(t.first, CHANGED[i].says, strlen(CHANGED[i].says)) != 0)
            fail_msg("%s: told '%s', not '%s'", CHANGED[i].sql, t.first, CHANGED[i].says);
        buf_fini(&t.tables);
    }
}

static void a_cause_from_before_it_was_numbers_is_the_same_cause(void **state)
{
    struct scratch *x = *state;
    struct told t = { 0 };
    fill(x->path, 4);
    run_sql(x->path,
            "UPDATE change_row SET cause = '{\"events\":[{\"source\":\"urn:hub:07\",\"id\":\"a\"},"
            "{\"source\":\"urn:hub:07\",\"id\":\"b\"}],\"moment\":null,\"generation\":null}'"
            " WHERE seq = 1");
    assert_same(x->path, 4);
    run_sql(x->path,
            "UPDATE change_row SET cause = replace(cause, '\"b\"', '\"v\"') WHERE seq = 1");
    made_again(&t, x->path, 4);
    assert_string_equal(buf_cstr(&t.tables), "[change]");
    buf_fini(&t.tables);
}

/* A migration has made the lists of names that it needed, before there was any; what they say is
 * compared. */
static void lists_of_names_of_a_migrated_database_may_have_other_numbers(void **state)
{
    static const char *const WRONG[] = {
        "UPDATE decision_layout SET text = replace(text, 'number', 'numbers')",
        "UPDATE subject_row SET layout = 8 WHERE id = 1",
        "UPDATE subject_row SET layout = NULL WHERE id = 1",
        "DELETE FROM decision_layout",
        "INSERT INTO decision_layout VALUES (8, '[]')",
    };
    struct scratch *x = *state;
    char copy[140], sql[200];
    fill(x->path, 4);
    run_sql(
        x->path,
        "UPDATE meta SET value = 4 WHERE key = 'judged_since'; UPDATE decision_layout SET id = 7;"
        "UPDATE subject_row SET layout = 7 WHERE layout = 1");
    assert_same(x->path, 4);
    snprintf(copy, sizeof(copy), "%s-copy", x->path);
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(*WRONG); i++) {
        struct told t = { 0 };
        unlink(copy);
        snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", copy);
        run_sql(x->path, sql);
        run_sql(copy, WRONG[i]);
        made_again(&t, copy, 4);
        if (t.tables.len == 0)
            fail_msg("not told: %s", WRONG[i]);
        buf_fini(&t.tables);
    }
}

static void every_table_that_differs_is_told_once(void **state)
{
    struct scratch *x = *state;
    struct told t = { 0 };
    fill(x->path, 4);
    run_sql(x->path,
            "UPDATE event_row SET time = 0; DELETE FROM event_commit_row;"
            "UPDATE subject_row SET head = 9; INSERT INTO change_row SELECT 9, 0, 0, 0, 0, '', '',"
            " NULL, NULL");
    made_again(&t, x->path, 4);
    assert_string_equal(buf_cstr(&t.tables), "[event_commit][event][" DERIVED "][change]");
    buf_fini(&t.tables);
}

/* ---- tables that lie behind ---- */

/* Kill it with its tables at some commit: a copy of its files. */
static void copy_files(const char *from, char *to, size_t size)
{
    char command[500];
    snprintf(to, size, "%s-killed", from);
    snprintf(command, sizeof(command), "cp %s %s && cp %s-wal %s-wal", from, to, from, to);
    assert_int_equal(system(command), 0);
}

/* The fifth commit's rows wait, and the sixth's: the tables are those of the fourth. */
static void tables_are_compared_as_they_were_at_their_mark(void **state)
{
    struct scratch *x = *state;
    char path[160];
    struct told t = { 0 };
    struct store *s = open_store(x->path, STORE_WRITE);
    make(s, 6);
    copy_files(x->path, path, sizeof(path));
    store_close(s);
    assert_same(x->path, 6); /* closed: all is written */
    assert_same(path, 6);
    run_sql(path, "UPDATE subject_row SET due = due + 1 WHERE id = 1");
    made_again(&t, path, 6);
    assert_string_equal(buf_cstr(&t.tables), "[" DERIVED "]");
    buf_fini(&t.tables);
}

/* In the middle of a sweep some rows are those of a later commit. The others are compared. */
static void rows_that_have_not_changed_since_the_mark_are_compared_in_a_sweep_too(void **state)
{
    struct scratch *x = *state;
    char path[160], copy[200], command[900];
    static const struct {
        const char *sql;
        bool is_told;
    } ROWS[] = {
        { "UPDATE subject_row SET due = 7 WHERE id = 3", true }, /* not of the sweep */
        { "UPDATE subject_row SET name = 'x' WHERE id = 2", true },
        { "DELETE FROM subject_row WHERE id = 3", true },
        { "INSERT INTO subject_row (id, head) VALUES (9999, 1)", true },
        { "UPDATE subject_row SET due = 7 WHERE id = 20", false }, /* made anew at the next start */
        { "UPDATE watermark SET seq = seq + 1", true },
        { "UPDATE watermark SET is_whole = 1", true }, /* then all are compared */
    };
    struct store *s = open_store(x->path, STORE_WRITE);
    make(s, 6);
    assert_ok(store_catch_up(s, false, &err));
    copy_files(x->path, path, sizeof(path));
    store_close(s);
    assert_same(path, 6);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
        struct told t = { 0 };
        snprintf(copy, sizeof(copy), "%s-%zu", path, i);
        snprintf(command, sizeof(command), "cp %s %s && cp %s-wal %s-wal", path, copy, path, copy);
        assert_int_equal(system(command), 0);
        run_sql(copy, ROWS[i].sql);
        made_again(&t, copy, 6);
        if ((t.tables.len > 0) != ROWS[i].is_told)
            fail_msg("%s: told %s", ROWS[i].sql, buf_cstr(&t.tables));
        buf_fini(&t.tables);
    }
}

TEST_MAIN(SCRATCH(what_was_not_touched_is_the_same), SCRATCH(nothing_is_the_same_as_nothing),
          SCRATCH(each_change_of_each_table_is_told),
          SCRATCH(a_cause_from_before_it_was_numbers_is_the_same_cause),
          SCRATCH(lists_of_names_of_a_migrated_database_may_have_other_numbers),
          SCRATCH(every_table_that_differs_is_told_once),
          SCRATCH(tables_are_compared_as_they_were_at_their_mark),
          SCRATCH(rows_that_have_not_changed_since_the_mark_are_compared_in_a_sweep_too))
