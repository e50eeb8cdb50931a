/* store.c - see store.h. The order at opening is: look, lock, open, check, and only then change. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/check.h"
#include "store/copy.h"
#include "store/life.h"

static bool only_reads(enum store_mode mode)
{
    return mode == STORE_READ || mode == STORE_COPIES;
}

/* Look at the file without opening it: closing a descriptor would drop the locks that another
 * connection of this process has on it. *is_new: there is none yet. */
static enum err_code look(bool *is_new, const char *path, enum store_mode mode, struct err *err)
{
    struct stat st;

    *is_new = false;
    if (!path || !*path)
        return err_set(err, ERR_INPUT, "the database has no path; name a file");
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return err_set(err, ERR_INPUT,
                           "%s: is a folder, expected a database file; name a file "
                           "in it, such as pathway.db",
                           path);
        if (!S_ISREG(st.st_mode))
            return err_set(err, ERR_INPUT, "%s: is not an ordinary file, expected a database",
                           path);
        return OK;
    }
    if (errno != ENOENT && errno != ENOTDIR)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (only_reads(mode))
        return err_set(err, ERR_ABSENT,
                       "%s: there is no such database; start pathwayd once to make "
                       "it, or name another file",
                       path);
    *is_new = true;
    return OK;
}

/* Make the empty file ourselves, closed to others: personal data will be in it. */
static enum err_code create(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    if (fd < 0 && errno != EEXIST)
        return err_set(err, ERR_IO,
                       "%s: cannot make the database: %s; its folder must exist and be "
                       "writable by the daemon's user",
                       path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return OK;
}

/* The path without symbolic links, so that two names of one file have one lock. */
static enum err_code lock(struct store *s, const char *path, bool is_new, struct err *err)
{
    enum err_code rc = is_new ? create(path, err) : OK;
    if (rc != OK)
        return rc;
    char *real = realpath(path, NULL);
    if (!real)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    rc = lock_take(&s->lock_fd, real, err);
    if (rc == OK)
        copy_remove_leftover(real);
    free(real);
    return rc;
}

enum err_code store_connect(struct store *s, enum store_mode mode, struct err *err)
{
    int flags =
        only_reads(mode) ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

    int code = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (!s->db)
        return store_no_memory(s, "open", err);
    sqlite3_extended_result_codes(s->db, 1);
    if (code != SQLITE_OK)
        return store_fail(s, "open", err);
    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return store_exec(s, "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY", "set up a reader",
                      err);
}

enum err_code store_open_beside(struct store **out, const struct store *beside, struct err *err)
{
    struct store *s = calloc(1, sizeof(*s));

    *out = s;
    if (s)
        s->path = strdup(beside->path);
    if (!s || !s->path)
        return err_set(err, ERR_LIMIT, "%s: no memory to open the database", beside->path);
    s->lock_fd = -1;
    s->mode = STORE_READ;
    enum err_code rc = store_connect(s, STORE_WRITE, err);
    return rc == OK ? store_exec(s, "PRAGMA synchronous = FULL", "set up the database", err) : rc;
}

/* Whose database is it, and of which version? Nothing has been changed yet. */
static enum err_code check(bool *is_empty, struct store *s, struct err *err)
{
    static const char APPLICATION[] = "PRAGMA application_id";
    static const char TABLES[] = "SELECT count(*) FROM sqlite_schema";
    int64_t application, tables, version = 0;

    enum err_code rc = stmt_int(&application, s, APPLICATION, 0, "read the file", err);
    if (rc == OK)
        rc = stmt_int(&tables, s, TABLES, 0, "read the file", err);
    if (rc == OK)
        rc = schema_version(&version, s, err);
    if (rc != OK)
        return rc;
    *is_empty = tables == 0 && application == 0 && version == 0;
    if (!*is_empty && application != STORE_APPLICATION_ID)
        return err_set(err, ERR_INPUT,
                       "%s: is a database of another application (application id "
                       "%lld, expected %d); name a pathwayd database, or a new file",
                       s->path, (long long)application, STORE_APPLICATION_ID);
    if (version > store_migration_count)
        return err_set(err, ERR_INPUT,
                       "%s: its schema is version %lld, from a newer pathwayd; this "
                       "one knows versions up to %d. Install the newer pathwayd, or restore a "
                       "backup made before it",
                       s->path, (long long)version, store_migration_count);
    if (s->mode == STORE_READ && version < store_migration_count)
        return err_set(err, ERR_INPUT,
                       "%s: its schema is version %lld, expected %d; start pathwayd "
                       "on it once to bring it up to date",
                       s->path, (long long)version, store_migration_count);
    return OK;
}

/* The application id goes in before WAL, so that it is in the file itself, whatever crashes
 * next. */
static enum err_code prepare(struct store *s, bool is_empty, struct err *err)
{
    char stamp[64];
    enum err_code rc = OK;

    sqlite3_snprintf(sizeof(stamp), stamp, "PRAGMA application_id = %d", STORE_APPLICATION_ID);
    if (s->mode == STORE_WRITE && sqlite3_db_readonly(s->db, "main"))
        return err_set(err, ERR_IO,
                       "%s: is read-only; the daemon's user must be able to write the "
                       "file, and its disk must not be mounted read-only",
                       s->path);
    if (is_empty)
        rc = store_exec(s, stamp, "make the database", err);
    if (rc == OK)
        rc = store_exec(s,
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                        "PRAGMA secure_delete = ON; PRAGMA cache_size = -8192;"
                        "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;",
                        "set up the database", err);
    if (rc == OK)
        rc = store_exec(s, "BEGIN IMMEDIATE; ROLLBACK;", "begin to write", err);
    return rc;
}

static enum err_code read_blob(void *out, int size, struct store *s, const char *sql,
                               struct err *err)
{
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, sql, err);
    if (rc == OK)
        rc = stmt_row(&row, s, st, "read the database's identity", err);
    if (rc != OK)
        return rc;
    if (!row || sqlite3_column_bytes(st, 0) != size)
        rc = err_set(err, ERR_STORE,
                     "%s: the table meta has lost this database's id or note key; "
                     "restore a backup",
                     s->path);
    else
        memcpy(out, sqlite3_column_blob(st, 0), (size_t)size);
    stmt_done(st);
    return rc;
}

static enum err_code draw(struct store *s, const char *sql, int size, struct err *err)
{
    uint8_t bytes[DIGEST_BYTES];
    sqlite3_stmt *st;

    enum err_code rc = stmt_get(&st, s, sql, err);
    if (rc != OK)
        return rc;
    random_bytes(bytes, (size_t)size);
    sqlite3_bind_blob(st, 1, bytes, size, SQLITE_STATIC);
    return stmt_run(s, st, "make the database's identity", err);
}

/* Draw the id and the note key of a new database. Once there are events, a missing key is damage:
 * a new one would make new events of those that are sent again. */
static enum err_code draw_identity(struct store *s, struct err *err)
{
    static const char ID[] = "INSERT OR IGNORE INTO meta (key, value) VALUES ('id', ?1)";
    static const char KEY[] = "INSERT OR IGNORE INTO meta (key, value) VALUES ('note_key', ?1)";
    static const char EVENTS[] = "SELECT 1 FROM event_row LIMIT 1";
    int64_t has_events;

    enum err_code rc = stmt_int(&has_events, s, EVENTS, 0, "read the file", err);
    if (rc != OK || has_events)
        return rc;
    rc = sql_begin(s, err);
    if (rc != OK)
        return rc;
    rc = draw(s, ID, 8, err);
    if (rc == OK)
        rc = draw(s, KEY, DIGEST_BYTES, err);
    return sql_end(s, rc, err);
}

static enum err_code identify(struct store *s, struct err *err)
{
    static const char ID[] = "SELECT value FROM meta WHERE key = 'id'";
    static const char KEY[] = "SELECT value FROM meta WHERE key = 'note_key'";
    uint8_t id[8];

    enum err_code rc = read_blob(id, sizeof(id), s, ID, err);
    if (rc == OK)
        rc = read_blob(s->note_key, sizeof(s->note_key), s, KEY, err);
    for (size_t i = 0; rc == OK && i < sizeof(id); i++)
        sqlite3_snprintf(3, s->id + 2 * i, "%02x", id[i]);
    return rc == OK ? life_load(s, err) : rc;
}

static enum err_code set_up(struct store *s, struct err *err)
{
    bool is_empty = false;

    enum err_code rc = check(&is_empty, s, err);
    if (rc == OK && !only_reads(s->mode)) {
        rc = prepare(s, is_empty, err);
        if (rc == OK)
            rc = schema_migrate(s, store_migrations, store_migration_count, err);
        if (rc == OK)
            rc = draw_identity(s, err);
    }
    if (rc == OK)
        rc = identify(s, err);
    if (rc == OK && !only_reads(s->mode))
        rc = memory_load(s, err);
    return rc;
}

enum err_code store_open(struct store **out, const char *path, enum store_mode mode,
                         struct err *err)
{
    bool is_new = false;
    enum err_code rc = OK;

    *out = NULL;
    if (mode == STORE_MEMORY)
        path = ":memory:";
    else
        rc = look(&is_new, path, mode, err);
    if (rc != OK)
        return rc;
    struct store *s = calloc(1, sizeof(*s));
    char *copy = strdup(path);
    if (!s || !copy) {
        free(s);
        free(copy);
        return err_set(err, ERR_LIMIT, "%s: no memory to open the database", path);
    }
    s->path = copy;
    s->mode = mode;
    s->lock_fd = -1;
    if (mode == STORE_WRITE)
        rc = lock(s, path, is_new, err);
    if (rc == OK && mode == STORE_WRITE)
        scrub_expect(s);
    if (rc == OK)
        rc = store_connect(s, mode, err);
    if (rc == OK)
        rc = set_up(s, err);
    if (rc == OK)
        *out = s;
    else
        store_close(s);
    return rc;
}

/* What was committed but is not in the tables yet. */
static void write_the_rest(struct store *s)
{
    struct err err;

    if (s->open)
        store_rollback(s);
    if ((s->mode != STORE_WRITE && s->mode != STORE_MEMORY) || s->is_ahead || store_has_failed(s) ||
        !store_is_behind(s) || !s->dicts[DICT_SUBJECT].next_id)
        return;
    if (store_catch_up(s, true, &err) != OK)
        log_warn("store: tables left behind, made up for at the next start error=\"%s\"", err.msg);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    write_the_rest(s);
    for (int i = 0; i < STATEMENT_SLOTS; i++)
        sqlite3_finalize(s->statements[i].st);
    checker_free(s->checker);
    if (s->mode != STORE_REPLAY) /* there it is another store's */
        sqlite3_close(s->db);
    if (s->writer) /* after what only reads: the last one to close, which can write, puts the WAL
                      away */
        writer_stop(s->writer);
    memory_fini(s);
    store_free_batches(s);
    lock_release(s->lock_fd);
    free(s->lives);
    free(s->path);
    free(s);
}

const char *store_path(const struct store *s)
{
    return s->path;
}

const char *store_id(const struct store *s)
{
    return life_of(s, INT64_MAX);
}

const uint8_t *store_note_key(const struct store *s)
{
    return s->note_key;
}
