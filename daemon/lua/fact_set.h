/*
 * fact_set.h - a set of facts of one kind of subject, by their numbers in its ruleset.
 */
#ifndef PATHWAY_LUA_FACT_SET_H
#define PATHWAY_LUA_FACT_SET_H

#include <stdbool.h>
#include <stdint.h>

#define FACT_SET_WORDS 3
struct fact_set {
    uint64_t bits[FACT_SET_WORDS];
};

static inline bool fact_set_meets(const struct fact_set *a, const struct fact_set *b)
{
    uint64_t met = 0;

    for (int i = 0; i < FACT_SET_WORDS; i++)
        met |= a->bits[i] & b->bits[i];
    return met != 0;
}

static inline bool fact_set_is_empty(const struct fact_set *s)
{
    return fact_set_meets(s, s) == false;
}

static inline bool fact_set_has(const struct fact_set *s, uint16_t fact)
{
    return s->bits[fact / 64] >> (fact % 64) & 1;
}

static inline void fact_set_add(struct fact_set *s, uint16_t fact)
{
    s->bits[fact / 64] |= UINT64_C(1) << (fact % 64);
}

#endif
