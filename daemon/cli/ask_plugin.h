/*
 * ask_plugin.h - a question to a plugin of a running daemon (POST /v1/plugins/PLUGIN.QUESTION).
 */
#ifndef PATHWAY_CLI_ASK_PLUGIN_H
#define PATHWAY_CLI_ASK_PLUGIN_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"

/* Append the answer. `params` is a JSON object. ERR_INPUT with --database: plugins run in a daemon. */
MUST_CHECK enum err_code ask_plugin(struct buf *out, const struct args *args, const char *question,
                                    const char *params, struct err *err);

#endif
