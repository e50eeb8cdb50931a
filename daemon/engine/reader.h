/*
 * reader.h - a reader from the inside: what the files that answer questions share.
 */
#ifndef PATHWAY_READER_H
#define PATHWAY_READER_H

#include "base/arena.h"
#include "engine/export.h"
#include "engine/question.h"
#include "engine/world.h"
#include "store/store.h"

struct coverage;

struct reader {
    struct store *store; /* read only */
    struct rulebook
        *rules; /* of the question; borrowed from one of the two below. NULL: opened without */
    struct rulebook *today; /* those that it was opened with, or of the last generation */
    bool has_own_rules;     /* it was opened with them */
    struct coverage *tests; /* what today's own tests said of its rules; NULL: not run yet */
    int64_t today_number;   /* of the last generation, unless it has its own; 0: none loaded */
    struct rulebook
        *past;           /* of an earlier generation, for what was known then; NULL: none loaded */
    int64_t past_number; /* of that generation */
    int64_t generation;  /* of the question's rules; 0: they have judged nothing yet */
    struct clock clock;
    struct arena arena; /* of the question being answered */
    struct world *world;
    bool is_told_wake; /* when the next subject is due is known better than by tables */
    int64_t next_wake;
    const char *slow;             /* borrowed: see reader_tell_slow() */
    reader_progress_fn *progress; /* NULL: nobody wants to know */
    void *progress_arg;
    struct warm *warm;     /* records from the last what-if; owned, NULL: none */
    int64_t wanted_commit; /* tables that stand at this commit will do; 0: only at the last one */
};

/* ---- parameters ---- */

/* ERR_INPUT for a parameter that the question does not have, with the nearest that it has. */
MUST_CHECK enum err_code params_check(const struct json *params, const char *const *known,
                                      struct err *err);
/* The parameter `subject`, which must be there. */
MUST_CHECK enum err_code params_subject(const char **out, const struct json *params,
                                        struct err *err);
/* A text, or NULL when it is absent. */
MUST_CHECK enum err_code params_text(const char **out, const struct json *params, const char *name,
                                     struct err *err);
/* A whole number from min to max (also written as text), or `otherwise`. */
MUST_CHECK enum err_code params_int(int64_t *out, const struct json *params, const char *name,
                                    int64_t min, int64_t max, int64_t otherwise, struct err *err);

/* The instants that a question is about: `at`, now when absent; `known`, what was recorded
 * by then. */
struct instants {
    int64_t at;
    int64_t known;   /* now when absent */
    int64_t max_seq; /* of what was known */
    bool has_at, has_known;
    bool is_now; /* neither was given: current tables answer too */
};
/* Reads `at`, `known` and `rules`, and lets r->rules be those by which is answered: the ones in
 * force at `known`, today's where that is absent or `rules` is "current". */
MUST_CHECK enum err_code params_instants(struct instants *out, struct reader *r,
                                         const struct json *params, struct err *err);
/* "csv" (the default), "ndjson", or CSV for people: that the answer is made of in the end, where
 * all are. */
#define FORMAT_SPREADSHEET "spreadsheet"
MUST_CHECK enum err_code params_csv_or_ndjson(bool *as_ndjson, const struct json *params,
                                              struct err *err);

/* ---- the rules asked about: in_force.c ---- */

/* r->rules become those that were in force when `known` was recorded. */
MUST_CHECK enum err_code rules_known_at(struct reader *r, int64_t known, struct err *err);
/* The same rules by themselves, and r->generation their number. What had to be loaded is *owned,
 * for rulebook_free(). */
MUST_CHECK enum err_code rulebook_known_at(struct rulebook **out, struct rulebook **owned,
                                           struct reader *r, int64_t known, struct err *err);
/* r->rules become those that the reader was opened with. */
MUST_CHECK enum err_code rules_of_today(struct reader *r, struct err *err);

/* Forget what the tests of r->today said, before it goes: answer_rules.c. */
void reader_drop_tests(struct reader *r);

/* ---- the world asked about ---- */

MUST_CHECK enum err_code reader_need_rules(struct reader *r, struct err *err);
/* A world of the reader's, closed when the question is answered; with everything in it when
 * `all`. */
MUST_CHECK enum err_code reader_world(struct reader *r, int64_t max_seq, bool all, struct err *err);
/* Are the tables of current decisions what judging at `now` would give? Time may have gone past a
 * wake. `waiting`: an empty map for the subjects that may be as they were, since they are held back
 * (waiting.h); NULL: none may. */
struct strmap;
MUST_CHECK enum err_code reader_tables_are_current(bool *out, struct strmap *waiting,
                                                   struct reader *r, int64_t now, struct err *err);
/* ERR_ABSENT when nothing touches the subject by `at`, with the nearest, or what is known of it.
 * After reader_world(). */
MUST_CHECK enum err_code reader_check_subject(struct reader *r, const char *subject, int64_t at,
                                              struct err *err);
/* Append ,"schools":{...},"groups":{...},"alerts":{...},"pack":{...}: what belongs to a hub, asked
 * by `at`, `known` and `rules` of `params`. ERR_ABSENT: nothing does, and it is not known
 * otherwise. r->world may be another one behind it, of the same events. */
MUST_CHECK enum err_code hub_belonging(struct buf *out, struct reader *r, const struct json *params,
                                       const char *hub, bool is_known, struct err *err);
/* Tell who wants to know how far the answer has come. */
void reader_tell(const struct reader *r, int64_t done, int64_t of);
/* An instant as JSON: null for TIME_NEVER. */
void write_moment(struct buf *out, int64_t t);
/* ,"faults":[...] when reducers or moves have failed in the fold. */
struct fold;
void write_faults(struct buf *out, const struct fold *f);
/* How an event is told to people and programs. `as`: the subject whose fold it is in, under the
 * names through which it came: of what the event says about others (who was there) nothing is told.
 * Notes are left out. */
void tell_event(struct buf *out, struct reader *r, const struct entry *e, const char *const *as,
                int as_count);
/* The same with the notes that are still kept of it, for who may read what is personal. */
MUST_CHECK enum err_code tell_event_with_notes(struct buf *out, struct reader *r,
                                               const struct entry *e, const char *const *as,
                                               int as_count, struct err *err);

/* A place in the feed, as a number or ID/NUMBER. ERR_CONFLICT: the feed, whose last number is
 * `head`, does not have what somebody there has. */
MUST_CHECK enum err_code params_place(int64_t *out, const struct reader *r,
                                      const struct json *params, const char *name, int64_t head,
                                      struct err *err);
/* "ID/NUMBER", with its quotes. */
void write_place(struct buf *out, const struct reader *r, int64_t seq);

/* ---- answers, one function a question ---- */

typedef enum err_code answer_fn(struct buf *out, struct reader *r, const struct json *params,
                                struct err *err);
/* A page of hubs: those that events are about, as `of_events` lists them, and those that a school
 * belongs to. `params`: those of "list", checked. */
MUST_CHECK enum err_code hub_page(struct buf *out, struct reader *r, const struct json *params,
                                  int limit, answer_fn *of_events, struct err *err);
answer_fn answer_subject, answer_list, answer_decisions, answer_events, answer_changes,
    answer_person, answer_status, answer_registered, answer_verify, answer_replay, answer_cursors,
    answer_state, answer_faults, answer_quarantine, answer_table, answer_overlay;
answer_fn answer_forecast, answer_whatif, answer_advise;
answer_fn answer_tokens, answer_backup, answer_place;
answer_fn answer_explain, answer_history, answer_subject_events, answer_restated;
answer_fn answer_summary, answer_rules;

#endif
