/*
 * absent.h - what Lua has and packs have not: why, and what there is in its place.
 */
#ifndef PATHWAY_LUA_ABSENT_H
#define PATHWAY_LUA_ABSENT_H

/* Of a global name ("pcall") or one in a library ("string.gsub"); also of what other languages
 * call true, false and nil. A half sentence, or NULL: it is nothing that is known. */
const char *absent_why(const char *name);

#endif
