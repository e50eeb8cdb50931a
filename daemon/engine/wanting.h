/*
 * wanting.h - what the population says against packs that are about to come into force, pack by
 * pack.
 */
#ifndef PATHWAY_WANTING_H
#define PATHWAY_WANTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "engine/live.h"
#include "engine/overlay_check.h"
#include "engine/proposal.h"

/* A rule that uses up its budget for one school has that decision fail, and that is all. One that
 * does for so many subjects takes more time than all other hubs' rules together, and does not come
 * into force. */
#ifndef WANTING_SPENT_MAX
#define WANTING_SPENT_MAX 20
#endif

struct wanting_pack;
struct wanting {
    struct wanting_pack *packs; /* owned */
    bool is_hopeless, failed;
};

/* An overlay moves a subject where the national pack does not let it. */
void wanting_note_move(struct wanting *w, const struct overlay_refusal *r);
/* Rules, reducers or moves have used up their budgets when this one was made and judged, just now:
 * those of which pack, and what is said of it. False: none have. */
struct wanting_spent {
    char pack[100]; /* "hubs/07" */
    const char *message;
};
bool wanting_spent(struct wanting_spent *out, const struct live *l);
void wanting_note_spent(struct wanting *w, const char *subject, const struct wanting_spent *spent);
/* Nothing more has to be known. */
bool wanting_is_hopeless(const struct wanting *w);

/* ERR_RULE: there is something against some pack; the sentence tells of the first. */
MUST_CHECK enum err_code wanting_check(const struct wanting *w, struct err *err);
/* All of it; NULL: there is nothing, or no memory. For refusals_free(). */
struct refusals *wanting_refusals(const struct wanting *w);
/* What overlays change of which nobody can say whether it is stricter: nothing is wrong with it,
 * but it is told. NULL and the like: as above. */
struct refusals *wanting_unclear(const struct wanting *w);

void wanting_reset(struct wanting *w);
void wanting_fini(struct wanting *w);

#endif
