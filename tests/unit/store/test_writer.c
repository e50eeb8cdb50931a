/* test_writer.c - a thread of its own writes: in order, nothing behind a gap, and what is on its
 * way is read. */
#include "tests/unit/store/support.h"

#include <pthread.h>

#include "store/personal.h"

#define COMMITS 200

/* What the writer's thread has told. */
struct told {
    pthread_mutex_t lock;
    int64_t last; /* ticket */
    int64_t durable, failed;
    struct err why; /* of the last that failed */
    bool is_in_order;
};

static void take_told(int64_t ticket, const struct err *why, void *arg)
{
    struct told *t = arg;
    pthread_mutex_lock(&t->lock);
    t->is_in_order = t->is_in_order && ticket == t->last + 1;
    t->last = ticket;
    if (why)
        t->why = *why;
    *(why ? &t->failed : &t->durable) += 1;
    pthread_mutex_unlock(&t->lock);
}

/* A store with a writer's thread; `held` keeps it from writing, as a prompt of sqlite3 would. */
struct world {
    struct told told;
    struct store *s;
    sqlite3 *held;
};

static void begin(struct world *w, const char *path)
{
    *w = (struct world){ .told = { .lock = PTHREAD_MUTEX_INITIALIZER, .is_in_order = true } };
    w->s = open_store(path, STORE_WRITE);
    assert_ok(store_start_writer(w->s, take_told, &w->told, &err));
}

static void end(struct world *w)
{
    store_close(w->s);
    assert_true(w->told.is_in_order);
}

static void hold(struct world *w, const char *path)
{
    assert_ok(store_drain(w->s, &err));
    assert_int_equal(sqlite3_open(path, &w->held), SQLITE_OK);
    assert_int_equal(sqlite3_exec(w->held, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void let_go(struct world *w)
{
    assert_int_equal(sqlite3_close(w->held), SQLITE_OK);
    w->held = NULL;
}

/* From now on, or no longer, the disk has no room. */
static void limit_pages(struct world *w, bool is_full)
{
    struct store *writing;
    char sql[80];
    struct err ignored;
    (void)!writing_store(&writing, w->s, &ignored); /* at rest, though it may have failed */
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
             (long long)ask_sql(writing, "PRAGMA page_count") + (is_full ? 0 : 100000));
    ask_sql(writing, sql);
}

static char big[400001];

static int fill_big(void **state)
{
    memset(big, 'x', sizeof(big) - 1);
    return scratch_new(state);
}

static void commits_become_durable_in_order_and_each_is_told_once(void **state)
{
    struct scratch *x = *state;
    struct world w;
    char id[16];
    int64_t checked;
    begin(&w, x->path);
    for (int i = 1; i <= COMMITS; i++) {
        snprintf(id, sizeof(id), "e%d", i);
        assert_int_equal(append_alone(w.s, &(struct sent){ .id = id }), i);
        assert_int_equal(store_ticket(w.s), i);
    }
    assert_ok(store_drain(w.s, &err));
    assert_int_equal(w.told.durable, COMMITS);
    assert_int_equal(w.told.failed, 0);
    assert_ok(log_verify(&checked, w.s, &err));
    assert_int_equal(checked, COMMITS);
    end(&w);
}

static void tickets_begin_with_the_writer_and_a_commit_of_nothing_has_none(void **state)
{
    struct scratch *x = *state;
    struct world w;
    begin(&w, x->path);
    end(&w);
    w.s = open_store(x->path, STORE_WRITE);
    append_alone(w.s, &(struct sent){ .id = "a" });
    assert_ok(store_start_writer(w.s, NULL, NULL, &err));
    assert_int_equal(store_ticket(w.s), 0); /* that one is durable, and nobody is told of it */
    append_alone(w.s, &(struct sent){ .id = "b" });
    int64_t ticket = store_ticket(w.s);
    assert_true(ticket > 0);
    assert_ok(store_begin(w.s, &err));
    assert_ok(store_commit(w.s, &err));
    assert_int_equal(store_ticket(w.s), ticket);
    append_alone(w.s, &(struct sent){ .id = "c" });
    assert_int_equal(store_ticket(w.s), ticket + 1);
    end(&w);
}

static void closing_finishes_what_was_handed_over(void **state)
{
    struct scratch *x = *state;
    struct world w;
    struct buf seen = { 0 };
    char wal[120];
    begin(&w, x->path);
    append_alone(w.s, &(struct sent){ .id = "a" });
    append_alone(w.s, &(struct sent){ .id = "b" });
    append_alone(w.s, &(struct sent){ .id = "c" });
    end(&w);
    assert_int_equal(w.told.durable, 3);
    snprintf(wal, sizeof(wal), "%s-wal", x->path);
    assert_int_not_equal(access(wal, F_OK), 0); /* put away */
    struct store *s = open_store(x->path, STORE_WRITE);
    assert_ok(log_scan(s, 0, END, note_id, &seen, &err));
    assert_collected(&seen, "1:a 2:b 3:c ");
    buf_fini(&seen);
    store_close(s);
}

/* ---- the tail: events that are not durable yet ---- */

static void note_tail(struct buf *seen, struct store *s)
{
    bool found;
    assert_ok(log_scan_subject(s, "school/1", END, note_id, seen, &err));
    buf_char(seen, '/');
    assert_ok(log_scan_subject(s, "group/g", 4, note_id, seen, &err));
    buf_char(seen, '/');
    assert_ok(log_find(&found, s, "urn:hub:07", "d", END, note_id, seen, &err));
    assert_true(found);
    assert_ok(log_find(&found, s, "urn:hub:07", "e", 4, note_id, seen, &err));
    assert_false(found);
    buf_char(seen, '/');
    for (int64_t seq = 1; seq <= 6; seq++)
        assert_ok(log_touches(s, seq, note_text, seen, &err));
    buf_char(seen, '/');
    assert_ok(log_voids_of(s, "urn:hub:07", "a", END, note_id, seen, &err));
    assert_ok(log_voids_of(s, "urn:hub:07", "a", 4, note_id, seen, &err));
    assert_ok(log_voids_of(s, "urn:hub:07", "d", END, note_id, seen, &err));
    buf_char(seen, '/');
    assert_ok(log_subjects(s, note_text, seen, &err));
}

static enum err_code note_successor(const char *successor, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%s ", successor);
    return OK;
}

/* One event is durable, then two commits are on their way, then one is open. */
static const struct sent TAIL[] = {
    { .id = "a", .subject = "school/1" },
    { .id = "b", .subject = "school/1", .also = "group/g", .voids = "a" },
    { .id = "c", .subject = "school/2" },
    { .id = "d", .subject = "group/g", .also = "school/1" },
    { .id = "e", .subject = "school/1", .voids = "a" },
};
static const char SEEN[] = "5:e 4:d 2:b 1:a /4:d 2:b /4:d "
                           "/school/1 school/1 group/g school/2 group/g school/1 school/1 "
                           "/2:b 5:e 2:b /school/1 group/g school/2 ";

static void what_is_on_its_way_is_read_as_the_end_of_the_log(void **state)
{
    struct scratch *x = *state;
    struct world w;
    struct buf seen = { 0 };
    begin(&w, x->path);
    append_alone(w.s, &TAIL[0]);
    hold(&w, x->path);
    append_alone(w.s, &TAIL[1]);
    assert_ok(store_begin(w.s, &err));
    append(w.s, &TAIL[2]);
    assert_ok(log_add_succession(w.s, append(w.s, &TAIL[3]), "school/1", "school/2", &err));
    assert_ok(store_commit(w.s, &err));
    assert_int_equal(w.told.durable, 1);
    assert_int_equal(ask_sql(w.s, "SELECT count(*) FROM event_row"), 1);
    assert_ok(store_begin(w.s, &err));
    append(w.s, &TAIL[4]);
    note_tail(&seen, w.s);
    assert_collected(&seen, SEEN);
    assert_true(log_is_named_by_void(w.s, "urn:hub:07", "a"));
    assert_ok(log_successors(w.s, "school/1", 4, note_successor, &seen, &err));
    assert_ok(log_successors(w.s, "school/1", 3, note_successor, &seen, &err));
    assert_collected(&seen, "school/2 "); /* once: by then nothing said so */
    let_go(&w);                           /* that is as many as may be on their way */
    assert_ok(store_commit(w.s, &err));
    assert_ok(store_drain(w.s, &err));
    note_tail(&seen, w.s); /* all in the database, and just the same */
    assert_collected(&seen, SEEN);
    buf_fini(&seen);
    end(&w);
}

static enum err_code assert_same_event(const struct logged *e, void *arg, struct err *e2)
{
    const struct sent *sent = arg;
    (void)e2;
    assert_string_equal(e->id, sent->id);
    assert_string_equal(e->subject, sent->subject);
    assert_string_equal(e->sequence, sent->sequence);
    assert_string_equal(e->source, "urn:hub:07");
    assert_string_equal(e->type, "lead.named");
    assert_string_equal(e->actor, "hub-07");
    assert_int_equal(e->time, 7 * US_PER_S);
    assert_int_equal(e->recorded, sent->recorded);
    assert_int_equal(e->body_len, strlen(e->body));
    assert_non_null(strstr(e->body, sent->content));
    return OK;
}

static void an_event_on_its_way_is_as_it_will_be(void **state)
{
    const struct sent sent = {
        .id = "a", .subject = "school/1", .sequence = "03", .content = "text", .recorded = 42
    };
    struct scratch *x = *state;
    struct world w;
    begin(&w, x->path);
    hold(&w, x->path);
    append_alone(w.s, &sent);
    void *arg = (void *)(uintptr_t)&sent;
    assert_ok(log_scan_subject(w.s, "school/1", END, assert_same_event, arg, &err));
    let_go(&w);
    assert_ok(store_drain(w.s, &err));
    assert_ok(log_scan_subject(w.s, "school/1", END, assert_same_event, arg, &err));
    end(&w);
}

static void a_duplicate_of_what_is_on_its_way_is_found(void **state)
{
    struct scratch *x = *state;
    struct world w;
    enum append_status status;
    int64_t seq;
    begin(&w, x->path);
    hold(&w, x->path);
    append_alone(w.s, &(struct sent){ .id = "a", .content = "x" });
    assert_ok(store_begin(w.s, &err));
    assert_ok(send(&status, &seq, w.s, &(struct sent){ .id = "a", .content = "x" }));
    assert_int_equal(status, APPEND_DUPLICATE);
    assert_int_equal(seq, 1);
    assert_ok(send(&status, &seq, w.s, &(struct sent){ .id = "a", .content = "y" }));
    assert_int_equal(status, APPEND_CONFLICT);
    assert_int_equal(seq, 1);
    store_rollback(w.s);
    let_go(&w);
    end(&w);
}

/* ---- failures ---- */

static void a_commit_that_fails_fails_all_behind_it(void **state)
{
    struct scratch *x = *state;
    struct world w;
    begin(&w, x->path);
    append_alone(w.s, &(struct sent){ .id = "kept" });
    limit_pages(&w, true);
    hold(&w, x->path);
    append_alone(w.s, &(struct sent){ .id = "big", .content = big });
    append_alone(w.s, &(struct sent){ .id = "small" }); /* there would be room for it */
    let_go(&w);
    assert_int_equal(store_drain(w.s, &err), ERR_LIMIT);
    assert_non_null(strstr(err.msg, "Free some space"));
    assert_true(store_has_failed(w.s));
    assert_int_equal(w.told.durable, 1);
    assert_int_equal(w.told.failed, 2);
    assert_string_equal(w.told.why.msg, err.msg);
    limit_pages(&w, false);
    assert_int_equal(store_begin(w.s, &err), ERR_LIMIT); /* though there is room again */
    end(&w);
    struct store *s = open_store(x->path, STORE_WRITE);
    int64_t checked;
    assert_ok(log_verify(&checked, s, &err));
    assert_int_equal(checked, 1);
    assert_int_equal(derived_mark(s).seq, 1);
    store_close(s);
}

static void after_a_reload_all_is_as_what_is_durable_and_goes_on(void **state)
{
    struct scratch *x = *state;
    struct world w;
    struct buf seen = { 0 };
    begin(&w, x->path);
    append_alone(w.s, &(struct sent){ .id = "kept", .subject = "school/1" });
    limit_pages(&w, true);
    append_alone(w.s, &(struct sent){ .id = "lost", .subject = "school/1", .content = big });
    assert_int_equal(store_drain(w.s, &err), ERR_LIMIT);
    int64_t ticket = store_ticket(w.s);
    limit_pages(&w, false);
    assert_ok(store_reload(w.s, &err));
    assert_false(store_has_failed(w.s));
    assert_int_equal(store_ticket(w.s), 0); /* nobody waits for the one that failed any more */
    assert_ok(store_drain(w.s, &err));
    assert_ok(log_scan_subject(w.s, "school/1", END, note_id, &seen, &err));
    assert_collected(&seen, "1:kept ");
    assert_int_equal(append_alone(w.s, &(struct sent){ .id = "next", .subject = "school/1" }), 2);
    assert_int_equal(store_ticket(w.s), ticket + 1); /* no number is told twice */
    assert_int_equal(append_alone(w.s, &(struct sent){ .id = "lost", .subject = "school/1" }), 3);
    assert_ok(store_drain(w.s, &err));
    assert_int_equal(w.told.durable, 3);
    assert_ok(log_scan_subject(w.s, "school/1", END, note_id, &seen, &err));
    assert_collected(&seen, "3:lost 2:next 1:kept ");
    int64_t checked;
    assert_ok(log_verify(&checked, w.s, &err));
    assert_int_equal(checked, 3);
    buf_fini(&seen);
    end(&w);
}

/* A rollback is no failure of what was handed over before it. */
static void a_reload_after_a_rollback_keeps_what_is_on_its_way(void **state)
{
    struct scratch *x = *state;
    struct world w;
    struct buf seen = { 0 };
    begin(&w, x->path);
    for (int i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof(id), "e%d", i);
        append_alone(w.s, &(struct sent){ .id = id, .subject = "school/1" });
        if (i % 10 == 9) {
            assert_ok(store_begin(w.s, &err));
            append(w.s, &(struct sent){ .id = "not kept", .subject = "school/1" });
            undo(w.s);
        }
    }
    assert_ok(store_drain(w.s, &err));
    assert_int_equal(w.told.durable, 30);
    assert_ok(log_scan_subject(w.s, "school/1", 4, note_id, &seen, &err));
    assert_collected(&seen, "4:e3 3:e2 2:e1 1:e0 ");
    int64_t checked;
    assert_ok(log_verify(&checked, w.s, &err));
    assert_int_equal(checked, 30);
    buf_fini(&seen);
    end(&w);
}

/* ---- checkpoints ---- */

/* With no pause at all, and writes beside the log by another thread than the writer's. How large
 * the WAL was at most. */
static off_t write_without_a_pause(struct scratch *x, int round)
{
    struct world w;
    struct stat st;
    char wal[120], id[16];
    off_t largest = 0, written = 0;
    snprintf(wal, sizeof(wal), "%s-wal", x->path);
    begin(&w, x->path);
    for (int i = 0; i < 250; i++) {
        snprintf(id, sizeof(id), "e%d-%d", round, i);
        append_alone(w.s, &(struct sent){ .id = id, .content = big });
        if (i % 100 == 99) /* puts the WAL away, too */
            assert_ok(person_put(w.s, "t-01", "{}", &err));
        if (stat(wal, &st) == 0 && st.st_size > largest)
            largest = st.st_size;
        written += (off_t)sizeof(big);
    }
    end(&w);
    print_message("%lld MB written, the WAL had up to %lld MB\n", (long long)(written >> 20),
                  (long long)(largest >> 20));
    assert_true(written > 90 << 20);
    assert_true(largest > 15 << 20); /* else there was nothing to checkpoint */
    assert_int_equal(w.told.durable, 250);
    return largest;
}

/* A busy machine may let the thread wait that moves what is in the WAL, but not each time. */
static void the_wal_does_not_grow_while_there_is_no_pause(void **state)
{
    off_t largest = write_without_a_pause(*state, 0);

    for (int round = 1; round < 5 && largest >= 50 << 20; round++)
        largest = write_without_a_pause(*state, round);
    assert_true(largest < 50 << 20);
}

#define WRITER_CASE(fn) CASE_WITH(fn, fill_big, scratch_free)
TEST_MAIN(WRITER_CASE(commits_become_durable_in_order_and_each_is_told_once),
          WRITER_CASE(tickets_begin_with_the_writer_and_a_commit_of_nothing_has_none),
          WRITER_CASE(closing_finishes_what_was_handed_over),
          WRITER_CASE(what_is_on_its_way_is_read_as_the_end_of_the_log),
          WRITER_CASE(an_event_on_its_way_is_as_it_will_be),
          WRITER_CASE(a_duplicate_of_what_is_on_its_way_is_found),
          WRITER_CASE(a_commit_that_fails_fails_all_behind_it),
          WRITER_CASE(after_a_reload_all_is_as_what_is_durable_and_goes_on),
          WRITER_CASE(a_reload_after_a_rollback_keeps_what_is_on_its_way),
          WRITER_CASE(the_wal_does_not_grow_while_there_is_no_pause))
