/*
 * sources.h - the files that make one ruleset: those of the national pack, and of a hub's overlay.
 */
#ifndef PATHWAY_LUA_SOURCES_H
#define PATHWAY_LUA_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "lua/folder.h"
#include "lua/ruleset.h"

#define SOURCES_MAX (2 * PACK_FILES_MAX)

enum source_state { SOURCE_NEW, SOURCE_RUNNING, SOURCE_DONE, SOURCE_FAILED };

struct source {
    const char *path; /* "national/areas.lua": the same wherever the rules folder lies */
    const char *name; /* "areas": what import() takes */
    const char *text;
    size_t len;
    bool is_overlay;
    bool is_left_out; /* it holds tests of the national pack, which say nothing of an overlay */
    enum source_state state;
    bool is_imported;
};

struct sources {
    const char *pack;                         /* "national" */
    const char *overlay;                      /* "hubs/07", or NULL */
    const char *pack_folder, *overlay_folder; /* where they lie, for messages; NULL: nowhere */
    const char *hub;                          /* "07", or NULL */
    struct source items[SOURCES_MAX]; /* the national pack's, then the overlay's; each by path */
    int count;
};

/* Take the files of the national pack and of the overlay of `hub` (NULL: of none); the memory is
 * the arena's. ERR_INPUT: one is not called PACK/NAME.lua; ERR_LIMIT: there are too many. */
MUST_CHECK enum err_code sources_take(struct sources *out, struct arena *arena,
                                      const struct ruleset_file *files, int count, const char *hub,
                                      struct err *err);

#endif
