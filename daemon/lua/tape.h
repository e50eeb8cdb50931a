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

/* Does this step read or write any of these facts, or do moves that are asked in it? */
bool tape_concerns(const struct tape *t, int mark, const struct fact_set *facts);
/* Would moves, as they were asked last at this mark, look at any of them? */
bool tape_waits_on(const struct tape *t, int mark, const struct fact_set *facts);

/* Another record, as it was at this mark. ERR_LIMIT: no memory; *out is NULL. */
MUST_CHECK enum err_code tape_record(struct record **out, const struct tape *t, int mark,
                                     struct err *err);
/*
 * `r` stood at the mark `from`, where the facts `but` were other ones and all else the same; no
 * step up to the mark `to` was concerned by those. Bring it there. ERR_LIMIT: no memory.
 */
MUST_CHECK enum err_code tape_follow(struct record *r, const struct tape *t, int from, int to,
                                     const struct fact_set *but, struct err *err);
/* The facts that are other ones in `r`, which stands at the same instant, or have moved at another
 * one. False: it lives in another ruleset, and can not be compared. */
bool tape_compare(struct fact_set *out, const struct tape *t, int mark, const struct record *r);

#endif
