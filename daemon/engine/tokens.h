/*
 * tokens.h - access tokens: made, listed, revoked.
 */
#ifndef PATHWAY_TOKENS_H
#define PATHWAY_TOKENS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "store/store.h"

/*
 * "token.add" {name, scopes: [..], hubs?: [..], expires?}, "token.revoke" {name}, "token.keys" {}.
 * Appends
 * {"result": {..}, "keys": [{"name","digest","scopes","hubs","expires","revoked"}..]}; the result
 * of the first holds the token itself, which is never to be had again. ERR_INPUT, ERR_ABSENT,
 * ERR_CONFLICT.
 */
MUST_CHECK enum err_code token_command(struct buf *out, struct store *s, int64_t now,
                                       const char *name, const struct json *params,
                                       struct err *err);

#endif
