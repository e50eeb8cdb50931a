/*
 * note.h - free text taken out of an event's data.
 *
 * Notes are for people and may be private, so they are stored beside the log, where they can be
 * erased. In the log stands a keyed digest in their place.
 */
#ifndef PATHWAY_NOTE_H
#define PATHWAY_NOTE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"
#include "model/event.h"
#include "model/type.h"

struct note_taker {
    struct arena *arena; /* borrowed; holds all that is made */
    const uint8_t *key;  /* borrowed; DIGEST_BYTES */
    const char *source;  /* of the event; borrowed */
    const char *id;
    struct event_note *first; /* found so far, in order */
    struct event_note *last;
    uint64_t bytes; /* of all their texts */
};

/*
 * `value`, which passed type_check(), with every note replaced by "note:" and 32 hex digits; the
 * very same value when it can hold none. `path` is where it stands ("data"). NULL: no memory.
 */
const struct json *note_take(struct note_taker *taker, const struct type *t,
                             const struct json *value, const char *path);

#endif
