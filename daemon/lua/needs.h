/*
 * needs.h - what stands between a decision and its being true: the criteria that are not met, and
 * the facts that they read, also by way of the moves that made those.
 */
#ifndef PATHWAY_LUA_NEEDS_H
#define PATHWAY_LUA_NEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "lua/fact_set.h"
#include "lua/record.h"

/* After record_rejudge(): what a rule said, JSON; of one that failed "!" and its message. NULL:
 * there is no such rule. */
const char *record_said(const struct record *r, const char *rule);
/* Can a rule be waived? */
bool record_is_waivable(const struct record *r, const char *rule);

/* A criterion that is not met, or one that is and must not be. */
struct need {
    const char *rule, *title;
    const char *advice;    /* NULL: none */
    bool is_required;      /* as long as it stays like this the decision can not be true */
    struct fact_set facts; /* whatever may change it */
};
typedef void need_fn(const struct need *need, void *arg);
/* After record_rejudge(): tell those of a decision that is not true, by name. */
void record_needs(const struct record *r, const char *decision, need_fn *fn, void *arg);

/* The facts that the last record_apply() touched. */
struct fact_set record_touched_facts(const struct record *r);

#endif
