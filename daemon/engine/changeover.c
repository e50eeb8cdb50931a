/* changeover.c - rules that are not those of the last generation: they are tried beside those in
 * force, and take over from them in one commit. See engine.h. */
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "engine/commit.h"
#include "engine/engine_internal.h"
#include "engine/proposal.h"
#include "store/generation.h"

static void add_subject(const char *subject, void *arg)
{
    struct err ignored; /* no memory: it is judged at its next event */
    if (affected_by_time(arg, subject, &ignored) != OK)
        log_err("engine: no memory to judge subject=%s", subject);
}

enum err_code judge_all(int64_t *subjects, struct engine *e, struct err *err)
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

/* The rules that were tried judge from here on. Until that is durable nothing of those before is
 * given up. */
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
