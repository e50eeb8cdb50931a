/*
 * reconfigure.h - a configuration that is read again while the daemon serves.
 */
#ifndef PATHWAY_HOST_RECONFIGURE_H
#define PATHWAY_HOST_RECONFIGURE_H

#include "host/config.h"

/* One line for each key, and each section, of `wanted` that is not as in `current` and takes a
 * restart; how many. */
typedef void reconfigure_refused_fn(const char *line, void *arg);
int reconfigure_refused(const struct config *current, const struct config *wanted,
                        reconfigure_refused_fn *fn, void *arg);

#endif
