/*
 * candidate.h - rules that are about to judge: each subject's record made by them, in slices,
 * beside the records of the rules in force.
 *
 * A record that has been made follows what is taken in meanwhile, as those in force do; what can
 * not be followed is made again, in a later round. When all are there, or after so many rounds, the
 * engine changes over, and little is left to be done in that commit: however much comes in, it
 * comes to an end.
 */
#ifndef PATHWAY_CANDIDATE_H
#define PATHWAY_CANDIDATE_H

#include "engine/affected.h"
#include "engine/live.h"
#include "engine/proposal.h"
#include "lua/rulebook.h"
#include "store/store.h"

struct candidate;

/* How far it has come. */
struct candidate_progress {
    uint64_t done, of; /* subjects */
};

/* `rules` are taken over when it returns OK. All subjects of the log are to be made, at most
 * `limit` of them kept. Overlays that `in_force` (NULL: nothing is) has with the same national pack
 * are not checked again. */
MUST_CHECK enum err_code candidate_new(struct candidate **out, struct rulebook *rules,
                                       const struct rulebook *in_force, struct store *s,
                                       size_t limit, struct err *err);
/* With its rules, unless they were taken. NULL allowed. */
void candidate_free(struct candidate *c);

/*
 * Between commits: make some more records, as of `now`: a certain number of events at least, and
 * more until the monotonic instant `until`. *done: there is nothing more to be made. ERR_RULE: some
 * packs may not come into force, see candidate_refusals().
 */
MUST_CHECK enum err_code candidate_slice(bool *done, struct candidate *c, struct store *s,
                                         int64_t now, int64_t until, struct err *err);
/*
 * Packs that were found wanting, with what of: overlays that move subjects in a direction that the
 * national pack does not allow, naming these; packs whose rules used up their budgets for so many
 * subjects that they would hold up all others. The caller's, for refusals_free(); NULL: none, or no
 * memory.
 */
struct refusals *candidate_refusals(const struct candidate *c);
/* What overlays change without a direction: see wanting_unclear(). */
struct refusals *candidate_unclear(const struct candidate *c);

/* After a commit, for each subject that it concerned. */
void candidate_follow(struct candidate *c, const char *subject, const struct concern *concern,
                      int64_t now);
/* The store has begun anew from what is durable: so does this. */
MUST_CHECK enum err_code candidate_restart(struct candidate *c, struct store *s, struct err *err);

void candidate_progress(const struct candidate *c, struct candidate_progress *out);
/* The rules and the records made by them are the caller's from here on. */
struct rulebook *candidate_take(struct candidate *c, struct live_cache *records);

#endif
