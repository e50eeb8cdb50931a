/*
 * reload.h - what commands that change a daemon's rules share.
 */
#ifndef PATHWAY_CLI_RELOAD_H
#define PATHWAY_CLI_RELOAD_H

#include "cli/client.h"
#include "cli/command.h"

/* Send a request that is answered when other rules are in force, or refused with all that is wrong
 * with them, and print what became of it. `x` is spent. */
enum cli_exit rules_call(const struct args *args, struct exchange *x);

#endif
