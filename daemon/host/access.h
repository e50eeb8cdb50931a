/*
 * access.h - who comes in with which token: what is known of them, in memory.
 *
 * Read from the database when the engine is open, and anew with each command about tokens, before
 * its sender has its answer: what is revoked is refused from then on. On the loop thread.
 */
#ifndef PATHWAY_HOST_ACCESS_H
#define PATHWAY_HOST_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include <pathway/plugin.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct access_key;

/* Zeroed to valid: nothing is known yet. */
struct access {
    struct arena arena;
    struct access_key *keys;
    size_t count;
    bool is_known;
};

/* Take the answer of a command about tokens (engine/tokens.h): its keys become what is known, its
 * result is appended to `result` (NULL: not). An error leaves what was known before. */
MUST_CHECK enum err_code access_take(struct access *a, struct buf *result, const char *answer,
                                     struct err *err);

/* As pw_host.identify (include/pathway/plugin.h). */
enum pw_status access_identify(const struct access *a, const char *token, int64_t now,
                               struct pw_identity *out);

void access_fini(struct access *a);

#endif
