/*
 * whatif.h - what other rules, or other values of parameters, would decide differently: two folds
 * of one subject side by side, compared at several moments.
 *
 * Where only values of parameters differ, and no reducer and no move of the subject does anything
 * else by them, the facts are the same: then there is one fold, and only the rules that read them
 * are judged twice. The same where other rules make the same record of the subject's events
 * (lua/likeness): it is carried over to them, and judged.
 */
#ifndef PATHWAY_WHATIF_H
#define PATHWAY_WHATIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strmap.h"
#include "engine/fold.h"
#include "engine/world.h"
#include "engine/warm.h"
#include "lua/flip.h"
#include "lua/likeness.h"
#include "lua/rulebook.h"

#define WHATIF_MOMENTS 24 /* year ends are looked at no further back */
#define WHATIF_VALUES  16 /* values of one decision that are counted; one that has more is not */

struct value_count {
    const char *text; /* as judgement_text() gives it; the arena's */
    int64_t old[WHATIF_MOMENTS], now[WHATIF_MOMENTS];
};

/* What is counted of one decision. */
struct decision_count {
    const char *name; /* the arena's */
    int64_t changed[WHATIF_MOMENTS];
    struct value_count values[WHATIF_VALUES];
    int value_count;
    bool has_more; /* than are counted: dates, sentences */
};

/* One decision that would be another one, at the last moment. Texts are the arena's; values as
 * judgement_text(). */
struct whatif_row {
    const char *subject, *name, *decision;
    const char *old, *now;
    const char *because; /* JSON: see flip_write_between() */
};

/* One thread's. */
struct whatif {
    struct world *world; /* borrowed */
    struct rulebook *old_rules,
        *new_rules;                  /* borrowed; the same one, when only parameters differ */
    const struct likeness *likeness; /* borrowed: of two rulebooks; NULL: it is not known */
    const char *hub;                 /* at each moment, what belongs to this hub then; NULL: all */
    const int64_t *moments;          /* borrowed, ascending */
    int moment_count;
    bool wants_reasons; /* fill `because` */
    struct warm
        *warm; /* borrowed: where the folds by the old rules are to be kept; NULL: nowhere */
    int hand;  /* its number there */

    struct arena arena;
    struct arena bodies;               /* of the events of the subject at hand */
    struct strmap ids;                 /* of decisions */
    struct decision_count **decisions; /* by id; owned */
    size_t decision_cap;
    int64_t subjects[WHATIF_MOMENTS], changed[WHATIF_MOMENTS]; /* how many there are, and differ */
    struct whatif_row *rows;                                   /* owned */
    size_t row_count, row_cap;
    struct strmap hubs; /* with `hub`: those that were met */
    struct judgement old_said, new_said;
    const char **old_texts, **new_texts; /* by id; owned */
    size_t text_cap;
    struct whatif_places *places; /* which decisions a ruleset has, and where; owned */
};

/* Compare one subject, at all moments. `index`: its number in `warm`. */
MUST_CHECK enum err_code whatif_subject(struct whatif *w, const char *subject, size_t index,
                                        struct err *err);
/* The same of a record that is warm, at the one moment asked about. ERR_CONFLICT: it has to be
 * folded anew. */
MUST_CHECK enum err_code whatif_warm(struct whatif *w, struct warm_slot *slot, struct err *err);
void whatif_fini(struct whatif *w);

/* Are two values, as judgement_text() gives them, the same decision? Two failures are. */
bool whatif_is_same(const char *old, const char *now);

#endif
