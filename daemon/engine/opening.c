/* opening.c - how an engine begins: what a crash left behind is made up for, and it is found which
 * rules of the folder may judge. See engine_open(). */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/commit.h"
#include "engine/engine_internal.h"
#include "engine/packs.h"
#include "engine/proposal.h"
#include "engine/stuck.h"
#include "store/generation.h"

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

/* Make up for what a crash left behind, by the rules that judged it; when they are not those of
 * now, *then has them, and the caller frees them. */
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

/* The rules to begin with. Those of the folder may have become wrong since they were taken: a
 * restart needs nobody, and what was in force last is in the archive. */
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

/* Each slice reads the events that it needs: all at once, they would be the whole log in memory. */
#define SLICE_US 200000

/* Judge everything by rules that have judged nothing yet, as a reload does; nobody waits meanwhile.
 * ERR_RULE: some packs are found wanting (*is_found), and they are gone; else they are the
 * engine's. */
static enum err_code try_first(struct refusals *wanting, bool *is_found, struct engine *e,
                               struct rulebook *rules, const struct rulebook *in_force,
                               struct err *err)
{
    bool done = false;
    int64_t now = log_recorded_time(e->store, clock_now(&e->clock));

    *is_found = false;
    enum err_code rc = candidate_new(&e->candidate, rules, in_force, e->store, LIVE_RECORDS, err);
    if (rc != OK) {
        rulebook_free(rules);
        return rc;
    }
    while (rc == OK && !done)
        rc = candidate_slice(&done, e->candidate, e->store, now, clock_monotonic() + SLICE_US, err);
    struct refusals *found = rc == ERR_RULE ? candidate_refusals(e->candidate) : NULL;
    *is_found = found != NULL;
    if (found && refusals_join(wanting, found->first, err) != OK)
        rc = err->code;
    refusals_free(found);
    if (rc == OK) {
        live_cache_fini(&e->cache);
        e->rules = candidate_take(e->candidate, &e->cache);
    }
    engine_give_up(e);
    return rc;
}

/* The rules of the folder are not those that judged last: which packs of them may judge? `wanting`:
 * those that may not, for proposal->wanting too. */
static enum err_code begin_anew(struct refusals *wanting, struct engine *e, struct proposed *p,
                                struct proposal *proposal, const struct rulebook *in_force,
                                struct err *err)
{
    int64_t subjects;
    enum err_code rc;

    for (;;) {
        struct rulebook *rules = p->rules;
        bool is_found;
        p->rules = NULL;
        if (strcmp(rulebook_digest(rules), rulebook_digest(in_force)) == 0) {
            rc = engine_use_rules(e, rules, err);
            break;
        }
        rc = try_first(wanting, &is_found, e, rules, in_force, err);
        if (rc == OK)
            rc = judge_all(&subjects, e, err);
        if (rc != ERR_RULE || !is_found)
            break;
        proposed_fini(p);
        proposal->wanting = wanting->first;
        rc = find_rules(p, e, proposal, err);
        if (rc != OK)
            break;
        e->origins = p->origins;
    }
    return rc;
}

static enum err_code begin_with(struct engine *e, struct proposed *p, struct proposal *proposal,
                                struct err *err)
{
    struct rulebook *then = NULL;
    struct refusals wanting = { 0 };

    enum err_code rc = recover(&then, e, p->rules, err);
    e->origins = p->origins;
    if (rc == OK && then) {
        rc = begin_anew(&wanting, e, p, proposal, then, err);
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
        rc = packs_note_refusals(e->store, p->refusals, p->asked, proposal->wanting,
                                 clock_now(&e->clock), err);
    proposal->wanting = NULL;
    arena_fini(&wanting.arena);
    return rc;
}

enum err_code engine_open(struct engine **out, const struct engine_options *options,
                          struct err *err)
{
    struct proposed proposed = { 0 };
    struct proposal proposal = { .folder = options->rules, .is_start = true };

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
