/* replay.c - see replay.h. The engine that serves is the engine that replays: only its clock, its rules and
 * its batches come from the record of what happened. */
#include "engine/replay.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "store/generation.h"
#include "store/log.h"

struct replayer {
    struct store *source;
    struct engine *engine;
    struct replay_result *result;
    replay_progress_fn *progress;
    void *arg;
    int64_t generation;
    /* The commit being replayed. */
    struct arena arena;
    struct event *events;
    struct take *items;
    size_t count, cap;
    const char **touches;
    uint32_t touch_count, touch_cap;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to replay");
}

/* ---- rules ---- */

struct files {
    struct arena arena;
    struct ruleset_file items[256];
    int count;
};

static enum err_code take_file(const struct pack_file *file, void *arg, struct err *err)
{
    struct files *f = arg;

    if (f->count == 256)
        return err_set(err, ERR_LIMIT, "more than 256 rules files");
    char *path = arena_strdup(&f->arena, file->path);
    char *text = arena_copy(&f->arena, file->text, file->len);
    if (!path || !text)
        return no_memory(err);
    f->items[f->count++] = (struct ruleset_file){ path, text, file->len };
    return OK;
}

enum err_code ruleset_of_generation(struct ruleset **out, struct store *s, int64_t number,
                                    struct err *err)
{
    struct files *f = calloc(1, sizeof(*f));

    *out = NULL;
    if (!f)
        return no_memory(err);
    enum err_code rc = generation_files(s, number, take_file, f, err);
    if (rc == OK)
        rc = ruleset_load_files(out, f->items, f->count, NULL, err);
    arena_fini(&f->arena);
    free(f);
    return rc;
}

static enum err_code replay_generation(struct replayer *r, int64_t number, struct err *err)
{
    struct ruleset *rules;

    if (ruleset_of_generation(&rules, r->source, number, err) != OK)
        return err_at(err, "generation %lld", (long long)number);
    r->generation = number;
    return engine_use_rules(r->engine, rules, err);
}

/* ---- events ---- */

static bool room_for_touch(struct replayer *r)
{
    if (r->touch_count < r->touch_cap)
        return true;
    uint32_t cap = r->touch_cap ? r->touch_cap * 2 : 64;
    const char **grown = realloc(r->touches, cap * sizeof(*grown));
    if (!grown)
        return false;
    r->touches = grown;
    r->touch_cap = cap;
    return true;
}

static bool room_for_event(struct replayer *r)
{
    if (r->count < r->cap)
        return true;
    size_t cap = r->cap ? r->cap * 2 : 1024;
    struct event *events = realloc(r->events, cap * sizeof(*events));
    if (events)
        r->events = events;
    struct take *items = realloc(r->items, cap * sizeof(*items));
    if (items)
        r->items = items;
    if (!events || !items)
        return false;
    r->cap = cap;
    return true;
}

/* A logged event as it came, but for its notes, of which the log has digests. */
static enum err_code take_event(const struct logged *e, void *arg, struct err *err)
{
    struct replayer *r = arg;
    const struct json *body = NULL;
    uint32_t first = r->touch_count;

    if (!room_for_event(r))
        return no_memory(err);
    if (json_parse(&body, &r->arena, e->body, e->body_len, EVENT_MAX_DEPTH + 1, err) != OK)
        return err_at(err, "event %lld in the log", (long long)e->seq);
    for (uint32_t i = 0; i < e->touch_count; i++) {
        if (!room_for_touch(r))
            return no_memory(err);
        r->touches[r->touch_count++] = e->touches[i];
    }
    r->events[r->count] = (struct event){
        .time = e->time,
        .sequence = e->sequence ? arena_strdup(&r->arena, e->sequence) : NULL,
        .source = e->source,
        .id = arena_strdup(&r->arena, e->id),
        .type = e->type,
        .subject = e->subject,
        .data = json_get(body, "data"),
        .body = arena_copy(&r->arena, e->body, e->body_len),
        .body_len = e->body_len,
        .touches =
            (const char *const *)(uintptr_t)first, /* an index until the list stops growing */
        .touch_count = e->touch_count,
    };
    r->items[r->count] =
        (struct take){ .actor = e->actor ? arena_strdup(&r->arena, e->actor) : NULL };
    r->count++;
    return OK;
}

/* The subjects that the commit judged, when it left others for later. */
static enum err_code read_judged(struct strmap *out, struct replayer *r, const char *judged,
                                 struct err *err)
{
    const struct json *list = NULL;

    if (json_parse(&list, &r->arena, judged, strlen(judged), 2, err) != OK)
        return err->code;
    for (const struct json *i = list->as.first; i; i = i->next)
        if (i->type != JSON_STRING || !strmap_add(out, i->as.string, i->len, NULL))
            return err_set(err, ERR_CONFLICT, "what it judged is not a list of subjects");
    return OK;
}

static enum err_code replay_events(struct replayer *r, const struct logged_commit *c,
                                   struct err *err)
{
    arena_reset(&r->arena);
    r->count = 0;
    r->touch_count = 0;
    enum err_code rc = log_scan(r->source, c->first - 1, c->last, take_event, r, err);
    if (rc != OK)
        return rc;
    for (size_t i = 0; i < r->count; i++) {
        r->events[i].touches = r->touches + (uintptr_t)r->events[i].touches;
        r->items[i].event = &r->events[i];
    }
    struct strmap only = { 0 };
    if (c->judged)
        rc = read_judged(&only, r, c->judged, err);
    if (rc == OK)
        rc = engine_take_judging(r->engine, r->items, r->count, c->judged ? &only : NULL, err);
    strmap_fini(&only);
    r->result->events += (int64_t)r->count;
    if (rc == OK && r->progress)
        r->progress(r->result->events, r->arg);
    return rc;
}

/* ---- commits ---- */

static enum err_code replay_commit(const struct logged_commit *c, void *arg, struct err *err)
{
    struct replayer *r = arg;
    enum err_code rc;

    engine_set_clock(r->engine, c->recorded);
    if (c->generation != r->generation)
        rc = replay_generation(r, c->generation, err);
    else if (c->last >= c->first)
        rc = replay_events(r, c, err);
    else
        rc = engine_wake(r->engine, err);
    r->result->commits++;
    return rc == OK ? OK : err_at(err, "commit %lld", (long long)c->number);
}

enum err_code replay(struct replay_result *out, struct store *source, compare_fn *differs,
                     replay_progress_fn *progress, void *arg, struct err *err)
{
    struct replayer r = { .source = source, .result = out, .progress = progress, .arg = arg };

    *out = (struct replay_result){ 0 };
    enum err_code rc = engine_open_memory(&r.engine, err);
    if (rc == OK)
        rc = log_scan_commits(source, replay_commit, &r, err);
    if (rc == OK)
        rc = store_compare(&out->differences, &out->rows, source, engine_store(r.engine), differs,
                           arg, err);
    engine_close(r.engine);
    arena_fini(&r.arena);
    free(r.events);
    free(r.items);
    free(r.touches);
    return rc;
}
