/*
 * packfiles.h - runs the files of packs, each once, also as they import each other, and hands the
 * tables that they return to pack.h.
 */
#ifndef PATHWAY_LUA_PACKFILES_H
#define PATHWAY_LUA_PACKFILES_H

#include "lua/sources.h"
#include "lua/state.h"

/* Define `rs`, whose state and files are there, from its sources. What is wrong with one file hides
 * nothing that is wrong with the others. ERR_RULE: something is, all of it listed in `problems`;
 * err has the first. */
MUST_CHECK enum err_code packfiles_load(struct ruleset *rs, struct sources *sources,
                                        struct problems *problems, struct err *err);

#endif
