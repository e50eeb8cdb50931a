/*
 * likeness.h - do two rulebooks make the same records of the same events?
 *
 * All that a fold depends on is compared as it was loaded: what facts and events hold, the
 * reducers, the moves and the rules and parameters that these read, the calendar; functions by
 * their code and by all that they reach. What only judges may differ, and so may the reducers of
 * some types of events: records that none of these has touched are the same by both.
 */
#ifndef PATHWAY_LUA_LIKENESS_H
#define PATHWAY_LUA_LIKENESS_H

#include <stdbool.h>

#include "base/strmap.h"
#include "lua/record.h"
#include "lua/rulebook.h"

struct likeness {
    bool is_alike; /* but for events of the types in `others` */
    struct strmap
        others; /* types of events that are taken in otherwise; names are the rulebooks' */
};

/* Compare them, each with overlays of the same hubs. What can not be compared is not alike.
 * ERR_LIMIT: no memory. */
MUST_CHECK enum err_code likeness_find(struct likeness *out, struct rulebook *a, struct rulebook *b,
                                       struct err *err);
void likeness_fini(struct likeness *l);

/* The same record in the ruleset of the same hub of another rulebook, which is alike. ERR_LIMIT: no
 * memory; *out is NULL. */
MUST_CHECK enum err_code record_carry_over(struct record **out, const struct record *from,
                                           const struct rulebook *of, const struct rulebook *to,
                                           struct err *err);

#endif
