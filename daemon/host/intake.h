/*
 * intake.h - the events of one request: bytes to checked events, and what became of each.
 *
 * Reading happens on the loop thread; the engine then fills in the takes; after that the
 * results are there for every event of the request, the refused ones included.
 */
#ifndef PATHWAY_HOST_INTAKE_H
#define PATHWAY_HOST_INTAKE_H

#include <pathway/plugin.h>

#include "base/err.h"
#include "engine/engine.h"

struct intake_limits {
    size_t max_event;  /* bytes */
    size_t max_events; /* of a request */
    size_t max_body;   /* bytes of a request */
    int max_depth;     /* levels of an event */
};

struct intake_schema {
    const struct catalog *catalog;
    const uint8_t *note_key;
};

struct intake;

/*
 * Check a request. `hubs`: those that its sender is bound to ("07 12"), NULL: to none. Events that
 * are wrong are not an error: they are invalid, with their reason. ERR_LIMIT: over a limit;
 * ERR_INPUT: an array of events that is no JSON array. Then *out is NULL.
 */
MUST_CHECK enum err_code intake_read(struct intake **out, const struct intake_limits *limits,
                                     const struct intake_schema *schema, enum pw_format format,
                                     const char *bytes, size_t len, const char *actor,
                                     const char *hubs, struct err *err);

/* The valid events, for engine_take(). */
struct take *intake_takes(struct intake *in, size_t *count);
/* What became of all events, in order. After engine_take(), or at once when there are no takes.
 * Borrowed from the intake; NULL when there is no memory. */
const struct pw_event_result *intake_results(struct intake *in, size_t *count);

void intake_free(struct intake *in);

#endif
