/* engine.c - see engine.h. The order of steps and the edges of transactions are decided here. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/crash.h"
#include "base/log.h"
#include "engine/append.h"
#include "engine/engine_internal.h"
#include "engine/publish.h"
#include "lua/record.h"
#include "store/derived.h"
#include "store/generation.h"

/* Subjects judged in one transaction when time alone asks: a batch that arrives meanwhile waits for
 * milliseconds, not for a whole midnight. */
#define WAKE_SLICE 64
/* Events folded anew in one commit, some 100 ms; refolds beyond it are left for the slices between
 * batches. */
#define FOLD_BUDGET 4000
/* Records kept in memory: a nation's schools and some groups, some 6 KiB each. */
#define LIVE_RECORDS 20000

struct engine {
    struct store *store;
    struct ruleset *rules;
    struct clock clock;
    struct live_cache cache;
    int64_t generation;
    int64_t next_wake;
    int64_t feed_seq;
    struct engine_counters counts; /* rule_runs: those of rules that were replaced */
};

/* ---- one commit: begin, publish some subjects, list it, end ---- */

struct commit {
    struct engine *engine;
    struct publication publication;
    struct affected affected;
    int64_t first_seq; /* of the events appended */
    int64_t last_seq;
};

static enum err_code commit_begin(struct commit *c, struct engine *e, struct err *err)
{
    *c = (struct commit){ .engine = e };
    c->affected.arena = &c->publication.arena;
    if (store_begin(e->store, err) != OK)
        return err->code;
    struct publication *p = &c->publication;
    p->store = e->store;
    p->rules = e->rules;
    p->cache = &e->cache;
    p->fold_budget = INT64_MAX;
    p->generation = e->generation;
    /* What a commit decides depends on the log and the commit list alone, so that `replay` makes the
     * same of them: it is judged at the instant that is recorded, which never runs backwards. */
    enum err_code rc = log_recorded_time(&p->recorded, e->store, clock_now(&e->clock), err);
    p->now = p->recorded;
    if (rc == OK)
        rc = log_last_seq(&c->last_seq, e->store, err);
    c->first_seq = c->last_seq + 1;
    return rc;
}

/* A live record knows whether another school takes its events over. */
static bool has_no_successor(const char *subject, const struct concern *concern, void *arg)
{
    const struct live *l = concern->must_refold ? NULL : live_find(arg, subject);
    return l && !l->is_predecessor;
}

static enum err_code publish_all(struct commit *c, struct err *err)
{
    enum err_code rc = affected_successors(&c->affected, c->publication.world, has_no_successor,
                                           c->publication.cache, err);
    for (uint32_t i = 0; i < c->affected.subjects.count && rc == OK; i++)
        rc = publish_subject(&c->publication, c->affected.subjects.items[i].key,
                             c->affected.subjects.items[i].as.ptr, err);
    return rc;
}

/* The commit list says which subjects a commit judged when it left others for later. */
static enum err_code list_judged(const struct commit *c, int64_t number, struct err *err)
{
    struct buf list = { 0 };

    for (uint32_t i = 0; i < c->affected.subjects.count; i++) {
        const struct strmap_item *item = &c->affected.subjects.items[i];
        if (((const struct concern *)item->as.ptr)->is_left)
            continue;
        buf_char(&list, list.len ? ',' : '[');
        json_write_cstr(&list, item->key);
    }
    buf_str(&list, list.len ? "]" : "[]");
    enum err_code rc = list.failed
                           ? err_set(err, ERR_LIMIT, "no memory to list what a commit judged")
                           : log_add_judged(c->engine->store, number, buf_cstr(&list), err);
    buf_fini(&list);
    return rc;
}

/* There was nothing to do: nothing is written. */
static enum err_code commit_nothing(struct commit *c)
{
    store_rollback(c->engine->store);
    affected_fini(&c->affected);
    publication_fini(&c->publication);
    return OK;
}

/* Publish, list the commit and make it durable; or, when `rc` says that something failed, undo it all. */
static enum err_code commit_end(struct commit *c, enum err_code rc, struct err *err)
{
    struct engine *e = c->engine;
    struct publication *p = &c->publication;
    int64_t number, wake, feed;

    if (rc == OK)
        rc = world_open(&p->world, e->store, c->last_seq, err);
    if (rc == OK)
        rc = publish_all(c, err);
    if (rc == OK)
        rc = log_add_commit(&number, e->store, c->first_seq, c->last_seq, p->recorded,
                            e->generation, err);
    if (rc == OK && p->deferred > 0)
        rc = list_judged(c, number, err);
    if (rc == OK)
        rc = wake_next(&wake, e->store, err);
    if (rc == OK)
        rc = feed_last_seq(&feed, e->store, err);
    world_close(p->world);
    if (rc != OK) {
        if (p->store) /* else it never began: somebody held the write lock too long */
            store_rollback(e->store);
    } else {
        crash_point("before commit");
        rc = store_commit(e->store, err);
        crash_point("after commit");
    }
    if (rc == OK) {
        e->next_wake = wake;
        e->feed_seq = feed;
        e->counts.changes += (uint64_t)p->changes;
    } else {
        live_cache_clear(&e->cache);
    }
    e->counts.refolds += (uint64_t)p->refolds;
    affected_fini(&c->affected);
    publication_fini(p);
    return rc;
}

/* ---- events ---- */

static enum err_code take_one(struct commit *c, struct take *t, struct err *err)
{
    static const enum take_status STATUS[] = { [APPEND_ACCEPTED] = TAKE_ACCEPTED,
                                               [APPEND_DUPLICATE] = TAKE_DUPLICATE,
                                               [APPEND_CONFLICT] = TAKE_CONFLICT };
    enum append_status status;

    enum err_code rc = append_event(&status, &t->seq, c->engine->store, t->event,
                                    c->publication.recorded, t->actor, err);
    if (rc != OK)
        return rc;
    crash_point("append");
    t->status = STATUS[status];
    if (status == APPEND_ACCEPTED)
        c->last_seq = t->seq;
    return OK;
}

enum err_code engine_take(struct engine *e, struct take *items, size_t count, struct err *err)
{
    return engine_take_judging(e, items, count, NULL, err);
}

enum err_code engine_take_judging(struct engine *e, struct take *items, size_t count,
                                  const struct strmap *only, struct err *err)
{
    struct commit c;

    enum err_code rc = commit_begin(&c, e, err);
    c.publication.only = only;
    c.publication.fold_budget = FOLD_BUDGET;
    for (size_t i = 0; i < count && rc == OK; i++)
        rc = take_one(&c, &items[i], err);
    for (size_t i = 0; i < count && rc == OK; i++)
        if (items[i].status == TAKE_ACCEPTED)
            rc = affected_by_event(&c.affected, e->store, c.last_seq, items[i].event, err);
    if (rc == OK && c.last_seq < c.first_seq) /* nothing new */
        return commit_nothing(&c);
    return commit_end(&c, rc, err);
}

/* ---- time ---- */

static enum err_code add_due(const char *subject, int64_t due, void *arg, struct err *err)
{
    (void)due;
    return affected_by_time(arg, subject, err);
}

int64_t engine_next_wake(const struct engine *e)
{
    return e->next_wake;
}

enum err_code engine_wake(struct engine *e, struct err *err)
{
    struct commit c;

    enum err_code rc = commit_begin(&c, e, err);
    if (rc == OK)
        rc = wake_due(e->store, c.publication.now, WAKE_SLICE, add_due, &c.affected, err);
    if (rc == OK && c.affected.subjects.count == 0) /* so that each commit listed has a reason */
        return commit_nothing(&c);
    e->counts.wakes += c.affected.subjects.count;
    return commit_end(&c, rc, err);
}

enum err_code engine_settle(struct engine *e, struct err *err)
{
    enum err_code rc = OK;

    while (rc == OK && e->next_wake <= clock_now(&e->clock))
        rc = engine_wake(e, err);
    return rc;
}

/* ---- rules that are not those of the last generation ---- */

static void add_subject(const char *subject, void *arg)
{
    struct err ignored; /* no memory: it is judged at its next event */
    if (affected_by_time(arg, subject, &ignored) != OK)
        log_err("engine: no memory to judge subject=%s", subject);
}

static enum err_code judge_all(struct engine *e, struct err *err)
{
    struct commit c;
    int64_t number;
    struct ruleset_file file;
    struct pack_file files[256];
    int count = 0;

    while (count < 256 && ruleset_file_at(&file, e->rules, count)) {
        files[count] =
            (struct pack_file){ .path = file.path, .text = file.text, .len = (uint32_t)file.len };
        count++;
    }
    enum err_code rc = commit_begin(&c, e, err);
    if (rc == OK)
        rc = generation_add(&number, e->store, ruleset_digest(e->rules), c.publication.recorded,
                            files, count, err);
    if (rc == OK) {
        c.publication.generation = e->generation = number;
        c.publication.is_new_generation = number > 1;
        rc = log_subjects(e->store, add_subject, &c.affected, err);
    }
    rc = commit_end(&c, rc, err);
    return rc;
}

enum err_code engine_use_rules(struct engine *e, struct ruleset *rules, struct err *err)
{
    struct ruleset *old = e->rules;
    struct generation last;

    live_cache_clear(&e->cache); /* its records live in the old rules' Lua state */
    e->counts.rule_runs += old ? ruleset_runs(old) : 0;
    ruleset_free(old);
    e->rules = rules;
    enum err_code rc = generation_last(&last, e->store, err);
    if (rc != OK)
        return rc;
    e->generation = last.number;
    if (last.number == 0 || strcmp(last.digest, ruleset_digest(rules)) != 0)
        return judge_all(e, err);
    rc = wake_next(&e->next_wake, e->store, err);
    if (rc == OK)
        rc = feed_last_seq(&e->feed_seq, e->store, err);
    return rc;
}

static struct engine *new_engine(const struct clock *clock)
{
    struct engine *e = calloc(1, sizeof(*e));

    if (e) {
        e->clock = *clock;
        e->next_wake = TIME_NEVER;
        live_cache_init(&e->cache, LIVE_RECORDS);
    }
    return e;
}

enum err_code engine_open_memory(struct engine **out, struct err *err)
{
    struct clock clock;

    clock_init_fixed(&clock, 0);
    *out = new_engine(&clock);
    if (!*out)
        return err_set(err, ERR_LIMIT, "no memory for the engine");
    enum err_code rc = store_open(&(*out)->store, NULL, STORE_MEMORY, err);
    if (rc != OK) {
        engine_close(*out);
        *out = NULL;
    }
    return rc;
}

void engine_set_clock(struct engine *e, int64_t now)
{
    clock_init_fixed(&e->clock, now);
}

enum err_code engine_open(struct engine **out, const struct engine_options *options,
                          struct err *err)
{
    struct problems problems = { 0 };
    struct ruleset *rules = NULL;

    *out = NULL;
    struct engine *e = new_engine(&options->clock);
    if (!e)
        return err_set(err, ERR_LIMIT, "no memory for the engine");
    enum err_code rc = ruleset_load(&rules, options->rules, &problems, err);
    for (const struct problem *p = problems.first; p; p = p->next)
        log_err("rules: %s", p->text);
    problems_fini(&problems);
    if (rc == OK)
        rc = store_open(&e->store, options->database, STORE_WRITE, err);
    if (rc == OK)
        rc = engine_use_rules(e, rules, err);
    else
        ruleset_free(rules);
    if (rc == OK)
        *out = e;
    else
        engine_close(e);
    return rc;
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    live_cache_fini(&e->cache);
    store_close(e->store);
    ruleset_free(e->rules);
    free(e);
}

const struct catalog *engine_catalog(const struct engine *e)
{
    return ruleset_catalog(e->rules);
}

const uint8_t *engine_note_key(const struct engine *e)
{
    return store_note_key(e->store);
}

int64_t engine_feed_seq(const struct engine *e)
{
    return e->feed_seq;
}

void engine_counters(const struct engine *e, struct engine_counters *out)
{
    *out = e->counts;
    out->rule_runs += ruleset_runs(e->rules);
    out->live_records = e->cache.count;
    out->generation = e->generation;
    snprintf(out->digest, sizeof(out->digest), "%s", ruleset_digest(e->rules));
}

struct store *engine_store(struct engine *e)
{
    return e->store;
}
