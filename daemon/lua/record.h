/*
 * record.h - one subject's facts: taking events in, moving on, being judged.
 *
 * A record belongs to its ruleset's thread. Errors of the pack's own code (ERR_RULE) have the place
 * in the pack and what went wrong; the record stays usable.
 */
#ifndef PATHWAY_LUA_RECORD_H
#define PATHWAY_LUA_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "lua/ruleset.h"
#include "model/subject.h"

/* The build that tests compare with is made without tracking: it folds everything anew and runs
 * every rule, at every event. */
#ifdef PATHWAY_NO_TRACKING
#define RECORD_TRACKING false
#else
#define RECORD_TRACKING true
#endif

struct record;

/* An empty record. `subject` is copied. ERR_LIMIT: no memory. */
MUST_CHECK enum err_code record_new(struct record **out, struct ruleset *rs, const char *subject,
                                    struct err *err);
/* NULL allowed. */
void record_free(struct record *r);
enum subject_kind record_kind(const struct record *r);
/* The ruleset that it lives in. Borrowed. */
struct ruleset *record_ruleset(const struct record *r);
/* The code of the hub that the subject belongs to, by its fact `hub` (a hub belongs to itself);
 * NULL: none. Valid until the record changes. */
const char *record_hub(const struct record *r);
/* A fact of the national pack, one that moves, which has come further in `r` than in `than`, a
 * record of the same ruleset: it is true and was not, holds more, or stands later in its list of
 * values. NULL: none has. */
const char *record_is_further(const struct record *r, const struct record *than);
/* May the last event have changed that? */
bool record_may_have_moved(const struct record *r);

/*
 * The subject comes to another hub: a record of it in `to`, with the facts of the national pack as
 * they are in `from`, which stays. `back` is the record that `to` had of it before, with facts of
 * the hub's own, or NULL; it is taken over, also by an error. ERR_LIMIT: no memory; *out is NULL.
 */
MUST_CHECK enum err_code record_hand_over(struct record **out, const struct record *from,
                                          struct ruleset *to, struct record *back, struct err *err);

/* Another record with the same facts, in the same ruleset; what was judged is not taken along.
 * ERR_LIMIT: no memory; *out is NULL. */
MUST_CHECK enum err_code record_copy(struct record **out, const struct record *from,
                                     struct err *err);

/* An event as a reducer sees it. */
struct fold_event {
    int64_t seq; /* its number in the log, where somebody asks why */
    int64_t time;
    const char *type;
    const char *source;
    const char *id;
    const char *subject;
    const struct json *data;
    bool is_checked;       /* its data is what these rules declare: nobody has to look again */
    const char *const *as; /* the record's own subject; for an event that was taken over, the
                              predecessors that it touched */
    int as_count;
    bool leaves_added; /* what the overlay adds for it is left out */
};
/*
 * Reducers, and moves below: ERR_BUSY: the run was suspect of taking too long, and was stopped
 * half-way. Fold the record anew: all is counted then, and ends with a verdict, until
 * ruleset_trust().
 *
 * Run the reducers of this event. A type that the packs do not know (any more) does nothing and
 * sets *known to false. ERR_RULE: the record may have taken in a part: the caller folds it anew
 * without this event.
 */
MUST_CHECK enum err_code record_apply(bool *known, struct record *r, const struct fold_event *e,
                                      struct err *err);

/* Run the reducers that an overlay adds to the national ones, and only these, for the event that
 * brought the subject to this hub. */
MUST_CHECK enum err_code record_apply_own(struct record *r, const struct fold_event *e,
                                          struct err *err);
/* After one of these has failed: was it in what the overlay adds? The national pack's reducers had
 * done theirs. */
bool record_failed_in_added(const struct record *r);

/* A move failed, and why; `is_own`: it is one of the overlay's. The texts are lent. */
struct failed_move {
    const char *name, *message;
    bool is_own, was_spent; /* it used up its budget */
};
typedef void failed_move_fn(const struct failed_move *failed, void *arg);
/*
 * Ask the moves at instant `now` until nothing changes; `by_itself`: an awaited moment, not an
 * event, calls for it. *wake is the earliest instant at which they must be asked again if no event
 * comes, or TIME_NEVER. A move that fails changes nothing, and is left out of this asking: the
 * others go on. ERR_RULE, with the first one's message: some have, each of which `failed` (NULL:
 * nobody) is told of.
 */
MUST_CHECK enum err_code record_ask(int64_t *wake, struct record *r, int64_t now, bool by_itself,
                                    failed_move_fn *failed, void *arg, struct err *err);

/*
 * After record_apply(): would the moves have said the same with this event, at every instant since
 * the last event for which they were asked? So it is when it touched nothing that they read since,
 * and neither touched nor read what they changed since.
 */
bool record_left_moves_alone(const struct record *r);

/* Take back what moves have changed by themselves since the last event for which they were asked:
 * the facts that they changed are what they were then, and the moves are to be asked again from
 * there. False: that is not known. */
MUST_CHECK bool record_undo_moves(struct record *r);

/* Ask the moves in full the next time: what is remembered of them was found at a later instant. */
void record_forget_asked(struct record *r);
/* How often facts were changed, or may have been: the same number means the same facts. */
uint64_t record_changes(const struct record *r);

/* One rule's answer. */
struct judged {
    const char *name;
    const char *value; /* JSON scalar text; with is_error the message as a JSON string */
    bool is_error;
    bool is_alert;
    bool is_own;                         /* an overlay's, not the national pack's */
    bool is_criterion;                   /* no decision: only from record_judge_rules() */
    const struct strictness *strictness; /* from there */
    const char
        *old_value; /* from record_rejudge(): what it was before, NULL at the first judging */
    bool old_is_error;
    int64_t wake; /* the answer may become another one then, with no event; or TIME_NEVER */
};
/* Called once for each decision, by name. `value` is valid only inside the call. */
typedef void judged_fn(const struct judged *j, void *arg);
/* Judge all decisions at `now`. A rule that fails is an answer, not an error. */
MUST_CHECK enum err_code record_judge(struct record *r, int64_t now, judged_fn *fn, void *arg,
                                      struct err *err);

/* The same, of all rules. */
MUST_CHECK enum err_code record_judge_rules(struct record *r, int64_t now, judged_fn *fn, void *arg,
                                            struct err *err);

/* Judge one rule, be it a decision or a criterion. ERR_ABSENT: there is none of this name about its
 * kind of subject, with the nearest. */
MUST_CHECK enum err_code record_judge_rule(struct record *r, const char *rule, int64_t now,
                                           judged_fn *fn, void *arg, struct err *err);

/*
 * Judge a record that is kept between events: only rules that read what has changed since it was
 * last judged (a fact that was touched, an instant that has come, a rule with another value) are
 * run. Calls `fn` for each decision that has another value than before; at the first time for all.
 * *wake: the earliest instant at which a rule may say something else, or TIME_NEVER. On an error
 * the next judging runs all.
 */
MUST_CHECK enum err_code record_rejudge(int64_t *wake, struct record *r, int64_t now, judged_fn *fn,
                                        void *arg, struct err *err);
/* Will the next judging tell only what differs from one before? */
bool record_is_judged(const struct record *r);
/* After record_rejudge(): append the values of all decisions as one JSON array, in the order of
 * ruleset_decisions(), set off by a comma and a line end; a rule that failed as
 * {"error":"message"}. */
void record_write_decisions(struct buf *out, const struct record *r);
/* ERR_ABSENT, which says so with the nearest; of one about another kind of subject, about which. */
enum err_code record_no_such_rule(const struct record *r, const char *rule, struct err *err);

/* After record_rejudge(): call `fn` for each rule that failed, also those that are no decisions. */
typedef void failed_rule_fn(const char *rule, const char *message, void *arg);
void record_each_failure(const struct record *r, failed_rule_fn *fn, void *arg);
/* How many times rules have been run in this ruleset. */
uint64_t ruleset_runs(const struct ruleset *rs);

/* The names of the decisions of a kind of subject, sorted. */
const char *const *ruleset_decisions(struct ruleset *rs, enum subject_kind kind, int *count);
/* The same as a JSON array, made once; NULL: no memory. */
const char *ruleset_decision_list(struct ruleset *rs, enum subject_kind kind);

/* Append the facts as a JSON object: those that hold something, by name. */
MUST_CHECK enum err_code record_write_facts(struct buf *out, struct record *r, struct err *err);
/* A fact of a text-like type into buf as plain text; false when it has no value or is not
 * declared. */
bool record_text_fact(struct buf *out, struct record *r, const char *fact);
/* The same, copied for an answer that outlives the record; *out NULL: it has no value. False: no
 * memory. */
MUST_CHECK bool record_keep_text(const char **out, struct arena *arena, struct record *r,
                                 const char *fact);

/* Call `fn` for each fact that moves, with its value as JSON. */
typedef void moved_fact_fn(const char *fact, const char *value, void *arg);
MUST_CHECK enum err_code record_each_move(struct record *r, moved_fact_fn *fn, void *arg,
                                          struct err *err);

/*
 * Append lines for people that say how a decision came about at `now`: each criterion with its
 * title, whether it is met, the value seen and needed. `missing`, when not NULL, gets the names of
 * the basic criteria that are not met, separated by spaces, sorted.
 */
MUST_CHECK enum err_code record_explain(struct buf *out, struct buf *missing, struct record *r,
                                        const char *decision, int64_t now, struct err *err);

#endif
