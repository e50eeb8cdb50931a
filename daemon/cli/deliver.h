/*
 * deliver.h - batches of events to a daemon (two requests on their way at a time), or into a
 * database.
 *
 * Sending again what was sent before is always safe: the daemon answers "duplicate".
 */
#ifndef PATHWAY_CLI_DELIVER_H
#define PATHWAY_CLI_DELIVER_H

#include <stdint.h>

#include "base/err.h"
#include "cli/ndjson.h"
#include "cli/place.h"

/* Events by the status they got. */
struct tally {
    int64_t accepted, duplicate, conflict, invalid;
};

struct delivery {
    /* Refill `out` with the next batch; empty at the end. */
    enum err_code (*next)(struct batch *out, void *arg, struct err *err);
    /* One event was refused: `status` is "conflict" or "invalid". In the order of the batches. */
    void (*refused)(const char *file, int64_t line, const char *status, const char *detail,
                    void *arg);
    /* A batch has its answer. NULL allowed. */
    void (*settled)(const struct tally *so_far, void *arg);
    void *arg;
    int patience_s; /* how long in a row to go on when the daemon says that it is busy */
};

/* Deliver all batches; *out also counts what was settled before an error. ERR_BUSY: patience
 * ended. */
MUST_CHECK enum err_code deliver(struct tally *out, struct place *place, const struct delivery *d,
                                 struct err *err);

/* deliver_local.c: one batch straight into the database of `place`, in one commit. */
MUST_CHECK enum err_code deliver_local(struct tally *tally, struct place *place,
                                       const struct batch *batch, const struct delivery *d,
                                       struct err *err);

#endif
