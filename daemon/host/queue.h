/*
 * queue.h - the bounded queue in front of the engine thread.
 *
 * Bounded by events and by bytes, so that memory stays flat however fast senders are: a
 * full queue says so at once and takes nothing.
 */
#ifndef PATHWAY_HOST_QUEUE_H
#define PATHWAY_HOST_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "host/job.h"

#define QUEUE_FOREVER (-1)

/* Small jobs do not wait behind large ones that came before them: a person's one event is not held
 * up by somebody's import. Within a lane the order is that of arrival. */
enum queue_lane { QUEUE_SMALL, QUEUE_LARGE, QUEUE_LANES };

struct lane {
    struct job *first, *last;
};

struct queue {
    uv_mutex_t lock;
    uv_cond_t arrived;
    struct lane lanes[QUEUE_LANES];
    size_t events;
    size_t bytes;
    size_t max_events;
    size_t max_bytes;
    bool is_closed;
};

MUST_CHECK enum err_code queue_init(struct queue *q, size_t max_events, size_t max_bytes,
                                    struct err *err);
/* Nothing may be in it. */
void queue_fini(struct queue *q);

/* Jobs linked by `next`, all of them or none. ERR_BUSY: full or closed, they are still the
 * caller's. An empty queue takes any. */
MUST_CHECK enum err_code queue_put(struct queue *q, struct job *jobs, struct err *err);

/* Wait until there is a job in any lane or the queue is closed, at most `wait_us` (0: not at all;
 * QUEUE_FOREVER). */
void queue_await(struct queue *q, int64_t wait_us);

/* Take the jobs that have arrived in a lane, linked by `next`: one, then more while they hold at
 * most `max_events` together. NULL: there are none. */
struct job *queue_take(struct queue *q, enum queue_lane lane, size_t max_events);

/* No more jobs come in; those inside can still be taken. */
void queue_close(struct queue *q);
/* Closed, and nothing is left. */
bool queue_is_finished(struct queue *q);
size_t queue_events(struct queue *q);

#endif
