/*
 * state.h - what the files of this layer share: a loaded ruleset from the inside.
 *
 * One struct ruleset is one Lua state with everything that packs declared, in C arrays, so
 * that a read in a rule is an array access. Not for other layers: those see ruleset.h and record.h.
 */
#ifndef PATHWAY_LUA_STATE_H
#define PATHWAY_LUA_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "base/arena.h"
#include "base/civil.h"
#include "base/strmap.h"
#include "lua/cells.h"
#include "lua/instants.h"
#include "lua/ruleset.h"
#include "lua/sandbox.h"
#include "lua/shape.h"
#include "model/event.h"
#include "model/subject.h"
#include "model/type.h"

#define FACTS_MAX  192 /* of one kind of subject; a bit each in struct reads */
#define PARAMS_MAX 128
#define RULES_MAX  1024
#define NO_FACT    UINT16_MAX

struct fact_def {
    const char *name;
    const char *where; /* "national/facts.lua:12" */
    bool is_own;       /* the overlay's */
    const struct type *type;
    const struct shape *shape;
    struct cell initial; /* its value before any event */
    int box; /* Lua registry reference of what shows it to rules; unless it is a scalar */
};

/* A value that a parameter has from an instant on. */
struct param_version {
    int64_t from;     /* TIME_MIN for the first */
    int ref;          /* Lua registry reference */
    const char *json; /* the same, as JSON */
};
/* open = { leads_needed = tighten }: what the national pack lets overlays change. */
struct opening {
    unsigned direction;
    const char *where;
};
struct param_change {
    const struct param_version *versions;
    uint32_t version_count;
    unsigned direction;
    const char *where;
};
struct rule_change {
    const char *name;
    const char *where, *national; /* of the overlay, of the rule itself */
    const char *title, *source;
    unsigned direction;       /* tighten: all criteria must be met too; loosen: or one of them */
    const uint16_t *criteria; /* indexes of rules */
    uint16_t criteria_count;
    const char *const *criterion_places; /* where each of them is named */
    int table;                           /* while the packs are loaded: Lua registry reference */
    struct rule_change *next;
};

struct param_def {
    const char *name;
    const char *where;
    bool is_own;                          /* the overlay's */
    bool is_lower_stricter;               /* a lower value is the stricter one */
    const struct param_change *change;    /* what the overlay has in its place; NULL: nothing */
    const struct param_version *versions; /* by `from`, ascending */
    uint32_t version_count;
    bool is_supposed; /* suppose.h */
    int supposed;     /* registry reference of the value that it is supposed to have */
};

/* The versions of a parameter that hold: the overlay's, where it has others. */
struct param_versions {
    const struct param_version *items;
    uint32_t count;
};

/* Who has ever read a parameter: suppose.h. */
struct param_watch {
    uint64_t readers[SUBJECT_KINDS][RULES_MAX / 64]; /* rules, by place */
    bool was_moved;                                  /* a reducer or move has */
};

enum rule_form {
    RULE_FUNCTION,
    RULE_ALL,    /* every criterion is met */
    RULE_ANY,    /* at least one is */
    RULE_UNLESS, /* none is */
    RULE_SHOWN,  /* the fact of the same name */
};
enum need_op { NEED_NONE, NEED_AT_LEAST, NEED_AT_MOST, NEED_EQUAL };

struct rule_def {
    const char *name;
    const struct text *text; /* the name as facts hold it */
    const char *where;
    const char *title;
    const char *source;
    const char *advice; /* NULL: none */
    enum subject_kind of;
    uint16_t place; /* its number among the rules of its kind: its bit in struct reads */
    enum rule_form form;
    bool is_own; /* the overlay's */
    const struct rule_change
        *change; /* what the overlay says beside it: its criteria behind the first; NULL: nothing */
    bool is_national_part; /* that first one: "eligible_development (national)" */
    bool is_decision;      /* false: a criterion, seen only in explanations */
    bool is_alert;
    struct strictness strictness;
    bool is_waivable;
    int function;             /* Lua registry reference; LUA_NOREF unless RULE_FUNCTION */
    const uint16_t *criteria; /* RULE_ALL, RULE_ANY, RULE_UNLESS: indexes of rules */
    uint16_t criteria_count;
    const char *const *criterion_places; /* where each of them is named */
    enum need_op need;                   /* of the value that the function returns */
    int need_param;                      /* index, or -1: need_ref */
    int need_ref;                        /* Lua registry reference of the value needed */
    uint16_t fact;                       /* RULE_SHOWN */
};

enum move_form { MOVE_ONCE, MOVE_GATHER, MOVE_FIRST };
struct move_step { /* a candidate of MOVE_FIRST */
    struct cell value;
    const struct cell *from; /* NULL: from anywhere */
    uint16_t from_count;
    int holds; /* function: Lua registry reference */
    int enter; /* function(s, at) run after moving; LUA_NOREF: none */
};
struct move_def {
    const char *name; /* of the fact that it moves */
    const char *where;
    bool is_own; /* the overlay's */
    enum move_form form;
    uint16_t fact;
    int function; /* MOVE_ONCE, MOVE_GATHER */
    const struct move_step *steps;
    uint16_t step_count;
};

struct reducer_def {
    const char *event; /* "*": after every other, for every event */
    const char *where;
    bool is_own; /* the overlay's */
    int function;
};

/* What a name behind `s.` stands for. */
enum slot_kind { SLOT_FACT, SLOT_RULE, SLOT_METHOD, SLOT_PARAMS, SLOT_SUBJECT };

/* Everything declared for one kind of subject. */
struct subject_defs {
    struct fact_def *facts;
    uint16_t fact_count;
    uint16_t waivers; /* index of the built-in fact `waivers` */
    uint16_t hub; /* index of the fact `hub` that says where it belongs; NO_FACT: there is none */
    struct move_def *moves;
    uint16_t move_count;
    uint16_t *rules; /* of this kind: indexes of the ruleset's rules, ascending */
    uint16_t rule_count;
    /* Who has ever read it, in whatever record: sets of rules, by place. */
    uint64_t *fact_readers; /* of each fact */
    uint64_t *rule_readers; /* of each rule */
    struct reducer_def *reducers;
    uint16_t reducer_count;
    struct strmap reducer_by_event;       /* event type to index */
    struct strmap added_by_event;         /* the overlay's, beside the national ones */
    struct strmap any_except;             /* event types that the reducer "*" leaves out */
    struct strmap reactions;              /* every event type to struct reaction */
    const struct reaction *last_reaction; /* that was found there */
    struct strmap names;                  /* all that may stand behind `s.`, for hints and checks */
    int view;                             /* registry reference of the one view object */
    struct view_names *view_names; /* what stands behind `s.`, by the addresses of Lua's strings */
};

/* What somebody read: enough to know when the answer may become another one. Of the bit sets only
 * as many words are used as the ruleset has facts and rules of one kind. */
struct reads {
    uint64_t facts[FACTS_MAX / 64];     /* also by way of other rules */
    uint64_t own_facts[FACTS_MAX / 64]; /* by itself */
    uint64_t rules[RULES_MAX / 64];     /* by itself: a bit for each one's place */
    int64_t
        wake; /* earliest instant asked for that had not been reached; also by way of other rules */
    int64_t own_wake;
};

/* A rule's value, outside Lua where it is simple enough. */
enum given_form { GIVEN_NIL, GIVEN_FALSE, GIVEN_TRUE, GIVEN_INTEGER, GIVEN_OTHER };
struct given {
    enum given_form form;
    int64_t integer;
};

/* What a rule gave in the run under way. */
struct memo {
    uint64_t epoch; /* it is good while this is the ruleset's */
    struct given given;
    bool is_running;
    bool is_waived;
    bool is_changed; /* of a kept record: another value than before */
    bool has_failed; /* of a kept record: its message is the kept value */
    bool had_value;  /* of a kept record that was changed: it had old_value before */
    uint64_t put_in; /* the run in which that was noted */
    uint32_t old_value;
    struct reads reads;
};

/* What a rule gave for a record that is kept between events. */
struct kept {
    uint32_t value;   /* index into the ruleset's values */
    uint16_t pattern; /* which facts and rules it read: index into the ruleset's patterns */
    bool has_value;
    bool is_good; /* false: it failed, and is tried again every time */
};

struct calendar {
    int first_year;
    int year_count;
    int32_t (*starts)[6]; /* first teaching days of the half terms, days since 1970 */
};

#define BOX_KINDS 4 /* sets, lists, maps, rows */

/* The event that a reducer sees. */
#define EVENT_NAMES 7
#define EVENT_MAPS  16 /* of its data, that are filled as they are read */
struct event_map {
    const void *table; /* address of the Lua table */
    const struct json *json;
    const struct shape *shape;
};
struct event_view {
    const struct fold_event *e; /* NULL: no reducer runs */
    const struct shape *data;   /* of its type; of the last event's while there is none */
    uint32_t told;      /* names that are in the event's table, or nil by the pack: a bit each */
    uint64_t data_told; /* the same of fields */
    bool is_spoilt;     /* the tables are of no use for another event */
    int event_table, data_table; /* Lua registry references */
    const void *data_at;         /* address of the second */
    int event_meta, data_meta, map_meta;
    const void *names[EVENT_NAMES]; /* addresses of Lua's own strings */
    int name_refs[EVENT_NAMES];
    struct event_map maps[EVENT_MAPS];
    int map_count;
};

/* What happens to a kind of subject when an event of some type touches it. */
struct reaction {
    const struct event_type *type;
    const struct shape *data;
    int own, any, added; /* functions: Lua registry references; LUA_NOREF. `added` by the overlay */
    const char *own_where, *any_where, *added_where;
};

/* Rules of the national pack, and of an overlay, that may spend their budgets for one subject; then
 * all of its rules fail for it, since one after the other they could take any time. */
#define SPENT_MAX     4
#define SPENT_MAX_OWN 2
struct spent {
    uint16_t rule;
    char message[200];
};

struct record;
struct box;
struct load_job;
struct pack_uses;

struct fold_event;
struct ruleset {
    struct sandbox sandbox;
    struct cells cells;
    struct arena arena;       /* all definitions */
    struct load_job *loading; /* NULL once the packs are loaded: then their words are refused */
    struct catalog catalog;
    struct pack_place places[2]; /* as in struct problems */
    struct ruleset_file *files;
    int file_count;
    char digest[DIGEST_HEX];
    const char *hub;                        /* whose overlay it holds; NULL: none */
    struct calendar calendar, own_calendar; /* the hub's goes before the national one */
    struct strmap openings;                 /* names that an overlay may change to struct opening */
    const char *title, *version;            /* of the overlay, else of the national pack; or NULL */
    struct instants instants;

    struct subject_defs subjects[SUBJECT_KINDS];
    struct param_def *params;
    uint16_t param_count;
    struct strmap param_names;
    struct rule_def *rules; /* sorted by name */
    uint16_t rule_count;
    struct pack_uses *uses;          /* what its functions use */
    uint16_t fact_words, rule_words; /* of the bit sets, so many are used */
    struct strmap rule_names;
    const char *const *decisions[SUBJECT_KINDS]; /* sorted names, made at first need */
    int decision_counts[SUBJECT_KINDS];
    const char *decision_lists[SUBJECT_KINDS]; /* the same as JSON */
    int tests;                                 /* registry reference of the list of tests */
    const char **test_places;                  /* where each of them stands */
    struct strmap shapes;                      /* address of a type to struct shape */
    int env;                                   /* registry reference of the packs' environment */
    struct strmap env_names;                   /* of the words in it, for hints */

    /* The run under way. */
    struct record *record;
    uint64_t record_number; /* of that record: no two have the same */
    uint64_t records_made;
    uint64_t run; /* its number: no two have the same */
    int64_t now;
    bool is_writing;
    bool is_traced;    /* the record is followed: what is read is noted in full */
    unsigned effects;  /* which changes of the overlay hold: EFFECT_ALL, but while it is checked */
    bool is_own_only;  /* an overlay's code writes: only facts of its own may change */
    bool is_asking;    /* moves are being asked */
    bool is_supposing; /* suppose.h: parameters have the values that were supposed */
    bool was_moved;    /* by one of those a reducer or move does something else, or may */
    uint64_t supposed_in;        /* the epoch in which a move read one of them last */
    struct param_watch *watched; /* one a parameter; NULL: it is not noted who reads them. Owned */
    uint64_t supposed_readers[SUBJECT_KINDS][RULES_MAX / 64]; /* rules that ever did, by place */
    struct reads *reads; /* where reads are noted; never NULL */
    struct reads unread; /* of reducers, whose reads nobody needs */
    uint64_t epoch;
    struct memo *memos;   /* one a rule */
    bool is_keeping;      /* the record remembers what its rules gave and read */
    uint64_t runs;        /* rules run since the ruleset was loaded */
    struct strmap values; /* JSON text of a value (a failure: "!" and its message) to index + 1 */
    struct given *givens; /* those values, by index; owned */
    uint32_t given_cap;
    int lua_values; /* registry reference: index + 1 to the value where it is GIVEN_OTHER */
    struct value_cache *value_cache; /* from what rules give to indexes of values; owned */
    struct strmap pattern_ids;       /* bytes of a pattern to index + 1 */
    uint64_t *patterns;              /* of each its words of facts, then its words of rules */
    uint32_t pattern_cap;
    uint64_t stale[RULES_MAX / 64]; /* rules of a kept record whose value may be another one now */
    uint64_t anew[RULES_MAX / 64];  /* those among them that must be run, whatever others say */
    struct buf scratch;             /* text being made under Lua, where an error must not leak it */
    int memo_values; /* registry reference: rule index + 1 to value where it is GIVEN_OTHER */
    int seen_values; /* registry reference: rule index + 1 to what its function returned */
    int params_object, params_table;    /* registry references: what stands behind `s.param` */
    int box_metas[BOX_KINDS];           /* registry references of metatables */
    const void *box_meta_at[BOX_KINDS]; /* their addresses */
    struct event_view event;
    struct box **parts; /* boxes of nodes that lie in others */
    uint32_t part_count, part_cap;
    struct spent spent[SPENT_MAX + SPENT_MAX_OWN]; /* of the record and instant under way */
    int spent_count;
    uint16_t running[64]; /* rules being evaluated, outermost first, for the message of a cycle */
    int running_count;
};

/* The ruleset of a Lua state, as ruleset_own() has set it. */
void ruleset_own(struct ruleset *rs, lua_State *L);
static inline struct ruleset *ruleset_of(lua_State *L)
{
    return *(struct ruleset **)lua_getextraspace(L);
}

static inline struct param_versions param_in_force(const struct ruleset *rs,
                                                   const struct param_def *p)
{
    const struct param_change *c = p->change;
    return c && (rs->effects & c->direction)
               ? (struct param_versions){ c->versions, c->version_count }
               : (struct param_versions){ p->versions, p->version_count };
}

/* Raise a message that has its place in it already, where luaL_error() would put another before. */
int raise_as_is(lua_State *L, const char *fmt, ...);

/* keywords.c: add the words of the pack language to the environment on top of the stack. */
void keywords_add(lua_State *L);
/* The type held by the value at `index`, or NULL: type words, and lists of texts as enums. */
const struct type *keyword_type(lua_State *L, int index, bool *is_optional, int *initial);

/* pack_overlay.c: "tighten", "loosen", "freely". */
const char *change_word(unsigned direction);

/* timelib.c: add functions on instants, days and academic years. */
void timelib_add(lua_State *L);
/* Push the text of an academic year. */
void timelib_push_year(lua_State *L, int year);

/* box.c, box_change.c: facts that hold many values. */
void box_register(lua_State *L);
void box_add_functions(lua_State *L); /* each, clear: into the environment on top */
/* Make the box of a fact; returns its Lua registry reference. */
int box_make(lua_State *L, const struct shape *shape, uint16_t fact);
/* Push the box of a fact of the record under way. */
void box_push_fact(lua_State *L, struct ruleset *rs, uint16_t fact);
/* Add the value at stack index `value` to the set that a fact is; true when it was new. */
bool box_gather(lua_State *L, struct ruleset *rs, uint16_t fact, int value);
/* Add a row to the list that a fact is; take out those that have this text in a field. */
void box_add_row(lua_State *L, struct ruleset *rs, uint16_t fact, int value);
void box_remove_rows(lua_State *L, struct ruleset *rs, uint16_t fact, uint32_t field,
                     const struct text *value);
/* Boxes of parts are kept between runs, but not too many. */
void box_forget_parts(struct ruleset *rs);
/* Why a fact can not be of this type, or NULL. */
const char *box_type_problem(const struct type *type);

/* value.c: does the value at `index` fit a scalar type? NULL, or what is wrong, written
 * into out. */
const char *value_problem(lua_State *L, int index, const struct type *type, char *out, size_t size);
/* Raise unless it does; `what` names it in the message. */
void value_check(lua_State *L, int index, const struct type *type, const char *what);
/* The same; gives a cell of the caller's for it. Raises for lack of memory too. */
struct cell value_take(lua_State *L, int index, const struct shape *shape, const char *what);
/* The same; gives the cell by which it is found among others, which is not the caller's. */
struct cell value_look(lua_State *L, int index, const struct shape *shape, const char *what);
/* A cell of the caller's for the scalar at `index`; among keys 2.0 is 2. False: no memory. */
MUST_CHECK bool value_own(lua_State *L, int index, bool is_key, struct cell *out);
void value_push(lua_State *L, struct ruleset *rs, struct cell cell);

/* evaluate.c */
/* Push a rule's value, evaluating it unless it is known already. */
void view_push_rule(lua_State *L, struct ruleset *rs, uint16_t rule);
/* The same, without pushing it. */
struct given view_rule(lua_State *L, struct ruleset *rs, uint16_t rule);
/* The value at `index`, which is a scalar. */
struct given given_of(lua_State *L, int index);
/* Push it; GIVEN_OTHER is entry `index` + 1 of the table with this registry reference. */
void given_push(lua_State *L, struct given given, int table, uint32_t index);
/* Take a yes or no off the top: nothing is no, a number or a text raises, with `where` and `what`
 * gave it before the message. */
bool view_take_answer(lua_State *L, const char *where, const char *what);

/* spent.c: rules that have used up their budgets. */
/* Note that the run which has just failed with `message` has, and in which rule. True: of its pack
 * they are too many now, and all rules must be judged again. */
bool spent_note(struct ruleset *rs, const char *message);
/* Raise when this rule is not to be run any more for this record and instant. */
void spent_check(lua_State *L, struct ruleset *rs, uint16_t rule);

/* kept.c: values and patterns that records share. They may raise for lack of memory. */
uint32_t kept_intern_value(lua_State *L, struct ruleset *rs, struct given given, int index);
MUST_CHECK bool kept_init(struct ruleset *rs); /* false: no memory */
void kept_fini(struct ruleset *rs);
void kept_push_value(lua_State *L, struct ruleset *rs, uint32_t value);
/* JSON text of a value; of a failure "!" and its message. */
const char *kept_text(const struct ruleset *rs, uint32_t value, size_t *len);

/* view.c: the one object a rule sees. */
/* Add the words that stand behind `s.` in every pack. False: no memory. */
bool view_add_words(struct strmap *names);
void view_register(struct ruleset *rs, lua_State *L);
void reads_merge(const struct ruleset *rs, struct reads *into, const struct reads *from);
void reads_clear(const struct ruleset *rs, struct reads *r);

/* event.c: the event that a reducer sees, with names that are checked. */
void event_register(lua_State *L);
void event_push(lua_State *L, const struct fold_event *e, const struct shape *data);
/* The event is over: its memory may go. */
void event_end(struct ruleset *rs);

/* event_json.c: values of its data. Rows have a guard: to read a field that they can not have is an
 * error. */
void event_push_scalar(lua_State *L, const struct json *v, const struct type *type);
void event_push_json(lua_State *L, const struct json *v, const struct type *type);

/* convert.c: values as JSON. */
/* Append a fact as JSON: sets and maps in the order of their keys. */
void convert_write(struct buf *out, const struct shape *shape, struct cell cell);
/* Have all keys in it an order? True and false have none. */
bool convert_has_order(const struct shape *shape, struct cell cell);
#define INT_TEXT 24
const char *int_text(int64_t value, char *out); /* `out` holds INT_TEXT bytes */
/* Append nil, a boolean, number or text as JSON. */
void convert_write_scalar(lua_State *L, int index, struct buf *out);

/* scan.c: names that a function uses, from its compiled form. */
enum scan_what {
    SCAN_GLOBAL,
    SCAN_GLOBAL_WRITE,
    SCAN_ENVIRONMENT, /* _ENV itself */
    SCAN_FIELD,       /* of a view */
    SCAN_FIELD_WRITE,
    SCAN_FIELD_ANY, /* whose name is not known before it runs */
    SCAN_FIELD_ANY_WRITE,
    SCAN_PARAM,
    SCAN_PARAM_WRITE,
    SCAN_NO_RETURN,   /* the function, which is not empty, gives nothing back in any case */
    SCAN_OUTER_WRITE, /* a variable of the file around the function, or a table that it holds */
};
struct scan_hooks {
    void (*name)(enum scan_what what, const char *name, int line, void *arg);
    /* A function that the scanned one has in its upvalue (`is_itself`), or in field `key` of a
     * table there (NULL: in any), is called with views as these arguments: a bit each. */
    void (*helper)(int upvalue, const char *key, bool is_itself, uint32_t views, void *arg);
    /* A fact is compared with, or set to, a text (`number` NULL) or a whole number that stands in
     * the function. */
    void (*compare)(const char *fact, const char *text, const int *number, bool is_set, int line,
                    void *arg);
    /* To a fact a number is added, or taken from it: one that stands in the function, or `param`.
     */
    void (*reckon)(const char *fact, const char *param, int line, void *arg);
    /* The name of an upvalue of the scanned function. */
    const char *(*upvalue)(int upvalue, void *arg);
    void *arg;
};
/* Tell the names used by the function on top of the stack and by those inside it. The arguments in
 * `views` (a bit each) are views. `arena` is for what is needed meanwhile. */
void scan_function(lua_State *L, struct arena *arena, uint32_t views,
                   const struct scan_hooks *hooks);

#endif
