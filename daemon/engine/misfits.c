/* misfits.c - see misfits.h. */
#include "engine/misfits.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/strmap.h"
#include "base/text.h"
#include "engine/engine_internal.h"
#include "engine/origin.h"
#include "store/generation.h"

struct search {
    struct misfits *out;
    const struct catalog *catalog;
    struct strmap kinds; /* type to struct misfit */
    struct misfit **end;
    struct arena scratch; /* of one event */
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to hold the log against the rules");
}

/* ---- the packs that would be in force ---- */

struct gathered {
    struct arena arena;
    struct ruleset_file *files;
    int count;
    size_t cap;
    const char *but; /* "hubs/07/": files that begin so are left out; NULL: none */
};

static enum err_code add_file(struct gathered *g, const char *path, const char *text, size_t len,
                              struct err *err)
{
    struct ruleset_file *grown =
        array_room_in(&g->arena, g->files, (size_t)g->count, &g->cap, sizeof(*grown));

    if (!grown)
        return no_memory(err);
    g->files = grown;
    const struct ruleset_file file = { .path = arena_strdup(&g->arena, path),
                                       .text = arena_copy(&g->arena, text, len),
                                       .len = len };
    g->files[g->count++] = file;
    return file.path && file.text ? OK : no_memory(err);
}

static enum err_code take_archived(const struct pack_file *file, void *arg, struct err *err)
{
    struct gathered *g = arg;

    if (strncmp(file->path, g->but, strlen(g->but)) == 0)
        return OK;
    return add_file(g, file->path, file->text, file->len, err);
}

/* A hub's own folder: all other packs stay what they are in force. */
static enum err_code gather_one(struct gathered *g, struct store *s, const struct rulebook *rules,
                                int64_t generation, struct err *err)
{
    const char *hub = ruleset_hub(rulebook_at(rules, 1));
    struct ruleset_file file;
    struct buf pack = { 0 };
    enum err_code rc = OK;

    buf_printf(&pack, "hubs/%s/", hub);
    if (pack.failed)
        rc = no_memory(err);
    g->but = buf_cstr(&pack);
    if (rc == OK)
        rc = generation_files(s, generation, take_archived, g, err);
    for (int i = 0; rc == OK && rulebook_file_at(&file, rules, i); i++)
        if (strncmp(file.path, g->but, pack.len) == 0)
            rc = add_file(g, file.path, file.text, file.len, err);
    buf_fini(&pack);
    return rc;
}

/* A rules folder: what was pushed stays, unless the folder has another pack in its place. */
static enum err_code gather_folder(struct gathered *g, struct store *s, const char *dir,
                                   struct err *err)
{
    const struct proposal proposal = { .folder = dir, .kind = PROPOSE_FOLDER };
    struct origins *from;

    enum err_code rc = origins_gather(&from, &g->arena, s, &proposal, err);
    return rc == OK ? origins_files(&g->files, &g->count, from, err) : rc;
}

/* *out: what would be in force; NULL: `rules` themselves. */
static enum err_code load_together(struct rulebook **out, struct store *s, const char *dir,
                                   const struct rulebook *rules, struct err *err)
{
    struct gathered g = { 0 };
    struct generation last;

    *out = NULL;
    enum err_code rc = generation_last(&last, s, err);
    if (rc != OK || last.number == 0)
        return rc;
    if (rulebook_is_one_overlay(rules))
        rc = gather_one(&g, s, rules, last.number, err);
    else
        rc = gather_folder(&g, s, dir, err);
    if (rc == OK)
        rc = rulebook_load_files(out, g.files, g.count, NULL, err);
    arena_fini(&g.arena);
    return rc;
}

/* ---- the log ---- */

static const char *nearest_type(const struct catalog *c, const char *type)
{
    const char **names = malloc(sizeof(*names) * ((size_t)c->types.count + 1));

    for (uint32_t i = 0; names && i < c->types.count; i++)
        names[i] = c->types.items[i].key;
    const char *nearest = names ? text_nearest(type, names, c->types.count) : NULL;
    free(names);
    return nearest;
}

static enum err_code add_kind(struct misfit **out, struct search *s, const struct logged *e,
                              const struct event_type *type, const char *why, struct err *err)
{
    struct arena *arena = &s->out->arena;
    struct misfit *m = arena_alloc(arena, sizeof(*m));
    const char *nearest = type ? NULL : nearest_type(s->catalog, e->type);

    if (!m)
        return no_memory(err);
    *m = (struct misfit){
        .type = arena_strdup(arena, e->type),
        .declared_at = type ? arena_strdup(arena, type->declared_at) : NULL,
        .why = why ? arena_strdup(arena, why) : NULL,
        .nearest = nearest ? arena_strdup(arena, nearest) : NULL,
        .seq = e->seq,
        .source = arena_strdup(arena, e->source),
        .id = arena_strdup(arena, e->id),
    };
    struct strmap_item *item =
        m->type ? strmap_add(&s->kinds, m->type, strlen(m->type), NULL) : NULL;
    if (!item || !m->source || !m->id || (type && !m->declared_at) || (why && !m->why) ||
        (nearest && !m->nearest))
        return no_memory(err);
    item->as.ptr = m;
    *s->end = m;
    s->end = &m->next;
    *out = m;
    return OK;
}

static enum err_code count_one(struct search *s, const struct logged *e,
                               const struct event_type *type, const char *why, struct err *err)
{
    const struct strmap_item *item = strmap_find(&s->kinds, e->type, strlen(e->type));
    struct misfit *m = item ? item->as.ptr : NULL;
    enum err_code rc = m ? OK : add_kind(&m, s, e, type, why, err);

    if (rc != OK)
        return rc;
    m->count++;
    s->out->skipped++;
    return OK;
}

static enum err_code take_event(const struct logged *e, void *arg, struct err *err)
{
    struct search *s = arg;
    const struct event_type *type = catalog_find(s->catalog, e->type);
    const struct json *body;
    struct err why;

    s->out->events++;
    if (!type)
        return count_one(s, e, NULL, NULL, err);
    arena_reset(&s->scratch);
    if (json_parse(&body, &s->scratch, e->body, e->body_len, EVENT_MAX_DEPTH + 1, err) != OK)
        return err_at(err, "event %lld in the log", (long long)e->seq);
    if (type_check(type->data, json_get(body, "data"), "data", &why) == OK)
        return OK;
    return count_one(s, e, type, why.msg, err);
}

static enum err_code search_log(struct misfits *out, struct store *store,
                                const struct rulebook *rules, struct err *err)
{
    struct search s = { .out = out, .catalog = rulebook_catalog(rules), .end = &out->first };

    enum err_code rc = log_scan(store, 0, INT64_MAX, take_event, &s, err);
    strmap_fini(&s.kinds);
    arena_fini(&s.scratch);
    return rc;
}

enum err_code misfits_find(struct misfits *out, const char *database, const char *dir,
                           const struct rulebook *rules, struct err *err)
{
    struct store *s = NULL;
    struct rulebook *together = NULL;

    *out = (struct misfits){ 0 };
    enum err_code rc = store_open(&s, database, STORE_READ, err);
    if (rc != OK)
        return rc;
    rc = store_snapshot(s, err);
    if (rc == OK) {
        rc = load_together(&together, s, dir, rules, err);
        if (rc == OK)
            rc = search_log(out, s, together ? together : rules, err);
        store_snapshot_end(s);
    }
    rulebook_free(together);
    store_close(s);
    return rc;
}

void misfits_fini(struct misfits *m)
{
    arena_fini(&m->arena);
    *m = (struct misfits){ 0 };
}
