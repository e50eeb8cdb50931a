/* sources.c - see sources.h. */
#include "lua/sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX (1024 * 1024)

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct source *)a)->path, ((const struct source *)b)->path);
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

static enum err_code read_file(struct source *out, struct arena *arena, const char *path,
                               struct err *err)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
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
    }
    fclose(f);
    return rc;
}

static enum err_code add_file(struct sources *out, struct arena *arena, const char *dir,
                              const char *file, struct err *err)
{
    struct source *s = &out->items[out->count];

    if (out->count == SOURCES_MAX)
        return err_set(err, ERR_LIMIT, "%s: more than %d files", dir, SOURCES_MAX);
    const char *path = join(arena, dir, file);
    s->path = join(arena, out->pack, file);
    s->name = arena_copy(arena, file, strlen(file) - 4);
    if (!path || !s->path || !s->name)
        return no_memory(dir, err);
    out->count++;
    return read_file(s, arena, path, err);
}

static enum err_code read_folder(struct sources *out, struct arena *arena, const char *dir,
                                 struct err *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return err_set(err, ERR_ABSENT, "%s: %s", dir, strerror(errno));
    enum err_code rc = OK;
    for (struct dirent *entry; rc == OK && (entry = readdir(d));) {
        size_t len = strlen(entry->d_name);
        if (len >= 5 && strcmp(entry->d_name + len - 4, ".lua") == 0 && entry->d_name[0] != '.')
            rc = add_file(out, arena, dir, entry->d_name, err);
    }
    closedir(d);
    qsort(out->items, (size_t)out->count, sizeof(out->items[0]), by_path);
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A rules folder holds national/; anything else with .lua files in it is a pack's own folder. */
enum err_code sources_read(struct sources *out, struct arena *arena, const char *dir,
                           struct err *err)
{
    size_t len = strlen(dir);

    memset(out, 0, sizeof(*out));
    while (len > 1 && dir[len - 1] == '/')
        len--;
    const char *base = arena_copy(arena, dir, len);
    const char *pack = base ? join(arena, base, "national") : NULL;
    if (!pack)
        return no_memory(dir, err);
    if (!is_folder(base))
        return err_set(err, ERR_ABSENT, "%s: there is no such rules folder", dir);
    if (!is_folder(pack))
        pack = base;
    const char *slash = strrchr(pack, '/');
    out->pack = slash && slash[1] ? slash + 1 : pack;
    out->root = arena_copy(arena, pack, (size_t)(out->pack - pack));
    if (!out->root)
        return no_memory(dir, err);
    return read_folder(out, arena, pack, err);
}

enum err_code sources_take(struct sources *out, struct arena *arena,
                           const struct ruleset_file *files, int count, struct err *err)
{
    memset(out, 0, sizeof(*out));
    out->root = "";
    if (count > SOURCES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d rules files", SOURCES_MAX);
    for (int i = 0; i < count; i++) {
        struct source *s = &out->items[i];
        const char *path = arena_strdup(arena, files[i].path);
        const char *slash = path ? strrchr(path, '/') : NULL;
        if (path && (!slash || strlen(slash) < sizeof("/.lua")))
            return err_set(err, ERR_INPUT, "%s: expected PACK/NAME.lua", path);
        *s = (struct source){ .path = path, .len = files[i].len };
        s->text = arena_copy(arena, files[i].text, files[i].len);
        s->name = path ? arena_copy(arena, slash + 1, strlen(slash + 1) - strlen(".lua")) : NULL;
        out->pack = path ? arena_copy(arena, path, (size_t)(slash - path)) : NULL;
        if (!s->text || !s->name || !out->pack)
            return no_memory(files[i].path, err);
        out->count++;
    }
    qsort(out->items, (size_t)out->count, sizeof(out->items[0]), by_path);
    return OK;
}
