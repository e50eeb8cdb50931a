/*
 * body.h - the canonical bytes of a valid event: what the log keeps, and what tells whether an
 * event that is sent again is the same one.
 */
#ifndef PATHWAY_BODY_H
#define PATHWAY_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/attribute.h"
#include "model/event.h"

/* What it is made from; all borrowed. */
struct body_source {
    const struct json *json; /* the event */
    const struct attributes *attributes;
    bool has_notes;          /* its data does */
    const uint8_t *note_key; /* DIGEST_BYTES */
};

/* Fill in `body`, `body_len` and `notes` of an event whose other members are there. ERR_LIMIT: more
 * than EVENT_MAX_BYTES, notes included. */
MUST_CHECK enum err_code body_make(struct event *out, struct arena *arena,
                                   const struct body_source *source, struct err *err);

#endif
