/* folder.c - see folder.h. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)16 << 20)
#define ADDED_MAX      strlen("~99999.report.json.new")

static bool fail(char *error, size_t size, const char *what, const char *path)
{
    snprintf(error, size, "can not %s %.300s: %s", what, path, strerror(errno));
    return false;
}

/* ROOT/PART/NAME; NULL: no memory. */
static char *path_of(const struct folder *f, const char *part, const char *name)
{
    char *out = NULL;
    return asprintf(&out, "%s/%s%s%s", f->root, part, *name ? "/" : "", name) < 0 ? NULL : out;
}

static bool no_memory(char *error, size_t size)
{
    snprintf(error, size, "no memory");
    return false;
}

bool folder_open(struct folder *f, const char *root, char *error, size_t size)
{
    static const char *const PARTS[] = { "in", "work", "done", "failed" };

    f->root = strdup(root);
    if (!f->root)
        return no_memory(error, size);
    if (mkdir(root, 0770) != 0 && errno != EEXIST)
        return fail(error, size, "make", root);
    for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
        char *path = path_of(f, PARTS[i], "");
        if (!path)
            return no_memory(error, size);
        bool ok =
            (mkdir(path, 0770) == 0 || errno == EEXIST) && access(path, W_OK | X_OK | R_OK) == 0;
        if (!ok)
            fail(error, size, "use", path);
        free(path);
        if (!ok)
            return false;
    }
    return true;
}

void folder_close(struct folder *f)
{
    free(f->root);
    f->root = NULL;
}

/* ---- taking ---- */

/* Names that begin with a dot, or say that somebody still writes. */
static bool is_unfinished(const char *name)
{
    size_t len = strlen(name);
    return name[0] == '.' || name[len - 1] == '~' ||
           (len > 4 && strcmp(name + len - 4, ".tmp") == 0) ||
           (len > 5 && strcmp(name + len - 5, ".part") == 0);
}

static bool is_settled(const struct folder *f, const char *part, const char *name)
{
    struct stat st;
    char *path = path_of(f, part, name);
    time_t now = time(NULL);
    bool ok = path && lstat(path, &st) == 0;

    /* A clock that goes ahead elsewhere has dated it: since when it is here, ours says. */
    ok = ok && now - (st.st_mtime > now ? st.st_ctime : st.st_mtime) >= f->settle_s;

    free(path);
    return ok;
}

/* The first name of a part that is ready; NULL: none. */
static bool first_of(char **out, const struct folder *f, const char *part, bool any, char *error,
                     size_t size)
{
    char *path = path_of(f, part, ""), *first = NULL;
    DIR *dir = path ? opendir(path) : NULL;
    const struct dirent *d;

    *out = NULL;
    if (!dir) {
        fail(error, size, "read", path ? path : part);
        free(path);
        return false;
    }
    while ((d = readdir(dir))) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
            (first && strcmp(d->d_name, first) >= 0) ||
            (!any && (is_unfinished(d->d_name) || !is_settled(f, part, d->d_name))))
            continue;
        free(first);
        first = strdup(d->d_name);
    }
    closedir(dir);
    free(path);
    *out = first;
    return true;
}

static bool sync_folder(const struct folder *f, const char *part)
{
    char *path = path_of(f, part, "");
    int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

bool folder_take(char **out, bool *is_new, const struct folder *f, char *error, size_t size)
{
    *is_new = false;
    if (!first_of(out, f, "work", true, error, size))
        return false;
    if (*out)
        return true;
    if (!first_of(out, f, "in", false, error, size) || !*out)
        return *out != NULL || error[0] == '\0';
    char *from = path_of(f, "in", *out), *to = path_of(f, "work", *out);
    bool ok = from && to && rename(from, to) == 0 && sync_folder(f, "work") && sync_folder(f, "in");
    if (!ok) {
        fail(error, size, "take", *out);
        free(*out);
        *out = NULL;
    }
    *is_new = ok;
    free(from);
    free(to);
    return ok;
}

/* ---- reading ---- */

static FILE *open_work(const struct folder *f, const char *name, struct stat *st, char *error,
                       size_t size)
{
    char *path = path_of(f, "work", name);
    FILE *file = NULL;

    if (!path) {
        no_memory(error, size);
    } else if (lstat(path, st) != 0) {
        fail(error, size, "read", name);
    } else if (!S_ISREG(st->st_mode)) {
        snprintf(error, size, "it is no regular file");
    } else {
        int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        file = fd >= 0 ? fdopen(fd, "r") : NULL;
        if (!file)
            fail(error, size, "read", name);
    }
    free(path);
    return file;
}

static bool grow(struct piece *p, size_t *cap, size_t more)
{
    if (p->len + more + 1 <= *cap)
        return true;
    size_t wanted = *cap ? *cap * 2 : 65536;
    while (wanted < p->len + more + 1)
        wanted *= 2;
    char *bytes = realloc(p->bytes, wanted);
    if (!bytes)
        return false;
    p->bytes = bytes;
    *cap = wanted;
    return true;
}

/* One line more, if it fits; it always ends with a newline, also the last. */
static bool add_line(struct piece *out, size_t *cap, const char *line, size_t len, char *error,
                     size_t size)
{
    if (len > LINE_MAX_BYTES) {
        snprintf(error, size, "a line is longer than %zu MiB", LINE_MAX_BYTES >> 20);
        return false;
    }
    if (!grow(out, cap, len + 1))
        return no_memory(error, size);
    memcpy(out->bytes + out->len, line, len);
    out->len += len;
    if (len == 0 || line[len - 1] != '\n')
        out->bytes[out->len++] = '\n';
    out->bytes[out->len] = '\0';
    out->lines++;
    out->next += (int64_t)len;
    return true;
}

bool folder_read_lines(struct piece *out, const struct folder *f, const char *name, int64_t offset,
                       int max_lines, char *error, size_t size)
{
    struct stat st;
    char *line = NULL;
    size_t room = 0, cap = 0;
    ssize_t len = 0;

    *out = (struct piece){ .next = offset };
    FILE *file = open_work(f, name, &st, error, size);
    if (!file)
        return false;
    bool ok = fseeko(file, offset, SEEK_SET) == 0 || fail(error, size, "read", name);
    while (ok && out->lines < max_lines && (len = getline(&line, &room, file)) > 0) {
        if (out->lines > 0 && out->len + (size_t)len > BYTES_MAX)
            break;
        ok = add_line(out, &cap, line, (size_t)len, error, size);
    }
    if (ok && ferror(file))
        ok = fail(error, size, "read", name);
    out->is_end = out->next >= st.st_size;
    free(line);
    fclose(file);
    return ok;
}

bool folder_read_whole(struct piece *out, const struct folder *f, const char *name, char *error,
                       size_t size)
{
    struct stat st;
    size_t cap = 0;

    *out = (struct piece){ .is_end = true };
    FILE *file = open_work(f, name, &st, error, size);
    if (!file)
        return false;
    bool ok = st.st_size <= (off_t)WHOLE_MAX;
    if (!ok)
        snprintf(error, size,
                 "it is larger than %zu MiB; split it, or send it as NDJSON, a line an event",
                 WHOLE_MAX >> 20);
    if (ok && !grow(out, &cap, (size_t)st.st_size + 1))
        ok = no_memory(error, size);
    if (ok) {
        out->len = fread(out->bytes, 1, (size_t)st.st_size, file);
        out->bytes[out->len] = '\0';
        ok = !ferror(file) || fail(error, size, "read", name);
    }
    fclose(file);
    return ok;
}

void piece_fini(struct piece *p)
{
    free(p->bytes);
    *p = (struct piece){ 0 };
}

/* ---- putting away ---- */

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    bool ok = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && ok;
}

/* How much of a name leaves room for what may be put behind it; not cut within a character. */
static int kept_len(const char *name)
{
    size_t len = strlen(name);

    if (len <= NAME_MAX - ADDED_MAX)
        return (int)len;
    len = NAME_MAX - ADDED_MAX;
    while (len > 1 && ((unsigned char)name[len] & 0xC0) == 0x80)
        len--;
    return (int)len;
}

/* A name that is free in that part: NAME, NAME~2, NAME~3... */
static char *free_name(const struct folder *f, const char *part, const char *name)
{
    int len = kept_len(name);

    for (int i = 1; i < 100000; i++) {
        char *candidate = NULL;
        struct stat st;
        int rc = i == 1 ? asprintf(&candidate, "%.*s", len, name)
                        : asprintf(&candidate, "%.*s~%d", len, name, i);
        char *path = rc < 0 ? NULL : path_of(f, part, candidate);
        if (!path)
            return NULL;
        bool is_free = lstat(path, &st) != 0 && errno == ENOENT;
        free(path);
        if (is_free)
            return candidate;
        free(candidate);
    }
    return NULL;
}

/* The report has its name before the file has: a file that is put away has one, whatever
 * happens. */
bool folder_finish(const struct folder *f, const char *name, bool is_done, const char *report,
                   char *error, size_t size)
{
    const char *part = is_done ? "done" : "failed";
    char *kept = free_name(f, part, name), *beside = NULL, *to = NULL, *told = NULL;
    char *from = path_of(f, "work", name);

    if (kept)
        to = path_of(f, part, kept);
    if (!to || !from || asprintf(&told, "%s.report.json", to) < 0 ||
        asprintf(&beside, "%s.new", told) < 0) {
        free(kept);
        free(to);
        free(from);
        return no_memory(error, size);
    }
    bool ok = write_file(beside, report) && rename(beside, told) == 0 && rename(from, to) == 0 &&
              sync_folder(f, part) && sync_folder(f, "work");
    if (!ok)
        fail(error, size, "put away", name);
    free(kept);
    free(beside);
    free(told);
    free(to);
    free(from);
    return ok;
}
