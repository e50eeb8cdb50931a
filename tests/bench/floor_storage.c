/*
 * floor_storage.c - the floor of storage: what a load leaves in the daemon's log and feed, written
 * by SQLite with nothing around it.
 *
 * WAL, synchronous=FULL, one transaction for each so many events; rows are only appended. They are
 * read from a finished database before the clock starts. Prints one line of JSON.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "floor_rows.h"

#define UNTIMED_BATCH 10000

static const char USAGE[] =
    "bench-floor-storage --from DATABASE --to FILE [--batch N] [--skip N] [--limit N]\n"
    "  --batch  events to a transaction (1000)\n"
    "  --skip   write the rows of the first so many events before the clock starts\n"
    "  --limit  end after those of so many (0: all)";

/* A checkpoint every 10,000 pages: SQLite's own 1,000 is slower, and a floor should be low. */
static const char SCHEMA[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000;"
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, recorded INTEGER NOT NULL,"
    " source INTEGER NOT NULL, type INTEGER NOT NULL, subject INTEGER NOT NULL,"
    " body TEXT NOT NULL, hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE touch (row INTEGER PRIMARY KEY, subject INTEGER NOT NULL, prev INTEGER) STRICT;"
    "CREATE TABLE change (seq INTEGER PRIMARY KEY, recorded INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, subject INTEGER NOT NULL, decision INTEGER NOT NULL,"
    " old TEXT NOT NULL, new TEXT NOT NULL, hub TEXT, cause TEXT) STRICT;";

struct floor {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *event, *touch, *change;
    const struct rows *rows;
    size_t events, touches, changes; /* written so far */
};

static void exec(struct floor *f, const char *sql)
{
    if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die("%s: %s", sql, sqlite3_errmsg(f->db));
}

static sqlite3_stmt *prepare(struct floor *f, const char *sql)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v3(f->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
        die("%s: %s", sql, sqlite3_errmsg(f->db));
    return st;
}

static void floor_open(struct floor *f, const char *path, const struct rows *rows)
{
    unlink(path);
    if (sqlite3_open(path, &f->db) != SQLITE_OK)
        die("%s: %s", path, sqlite3_errmsg(f->db));
    f->rows = rows;
    exec(f, SCHEMA);
    f->begin = prepare(f, "BEGIN IMMEDIATE");
    f->commit = prepare(f, "COMMIT");
    f->event = prepare(f, "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    f->touch = prepare(f, "INSERT INTO touch VALUES (?1, ?2, nullif(?3, 0))");
    f->change = prepare(f, "INSERT INTO change VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
}

static void run(struct floor *f, sqlite3_stmt *st)
{
    if (sqlite3_step(st) != SQLITE_DONE)
        die("%s: %s", sqlite3_sql(st), sqlite3_errmsg(f->db));
    sqlite3_reset(st);
}

static void bind_numbers(sqlite3_stmt *st, const int64_t *numbers, int count)
{
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(st, i + 1, numbers[i]);
}

static void bind_text(sqlite3_stmt *st, int column, struct text t)
{
    sqlite3_bind_text(st, column, t.bytes, t.len, SQLITE_STATIC);
}

static void write_event(struct floor *f)
{
    const struct event_row *e = &f->rows->events[f->events++];
    const int64_t numbers[] = { (int64_t)f->events, e->time, e->recorded,
                                e->source,          e->type, e->subject };

    bind_numbers(f->event, numbers, 6);
    bind_text(f->event, 7, e->body);
    sqlite3_bind_blob(f->event, 8, e->hash, HASH_BYTES, SQLITE_STATIC);
    run(f, f->event);
}

static void write_touch(struct floor *f)
{
    const struct touch_row *t = &f->rows->touches[f->touches++];
    /* The event and the place among those that it touches in one number. */
    const int64_t numbers[] = { t->seq << 16 | t->place, t->subject, t->prev };

    bind_numbers(f->touch, numbers, 3);
    run(f, f->touch);
}

static void write_change(struct floor *f)
{
    const struct change_row *c = &f->rows->changes[f->changes++];
    const int64_t numbers[] = { (int64_t)f->changes, c->recorded, c->generation, c->subject,
                                c->decision };

    bind_numbers(f->change, numbers, 5);
    bind_text(f->change, 6, c->old);
    bind_text(f->change, 7, c->new);
    bind_text(f->change, 8, c->hub);
    bind_text(f->change, 9, c->cause);
    run(f, f->change);
}

/* The rows of the events up to number `until`, in transactions of `batch`. The feed does not say
 * which event an entry belongs to for certain, so that its entries are spread evenly over the
 * events. */
static void write_until(struct floor *f, size_t until, size_t batch)
{
    const struct rows *r = f->rows;

    while (f->events < until) {
        size_t end = until - f->events < batch ? until : f->events + batch;
        size_t changes = (size_t)((double)r->change_count * (double)end / (double)r->event_count);
        run(f, f->begin);
        while (f->events < end)
            write_event(f);
        while (f->touches < r->touch_count && r->touches[f->touches].seq <= (int64_t)end)
            write_touch(f);
        while (f->changes < (end == r->event_count ? r->change_count : changes))
            write_change(f);
        run(f, f->commit);
    }
}

static void floor_close(struct floor *f)
{
    sqlite3_stmt *const all[] = { f->begin, f->commit, f->event, f->touch, f->change };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        sqlite3_finalize(all[i]);
    if (sqlite3_close(f->db) != SQLITE_OK)
        die("close: %s", sqlite3_errmsg(f->db));
}

int main(int argc, char **argv)
{
    struct floor f = { 0 };
    struct stat st;
    const char *path = option_needed(argc, argv, "--to", USAGE);
    size_t skip = (size_t)option_number(argc, argv, "--skip", 0);
    size_t batch = (size_t)option_number(argc, argv, "--batch", 1000);

    struct rows rows = rows_read(option_needed(argc, argv, "--from", USAGE));
    size_t limit = (size_t)option_number(argc, argv, "--limit", 0);
    size_t end = limit > 0 && limit < rows.event_count ? limit : rows.event_count;
    if (batch == 0 || skip >= end)
        die("found %zu events, to skip %zu, in transactions of %zu", end, skip, batch);
    floor_open(&f, path, &rows);
    write_until(&f, skip, UNTIMED_BATCH);
    size_t touches = f.touches, changes = f.changes;
    int64_t began = clock_us();
    write_until(&f, end, batch);
    double seconds = (double)(clock_us() - began) / 1e6;
    floor_close(&f);
    if (stat(path, &st) != 0)
        die("%s: gone", path);
    printf("{\"events\":%zu,\"touches\":%zu,\"changes\":%zu,\"seconds\":%.6f,"
           "\"database_bytes\":%lld}\n",
           end - skip, f.touches - touches, f.changes - changes, seconds, (long long)st.st_size);
    return 0;
}
