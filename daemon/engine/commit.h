/*
 * commit.h - the engine's state, and one commit of it: begun, its subjects published, listed,
 * handed over.
 *
 * For the engine's own files: engine.c takes events and time, changeover.c and opening.c rules.
 */
#ifndef PATHWAY_COMMIT_H
#define PATHWAY_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/affected.h"
#include "engine/candidate.h"
#include "engine/engine.h"
#include "engine/publish.h"
#include "engine/sending.h"

/* Records kept in memory: a nation's schools and some groups, some 6 KiB each. */
#define LIVE_RECORDS 20000

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

struct commit {
    struct engine *engine;
    struct publication publication;
    struct affected affected;
    struct sending sending; /* who may write about whom, when somebody may not about all */
    int64_t first_seq;      /* of the events appended */
    int64_t last_seq;
    bool is_open;
};

/* Begin one, in the store's transaction. commit_end() or commit_nothing() it in any case. */
MUST_CHECK enum err_code commit_begin(struct commit *c, struct engine *e, struct err *err);
/* There was nothing to do: nothing is written. OK. */
enum err_code commit_nothing(struct commit *c);
/* Publish what it affects, list the commit and hand it over; or, when `rc` says that something
 * failed, undo it all, and return that. */
MUST_CHECK enum err_code commit_end(struct commit *c, enum err_code rc, struct err *err);

/* changeover.c: the engine's rules, of which no generation is the last one, become that: kept, and
 * everything is judged by them in one commit. *subjects: how many there are. */
MUST_CHECK enum err_code judge_all(int64_t *subjects, struct engine *e, struct err *err);

#endif
