/*
 * trace.h - deep tracking, when somebody asks why: which events made each fact what it is, and what
 * each rule looked at.
 *
 * A trace follows one record from its beginning. For each part of a fact (a single value; a member
 * of a set, a key of a map, a row of a list) it keeps the event or move that changed it last, found
 * by comparing the facts before and after, and what that one had read. Records without a trace pay
 * a look at a pointer.
 */
#ifndef PATHWAY_LUA_TRACE_H
#define PATHWAY_LUA_TRACE_H

#include "base/buf.h"
#include "base/err.h"
#include "lua/fact_set.h"
#include "lua/record.h"

struct trace;

MUST_CHECK enum err_code trace_new(struct trace **out, struct err *err);
/* After the record is gone, or before it is used again. NULL allowed. */
void trace_free(struct trace *t);
/* Follow this record, to which nothing has happened yet, and forget every other. */
MUST_CHECK enum err_code trace_follow(struct trace *t, struct record *r, struct err *err);
/* The subject that is followed lives on in this record, in the ruleset of another hub:
 * record_hand_over(). */
MUST_CHECK enum err_code trace_hand_over(struct trace *t, struct record *r, struct err *err);

/* Events by their numbers in the log, in the order of the fold. */
struct event_list {
    int64_t *seqs; /* owned */
    size_t count;
};

/* What would have to be otherwise: the rule, and what its value must become. */
struct wanted {
    const char *rule; /* borrowed: the ruleset's */
    bool value;
};

/* Why a rule says what it says. */
struct reasons {
    struct buf json;          /* members of an object: "title", "value", "missing", "rules" ... */
    struct event_list made;   /* made the facts that were read what they are */
    struct event_list behind; /* were looked at on the way there: by reducers, and by moves that did
                                 or did not move */
    struct event_list held;   /* others, of which some may have kept events from having an effect */
    struct event_list
        idle; /* wrote facts that were read, and left them as they were: others had done the same */
    struct wanted *missing; /* owned */
    size_t missing_count;
    struct fact_set
        looked_at; /* all that it read, also by way of other rules; where it failed: any */
};
void reasons_fini(struct reasons *r);

/*
 * Judge one rule (a decision or a criterion) of the record that is followed, at `now`, and tell all
 * that it looked at. A rule that fails is an answer, not an error. ERR_ABSENT: there is no such
 * rule about its kind of subject, with the nearest name.
 */
MUST_CHECK enum err_code trace_explain(struct reasons *out, struct trace *t, const char *rule,
                                       int64_t now, struct err *err);

#endif
