/*
 * coverage.h - in which ways the rules of a rulebook come out, hub by hub.
 */
#ifndef PATHWAY_COVERAGE_H
#define PATHWAY_COVERAGE_H

#include "lua/rulebook.h"
#include "lua/tally.h"

struct coverage {
    struct rulebook *rules; /* borrowed */
    struct tallies *of;     /* one a ruleset, as rulebook_at() numbers them */
    int count;
};

/* ERR_LIMIT: no memory. coverage_fini() it in any case. */
MUST_CHECK enum err_code coverage_init(struct coverage *out, struct rulebook *rules,
                                       struct err *err);
void coverage_fini(struct coverage *c);

/* Count what the rules of the record's hub say of it at `now`. */
MUST_CHECK enum err_code coverage_take(struct coverage *c, struct record *r, int64_t now,
                                       struct err *err);

/*
 * The same of every subject in the database at `path`, whichever rules judged it last; nothing is
 * changed there. *subjects: how many they were. ERR_IO, ERR_ABSENT, ERR_STORE: it can not be read.
 */
MUST_CHECK enum err_code coverage_database(struct coverage *c, uint64_t *subjects, const char *path,
                                           int64_t at, struct err *err);

#endif
