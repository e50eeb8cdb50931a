/*
 * spool.h - the plugin from the inside: one file at a time, one batch of it at a time.
 *
 * How far a file has come is kept in the database together with what was set aside of it, in one
 * transaction. After a crash the batch that was under way is sent again: what had been accepted is
 * a duplicate then, and nothing is set aside twice.
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include <jansson.h>
#include <uv.h>

#include <pathway/plugin.h>

#include "folder.h"

#define TOLD_MAX 200 /* refused events that a report lists; it counts all */

enum kind { KIND_LINES, KIND_JSON, KIND_CSV, KIND_OTHER };

struct sending; /* a batch: batch.c */

/* The file under way. */
struct progress {
    char *name;             /* as shown.h shows it; NULL: there is none */
    int64_t offset, line;   /* what comes next: byte, and line (or item) from 1 */
    json_int_t counts[4];   /* by enum pw_event_status */
    json_t *refused;        /* {line, status, detail} */
    char fault[ERROR_TEXT]; /* why the rest is not read; "" */
};

struct spool {
    const struct pw_host *host; /* borrowed */
    uv_loop_t *loop;
    struct folder folder;
    char *mappings; /* the folder of CSV's mappings */
    int interval_s;
    uv_timer_t timer;
    uv_fs_event_t event;
    size_t handles;

    /* One thing is under way at a time. */
    uv_work_t work;
    void (*then)(struct spool *s);
    bool (*blocking)(struct spool *s); /* on a worker thread */
    bool is_busy;                      /* work, or something asked of the host */
    bool is_working;                   /* work */
    bool work_ok;
    bool is_unknown; /* how far the file is could not be kept: ask again */
    char error[ERROR_TEXT];
    char *taken; /* the file's name, byte for byte */
    bool is_new;
    char *report;

    struct progress at;
    struct piece piece;
    json_t *items;           /* of a whole file: its events in turn, as texts */
    json_t *places;          /* of CSV: the row of each */
    struct sending *sending; /* with the host */
    int batch_lines;         /* fewer after a batch was refused as a whole */
    uint64_t files_done, files_failed, files_faults;
    uint64_t events[4]; /* of files that were put away, by enum pw_event_status */

    bool is_stopping;
    pw_done_fn *stopped;
    void *stopped_arg;
};

void spool_log(const struct spool *s, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Look whether there is something to do. */
void spool_go_on(struct spool *s);
/* Do `blocking` on a worker thread, then `then` here. */
void spool_work(struct spool *s, bool (*blocking)(struct spool *s), void (*then)(struct spool *s));
/* Try `again` after a moment: the daemon is busy. */
void spool_later(struct spool *s);

/* ---- file.c: the file under way, from its first line to its report ---- */

extern const char *const file_statuses[]; /* by enum pw_event_status */
enum kind file_kind(const char *name);
/* Go on with the file that has been taken. */
void file_begin(struct spool *s);
void file_go_on(struct spool *s);
/* Its rest is not read: why. */
void file_fault(struct spool *s, const char *why);
/* Keep how far it is, then go on. */
void file_keep(struct spool *s);
/* All of it has been dealt with: put it away with its report. */
void file_finish(struct spool *s);
/* Bytes of the byte order mark that the piece begins with, which are no part of the first event. */
size_t file_mark_len(const struct spool *s);
/* The progress as it was kept. False: it is none. */
bool progress_read(struct progress *p, const json_t *kept);
void progress_fini(struct progress *p);

/* ---- batch.c ---- */

/* Room for so many lines of so many bytes in all; NULL: no memory. */
struct sending *sending_new(struct spool *s, size_t bytes, size_t lines);
/* NULL allowed. */
void sending_free(struct sending *b);
/* One event, of this line (row, item) of the file; blank ones are left out. */
void sending_add(struct sending *b, int64_t line, const char *bytes, size_t len);
/* Submit it; then the file goes on at this line and byte. It is spent. */
void sending_go(struct spool *s, struct sending *b, int64_t next_line, int64_t next_offset);
/* Count an event that was refused, list it in the report, set it aside. */
void file_refuse(struct spool *s, int64_t line, enum pw_event_status status, const char *detail,
                 const char *bytes, size_t len);

/* ---- whole.c: JSON, CSV ---- */

/* Read it, or send what comes next of it. */
void whole_go_on(struct spool *s);

#endif
