/*
 * parts.h - a large request as several jobs, so that somebody's import never holds up a person's
 * one event for longer than a part of it takes.
 *
 * Each part is a commit of its own. If one fails, so does the request: what of it was taken by then
 * is a duplicate when it is sent again.
 */
#ifndef PATHWAY_HOST_PARTS_H
#define PATHWAY_HOST_PARTS_H

#include "host/job.h"

/*
 * Jobs of at most `max_events` events each that together do what `whole` asks for, linked by
 * `next`: `whole` itself when it is small enough or no events, else new jobs that free themselves.
 * When the last of them is done, `whole` is: with the first error, if there was one. NULL: no
 * memory.
 */
struct job *parts_of(struct job *whole, size_t max_events);
/* Those of `whole`, which no queue has taken. */
void parts_free(struct job *parts, const struct job *whole);

#endif
