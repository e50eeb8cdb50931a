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
/* What they are made of, and by which pathwayd, as hex. */
MUST_CHECK enum err_code origins_digest(char out[DIGEST_HEX], struct origins *from,
                                        struct err *err);
/* Is this pack another one than in force? */
MUST_CHECK enum err_code origins_is_changed(bool *out, struct origins *from, const char *pack,
                                            struct err *err);
/* What is done with a pack that fails. */
enum origin_fate {
    ORIGIN_STAYS, /* it becomes what it is in force; one that is not goes */
    ORIGIN_GOES,  /* that fails too: it is left out */
    ORIGIN_HOLDS, /* nothing can be done */
};
/* One that does not load, or whose tests fail. An overlay that is in force as it is goes only where
 * the national pack is another one than in force: else it is not to blame. Where the national pack
 * stays what it is in force, overlays begin anew from what was proposed. */
MUST_CHECK enum err_code origins_fail(enum origin_fate *out, struct origins *from, const char *pack,
                                      struct err *err);
/* One that was found wanting: where it is what is in force already, or this is done a second time,
 * it goes; the national pack becomes what it was before. */
MUST_CHECK enum err_code origins_refuse(enum origin_fate *out, struct origins *from,
                                        const char *pack, struct err *err);
/* What is to be kept of them. */
MUST_CHECK enum err_code origins_list(const struct pack_origin **out, struct origins *from,
                                      struct err *err);

#endif
