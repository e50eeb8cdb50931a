/* restore.c - see restore.h. The order is: lock, copy, check, settle the old one, and only then
 * change names. */
#include "store/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/life.h"
#include "store/log.h"

#define NAME_MAX_BYTES 4096

struct restoring {
    const char *file;          /* the backup; borrowed */
    char path[NAME_MAX_BYTES]; /* of the database, without symbolic links */
    char copy[NAME_MAX_BYTES + 16];
    char folder[NAME_MAX_BYTES];
    struct stat old; /* of the database that is there */
    bool has_old;
    int lock_fd;
};

static enum err_code io_error(const char *path, struct err *err)
{
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_LIMIT : ERR_IO, "%s: %s", path,
                   strerror(errno));
}

/* ---- where ---- */

/* The database's name in the real path of its folder: it need not exist itself. */
static enum err_code find_place(struct restoring *r, const char *path, struct err *err)
{
    char copy[NAME_MAX_BYTES], base[NAME_MAX_BYTES];
    char *real = realpath(path, NULL);

    if (real) {
        snprintf(r->path, sizeof(r->path), "%s", real);
        free(real);
    } else {
        snprintf(copy, sizeof(copy), "%s", path);
        snprintf(base, sizeof(base), "%s", path);
        real = realpath(dirname(copy), NULL);
        if (!real)
            return err_set(err, ERR_IO,
                           "%s: its folder: %s; make it first, or name another database", path,
                           strerror(errno));
        int len = snprintf(r->path, sizeof(r->path), "%s/%s", real, basename(base));
        free(real);
        if (len >= (int)sizeof(r->path))
            return err_set(err, ERR_IO, "%s: path is too long", path);
    }
    snprintf(r->copy, sizeof(r->copy), "%s.restoring", r->path);
    snprintf(r->folder, sizeof(r->folder), "%s", r->path);
    dirname(r->folder);
    return OK;
}

static enum err_code look_at_old(struct restoring *r, struct err *err)
{
    struct stat file;

    r->has_old = stat(r->path, &r->old) == 0;
    if (!r->has_old)
        return errno == ENOENT ? OK : io_error(r->path, err);
    if (!S_ISREG(r->old.st_mode))
        return err_set(err, ERR_INPUT, "%s: is not an ordinary file, expected a database", r->path);
    if (stat(r->file, &file) == 0 && file.st_dev == r->old.st_dev && file.st_ino == r->old.st_ino)
        return err_set(err, ERR_INPUT, "%s: is that database itself; name a backup", r->file);
    return OK;
}

/* ---- the backup ---- */

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* SQLite reads a file that is cut off as far as it goes: its header says how long it was. */
static enum err_code check_length(const char *file, const uint8_t header[100], int64_t bytes,
                                  struct err *err)
{
    int64_t page = header[16] << 8 | header[17];
    int64_t pages = number_at(header + 28);

    if (page == 1)
        page = 65536;
    if (number_at(header + 24) != number_at(header + 92) || pages * page <= bytes)
        return OK; /* an old SQLite wrote no length; the check of all pages finds it */
    return err_set(err, ERR_CONFLICT,
                   "%s: is cut off: it has %lld bytes of %lld; take another backup", file,
                   (long long)bytes, (long long)(pages * page));
}

static enum err_code check_header(const char *file, struct err *err)
{
    static const char MAGIC[16] = "SQLite format 3";
    uint8_t header[100];
    struct stat st;

    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? err_set(err, ERR_ABSENT, "%s: there is no such file", file)
                               : io_error(file, err);
    ssize_t got = fstat(fd, &st) == 0 ? pread(fd, header, sizeof(header), 0) : -1;
    int why = errno;
    close(fd);
    errno = why;
    if (got < 0)
        return io_error(file, err);
    if (got < (ssize_t)sizeof(header) || memcmp(header, MAGIC, sizeof(MAGIC)) != 0)
        return err_set(err, ERR_CONFLICT,
                       "%s: is no backup: it does not begin as an SQLite database does", file);
    return check_length(file, header, st.st_size, err);
}

/* What the check of a database says ends with what to do about one that is in use. */
static enum err_code not_whole(const struct restoring *r, struct err *err)
{
    static const char ADVICE[] = "; restore a backup";
    char *end = strstr(err->msg, ADVICE);

    if (end)
        *end = '\0';
    const char *why = err->msg;
    size_t prefix = strlen(r->copy);
    if (strncmp(why, r->copy, prefix) == 0 && strncmp(why + prefix, ": ", 2) == 0)
        why += prefix + 2;
    struct err told = *err;
    return err_set(err, ERR_CONFLICT, "%s: is not whole: %s; take another backup", r->file,
                   told.msg + (why - err->msg));
}

static bool is_damage(enum err_code rc)
{
    return rc == ERR_CONFLICT || rc == ERR_STORE;
}

static void remove_beside(const char *path, const char *const *endings)
{
    char name[NAME_MAX_BYTES + 32];

    for (; *endings; endings++)
        if (snprintf(name, sizeof(name), "%s%s", path, *endings) < (int)sizeof(name))
            unlink(name);
}

static enum err_code make_copy(struct restored *out, struct restoring *r,
                               copy_progress_fn *progress, void *arg, struct err *err)
{
    static const char *const LEFT[] = { "-wal", "-shm", "-journal", NULL };
    struct store *from = NULL;

    enum err_code rc = store_open(&from, r->file, STORE_COPIES, err);
    unlink(r->copy); /* of one that was killed: the lock is ours */
    remove_beside(r->copy, LEFT);
    if (rc == OK) {
        int fd = open(r->copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        rc = fd < 0 ? io_error(r->copy, err)
                    : store_copy(&out->holds, from, r->copy, progress, arg, err);
        if (fd >= 0)
            close(fd);
    }
    store_close(from);
    return is_damage(rc) ? not_whole(r, err) : rc;
}

/* Bring an older schema up to date, as the daemon would do when it opens it. */
static enum err_code migrate(struct restoring *r, struct err *err)
{
    struct store *s = NULL;

    enum err_code rc = store_open(&s, r->copy, STORE_WRITE, err);
    store_close(s);
    return rc;
}

static enum err_code check_copy(struct restoring *r, struct err *err)
{
    struct store *s = NULL;
    int64_t version = 0, events;

    enum err_code rc = store_open(&s, r->copy, STORE_COPIES, err);
    if (rc == OK)
        rc = schema_version(&version, s, err);
    store_close(s);
    s = NULL;
    if (rc == OK && version < store_migration_count)
        rc = migrate(r, err);
    if (rc == OK)
        rc = store_open(&s, r->copy, STORE_READ, err);
    if (rc == OK)
        rc = log_verify(&events, s, err);
    store_close(s);
    return is_damage(rc) ? not_whole(r, err) : rc;
}

/* Whoever has seen what came after the backup can be told: numbers that are given again come under
 * another name. */
static enum err_code begin_life(struct restoring *r, struct err *err)
{
    struct store *s = NULL;

    enum err_code rc = store_open(&s, r->copy, STORE_WRITE, err);
    if (rc == OK)
        rc = life_begin(s, err);
    store_close(s);
    return rc;
}

/* As the old one was, or as others in the folder would be: the daemon must be able to write it. */
static enum err_code give_owner(const struct restoring *r, struct err *err)
{
    struct stat folder;
    struct stat lock;

    if (stat(r->folder, &folder) != 0)
        return io_error(r->folder, err);
    const struct stat *like = r->has_old ? &r->old : &folder;
    mode_t mode = r->has_old ? r->old.st_mode & 0777 : 0640;
    if (chmod(r->copy, mode) != 0)
        return io_error(r->copy, err);
    if (geteuid() != 0)
        return OK;
    if (chown(r->copy, like->st_uid, like->st_gid) != 0)
        return io_error(r->copy, err);
    if (fstat(r->lock_fd, &lock) == 0 && lock.st_uid != like->st_uid &&
        fchown(r->lock_fd, like->st_uid, like->st_gid) != 0)
        return io_error(r->path, err);
    return OK;
}

/* ---- the old one ---- */

/*
 * Put what is in its WAL into the old database, so that one name holds it all: a WAL that stays
 * beside another database would be taken for its own. *is_settled false: it is damaged, and what
 * its WAL holds is moved aside too.
 */
static enum err_code settle(bool *is_settled, const struct restoring *r, struct err *err)
{
    sqlite3 *db = NULL;

    int code = sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, STORE_BUSY_MS);
        /* a connection that has read nothing does not know of the WAL */
        code = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_close(db);
    *is_settled = code == SQLITE_OK;
    if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
        return err_set(err, ERR_BUSY,
                       "%s: another program has this database open; close it, or wait until it is "
                       "done, and restore again",
                       r->path);
    return OK;
}

static enum err_code sync_folder(const struct restoring *r, struct err *err)
{
    int fd = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code rc = fd < 0 || fsync(fd) != 0 ? io_error(r->folder, err) : OK;

    if (fd >= 0)
        close(fd);
    return rc;
}

/* One more name for the old database; a second restore within the second gets another. */
static enum err_code link_aside(char **aside, const struct restoring *r, struct err *err)
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;

    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    for (int i = 1; i < 1000; i++) {
        int len = i == 1 ? asprintf(aside, "%s.before-restore-%s", r->path, when)
                         : asprintf(aside, "%s.before-restore-%s-%d", r->path, when, i);
        if (len < 0) {
            *aside = NULL;
            return err_set(err, ERR_LIMIT, "%s: no memory", r->path);
        }
        if (link(r->path, *aside) == 0)
            return sync_folder(r, err);
        int why = errno;
        if (why != EEXIST)
            err_set(err, ERR_IO, "%s: can not get the name %s: %s; move it away by hand", r->path,
                    *aside, strerror(why));
        free(*aside);
        *aside = NULL;
        if (why != EEXIST)
            return ERR_IO;
    }
    return err_set(err, ERR_IO, "%s: too many databases from before a restore", r->path);
}

/* Only of a damaged one: what SQLite can not read stays beside it, under its name. */
static enum err_code move_wal(const struct restoring *r, const char *aside, struct err *err)
{
    char from[NAME_MAX_BYTES + 16], to[NAME_MAX_BYTES + 128];

    snprintf(from, sizeof(from), "%s-wal", r->path);
    snprintf(to, sizeof(to), "%s-wal", aside);
    if (rename(from, to) != 0 && errno != ENOENT)
        return io_error(from, err);
    return sync_folder(r, err);
}

static enum err_code put_in_place(struct restored *out, const struct restoring *r, struct err *err)
{
    static const char *const EMPTY[] = { "-wal", "-shm", "-journal", NULL };
    static const char *const SHARED[] = { "-shm", NULL };
    bool is_settled = true;
    enum err_code rc = OK;

    if (r->has_old) {
        rc = settle(&is_settled, r, err);
        if (rc == OK)
            rc = link_aside(&out->before, r, err);
        if (rc == OK && !is_settled)
            rc = move_wal(r, out->before, err);
    }
    if (rc != OK)
        return rc;
    remove_beside(r->path, is_settled ? EMPTY : SHARED);
    if (rename(r->copy, r->path) != 0)
        return io_error(r->path, err);
    return sync_folder(r, err);
}

enum err_code store_restore(struct restored *out, const char *file, const char *path,
                            copy_progress_fn *progress, void *arg, struct err *err)
{
    static const char *const BESIDE[] = { ".lock", "-wal", "-shm", "-journal", NULL };
    struct restoring r = { .file = file, .lock_fd = -1 };

    *out = (struct restored){ 0 };
    enum err_code rc = find_place(&r, path, err);
    if (rc != OK)
        return rc;
    rc = look_at_old(&r, err);
    if (rc == OK) /* before the lock, whose file stays: what is no backup leaves nothing */
        rc = check_header(file, err);
    if (rc == OK)
        rc = lock_take(&r.lock_fd, r.path, err);
    if (rc != OK)
        return rc;
    rc = make_copy(out, &r, progress, arg, err);
    if (rc == OK)
        rc = check_copy(&r, err);
    if (rc == OK)
        rc = begin_life(&r, err);
    if (rc == OK)
        rc = give_owner(&r, err);
    if (rc == OK)
        rc = put_in_place(out, &r, err);
    if (rc != OK)
        unlink(r.copy);
    remove_beside(r.copy, BESIDE); /* empty ones, of those who looked at the copy */
    lock_release(r.lock_fd);
    return rc;
}
