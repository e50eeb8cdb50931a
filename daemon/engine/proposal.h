/*
 * proposal.h - rules that somebody wants in force: gathered, loaded and tested, on any thread.
 *
 * Each pack comes from where it was changed last: the rules folder, or the archive of the database
 * when it was pushed or rolled back since. A pack of the folder that has errors, or tests that
 * fail, does not hold up the others: it stays what it is in force.
 */
#ifndef PATHWAY_PROPOSAL_H
#define PATHWAY_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "lua/rulebook.h"
#include "store/store.h"

/* What is asked for beside the folder as it is. */
enum proposal_kind {
    PROPOSE_FOLDER,
    PROPOSE_PUSH,     /* these files are `pack` */
    PROPOSE_ROLLBACK, /* `pack` as it was before it became what it is */
};
/* A pack that is refused, and all that is wrong with it, in lines. */
struct refusal {
    struct refusal *next;
    const char *pack, *why;
    bool is_stuck; /* its code never came back: see stuck.h */
};
struct proposal {
    const char *folder; /* the rules folder */
    enum proposal_kind kind;
    const char *pack;                 /* "national", "hubs/07" */
    const struct ruleset_file *files; /* PROPOSE_PUSH: "hubs/07/overlay.lua" */
    int file_count;
    /* A start: what was refused among just these rules is not tried again. */
    bool is_start;
    /* Found wanting before, when everything was judged by them: these stay what they are in force,
     * or go where they are that already, or have been refused twice. */
    const struct refusal *wanting;
};

/* Refusals by themselves, on the heap. */
struct refusals {
    struct arena arena;
    struct refusal *first;
};
void refusals_free(struct refusals *r); /* NULL allowed */
bool refusals_have(const struct refusal *first, const char *pack);
/* Add copies of those that were found wanting together. Where the national pack is among them it is
 * alone with what was there of it: what overlays are beside another one is still to be seen.
 * ERR_LIMIT: no memory. */
MUST_CHECK enum err_code refusals_join(struct refusals *to, const struct refusal *more,
                                       struct err *err);

/* What the database has to remember of a pack's origin, written with the generation. */
struct pack_origin {
    const struct pack_origin *next;
    const char *what, *pack; /* see origin.c */
    const char *text;        /* NULL: nothing any more */
};
struct proposed {
    struct arena arena;
    struct rulebook *rules; /* owned, until somebody takes them; NULL: all is refused */
    struct refusal *refusals;
    const struct pack_origin *origins;
    bool is_stuck;          /* one of the refused packs never came back */
    char asked[DIGEST_HEX]; /* what was asked for, whatever became of it: see refused.h */
    size_t tests; /* that passed; 0 also when they were not run, since these rules are in force */
};

/*
 * `s` reads. ERR_RULE: refused, see out->refusals; ERR_ABSENT: nothing to roll back to, no such
 * folder; others: they could not be read. proposed_fini() it in any case.
 */
MUST_CHECK enum err_code proposal_load(struct proposed *out, struct store *s,
                                       const struct proposal *p, struct err *err);
void proposed_fini(struct proposed *p);

/* In the transaction that these rules come into force with: keep the origins. */
MUST_CHECK enum err_code origins_keep(struct store *s, const struct pack_origin *origins,
                                      struct err *err);

#endif
