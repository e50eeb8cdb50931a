/*
 * uses.h - what a pack's functions use, as their text says: which facts, rules and parameters each
 * rule may read, which facts reducers and moves set.
 *
 * Found once, when a pack is loaded. A use that depends on a value (s[name]) is not known by name;
 * then `is_open` is set. What a rule has really read in a run is in struct reads.
 */
#ifndef PATHWAY_LUA_USES_H
#define PATHWAY_LUA_USES_H

#include <stdbool.h>
#include <stdint.h>

#include "lua/state.h"

struct uses {
    uint64_t facts[FACTS_MAX / 64]; /* read */
    uint64_t set[FACTS_MAX /
                 64]; /* facts that are set, or whose containers are in the hands of a reducer */
    uint64_t rules[RULES_MAX / 64]; /* read: a bit for the index of each */
    uint64_t params[PARAMS_MAX / 64];
    bool is_open;     /* it reads names that are made when it runs */
    bool is_open_set; /* it sets such */
};

/* Of a ruleset. */
struct pack_uses {
    struct uses *rules;                  /* of each rule, by index */
    struct uses moves[SUBJECT_KINDS];    /* of all moves of a kind */
    struct uses reducers[SUBJECT_KINDS]; /* of all reducers of a kind */
};

static inline void uses_add(uint64_t *bits, unsigned i)
{
    bits[i / 64] |= 1ull << (i % 64);
}
static inline bool uses_has(const uint64_t *bits, unsigned i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

struct loader;
/* Report rules that read themselves, by way of others or at once. */
void uses_check_cycles(struct loader *ld);

#endif
