/*
 * log.h (store) - the durable log: events, what they touch, commits, voids.
 *
 * Rows are appended and never changed. Each event's hash covers its body, its
 * recorded time and the hash before it, so that tampering shows. Recorded time never
 * runs backwards: a commit's is at least the one before.
 */
#ifndef PATHWAY_STORE_LOG_H
#define PATHWAY_STORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/event.h"
#include "store/store.h"

enum append_status { APPEND_ACCEPTED, APPEND_DUPLICATE, APPEND_CONFLICT };

/*
 * Append an event inside a transaction. *seq is its number when accepted, that of the
 * event already there when duplicate or conflict. `recorded` is the commit's time, `actor`
 * the name of the token that sent it (NULL: none). For an event.voided, `target_source` and
 * `target_id` are the key of what it voids, else NULL.
 */
MUST_CHECK enum err_code log_append(enum append_status *out, int64_t *seq, struct store *s,
                                    const struct event *e, int64_t recorded, const char *actor,
                                    const char *target_source, const char *target_id,
                                    struct err *err);

/* With the event just appended: it says that `successor` continues `predecessor`. */
MUST_CHECK enum err_code log_add_succession(struct store *s, int64_t seq, const char *predecessor,
                                            const char *successor, struct err *err);
/* With the event just appended: free text of it, which is kept beside the log. `path`:
 * "data.reason". */
MUST_CHECK enum err_code log_add_note(struct store *s, int64_t seq, const char *path,
                                      const char *text, struct err *err);

/* The time to record for a commit at `now`: now, or the last commit's when the clock ran
 * backwards. */
int64_t log_recorded_time(const struct store *s, int64_t now);

/* List the commit of this transaction: events first..last (last < first: none, as when only the
 * clock moved on). `judged`: a JSON array of the subjects that it judged, NULL when those are all
 * that its events concern. */
MUST_CHECK enum err_code log_add_commit(int64_t *commit, struct store *s, int64_t first,
                                        int64_t last, int64_t recorded, int64_t generation,
                                        const char *judged, struct err *err);
/* The commits and the end of the log as of now, the open transaction included. Only of a store that
 * writes. */
int64_t log_commits(const struct store *s);
int64_t log_tip(const struct store *s);
int64_t log_changes(const struct store *s); /* the end of the feed */

/* The commit list, in order. */
struct logged_commit {
    int64_t number;
    int64_t first, last; /* events; last < first: none */
    int64_t recorded;
    int64_t generation;
    const char
        *judged; /* NULL: all that it concerned; else a JSON array of the subjects it judged */
};
typedef enum err_code logged_commit_fn(const struct logged_commit *c, void *arg, struct err *err);
/* Those with a number above `after`. */
MUST_CHECK enum err_code log_scan_commits(struct store *s, int64_t after, logged_commit_fn *fn,
                                          void *arg, struct err *err);

/* The number of the last commit, as a reader sees it. */
MUST_CHECK enum err_code log_last_commit(int64_t *out, struct store *s, struct err *err);
/* When the last commit was recorded, as a reader sees it; INT64_MIN when there is none. */
MUST_CHECK enum err_code log_last_recorded(int64_t *out, struct store *s, struct err *err);
/* The generation by which a commit was judged; 0 when there is no such commit. */
MUST_CHECK enum err_code log_generation_of(int64_t *out, struct store *s, int64_t commit,
                                           struct err *err);
/* Highest event number; 0 when the log is empty. */
MUST_CHECK enum err_code log_last_seq(int64_t *out, struct store *s, struct err *err);
/* Highest event number recorded at or before `known`. */
MUST_CHECK enum err_code log_seq_known_at(int64_t *out, struct store *s, int64_t known,
                                          struct err *err);

/* An event as read from the log. Strings are valid only inside the callback,
 * except source, type, subject and touches, which live as long as the store. */
struct logged {
    int64_t seq;
    int64_t time;
    int64_t recorded;
    const char *source;
    const char *id;
    const char *type;
    const char *subject;
    const char *sequence; /* NULL: absent */
    const char *actor;    /* NULL: none */
    const char *body;     /* canonical JSON, notes as digests */
    uint32_t body_len;
    const char *const *touches; /* only from log_scan(), where they are valid inside the callback:
                                   its subject first; else NULL */
    uint32_t touch_count;
};
/* Return OK to go on; anything else ends the scan and is returned, with `err` as the callback set
 * it. */
typedef enum err_code logged_fn(const struct logged *e, void *arg, struct err *err);

/* All events with after < seq <= max_seq, in order of arrival. */
MUST_CHECK enum err_code log_scan(struct store *s, int64_t after, int64_t max_seq, logged_fn *fn,
                                  void *arg, struct err *err);
/* The events that touch a subject, seq <= max_seq, the newest first. An unknown subject has
 * none. */
MUST_CHECK enum err_code log_scan_subject(struct store *s, const char *subject, int64_t max_seq,
                                          logged_fn *fn, void *arg, struct err *err);
/* The event with this key, if it is there (*found). Only of a store that writes: it holds
 * the keys. */
MUST_CHECK enum err_code log_find(bool *found, struct store *s, const char *source, const char *id,
                                  int64_t max_seq, logged_fn *fn, void *arg, struct err *err);
/* Is there a void that names this key? Only of a store that writes. */
bool log_is_named_by_void(const struct store *s, const char *source, const char *id);
/* Is there certainly no event before number `seq` that touches it? Only of a store that writes. */
bool log_is_new(const struct store *s, const char *subject, int64_t seq);
/* The schools that continue this one by events up to `max_seq`, whether or not those stand. Only of
 * a store that writes. */
typedef enum err_code successor_fn(const char *successor, void *arg, struct err *err);
MUST_CHECK enum err_code log_successors(struct store *s, const char *subject, int64_t max_seq,
                                        successor_fn *fn, void *arg, struct err *err);
/* The voids (not themselves checked for being voided) that name this key, seq <= max_seq. */
MUST_CHECK enum err_code log_voids_of(struct store *s, const char *source, const char *id,
                                      int64_t max_seq, logged_fn *fn, void *arg, struct err *err);
/* The subjects that an event touches. */
typedef void subject_fn(const char *subject, void *arg);
MUST_CHECK enum err_code log_touches(struct store *s, int64_t seq, subject_fn *fn, void *arg,
                                     struct err *err);
/* All subjects that any event touches, in order of first touch. */
MUST_CHECK enum err_code log_subjects(struct store *s, subject_fn *fn, void *arg, struct err *err);

/* Walk the hash chain; compare each event's columns with its body, and the log's end with the list
 * of commits. ERR_CONFLICT names the first event that does not fit. */
MUST_CHECK enum err_code log_verify(int64_t *checked, struct store *s, struct err *err);

#endif
