/*
 * sources.h - the files of a pack: finding and reading them.
 */
#ifndef PATHWAY_LUA_SOURCES_H
#define PATHWAY_LUA_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "lua/ruleset.h"

#define SOURCES_MAX 200

enum source_state { SOURCE_NEW, SOURCE_RUNNING, SOURCE_DONE, SOURCE_FAILED };

struct source {
    const char *path; /* "national/areas.lua": the same wherever the rules folder lies */
    const char *name; /* "areas": what import() takes */
    const char *text;
    size_t len;
    enum source_state state;
    bool is_imported;
};

struct sources {
    const char *root; /* what stands before `path` for who opens the file: "rules/" */
    const char *pack; /* "national" */
    struct source items[SOURCES_MAX]; /* by path */
    int count;
};

/*
 * Read the files of the pack in `dir`, a rules folder (holding national/) or one pack's own folder. The
 * memory is the arena's. ERR_ABSENT: there is no such folder; ERR_IO, ERR_LIMIT: a file can not be read.
 */
MUST_CHECK enum err_code sources_read(struct sources *out, struct arena *arena, const char *dir,
                                      struct err *err);

/* The same from files that were archived before: "PACK/NAME.lua" each. ERR_INPUT: one is called otherwise;
 * ERR_LIMIT: there are too many. */
MUST_CHECK enum err_code sources_take(struct sources *out, struct arena *arena,
                                      const struct ruleset_file *files, int count, struct err *err);

#endif
