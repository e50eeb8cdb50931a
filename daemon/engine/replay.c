/* replay.c - see replay.h. The engine that serves is the engine that replays: only its clock, its
 * rules and its batches come from the record of what happened. */
#include "engine/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
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
    struct logged_events events; /* of the commit being replayed */
    struct take *items;
    size_t cap;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to replay");
}

/* ---- rules ---- */

static enum err_code replay_generation(struct replayer *r, int64_t number, struct err *err)
{
    struct rulebook *rules;

    if (rulebook_of_generation(&rules, r->source, number, err) != OK)
        return err_at(err, "generation %lld", (long long)number);
    r->generation = number;
    return engine_use_rules(r->engine, rules, err);
}

/* ---- commits ---- */

static bool make_room(struct replayer *r, size_t count)
{
    if (count <= r->cap)
        return true;
    struct take *items = realloc(r->items, count * sizeof(*items));
    if (!items)
        return false;
    r->items = items;
    r->cap = count;
    return true;
}

static enum err_code replay_events(struct replayer *r, const struct logged_commit *c,
                                   struct err *err)
{
    struct logged_events *l = &r->events;
    struct strmap only = { 0 };

    enum err_code rc = logged_events_read(l, r->source, c->first, c->last, err);
    if (rc == OK && !make_room(r, l->count))
        rc = no_memory(err);
    for (size_t i = 0; rc == OK && i < l->count; i++)
        r->items[i] = (struct take){ .event = &l->events[i], .actor = l->actors[i] };
    if (rc == OK && c->judged)
        rc = logged_judged(&only, l, c->judged, err);
    if (rc == OK)
        rc = engine_take_judging(r->engine, r->items, l->count, c->judged ? &only : NULL, err);
    strmap_fini(&only);
    r->result->events += (int64_t)l->count;
    if (rc == OK && r->progress)
        r->progress(r->result->events, r->arg);
    return rc;
}

/* Time alone was the reason. Commits say which subjects they judged then, since version 3 of the
 * schema. */
static enum err_code replay_moment(struct replayer *r, const struct logged_commit *c,
                                   struct err *err)
{
    struct strmap only = { 0 };

    arena_reset(&r->events.arena);
    enum err_code rc = c->judged ? logged_judged(&only, &r->events, c->judged, err) : OK;
    if (rc == OK)
        rc = engine_wake_judging(r->engine, c->judged ? &only : NULL, err);
    strmap_fini(&only);
    return rc;
}

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
        rc = replay_moment(r, c, err);
    r->result->commits++;
    return rc == OK ? OK : err_at(err, "commit %lld", (long long)c->number);
}

enum err_code replay(struct replay_result *out, struct store *source, compare_fn *differs,
                     replay_progress_fn *progress, void *arg, struct err *err)
{
    struct replayer r = { .source = source, .result = out, .progress = progress, .arg = arg };

    *out = (struct replay_result){ 0 };
    enum err_code rc = engine_open_replay(&r.engine, source, differs, arg, err);
    if (rc == OK)
        rc = log_scan_commits(source, 0, replay_commit, &r, err);
    if (rc == OK)
        rc = store_end_replay(&out->differences, &out->rows, engine_store(r.engine), err);
    engine_close(r.engine);
    logged_events_fini(&r.events);
    free(r.items);
    return rc;
}
