/*
 * store.h - one SQLite database: opening, locking, migrations, transactions.
 *
 * WAL and synchronous=FULL: what store_commit() has confirmed survives a crash of the
 * program, the system and the machine. A struct store is used by one thread at
 * a time. One daemon at a time writes to a database; any number of readers may have
 * it open beside it.
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
    STORE_MEMORY, /* a private database in memory; path is ignored */
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
/* NULL allowed. An open transaction is rolled back. */
void store_close(struct store *s);

/* What this database is called in feed entries: random, made when it was created. Borrowed. */
const char *store_id(const struct store *s);
/* The secret with which notes are digested; made when the database was created. */
const uint8_t *store_note_key(const struct store *s);

/* A write transaction. Begin refuses nesting (an assertion: our own bug). */
MUST_CHECK enum err_code store_begin(struct store *s, struct err *err);
/* Durable when it returns OK. On failure everything since begin is undone, and ERR_STORE or
 * ERR_LIMIT (disk full) says why; the store stays usable. */
MUST_CHECK enum err_code store_commit(struct store *s, struct err *err);
void store_rollback(struct store *s);

/* A read transaction: all reads until the end see one state. Nothing to do with store_begin(). */
MUST_CHECK enum err_code store_snapshot(struct store *s, struct err *err);
void store_snapshot_end(struct store *s);

#endif
