/*
 * trace_internal.h - a trace from the inside: for those who note what is read, and those who tell
 * it.
 */
#ifndef PATHWAY_LUA_TRACE_INTERNAL_H
#define PATHWAY_LUA_TRACE_INTERNAL_H

#include "lua/record_internal.h"
#include "lua/trace.h"

/* A set of steps, which grows. */
struct bits {
    uint64_t *words;
    uint32_t count;
};

/* Between the key of a map and that of the set, list or map that it leads to. */
#define PART_INNER '\x1f'

/* A part of a fact, or the fact as a whole. */
struct part {
    struct traced_fact *fact;
    const char *key; /* NULL: the whole */
    uint32_t len;
    int32_t step;      /* that changed it last; -1: none has */
    struct part *next; /* of the same fact */
};

/* A part as it was, for comparing. */
struct shown {
    const char *key;
    uint32_t key_len;
    const char *value; /* JSON */
    uint32_t value_len;
};
struct showing {
    struct shown *items; /* by key, bytewise */
    uint32_t count;
};

/* A fact, in whatever ruleset the record lives: a subject may come to another hub, and back. */
struct traced_fact {
    const char *name;
    uint16_t number; /* in the ruleset of now; of no meaning while it is not there */
    struct part *parts;
    struct showing last;    /* as it was after the last step */
    struct bits considered; /* all that the move of this fact looked at whenever it was asked */
    struct bits idle;       /* steps that wrote it and left it as it was */
};

/* Something that changed facts, or might have. */
struct step {
    int64_t time;
    int64_t seq;  /* of the event; of a move: of the event after which it was asked, 0: a moment */
    int32_t move; /* -1: an event */
    struct bits made; /* of a move: the events that made what it read, but for what moved itself */
    struct bits behind; /* all steps that it may depend on, itself included */
};

struct param_read {
    uint16_t param;
    uint32_t version;
};
struct moment_read {
    int64_t time;
    bool has_come;
};
struct list {
    void *items;
    uint32_t count, cap;
};

/* What a rule, a move or the reducers read when they ran last. */
struct notes {
    struct list parts;   /* struct part * */
    struct list rules;   /* uint16_t */
    struct list params;  /* struct param_read */
    struct list moments; /* struct moment_read */
};

struct trace {
    struct arena arena; /* of the subject followed */
    struct record *r;   /* borrowed; NULL: none yet */
    struct strmap parts;
    struct strmap names;                  /* of facts, to struct traced_fact */
    struct traced_fact *facts[FACTS_MAX]; /* by their numbers in the ruleset of now */
    struct list steps;                    /* struct step */
    struct notes *notes;                  /* one a rule, then the reducers', then one a move */
    struct bits held;                     /* what events looked at that then changed nothing */
    uint16_t self;                        /* whose notes are written while no rule runs */
    int64_t seq;                          /* of the last event */
    struct bits idle;     /* of the facts that trace_add_part() has been asked about */
    struct bits hubs;     /* all steps that brought it to a hub */
    bool was_handed_over; /* it has lived in more than one ruleset */
    bool failed;          /* no memory: what is noted is not all */
};

static inline struct step *step_of(const struct trace *t, int32_t i)
{
    return (struct step *)t->steps.items + i;
}

/* Memory of the trace's; NULL: there is none, which is noted. */
void *trace_room(struct trace *t, size_t size);
/* Room for one more item of this size; NULL: no memory, which is noted. */
void *list_add(struct trace *t, struct list *l, size_t size);

/* ---- noting, from the places where things are read: see view.c, box.c, evaluate.c ---- */

/* A fact as a whole, or (`len` bytes of) a key of it. */
void trace_read(struct ruleset *rs, uint16_t fact, const char *key, size_t len);
/* The key at a stack index. */
void trace_read_at(lua_State *L, struct ruleset *rs, uint16_t fact, int index);
void trace_rule(struct ruleset *rs, uint16_t rule);
void trace_rule_begins(struct ruleset *rs, uint16_t rule);
void trace_param(struct ruleset *rs, uint16_t param, uint32_t version);
void trace_moment(struct ruleset *rs, int64_t t, bool has_come);

/* record.c: the reducers of an event begin; they have run. */
void trace_event_begins(struct record *r);
void trace_event(struct record *r, const struct fold_event *e);
/* moves.c: a move is asked; it was. */
void trace_move_begins(struct record *r, uint16_t move);
void trace_move(struct record *r, uint16_t move, bool has_moved);

/* ---- parts ---- */

/* The part, made at first sight. `key` NULL: the whole fact. */
struct part *trace_part(struct trace *t, uint16_t fact, const char *key, size_t len);

/* ---- trace_parts.c ---- */

/* Let `step` be what changed the parts that differ now, of the facts that were touched; true when
 * some do. */
bool trace_compare(struct trace *t, int32_t step);
/* The parts of a fact as it is now. */
void trace_show(struct showing *out, struct trace *t, const struct record *r, uint16_t fact);
/* A key as the text that parts go by. */
void write_part_key(struct buf *out, struct cell cell);

/* ---- what is behind what ---- */

/* Add the steps that made a part what it is, and those behind it. */
void trace_add_part(struct trace *t, struct bits *made, struct bits *behind, const struct part *p,
                    bool with_moves);
/* Is `of` the part `p`, or one within it? Both are of the same fact. */
bool part_holds(const struct part *p, const struct part *of);
/* The same of everything that a reader's notes hold, rules that it read included. */
void trace_add_notes(struct trace *t, struct bits *made, struct bits *behind, uint16_t reader,
                     bool with_moves);
void bits_add(struct trace *t, struct bits *b, int32_t step);
void bits_merge(struct trace *t, struct bits *into, const struct bits *from);
bool bits_has(const struct bits *b, int32_t step);
/* The move of a fact, if it has one. */
bool trace_is_moved(const struct trace *t, const struct traced_fact *f, uint16_t *move);

/* ---- missing.c: what would have to be otherwise for a rule to be met, down to what has no
 * criteria ---- */

struct missing {
    uint16_t rule;
    bool wanted; /* what its value must become */
};
struct missing_list {
    struct missing items[RULES_MAX];
    uint16_t count;
    bool is_contradiction;    /* whatever becomes otherwise, it is not met ... */
    uint16_t both[RULES_MAX]; /* ... since these count both for and against it */
    uint16_t both_count;
};
/* Of the rule's values in the run under way; nothing when it is met, or no yes or no. When each
 * rule of the list has the value that is wanted, and all others without criteria stay as they are,
 * it is met. */
void missing_find(lua_State *L, struct missing_list *out, struct ruleset *rs, uint16_t rule);

#endif
