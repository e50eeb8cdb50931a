/*
 * world_internal.h - a world from the inside, for world.c and world_lineage.c.
 */
#ifndef PATHWAY_WORLD_INTERNAL_H
#define PATHWAY_WORLD_INTERNAL_H

#include <pthread.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "engine/world.h"

enum settled { SETTLED_NOT, SETTLED_STANDS, SETTLED_VOIDED };

struct known_entry {
    struct entry entry; /* first: handed out as it is */
    enum settled settled;
    bool is_queued;      /* only while voids are being settled */
    bool is_never_named; /* by a void, whatever is left out */
    size_t first_void, void_count;
    struct known_entry *next_void; /* another void of the same key, when all is loaded */
    const char *predecessor;       /* of a school.succeeded, once read */
};

/* All that touches one subject, in event order once sorted. */
struct history {
    struct known_entry **entries; /* owned */
    size_t count, cap;
    bool is_loaded;
    bool is_sorted;
};

struct world {
    struct store *store; /* borrowed */
    int64_t max_seq;
    const int64_t *left_out; /* borrowed; see world_leave_out() */
    size_t left_out_count;
    int64_t horizon;
    bool has_all;
    struct arena arena;
    struct strmap subjects;      /* to struct history */
    struct strmap by_seq;        /* to struct known_entry */
    struct strmap voids;         /* source NUL id to the voids that name it; when all is loaded */
    const char **names;          /* last answer of world_subjects(); owned */
    world_progress_fn *progress; /* NULL: nobody wants to know */
    void *arg;
    bool is_shared; /* then `lock` is held while anything of it is looked at or made */
    pthread_mutex_t lock;
};

static inline bool is_left_out(const struct world *w, const struct known_entry *k)
{
    for (size_t i = 0; i < w->left_out_count; i++)
        if (k->entry.seq == w->left_out[i])
            return true;
    return k->entry.seq > w->horizon;
}

/* The functions of world.h hold the lock, also when they call each other; those below are called
 * under it. */
void world_enter(struct world *w);
void world_leave(struct world *w);

MUST_CHECK enum err_code world_history(struct history **out, struct world *w, const char *subject,
                                       struct err *err);
MUST_CHECK enum err_code world_settle(struct world *w, struct known_entry *e, struct err *err);

#endif
