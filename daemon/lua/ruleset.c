/* ruleset.c - see ruleset.h. */
#include "lua/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/folder.h"
#include "lua/packfiles.h"
#include "lua/record.h"
#include "lua/sources.h"

void problems_place(struct problems *p, const struct ruleset *rs)
{
    if (rs)
        memcpy(p->places, rs->places, sizeof(p->places));
    else
        memset(p->places, 0, sizeof(p->places));
}

/* ---- loading ---- */

/* A hub has some 400 schools at 6 KiB, and what its rules need meanwhile. */
#define HUB_MEMORY ((size_t)64 << 20)

/* Remember what was loaded, by paths that do not depend on where the rules folder lies. */
static enum err_code keep_files(struct ruleset *rs, const struct sources *sources, struct err *err)
{
    struct ruleset_file *files =
        arena_alloc(&rs->arena, sizeof(*files) * (size_t)(sources->count + 1));

    if (!files)
        return err_set(err, ERR_LIMIT, "no memory for rules");
    for (int i = 0; i < sources->count; i++)
        files[i] = (struct ruleset_file){ .path = sources->items[i].path,
                                          .text = sources->items[i].text,
                                          .len = sources->items[i].len };
    rs->hub = sources->hub;
    rs->files = files;
    rs->file_count = sources->count;
    return OK;
}

static void digest_files(struct ruleset *rs, const struct sources *sources)
{
    struct digest_part parts[SOURCES_MAX * 2];
    uint8_t digest[DIGEST_BYTES];

    for (int i = 0; i < sources->count; i++) {
        const struct source *s = &sources->items[i];
        const char *name = s->is_overlay ? s->path : s->name;
        parts[i * 2] = (struct digest_part){ name, strlen(name) };
        parts[i * 2 + 1] = (struct digest_part){ sources->items[i].text, sources->items[i].len };
    }
    digest_parts(digest, NULL, parts, (size_t)sources->count * 2);
    digest_hex(digest, rs->digest);
}

/* "hubs/07 DIGEST"; NULL: there is no such pack. */
static const char *name_pack(struct ruleset *rs, const char *pack)
{
    char digest[DIGEST_HEX], name[200];

    if (!pack)
        return NULL;
    files_digest(digest, rs->files, rs->file_count, pack);
    snprintf(name, sizeof(name), "%.100s %s", pack, digest);
    return arena_strdup(&rs->arena, name);
}

static enum err_code load(struct ruleset *rs, struct sources *sources, struct problems *problems,
                          struct err *err)
{
    if (sandbox_init(&rs->sandbox, sources->hub ? HUB_MEMORY : SANDBOX_MEMORY, err) != OK ||
        catalog_init(&rs->catalog, err) != OK)
        return err->code;
    if (!kept_init(rs))
        return err_set(err, ERR_LIMIT, "no memory for rules");
    rs->sandbox.national = name_pack(rs, sources->pack);
    rs->sandbox.overlay = name_pack(rs, sources->overlay);
    ruleset_own(rs, rs->sandbox.L);
    cells_init(&rs->cells, &rs->sandbox);
    rs->reads = &rs->unread;
    rs->effects = EFFECT_ALL;
    enum err_code rc = packfiles_load(rs, sources, problems, err);
    sandbox_settle(&rs->sandbox);
    return rc;
}

/* Load `sources`, whose texts are in rs->arena. Both are taken over. */
static enum err_code load_sources(struct ruleset **out, struct ruleset *rs, struct sources *sources,
                                  struct problems *problems, struct err *err)
{
    struct problems own = { 0 };

    enum err_code rc = keep_files(rs, sources, err);
    if (rc == OK) {
        digest_files(rs, sources);
        rc = load(rs, sources, problems ? problems : &own, err);
    }
    problems_fini(&own);
    if (rc == OK)
        *out = rs;
    return rc;
}

static enum err_code new_ruleset(struct ruleset **rs, struct sources **sources, struct err *err)
{
    *rs = calloc(1, sizeof(**rs));
    *sources = calloc(1, sizeof(**sources));
    return *rs && *sources ? OK : err_set(err, ERR_LIMIT, "no memory for rules");
}

enum err_code ruleset_load_files(struct ruleset **out, const struct ruleset_file *files, int count,
                                 const char *hub, struct problems *problems, struct err *err)
{
    struct ruleset *rs;
    struct sources *sources;

    *out = NULL;
    enum err_code rc = new_ruleset(&rs, &sources, err);
    if (rc == OK)
        rc = sources_take(sources, &rs->arena, files, count, hub, err);
    if (rc == OK)
        rc = load_sources(out, rs, sources, problems, err);
    free(sources);
    if (rc != OK)
        ruleset_free(rs);
    return rc;
}

enum err_code ruleset_load(struct ruleset **out, const char *dir, struct problems *problems,
                           struct err *err)
{
    struct arena arena = { 0 };
    struct rule_files files;

    *out = NULL;
    enum err_code rc = folder_read(&files, &arena, dir, NULL, err);
    if (rc == OK)
        rc = ruleset_load_files(out, files.files, files.count, NULL, problems, err);
    arena_fini(&arena);
    return rc;
}

void ruleset_count(struct ruleset *rs, bool memory_too)
{
    rs->sandbox.counts = true;
    rs->sandbox.is_strict = memory_too;
}

void ruleset_trust(struct ruleset *rs)
{
    sandbox_trust(&rs->sandbox);
}

bool ruleset_was_spent(const struct ruleset *rs)
{
    return sandbox_was_spent(&rs->sandbox);
}

uint64_t ruleset_slow_runs(void)
{
    return sandbox_slow_runs();
}

void ruleset_free(struct ruleset *rs)
{
    if (!rs)
        return;
    if (rs->cells.sandbox)
        cells_fini(&rs->cells);
    sandbox_fini(&rs->sandbox);
    free(rs->parts);
    free(rs->watched);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &rs->subjects[kind];
        strmap_fini(&defs->any_except);
        strmap_fini(&defs->reactions);
        strmap_fini(&defs->reducer_by_event);
        strmap_fini(&defs->added_by_event);
        strmap_fini(&defs->names);
    }
    strmap_fini(&rs->openings);
    strmap_fini(&rs->param_names);
    strmap_fini(&rs->rule_names);
    strmap_fini(&rs->env_names);
    strmap_fini(&rs->shapes);
    kept_fini(rs);
    buf_fini(&rs->scratch);
    catalog_fini(&rs->catalog);
    arena_fini(&rs->arena);
    free(rs);
}

const struct catalog *ruleset_catalog(const struct ruleset *rs)
{
    return &rs->catalog;
}

const char *ruleset_digest(const struct ruleset *rs)
{
    return rs->digest;
}

const char *ruleset_hub(const struct ruleset *rs)
{
    return rs->hub;
}

bool ruleset_file_at(struct ruleset_file *out, const struct ruleset *rs, int index)
{
    if (index < 0 || index >= rs->file_count)
        return false;
    *out = rs->files[index];
    return true;
}

uint64_t ruleset_runs(const struct ruleset *rs)
{
    return rs->runs;
}
