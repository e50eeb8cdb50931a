/*
 * loading.h - what the author's commands say of rules that can not be used.
 */
#ifndef PATHWAY_CLI_LOADING_H
#define PATHWAY_CLI_LOADING_H

#include "base/err.h"
#include "cli/command.h"
#include "lua/problems.h"

/*
 * Print why rules did not load to standard error: every problem with its place, a line each, or,
 * where it is not about one of their lines, what `err` says. CLI_NO: the rules have errors;
 * CLI_FAILED: they could not be read, as a folder that is not there.
 */
enum cli_exit loading_failed(const struct problems *problems, const struct err *err);

#endif
