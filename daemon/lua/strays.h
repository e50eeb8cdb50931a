/*
 * strays.h - what lies in a rules folder as if it were part of a pack, and is read by nobody.
 *
 * An author who puts rules there believes that they hold. What editors and version control leave
 * behind (x.lua~, .x.lua.swp, x.lua.orig, .git/) and texts for people (README.md) are none.
 */
#ifndef PATHWAY_LUA_STRAYS_H
#define PATHWAY_LUA_STRAYS_H

#include <stdbool.h>
#include <stddef.h>

/* Is a file of this name a pack's? */
bool stray_is_source(const char *name);

/* An entry of a pack's folder that is no source of it: write what is wrong with it into `out`
 * ("rules/hubs/07/more: ...") and return true; false when it troubles nobody. */
bool stray_in_pack(char *out, size_t size, const char *dir, const char *name);
/* The same of an entry of hubs/ that is no folder. */
bool stray_in_hubs(char *out, size_t size, const char *hubs, const char *name);
/* The same of an entry of a rules folder, beside national/ and hubs/. */
bool stray_beside(char *out, size_t size, const char *dir, const char *name);

#endif
