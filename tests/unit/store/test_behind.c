/* test_behind.c - what follows behind the log: tables that are exactly those of some commit, or say
 * that they are not. */
#include "tests/unit/store/support.h"

#define FEW      64    /* rows that go into any commit, as in behind.c */
#define SLICE    400   /* rows of a sweep in one commit */
#define NO_QUIET 50000 /* events after which a sweep begins by itself */

#define SUBJECTS 1000
#define COMMITS  120

static const char *name_of(int subject)
{
    static char name[20];
    snprintf(name, sizeof(name), "school/%d", subject);
    return name;
}

/* ---- what tables hold, as one text ---- */

static const char ROWS[] = "SELECT n.text, r.head, r.due, r.name, r.decisions, r.causes"
                           " FROM subject_row r JOIN subject_name n ON n.id = r.id"
                           " ORDER BY CAST(substr(n.text, 8) AS INTEGER)";

static void note_table(struct buf *out, struct store *reader)
{
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(reader->db, ROWS, -1, &st, NULL), SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int i = 0; i < 6; i++) {
            const unsigned char *value = sqlite3_column_text(st, i);
            buf_printf(out, "%s|", value ? (const char *)value : "");
        }
        buf_char(out, '\n');
    }
    sqlite3_finalize(st);
}

/* ---- a plain model: the state of all subjects after each commit ---- */

struct state {
    bool is_there;
    int64_t head, due;   /* due TIME_NEVER: none */
    int name, decisions; /* 0: none */
    int causes;          /* 0: not left */
};
struct model {
    struct state now[SUBJECTS];
    char *after[COMMITS + 1]; /* by commit */
    int commits;
    int64_t events;
};

static void note_state(struct buf *out, int subject, const struct state *s)
{
    if (!s->is_there)
        return;
    buf_printf(out, "%s|%lld|", name_of(subject), (long long)s->head);
    if (s->due != TIME_NEVER)
        buf_printf(out, "%lld", (long long)s->due);
    buf_char(out, '|');
    if (s->name)
        buf_printf(out, "N%d", s->name);
    buf_char(out, '|');
    if (s->decisions)
        buf_printf(out, "[%d]", s->decisions);
    buf_char(out, '|');
    if (s->causes)
        buf_printf(out, "%d", s->causes);
    buf_str(out, "|\n");
}

static void model_commit(struct model *m)
{
    struct buf all = { 0 };
    for (int i = 0; i < SUBJECTS; i++)
        note_state(&all, i, &m->now[i]);
    buf_str(&all, "");
    m->after[++m->commits] = strdup(buf_cstr(&all));
    buf_fini(&all);
}

static void model_init(struct model *m)
{
    *m = (struct model){ 0 };
    for (int i = 0; i < SUBJECTS; i++)
        m->now[i].due = TIME_NEVER;
    m->after[0] = strdup("");
}

static void model_fini(struct model *m)
{
    for (int i = 0; i <= m->commits; i++)
        free(m->after[i]);
}

/* One change of one subject, in the store and in the model. */
static void change(struct store *s, struct model *m, int subject, int kind, int value)
{
    struct state *state = &m->now[subject];
    char text[24], *taken;

    state->is_there = true;
    snprintf(text, sizeof(text), "[%d]", value);
    if (kind == 0) {
        char id[24];
        snprintf(id, sizeof(id), "e%lld", (long long)++m->events);
        state->head = append(s, &(struct sent){ .id = id, .subject = name_of(subject) });
    } else if (kind == 1) {
        assert_ok(decisions_put(s, name_of(subject), "[\"d\"]", text, &err));
        state->decisions = value;
    } else if (kind == 2) {
        char name[24];
        snprintf(name, sizeof(name), "N%d", value);
        const struct subject_card card = { .subject = name_of(subject), .name = name };
        assert_ok(subject_put(s, &card, &err));
        state->name = value;
    } else if (kind == 3) {
        state->due = value % 5 == 0 ? TIME_NEVER : value;
        /* Else a subject that is new and never due would have no row. */
        assert_ok(wake_put(s, name_of(subject), value, &err));
        assert_ok(wake_put(s, name_of(subject), state->due, &err));
    } else {
        assert_ok(pending_take(&taken, s, name_of(subject), &err));
        free(taken);
        snprintf(text, sizeof(text), "%d", value);
        if (value % 3)
            assert_ok(pending_add(s, name_of(subject), text, &err));
        else if (!taken) /* the same */
            assert_ok(wake_put(s, name_of(subject), state->due = value, &err));
        state->causes = value % 3 ? value : 0;
    }
}

/* A commit that changes `count` subjects from `first` on, in every way. */
static void commit_range(struct store *s, struct model *m, int first, int count, int value)
{
    int64_t number, first_event = m->events + 1;
    assert_ok(store_begin(s, &err));
    for (int i = first; i < first + count; i++)
        for (int kind = 0; kind < 5; kind++)
            change(s, m, i, kind, value);
    assert_ok(log_add_commit(&number, s, first_event, m->events, 0, 1, NULL, &err));
    assert_ok(store_commit(s, &err));
    model_commit(m);
}

/* ---- */

struct pair {
    struct store *s, *reader;
    struct model m;
};

static struct pair open_pair(struct scratch *x)
{
    struct pair p = { .s = open_store(x->path, STORE_WRITE) };
    p.reader = open_store(x->path, STORE_READ);
    model_init(&p.m);
    return p;
}

static void close_pair(struct pair *p)
{
    store_close(p->reader);
    store_close(p->s);
    model_fini(&p->m);
}

/* The tables, as somebody beside sees them, are those of a commit, and all there. */
static void assert_tables(struct pair *p, int commit)
{
    struct buf found = { 0 };
    assert_ok(store_snapshot(p->reader, &err));
    struct derived_mark mark = derived_mark(p->reader);
    note_table(&found, p->reader);
    store_snapshot_end(p->reader);
    assert_true(mark.is_whole);
    assert_int_equal(mark.commit, commit);
    assert_string_equal(buf_cstr(&found), p->m.after[commit]);
    buf_fini(&found);
}

static bool tables_are_torn(struct pair *p)
{
    assert_ok(store_snapshot(p->reader, &err));
    struct derived_mark mark = derived_mark(p->reader);
    store_snapshot_end(p->reader);
    return !mark.is_whole;
}

static void slice(struct pair *p)
{
    assert_ok(store_catch_up(p->s, false, &err));
}

static void few_rows_go_with_their_commit(void **state)
{
    struct pair p = open_pair(*state);
    for (int i = 0; i < 5; i++) {
        commit_range(p.s, &p.m, 10 * i, FEW, i + 1);
        assert_tables(&p, i + 1);
        assert_false(store_is_behind(p.s));
    }
    close_pair(&p);
}

static void the_mark_says_where_the_log_and_the_feed_stood(void **state)
{
    struct pair p = open_pair(*state);
    const struct change c = {
        .subject = "school/1", .decision = "d", .old_value = "1", .new_value = "2"
    };
    int64_t seq, number;
    commit_range(p.s, &p.m, 0, 3, 1);
    assert_ok(store_begin(p.s, &err));
    assert_ok(feed_append(&seq, p.s, &c, &err));
    assert_ok(feed_append(&seq, p.s, &c, &err));
    assert_ok(
        log_add_commit(&number, p.s, 4, 3, 0, 1, NULL, &err)); /* no row of a subject changes */
    assert_ok(store_commit(p.s, &err));
    assert_ok(store_snapshot(p.reader, &err));
    struct derived_mark mark = derived_mark(p.reader), own = derived_mark(p.s);
    store_snapshot_end(p.reader);
    assert_int_equal(mark.commit, 2);
    assert_int_equal(own.commit, 2);
    assert_int_equal(mark.seq, 3);
    assert_int_equal(mark.feed, 2);
    close_pair(&p);
}

static void many_rows_wait_and_the_tables_stay_those_of_an_earlier_commit(void **state)
{
    struct pair p = open_pair(*state);
    commit_range(p.s, &p.m, 0, 10, 1);
    commit_range(p.s, &p.m, 0, FEW + 1, 2);
    assert_tables(&p, 1);
    assert_true(store_is_behind(p.s));
    commit_range(p.s, &p.m, 5, 10, 3); /* few, but there are more that wait */
    assert_tables(&p, 1);
    slice(&p);
    assert_tables(&p, 3);
    assert_false(store_is_behind(p.s));
    close_pair(&p);
}

static void a_sweep_takes_a_slice_a_commit_and_says_that_tables_are_torn(void **state)
{
    struct pair p = open_pair(*state);
    commit_range(p.s, &p.m, 0, 10, 1);
    commit_range(p.s, &p.m, 0, 2 * SLICE + 1, 2);
    slice(&p);
    assert_true(tables_are_torn(&p));
    assert_int_equal(ask_sql(p.reader, "SELECT count(*) FROM subject_row"), SLICE);
    slice(&p);
    assert_true(tables_are_torn(&p));
    assert_int_equal(ask_sql(p.reader, "SELECT count(*) FROM subject_row"), 2 * SLICE);
    assert_true(store_is_behind(p.s));
    slice(&p);
    assert_tables(&p, 2);
    assert_false(store_is_behind(p.s));
    close_pair(&p);
}

/* Rows that change while it is under way: swept already, still to be swept, and new ones. */
static void a_sweep_brings_the_tables_exactly_to_its_cut(void **state)
{
    struct pair p = open_pair(*state);
    commit_range(p.s, &p.m, 0, 2 * SLICE, 1);
    slice(&p);
    assert_true(tables_are_torn(&p));
    commit_range(p.s, &p.m, SLICE - 50, 100, 2); /* also a slice: the sweep's last */
    assert_tables(&p, 1);
    commit_range(p.s, &p.m, SLICE - 20, 70, 3);
    commit_range(p.s, &p.m, 900, 90, 3);
    assert_tables(&p, 1);
    slice(&p);
    assert_tables(&p, 4);
    close_pair(&p);
}

static void a_row_that_changes_before_the_sweep_reaches_it_is_written_as_it_was(void **state)
{
    struct pair p = open_pair(*state);
    struct buf found = { 0 };
    commit_range(p.s, &p.m, 0, SUBJECTS - 100, 1);
    slice(&p);                                /* 0..399 */
    commit_range(p.s, &p.m, 700, FEW + 6, 2); /* 700..769 as they were, and 400..799 */
    note_table(&found, p.reader);
    assert_int_equal(ask_sql(p.reader, "SELECT count(*) FROM subject_row WHERE decisions = '[1]'"),
                     2 * SLICE + FEW + 6);
    assert_int_equal(ask_sql(p.reader, "SELECT count(*) FROM subject_row WHERE decisions = '[2]'"),
                     0);
    slice(&p);
    assert_tables(&p, 1);
    slice(&p);
    assert_tables(&p, 2);
    buf_fini(&found);
    close_pair(&p);
}

/* Each row is that of the mark's commit, or that of the sweep's cut. */
static void assert_between(struct pair *p, int commit, int cut)
{
    struct buf found = { 0 };
    note_table(&found, p->reader);
    for (char *line = found.len ? found.data : NULL, *end; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        char after = end[1];
        end[1] = '\0';
        if (!strstr(p->m.after[commit], line) && !strstr(p->m.after[cut], line))
            fail_msg("neither of commit %d nor of %d: %s", commit, cut, line);
        end[1] = after;
    }
    buf_fini(&found);
}

static void look(struct pair *p)
{
    assert_ok(store_snapshot(p->reader, &err));
    struct derived_mark mark = derived_mark(p->reader);
    store_snapshot_end(p->reader);
    if (mark.is_whole)
        assert_tables(p, (int)mark.commit);
    else
        assert_between(p, (int)mark.commit, (int)p->s->cut.commit);
}

static void whatever_changes_when_the_tables_are_those_of_some_commit(void **state)
{
    struct pair p = open_pair(*state);
    int sweeps = 0;
    srand((unsigned)given_seed());
    while (p.m.commits < COMMITS) {
        if (rand() % 3 == 0) {
            slice(&p);
            sweeps += tables_are_torn(&p);
        } else {
            int count = rand() % 4 ? rand() % 40 : rand() % SUBJECTS;
            int64_t number, first = p.m.events + 1;
            assert_ok(store_begin(p.s, &err));
            for (int i = 0; i < count; i++)
                change(p.s, &p.m, rand() % SUBJECTS, rand() % 5, 1 + rand() % 1000);
            assert_ok(log_add_commit(&number, p.s, first, p.m.events, 0, 1, NULL, &err));
            assert_ok(store_commit(p.s, &err));
            model_commit(&p.m);
        }
        look(&p);
    }
    assert_true(sweeps > 0);
    while (store_is_behind(p.s)) {
        slice(&p);
        look(&p);
    }
    assert_tables(&p, COMMITS);
    close_pair(&p);
}

static void a_sweep_begins_by_itself_when_there_is_no_quiet(void **state)
{
    struct pair p = open_pair(*state);
    int64_t number, first;
    commit_range(p.s, &p.m, 0, 2 * FEW, 1);
    first = p.m.events + 1;
    assert_ok(store_begin(p.s, &err));
    for (int i = 0; i < NO_QUIET; i++)
        change(p.s, &p.m, i % 700, 0, 0);
    assert_ok(log_add_commit(&number, p.s, first, p.m.events, 0, 1, NULL, &err));
    assert_ok(store_commit(p.s, &err));
    model_commit(&p.m);
    assert_tables(&p, 0); /* it has begun */
    commit_range(p.s, &p.m, 0, 100, 2);
    assert_true(tables_are_torn(&p));
    commit_range(p.s, &p.m, 0, 100, 3);
    assert_tables(&p, 2);
    close_pair(&p);
}

static void closing_writes_the_rest(void **state)
{
    struct scratch *x = *state;
    struct pair p = open_pair(x);
    commit_range(p.s, &p.m, 0, 500, 1);
    commit_range(p.s, &p.m, 300, 500, 2);
    store_close(p.s);
    assert_tables(&p, 2);
    p.s = open_store(x->path, STORE_WRITE);
    assert_false(store_is_behind(p.s));
    commit_range(p.s, &p.m, 200, 650, 3);
    slice(&p);
    assert_true(tables_are_torn(&p)); /* within a sweep, with rows that have changed again */
    commit_range(p.s, &p.m, 100, 100, 4);
    commit_range(p.s, &p.m, 600, 200, 5);
    store_close(p.s);
    assert_tables(&p, 5);
    p.s = open_store(x->path, STORE_WRITE);
    close_pair(&p);
}

/* What a kill leaves: the files as they are now. */
static void copy_files(const char *from, char *to, size_t size)
{
    static const char *const ENDINGS[] = { "", "-wal" };
    snprintf(to, size, "%s-killed", from);
    for (int i = 0; i < 2; i++) {
        char command[400];
        snprintf(command, sizeof(command), "cp %s%s %s%s", from, ENDINGS[i], to, ENDINGS[i]);
        assert_int_equal(system(command), 0);
    }
}

/* Which event touched a subject last is in the log; what was judged is the engine's to make
 * again. */
static void heads_are_made_up_for_after_a_crash(void **state)
{
    struct scratch *x = *state;
    for (int is_torn = 0; is_torn < 2; is_torn++) {
        struct pair p = open_pair(x);
        struct buf seen = { 0 };
        char path[160];
        commit_range(p.s, &p.m, 0, 20, 1);
        commit_range(p.s, &p.m, 0, SUBJECTS, 2);
        if (is_torn) {
            slice(&p);
            commit_range(p.s, &p.m, 300, 150, 3);
        }
        copy_files(x->path, path, sizeof(path));
        struct store *s = open_store(path, STORE_WRITE);
        struct store *reader = open_store(path, STORE_READ);
        struct derived_mark mark = derived_mark(s);
        assert_int_equal(mark.commit, 1);
        assert_true(mark.is_whole == !is_torn);
        assert_true(store_is_behind(s));
        for (int i = 0; i < SUBJECTS; i += 23) {
            struct buf same = { 0 };
            assert_ok(log_scan_subject(s, name_of(i), END, note_id, &seen, &err));
            assert_ok(log_scan_subject(reader, name_of(i), END, note_id, &same, &err));
            assert_string_equal(buf_cstr(&same), buf_cstr(&seen)); /* a reader sees past the mark */
            buf_reset(&same);
            assert_ok(log_scan_subject(p.s, name_of(i), END, note_id, &same, &err));
            assert_collected(&seen, buf_cstr(&same));
            buf_fini(&same);
        }
        while (store_is_behind(s))
            assert_ok(store_catch_up(s, false, &err));
        assert_int_equal(derived_mark(s).commit, p.m.commits);
        for (int i = 0; i < SUBJECTS; i += 7) {
            char sql[200];
            snprintf(sql, sizeof(sql),
                     "SELECT r.head FROM subject_row r JOIN subject_name n ON n.id = r.id"
                     " WHERE n.text = '%s'",
                     name_of(i));
            assert_int_equal(ask_sql(s, sql), p.m.now[i].is_there ? p.m.now[i].head : -1);
        }
        store_close(reader);
        store_close(s);
        buf_fini(&seen);
        close_pair(&p);
        unlink(x->path);
    }
}

/* While rows are on their way, with a thread that writes, and when they have left memory. */
static void what_was_put_last_is_what_is_read(void **state)
{
    struct pair p = open_pair(*state);
    struct buf seen = { 0 };
    srand((unsigned)given_seed());
    assert_ok(store_start_writer(p.s, NULL, NULL, &err));
    while (p.m.commits < COMMITS) {
        commit_range(p.s, &p.m, rand() % 500, 1 + rand() % 500, 1 + rand() % 1000);
        if (rand() % 3 == 0)
            slice(&p);
        if (rand() % 10 == 0)
            assert_ok(store_drain(p.s, &err));
        for (int i = rand() % 50; i < SUBJECTS; i += 50) {
            char expected[40] = "";
            int64_t due;
            if (p.m.now[i].decisions)
                snprintf(expected, sizeof(expected), "d=%d ", p.m.now[i].decisions);
            note_decisions(&seen, p.s, name_of(i));
            assert_collected(&seen, expected);
            assert_ok(wake_of(&due, p.s, name_of(i), &err));
            assert_int_equal(due, p.m.now[i].due);
            assert_true(pending_has(p.s, name_of(i)) == (p.m.now[i].causes != 0));
        }
    }
    store_close(p.s);
    assert_tables(&p, COMMITS);
    buf_fini(&seen);
    store_close(p.reader);
    model_fini(&p.m);
}

TEST_MAIN(SCRATCH(few_rows_go_with_their_commit),
          SCRATCH(the_mark_says_where_the_log_and_the_feed_stood),
          SCRATCH(many_rows_wait_and_the_tables_stay_those_of_an_earlier_commit),
          SCRATCH(a_sweep_takes_a_slice_a_commit_and_says_that_tables_are_torn),
          SCRATCH(a_sweep_brings_the_tables_exactly_to_its_cut),
          SCRATCH(a_row_that_changes_before_the_sweep_reaches_it_is_written_as_it_was),
          SCRATCH(whatever_changes_when_the_tables_are_those_of_some_commit),
          SCRATCH(a_sweep_begins_by_itself_when_there_is_no_quiet),
          SCRATCH(closing_writes_the_rest), SCRATCH(heads_are_made_up_for_after_a_crash),
          SCRATCH(what_was_put_last_is_what_is_read))
