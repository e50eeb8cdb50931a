/*
 * life.h - which database gave a number of the feed.
 *
 * When a backup takes the place of a database, numbers of the feed are given again, to other
 * entries. So each restore begins a life of the database with an id of its own, which the entries
 * from there on carry. Two entries with the same ID/NUMBER are one entry, whatever was restored in
 * between; and who says ID/NUMBER of the last one that it has can be told whether the feed still
 * has it.
 */
#ifndef PATHWAY_STORE_LIFE_H
#define PATHWAY_STORE_LIFE_H

#include "base/err.h"
#include "store/store.h"

#define LIFE_UNKNOWN ((int64_t)-1)

/* The id of the life that gave this number, or will; of 0: the first one's. Borrowed. */
const char *life_of(const struct store *s, int64_t seq);
/*
 * Up to which number somebody who has all up to ID/seq has the same entries as this feed, whose
 * last number is `head`: `seq` itself, or less when later ones were lost; LIFE_UNKNOWN: no life of
 * this database has that id.
 */
int64_t life_common(const struct store *s, const char *id, size_t id_len, int64_t seq,
                    int64_t head);

/* Begin a life behind the last entry. `s` is open to write, and nobody else has the database. */
MUST_CHECK enum err_code life_begin(struct store *s, struct err *err);

#endif
