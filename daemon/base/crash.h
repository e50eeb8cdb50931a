/*
 * crash.h - places where a test may kill the program, as kill -9 would.
 *
 * Only a build with PATHWAY_CRASH_POINTS has them; elsewhere crash_point() is nothing. There the
 * environment says PATHWAYD_CRASH=PLACE:N, and the N-th pass of that place ends the process at
 * once; PATHWAYD_STALL=hubs/07/rules.lua:3, and the code there never comes back, as C that loops
 * for ever would not; and PATHWAYD_SUSPECT=N, and one in N runs of rules is stopped as suspect,
 * wherever it stands, as a timer does on a slow machine.
 */
#ifndef PATHWAY_CRASH_H
#define PATHWAY_CRASH_H

#ifdef PATHWAY_CRASH_POINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static inline void crash_point(const char *place)
{
    static long passes;
    const char *wanted = getenv("PATHWAYD_CRASH");
    size_t len = strlen(place);

    if (wanted && strncmp(wanted, place, len) == 0 && wanted[len] == ':' &&
        ++passes == strtol(wanted + len + 1, NULL, 10))
        raise(SIGKILL);
}

/* After how many steps the run that begins is to be stopped as suspect; 0: it is not. */
static inline int crash_suspect(void)
{
    static __thread unsigned x = 2463534242u;
    const char *wanted = getenv("PATHWAYD_SUSPECT");

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return wanted && x % strtoul(wanted, NULL, 10) == 0 ? 1 + (int)(x >> 8) % 40 : 0;
}

static inline void crash_stall(const char *where)
{
    const char *wanted = getenv("PATHWAYD_STALL");
    volatile int is_wanted = wanted && where && strcmp(wanted, where) == 0;

    while (is_wanted) {
    }
}

#else

static inline void crash_stall(const char *where)
{
    (void)where;
}

static inline void crash_point(const char *place)
{
    (void)place;
}

#endif
#endif
