/*
 * packs.h - what became of each pack: since when it judges, and how the last attempt to change it
 * ended.
 */
#ifndef PATHWAY_PACKS_H
#define PATHWAY_PACKS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/* In a transaction: an attempt to change the rules has ended. `pack`: "national", "hubs/07".
 * `error` NULL: it went well; else all that was wrong. It stands until one goes well, with the time
 * since when there has been one. */
MUST_CHECK enum err_code packs_note_attempt(struct store *s, const char *pack, int64_t now,
                                            const char *error, struct err *err);

struct refusal;
/* The same for packs that were refused, in a transaction of its own. Those in `wanting` were
 * refused by judging, among rules with the digest `asked`: see refused.h. */
MUST_CHECK enum err_code packs_note_refusals(struct store *s, const struct refusal *refusals,
                                             const char *asked, const struct refusal *wanting,
                                             int64_t now, struct err *err);

/* Append the packs as a JSON array of {pack, generation, since, digest, last_attempt, last_error,
 * error_since}. A pack that never judged, but was tried, has the generation null. */
MUST_CHECK enum err_code packs_write(struct buf *out, struct store *s, struct err *err);
/* The same of one pack. ERR_ABSENT: it never judged and was never tried. */
MUST_CHECK enum err_code packs_write_one(struct buf *out, struct store *s, const char *pack,
                                         struct err *err);

#endif
