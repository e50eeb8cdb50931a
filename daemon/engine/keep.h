/*
 * keep.h - the command "keep": what the host keeps for plugins, several writes at once.
 *
 * {"ops": [[OP, ...], ...]}, each an array: ["cursor", NAME, SEQ], ["no cursor", NAME],
 * ["state", PLUGIN, KEY, TEXT|null], ["aside", ORIGIN, REASON, RECEIVED, BODY], ["no aside",
 * NUMBER].
 */
#ifndef PATHWAY_ENGINE_KEEP_H
#define PATHWAY_ENGINE_KEEP_H

#include "base/err.h"
#include "base/json.h"
#include "store/store.h"

/* All of it in one transaction. ERR_ABSENT: an event to discard is not there; then nothing
 * is done. */
MUST_CHECK enum err_code keep_all(struct store *s, const struct json *params, struct err *err);

#endif
