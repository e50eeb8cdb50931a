/* dice.c - see dice.h. The generator is SplitMix64: two lines, and good enough for stories. */
#include "dice.h"

void dice_init(struct dice *d, uint64_t seed)
{
    d->state = seed;
}

int dice_roll(struct dice *d, int sides)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (int)((z ^ (z >> 31)) % (uint64_t)sides);
}

int dice_between(struct dice *d, int low, int high)
{
    return low + dice_roll(d, high - low + 1);
}

bool dice_chance(struct dice *d, int percent)
{
    return dice_roll(d, 100) < percent;
}
