/*
 * places.h - on which line a key of a pack's tables stands, found in the files' text.
 *
 * A table that Lua has built does not know where it was written, and a mistake in one should be
 * told with its line.
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
    struct strmap
        lines; /* file and path, joined by newlines, to a line; above it its order in the file */
    struct strmap keys;  /* number of a table and key in it to the line where it stands first */
    struct strmap twice; /* file and path of what stands twice in one table to the second line */
    int entries, tables; /* read so far, of all files */
};

/* False: no memory. */
bool places_read(struct places *p, const char *file, const char *text, size_t len);
/* The line of the entry at path[0..depth-1] of the file's tables. Where it is not found from the
 * outermost table, as when a part of it was written as a local variable, the rest of the path is
 * looked for from there. Entries without a name are "#1", "#2" ... 0: not found. */
int places_line(const struct places *p, const char *file, const char *const *path, int depth);
/* The same; which of two entries of a file comes first. 0: not found. */
int places_order(const struct places *p, const char *file, const char *const *path, int depth);
/* The line where the entry is written for the second time in its table, of which Lua keeps only the
 * last; 0: it is not. */
int places_twice(const struct places *p, const char *file, const char *const *path, int depth);
void places_fini(struct places *p);

#endif
