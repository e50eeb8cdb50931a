/*
 * candidate.h - rules that are about to judge: each subject's record made by them, in slices, beside the
 * records of the rules in force.
 *
 * A record that has been made follows what is taken in meanwhile, as those in force do; what can not be followed
 * is made again. When all are there the engine changes over, and little is left to be done in that commit.
 */
#ifndef PATHWAY_CANDIDATE_H
#define PATHWAY_CANDIDATE_H

#include "engine/affected.h"
#include "engine/live.h"
#include "lua/rulebook.h"
#include "store/store.h"

struct candidate;

/* How far it has come. */
struct candidate_progress {
    uint64_t done, of; /* subjects, those that must be made again counted anew */
};

/* `rules` are taken over when it returns OK. All subjects of the log are to be made, at most `limit` of them
 * kept. */
MUST_CHECK enum err_code candidate_new(struct candidate **out, struct rulebook *rules,
                                       struct store *s, size_t limit, struct err *err);
/* With its rules, unless they were taken. NULL allowed. */
void candidate_free(struct candidate *c);

/* Between commits: make some more records, as of `now`. *done: there is nothing more to be made. ERR_RULE: an overlay
 * moves subjects in a direction that the national pack does not allow; the message names them. */
MUST_CHECK enum err_code candidate_slice(bool *done, struct candidate *c, struct store *s,
                                         int64_t now, struct err *err);
/* After a commit, for each subject that it concerned. */
void candidate_follow(struct candidate *c, const char *subject, const struct concern *concern,
                      int64_t now);
/* The store has begun anew from what is durable: so does this. */
MUST_CHECK enum err_code candidate_restart(struct candidate *c, struct store *s, struct err *err);

void candidate_progress(const struct candidate *c, struct candidate_progress *out);
/* The rules and the records made by them are the caller's from here on. */
struct rulebook *candidate_take(struct candidate *c, struct live_cache *records);

#endif
