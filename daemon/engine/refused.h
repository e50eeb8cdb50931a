/*
 * refused.h - packs that were found wanting when everything was judged by them, kept so that a
 * start need not find it out again.
 *
 * What judging says depends on the rules that were asked for and on the schools. A start asks for
 * what lies in the folder, which nobody may have looked at since: as long as that is to the byte
 * what was refused, what is in force stays, however the schools have changed meanwhile. So a
 * restart never changes the rules by itself. Who asks for a reload has it all judged anew.
 */
#ifndef PATHWAY_REFUSED_H
#define PATHWAY_REFUSED_H

#include "base/err.h"
#include "store/store.h"

/* In a transaction: among the rules with the digest `asked` this pack was refused, and why. What
 * was kept of the pack before is forgotten. */
MUST_CHECK enum err_code refused_keep(struct store *s, const char *asked, const char *pack,
                                      const char *why, struct err *err);
/* The packs that were refused among rules with this digest. */
typedef enum err_code refused_fn(const char *pack, const char *why, void *arg, struct err *err);
MUST_CHECK enum err_code refused_each(struct store *s, const char *asked, refused_fn *fn, void *arg,
                                      struct err *err);

#endif
