/*
 * append.h - one event into the log: the row, what it voids, its notes.
 */
#ifndef PATHWAY_APPEND_H
#define PATHWAY_APPEND_H

#include "store/log.h"

/* Inside a transaction. As log_append(), which this completes for voids and free text. */
MUST_CHECK enum err_code append_event(enum append_status *out, int64_t *seq, struct store *s,
                                      const struct event *e, int64_t recorded, const char *actor,
                                      struct err *err);

#endif
