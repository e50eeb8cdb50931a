/*
 * clock.h - the one place where the program asks what time it is.
 */
#ifndef PATHWAY_CLOCK_H
#define PATHWAY_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t fixed_us; /* TIME_NEVER: the system's clock; else always this instant (--now) */
};

void clock_init_real(struct clock *c);
void clock_init_fixed(struct clock *c, int64_t t);
/* Wall clock, microseconds since 1970 UTC. */
int64_t clock_now(const struct clock *c);
/* Microseconds that never run backwards, for measuring how long something took. */
int64_t clock_monotonic(void);

#endif
