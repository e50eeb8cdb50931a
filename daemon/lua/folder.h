/*
 * folder.h - the files of a rules folder: national/ and hubs/CODE/, found and read.
 */
#ifndef PATHWAY_LUA_FOLDER_H
#define PATHWAY_LUA_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "lua/ruleset.h"

#define PACK_FILES_MAX 200 /* files of one pack */

/* Files by pack, the national one first, then hubs by code; those of a pack by path. */
struct rule_files {
    struct ruleset_file *files; /* "national/words.lua", "hubs/07/overlay.lua"; arena's */
    int count;
    size_t cap;
    bool is_one_overlay; /* a hub's own folder was named, and the national pack was found elsewhere
                          */
};

/*
 * Read `dir`: a rules folder (holding national/, perhaps hubs/CODE/), or one pack's own folder.
 * With a hub's own folder, the national pack is the one two folders up, else that of `national`, a
 * rules folder (NULL: there is none). The memory is the arena's. ERR_ABSENT: there is no such
 * folder or no national pack; ERR_IO, ERR_LIMIT: a file can not be read.
 */
MUST_CHECK enum err_code folder_read(struct rule_files *out, struct arena *arena, const char *dir,
                                     const char *national, struct err *err);

/* What one pack of these files is made of, as hex: of those below "hubs/07/", in the order in which
 * they stand, which should be by path. */
void files_digest(char out[DIGEST_HEX], const struct ruleset_file *files, int count,
                  const char *pack);

/* The hub whose overlay this file is of, as the part of `path` between "hubs/" and the next slash,
 * or NULL. */
const char *folder_hub_of(const char *path, size_t *len);

#endif
