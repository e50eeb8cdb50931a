/*
 * record_internal.h - a record from the inside, for those who fold, judge and show it.
 */
#ifndef PATHWAY_LUA_RECORD_INTERNAL_H
#define PATHWAY_LUA_RECORD_INTERNAL_H

#include "lua/record.h"
#include "lua/state.h"

/* The instants that some of a kept record's rules wait for, in no order; the others wait
 * for none. */
struct wakes {
    int64_t *at; /* owned; the places follow in the same block */
    uint16_t *places;
    uint16_t count, cap;
};

/* What a move depended on when it was last asked, and changed nothing. */
struct asked {
    bool is_good;    /* false: it must be asked, whatever was touched */
    bool has_failed; /* in the asking under way, or the last one */
    int spent;       /* how often it was stopped */
    int64_t wake;    /* when to ask it again; TIME_NEVER */
    uint64_t *facts; /* that it read, also by way of rules; the record's memory */
};

struct record {
    struct ruleset *rs; /* borrowed */
    uint64_t number;    /* no other record of the ruleset has it */
    enum subject_kind kind;
    struct cell *facts; /* by number; what is not set is nil */
    int64_t *moved;     /* for each move: when its fact last changed; TIME_NEVER: never */
    struct kept *kept; /* of a record that is kept between events: one a rule of its kind, by place;
                           else NULL. Owned */
    struct wakes wakes; /* of those rules */
    int64_t wake;       /* the earliest of them, or TIME_NEVER */
    uint16_t
        failures; /* so many of those rules failed when they were last run, or were not run yet */
    bool is_stirred;     /* suppose.h: rules that read what is supposed are to be judged again */
    struct asked *asked; /* one a move */
    int own_spent;       /* how often the overlay's own moves were stopped */
    uint64_t changes;    /* how often a fact was touched */
    struct trace *trace; /* borrowed: who follows it; NULL: nobody */
    struct undo
        *undo; /* what moves changed by themselves since the last event; NULL: nothing. Owned */
    struct undo *undo_one; /* what the move under way has changed; NULL: nothing is kept. Owned */
    bool has_lost_undo;    /* there was no memory for it */
    bool is_by_itself;     /* moves are being asked with no event */
    bool is_noting;        /* a tape holds it beside another record */
    /* Sets of facts, each of as many words as the ruleset needs. */
    uint64_t *unjudged;      /* touched since it was last judged */
    uint64_t *touched;       /* by the event or the asking under way, or the last one */
    uint64_t *applied_reads; /* by the reducers of the last event */
    uint64_t *asked_facts;   /* read by moves since the last event they were asked for */
    uint64_t *moved_facts;   /* changed by moves with no event since then */
    uint64_t *noted;   /* of one that is followed, or held beside it: all that was read or touched
                          since tape_mark() or tape_compare() */
    uint64_t *written; /* those of them that were touched, and may be again what they were */
    char *subject;
};
#define RECORD_SETS 7

/* The fields of a waiver, in the order of their names: see pack_facts.c. */
enum { WAIVER_BY, WAIVER_LAST_DAY, WAIVER_RULE };

/* record.c: let the ruleset look at this record at `now`, noting reads; then call `fn` with `job`
 * as light userdata in a protected call, after which the ruleset looks at nobody: record_end(). */
void record_begin(struct record *r, int64_t now, struct reads *reads);
void record_end(struct record *r);
MUST_CHECK enum err_code record_run(struct record *r, lua_CFunction fn, void *job, struct err *err);

/* For a tape: what a step has read and touched. */
void record_note(struct record *r, const uint64_t *read);

/* A fact has changed, or may have. */
void record_touch(struct record *r, uint16_t fact);

/* undo.c: before a fact changes. What moves change by themselves is kept as it was. */
void undo_note(struct record *r, uint16_t fact);
void undo_forget(struct record *r);
/* The same for one move, which may fail when it has changed something: begin (false: no memory),
 * and end, or take back what it has changed (false: that is not known). */
bool undo_begin_one(struct record *r);
void undo_end_one(struct record *r);
bool undo_one(struct record *r);

/* kept.c: what a record that is kept remembers of its rules. */
MUST_CHECK bool kept_begin(struct record *r); /* false: no memory */
void kept_end(struct record *r);              /* forget all of it */
/* A rule gave a value, having read this; or it failed, and may succeed at `wake`. Whether that is
 * another value than before stands in its memo. They raise for lack of memory. */
void kept_put(lua_State *L, struct record *r, uint16_t place, uint32_t value,
              const struct reads *reads);
void kept_put_failure(lua_State *L, struct record *r, uint16_t place, const char *message,
                      int64_t wake);
/* Did it read one of these facts, or one of these rules? NULL: none. */
bool kept_reads(const struct record *r, uint16_t place, const uint64_t *facts,
                const uint64_t *rules);
/* A word of the set of rules that it read. */
uint64_t kept_rules_read(const struct record *r, uint16_t place, uint16_t word);
int64_t kept_wake(const struct record *r, uint16_t place);
/* The message with which a rule of the record under way failed. */
const char *kept_failure(const struct ruleset *rs, uint16_t rule);

/* view.c */
/* Let reads of parameters be noted, or not. */
void view_trace(struct ruleset *rs, bool is_traced);
/* A fact's value, or what stands for none, noting the read. */
struct cell view_read_fact(struct ruleset *rs, uint16_t fact);
/* True when t has come; if not, the reader is noted to wait for it. */
bool view_reached(struct ruleset *rs, int64_t t);
/* Give a single-valued fact another value, which is taken over, or none. */
void view_change_fact(struct ruleset *rs, uint16_t fact, struct cell value);
/* Push what a rule's value is compared with. */
void view_push_needed(lua_State *L, struct ruleset *rs, uint16_t rule);

#endif
