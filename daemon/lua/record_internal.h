/*
 * record_internal.h - a record from the inside, for those who fold, judge and show it.
 */
#ifndef PATHWAY_LUA_RECORD_INTERNAL_H
#define PATHWAY_LUA_RECORD_INTERNAL_H

#include "lua/record.h"
#include "lua/state.h"

/* The instants that some of a kept record's rules wait for, in no order; the others wait for none. */
struct wakes {
    int64_t *at; /* owned; the places follow in the same block */
    uint16_t *places;
    uint16_t count, cap;
};

struct record {
    struct ruleset *rs; /* borrowed */
    uint64_t number;    /* no other record of the ruleset has it */
    enum subject_kind kind;
    int facts;         /* Lua registry reference of the table: fact index + 1 to value */
    int64_t *moved;    /* for each move: when its fact last changed; TIME_NEVER: never. Owned */
    struct kept *kept; /* of a record that is kept between events: one a rule of its kind, by place;
                          else NULL. Owned */
    struct wakes wakes;                /* of those rules */
    int64_t wake;                      /* the earliest of them, or TIME_NEVER */
    bool has_failures;                 /* one of those rules failed when it was last run */
    uint64_t unjudged[FACTS_MAX / 64]; /* facts touched since it was last judged */
    uint64_t unasked[FACTS_MAX / 64];  /* facts touched since its moves were last asked */
    struct reads asked; /* what the moves read then; asked.wake is when to ask again */
    bool was_asked;
    uint64_t touched[FACTS_MAX / 64]; /* by the event or the asking under way, or the last one */
    uint64_t applied_reads[FACTS_MAX / 64]; /* by the reducers of the last event */
    uint64_t
        asked_facts[FACTS_MAX / 64]; /* read by moves since the last event they were asked for */
    uint64_t moved_facts[FACTS_MAX / 64]; /* changed by moves with no event since then */
    uint64_t changes;                     /* how often a fact was touched */
    char subject[SUBJECT_MAX];
};

/* record.c: let the ruleset look at this record at `now`, noting reads; then call `fn` with `job` as light
 * userdata in a protected call, after which the ruleset looks at nobody. */
void record_begin(struct record *r, int64_t now, struct reads *reads);
MUST_CHECK enum err_code record_run(struct record *r, lua_CFunction fn, void *job, struct err *err);

/* A fact has changed, or may have. */
void record_touch(struct record *r, uint16_t fact);

/* kept.c: what a record that is kept remembers of its rules. */
MUST_CHECK bool kept_begin(struct record *r); /* false: no memory */
void kept_end(struct record *r);              /* forget all of it */
/* The rule at `place` waits for an instant, TIME_NEVER: for none. Raises for lack of memory. */
void kept_wait(lua_State *L, struct record *r, uint16_t place, int64_t at);
int64_t kept_wake(const struct record *r, uint16_t place);
/* The message with which a rule of the record under way failed. */
const char *kept_failure(const struct ruleset *rs, uint16_t rule);

/* view.c */
/* Push a fact's value, noting the read. */
void view_push_fact(lua_State *L, struct ruleset *rs, uint16_t fact);
/* True when t has come; if not, the reader is noted to wait for it. */
bool view_reached(struct ruleset *rs, int64_t t);
/* Set a single-valued fact to the value at stack index `value`; raises when it does not fit. */
void view_set_fact(lua_State *L, struct ruleset *rs, uint16_t fact, int value);
/* Push what a rule's value is compared with. */
void view_push_needed(lua_State *L, struct ruleset *rs, uint16_t rule);

#endif
