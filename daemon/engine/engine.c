/* engine.c - see engine.h. What comes in, and what time asks for; how it is committed is in
 * commit.c. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crash.h"
#include "engine/append.h"
#include "engine/commit.h"
#include "engine/engine_internal.h"
#include "lua/record.h"
#include "store/derived.h"

/* Subjects judged in one transaction when time alone asks: a batch that arrives meanwhile waits for
 * milliseconds, not for a whole midnight. */
#define WAKE_SLICE  64
#define COLD_WEIGHT 8 /* one whose record must be folded from the log first counts for so many */

enum err_code engine_reload(struct engine *e, struct err *err)
{
    if (!e->must_reload && !store_has_failed(e->store))
        return OK;
    e->must_reload = true;
    live_cache_clear(&e->cache);
    if (e->debts)
        debts_release(e->debts); /* all are due as the database says */
    enum err_code rc = store_reload(e->store, err);
    if (rc == OK)
        rc = engine_recover(e->store, e->rules, &e->cache, err);
    if (rc == OK && e->candidate)
        rc = candidate_restart(e->candidate, e->store, err);
    e->must_reload = rc != OK;
    return rc;
}

/* ---- events ---- */

static enum err_code take_one(struct commit *c, struct take *t, struct err *err)
{
    static const enum take_status STATUS[] = { [APPEND_ACCEPTED] = TAKE_ACCEPTED,
                                               [APPEND_DUPLICATE] = TAKE_DUPLICATE,
                                               [APPEND_CONFLICT] = TAKE_CONFLICT };
    enum append_status status;

    enum err_code rc = sending_check(&t->forbidden, &c->sending, c->engine->store, t, err);
    if (rc != OK)
        return rc;
    if (t->forbidden) {
        t->status = TAKE_FORBIDDEN;
        t->seq = 0;
        return OK;
    }
    rc = append_event(&status, &t->seq, c->engine->store, t->event, c->publication.recorded,
                      t->actor, err);
    if (rc != OK)
        return rc;
    crash_point("append");
    t->status = STATUS[status];
    if (status != APPEND_ACCEPTED)
        return OK;
    c->last_seq = t->seq;
    return sending_note(&c->sending, t, err);
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
    sending_init(&c.sending, items, count);
    for (size_t i = 0; i < count && rc == OK; i++)
        rc = take_one(&c, &items[i], err);
    for (size_t i = 0; i < count && rc == OK; i++)
        if (items[i].status == TAKE_ACCEPTED)
            rc = affected_by_event(&c.affected, e->store, c.last_seq, items[i].event, items[i].seq,
                                   err);
    if (rc == OK && c.last_seq < c.first_seq) /* nothing new */
        return commit_nothing(&c);
    return commit_end(&c, rc, err);
}

/* ---- time ---- */

struct due_slice {
    struct commit *commit;
    int weight; /* of what it holds so far */
    const char *held[WAKE_SLICE];
    int held_count;
};

/* A subject whose hub's rules take long is held back also when time asks. */
static enum err_code hold_due(bool *is_held, struct due_slice *slice, const struct live *l,
                              const char *subject, struct err *err)
{
    struct engine *e = slice->commit->engine;
    char *kept = NULL;
    enum err_code rc = OK;

    *is_held = false;
    if (!e->debts || !debts_are_owed(e->debts))
        return OK;
    if (!l)
        rc = subject_hub_kept(&kept, e->store, subject, err);
    const char *hub = l ? ruleset_hub(record_ruleset(l->fold.record)) : kept;
    *is_held = rc == OK && debts_must_wait(e->debts, subject, hub);
    if (*is_held)
        rc = debts_hold(e->debts, subject, hub, err);
    if (*is_held && rc == OK)
        slice->held[slice->held_count++] = subject;
    free(kept);
    return rc;
}

static enum err_code add_due(const char *subject, int64_t due, void *arg, struct err *err)
{
    struct due_slice *slice = arg;
    bool is_held;

    (void)due;
    if (slice->weight >= WAKE_SLICE)
        return OK;
    const struct live *l = live_find(&slice->commit->engine->cache, subject);
    enum err_code rc = hold_due(&is_held, slice, l, subject, err);
    if (rc != OK || is_held)
        return rc;
    slice->weight += l ? 1 : COLD_WEIGHT;
    return affected_by_time(&slice->commit->affected, subject, err);
}

int64_t engine_turn_at(const struct engine *e)
{
    return e->debts ? debts_turn_at(e->debts) : INT64_MAX;
}

enum err_code engine_release(struct engine *e, struct err *err)
{
    const char *subject;
    int64_t due;

    while (e->debts && (subject = debts_next(e->debts, clock_monotonic()))) {
        enum err_code rc = wake_release(e->store, subject, err);
        if (rc == OK)
            rc = wake_of(&due, e->store, subject, err);
        if (rc != OK)
            return rc;
        if (due <= log_recorded_time(e->store, clock_now(&e->clock)))
            return OK;
        debts_pass(e->debts); /* judged meanwhile */
    }
    return OK;
}

int64_t engine_next_wake(const struct engine *e)
{
    int64_t wake = wake_next(e->store), now = clock_now(&e->clock);

    /* With a clock that was set back, a commit is of the newest recorded instant: what is due by
     * then is due. */
    return wake > now && wake <= log_recorded_time(e->store, now) ? now : wake;
}

enum err_code engine_wake(struct engine *e, struct err *err)
{
    return engine_wake_judging(e, NULL, err);
}

enum err_code engine_wake_judging(struct engine *e, const struct strmap *only, struct err *err)
{
    struct commit c;
    struct due_slice slice = { .commit = &c };

    enum err_code rc = commit_begin(&c, e, err);
    for (uint32_t i = 0; rc == OK && only && i < only->count; i++)
        rc = affected_by_time(&c.affected, only->items[i].key, err);
    if (rc == OK && !only)
        rc = wake_due(e->store, c.publication.now, WAKE_SLICE, add_due, &slice, err);
    for (int i = 0; i < slice.held_count; i++) /* they would be in the way of others */
        wake_hold(e->store, slice.held[i]);
    if (rc == OK && c.affected.subjects.count == 0) /* so that each commit listed has a reason */
        return commit_nothing(&c);
    size_t due = c.affected.subjects.count;
    rc = commit_end(&c, rc, err);
    e->counts.wakes += rc == OK ? due - c.publication.left : 0;
    return rc;
}

enum err_code engine_settle(struct engine *e, struct err *err)
{
    enum err_code rc = OK;

    while (rc == OK && engine_next_wake(e) <= clock_now(&e->clock))
        rc = engine_wake(e, err);
    return rc;
}

void engine_set_clock(struct engine *e, int64_t now)
{
    clock_init_fixed(&e->clock, now);
}

void engine_write_failures(const struct engine *e, bool as_metrics, struct buf *out)
{
    if (as_metrics)
        failures_write_metrics(e->failures, out);
    else
        failures_write_list(e->failures, out);
}

const struct catalog *engine_catalog(const struct engine *e)
{
    return rulebook_catalog(e->rules);
}

const uint8_t *engine_note_key(const struct engine *e)
{
    return store_note_key(e->store);
}

int64_t engine_ticket(const struct engine *e)
{
    return store_ticket(e->store);
}

bool engine_must_scrub(const struct engine *e)
{
    return store_must_scrub(e->store);
}

enum err_code engine_scrub(struct engine *e, struct err *err)
{
    return store_scrub(e->store, err);
}

bool engine_is_behind(const struct engine *e)
{
    return store_is_behind(e->store);
}

enum err_code engine_catch_up(struct engine *e, struct err *err)
{
    enum err_code rc = engine_reload(e, err);
    if (rc != OK)
        return rc;
    rc = store_catch_up(e->store, false, err);
    e->must_reload = rc != OK;
    return rc;
}

void engine_progress(const struct engine *e, struct engine_progress *out)
{
    struct derived_mark mark = derived_mark(e->store);

    *out = (struct engine_progress){ .feed_seq = log_changes(e->store),
                                     .commits = log_commits(e->store),
                                     .tables = mark.commit,
                                     .tables_are_whole = mark.is_whole,
                                     .next_wake = engine_next_wake(e) };
}

void engine_counters(const struct engine *e, struct engine_counters *out)
{
    *out = e->counts;
    out->rule_runs += rulebook_runs(e->rules);
    out->live_records = e->cache.count;
    out->skipped = e->cache.skipped;
    out->refold_lag = (uint64_t)pending_count(e->store);
    out->held_back = e->debts ? debts_held(e->debts) : 0;
    if (e->debts)
        debts_list(e->debts, out->slow, sizeof(out->slow));
    out->generation = e->generation;
    snprintf(out->digest, sizeof(out->digest), "%s", rulebook_digest(e->rules));
}

int64_t engine_now(const struct engine *e)
{
    return clock_now(&e->clock);
}

struct store *engine_store(struct engine *e)
{
    return e->store;
}
