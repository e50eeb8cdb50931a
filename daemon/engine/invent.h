/*
 * invent.h - schools that nobody has, made of the events that a pack declares, to see what its
 * rules can say.
 *
 * The same rules and seed give the same schools. What helped a rule to come out in a new way is
 * kept and varied further, so that also what takes several steps is reached.
 */
#ifndef PATHWAY_INVENT_H
#define PATHWAY_INVENT_H

#include "lua/rulebook.h"
#include "lua/tally.h"

struct invention {
    uint64_t seed;
    int rounds;       /* so many subjects of a kind, at most */
    int least_rounds; /* and so many at least, for what fails only now and then */
};

/*
 * Add to `t` what its ruleset, one of the rulebook's, says of invented subjects of its hub, until
 * each rule has come out in both ways or the rounds are over. A reducer or move that fails is told
 * to `failed` as FILE:LINE: WHAT (as often as it fails). Where runs were stopped INVENT_STOPPED_MAX
 * times, it ends early (t->stopped says so): each takes as long as a thousand others, and what the
 * rules say besides is seen once the loop without an end is mended.
 */
#define INVENT_STOPPED_MAX 2
typedef void invent_failed_fn(const char *message, void *arg);
MUST_CHECK enum err_code invent(struct tallies *t, struct rulebook *rules,
                                const struct invention *how, invent_failed_fn *failed, void *arg,
                                struct err *err);

#endif
