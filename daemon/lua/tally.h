/*
 * tally.h - how often each rule came out in which way, over many records.
 *
 * Criteria count too, not only decisions: what is never met, or never unmet, in any test or school is
 * a mistake in a rule more often than a fact about schools.
 */
#ifndef PATHWAY_LUA_TALLY_H
#define PATHWAY_LUA_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "lua/record.h"

struct tally {
    uint64_t met;    /* true of itself */
    uint64_t unmet;  /* false */
    uint64_t waived; /* true because a waiver stands */
    uint64_t other;  /* a number, a text or nothing */
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
    struct arena arena;
};

/* ERR_LIMIT: no memory. tallies_fini() it in any case. */
MUST_CHECK enum err_code tallies_init(struct tallies *out, struct ruleset *rs, struct err *err);
void tallies_fini(struct tallies *t);

/* Judge all rules about this record at `now`, criteria included, and count what they say. */
MUST_CHECK enum err_code tallies_take(struct tallies *t, struct record *r, int64_t now,
                                      struct err *err);

/* A rule, for those who show them. Texts are borrowed from the ruleset; NULL where there is none. */
struct rule_info {
    const char *name;
    const char *where; /* "national/rules.lua:12" */
    const char *title, *source, *advice;
    enum subject_kind of;
    bool is_decision, is_alert, is_waivable;
    bool is_yes_or_no; /* whatever its function gives, it counts as true or false */
};
/* Has this kind of subject a reducer of its own for that type of event? */
bool ruleset_takes(const struct ruleset *rs, enum subject_kind kind, const char *type);
uint16_t ruleset_rule_count(const struct ruleset *rs);
/* `index` below the count; rules come by name. */
struct rule_info ruleset_rule(const struct ruleset *rs, uint16_t index);
/* May another rule or a move read it, as far as their text says? True too when one reads names that it
 * makes as it runs. */
bool ruleset_is_read(const struct ruleset *rs, uint16_t index);

struct fact_info {
    const char *name;
    const char *where;
    enum subject_kind of;
};
/* The fact number `index` of those that no reducer and no move sets; false when there are not so many. */
bool ruleset_unset_fact(struct fact_info *out, const struct ruleset *rs, int index);

#endif
