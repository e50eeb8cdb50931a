/*
 * places.h - on which line a key of a pack's tables stands, found in the files' text.
 *
 * A table that Lua has built does not know where it was written, and a mistake in one should be told
 * with its line.
 */
#ifndef PATHWAY_LUA_PLACES_H
#define PATHWAY_LUA_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/strmap.h"

/* Zeroed to valid. */
struct places {
    struct arena arena;
    struct strmap lines; /* file and path, joined by newlines, to a line */
};

/* False: no memory. */
bool places_read(struct places *p, const char *file, const char *text, size_t len);
/* The line of the entry at path[0..depth-1] of the file's tables. Where it is not found from the
 * outermost table, as when a part of it was written as a local variable, the rest of the path is
 * looked for from there. Entries without a name are "#1", "#2" ... 0: not found. */
int places_line(const struct places *p, const char *file, const char *const *path, int depth);
void places_fini(struct places *p);

#endif
