/*
 * warm.h - the records of all subjects, folded and judged, kept from one what-if to the next.
 *
 * Who tries out one value of a parameter tries another one next. As long as no reducer and no move
 * reads the parameter, the records are the same: only the rules that read it are to be judged
 * again. Records follow the log: of what has come since, the subjects that it touches are folded
 * anew. Some megabytes for each thousand subjects.
 */
#ifndef PATHWAY_WARM_H
#define PATHWAY_WARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strmap.h"
#include "engine/crowd.h"
#include "engine/fold.h"

struct warm_slot {
    const char *subject;
    struct fold fold; /* judged at the warm records' `at`, as nothing were supposed */
    int hand;         /* whose rulebook it lives in */
    bool is_there;    /* something has happened to it by then */
};

struct warm {
    struct rulebook *books[CROWD_MAX]; /* one a hand, watched; owned */
    int hand_count;
    struct warm_slot *slots; /* owned */
    size_t count, cap;
    struct strmap by_subject;   /* to index of a slot */
    struct strmap predecessors; /* schools that another one continues */
    int64_t at;                 /* the moment of the records */
    int64_t next_event;         /* when the next event comes that lies ahead; TIME_NEVER */
    int64_t max_seq;            /* the last event that is known */
    struct arena arena;
};

/* Slots for the subjects of a world that is loaded, to be filled by warm_take(); nobody takes part
 * in it yet. */
MUST_CHECK enum err_code warm_new(struct warm **out, struct world *w, const char *const *subjects,
                                  size_t count, int64_t at, int64_t max_seq, struct err *err);
/* NULL allowed. */
void warm_free(struct warm *w);

/* The fold of subject number `index` is kept; it is no longer the caller's. From several threads at
 * once. */
void warm_take(struct warm *w, size_t index, struct fold *f, int hand);

/* May the records answer about `at`, by these rules? */
bool warm_fits(const struct warm *w, const struct rulebook *rules, int64_t at);

/*
 * Fold anew what the events up to `max_seq` touch. ERR_CONFLICT: it would not be worth it, or voids
 * and successions are among them: begin anew.
 */
MUST_CHECK enum err_code warm_follow(struct warm *w, struct store *s, int64_t max_seq,
                                     struct err *err);

/* Work on every slot that is there, each hand on its own ones, on a thread of its own. Other than
 * OK ends all. */
typedef enum err_code warm_fn(void *hand, struct warm_slot *slot, struct err *err);
MUST_CHECK enum err_code warm_run(struct warm *w, void *const *hands, warm_fn *fn, struct err *err);

#endif
