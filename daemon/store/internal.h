/*
 * internal.h - what the files of the store share: its struct, statements, dictionaries.
 *
 * Nothing outside daemon/store and its tests includes this.
 */
#ifndef PATHWAY_STORE_INTERNAL_H
#define PATHWAY_STORE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/strmap.h"
#include "store/store.h"

#define STORE_APPLICATION_ID 0x50574159 /* "PWAY" */

#define STORE_BUSY_MS 5000 /* how long to wait for somebody's sqlite3 prompt */

/* Texts that are stored as small integers, each kind in a table of its own. */
enum dict_kind { DICT_SOURCE, DICT_TYPE, DICT_SUBJECT, DICT_DECISION };
#define DICT_KINDS 4

struct dict_entry {
    const char *text; /* lives as long as the store */
    int64_t id;
    /* Of a subject: the first and the newest event that touches it, 0 when none does. Only kept
     * by a store that writes; `saved_*` is what a rollback returns to. */
    int64_t first, head;
    int64_t saved_first, saved_head;
    bool is_stored;  /* its row is in the database, perhaps only in the open transaction */
    bool was_stored; /* before the open transaction */
    bool is_changed; /* is in store.changed */
    struct dict_entry *next_changed;
};

struct dict {
    struct strmap by_text;
    struct dict_entry **by_id; /* owned array; NULL where an id has not been met */
    int64_t cap;
    int64_t next_id;
};

/* Where the event with a given key may stand; see keys.c. */
struct keys {
    uint64_t *slots; /* owned */
    size_t cap;      /* a power of two */
    size_t count;
    int64_t upto; /* the newest event taken in; a rollback may take that back */
};

#define STATEMENT_SLOTS 256 /* a power of two, far above the number of SQL texts */
struct statement {
    const char *sql; /* its address is the key */
    sqlite3_stmt *st;
};

struct store {
    sqlite3 *db;
    char *path;  /* owned; for messages */
    int lock_fd; /* -1: none */
    enum store_mode mode;
    struct statement statements[STATEMENT_SLOTS];
    struct arena arena; /* dictionary entries and their texts */
    struct dict dicts[DICT_KINDS];
    struct dict_entry *changed; /* in the open transaction */
    struct keys keys;
    char id[17];
    uint8_t note_key[DIGEST_BYTES];

    bool is_writing; /* between store_begin() and its end */
    bool is_broken;  /* something failed since begin: it can only be rolled back */
    bool has_erased; /* personal data was deleted: its old bytes must leave the WAL too */
    int snapshots;   /* nesting of store_snapshot() */

    /* The end of the log, and what a rollback returns to; only in a store that writes. */
    int64_t last_seq, saved_seq;
    uint8_t last_hash[DIGEST_BYTES], saved_hash[DIGEST_BYTES];
};

/* --- statements (stmt.c) --- */

/*
 * A statement for `sql`, prepared once; `sql` must be a constant, its address is the key. One that
 * is still being stepped further up the stack is not given out twice. End its use with
 * stmt_done() before returning: an un-reset reader pins the WAL, which then only grows.
 */
MUST_CHECK enum err_code stmt_get(sqlite3_stmt **out, struct store *s, const char *sql,
                                  struct err *err);
/* The same for a statement that writes; outside a sound transaction it fails. */
MUST_CHECK enum err_code stmt_get_write(sqlite3_stmt **out, struct store *s, const char *sql,
                                        struct err *err);
void stmt_done(sqlite3_stmt *st); /* NULL allowed */
/* Step a statement that returns no rows, and be done with it. `doing` is for the message. */
MUST_CHECK enum err_code stmt_run(struct store *s, sqlite3_stmt *st, const char *doing,
                                  struct err *err);
/* Step for a row: *row says whether there is one. At the end or on an error the statement is done. */
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

/* Turn what SQLite just said into a sentence. Breaks an open write transaction. */
enum err_code store_fail(struct store *s, const char *doing, struct err *err);
enum err_code store_no_memory(struct store *s, const char *doing, struct err *err);

/* --- schema (schema.c) --- */

/* A migration is a list of SQL texts that ends with NULL. */
extern const char *const *const store_migrations[];
extern const int store_migration_count; /* the newest schema version */

/* Bring the schema from its user_version to `count`, each step in a transaction. */
MUST_CHECK enum err_code schema_migrate(struct store *s, const char *const *const *steps, int count,
                                        struct err *err);
MUST_CHECK enum err_code schema_version(int64_t *out, struct store *s, struct err *err);

/* --- dictionaries (dict.c) --- */

/* The entry of a text; *out is NULL when the database does not know it. */
MUST_CHECK enum err_code dict_find(struct dict_entry **out, struct store *s, enum dict_kind kind,
                                   const char *text, struct err *err);
/* The same, added when it is new, inside a write transaction. */
MUST_CHECK enum err_code dict_intern(struct dict_entry **out, struct store *s, enum dict_kind kind,
                                     const char *text, struct err *err);
/* The text of an id found in a row; it lives as long as the store. */
MUST_CHECK enum err_code dict_text(const char **out, struct store *s, enum dict_kind kind,
                                   int64_t id, struct err *err);
/* Note that a transaction changes an entry, so that a rollback can undo it. */
void dict_change(struct store *s, struct dict_entry *entry);
/* Write the changed heads of subjects to the database. */
MUST_CHECK enum err_code dict_flush(struct store *s, struct err *err);
void dict_committed(struct store *s);
void dict_rolled_back(struct store *s);
void dict_fini(struct store *s);

/* --- keys of events (keys.c) --- */

uint32_t keys_hash(const struct store *s, const char *source, const char *id);
/* The event with this source (by number) and id, whose hash is `hash`; 0 when there is none. */
MUST_CHECK enum err_code keys_find(int64_t *seq, struct store *s, uint32_t hash, int64_t source,
                                   const char *id, struct err *err);
MUST_CHECK enum err_code keys_add(struct store *s, uint32_t hash, int64_t seq, struct err *err);
void keys_fini(struct store *s);

/* --- the log (log.c, log_read.c) --- */

/* Load the end of the log into a store that writes. */
MUST_CHECK enum err_code log_load_end(struct store *s, struct err *err);
/* hash = BLAKE2b(the hash before, recorded, actor, body). */
void log_hash(uint8_t out[DIGEST_BYTES], const uint8_t before[DIGEST_BYTES], int64_t recorded,
              const char *actor, const char *body, size_t body_len);

/* A row of subject_event_row is (event number << 16) + the touch's place within the event, so that
 * the table only ever grows at its end and the touches of an event lie together. */
#define TOUCH_BITS 16
#define TOUCH_MAX  (1 << TOUCH_BITS)
#define SEQ_MAX    (INT64_MAX >> (TOUCH_BITS + 1))

/* --- the writer's lock (lock.c) --- */

/* Lock `path`.lock for this process. ERR_BUSY names the process that has it. */
MUST_CHECK enum err_code lock_take(int *fd, const char *path, struct err *err);
void lock_release(int fd); /* -1 allowed */

#endif
