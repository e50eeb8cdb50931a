/*
 * metrics.h - what the daemon counts, and how Prometheus reads it.
 *
 * The engine thread counts for itself; a copy comes to the loop thread with the results of each
 * batch, so that whoever has an answer finds its work in the figures.
 */
#ifndef PATHWAY_HOST_METRICS_H
#define PATHWAY_HOST_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/engine.h"

#define HISTOGRAM_BOUNDS 13

/* How long things took: how many up to each bound. Zeroed to begin. */
struct histogram {
    uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* the last: longer than all bounds */
    uint64_t sum_us;
};
void histogram_add(struct histogram *h, int64_t took_us);

/* Of the engine thread. */
struct figures {
    struct engine_counters engine;
    struct engine_progress progress;
    struct histogram commits; /* from being taken up to being durable */
};

/* Of the loop thread. */
struct metrics {
    uint64_t events[4]; /* by enum pw_event_status */
    size_t queue_events;
    struct figures figures;
};

/* Append in Prometheus' text format. */
void metrics_write(struct buf *out, const struct metrics *m);

#endif
