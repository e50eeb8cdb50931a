/*
 * crowd.h - the same work on every subject of a world, by as many threads as are good for it.
 *
 * Each thread has a hand of its own (its rules, and what it gathers); subjects are given out a few
 * at a time, so that no thread waits for another. What a hand gathers must not depend on which
 * subjects it was given: put it where the subject's number says.
 */
#ifndef PATHWAY_CROWD_H
#define PATHWAY_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "engine/world.h"
#include "lua/record.h"
#include "lua/rulebook.h"

#define CROWD_MAX 2 /* threads: a machine that serves has its two cores */

/* How many threads are worth their start for so many subjects: 1 to CROWD_MAX. */
int crowd_size(size_t subjects);

/* Work on subject number `index`. On the thread of this hand. Other than OK ends all. */
typedef enum err_code crowd_fn(void *hand, const char *subject, size_t index, struct err *err);
/* So many subjects are done. On the thread that called crowd_run(). */
typedef void crowd_progress_fn(size_t done, size_t of, void *arg);

struct crowd_options {
    struct world *world; /* shared already, when there are several hands */
    const char *const *subjects;
    size_t count;
    void *hands[CROWD_MAX];
    int hand_count;
    crowd_fn *work;
    crowd_progress_fn *progress; /* NULL allowed */
    void *arg;
};

/* The calling thread is one of them. The error of the first subject, by number, that failed. */
MUST_CHECK enum err_code crowd_run(const struct crowd_options *options, struct err *err);

/* Append the code of the hub that a subject belongs to; false: it belongs to none. */
bool hub_of(struct buf *out, const char *subject, struct record *r);

/* A hub that nothing belongs to is a slip: ERR_ABSENT, with the nearest of those that were met by
 * the hands. */
MUST_CHECK enum err_code hub_check(const char *hub, const struct strmap *const *met, int count,
                                   struct err *err);

/* The same rules once more, for another thread. */
MUST_CHECK enum err_code rulebook_again(struct rulebook **out, const struct rulebook *b,
                                        struct err *err);

#endif
