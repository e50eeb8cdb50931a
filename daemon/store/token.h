/*
 * token.h - who may ask and send over the network: access tokens, by their digests.
 *
 * A token that was revoked stays, with when: its name is in the log as the actor of events, and is
 * never given to another.
 */
#ifndef PATHWAY_STORE_TOKEN_H
#define PATHWAY_STORE_TOKEN_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "store/store.h"

struct token {
    const char *name;
    uint8_t digest[DIGEST_BYTES];
    const char *scopes; /* "read write" */
    const char *hubs;   /* "07 12"; NULL: all */
    int64_t created;
    int64_t expires; /* TIME_NEVER: not */
    int64_t revoked; /* TIME_NEVER: not */
};

/* ERR_CONFLICT: the name has been given before. */
MUST_CHECK enum err_code token_put(struct store *s, const struct token *t, struct err *err);
/* From now on. ERR_ABSENT: there is none of this name, with the nearest; ERR_CONFLICT: it is
 * already. */
MUST_CHECK enum err_code token_revoke(struct store *s, const char *name, int64_t now,
                                      struct err *err);
typedef enum err_code token_fn(const struct token *t, void *arg, struct err *err);
/* All of them, by name. */
MUST_CHECK enum err_code token_each(struct store *s, token_fn *fn, void *arg, struct err *err);

#endif
