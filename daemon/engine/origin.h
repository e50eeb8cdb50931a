/*
 * origin.h - where each pack comes from: the rules folder, a push, or the archive.
 */
#ifndef PATHWAY_ORIGIN_H
#define PATHWAY_ORIGIN_H

#include "engine/proposal.h"

struct origins;

/* Find the packs of a proposal. All memory is the arena's. */
MUST_CHECK enum err_code origins_gather(struct origins **out, struct arena *arena, struct store *s,
                                        const struct proposal *p, struct err *err);
/* All their files, as rulebook_load_files() takes them. */
MUST_CHECK enum err_code origins_files(struct ruleset_file **out, int *count, struct origins *from,
                                       struct err *err);
/* Let a pack be what it is in force; one that is not goes. *changed: it was something else. */
MUST_CHECK enum err_code origins_stay(bool *changed, struct origins *from, const char *pack,
                                      struct err *err);
/* The same for one that was found wanting: where it is what is in force already, or this is done a second time, it
 * goes. */
MUST_CHECK enum err_code origins_refuse(struct origins *from, const char *pack, struct err *err);
/* What is to be kept of them. */
MUST_CHECK enum err_code origins_list(const struct pack_origin **out, struct origins *from,
                                      struct err *err);

#endif
