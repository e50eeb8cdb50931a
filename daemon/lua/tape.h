/*
 * tape.h - a record as it was after each step of its fold, to go back to and to compare with.
 *
 * A tape goes along with a record that a trace follows. After every step (all that happens at one
 * instant) it is marked: the facts that the step changed are kept, and which facts it read or
 * wrote, on which the moves depend from then on. So a second fold, with other events, can begin in
 * the midst of the first one; and what it has in common with that need not be folded again: a step
 * that neither reads nor writes facts that differ between the two does the same in both.
 */
#ifndef PATHWAY_LUA_TAPE_H
#define PATHWAY_LUA_TAPE_H

#include <stdbool.h>

#include "base/err.h"
#include "lua/fact_set.h"
#include "lua/record.h"

struct tape;

/* Of a record to which nothing has happened yet. It stays in its ruleset: one that is handed over
 * has no tape. ERR_LIMIT: no memory. */
MUST_CHECK enum err_code tape_new(struct tape **out, const struct record *r, struct err *err);
/* NULL allowed. Before the record's ruleset goes. */
void tape_free(struct tape *t);

/* A step is done. The record may be another one, made anew from the same events. ERR_LIMIT: no
 * memory. */
MUST_CHECK enum err_code tape_mark(struct tape *t, struct record *r, struct err *err);

/* Marks are numbered from 0; -1 stands for the empty record. */

/* In what another record, which stands at the same instant, is another one. */
struct apart {
    struct fact_set facts;    /* that are other ones, or have moved at another instant */
    struct fact_set moves;    /* that look at any of those (by the facts that they move): what they
                                 wait for is their own */
    struct fact_set waits_on; /* what those have read as they were asked last */
    int64_t wake;             /* the next instant that those wait for; TIME_NEVER */
};
#define APART_NOWHERE ((struct apart){ .wake = TIME_NEVER })

/*
 * Does this step do something else in a record that stood apart before it, or might it? It reads or
 * writes facts that are other ones, or a move that has been asked something else is asked again. It
 * is the caller's to see whether the instant `wake` has come.
 */
bool tape_concerns(const struct tape *t, int mark, const struct apart *a);

/* Another record, as it was at this mark. ERR_LIMIT: no memory; *out is NULL. */
MUST_CHECK enum err_code tape_record(struct record **out, const struct tape *t, int mark,
                                     struct err *err);
/*
 * `r` stood at the mark `from`, apart in this way; no step up to the mark `to` concerned it. Bring
 * it there. ERR_LIMIT: no memory.
 */
MUST_CHECK enum err_code tape_follow(struct record *r, const struct tape *t, int from, int to,
                                     const struct apart *a, struct err *err);
/* The next instant that a move of it waits for; TIME_NEVER. */
int64_t tape_wake(const struct record *r);
/*
 * `r`, of tape_record(), stands at the same instant as this mark. `a`: how it stood apart when it
 * was brought to a mark or compared last, and how it does now. False: it can not be compared, as
 * it lives in another ruleset, or has moves that are still to be asked.
 */
bool tape_compare(struct apart *a, const struct tape *t, int mark, struct record *r);

#endif
