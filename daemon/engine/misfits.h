/*
 * misfits.h - events in a log that other rules would not know any more.
 *
 * They were checked when they came, by the rules of then. Rules without their type, or with another
 * schema for it, leave them where they are and skip them in every record: that is worth a warning
 * before such rules come into force.
 */
#ifndef PATHWAY_MISFITS_H
#define PATHWAY_MISFITS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "lua/rulebook.h"

/* All events of one type that do not fit. */
struct misfit {
    struct misfit *next;
    const char *type;
    const char *declared_at; /* where the rules declare the type; NULL: they do not */
    const char *why;     /* what is wrong with the first one's data; NULL: there is no such type */
    const char *nearest; /* the type with the nearest name, for one that there is not; NULL: none */
    uint64_t count;
    int64_t seq; /* of the first one in the log */
    const char *source, *id;
};
struct misfits {
    struct arena arena;
    struct misfit *first; /* in the order in which they stand in the log */
    uint64_t events, skipped;
};

/*
 * Hold all events of `database` against the packs that would be in force if these were taken: a
 * rules folder as `pathway reload` takes it, a hub's own folder as `pathway overlay push` does.
 * `rules` were loaded from `dir`. The database is only read, also beside a daemon that serves from
 * it. ERR_RULE: they do not load together with the packs that would stay. misfits_fini() it in any
 * case.
 */
MUST_CHECK enum err_code misfits_find(struct misfits *out, const char *database, const char *dir,
                                      const struct rulebook *rules, struct err *err);
void misfits_fini(struct misfits *m);

#endif
