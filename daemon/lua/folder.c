/* folder.c - see folder.h. */
#include "lua/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "model/subject.h"

#define FILE_BYTES_MAX (1024 * 1024)
#define HUBS_MAX       1000

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct ruleset_file *)a)->path, ((const struct ruleset_file *)b)->path);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *join(struct arena *arena, const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = arena_alloc(arena, size);
    if (path)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static enum err_code no_memory(const char *path, struct err *err)
{
    return err_set(err, ERR_LIMIT, "%s: no memory", path);
}

const char *folder_hub_of(const char *path, size_t *len)
{
    if (strncmp(path, "hubs/", 5) != 0)
        return NULL;
    *len = strcspn(path + 5, "/");
    return path[5 + *len] == '/' ? path + 5 : NULL;
}

/* ---- files ---- */

/* Some editors put UTF-8's mark in front of a text. */
static void skip_mark(struct ruleset_file *file)
{
    if (file->len >= 3 && memcmp(file->text, "\xef\xbb\xbf", 3) == 0) {
        file->text += 3;
        file->len -= 3;
    }
}

static enum err_code read_file(struct ruleset_file *out, struct arena *arena, const char *path,
                               struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe would never open */
    FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (!f) {
        enum err_code rc = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    enum err_code rc = OK;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        rc = err_set(err, ERR_IO, "%s: is not a file that can be read", path);
    else if (st.st_size > FILE_BYTES_MAX)
        rc = err_set(err, ERR_LIMIT, "%s: longer than %d bytes", path, FILE_BYTES_MAX);
    if (rc == OK) {
        char *text = arena_alloc(arena, (size_t)st.st_size + 1);
        out->text = text;
        out->len = text ? fread(text, 1, (size_t)st.st_size, f) : 0;
        if (!text)
            rc = no_memory(path, err);
        else if (ferror(f))
            rc = err_set(err, ERR_IO, "%s: can not be read", path);
        else
            skip_mark(out);
    }
    fclose(f);
    return rc;
}

static bool make_room(struct rule_files *f, struct arena *arena)
{
    struct ruleset_file *grown =
        array_room_in(arena, f->files, (size_t)f->count, &f->cap, sizeof(*grown));

    if (grown)
        f->files = grown;
    return grown != NULL;
}

static enum err_code add_file(struct rule_files *f, struct arena *arena, const char *dir,
                              const char *pack, const char *name, struct err *err)
{
    const char *path = join(arena, dir, name);

    if (!path || !make_room(f, arena))
        return no_memory(dir, err);
    struct ruleset_file *file = &f->files[f->count];
    *file = (struct ruleset_file){ .path = join(arena, pack, name),
                                   .folder = arena_strdup(arena, dir) };
    if (!file->path || !file->folder)
        return no_memory(dir, err);
    f->count++;
    return read_file(file, arena, path, err);
}

static bool is_source(const char *name)
{
    size_t len = strlen(name);
    return len >= 5 && strcmp(name + len - 4, ".lua") == 0 && name[0] != '.';
}

/* Add the files of the pack in `dir`, which is called `pack` in every path. */
static enum err_code add_pack(struct rule_files *f, struct arena *arena, const char *dir,
                              const char *pack, struct err *err)
{
    int first = f->count;
    DIR *d = opendir(dir);
    if (!d)
        return err_set(err, ERR_ABSENT, "%s: %s", dir, strerror(errno));
    enum err_code rc = OK;
    for (struct dirent *entry; rc == OK && (entry = readdir(d));) {
        if (!is_source(entry->d_name))
            continue;
        rc = f->count - first == PACK_FILES_MAX
                 ? err_set(err, ERR_LIMIT, "%s: more than %d files", dir, PACK_FILES_MAX)
                 : add_file(f, arena, dir, pack, entry->d_name, err);
    }
    closedir(d);
    if (f->count > first)
        qsort(f->files + first, (size_t)(f->count - first), sizeof(f->files[0]), by_path);
    return rc;
}

/* ---- folders ---- */

static bool is_folder(const char *path)
{
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* hubs/CODE/, by code. A folder whose name can not be a hub's code is a mistake that must not go
 * unseen. */
static enum err_code add_hubs(struct rule_files *f, struct arena *arena, const char *hubs,
                              struct err *err)
{
    const char *names[HUBS_MAX];
    size_t count = 0;
    enum err_code rc = OK;
    DIR *d = is_folder(hubs) ? opendir(hubs) : NULL;

    if (!d)
        return OK; /* no hub has an overlay */
    for (struct dirent *entry; rc == OK && (entry = readdir(d));) {
        const char *name = entry->d_name;
        const char *path = join(arena, hubs, name);
        if (name[0] == '.' || !is_folder(path))
            continue;
        if (!subject_code_is_valid(SUBJECT_HUB, name, strlen(name)))
            rc =
                err_set(err, ERR_INPUT,
                        "%s: a folder of an overlay is called by its hub's code, such as 07", path);
        else if (count == HUBS_MAX)
            rc = err_set(err, ERR_LIMIT, "%s: more than %d hubs", hubs, HUBS_MAX);
        else if (!(names[count++] = arena_strdup(arena, name)))
            rc = no_memory(hubs, err);
    }
    closedir(d);
    if (rc == OK && count > 1)
        qsort(names, count, sizeof(names[0]), by_text);
    for (size_t i = 0; rc == OK && i < count; i++) {
        const char *dir = join(arena, hubs, names[i]), *pack = join(arena, "hubs", names[i]);
        rc = dir && pack ? add_pack(f, arena, dir, pack, err) : no_memory(hubs, err);
    }
    return rc;
}

/* Does one of these files return an overlay? Only their text is looked at. */
static bool holds_overlay(const struct rule_files *f)
{
    static const char WORDS[] = "return overlay";

    for (int i = 0; i < f->count; i++) {
        const char *text = f->files[i].text;
        for (const char *at = strstr(text, WORDS); at; at = strstr(at + 1, WORDS)) {
            char next = at[sizeof(WORDS) - 1];
            if ((at == text || at[-1] == '\n') && strchr(" \t\r\n{(", next))
                return true;
        }
    }
    return false;
}

/* The national pack that a hub's own folder goes with. */
static enum err_code add_national_for(struct rule_files *f, struct arena *arena, const char *dir,
                                      const char *national, struct err *err)
{
    const char *beside = join(arena, dir, "../../national");
    const char *other = national ? join(arena, national, "national") : NULL;

    if (!beside || (national && !other))
        return no_memory(dir, err);
    if (!is_folder(beside) && !is_folder(other))
        return err_set(err, ERR_ABSENT,
                       "%s: an overlay is read together with the national pack; expected it at %s",
                       dir, beside);
    return add_pack(f, arena, is_folder(beside) ? beside : other, "national", err);
}

/* A pack's own folder: of the national pack, whatever it is called, or of one hub. */
static enum err_code read_one(struct rule_files *f, struct arena *arena, const char *dir,
                              const char *national, struct err *err)
{
    const char *slash = strrchr(dir, '/');
    const char *name = slash && slash[1] ? slash + 1 : dir;
    struct rule_files alone = { 0 };

    enum err_code rc = add_pack(&alone, arena, dir, name, err);
    if (rc == OK && alone.count == 0)
        rc = err_set(err, ERR_ABSENT, "%s: there is no .lua file in this folder", dir);
    if (rc != OK)
        return rc;
    if (!holds_overlay(&alone)) {
        f->files = alone.files;
        f->count = alone.count;
        f->cap = alone.cap;
        return OK;
    }
    if (!subject_code_is_valid(SUBJECT_HUB, name, strlen(name)))
        return err_set(err, ERR_INPUT,
                       "%s: a folder of an overlay is called by its hub's code, such as 07", dir);
    f->is_one_overlay = true;
    const char *pack = join(arena, "hubs", name);
    if (!pack)
        return no_memory(dir, err);
    rc = add_national_for(f, arena, dir, national, err);
    return rc == OK ? add_pack(f, arena, dir, pack, err) : rc;
}

enum err_code folder_read(struct rule_files *out, struct arena *arena, const char *dir,
                          const char *national, struct err *err)
{
    size_t len = strlen(dir);

    *out = (struct rule_files){ 0 };
    while (len > 1 && dir[len - 1] == '/')
        len--;
    const char *base = arena_copy(arena, dir, len);
    const char *pack = base ? join(arena, base, "national") : NULL;
    const char *hubs = base ? join(arena, base, "hubs") : NULL;
    if (!pack || !hubs)
        return no_memory(dir, err);
    if (!is_folder(base))
        return err_set(err, ERR_ABSENT, "%s: there is no such rules folder", dir);
    if (!is_folder(pack))
        return read_one(out, arena, base, national, err);
    enum err_code rc = add_pack(out, arena, pack, "national", err);
    return rc == OK ? add_hubs(out, arena, hubs, err) : rc;
}

void files_digest(char out[DIGEST_HEX], const struct ruleset_file *files, int count,
                  const char *pack)
{
    uint8_t sum[DIGEST_BYTES] = { 0 };
    size_t len = strlen(pack);

    for (int i = 0; i < count; i++) {
        const struct ruleset_file *f = &files[i];
        if (strncmp(f->path, pack, len) != 0 || f->path[len] != '/' ||
            strchr(f->path + len + 1, '/'))
            continue;
        const struct digest_part parts[] = { { sum, DIGEST_BYTES },
                                             { f->path, strlen(f->path) },
                                             { f->text, f->len } };
        digest_parts(sum, NULL, parts, 3);
    }
    digest_hex(sum, out);
}
