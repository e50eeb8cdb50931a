/* copy.c - see copy.h. */
#include "store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/internal.h"

#define STEP_PAGES 256 /* 1 MiB: what is copied between two looks around */
#define SYNC_STEPS 4

/* Format versions 18 and 19 of SQLite's header: 2 is WAL, which could not be read where nobody may
 * write. */
#define HEADER_VERSIONS 18

static enum err_code copy_fail(sqlite3 *to, const char *path, const struct store *from,
                               struct err *err)
{
    int code = sqlite3_errcode(to);

    if ((code & 0xff) == SQLITE_FULL)
        return err_set(err, ERR_LIMIT, "%s: no room for a copy of %s; free some space on its disk",
                       path, from->path);
    if ((code & 0xff) == SQLITE_NOMEM)
        return err_set(err, ERR_LIMIT, "%s: no memory for a copy of %s", path, from->path);
    if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
        return err_set(err, ERR_STORE, "%s: is damaged (%s)", from->path, sqlite3_errmsg(to));
    return err_set(err, ERR_IO, "%s: can not be copied to %s: %s", from->path, path,
                   sqlite3_errmsg(to));
}

static enum err_code force(int fd, const char *path, struct err *err)
{
    if (fdatasync(fd) == 0)
        return OK;
    return err_set(err, errno == ENOSPC ? ERR_LIMIT : ERR_IO, "%s: %s", path, strerror(errno));
}

/* The pages, in slices. `to` is told by SQLite what went wrong, whichever side it was. */
static enum err_code copy_pages(sqlite3 *to, struct store *from, const char *path, int fd,
                                copy_progress_fn *progress, void *arg, struct err *err)
{
    int64_t page_size;
    int step = SQLITE_OK;

    enum err_code rc = stmt_int(&page_size, from, "PRAGMA page_size", 4096, "read the file", err);
    if (rc != OK)
        return rc;
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from->db, "main");
    if (!copy)
        return copy_fail(to, path, from, err);
    for (int i = 1; rc == OK && step == SQLITE_OK; i++) {
        step = sqlite3_backup_step(copy, STEP_PAGES);
        int64_t of = sqlite3_backup_pagecount(copy);
        if (progress)
            progress((of - sqlite3_backup_remaining(copy)) * page_size, of * page_size, arg);
        if (i % SYNC_STEPS == 0)
            rc = force(fd, path, err);
    }
    sqlite3_backup_finish(copy);
    if (rc == OK && step != SQLITE_DONE)
        rc = copy_fail(to, path, from, err);
    return rc;
}

static enum err_code open_target(sqlite3 **to, const struct store *from, const char *path,
                                 struct err *err)
{
    int code = sqlite3_open_v2(path, to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    /* a copy that is cut off is thrown away: it needs no journal, and is forced to the disk
     * by us */
    if (code == SQLITE_OK)
        code = sqlite3_exec(*to,
                            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF;"
                            "PRAGMA synchronous = OFF; PRAGMA cache_size = -4096",
                            NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : copy_fail(*to, path, from, err);
}

enum err_code store_count(struct copied *out, struct store *s, struct err *err)
{
    static const char EVENTS[] = "SELECT max(seq) FROM event_row";
    static const char CHANGES[] = "SELECT max(seq) FROM change_row";
    static const char RECORDED[] = "SELECT recorded FROM event_row ORDER BY seq DESC LIMIT 1";

    *out = (struct copied){ 0 };
    enum err_code rc = stmt_int(&out->events, s, EVENTS, 0, "count the events", err);
    if (rc == OK)
        rc = stmt_int(&out->changes, s, CHANGES, 0, "count the changes", err);
    if (rc == OK)
        rc = stmt_int(&out->recorded, s, RECORDED, 0, "find the last event", err);
    return rc;
}

/* SQLite's own close of a descriptor drops no lock of ours: those of SQLite are on the file `to`
 * alone. */
static enum err_code finish(struct copied *out, int fd, const char *path, struct err *err)
{
    static const char ROLLBACK[2] = { 1, 1 };
    struct stat st;

    if (pwrite(fd, ROLLBACK, sizeof(ROLLBACK), HEADER_VERSIONS) != (ssize_t)sizeof(ROLLBACK) ||
        fstat(fd, &st) != 0)
        return err_set(err, errno == ENOSPC ? ERR_LIMIT : ERR_IO, "%s: %s", path, strerror(errno));
    out->bytes = st.st_size;
    return force(fd, path, err);
}

enum err_code store_copy(struct copied *out, struct store *from, const char *path,
                         copy_progress_fn *progress, void *arg, struct err *err)
{
    sqlite3 *to = NULL;

    *out = (struct copied){ 0 };
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    enum err_code rc = store_snapshot(from, err);
    if (rc == OK) {
        rc = store_count(out, from, err);
        if (rc == OK)
            rc = open_target(&to, from, path, err);
        if (rc == OK)
            rc = copy_pages(to, from, path, fd, progress, arg, err);
        if (sqlite3_close(to) != SQLITE_OK && rc == OK)
            rc = err_set(err, ERR_IO, "%s: can not be closed", path);
        store_snapshot_end(from);
    }
    if (rc == OK)
        rc = finish(out, fd, path, err);
    close(fd);
    return rc;
}

#define LEFTOVER "%s.copying"

enum err_code copy_make_room(char **path, const struct store *from, struct err *err)
{
    if (asprintf(path, LEFTOVER, from->path) < 0) {
        *path = NULL;
        return err_set(err, ERR_LIMIT, "%s: no memory for a copy", from->path);
    }
    unlink(*path);
    int fd = open(*path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return OK;
    }
    enum err_code rc =
        err_set(err, errno == ENOSPC ? ERR_LIMIT : ERR_IO, "%s: %s", *path, strerror(errno));
    free(*path);
    *path = NULL;
    return rc;
}

void copy_remove_leftover(const char *database)
{
    char *path = NULL;

    if (asprintf(&path, LEFTOVER, database) < 0)
        return;
    if (unlink(path) == 0)
        log_info("store: removed what was left of a copy path=%s", path);
    free(path);
}
