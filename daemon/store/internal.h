/*
 * internal.h - what the files of the store share: its struct, statements, dictionaries.
 *
 * Nothing outside daemon/store and its tests includes this.
 */
#ifndef PATHWAY_STORE_INTERNAL_H
#define PATHWAY_STORE_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/civil.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/strmap.h"
#include "store/batch.h"
#include "store/generation.h"
#include "store/store.h"
#include "store/touch.h"

#define STORE_APPLICATION_ID 0x50574159 /* "PWAY" */

#define STORE_BUSY_MS 5000 /* how long to wait for somebody's sqlite3 prompt */

/* Texts that are stored as small integers, each kind in a table of its own. */
enum dict_kind { DICT_SOURCE, DICT_TYPE, DICT_SUBJECT, DICT_DECISION, DICT_LAYOUT };
#define DICT_KINDS 5

/* A school that continues another. */
struct successor {
    struct successor *next; /* an earlier one */
    struct dict_entry *subject;
    int64_t seq; /* the event that says so */
};

enum row_state {
    ROW_WRITTEN, /* it is in a batch; once that is durable the row goes */
    ROW_CHANGED, /* waits in store.changed */
    ROW_SWEPT,   /* waits in store.sweep */
};

struct dict_entry {
    const char *text; /* lives as long as the store, or until it is loaded anew */
    int64_t id;
    /* Of a subject. In a store that reads, `head` is the newest event met beyond the watermark. */
    int64_t head;  /* the newest event that touches it, 0: none */
    int64_t first; /* the first event that touches it, when it was met since loading; else 0 */
    int64_t due;   /* when it must be judged again; TIME_NEVER */
    size_t wake;   /* its place among the wakes, from 1; 0: it has none */
    struct successor *successors;
    bool is_stored;          /* it has a row in its table */
    char *causes;            /* it is left for later: numbers of events; owned, NULL: it is not */
    struct subject_row *row; /* what its table may not have yet; NULL: nothing. Texts owned */
    enum row_state state;
    int64_t ticket; /* of the batch that wrote the row last */
};

struct dict {
    struct strmap by_text;
    struct dict_entry **by_id; /* owned array; NULL where an id has not been met */
    int64_t cap;
    int64_t next_id; /* 0: not known yet */
};

/* Where the event with a given key may stand; see keys.c. */
struct key_run {
    uint64_t *keys; /* owned, sorted */
    size_t count;
};
#define KEY_RUNS                                                                                   \
    48 /* each is at least twice as long as the next: more than there can be events                \
        */
struct keys {
    uint64_t *recent; /* owned: a hash table of those in no run yet */
    size_t count;
    int64_t first; /* of the recent ones */
    struct key_run runs[KEY_RUNS];
    int run_count;
    struct rows unwritten; /* struct run_row, keys owned */
};

#define STATEMENT_SLOTS 256 /* a power of two, far above the number of SQL texts */
struct statement {
    const char *sql; /* its address is the key */
    sqlite3_stmt *st;
};

/* A list that grows. */
struct entries {
    struct dict_entry **items; /* owned */
    size_t count, cap;
};

/* See life.h: from the entry behind `after` on. */
struct life {
    int64_t after;
    char id[17];
};

struct store {
    sqlite3 *db;
    char *path;  /* owned; for messages */
    int lock_fd; /* -1: none */
    enum store_mode mode;
    struct statement statements[STATEMENT_SLOTS];
    char id[17];        /* drawn when the database was made: of its first life */
    struct life *lives; /* the later ones; owned */
    size_t life_count;
    uint8_t note_key[DIGEST_BYTES];
    int snapshots; /* nesting of store_snapshot() */

    /* Who writes: the end of the hash chain as it is in the database, and a transaction of
     * SQLite's. */
    uint8_t last_hash[DIGEST_BYTES];
    bool is_writing;        /* between sql_begin() and its end */
    bool is_broken;         /* something failed since: it can only be rolled back */
    bool is_erasing;        /* it deletes personal data: the old bytes must leave the WAL too */
    atomic_bool owes_scrub; /* which they have not done yet; any thread */

    /* What is held in memory of the database and of the batches that are on their way to it. */
    struct arena arena; /* dictionary entries and their texts */
    struct dict dicts[DICT_KINDS];
    struct keys keys;
    struct entries wakes; /* a heap by (due, name) */
    struct strmap voided; /* keys of events that a void names: source NUL id */
    int64_t last_seq, last_commit, last_recorded, last_change;
    struct watermark watermark; /* of what was sealed last; of a reader's snapshot */
    int64_t heads_upto;         /* a reader: heads of dict_entry are known up to this event */
    int64_t pending;            /* subjects that are left for later */
    struct buf touches;         /* of the event being appended */
    char *decisions;            /* what decisions_of() gave last; owned */
    struct dict_entry *layout;  /* the names that decisions_put() was given last */

    bool is_changed;             /* what is derived has changed since store_begin() */
    bool is_ahead;               /* memory holds what was never committed: store_reload() is due */
    struct batch *open;          /* between store_begin() and its end */
    struct batch *tail, *newest; /* sealed, and perhaps not durable yet; oldest first */
    struct batch *spare;         /* to be used again */
    int64_t tickets;             /* batches handed over so far */
    int64_t forgotten; /* those up to this one: durable before there was a writer, or given up */
    struct writer *writer;      /* NULL: store_commit() writes by itself */
    struct generation replayed; /* STORE_REPLAY: the last one */
    struct checker *checker; /* STORE_REPLAY: what is committed is compared with what is stored */

    /* What waits to be written behind the log; see behind.c. */
    struct entries changed; /* subjects with a row, not of the sweep under way */
    struct entries sweep;   /* those of the sweep, by id */
    size_t swept;           /* how many of them have been written */
    struct watermark cut;   /* what the sweep brings the tables to */
    bool is_sweeping;
    int64_t swept_seq; /* end of the log at the last sweep's begin */
};

/* --- statements (stmt.c) --- */

/*
 * A statement for `sql`, prepared once; `sql` must be a constant, its address is the key. One that
 * is still being stepped further up the stack is not given out twice. End its use with
 * stmt_done() before returning: an un-reset reader pins the WAL, which then only grows.
 */
MUST_CHECK enum err_code stmt_get(sqlite3_stmt **out, struct store *s, const char *sql,
                                  struct err *err);
void stmt_done(sqlite3_stmt *st); /* NULL allowed */
/* Step a statement that returns no rows, and be done with it. `doing` is for the message. */
MUST_CHECK enum err_code stmt_run(struct store *s, sqlite3_stmt *st, const char *doing,
                                  struct err *err);
/* Step for a row: *row says whether there is one. At the end or on an error the statement
 * is done. */
MUST_CHECK enum err_code stmt_row(bool *row, struct store *s, sqlite3_stmt *st, const char *doing,
                                  struct err *err);
/* One integer of a statement without parameters; `none` when there is no row or it is NULL. */
MUST_CHECK enum err_code stmt_int(int64_t *out, struct store *s, const char *sql, int64_t none,
                                  const char *doing, struct err *err);
/* Run SQL text with no results, several statements allowed, nothing cached. */
MUST_CHECK enum err_code store_exec(struct store *s, const char *sql, const char *doing,
                                    struct err *err);

void bind_text(sqlite3_stmt *st, int at, const char *text); /* borrowed until done; NULL allowed */
const char *column_text(sqlite3_stmt *st, int at);          /* NULL for SQL's NULL */

/* Turn what SQLite just said into a sentence. Breaks an open transaction. */
enum err_code store_fail(struct store *s, const char *doing, struct err *err);
enum err_code store_no_memory(struct store *s, const char *doing, struct err *err);

/* --- transactions (transaction.c) --- */

/* SQLite's own transaction, on the connection that writes. The end commits when `rc` is OK, else
 * (and when it can not) rolls back; `rc`, or why it could not, is returned. */
MUST_CHECK enum err_code sql_begin(struct store *s, struct err *err);
MUST_CHECK enum err_code sql_end(struct store *s, enum err_code rc, struct err *err);
/* The store with the connection that writes, at rest: for what is no part of the log. */
MUST_CHECK enum err_code writing_store(struct store **out, struct store *s, struct err *err);

void store_free_batches(struct store *s);
/* The event with this number among those that are not durable yet; NULL: it is in the database. */
const struct event_row *tail_event(const struct store *s, int64_t seq);

/* Connect to the file at s->path and set the connection up. */
MUST_CHECK enum err_code store_connect(struct store *s, enum store_mode mode, struct err *err);
/* One more connection to the database that `beside` has open, for another thread. */
MUST_CHECK enum err_code store_open_beside(struct store **out, const struct store *beside,
                                           struct err *err);

/* Read the lives that there are (life.c). */
MUST_CHECK enum err_code life_load(struct store *s, struct err *err);

/* --- schema (schema.c) --- */

/* A migration is a list of SQL texts that ends with NULL. */
extern const char *const *const store_migrations[];
extern const int store_migration_count; /* the newest schema version */

/* Bring the schema from its user_version to `count`, each step in a transaction. */
MUST_CHECK enum err_code schema_migrate(struct store *s, const char *const *const *steps, int count,
                                        struct err *err);
MUST_CHECK enum err_code schema_version(int64_t *out, struct store *s, struct err *err);

/* --- what a store that writes holds in memory (memory.c) --- */

MUST_CHECK enum err_code memory_load(struct store *s, struct err *err);
void memory_fini(struct store *s);
MUST_CHECK enum err_code watermark_load(struct store *s, struct err *err);
/* Note that by event `seq` `successor` continues `predecessor`. */
MUST_CHECK enum err_code successor_add(struct store *s, int64_t seq, struct dict_entry *predecessor,
                                       struct dict_entry *successor, struct err *err);
/* Note that a void names the event with this key; is there one? */
MUST_CHECK enum err_code voided_add(struct store *s, const char *source, const char *id,
                                    struct err *err);
bool voided_has(const struct store *s, const char *source, const char *id);

/* --- dictionaries (dict.c) --- */

/* The entry of a text; *out is NULL when the database does not know it. */
MUST_CHECK enum err_code dict_find(struct dict_entry **out, struct store *s, enum dict_kind kind,
                                   const char *text, struct err *err);
/* The same, added to the open batch when it is new. */
MUST_CHECK enum err_code dict_intern(struct dict_entry **out, struct store *s, enum dict_kind kind,
                                     const char *text, struct err *err);
/* The text of an id found in a row; it lives as long as the store. */
MUST_CHECK enum err_code dict_text(const char **out, struct store *s, enum dict_kind kind,
                                   int64_t id, struct err *err);
MUST_CHECK enum err_code dict_entry_of(struct dict_entry **out, struct store *s,
                                       enum dict_kind kind, int64_t id, struct err *err);
/* Load all entries of a kind at once. */
MUST_CHECK enum err_code dict_load(struct store *s, enum dict_kind kind, struct err *err);
const char *dict_insert_sql(enum dict_kind kind);
void dict_fini(struct store *s);

/* --- keys of events (keys.c) --- */

uint32_t keys_hash(const struct store *s, const char *source, const char *id);
/* An entry of a run: the hash above, the event's number below; and what sorts them. */
uint64_t keys_key(const struct store *s, const char *source, const char *id, int64_t seq);
int keys_compare(const void *a, const void *b);
/* The event with this source (by number) and id, whose hash is `hash`; 0 when there is none. */
MUST_CHECK enum err_code keys_find(int64_t *seq, struct store *s, uint32_t hash, int64_t source,
                                   const char *id, struct err *err);
MUST_CHECK enum err_code keys_add(struct store *s, uint32_t hash, int64_t seq, struct err *err);
/* Add runs that are in memory only to the open batch. */
MUST_CHECK enum err_code keys_seal(struct store *s, struct err *err);
/* Load the runs, and the keys of events that are in none. */
MUST_CHECK enum err_code keys_load(struct store *s, struct err *err);
void keys_fini(struct store *s);

/* --- the log (log.c, log_read.c) --- */

/* Load the end of the log into a store that writes. */
MUST_CHECK enum err_code log_load_end(struct store *s, struct err *err);
/* hash = BLAKE2b(the hash before, recorded, actor, body). `out` may be `before`. */
void log_hash(uint8_t out[DIGEST_BYTES], const uint8_t before[DIGEST_BYTES], int64_t recorded,
              const char *actor, const char *body, size_t body_len);

#define SEQ_MAX (INT64_MAX / 2)

/* --- wakes (wake.c) --- */

/* Say when a subject is due; TIME_NEVER: not by itself. */
MUST_CHECK enum err_code wake_set(struct store *s, struct dict_entry *subject, int64_t due,
                                  struct err *err);

/* --- what is kept up behind the log (behind.c) --- */

/* Before anything that is derived of a subject changes: its row, to be filled in. The fields id,
 * head and due are filled in when it is written. */
MUST_CHECK enum err_code behind_change(struct subject_row **out, struct store *s,
                                       struct dict_entry *subject, struct err *err);
/* Set a text of such a row. */
MUST_CHECK enum err_code behind_text(const char **field, struct store *s, const char *text,
                                     struct err *err);
/* Add what is to be written behind now to the open batch; everything when `all`. */
MUST_CHECK enum err_code behind_seal(struct store *s, bool all, struct err *err);
/* Begin a sweep of all that waits, unless it is little, or one is under way. */
void behind_begin_sweep(struct store *s);
/* The row of a subject was in a batch that is durable now. */
void behind_written(struct store *s, int64_t id, int64_t ticket);
void behind_fini(struct store *s);

/* --- what was erased leaves the WAL (scrub.c) --- */

/* Before the database is opened to write: the process before may have left something. */
void scrub_expect(struct store *s);
/* After a commit that erased: now, or when store_scrub() is called. */
void scrub(struct store *s);

/* --- the writer's thread (writer.c) --- */

/* Takes over the connection of `s`, which gets another one, to read. */
MUST_CHECK enum err_code writer_start(struct store *s, store_durable_fn *done, void *arg,
                                      struct err *err);
/* Hand a sealed batch over; waits while too many are on their way. */
void writer_put(struct writer *w, struct batch *b);
/* Wait until all that was handed over is durable, or has failed. */
MUST_CHECK enum err_code writer_drain(struct writer *w, struct err *err);
/* The newest ticket that is durable, without waiting. */
int64_t writer_durable(struct writer *w);
bool writer_has_failed(struct writer *w);
/* After a failure: forget it. Nothing may be on its way. */
void writer_recover(struct writer *w);
struct store *writer_store(struct writer *w);
/* Finish, and close its connection. */
void writer_stop(struct writer *w);

/* --- the writer's lock (lock.c) --- */

/* Lock `path`.lock for this process. ERR_BUSY names the process that has it. */
MUST_CHECK enum err_code lock_take(int *fd, const char *path, struct err *err);
void lock_release(int fd); /* -1 allowed */

#endif
