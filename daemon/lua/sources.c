/* sources.c - see sources.h. */
#include "lua/sources.h"

#include <stdlib.h>
#include <string.h>

static int by_pack_and_path(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    return x->is_overlay != y->is_overlay ? x->is_overlay - y->is_overlay
                                          : strcmp(x->path, y->path);
}

/* Is this a file of the national pack, or of this hub's overlay? */
static bool is_wanted(const char *path, const char *hub, bool *is_overlay)
{
    size_t len;
    const char *of = folder_hub_of(path, &len);

    *is_overlay = of != NULL;
    return !of || (hub && strlen(hub) == len && memcmp(of, hub, len) == 0);
}

static enum err_code take_file(struct sources *out, struct arena *arena,
                               const struct ruleset_file *file, const char *hub, bool is_overlay,
                               struct err *err)
{
    struct source *s = &out->items[out->count];
    const char *slash = strrchr(file->path, '/');

    if (!slash || strlen(slash) < sizeof("/.lua"))
        return err_set(err, ERR_INPUT, "%s: expected PACK/NAME.lua", file->path);
    if (out->count == SOURCES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d rules files", SOURCES_MAX);
    *s = (struct source){ .path = arena_strdup(arena, file->path),
                          .name = arena_copy(arena, slash + 1, strlen(slash + 1) - strlen(".lua")),
                          .text = arena_copy(arena, file->text, file->len),
                          .len = file->len,
                          .is_overlay = is_overlay,
                          .is_left_out = file->is_tests && hub };
    const char *pack = arena_copy(arena, file->path, (size_t)(slash - file->path));
    const char *folder = file->folder ? arena_strdup(arena, file->folder) : NULL;
    if (!s->path || !s->name || !s->text || !pack || (file->folder && !folder))
        return err_set(err, ERR_LIMIT, "%s: no memory", file->path);
    *(is_overlay ? &out->overlay : &out->pack) = pack;
    *(is_overlay ? &out->overlay_folder : &out->pack_folder) = folder;
    out->count++;
    return OK;
}

enum err_code sources_take(struct sources *out, struct arena *arena,
                           const struct ruleset_file *files, int count, const char *hub,
                           struct err *err)
{
    enum err_code rc = OK;

    memset(out, 0, sizeof(*out));
    for (int i = 0; i < count && rc == OK; i++) {
        bool is_overlay;
        if (is_wanted(files[i].path, hub, &is_overlay))
            rc = take_file(out, arena, &files[i], hub, is_overlay, err);
    }
    if (rc == OK && hub && !(out->hub = arena_strdup(arena, hub)))
        rc = err_set(err, ERR_LIMIT, "no memory for the overlay of hub %s", hub);
    qsort(out->items, (size_t)out->count, sizeof(out->items[0]), by_pack_and_path);
    return rc;
}
