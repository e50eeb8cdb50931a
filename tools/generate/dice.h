/*
 * dice.h - chance that falls the same way for the same seed, on every machine.
 */
#ifndef PATHWAY_DICE_H
#define PATHWAY_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

void dice_init(struct dice *d, uint64_t seed);
/* A number from 0 to sides - 1; `sides` is at least 1. */
int dice_roll(struct dice *d, int sides);
/* A number from low to high, both included. */
int dice_between(struct dice *d, int low, int high);
/* True in `percent` of a hundred cases. */
bool dice_chance(struct dice *d, int percent);

#endif
