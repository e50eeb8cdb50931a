/* common.c - see common.h. */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void *need(void *p)
{
    if (!p)
        die("no memory");
    return p;
}

static size_t *find_starts(size_t *count, const char *bytes, size_t size, size_t limit)
{
    size_t cap = 1024, n = 0;
    size_t *starts = need(malloc(cap * sizeof(*starts)));
    const char *at = bytes, *end = bytes + size, *newline;

    starts[0] = 0;
    while (at < end && (limit == 0 || n < limit)) {
        newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline)
            die("the last line has no end");
        at = newline + 1;
        if (++n == cap)
            starts = need(realloc(starts, (cap *= 2) * sizeof(*starts)));
        starts[n] = (size_t)(at - bytes);
    }
    *count = n;
    return starts;
}

struct lines lines_read(const char *path, size_t limit)
{
    struct lines l = { .bytes = "" };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0)
        die("%s: %s", path, strerror(errno));
    size_t size = (size_t)st.st_size;
    if (size > 0) {
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (map == MAP_FAILED)
            die("%s: %s", path, strerror(errno));
        l.bytes = map;
    }
    close(fd);
    l.start = find_starts(&l.count, l.bytes, size, limit);
    return l;
}

void latencies_add(struct latencies *l, int64_t us)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 1024;
        l->us = need(realloc(l->us, l->cap * sizeof(*l->us)));
    }
    l->us[l->count++] = us;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Milliseconds that `share` of the sorted durations do not exceed. */
static double percentile(const struct latencies *l, double share)
{
    size_t i = (size_t)(share * (double)l->count);

    if (l->count == 0)
        return 0;
    return (double)l->us[i < l->count ? i : l->count - 1] / 1000;
}

void latencies_print(FILE *out, struct latencies *l)
{
    if (l->count > 0)
        qsort(l->us, l->count, sizeof(*l->us), compare);
    fprintf(out, "{\"count\":%zu,\"p50\":%.3f,\"p99\":%.3f,\"p99.9\":%.3f,\"max\":%.3f}", l->count,
            percentile(l, 0.5), percentile(l, 0.99), percentile(l, 0.999), percentile(l, 1));
}

const char *option_text(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

int64_t option_number(int argc, char **argv, const char *name, int64_t otherwise)
{
    const char *text = option_text(argc, argv, name);
    char *end;

    if (!text)
        return otherwise;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || n < 0)
        die("%s: found '%s', expected a whole number", name, text);
    return n;
}

const char *option_needed(int argc, char **argv, const char *name, const char *usage)
{
    const char *text = option_text(argc, argv, name);

    if (!text)
        die("%s is missing\nusage: %s", name, usage);
    return text;
}
