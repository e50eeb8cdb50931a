/* engine.c - see engine.h. The order of steps and the edges of transactions are decided here. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/crash.h"
#include "base/log.h"
#include "engine/append.h"
#include "engine/candidate.h"
#include "engine/engine_internal.h"
#include "engine/packs.h"
#include "engine/proposal.h"
#include "engine/publish.h"
#include "engine/sending.h"
#include "engine/stuck.h"
#include "lua/record.h"
#include "store/derived.h"
#include "store/generation.h"

/* Subjects judged in one transaction when time alone asks: a batch that arrives meanwhile waits for
 * milliseconds, not for a whole midnight. */
#define WAKE_SLICE  64
#define COLD_WEIGHT 8 /* one whose record must be folded from the log first counts for so many */
/* Events folded anew in one commit, some 10 ms; refolds beyond it are left for the slices between batches,
 * one for each subject however many of its events come meanwhile. */
#ifndef FOLD_BUDGET
#define FOLD_BUDGET 250
#endif
/* Records kept in memory: a nation's schools and some groups, some 6 KiB each. */
#define LIVE_RECORDS 20000
#define WORLD_EVENTS 20000 /* folded anew, that are kept in memory in one commit: some 20 MB */

struct engine {
    struct store *store;
    struct rulebook *rules;
    struct clock clock;
    struct live_cache cache;
    int64_t generation;
    int64_t
        judged_since; /* replay: commits from this one on list what they judged when time asked */
    bool must_reload; /* memory may be ahead of what is durable */
    struct failures *failures;         /* NULL: a replay, where nobody asks */
    struct debts *debts;               /* NULL: nobody waits for a commit */
    struct candidate *candidate;       /* rules being tried; NULL: none */
    const struct pack_origin *origins; /* of rules that come into force; borrowed */
    struct engine_counters counts;     /* rule_runs: those of rules that were replaced */
};

/* ---- one commit: begin, publish some subjects, list it, end ---- */

struct commit {
    struct engine *engine;
    struct publication publication;
    struct affected affected;
    struct sending sending; /* who may write about whom, when somebody may not about all */
    int64_t first_seq;      /* of the events appended */
    int64_t last_seq;
    bool is_open;
};

static enum err_code commit_begin(struct commit *c, struct engine *e, struct err *err)
{
    *c = (struct commit){ .engine = e };
    c->affected.arena = &c->publication.arena;
    if (engine_reload(e, err) != OK || store_begin(e->store, err) != OK)
        return err->code;
    c->is_open = true;
    struct publication *p = &c->publication;
    p->store = e->store;
    p->rules = e->rules;
    p->cache = &e->cache;
    p->failures = e->failures;
    p->debts = e->debts;
    p->fold_budget = FOLD_BUDGET;
    p->generation = e->generation;
    /* What a commit decides depends on the log and the commit list alone, so that `replay` makes the
     * same of them: it is judged at the instant that is recorded, which never runs backwards. */
    p->now = p->recorded = log_recorded_time(e->store, clock_now(&e->clock));
    c->last_seq = log_tip(e->store);
    c->first_seq = p->first_seq = c->last_seq + 1;
    return OK;
}

/* A commit that folds a whole nation anew does not keep all its events in memory. */
static enum err_code forget_world(struct commit *c, int64_t *folded, struct err *err)
{
    struct publication *p = &c->publication;

    if (p->folded - *folded < WORLD_EVENTS)
        return OK;
    *folded = p->folded;
    world_close(p->world);
    p->world = NULL;
    return world_open(&p->world, c->engine->store, c->last_seq, err);
}

static enum err_code publish_all(struct commit *c, struct err *err)
{
    int64_t folded = 0;

    enum err_code rc = affected_successors(&c->affected, c->engine->store, c->last_seq, err);
    for (uint32_t i = 0; i < c->affected.subjects.count && rc == OK; i++) {
        rc = publish_subject(&c->publication, c->affected.subjects.items[i].key,
                             c->affected.subjects.items[i].as.ptr, err);
        if (rc == OK)
            rc = forget_world(c, &folded, err);
    }
    return rc;
}

/* The commit list says which subjects a commit judged where its events do not. */
static bool must_list_judged(const struct commit *c)
{
    bool is_time = c->last_seq < c->first_seq && !c->publication.is_first_of_generation;
    return c->publication.deferred > 0 ||
           (is_time && log_commits(c->engine->store) + 1 >= c->engine->judged_since);
}

static enum err_code list_judged(struct buf *list, const struct commit *c, struct err *err)
{
    for (uint32_t i = 0; i < c->affected.subjects.count; i++) {
        const struct strmap_item *item = &c->affected.subjects.items[i];
        if (((const struct concern *)item->as.ptr)->is_left)
            continue;
        buf_char(list, list->len ? ',' : '[');
        json_write_cstr(list, item->key);
    }
    buf_str(list, list->len ? "]" : "[]");
    return list->failed ? err_set(err, ERR_LIMIT, "no memory to list what a commit judged") : OK;
}

static enum err_code list_commit(const struct commit *c, struct err *err)
{
    struct buf list = { 0 };
    int64_t number;
    bool is_listed = must_list_judged(c);
    enum err_code rc = is_listed ? list_judged(&list, c, err) : OK;

    if (rc == OK)
        rc = log_add_commit(&number, c->engine->store, c->first_seq, c->last_seq,
                            c->publication.recorded, c->engine->generation,
                            is_listed ? buf_cstr(&list) : NULL, err);
    buf_fini(&list);
    return rc;
}

/* Rules that are being tried take in what those in force have taken in. */
static void let_follow(const struct commit *c)
{
    struct candidate *candidate = c->engine->candidate;

    for (uint32_t i = 0; candidate && i < c->affected.subjects.count; i++) {
        const struct strmap_item *item = &c->affected.subjects.items[i];
        candidate_follow(candidate, item->key, item->as.ptr, c->publication.now);
    }
}

static void commit_fini(struct commit *c)
{
    world_close(c->publication.world);
    sending_fini(&c->sending);
    affected_fini(&c->affected);
    publication_fini(&c->publication);
}

/* There was nothing to do: nothing is written. */
static enum err_code commit_nothing(struct commit *c)
{
    store_rollback(c->engine->store);
    commit_fini(c);
    return OK;
}

/* Publish, list the commit and hand it over; or, when `rc` says that something failed, undo it all. */
static enum err_code commit_end(struct commit *c, enum err_code rc, struct err *err)
{
    struct engine *e = c->engine;
    struct publication *p = &c->publication;

    if (rc == OK)
        rc = world_open(&p->world, e->store, c->last_seq, err);
    if (rc == OK)
        rc = publish_all(c, err);
    if (rc == OK)
        rc = list_commit(c, err);
    if (rc == OK)
        rc = store_commit(e->store, err);
    else if (c->is_open) /* else it never began */
        store_rollback(e->store);
    if (rc == OK) {
        e->counts.changes += (uint64_t)p->changes;
        let_follow(c);
    } else {
        e->must_reload = e->must_reload || c->is_open;
    }
    e->counts.refolds += (uint64_t)p->refolds;
    commit_fini(c);
    return rc;
}

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

    /* With a clock that was set back, a commit is of the newest recorded instant: what is due by then is due. */
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

/* ---- rules that are not those of the last generation ---- */

static void add_subject(const char *subject, void *arg)
{
    struct err ignored; /* no memory: it is judged at its next event */
    if (affected_by_time(arg, subject, &ignored) != OK)
        log_err("engine: no memory to judge subject=%s", subject);
}

/* *subjects: how many there are. */
static enum err_code judge_all(int64_t *subjects, struct engine *e, struct err *err)
{
    struct commit c;
    int64_t number;
    struct ruleset_file file;
    int count = 0;

    enum err_code rc = commit_begin(&c, e, err);
    while (rulebook_file_at(&file, e->rules, count))
        count++;
    struct pack_file *files =
        arena_alloc(&c.publication.arena, sizeof(*files) * ((size_t)count + 1));
    if (rc == OK && !files)
        rc = err_set(err, ERR_LIMIT, "no memory for the rules of a generation");
    for (int i = 0; rc == OK && rulebook_file_at(&file, e->rules, i); i++)
        files[i] =
            (struct pack_file){ .path = file.path, .text = file.text, .len = (uint32_t)file.len };
    if (rc == OK)
        rc = generation_add(&number, e->store, rulebook_digest(e->rules), c.publication.recorded,
                            files, count, err);
    if (rc == OK)
        rc = origins_keep(e->store, e->origins, err);
    if (rc == OK) {
        c.publication.generation = e->generation = number;
        c.publication.is_first_of_generation = true;
        c.publication.is_new_generation = number > 1;
        c.publication.fold_budget = INT64_MAX;
        rc = log_subjects(e->store, add_subject, &c.affected, err);
    }
    *subjects = c.affected.subjects.count;
    return commit_end(&c, rc, err);
}

enum err_code engine_use_rules(struct engine *e, struct rulebook *rules, struct err *err)
{
    struct rulebook *old = e->rules;
    struct generation last;
    int64_t subjects;

    live_cache_clear(&e->cache); /* its records live in the old rules' Lua state */
    e->counts.rule_runs += old ? rulebook_runs(old) : 0;
    if (old && e->failures)
        failures_settle(e->failures);
    rulebook_free(old);
    e->rules = rules;
    enum err_code rc = store_drain(e->store, err);
    if (rc == OK)
        rc = generation_last(&last, e->store, err);
    if (rc != OK)
        return rc;
    e->generation = last.number;
    if (last.number == 0 || strcmp(last.digest, rulebook_digest(rules)) != 0)
        return judge_all(&subjects, e, err);
    return OK;
}

enum err_code engine_try(struct engine *e, struct rulebook *rules,
                         const struct pack_origin *origins, struct err *err)
{
    engine_give_up(e);
    if (engine_reload(e, err) != OK)
        return err->code;
    if (strcmp(rulebook_digest(rules), rulebook_digest(e->rules)) == 0)
        return err_set(err, ERR_CONFLICT, "these rules are those of generation %lld, in force",
                       (long long)e->generation);
    e->origins = origins;
    /* All of them: what the swap finds cold, the senders wait for. */
    return candidate_new(&e->candidate, rules, e->rules, e->store, SIZE_MAX, err);
}

bool engine_is_trying(const struct engine *e)
{
    return e->candidate != NULL;
}

void engine_try_progress(const struct engine *e, uint64_t *done, uint64_t *of)
{
    struct candidate_progress progress = { 0 };

    if (e->candidate)
        candidate_progress(e->candidate, &progress);
    *done = progress.done;
    *of = progress.of;
}

void engine_give_up(struct engine *e)
{
    candidate_free(e->candidate);
    e->candidate = NULL;
}

/* The rules that were tried judge from here on. Until that is durable nothing of those before is given up. */
static enum err_code change_over(struct engine *e, struct engine_swap *out, struct err *err)
{
    struct rulebook *old = e->rules;
    struct live_cache records = e->cache;
    int64_t generation = e->generation, changes = log_changes(e->store), subjects = 0;
    struct refusals *unclear = candidate_unclear(e->candidate);

    e->rules = candidate_take(e->candidate, &e->cache);
    engine_give_up(e);
    if (e->failures)
        failures_settle(e->failures);
    crash_point("swap");
    enum err_code rc = judge_all(&subjects, e, err);
    if (rc == OK)
        rc = store_drain(e->store, err);
    if (rc == OK) {
        if (e->debts)
            debts_forgive(e->debts);
        live_cache_fini(&records);
        live_cache_trim(&e->cache, LIVE_RECORDS);
        e->counts.rule_runs += rulebook_runs(old);
        *out = (struct engine_swap){ .replaced = old,
                                     .generation = e->generation,
                                     .subjects = subjects,
                                     .changes = log_changes(e->store) - changes,
                                     .unclear = unclear };
        return OK;
    }
    refusals_free(unclear);
    live_cache_fini(&e->cache);
    rulebook_free(e->rules);
    e->rules = old;
    e->cache = records;
    e->generation = generation;
    e->must_reload = true;
    return rc;
}

enum err_code engine_try_slice(struct engine_swap *out, struct engine *e, int64_t until,
                               struct err *err)
{
    bool done = false;

    *out = (struct engine_swap){ 0 };
    enum err_code rc = engine_reload(e, err);
    if (rc == OK)
        rc = candidate_slice(&done, e->candidate, e->store,
                             log_recorded_time(e->store, clock_now(&e->clock)), until, err);
    if (rc == OK && done)
        rc = store_drain(e->store, err);
    if (rc == OK)
        return done ? change_over(e, out, err) : OK;
    if (rc == ERR_RULE)
        out->wanting = candidate_refusals(e->candidate);
    engine_give_up(e);
    return rc;
}

static struct engine *new_engine(const struct clock *clock)
{
    struct engine *e = calloc(1, sizeof(*e));

    if (e) {
        e->clock = *clock;
        live_cache_init(&e->cache, LIVE_RECORDS);
    }
    return e;
}

enum err_code engine_open_replay(struct engine **out, struct store *source, compare_fn *differs,
                                 void *arg, struct err *err)
{
    struct clock clock;

    clock_init_fixed(&clock, 0);
    *out = new_engine(&clock);
    if (!*out)
        return err_set(err, ERR_LIMIT, "no memory for the engine");
    enum err_code rc = store_open_replay(&(*out)->store, source, differs, arg, err);
    if (rc == OK)
        rc = store_judged_since(&(*out)->judged_since, source, err);
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

/* Make up for what a crash left behind, by the rules that judged it; when they are not those of now, *then has them, and
 * the caller frees them. */
static enum err_code recover(struct rulebook **then, struct engine *e, struct rulebook *rules,
                             struct err *err)
{
    struct generation last;

    *then = NULL;
    enum err_code rc = generation_last(&last, e->store, err);
    if (rc != OK || last.number == 0)
        return rc;
    if (strcmp(last.digest, rulebook_digest(rules)) == 0)
        return engine_recover(e->store, rules, &e->cache, err);
    rc = rulebook_of_generation(then, e->store, last.number, err);
    if (rc == OK)
        rc = engine_recover(e->store, *then, &e->cache, err);
    live_cache_clear(&e->cache);
    return rc;
}

/* The rules to begin with. Those of the folder may have become wrong since they were taken: a restart needs nobody,
 * and what was in force last is in the archive. */
static enum err_code find_rules(struct proposed *out, struct engine *e,
                                const struct proposal *proposal, struct err *err)
{
    struct generation last;
    struct err ignored;

    enum err_code rc = proposal_load(out, e->store, proposal, err);
    for (const struct refusal *r = out->refusals; r; r = r->next)
        log_err("rules: not taken pack=%s\n%s", r->pack, r->why);
    if (rc == OK || out->is_stuck || generation_last(&last, e->store, &ignored) != OK ||
        last.number == 0)
        return rc;
    log_err("rules: generation %lld stays in force error=%s", (long long)last.number, err->msg);
    return rulebook_of_generation(&out->rules, e->store, last.number, err);
}

/* Judge everything by rules that have judged nothing yet, as a reload does; nobody waits meanwhile. ERR_RULE: some packs
 * are found wanting, and they are gone; else they are the engine's. */
static enum err_code try_first(struct refusals *wanting, struct engine *e, struct rulebook *rules,
                               const struct rulebook *in_force, struct err *err)
{
    bool done = false;
    int64_t now = log_recorded_time(e->store, clock_now(&e->clock));

    enum err_code rc = candidate_new(&e->candidate, rules, in_force, e->store, LIVE_RECORDS, err);
    if (rc != OK) {
        rulebook_free(rules);
        return rc;
    }
    while (rc == OK && !done)
        rc = candidate_slice(&done, e->candidate, e->store, now, INT64_MAX, err);
    struct refusals *found = rc == ERR_RULE ? candidate_refusals(e->candidate) : NULL;
    if (found && refusals_copy(wanting, found->first, err) != OK)
        rc = err->code;
    refusals_free(found);
    if (rc == OK) {
        live_cache_fini(&e->cache);
        e->rules = candidate_take(e->candidate, &e->cache);
    }
    engine_give_up(e);
    return rc;
}

/* The rules of the folder are not those that judged last: which packs of them may judge? */
static enum err_code begin_anew(struct engine *e, struct proposed *p, struct proposal *proposal,
                                const struct rulebook *in_force, struct err *err)
{
    struct refusals wanting = { 0 };
    int64_t subjects;
    enum err_code rc;

    for (int attempts = 0;; attempts++) {
        struct rulebook *rules = p->rules;
        size_t before = refusals_count(&wanting);
        p->rules = NULL;
        if (strcmp(rulebook_digest(rules), rulebook_digest(in_force)) == 0) {
            rc = engine_use_rules(e, rules, err);
            break;
        }
        rc = try_first(&wanting, e, rules, in_force, err);
        if (rc == OK)
            rc = judge_all(&subjects, e, err);
        if (rc != ERR_RULE || refusals_count(&wanting) == before)
            break;
        proposed_fini(p);
        proposal->wanting = wanting.first;
        rc = find_rules(p, e, proposal, err);
        if (rc != OK)
            break;
        e->origins = p->origins;
    }
    arena_fini(&wanting.arena);
    return rc;
}

static enum err_code begin_with(struct engine *e, struct proposed *p, struct proposal *proposal,
                                struct err *err)
{
    struct rulebook *then = NULL;

    enum err_code rc = recover(&then, e, p->rules, err);
    e->origins = p->origins;
    if (rc == OK && then) {
        rc = begin_anew(e, p, proposal, then, err);
    } else if (rc == OK) {
        struct rulebook *rules = p->rules;
        p->rules = NULL;
        rc = engine_use_rules(e, rules, err);
    }
    e->origins = NULL;
    rulebook_free(then);
    for (const struct refusal *r = p->refusals; r && rc == OK; r = r->next)
        if (r->is_stuck)
            failures_note(e->failures, strncmp(r->pack, "hubs/", 5) == 0 ? r->pack + 5 : NULL,
                          "pack", "", r->why);
    if (rc == OK && p->refusals)
        rc = packs_note_refusals(e->store, p->refusals, clock_now(&e->clock), err);
    return rc;
}

enum err_code engine_open(struct engine **out, const struct engine_options *options,
                          struct err *err)
{
    struct proposed proposed = { 0 };
    struct proposal proposal = { .folder = options->rules };

    *out = NULL;
    struct engine *e = new_engine(&options->clock);
    if (!e)
        return err_set(err, ERR_LIMIT, "no memory for the engine");
    enum err_code rc = failures_new(&e->failures, err);
    if (rc == OK && options->durable) /* else whoever opened it waits for all of it */
        rc = debts_new(&e->debts, err);
    if (rc == OK)
        rc = store_open(&e->store, options->database, STORE_WRITE, err);
    if (rc == OK)
        rc = stuck_take(e->store, options->database, err);
    if (rc == OK && options->durable)
        stuck_watch(options->database);
    if (rc == OK)
        rc = find_rules(&proposed, e, &proposal, err);
    if (rc == OK)
        rc = begin_with(e, &proposed, &proposal, err);
    proposed_fini(&proposed);
    if (rc == OK && options->durable)
        rc = store_start_writer(e->store, options->durable, options->arg, err);
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
    engine_give_up(e);
    live_cache_fini(&e->cache);
    failures_free(e->failures);
    debts_free(e->debts);
    store_close(e->store);
    rulebook_free(e->rules);
    free(e);
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
