/* archived.c - rules of a generation, from the database's archive. See engine_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/digest.h"
#include "engine/engine_internal.h"
#include "engine/stuck.h"
#include "lua/folder.h"
#include "store/generation.h"

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for archived rules");
}

struct files {
    struct arena arena;
    struct ruleset_file *items; /* arena's */
    int count;
    size_t cap;
};

static enum err_code take_file(const struct pack_file *file, void *arg, struct err *err)
{
    struct files *f = arg;

    struct ruleset_file *grown =
        array_room_in(&f->arena, f->items, (size_t)f->count, &f->cap, sizeof(*grown));
    if (!grown)
        return no_memory(err);
    f->items = grown;
    char *path = arena_strdup(&f->arena, file->path);
    char *text = arena_copy(&f->arena, file->text, file->len);
    if (!path || !text)
        return no_memory(err);
    f->items[f->count++] = (struct ruleset_file){ .path = path, .text = text, .len = file->len };
    return OK;
}

/* One that never came back is not run again, whoever asks. */
static enum err_code check_pack(const char *pack, const char *digest, const char *where, void *arg,
                                struct err *err)
{
    const struct files *f = arg;
    char then[DIGEST_HEX];

    files_digest(then, f->items, f->count, pack);
    if (strcmp(then, digest) != 0)
        return OK;
    return err_set(
        err, ERR_CONFLICT,
        "%s never came back (%s), and the daemon had to end: it is not run any more, nor "
        "what was in force with it",
        pack, where);
}

static enum err_code load(struct rulebook **out, struct store *s, int64_t number, bool is_asked,
                          struct err *err)
{
    struct files *f = calloc(1, sizeof(*f));
    struct problems problems = { .was_in_force = true };

    *out = NULL;
    if (!f)
        return no_memory(err);
    enum err_code rc = generation_files(s, number, take_file, f, err);
    if (rc == OK && is_asked)
        rc = stuck_each(s, check_pack, f, err);
    if (rc == OK)
        rc = rulebook_load_files(out, f->items, f->count, &problems, err);
    problems_fini(&problems);
    arena_fini(&f->arena);
    free(f);
    return rc;
}

enum err_code rulebook_of_generation(struct rulebook **out, struct store *s, int64_t number,
                                     struct err *err)
{
    return load(out, s, number, false, err);
}

enum err_code rulebook_to_ask(struct rulebook **out, struct store *s, int64_t number,
                              struct err *err)
{
    return load(out, s, number, true, err);
}
