/* stuck.c - see stuck.h. The file has a line for each: PACK DIGEST PLACE. The database keeps the
 * rest of it as "stuck/PACK". */
#include "engine/stuck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "lua/sandbox.h"
#include "store/meta.h"

#define STUCK          "stuck/"
#define PATH_MAX_BYTES 4096

static char path[PATH_MAX_BYTES];

static void path_of(char out[PATH_MAX_BYTES], const char *database)
{
    snprintf(out, PATH_MAX_BYTES, "%s-stuck", database);
}

/* ---- the end ---- */

static void put(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

static void tell(int fd, const char *pack, const char *place)
{
    put(fd, pack);
    put(fd, " ");
    put(fd, place);
    put(fd, "\n");
}

/* In a signal's handler: nothing but what may be called there. */
static void end_process(const struct sandbox *sb)
{
    const char *place = sb->where ? sb->where : "while it was loaded";
    bool is_overlay = sb->overlay && (!sb->where || strncmp(sb->where, "hubs/", 5) == 0);
    const char *pack = is_overlay ? sb->overlay : sb->national ? sb->national : "";
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd >= 0) {
        tell(fd, pack, place);
        fsync(fd);
        close(fd);
    }
    put(2, "rules: never came back, the process ends pack=");
    tell(2, pack, place);
    _exit(STUCK_EXIT);
}

void stuck_watch(const char *database)
{
    path_of(path, database);
    sandbox_on_dead(end_process);
}

/* ---- the next beginning ---- */

/* "hubs/07 DIGEST PLACE" */
static enum err_code take_line(struct store *s, char *line, struct err *err)
{
    char *digest = strchr(line, ' '), *place = digest ? strchr(digest + 1, ' ') : NULL;
    char key[120];

    if (!place || place - digest != DIGEST_HEX)
        return OK; /* cut short: it did not come so far */
    *digest = '\0';
    snprintf(key, sizeof(key), STUCK "%s", line);
    log_err("rules: left out, since it never came back pack=%s place=\"%s\"", line, place + 1);
    return meta_put(s, key, digest + 1, err);
}

static enum err_code take_lines(struct store *s, char *text, struct err *err)
{
    enum err_code rc = store_begin(s, err);

    if (rc != OK)
        return rc;
    for (char *line = text, *end; rc == OK && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        rc = take_line(s, line, err);
    }
    if (rc == OK)
        return store_commit(s, err);
    store_rollback(s);
    return rc;
}

enum err_code stuck_take(struct store *s, const char *database, struct err *err)
{
    char name[PATH_MAX_BYTES];
    struct buf text = { 0 };

    path_of(name, database);
    if (access(name, F_OK) != 0)
        return OK;
    enum err_code rc = file_read(&text, name, err);
    char *copy = rc == OK ? buf_take(&text) : NULL;
    if (rc == OK && copy)
        rc = take_lines(s, copy, err);
    if (rc == OK && unlink(name) != 0)
        rc = err_set(err, ERR_IO, "%s: it can not be removed: %s", name, strerror(errno));
    free(copy);
    buf_fini(&text);
    return rc;
}

struct each {
    stuck_fn *fn;
    void *arg;
};

static enum err_code take_kept(const char *key, const char *text, void *arg, struct err *err)
{
    const struct each *each = arg;
    char digest[DIGEST_HEX];
    const char *space = strchr(text, ' ');

    if (!space || space - text != DIGEST_HEX - 1)
        return OK;
    memcpy(digest, text, DIGEST_HEX - 1);
    digest[DIGEST_HEX - 1] = '\0';
    return each->fn(key + strlen(STUCK), digest, space + 1, each->arg, err);
}

enum err_code stuck_each(struct store *s, stuck_fn *fn, void *arg, struct err *err)
{
    return meta_each(s, STUCK, take_kept, &(struct each){ fn, arg }, err);
}
