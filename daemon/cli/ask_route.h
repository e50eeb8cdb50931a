/*
 * ask_route.h - a request to a route that only a running daemon has: what its plugins do.
 */
#ifndef PATHWAY_CLI_ASK_ROUTE_H
#define PATHWAY_CLI_ASK_ROUTE_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"

/* Append the answer. `json`: the body; NULL: none. ERR_INPUT with --database: plugins run in a
 * daemon. */
MUST_CHECK enum err_code ask_route(struct buf *out, const struct args *args, const char *method,
                                   const char *path, const char *json, struct err *err);

#endif
