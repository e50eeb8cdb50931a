/*
 * ruleset.h - a rules folder, loaded: packs checked whole, ready to fold and judge.
 *
 * A ruleset owns one Lua state and belongs to one thread at a time. Load the folder
 * again for another thread.
 */
#ifndef PATHWAY_LUA_RULESET_H
#define PATHWAY_LUA_RULESET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/event.h"

/* Errors found while loading, each one line "file:line: what is wrong, what was expected". */
struct problem {
    const struct problem *next;
    const char *text;
};
struct problems {
    struct arena arena;
    const struct problem *first;
    struct problem *last;
    size_t count;
    const char *root; /* while a pack is loaded: what its places lack for who opens the file */
    const char *pack; /* and with which folder they begin; borrowed, else NULL */
};
void problems_add(struct problems *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void problems_fini(struct problems *p);

struct ruleset;

/*
 * Load `dir`: a rules folder (holding national/), or one pack's own folder. ERR_RULE: it has errors,
 * all listed in `problems` (NULL allowed; err has the first). ERR_ABSENT: there is no such folder or pack.
 */
MUST_CHECK enum err_code ruleset_load(struct ruleset **out, const char *dir,
                                      struct problems *problems, struct err *err);
/* The same from files that were archived before: by path, as ruleset_file_at() gave them. */
struct ruleset_file;
MUST_CHECK enum err_code ruleset_load_files(struct ruleset **out, const struct ruleset_file *files,
                                            int count, struct problems *problems, struct err *err);
void ruleset_free(struct ruleset *rs);

/* The types of event that the packs declare. Read-only, and so usable from any thread. */
const struct catalog *ruleset_catalog(const struct ruleset *rs);
/* A file that was loaded: what the database archives. Borrowed from the ruleset. */
struct ruleset_file {
    const char *path; /* "national/rules.lua" */
    const char *text;
    size_t len;
};
/* The file number `index`, by path; false when there are not so many. */
bool ruleset_file_at(struct ruleset_file *out, const struct ruleset *rs, int index);
/* Hex digest of all files. */
const char *ruleset_digest(const struct ruleset *rs);

#endif
