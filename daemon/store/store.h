/*
 * store.h - one SQLite database: opening, locking, migrations, transactions.
 *
 * WAL and synchronous=FULL: what is durable survives a crash of the program, the system and
 * the machine. A struct store is used by one thread at a time. One daemon at a time writes to a
 * database; any number of readers may have it open beside it.
 *
 * A commit only appends: the log, what events touch, the feed. What is looked up by key (current
 * decisions, wakes, the keys that find duplicates) follows behind a watermark, in slices; see
 * derived.h.
 */
#ifndef PATHWAY_STORE_H
#define PATHWAY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct store;

enum store_mode {
    STORE_WRITE,  /* create when missing, migrate, take the writer's lock */
    STORE_READ,   /* read only; never migrates; refuses a schema older or newer than its own */
    STORE_COPIES, /* the same for one that is only copied: older schemas are fine */
    STORE_MEMORY, /* a private database in memory; path is ignored */
    STORE_REPLAY, /* internal: see replay.h */
};

/*
 * Open a database. Refusals say what to do:
 * ERR_BUSY    another daemon has it (the message names its process id)
 * ERR_INPUT   not a pathwayd database, or from a newer version (both versions named)
 * ERR_ABSENT  STORE_READ and there is no such file
 * ERR_IO      missing folder, no permission, a read-only disk
 * ERR_STORE   damaged, or any other failure of SQLite
 */
MUST_CHECK enum err_code store_open(struct store **out, const char *path, enum store_mode mode,
                                    struct err *err);
/* NULL allowed. An open transaction is rolled back; what was committed is written. */
void store_close(struct store *s);

/* Where it is, as it was opened. Borrowed. */
const char *store_path(const struct store *s);
/* What this database is called in the feed entries to come: random, drawn when it was made or
 * restored from a backup last (life.h). Borrowed. */
const char *store_id(const struct store *s);
/* The secret with which notes are digested; made when the database was created. */
const uint8_t *store_note_key(const struct store *s);

/* A write transaction. Begin refuses nesting (an assertion: our own bug). */
MUST_CHECK enum err_code store_begin(struct store *s, struct err *err);
/* Durable when it returns OK; with a writer's thread, handed over: then `done` says when. On
 * failure everything since begin is undone, and ERR_STORE or ERR_LIMIT (disk full) says why; go on
 * with store_reload(). */
MUST_CHECK enum err_code store_commit(struct store *s, struct err *err);
/* Undo. When something was appended, go on with store_reload(). */
void store_rollback(struct store *s);

/*
 * Have a thread of its own write from now on, in the order of the commits. `done` is called on that
 * thread for each of them (`ticket`: 1, 2, 3, ...): `why` NULL when it is durable, else why it is
 * not; then no later one is either, until store_reload().
 */
typedef void store_durable_fn(int64_t ticket, const struct err *why, void *arg);
MUST_CHECK enum err_code store_start_writer(struct store *s, store_durable_fn *done, void *arg,
                                            struct err *err);
/* The ticket of the last commit that was handed over; 0: none since the writer started or
 * store_reload(). */
int64_t store_ticket(const struct store *s);
/* Did a commit that was handed over fail? */
bool store_has_failed(const struct store *s);
/* Wait until all that was handed over is durable. */
MUST_CHECK enum err_code store_drain(struct store *s, struct err *err);
/* After a failure: forget what is in memory and begin anew from what is durable. Everything that
 * callers remember of it, texts included, is void. */
MUST_CHECK enum err_code store_reload(struct store *s, struct err *err);

/* May old bytes of what was erased be in the WAL still, since a reader was in the way, or a process
 * ended before? Try again to have them leave it; nobody is waited for. */
bool store_must_scrub(const struct store *s);
MUST_CHECK enum err_code store_scrub(struct store *s, struct err *err);

/* Is there something to be written behind the log? Write a slice of it, as a commit that appends
 * nothing; with `all`, all of it. */
bool store_is_behind(const struct store *s);
MUST_CHECK enum err_code store_catch_up(struct store *s, bool all, struct err *err);

/* A read transaction: all reads until the end see one state. Nothing to do with store_begin(). */
MUST_CHECK enum err_code store_snapshot(struct store *s, struct err *err);
void store_snapshot_end(struct store *s);

#endif
