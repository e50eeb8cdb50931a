/*
 * suppose.h - parameters with another value than the packs give them, for as long as somebody asks
 * what if.
 *
 * A rulebook with suppositions can be switched to and fro. It remembers which rules read such a
 * parameter, and whether reducers or moves do something else by it: as long as they do not, the
 * facts of a record are the same either way, and only those rules are to be judged again.
 */
#ifndef PATHWAY_LUA_SUPPOSE_H
#define PATHWAY_LUA_SUPPOSE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "lua/record.h"
#include "lua/rulebook.h"

/*
 * Suppose that a parameter has this value, at every instant and in every hub. A text is read as
 * what the parameter holds ("3" as a number). ERR_INPUT: there is no such parameter (with the
 * nearest), or it holds something else.
 */
MUST_CHECK enum err_code rulebook_suppose(struct rulebook *b, const char *param,
                                          const struct json *value, struct err *err);

/* No parameter is supposed to be anything any more. */
void rulebook_suppose_nothing(struct rulebook *b);

/*
 * From now on it is noted who reads which parameter, so that another one can be supposed of records
 * that have been folded and judged already. Before anything is folded. ERR_LIMIT: no memory.
 */
MUST_CHECK enum err_code rulebook_watch(struct rulebook *b, struct err *err);
/* Of a rulebook that is watched: has a reducer or a move ever read this parameter? */
bool rulebook_moves_read(const struct rulebook *b, const char *param);

/* From now on parameters have, or have not, the values that were supposed. At first they
 * have not. */
void rulebook_switch(struct rulebook *b, bool supposed);
/* Since this was last asked, has a move said something else by what is supposed (all that read it
 * are asked by both), or may a reducer have? As long as not, the facts are the same by both. */
bool rulebook_was_moved(struct rulebook *b);

/* The next record_rejudge() runs all rules that have ever read one of them: after
 * rulebook_switch(). */
void record_stir(struct record *r);

/* view.c: a parameter is read, which is supposed to have another value, or is watched. */
void suppose_note(struct ruleset *rs, uint16_t param);

#endif
