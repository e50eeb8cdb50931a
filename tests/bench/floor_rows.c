/* floor_rows.c - see floor_rows.h. */
#include "floor_rows.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

/* RFC 3339 in UTC with six digits, as the views show instants, in microseconds. */
#define MICROS(t)                                                                                  \
    "CAST(strftime('%s', substr(" t ", 1, 19)) AS INTEGER) * 1000000"                              \
    " + CAST(substr(" t ", 21, 6) AS INTEGER)"
#define NUMBER(text) "(SELECT id FROM temp.name WHERE text = " text ")"

static const char NAMES[] =
    "CREATE TEMP TABLE name (id INTEGER PRIMARY KEY, text TEXT UNIQUE);"
    "INSERT INTO temp.name (text) SELECT source FROM event UNION SELECT type FROM event"
    " UNION SELECT subject FROM subject_event UNION SELECT decision FROM change";
static const char EVENTS[] = "SELECT " MICROS("time") ", " MICROS("recorded") ", " NUMBER(
    "source") ", " NUMBER("type") ", " NUMBER("subject") ", body, hash FROM event ORDER BY seq";
static const char TOUCHES[] =
    "SELECT seq, " NUMBER("subject") ", prev FROM subject_event ORDER BY seq";
static const char CHANGES[] = "SELECT " MICROS("recorded") ", generation, " NUMBER(
    "subject") ", " NUMBER("decision") ", old, new, hub, cause FROM change ORDER BY seq";

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        die("%s: %s", sql, sqlite3_errmsg(db));
    return st;
}

static size_t count_rows(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = prepare(db, sql);

    if (sqlite3_step(st) != SQLITE_ROW)
        die("%s: %s", sql, sqlite3_errmsg(db));
    size_t count = (size_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return count;
}

static struct text text_at(sqlite3_stmt *st, int column)
{
    struct text t = { NULL, sqlite3_column_bytes(st, column) };
    const void *bytes = sqlite3_column_text(st, column);

    if (bytes)
        t.bytes = memcpy(need(malloc((size_t)t.len + 1)), bytes, (size_t)t.len);
    return t;
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* As hexadecimal digits, or as it is; what is neither is no hash of the size that the
 * daemon has. */
static void hash_at(uint8_t hash[HASH_BYTES], sqlite3_stmt *st, int column)
{
    int len = sqlite3_column_bytes(st, column);
    const char *bytes = sqlite3_column_blob(st, column);

    if (bytes && len == HASH_BYTES)
        memcpy(hash, bytes, HASH_BYTES);
    else if (bytes && len == 2 * HASH_BYTES)
        for (int i = 0; i < HASH_BYTES; i++)
            hash[i] = (uint8_t)(nibble(bytes[2 * i]) << 4 | nibble(bytes[2 * i + 1]));
    else
        die("found a hash of %d bytes, expected %d, or their digits", len, HASH_BYTES);
}

static bool step(sqlite3 *db, sqlite3_stmt *st, size_t done, size_t expected)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW && done < expected)
        return true;
    if (rc != SQLITE_DONE || done != expected)
        die("found %zu rows, expected %zu: %s", done, expected, sqlite3_errmsg(db));
    sqlite3_finalize(st);
    return false;
}

static void read_events(struct rows *r, sqlite3 *db)
{
    r->event_count = count_rows(db, "SELECT count(*) FROM event");
    r->events = need(calloc(r->event_count + 1, sizeof(*r->events)));
    sqlite3_stmt *st = prepare(db, EVENTS);
    for (size_t i = 0; step(db, st, i, r->event_count); i++) {
        r->events[i] = (struct event_row){
            .time = sqlite3_column_int64(st, 0),
            .recorded = sqlite3_column_int64(st, 1),
            .source = sqlite3_column_int64(st, 2),
            .type = sqlite3_column_int64(st, 3),
            .subject = sqlite3_column_int64(st, 4),
            .body = text_at(st, 5),
        };
        hash_at(r->events[i].hash, st, 6);
    }
}

static void read_touches(struct rows *r, sqlite3 *db)
{
    r->touch_count = count_rows(db, "SELECT count(*) FROM subject_event");
    r->touches = need(calloc(r->touch_count + 1, sizeof(*r->touches)));
    sqlite3_stmt *st = prepare(db, TOUCHES);
    for (size_t i = 0; step(db, st, i, r->touch_count); i++) {
        struct touch_row *t = &r->touches[i];
        *t = (struct touch_row){ .seq = sqlite3_column_int64(st, 0),
                                 .subject = sqlite3_column_int64(st, 1),
                                 .prev = sqlite3_column_int64(st, 2) };
        if (i > 0 && t[-1].seq == t->seq)
            t->place = t[-1].place + 1;
    }
}

static void read_changes(struct rows *r, sqlite3 *db)
{
    r->change_count = count_rows(db, "SELECT count(*) FROM change");
    r->changes = need(calloc(r->change_count + 1, sizeof(*r->changes)));
    sqlite3_stmt *st = prepare(db, CHANGES);
    for (size_t i = 0; step(db, st, i, r->change_count); i++)
        r->changes[i] = (struct change_row){
            .recorded = sqlite3_column_int64(st, 0),
            .generation = sqlite3_column_int64(st, 1),
            .subject = sqlite3_column_int64(st, 2),
            .decision = sqlite3_column_int64(st, 3),
            .old = text_at(st, 4),
            .new = text_at(st, 5),
            .hub = text_at(st, 6),
            .cause = text_at(st, 7),
        };
}

struct rows rows_read(const char *database)
{
    struct rows r = { 0 };
    sqlite3 *db;

    if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        die("%s: %s", database, sqlite3_errmsg(db));
    if (sqlite3_exec(db, NAMES, NULL, NULL, NULL) != SQLITE_OK)
        die("%s: %s", database, sqlite3_errmsg(db));
    read_events(&r, db);
    read_touches(&r, db);
    read_changes(&r, db);
    sqlite3_close(db);
    return r;
}
