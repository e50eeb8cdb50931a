/* lock.c - see internal.h. flock() rather than fcntl(): the kernel releases it however the process
 * ends, and two stores of one process refuse each other too. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static enum err_code held(int fd, const char *path, struct err *err)
{
    char pid[24] = "";

    ssize_t got = pread(fd, pid, sizeof(pid) - 1, 0);
    pid[got > 0 ? strcspn(pid, "\n") : 0] = '\0';
    return err_set(err, ERR_BUSY,
                   "%s: another pathwayd (process %s) has this database; stop that one first, or "
                   "use another database",
                   path, pid[0] ? pid : "unknown");
}

/* The pid is only for the message above; that it could not be written does no harm. */
static void sign(int fd)
{
    char pid[24];

    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)len, 0) != len)
        (void)!ftruncate(fd, 0);
}

enum err_code lock_take(int *fd, const char *path, struct err *err)
{
    char name[4096];

    *fd = -1;
    if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
        return err_set(err, ERR_IO, "%s: path is too long", path);
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0)
        return err_set(err, ERR_IO,
                       "%s: cannot open the lock file: %s; the daemon's user must be "
                       "able to write in this folder",
                       name, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        enum err_code rc = errno == EWOULDBLOCK
                               ? held(file, path, err)
                               : err_set(err, ERR_IO,
                                         "%s: cannot lock: %s; a local file system is "
                                         "needed",
                                         name, strerror(errno));
        close(file);
        return rc;
    }
    sign(file);
    *fd = file;
    return OK;
}

void lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}
