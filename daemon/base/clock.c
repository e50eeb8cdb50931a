/* clock.c - see clock.h. */
#include "base/clock.h"

#include <time.h>

#include "base/civil.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec ts = { 0 };

    clock_gettime(id, &ts);
    return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

void clock_init_real(struct clock *c)
{
    c->fixed_us = TIME_NEVER;
}

void clock_init_fixed(struct clock *c, int64_t t)
{
    c->fixed_us = t;
}

int64_t clock_now(const struct clock *c)
{
    return c->fixed_us == TIME_NEVER ? read_clock(CLOCK_REALTIME) : c->fixed_us;
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
