/* rulebook.c - see rulebook.h. */
#include "lua/rulebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/strmap.h"
#include "lua/folder.h"
#include "lua/record.h"

struct rulebook {
    struct arena arena, scratch;
    struct ruleset_file *files; /* arena's */
    int file_count;
    struct ruleset **rulesets; /* the national one, then those of hubs; owned */
    int count;
    struct strmap by_hub; /* code to ruleset */
    struct catalog catalog;
    char digest[DIGEST_HEX];
    bool is_one_overlay;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for rules");
}

/* ---- files ---- */

static enum err_code keep_files(struct rulebook *b, const struct ruleset_file *files, int count,
                                struct err *err)
{
    b->files = arena_alloc(&b->arena, sizeof(*b->files) * ((size_t)count + 1));
    if (!b->files)
        return no_memory(err);
    for (int i = 0; i < count; i++) {
        struct ruleset_file *copy = &b->files[i];
        *copy = files[i];
        copy->path = arena_strdup(&b->arena, files[i].path);
        copy->text = arena_copy(&b->arena, files[i].text, files[i].len);
        copy->folder = files[i].folder ? arena_strdup(&b->arena, files[i].folder) : NULL;
        if (!copy->path || !copy->text || (files[i].folder && !copy->folder))
            return no_memory(err);
    }
    b->file_count = count;
    return OK;
}

/* The national pack's files by itself are told by its own digest, as they were before there were
 * overlays. */
static enum err_code digest_files(struct rulebook *b, struct err *err)
{
    uint8_t digest[DIGEST_BYTES];
    size_t count = 0;

    if (b->count == 1) {
        strcpy(b->digest, ruleset_digest(b->rulesets[0]));
        return OK;
    }
    struct digest_part *parts = malloc(sizeof(*parts) * ((size_t)b->count + 1));
    if (!parts)
        return no_memory(err);
    for (int i = 0; i < b->count; i++) /* that of a hub covers the national files too */
        parts[count++] = (struct digest_part){ ruleset_digest(b->rulesets[i]), DIGEST_HEX - 1 };
    digest_parts(digest, NULL, parts, count);
    digest_hex(digest, b->digest);
    free(parts);
    return OK;
}

/* ---- rulesets ---- */

static enum err_code load_one(struct rulebook *b, const char *hub, struct problems *problems,
                              struct err *err)
{
    struct ruleset *rs;
    enum err_code rc = ruleset_load_files(&rs, b->files, b->file_count, hub, problems, err);
    if (rc == OK)
        b->rulesets[b->count++] = rs;
    return rc;
}

/* The national pack's tests say nothing of an overlay beside it, and are most of its text: each hub
 * is loaded without the files that hold nothing else. */
static void leave_tests_out(struct rulebook *b)
{
    struct ruleset_file loaded;

    for (int i = 0; ruleset_file_at(&loaded, b->rulesets[0], i); i++)
        for (int k = 0; k < b->file_count; k++)
            if (strcmp(b->files[k].path, loaded.path) == 0)
                b->files[k].is_tests = loaded.is_tests;
}

/* The code of the hub of each overlay, once, in the order of the files. */
static enum err_code find_hubs(struct rulebook *b, struct strmap *hubs, struct err *err)
{
    for (int i = 0; i < b->file_count; i++) {
        size_t len;
        const char *hub = folder_hub_of(b->files[i].path, &len);
        const char *copy = hub ? arena_copy(&b->arena, hub, len) : NULL;
        if (hub && (!copy || !strmap_add(hubs, copy, len, NULL)))
            return no_memory(err);
    }
    return OK;
}

static int by_hub(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All overlays, also behind one that has errors, so that all of these are told at once. */
static enum err_code load_hubs(struct rulebook *b, const struct strmap *hubs,
                               struct problems *problems, struct err *err)
{
    enum err_code rc = OK;
    const char **codes = arena_alloc(&b->arena, sizeof(*codes) * ((size_t)hubs->count + 1));

    if (!codes)
        return no_memory(err);
    for (uint32_t i = 0; i < hubs->count; i++)
        codes[i] = hubs->items[i].key;
    qsort(codes, hubs->count, sizeof(*codes), by_hub);
    for (uint32_t i = 0; i < hubs->count; i++) {
        struct err why;
        if (problems)
            problems->hub = arena_strdup(&problems->arena, codes[i]);
        enum err_code one = load_one(b, codes[i], problems, &why);
        if (problems)
            problems->hub = NULL;
        if (one == OK) {
            struct strmap_item *item = strmap_add(&b->by_hub, codes[i], strlen(codes[i]), NULL);
            if (!item)
                return no_memory(err);
            item->as.ptr = b->rulesets[b->count - 1];
        } else if (rc == OK) {
            rc = err_set(err, one, "%s", why.msg);
        }
    }
    return rc;
}

/* ---- event types ---- */

static enum err_code add_types(struct rulebook *b, const struct ruleset *rs, struct err *err)
{
    const struct strmap *types = &ruleset_catalog(rs)->types;

    for (uint32_t i = 0; i < types->count; i++) {
        const struct event_type *type = types->items[i].as.ptr;
        const struct event_type *known = catalog_find(&b->catalog, type->name);
        if (known && strcmp(known->declared_at, type->declared_at) == 0)
            continue; /* a national one, or one of pathwayd itself */
        if (catalog_add(&b->catalog, type, err) != OK)
            return err->code;
    }
    return OK;
}

static enum err_code gather_types(struct rulebook *b, struct problems *problems, struct err *err)
{
    enum err_code rc = catalog_init(&b->catalog, err);

    for (int i = 0; i < b->count && rc == OK; i++)
        rc = add_types(b, b->rulesets[i], err);
    if (rc == ERR_CONFLICT) {
        rc = ERR_RULE;
        err->code = ERR_RULE;
        if (problems)
            problems_add(problems, "%s", err->msg);
    }
    return rc;
}

/* ---- the whole ---- */

static enum err_code load(struct rulebook *b, struct problems *problems, struct err *err)
{
    struct strmap hubs = { 0 };

    enum err_code rc = find_hubs(b, &hubs, err);
    if (rc == OK && !(b->rulesets = calloc((size_t)hubs.count + 2, sizeof(struct ruleset *))))
        rc = no_memory(err);
    if (rc == OK)
        rc = load_one(b, NULL, problems, err);
    if (rc == OK) {
        leave_tests_out(b);
        rc = load_hubs(b, &hubs, problems, err);
    }
    strmap_fini(&hubs);
    if (rc == OK)
        rc = gather_types(b, problems, err);
    return rc == OK ? digest_files(b, err) : rc;
}

enum err_code rulebook_load_files(struct rulebook **out, const struct ruleset_file *files,
                                  int count, struct problems *problems, struct err *err)
{
    struct rulebook *b = calloc(1, sizeof(*b));

    *out = NULL;
    if (!b)
        return no_memory(err);
    enum err_code rc = keep_files(b, files, count, err);
    if (rc == OK)
        rc = load(b, problems, err);
    if (rc == OK)
        *out = b;
    else
        rulebook_free(b);
    return rc;
}

enum err_code rulebook_load(struct rulebook **out, const char *dir, const char *national,
                            struct problems *problems, struct err *err)
{
    struct arena arena = { 0 };
    struct rule_files files;

    *out = NULL;
    enum err_code rc = folder_read(&files, &arena, dir, national, err);
    if (rc == OK)
        rc = rulebook_load_files(out, files.files, files.count, problems, err);
    if (rc == OK)
        (*out)->is_one_overlay = files.is_one_overlay;
    arena_fini(&arena);
    return rc;
}

void rulebook_free(struct rulebook *b)
{
    if (!b)
        return;
    catalog_fini(&b->catalog);
    for (int i = 0; i < b->count; i++)
        ruleset_free(b->rulesets[i]);
    free(b->rulesets);
    strmap_fini(&b->by_hub);
    arena_fini(&b->arena);
    arena_fini(&b->scratch);
    free(b);
}

struct arena *rulebook_scratch(struct rulebook *b)
{
    arena_reset(&b->scratch);
    return &b->scratch;
}

struct ruleset *rulebook_of_hub(const struct rulebook *b, const char *hub)
{
    const struct strmap_item *item = hub ? strmap_find(&b->by_hub, hub, strlen(hub)) : NULL;
    return item ? item->as.ptr : b->rulesets[0];
}

struct ruleset *rulebook_at(const struct rulebook *b, int index)
{
    return index < b->count ? b->rulesets[index] : NULL;
}

bool rulebook_is_one_overlay(const struct rulebook *b)
{
    return b->is_one_overlay;
}

const struct catalog *rulebook_catalog(const struct rulebook *b)
{
    return &b->catalog;
}

bool rulebook_file_at(struct ruleset_file *out, const struct rulebook *b, int index)
{
    if (index < 0 || index >= b->file_count)
        return false;
    *out = b->files[index];
    return true;
}

const char *rulebook_digest(const struct rulebook *b)
{
    return b->digest;
}

uint64_t rulebook_runs(const struct rulebook *b)
{
    uint64_t runs = 0;

    for (int i = 0; i < b->count; i++)
        runs += ruleset_runs(b->rulesets[i]);
    return runs;
}

void rulebook_set_effects(struct rulebook *b, unsigned effects)
{
    for (int i = 0; i < b->count; i++)
        ruleset_set_effects(b->rulesets[i], effects);
}

unsigned rulebook_changes(const struct rulebook *b)
{
    unsigned changes = 0;

    for (int i = 0; i < b->count; i++)
        changes |= ruleset_changes(b->rulesets[i]);
    return changes;
}
