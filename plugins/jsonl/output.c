/* output.c - see output.h. An older file is called PATH.SEQ, by its last entry, with zeros in front. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES  (1 << 20) /* no line is longer */
#define SEQ_PATTERN "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"

static bool fail(const struct output *o, char *error, size_t size, const char *what)
{
    snprintf(error, size, "can not %s %.300s: %s", what, o->path, strerror(errno));
    return false;
}

static int64_t seq_of(const char *line, size_t len)
{
    static const char KEY[] = "\"data\":{\"seq\":";
    const char *at = memmem(line, len, KEY, sizeof(KEY) - 1);
    return at ? strtoll(at + sizeof(KEY) - 1, NULL, 10) : 0;
}

/* Where the last whole line ends, and its number. */
static bool read_tail(struct output *o, int64_t *last, char *error, size_t size)
{
    int64_t from = o->size > TAIL_BYTES ? o->size - TAIL_BYTES : 0;
    size_t len = (size_t)(o->size - from);
    char *tail = malloc(len + 1);

    *last = 0;
    if (!tail || pread(o->fd, tail, len, from) != (ssize_t)len) {
        free(tail);
        return fail(o, error, size, "read the end of");
    }
    tail[len] = '\0';
    const char *end = len > 0 ? memrchr(tail, '\n', len) : NULL;
    size_t whole = end ? (size_t)(end - tail) + 1 : 0;
    if (whole > 0) {
        const char *before = memrchr(tail, '\n', whole - 1);
        const char *line = before ? before + 1 : tail;
        *last = seq_of(line, (size_t)(tail + whole - line));
    }
    free(tail);
    if (whole == 0 && from > 0) {
        snprintf(error, size, "%.300s ends in a line of more than a MiB: that was not written here",
                 o->path);
        return false;
    }
    o->size = from + (int64_t)whole;
    return ftruncate(o->fd, o->size) == 0 || fail(o, error, size, "shorten");
}

/* The newest of the older files: what it ends with counts when the current one is still empty. */
static int64_t last_of_older(const struct output *o)
{
    char pattern[4200];
    glob_t found;
    int64_t last = 0;

    snprintf(pattern, sizeof(pattern), "%s." SEQ_PATTERN, o->path);
    if (glob(pattern, 0, NULL, &found) == 0) {
        last = strtoll(strrchr(found.gl_pathv[found.gl_pathc - 1], '.') + 1, NULL, 10);
        globfree(&found);
    }
    return last;
}

static bool open_file(struct output *o, char *error, size_t size)
{
    struct stat st;

    o->fd = open(o->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (o->fd < 0 || fstat(o->fd, &st) != 0)
        return fail(o, error, size, "open");
    o->size = st.st_size;
    return true;
}

bool output_open(struct output *o, int64_t *last, char *error, size_t size)
{
    if (!open_file(o, error, size) || !read_tail(o, last, error, size)) {
        output_close(o);
        return false;
    }
    if (*last == 0)
        *last = last_of_older(o);
    return true;
}

static void drop_old(const struct output *o)
{
    char pattern[4200];
    glob_t found;

    snprintf(pattern, sizeof(pattern), "%s." SEQ_PATTERN, o->path);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i + (size_t)o->keep < found.gl_pathc; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
}

static bool rotate(struct output *o, int64_t seq, char *error, size_t size)
{
    char aside[4200];

    snprintf(aside, sizeof(aside), "%s.%012lld", o->path, (long long)seq);
    output_close(o);
    if (rename(o->path, aside) != 0)
        return fail(o, error, size, "put aside");
    drop_old(o);
    return open_file(o, error, size);
}

static bool write_all(struct output *o, const char *bytes, size_t len, char *error, size_t size)
{
    bool ok = true;

    for (size_t done = 0; done < len && ok;) {
        ssize_t n = write(o->fd, bytes + done, len - done);
        ok = n > 0 || (n < 0 && errno == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    if (ok && fdatasync(o->fd) == 0) {
        o->size += (int64_t)len;
        return true;
    }
    fail(o, error, size, "write");
    if (ftruncate(o->fd, o->size) != 0) /* no half a line; it is written again */
        output_close(o);
    return false;
}

/* How many bytes of whole lines until the file is full, one line at least; *last is where the last begins. */
static size_t until_full(const struct output *o, const char *bytes, size_t len, const char **last)
{
    size_t n = 0;

    while (n < len && (n == 0 || o->size + (int64_t)n < o->max_size)) {
        *last = bytes + n;
        n += (size_t)((const char *)memchr(bytes + n, '\n', len - n) - (bytes + n)) + 1;
    }
    return n;
}

bool output_write(struct output *o, const char *bytes, size_t len, int64_t *seq, char *error,
                  size_t size)
{
    const char *last = bytes;

    for (size_t n; len > 0; bytes += n, len -= n) {
        n = until_full(o, bytes, len, &last);
        if (!write_all(o, bytes, n, error, size))
            return false;
        *seq = seq_of(last, (size_t)(bytes + n - last));
        if (o->size >= o->max_size && !rotate(o, *seq, error, size))
            return false;
    }
    return true;
}

void output_close(struct output *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}
