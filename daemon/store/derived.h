/*
 * derived.h - current decisions, the feed, wakes: all that can be made again from the log.
 *
 * Values are JSON scalars as text: null, true, 5, "building". All calls but the
 * reads happen inside a transaction.
 */
#ifndef PATHWAY_STORE_DERIVED_H
#define PATHWAY_STORE_DERIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* Set one current decision of a subject. */
MUST_CHECK enum err_code decision_put(struct store *s, const char *subject, const char *name,
                                      const char *value, struct err *err);
/* Take one away (a rule that no longer exists). */
MUST_CHECK enum err_code decision_remove(struct store *s, const char *subject, const char *name,
                                         struct err *err);
typedef enum err_code decision_fn(const char *name, const char *value, void *arg, struct err *err);
/* A subject's current decisions, by name. */
MUST_CHECK enum err_code decision_each(struct store *s, const char *subject, decision_fn *fn,
                                       void *arg, struct err *err);

/* What lists show of a subject besides its decisions. NULL: unknown. */
struct subject_card {
    const char *subject;
    const char *name; /* the school's name */
    const char *hub;
    const char *former; /* former URNs, separated by spaces; searched by `q` */
};
MUST_CHECK enum err_code subject_put(struct store *s, const struct subject_card *card,
                                     struct err *err);

/* Append to the feed; *seq is its number: 1, 2, 3, ... without a gap. `hub` and `cause` may be
 * NULL; cause is a JSON object. */
struct change {
    int64_t seq; /* set by feed_append() */
    int64_t recorded;
    int64_t generation;
    const char *subject;
    const char *decision;
    const char *old_value;
    const char *new_value;
    const char *hub;
    const char *cause;
};
MUST_CHECK enum err_code feed_append(int64_t *seq, struct store *s, const struct change *c,
                                     struct err *err);
MUST_CHECK enum err_code feed_last_seq(int64_t *out, struct store *s, struct err *err);
typedef enum err_code change_fn(const struct change *c, void *arg, struct err *err);
/* Entries with seq > after, at most `limit`, in order. */
MUST_CHECK enum err_code feed_each(struct store *s, int64_t after, int64_t limit, change_fn *fn,
                                   void *arg, struct err *err);

/* When a subject must be judged again; TIME_NEVER removes it. */
MUST_CHECK enum err_code wake_put(struct store *s, const char *subject, int64_t due,
                                  struct err *err);
MUST_CHECK enum err_code wake_of(int64_t *out, struct store *s, const char *subject,
                                 struct err *err);
/* The earliest wake of all; TIME_NEVER when there is none. */
MUST_CHECK enum err_code wake_next(int64_t *out, struct store *s, struct err *err);
/* Up to `limit` subjects due at or before `now`, earliest first, then by subject. The callback may
 * not write. */
typedef enum err_code wake_fn(const char *subject, int64_t due, void *arg, struct err *err);
MUST_CHECK enum err_code wake_due(struct store *s, int64_t now, int limit, wake_fn *fn, void *arg,
                                  struct err *err);

/*
 * Subjects that events concern and that are still to be judged. `causes`: those events, JSON objects
 * separated by commas, added to what is there already.
 */
MUST_CHECK enum err_code pending_add(struct store *s, const char *subject, const char *causes,
                                     struct err *err);
/* Take a subject off: *out is its causes, the caller's to free(), NULL when it was not pending. */
MUST_CHECK enum err_code pending_take(char **out, struct store *s, const char *subject,
                                      struct err *err);
MUST_CHECK enum err_code pending_count(int64_t *out, struct store *s, struct err *err);

/* Forget everything derived (decisions, wakes, subjects; the feed too when asked), to make it anew. */
MUST_CHECK enum err_code derived_clear(struct store *s, bool with_feed, struct err *err);

/*
 * A page of subjects of one kind with their current decisions, by subject bytewise.
 */
struct list_filter {
    const char *decision;
    const char *value; /* JSON scalar text */
};
struct list_query {
    const char *kind; /* "school", "group", "hub" */
    const char *hub;  /* NULL: any */
    const char *q;    /* NULL, or text found in name, code or former URNs, case ignored */
    const struct list_filter *filters; /* all must hold */
    int filter_count;
    const char *after; /* NULL, or the last subject of the page before */
    int limit;
};
struct list_row {
    const char *subject;
    const char *name; /* NULL: unknown */
    const char *hub;  /* NULL: unknown */
};
/* The callback may call decision_each() for its row. *more: there is a next page. */
typedef enum err_code list_fn(const struct list_row *row, void *arg, struct err *err);
MUST_CHECK enum err_code list_subjects(bool *more, struct store *s, const struct list_query *query,
                                       list_fn *fn, void *arg, struct err *err);

#endif
