/* output.c - see output.h. An older file is called PATH.SEQ, by its last entry, with zeros in
 * front. */
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

/* What it is called stands in front of all that rules and senders had a word in. */
static void take_line(struct last_entry *out, const char *line, size_t len)
{
    static const char KEY[] = "\"id\":\"";
    const char *id = memmem(line, len, KEY, sizeof(KEY) - 1);
    const char *from = id ? id + sizeof(KEY) - 1 : NULL;
    const char *end = from ? memchr(from, '"', (size_t)(line + len - from)) : NULL;

    out->seq = seq_of(line, len);
    out->id[0] = '\0';
    if (end && (size_t)(end - from) < sizeof(out->id)) {
        memcpy(out->id, from, (size_t)(end - from));
        out->id[end - from] = '\0';
    }
}

/* The last whole line of a file of `bytes`, and where it ends: 0, there is none in what was looked
 * at. */
static bool read_last(struct last_entry *out, int64_t *whole, int fd, int64_t bytes)
{
    int64_t from = bytes > TAIL_BYTES ? bytes - TAIL_BYTES : 0;
    size_t len = (size_t)(bytes - from);
    char *tail = malloc(len + 1);

    *whole = 0;
    *out = (struct last_entry){ 0 };
    if (!tail || pread(fd, tail, len, from) != (ssize_t)len) {
        free(tail);
        return false;
    }
    const char *end = len > 0 ? memrchr(tail, '\n', len) : NULL;
    if (end) {
        size_t count = (size_t)(end - tail) + 1;
        const char *before = memrchr(tail, '\n', count - 1);
        const char *line = before ? before + 1 : tail;
        take_line(out, line, (size_t)(tail + count - line));
        *whole = from + (int64_t)count;
    }
    free(tail);
    return true;
}

static bool read_tail(struct output *o, struct last_entry *last, char *error, size_t size)
{
    int64_t whole;

    if (!read_last(last, &whole, o->fd, o->size))
        return fail(o, error, size, "read the end of");
    if (whole == 0 && o->size > TAIL_BYTES) {
        snprintf(error, size, "%.300s ends in a line of more than a MiB: that was not written here",
                 o->path);
        return false;
    }
    o->size = whole;
    return ftruncate(o->fd, o->size) == 0 || fail(o, error, size, "shorten");
}

/* The newest of the older files: what it ends with counts when the current one is still empty. */
static void last_of_older(struct last_entry *out, const struct output *o)
{
    char pattern[4200];
    glob_t found;
    struct stat st;
    int64_t whole;

    snprintf(pattern, sizeof(pattern), "%s." SEQ_PATTERN, o->path);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    const char *newest = found.gl_pathv[found.gl_pathc - 1];
    int fd = open(newest, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !read_last(out, &whole, fd, st.st_size) || out->seq == 0)
        *out = (struct last_entry){ .seq = strtoll(strrchr(newest, '.') + 1, NULL, 10) };
    if (fd >= 0)
        close(fd);
    globfree(&found);
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

bool output_open(struct output *o, struct last_entry *last, char *error, size_t size)
{
    if (!open_file(o, error, size) || !read_tail(o, last, error, size)) {
        output_close(o);
        return false;
    }
    if (last->seq == 0)
        last_of_older(last, o);
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

/* After a restore numbers come again: what has such a name already stays. */
static bool put_aside(const struct output *o, int64_t seq)
{
    char aside[4200];

    for (int i = 1; i < 1000; i++) {
        snprintf(aside, sizeof(aside), i == 1 ? "%s.%012lld" : "%s.%012lld-%d", o->path,
                 (long long)seq, i);
        if (renameat2(AT_FDCWD, o->path, AT_FDCWD, aside, RENAME_NOREPLACE) == 0)
            return true;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

static bool rotate(struct output *o, int64_t seq, char *error, size_t size)
{
    output_close(o);
    if (!put_aside(o, seq))
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

/* How many bytes of whole lines until the file is full, one line at least; *last is where the last
 * begins. */
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
