/*
 * problems.h - what is wrong with packs: all of it, each with the place where to mend it.
 */
#ifndef PATHWAY_LUA_PROBLEMS_H
#define PATHWAY_LUA_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* Errors found while loading, each one line "file:line: what is wrong, what was expected". */
struct problem {
    const struct problem *next;
    const char *text;
    const char *hub; /* while the overlay of this one was loaded, with a national pack that has
                        none; NULL: that */
};
#define PROBLEMS_LISTED 1000 /* of one pack; whoever loops over its mistakes makes any number */

struct problems {
    struct arena arena;
    const struct problem *first;
    struct problem *last;
    size_t count; /* those that are not listed too */
    int listed;
    const char *listed_of; /* the `hub` of these */
    /* What is loaded was in force once, and was checked then: what later checks would say of it,
     * and what changes nothing in how it judges, is not told. */
    bool was_in_force;
    bool leaves_thawed; /* for tests of what guards behind freeze.c: its tables stay as they were
                           loaded */
    const char *hub;    /* whose overlay is being loaded; the arena's, NULL: none */
    /* While packs are loaded: with what their places begin, and where that lies for who opens the
     * file. */
    struct pack_place {
        const char *pack;   /* "hubs/07"; borrowed, NULL: no more of them */
        const char *folder; /* "rules/hubs/07" */
    } places[2];
};
/* One that is there already is not added again. */
void problems_add(struct problems *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same of what judges all the same, and is only not accepted any more: not told of what was in
 * force once. */
void problems_add_new(struct problems *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void problems_fini(struct problems *p);

#endif
