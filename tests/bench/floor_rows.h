/*
 * floor_rows.h - what a finished database of the daemon holds, as bare rows in memory.
 *
 * Read through the views `event`, `subject_event` and `change`, which are for people and stay
 * when what lies below them changes. Names become numbers and times integers, as the daemon
 * stores them. All of the SQL that knows the daemon's database is in floor_rows.c.
 */
#ifndef BENCH_FLOOR_ROWS_H
#define BENCH_FLOOR_ROWS_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES 32

struct text {
    const char *bytes; /* NULL: no value */
    int len;
};

struct event_row {
    int64_t time, recorded, source, type, subject;
    struct text body; /* canonical */
    uint8_t hash[HASH_BYTES];
};

/* An event touches a subject, at a place among those that it touches; `prev` is the subject's event
 * before it, 0: none. */
struct touch_row {
    int64_t seq, place, subject, prev;
};

/* An entry of the feed. */
struct change_row {
    int64_t recorded, generation, subject, decision;
    struct text old, new, hub, cause;
};

/* Each in the order in which it was written. */
struct rows {
    struct event_row *events;
    struct touch_row *touches;
    struct change_row *changes;
    size_t event_count, touch_count, change_count;
};

struct rows rows_read(const char *database);

#endif
