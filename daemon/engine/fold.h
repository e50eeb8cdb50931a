/*
 * fold.h - a subject's record as of an instant: a simulation of its events and awaited moments.
 *
 * Events are taken in one after the other; after each, and at each instant that a move was waiting
 * for, the moves are asked until nothing changes.
 */
#ifndef PATHWAY_FOLD_H
#define PATHWAY_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/world.h"
#include "lua/record.h"
#include "lua/trace.h"
#include "lua/rulebook.h"

/* An event that a reducer failed on: it counts as not there for this subject until the rules are
 * mended. Where it is what an overlay has added that failed, only that does, and the national pack
 * takes the event in. */
struct fault {
    struct fault *next;
    int64_t seq;                 /* 0: a move failed */
    const struct ruleset *added; /* that of the overlay, also where it is its move that failed;
                                    NULL: all of the event is left out, or it is a national move */
    const char *type;            /* of the event; NULL: a move */
    const char *move;            /* that failed, and changed nothing; NULL: it is an event */
    bool is_spent;               /* its reducer, or the move, used up its budget */
    size_t place;                /* among the items */
    const char *message;         /* file:line: what went wrong */
};

struct fold {
    struct rulebook *rules; /* borrowed */
    struct ruleset *home;   /* borrowed: of a subject of no hub; NULL: the national one */
    struct record *record;  /* in the ruleset of the hub that the subject belongs to */
    struct record *
        *parked; /* one a ruleset: what hubs that it has left remember of it; owned, NULL: none */
    uint64_t handovers;       /* how often it has come to another ruleset */
    const char *subject;      /* borrowed */
    const struct item *items; /* borrowed: the events still to come and those done */
    size_t count;
    size_t next;          /* first item not taken in yet */
    int64_t now;          /* instant that the record stands at */
    int64_t asked;        /* instant at which the moves were last asked; TIME_MIN: never */
    int64_t settled;      /* instant of the last event for which they were asked; TIME_MIN: none */
    int64_t settled_wake; /* and what they waited for then */
    int64_t moved; /* last instant at which they changed something with no event; TIME_MIN: never */
    int64_t wake;  /* next instant that a move waits for; TIME_NEVER */
    struct arena arena; /* faults, and the events being parsed */
    struct fault *faults;
    struct trace *trace; /* borrowed: who follows it, to explain; NULL: nobody */
    int repeats; /* how often it has begun again, since a run was suspect; then all is counted */
    uint64_t skipped; /* events of types that the packs do not know, or with data that these do not
                         hold */
};

/*
 * Begin with an empty record. Every moment is judged by the rules of the hub that the subject
 * belonged to then: the fact `hub` says which (of a hub itself, its own code). An event that
 * changes it is taken in by the rules of the hub that is left, then by what the new one's overlay
 * adds to them; facts of the national pack are handed over, those of a hub's own wait until the
 * subject comes back. `items` are in event order and borrowed. */
MUST_CHECK enum err_code fold_init(struct fold *f, struct rulebook *rules, const char *subject,
                                   const struct item *items, size_t count, struct err *err);
/* The same; a subject of no hub belongs to `home`. */
MUST_CHECK enum err_code fold_init_at(struct fold *f, struct rulebook *rules, struct ruleset *home,
                                      const char *subject, const struct item *items, size_t count,
                                      struct err *err);
void fold_fini(struct fold *f);
/* Before anything is taken in: let all be followed that happens to the subject. The trace outlives
 * the fold's use. */
MUST_CHECK enum err_code fold_follow(struct fold *f, struct trace *t, struct err *err);

/* The next instant at which something happens by itself: an event or an awaited moment;
 * TIME_NEVER. */
int64_t fold_next(const struct fold *f);
/* Go on through all events and awaited moments up to and including `at`. */
MUST_CHECK enum err_code fold_to(struct fold *f, int64_t at, struct err *err);
/* Back to where fold_init() left it; what is known of its events and faults stays. */
MUST_CHECK enum err_code fold_begin_again(struct fold *f, struct err *err);
/* What the reducers of the hub that it belongs to do with one event more, of the instant that the
 * fold, which has its events at hand, stands at: for who asks what an event touches. Nothing after
 * it is asked, and the fold can not go on. ERR_RULE: they fail on it. */
MUST_CHECK enum err_code fold_try(struct fold *f, const struct fold_event *e, struct err *err);

/*
 * Take in one more event, later in event order than all before, with the awaited moments in front
 * of it. It may lie before `now`: what moved by itself since is taken back, and moments are asked
 * again where the event may matter to them. ERR_CONFLICT: that is not known. ERR_RULE: a reducer
 * failed, and the event may have been taken in by half. In both cases fold the subject anew.
 */
MUST_CHECK enum err_code fold_take(struct fold *f, const struct fold_event *e, struct err *err);

/* What item_parse() has seen need not be looked at again each time the item is folded, by the same
 * rules. The tree is the arena's. */
MUST_CHECK enum err_code item_parse(struct item *item, struct arena *arena,
                                    const struct rulebook *rules, struct err *err);

/* What item_parse() has seen of `parsed` holds for those of `items` that are the same events; both
 * are in event order. */
void items_take_parsed(struct item *items, size_t count, const struct item *parsed,
                       size_t parsed_count);

/*
 * A fold that goes on from where `at` stood, with this record, which is taken over, and other
 * events to come: items number `next` and following of `items`. `at` is of a subject that has been
 * at one hub only, and without faults.
 */
void fold_resume(struct fold *out, const struct fold *at, struct record *record,
                 const struct item *items, size_t count, size_t next);

/* All in one: the record of `subject` in `w` as of `at`. fold_fini() it in any case. */
MUST_CHECK enum err_code fold_subject(struct fold *f, struct rulebook *rules, struct world *w,
                                      const char *subject, int64_t at, struct err *err);
/* The same for tests of an overlay: while the subject belongs to no hub, it is judged by `home`. */
MUST_CHECK enum err_code fold_subject_of(struct fold *f, struct rulebook *rules,
                                         struct ruleset *home, struct world *w, const char *subject,
                                         int64_t at, struct err *err);

#endif
