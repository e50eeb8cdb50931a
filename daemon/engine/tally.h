/*
 * tally.h - how many subjects have which value of each decision.
 *
 * A decision with more values than a board can show, a day or a sentence, is not counted by value:
 * only that it has many is kept.
 */
#ifndef PATHWAY_TALLY_H
#define PATHWAY_TALLY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/strmap.h"

#define TALLY_VALUES 12

/* Zeroed to valid; its memory is `arena`'s but for the maps, which tally_fini() frees. */
struct tally {
    struct arena *arena;
    int64_t subjects;
    struct strmap decisions; /* name to struct tally_values */
    bool failed;             /* no memory */
};

/* One more subject; then each of its decisions. `value` is JSON. */
void tally_subject(struct tally *t);
void tally_add(struct tally *t, const char *name, size_t name_len, const char *value,
               size_t value_len);
/* {"NAME":{"VALUE":COUNT}} by name and value, bytewise; a text without its quotes. */
void tally_write(struct buf *out, const struct tally *t);
void tally_fini(struct tally *t);

#endif
