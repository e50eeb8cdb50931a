/*
 * recover.c - see engine_internal.h. The log and the feed are whole after any crash; the tables are
 * those of an earlier commit. The commits since then say which subjects they judged, or left for
 * later: each is folded as it was when it was judged last.
 */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "engine/affected.h"
#include "engine/engine_internal.h"
#include "engine/publish.h"
#include "store/derived.h"

/* What became of a subject since the watermark. */
struct fate {
    int64_t judged_at; /* TIME_NEVER: it was not judged */
    int64_t seq;       /* the end of the log then */
};

struct recovery {
    struct store *store;
    struct rulebook *rules;
    struct live_cache *cache;
    struct arena arena;
    struct strmap fates; /* subject to struct fate */
    struct logged_events events;
    struct logged_commit commit; /* being looked at */
    int64_t last_seq;            /* of the log, at that commit */
    int64_t generation;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to make up for what a crash left behind");
}

static struct fate *fate_of(struct recovery *r, const char *subject)
{
    struct strmap_item *item = strmap_find(&r->fates, subject, strlen(subject));

    if (!item) {
        const char *name = arena_strdup(&r->arena, subject);
        struct fate *fate = arena_alloc(&r->arena, sizeof(*fate));
        item = name && fate ? strmap_add(&r->fates, name, strlen(name), NULL) : NULL;
        if (!item)
            return NULL;
        fate->judged_at = TIME_NEVER;
        item->as.ptr = fate;
    }
    return item->as.ptr;
}

static enum err_code was_judged(struct recovery *r, const char *subject, struct err *err)
{
    struct fate *fate = fate_of(r, subject);
    char *events = NULL;

    if (!fate)
        return no_memory(err);
    *fate = (struct fate){ r->commit.recorded, r->last_seq };
    enum err_code rc = pending_take(&events, r->store, subject, err);
    free(events);
    return rc;
}

/* Is this one of a list of numbers? */
static bool is_listed(const char *list, const char *number, size_t len)
{
    for (const char *at = list; at && *at; at = strchr(at, ','), at += at != NULL)
        if (strncmp(at, number, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

/* Numbers of a list that are not in another. */
static void add_missing(struct buf *out, const char *there, const char *list)
{
    for (size_t len; *list; list += len + (list[len] == ',')) {
        len = strcspn(list, ",");
        if (is_listed(there, list, len))
            continue;
        buf_str(out, out->len > 0 ? "," : "");
        buf_add(out, list, len);
    }
}

/* What it waits for may be in its row already: a sweep may have written that when it was
 * cut off. */
static enum err_code wait_for(struct recovery *r, const char *subject, const char *events,
                              struct err *err)
{
    struct buf all = { 0 };
    char *before = NULL;

    enum err_code rc = pending_take(&before, r->store, subject, err);
    if (rc == OK && before)
        buf_str(&all, before);
    if (rc == OK)
        add_missing(&all, before, events);
    if (rc == OK && all.failed)
        rc = no_memory(err);
    if (rc == OK && all.len > 0)
        rc = pending_add(r->store, subject, buf_cstr(&all), err);
    buf_fini(&all);
    free(before);
    return rc;
}

static enum err_code was_left(struct recovery *r, const char *subject,
                              const struct concern *concern, struct err *err)
{
    struct buf events = { 0 };

    if (!fate_of(r, subject))
        return no_memory(err);
    write_causes(&events, concern->causes);
    enum err_code rc = events.failed ? no_memory(err) : OK;
    if (rc == OK)
        rc = wake_put(r->store, subject, r->commit.recorded, err);
    if (rc == OK)
        rc = wait_for(r, subject, buf_cstr(&events), err);
    buf_fini(&events);
    return rc;
}

/* The subjects that a commit's events concern, as when it was taken. */
static enum err_code find_affected(struct affected *a, struct recovery *r, struct err *err)
{
    struct logged_events *l = &r->events;
    enum err_code rc = OK;

    for (size_t i = 0; rc == OK && i < l->count; i++)
        rc = affected_by_event(a, r->store, r->last_seq, &l->events[i], l->seqs[i], err);
    return rc == OK ? affected_successors(a, r->store, r->last_seq, err) : rc;
}

static enum err_code take_events(struct recovery *r, struct err *err)
{
    struct arena arena = { 0 };
    struct affected a = { .arena = &arena };
    struct strmap only = { 0 };
    const char *judged = r->commit.judged;

    enum err_code rc =
        logged_events_read(&r->events, r->store, r->commit.first, r->commit.last, err);
    if (rc == OK)
        rc = find_affected(&a, r, err);
    if (rc == OK && judged)
        rc = logged_judged(&only, &r->events, judged, err);
    for (uint32_t i = 0; rc == OK && i < a.subjects.count; i++) {
        const struct strmap_item *item = &a.subjects.items[i];
        bool is_left = judged && !strmap_find(&only, item->key, item->len);
        rc = is_left ? was_left(r, item->key, item->as.ptr, err) : was_judged(r, item->key, err);
    }
    strmap_fini(&only);
    affected_fini(&a);
    arena_fini(&arena);
    return rc;
}

struct judging {
    struct recovery *r;
    enum err_code rc;
    struct err *err;
};

static void judge_one(const char *subject, void *arg)
{
    struct judging *j = arg;
    if (j->rc == OK)
        j->rc = was_judged(j->r, subject, j->err);
}

/* Time alone, or new rules: the commit lists what it judged, or judged everything. */
static enum err_code take_moment(struct recovery *r, bool is_generation, struct err *err)
{
    struct strmap only = { 0 };
    struct judging all = { r, OK, err };

    if (is_generation) {
        enum err_code rc = log_subjects(r->store, judge_one, &all, err);
        return rc == OK ? all.rc : rc;
    }
    arena_reset(&r->events.arena);
    enum err_code rc =
        r->commit.judged ? logged_judged(&only, &r->events, r->commit.judged, err) : OK;
    for (uint32_t i = 0; rc == OK && i < only.count; i++)
        rc = was_judged(r, only.items[i].key, err);
    strmap_fini(&only);
    return rc;
}

static enum err_code take_commit(const struct logged_commit *c, void *arg, struct err *err)
{
    struct recovery *r = arg;
    bool has_events = c->last >= c->first;

    r->commit = *c;
    r->last_seq = c->last; /* with no events it is that of the commit before */
    enum err_code rc =
        has_events ? take_events(r, err) : take_moment(r, c->generation != r->generation, err);
    r->generation = c->generation;
    return rc == OK ? OK : err_at(err, "commit %lld", (long long)c->number);
}

/* Fold what was judged as it was judged last. */
static enum err_code make_up(struct recovery *r, const char *subject, const struct fate *fate,
                             struct err *err)
{
    struct publication p = { .store = r->store,
                             .rules = r->rules,
                             .cache = r->cache,
                             .now = fate->judged_at,
                             .recorded = fate->judged_at };

    enum err_code rc = world_open(&p.world, r->store, fate->seq, err);
    if (rc == OK)
        rc = publish_again(&p, subject, err);
    world_close(p.world);
    publication_fini(&p);
    return rc;
}

/* A subject that was judged and then left keeps waiting; its record lacks what it waits for. */
static enum err_code make_up_one(struct recovery *r, const struct strmap_item *item,
                                 struct err *err)
{
    const struct fate *fate = item->as.ptr;
    int64_t due;

    if (fate->judged_at == TIME_NEVER)
        return OK;
    enum err_code rc = wake_of(&due, r->store, item->key, err);
    if (rc == OK)
        rc = make_up(r, item->key, fate, err);
    if (rc != OK || !pending_has(r->store, item->key))
        return rc;
    struct live *l = live_find(r->cache, item->key);
    if (l)
        live_drop(r->cache, l);
    return wake_put(r->store, item->key, due, err);
}

static enum err_code make_up_all(struct recovery *r, struct err *err)
{
    enum err_code rc = OK;

    for (uint32_t i = 0; rc == OK && i < r->fates.count; i++)
        rc = make_up_one(r, &r->fates.items[i], err);
    return rc;
}

enum err_code engine_recover(struct store *s, struct rulebook *rules, struct live_cache *cache,
                             struct err *err)
{
    struct recovery r = { .store = s, .rules = rules, .cache = cache };
    struct derived_mark mark = derived_mark(s);
    int64_t began = clock_monotonic();

    if (mark.commit == log_commits(s) && mark.is_whole)
        return OK;
    enum err_code rc = log_generation_of(&r.generation, s, mark.commit, err);
    if (rc == OK)
        rc = log_scan_commits(s, mark.commit, take_commit, &r, err);
    if (rc == OK)
        rc = make_up_all(&r, err);
    /* The tables stay as they are until all of it is known: a crash in between begins anew. */
    while (rc == OK && store_is_behind(s)) {
        crash_point("recover");
        rc = store_catch_up(s, false, err);
    }
    if (rc == OK)
        log_info(
            "engine: made up for what a crash left behind commits=%lld subjects=%u took_ms=%lld",
            (long long)(log_commits(s) - mark.commit), r.fates.count,
            (long long)(clock_monotonic() - began) / 1000);
    strmap_fini(&r.fates);
    logged_events_fini(&r.events);
    arena_fini(&r.arena);
    return rc;
}
