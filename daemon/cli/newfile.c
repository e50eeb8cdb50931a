/* newfile.c - see newfile.h. */
#include "cli/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err_code failed(const char *path, struct err *err)
{
    return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_LIMIT : ERR_IO, "%s: %s", path,
                   strerror(errno));
}

static bool has_beside(const char *path, const char *ending)
{
    char *name = NULL;
    bool there = asprintf(&name, "%s%s", path, ending) >= 0 && access(name, F_OK) == 0;

    free(name);
    return there;
}

/* A database in use is no old backup, whatever was said. */
static enum err_code check_target(const struct newfile *f, struct err *err)
{
    struct stat st;

    if (lstat(f->path, &st) != 0)
        return errno == ENOENT ? OK : failed(f->path, err);
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_CONFLICT, "%s: is a folder; name a file in it", f->path);
    if (!f->may_replace)
        return err_set(err, ERR_CONFLICT,
                       "%s: is there already, and stays as it is; name another file, or say "
                       "--overwrite",
                       f->path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFLICT, "%s: is not an ordinary file", f->path);
    if (has_beside(f->path, "-wal") || has_beside(f->path, ".lock"))
        return err_set(err, ERR_CONFLICT,
                       "%s: is a database that is used, with other files beside it; name another "
                       "file",
                       f->path);
    return OK;
}

enum err_code newfile_begin(struct newfile *f, const char *path, bool may_replace, struct err *err)
{
    struct stat st, named;

    *f = (struct newfile){ .path = path, .fd = -1, .may_replace = may_replace };
    enum err_code rc = check_target(f, err);
    if (rc != OK)
        return rc;
    char *partial = NULL;
    if (asprintf(&partial, "%s.partial", path) < 0)
        return err_set(err, ERR_LIMIT, "no memory");
    f->fd = open(partial, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->fd < 0)
        rc = failed(partial, err);
    else if (flock(f->fd, LOCK_EX | LOCK_NB) != 0 || fstat(f->fd, &st) != 0 ||
             stat(partial, &named) != 0 || st.st_ino != named.st_ino)
        rc = err_set(err, ERR_BUSY, "%s: another program is writing it", partial);
    else if (fchmod(f->fd, 0600) != 0 || ftruncate(f->fd, 0) != 0)
        rc = failed(partial, err);
    if (rc == OK)
        f->partial = partial;
    else
        free(partial);
    return rc;
}

static enum err_code sync_folder(const char *path, struct err *err)
{
    char *copy = strdup(path);

    if (!copy)
        return err_set(err, ERR_LIMIT, "no memory");
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code rc = fd < 0 || fsync(fd) != 0 ? failed(folder, err) : OK;
    if (fd >= 0)
        close(fd);
    free(copy);
    return rc;
}

/* A file that somebody made meanwhile stays. Where the file system can not say so in one step, a
 * link does. */
static enum err_code give_name(const struct newfile *f, struct err *err)
{
    if (f->may_replace)
        return rename(f->partial, f->path) == 0 ? OK : failed(f->path, err);
    if (renameat2(AT_FDCWD, f->partial, AT_FDCWD, f->path, RENAME_NOREPLACE) == 0)
        return OK;
    if (errno == EINVAL && link(f->partial, f->path) == 0) {
        unlink(f->partial);
        return OK;
    }
    if (errno == EEXIST)
        return err_set(err, ERR_CONFLICT, "%s: somebody else has made it meanwhile; it stays",
                       f->path);
    return failed(f->path, err);
}

enum err_code newfile_finish(struct newfile *f, struct err *err)
{
    if (fsync(f->fd) != 0)
        return failed(f->partial, err);
    enum err_code rc = give_name(f, err);
    if (rc != OK)
        return rc;
    free(f->partial);
    f->partial = NULL;
    return sync_folder(f->path, err);
}

void newfile_fini(struct newfile *f)
{
    if (f->partial) {
        unlink(f->partial);
        free(f->partial);
        f->partial = NULL;
    }
    if (f->path && f->fd >= 0)
        close(f->fd);
    f->path = NULL;
}
