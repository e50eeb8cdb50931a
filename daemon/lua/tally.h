/*
 * tally.h - how often each rule came out in which way, over many records.
 *
 * Criteria count too, not only decisions: what is never met, or never unmet, in any test or school
 * is a mistake in a rule more often than a fact about schools.
 */
#ifndef PATHWAY_LUA_TALLY_H
#define PATHWAY_LUA_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "lua/declared.h"
#include "lua/record.h"

struct tally {
    uint64_t met;     /* true of itself */
    uint64_t unmet;   /* false */
    uint64_t waived;  /* true because a waiver stands */
    uint64_t other;   /* a number, a text or nothing */
    uint64_t nothing; /* of those */
    uint64_t failed;
    const char *failure; /* the first message, FILE:LINE: WHAT; NULL: none */
    bool is_read;        /* another rule has read it */
};

struct tallies {
    struct ruleset *rules; /* borrowed */
    struct tally *items;   /* one a rule, in the order of ruleset_rule() */
    uint16_t count;
    uint64_t
        signature; /* of all that the rules said the last time: the same answers, the same number */
    uint64_t stopped; /* runs that went on until they were stopped: each takes as long as a thousand
                         others */
    bool has_news;    /* the last time a rule came out in a way in which it had not before */
    struct arena arena;
};

/* ERR_LIMIT: no memory. tallies_fini() it in any case. */
MUST_CHECK enum err_code tallies_init(struct tallies *out, struct ruleset *rs, struct err *err);
void tallies_fini(struct tallies *t);

/* Judge all rules about this record at `now`, criteria included, and count what they say. */
MUST_CHECK enum err_code tallies_take(struct tallies *t, struct record *r, int64_t now,
                                      struct err *err);

#endif
