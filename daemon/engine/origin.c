/* origin.c - see origin.h. Of a pack that was pushed or rolled back the database keeps, as
 * "origin/PACK", the digest of what the folder had of it then. When the folder has something else,
 * somebody has changed it since, and it counts again; until then the pack is what it is in force,
 * or, where it was left out since, what it was in the generation that "left/PACK" names: so it
 * comes back with a national pack that it goes with. */
#include "engine/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/digest.h"
#include "lua/folder.h"
#include "store/generation.h"
#include "store/meta.h"

#define ORIGIN "origin/"
#define LEFT   "left/"

struct pack {
    struct pack *next;
    const char *name;
    struct ruleset_file *files; /* to be loaded */
    int count;
    size_t cap;
    char folder[DIGEST_HEX]; /* of what the folder has of it; "": nothing */
    bool stands_over;        /* it is another one than the folder's */
    bool is_put_over;        /* ... by this proposal */
    bool was_over;           /* the database says so already */
    bool stays;              /* it is what it is in force */
    bool is_refused;         /* found wanting: it is that, or nothing */
    bool is_left_out;        /* it is nothing, though there is something in force or was */
    int64_t left;            /* the generation that has what was left out since; 0: it was not */
    struct ruleset_file *proposed; /* what `files` were before anything failed */
    int proposed_count;
};
struct origins {
    struct arena *arena;
    struct store *store;
    struct pack *packs;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the files of packs");
}

static struct pack *pack_named(struct origins *o, const char *name, size_t len)
{
    struct pack *p = o->packs;

    while (p && (strlen(p->name) != len || memcmp(p->name, name, len) != 0))
        p = p->next;
    if (p)
        return p;
    p = arena_alloc(o->arena, sizeof(*p));
    const char *copy = arena_copy(o->arena, name, len);
    if (!p || !copy)
        return NULL;
    *p = (struct pack){ .next = o->packs, .name = copy };
    return o->packs = p;
}

static enum err_code add_file(struct origins *o, struct pack *p, const struct ruleset_file *file,
                              struct err *err)
{
    struct ruleset_file *grown =
        array_room_in(o->arena, p->files, (size_t)p->count, &p->cap, sizeof(*grown));

    if (!grown)
        return no_memory(err);
    p->files = grown;
    p->files[p->count++] = *file;
    return OK;
}

/* The pack of a file: its path without the name. */
static struct pack *pack_of_file(struct origins *o, const char *path)
{
    const char *slash = strrchr(path, '/');
    return pack_named(o, path, slash ? (size_t)(slash - path) : strlen(path));
}

/* ---- the folder ---- */

static void digest_pack(char out[DIGEST_HEX], const struct pack *p)
{
    uint8_t sum[DIGEST_BYTES] = { 0 };

    out[0] = '\0';
    for (int i = 0; i < p->count; i++) {
        const struct digest_part parts[] = {
            { sum, DIGEST_BYTES },
            { p->files[i].path, strlen(p->files[i].path) },
            { p->files[i].text, p->files[i].len },
        };
        digest_parts(sum, NULL, parts, 3);
    }
    if (p->count > 0)
        digest_hex(sum, out);
}

static enum err_code read_folder(struct origins *o, const char *folder, struct err *err)
{
    struct rule_files files;

    enum err_code rc = folder_read(&files, o->arena, folder, NULL, err);
    for (int i = 0; rc == OK && i < files.count; i++) {
        struct pack *p = pack_of_file(o, files.files[i].path);
        rc = p ? add_file(o, p, &files.files[i], err) : no_memory(err);
    }
    for (struct pack *p = o->packs; p; p = p->next)
        digest_pack(p->folder, p);
    return rc;
}

/* ---- the archive ---- */

struct archived {
    struct origins *origins;
    struct pack *pack;
};

static enum err_code take_archived(const struct pack_file *file, void *arg, struct err *err)
{
    struct archived *a = arg;
    size_t len = strlen(a->pack->name);

    if (strncmp(file->path, a->pack->name, len) != 0 || file->path[len] != '/' ||
        strchr(file->path + len + 1, '/'))
        return OK;
    const struct ruleset_file copy = {
        .path = arena_strdup(a->origins->arena, file->path),
        .text = arena_copy(a->origins->arena, file->text, file->len),
        .len = file->len,
    };
    return copy.path && copy.text ? add_file(a->origins, a->pack, &copy, err) : no_memory(err);
}

/* Let a pack be what it was in a generation; 0: nothing. */
static enum err_code take_back(struct origins *o, struct pack *p, int64_t generation,
                               struct err *err)
{
    struct archived a = { o, p };

    p->files = NULL;
    p->count = 0;
    p->cap = 0;
    return generation > 0 ? generation_files(o->store, generation, take_archived, &a, err) : OK;
}

static enum err_code take_origin(const char *key, const char *text, void *arg, struct err *err)
{
    struct origins *o = arg;
    struct pack *p = pack_named(o, key + strlen(ORIGIN), strlen(key + strlen(ORIGIN)));

    if (!p)
        return no_memory(err);
    p->was_over = true;
    p->stands_over = strcmp(text, p->folder) == 0;
    return OK;
}

static enum err_code take_left(const char *key, const char *text, void *arg, struct err *err)
{
    struct origins *o = arg;
    struct pack *p = pack_named(o, key + strlen(LEFT), strlen(key + strlen(LEFT)));

    if (!p)
        return no_memory(err);
    p->left = strtoll(text, NULL, 10);
    return OK;
}

/* Packs that were pushed or rolled back, and that the folder has not changed since. They are in
 * force as such, or were left out. */
static enum err_code put_over(struct origins *o, struct err *err)
{
    struct generation last;

    enum err_code rc = meta_each(o->store, ORIGIN, take_origin, o, err);
    if (rc == OK)
        rc = meta_each(o->store, LEFT, take_left, o, err);
    if (rc == OK)
        rc = generation_last(&last, o->store, err);
    for (struct pack *p = o->packs; p && rc == OK; p = p->next)
        if (p->stands_over)
            rc = take_back(o, p, p->left ? p->left : last.number, err);
    return rc;
}

/* ---- what is asked for ---- */

static enum err_code put_pushed(struct origins *o, struct pack *p, const struct proposal *asked,
                                struct err *err)
{
    enum err_code rc = take_back(o, p, 0, err);

    for (int i = 0; rc == OK && i < asked->file_count; i++)
        rc = add_file(o, p, &asked->files[i], err);
    p->stands_over = p->is_put_over = true;
    return rc;
}

static enum err_code put_back(struct origins *o, struct pack *p, struct err *err)
{
    int64_t before;

    enum err_code rc = generation_before(&before, o->store, p->name, err);
    if (rc == OK)
        rc = take_back(o, p, before, err);
    p->stands_over = p->is_put_over = true;
    return rc;
}

static enum err_code stay(struct origins *o, struct pack *p, struct err *err)
{
    struct generation last;

    p->stays = true;
    enum err_code rc = generation_last(&last, o->store, err);
    return rc == OK ? take_back(o, p, last.number, err) : rc;
}

/* A push or a rollback changes one pack: all others stay what they are in force. */
static enum err_code change_one(struct origins *o, const struct proposal *asked, struct err *err)
{
    struct pack *one = pack_named(o, asked->pack, strlen(asked->pack));
    enum err_code rc = one ? OK : no_memory(err);

    for (struct pack *p = o->packs; p && rc == OK; p = p->next) {
        if (p != one)
            rc = stay(o, p, err);
        else
            rc = asked->kind == PROPOSE_PUSH ? put_pushed(o, p, asked, err) : put_back(o, p, err);
    }
    return rc;
}

enum err_code origins_gather(struct origins **out, struct arena *arena, struct store *s,
                             const struct proposal *p, struct err *err)
{
    struct origins *o = arena_alloc(arena, sizeof(*o));

    *out = o;
    if (!o)
        return no_memory(err);
    *o = (struct origins){ .arena = arena, .store = s };
    enum err_code rc = read_folder(o, p->folder, err);
    if (rc == OK)
        rc = put_over(o, err);
    if (rc == OK && p->kind != PROPOSE_FOLDER)
        rc = change_one(o, p, err);
    for (struct pack *pack = o->packs; pack; pack = pack->next) {
        pack->proposed = pack->files;
        pack->proposed_count = pack->count;
    }
    return rc;
}

/* ---- what comes out of it ---- */

static int by_path(const void *a, const void *b)
{
    const struct ruleset_file *x = a, *y = b;
    bool x_is_hub = strncmp(x->path, "hubs/", 5) == 0, y_is_hub = strncmp(y->path, "hubs/", 5) == 0;

    return x_is_hub != y_is_hub ? x_is_hub - y_is_hub : strcmp(x->path, y->path);
}

enum err_code origins_files(struct ruleset_file **out, int *count, struct origins *from,
                            struct err *err)
{
    int n = 0;

    for (const struct pack *p = from->packs; p; p = p->next)
        n += p->count;
    *out = arena_alloc(from->arena, sizeof(**out) * ((size_t)n + 1));
    *count = 0;
    if (!*out)
        return no_memory(err);
    for (const struct pack *p = from->packs; p; p = p->next)
        for (int i = 0; i < p->count; i++)
            (*out)[(*count)++] = p->files[i];
    qsort(*out, (size_t)n, sizeof(**out), by_path);
    return OK;
}

enum err_code origins_digest(char out[DIGEST_HEX], struct origins *from, struct err *err)
{
    struct pack all = { .name = "" };

    enum err_code rc = origins_files(&all.files, &all.count, from, err);
    struct ruleset_file version = { .path = "pathwayd",
                                    .text = PATHWAY_VERSION,
                                    .len = strlen(PATHWAY_VERSION) };
    if (rc == OK)
        all.files[all.count++] = version; /* there is room for one more */
    digest_pack(out, &all);
    return rc;
}

/* Is it other than what is in force? */
static enum err_code is_changed(bool *out, struct origins *from, const struct pack *p,
                                struct err *err)
{
    struct pack in_force = { .name = p->name };
    char now[DIGEST_HEX], then[DIGEST_HEX];

    enum err_code rc = stay(from, &in_force, err);
    digest_pack(now, p);
    digest_pack(then, &in_force);
    *out = strcmp(now, then) != 0;
    return rc;
}

enum err_code origins_is_changed(bool *out, struct origins *from, const char *pack, struct err *err)
{
    struct pack *p = pack_named(from, pack, strlen(pack));

    *out = false;
    return p ? is_changed(out, from, p, err) : no_memory(err);
}

static enum err_code leave_out(struct origins *from, struct pack *p, struct err *err)
{
    p->is_left_out = true;
    return take_back(from, p, 0, err);
}

/* What failed beside another national pack may be well beside this one. */
static void begin_anew(struct origins *from)
{
    for (struct pack *p = from->packs; p; p = p->next) {
        if (strcmp(p->name, "national") == 0 || p->is_refused)
            continue;
        p->files = p->proposed;
        p->count = p->proposed_count;
        p->cap = (size_t)p->count;
        p->stays = p->is_left_out = false;
    }
}

enum err_code origins_fail(enum origin_fate *out, struct origins *from, const char *pack,
                           struct err *err)
{
    struct pack *p = pack_named(from, pack, strlen(pack));
    struct pack *national = pack_named(from, "national", strlen("national"));
    struct generation last;
    bool is_other, is_other_nation;

    *out = ORIGIN_HOLDS;
    if (!p || !national)
        return no_memory(err);
    enum err_code rc = is_changed(&is_other, from, p, err);
    if (rc == OK)
        rc = is_changed(&is_other_nation, from, national, err);
    if (rc == OK)
        rc = generation_last(&last, from->store, err);
    if (rc != OK || (p == national && last.number == 0))
        return rc;
    if (is_other && !p->stays) {
        *out = ORIGIN_STAYS;
        rc = stay(from, p, err);
        if (p == national)
            begin_anew(from);
    } else if (p != national && is_other_nation && !p->is_left_out) {
        *out = ORIGIN_GOES;
        rc = leave_out(from, p, err);
    }
    return rc;
}

enum err_code origins_refuse(enum origin_fate *out, struct origins *from, const char *pack,
                             struct err *err)
{
    struct pack *p = pack_named(from, pack, strlen(pack));
    bool is_other;

    *out = ORIGIN_STAYS;
    if (!p)
        return no_memory(err);
    bool was_refused = p->is_refused;
    p->is_refused = true;
    enum err_code rc = is_changed(&is_other, from, p, err);
    if (rc == OK)
        rc = stay(from, p, err);
    if (rc != OK || (is_other && !was_refused))
        return rc;
    if (strcmp(pack, "national") == 0) /* without one there is nothing */
        return put_back(from, p, err);
    *out = ORIGIN_GOES;
    return leave_out(from, p, err);
}

/* ---- what is kept ---- */

static enum err_code list(const struct pack_origin **out, struct origins *from, const char *prefix,
                          const struct pack *p, const char *text, struct err *err)
{
    struct pack_origin *origin = arena_alloc(from->arena, sizeof(*origin));

    if (!origin)
        return no_memory(err);
    *origin = (struct pack_origin){ *out, prefix, p->name, text };
    *out = origin;
    return OK;
}

/* What was pushed, and does not go with this national pack, is not in the folder to be
 * tried again. */
static enum err_code list_left(const struct pack_origin **out, struct origins *from,
                               const struct pack *p, struct err *err)
{
    struct generation last;
    char number[24];
    bool is_kept =
        p->count == 0 && (p->is_left_out || p->left) && p->stands_over && !p->is_put_over;

    if (!is_kept)
        return p->left ? list(out, from, LEFT, p, NULL, err) : OK;
    if (p->left)
        return OK;
    if (generation_last(&last, from->store, err) != OK)
        return err->code;
    snprintf(number, sizeof(number), "%lld", (long long)last.number);
    const char *text = arena_strdup(from->arena, number);
    return text ? list(out, from, LEFT, p, text, err) : no_memory(err);
}

enum err_code origins_list(const struct pack_origin **out, struct origins *from, struct err *err)
{
    enum err_code rc = OK;

    *out = NULL;
    for (const struct pack *p = from->packs; p && rc == OK; p = p->next) {
        bool is_dropped = p->was_over && !p->stands_over && !p->stays;
        if (p->is_put_over || is_dropped)
            rc = list(out, from, ORIGIN, p, is_dropped ? NULL : p->folder, err);
        if (rc == OK)
            rc = list_left(out, from, p, err);
    }
    return rc;
}

enum err_code origins_keep(struct store *s, const struct pack_origin *origins, struct err *err)
{
    enum err_code rc = OK;

    for (const struct pack_origin *o = origins; rc == OK && o; o = o->next) {
        char key[100];
        snprintf(key, sizeof(key), "%s%s", o->what, o->pack);
        rc = meta_put(s, key, o->text, err);
    }
    return rc;
}
