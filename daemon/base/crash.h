/*
 * crash.h - places where a test may kill the program, as kill -9 would.
 *
 * Only a build with PATHWAY_CRASH_POINTS has them; elsewhere crash_point() is nothing. There the
 * environment says PATHWAYD_CRASH=PLACE:N, and the N-th pass of that place ends the process at once.
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

#else

static inline void crash_point(const char *place)
{
    (void)place;
}

#endif
#endif
