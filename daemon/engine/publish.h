/*
 * publish.h - from a subject's fold to what others see: current decisions, the feed, the next wake.
 */
#ifndef PATHWAY_PUBLISH_H
#define PATHWAY_PUBLISH_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/affected.h"
#include "engine/debts.h"
#include "engine/failures.h"
#include "engine/live.h"
#include "base/buf.h"
#include "engine/world.h"
#include "model/subject.h"
#include "store/store.h"

/* What one commit has in common for all its subjects. */
struct publication {
    struct store *store;      /* borrowed; inside a transaction */
    struct rulebook *rules;   /* borrowed */
    struct world *world;      /* borrowed */
    struct live_cache *cache; /* borrowed */
    struct arena arena;       /* owned */
    struct arena scratch; /* owned: of the subject under way. A commit may judge all there are */
    int64_t now;          /* judged at this instant */
    int64_t recorded;
    int64_t first_seq; /* of the events that the commit appends */
    int64_t generation;
    bool is_first_of_generation;   /* it judges everything */
    bool is_new_generation;        /* ... because the rules have changed, which is the cause */
    struct empty_decisions *empty; /* arena's: decisions of an empty record, once they are needed */
    struct buf values, text;       /* owned: of the subject being judged */
    struct failures *failures;     /* borrowed: what failed is noted there; NULL: nowhere */
    struct debts *debts;           /* borrowed: whose subjects are held back; NULL: nobody's */
    int64_t fold_budget; /* events that may be folded anew before subjects are left for later */
    const struct strmap *only; /* replay: judge these and leave all others; NULL: as it comes */
    int64_t folded;            /* out: events folded anew */
    int64_t refolds;           /* out: subjects folded anew */
    int64_t deferred;          /* out: subjects left for later, though events have come */
    size_t left;               /* out: subjects that stay due */
    int64_t changes;           /* out: feed entries written */
};

/*
 * Bring a subject up to now (or, when it must be folded anew and the budget is spent, leave it for
 * later), keep what is derived of it and append what changed to the feed. A subject seen for the
 * first time is compared with an empty record, so that a first load is quiet.
 */
MUST_CHECK enum err_code publish_subject(struct publication *p, const char *subject,
                                         struct concern *concern, struct err *err);
/* Make what is derived of a subject anew as it was at `p->now`, for a store that has lost it:
 * nothing changes. */
MUST_CHECK enum err_code publish_again(struct publication *p, const char *subject, struct err *err);
void publication_fini(struct publication *p);

#endif
