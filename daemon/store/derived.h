/*
 * derived.h - what is made from the log: current decisions, cards, wakes, the feed.
 *
 * The feed is appended with each commit. All else is one row a subject, held in memory until it is
 * written behind the log: after a crash the tables are those of an earlier commit (derived_mark()),
 * and whoever writes makes up for the rest from the log. Values are JSON scalars as text: null,
 * true, 5, "building".
 */
#ifndef PATHWAY_STORE_DERIVED_H
#define PATHWAY_STORE_DERIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/* ---- decisions ---- */

/*
 * Set the current decisions of a subject. Both are JSON arrays, of names in bytewise order and of
 * their values, each item set off from the next by a comma and a line end (which no item can hold).
 */
MUST_CHECK enum err_code decisions_put(struct store *s, const char *subject, const char *names,
                                       const char *values, struct err *err);
/* They are borrowed until the next call; NULL: it has none yet. Only of a store that writes. */
MUST_CHECK enum err_code decisions_of(const char **names, const char **values, struct store *s,
                                      const char *subject, struct err *err);
/* Some bytes of a longer text: borrowed, and with no NUL at their end. */
struct slice {
    const char *at;
    size_t len;
};
typedef enum err_code decision_fn(struct slice name, struct slice value, void *arg,
                                  struct err *err);
/* Show each name with its value, in order. */
MUST_CHECK enum err_code decisions_each(const char *names, const char *values, decision_fn *fn,
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

/* The hub on its card: the caller's to free(); NULL: none is known. Only of a store that writes. */
MUST_CHECK enum err_code subject_hub_kept(char **out, struct store *s, const char *subject,
                                          struct err *err);

/* ---- the feed ---- */

/* Append to the feed; *seq is its number: 1, 2, 3, ... without a gap. `hub` and `cause` may be
 * NULL. */
struct change {
    int64_t seq; /* set by feed_append() */
    int64_t recorded;
    int64_t generation;
    const char *subject;
    const char *decision;
    const char *old_value;
    const char *new_value;
    const char *hub;
    const char *cause; /* appended: as cause_text() writes it; read: a JSON object */
};
MUST_CHECK enum err_code feed_append(int64_t *seq, struct store *s, const struct change *c,
                                     struct err *err);
/* A cause: numbers of events, the moment that came (TIME_NEVER: none), the generation that began
 * (0: none). */
void cause_text(struct buf *out, const char *events, int64_t moment, int64_t generation);

/* The same as a JSON object: {"events":[{"source","id"}...],"moment":...,"generation":...}. `s`
 * reads. */
MUST_CHECK enum err_code cause_expand(struct buf *out, struct store *s, const char *cause,
                                      struct err *err);

MUST_CHECK enum err_code feed_last_seq(int64_t *out, struct store *s, struct err *err);
typedef enum err_code change_fn(const struct change *c, void *arg, struct err *err);
/* Entries with seq > after, at most `limit`, in order. */
MUST_CHECK enum err_code feed_each(struct store *s, int64_t after, int64_t limit, change_fn *fn,
                                   void *arg, struct err *err);

/* ---- wakes ---- */

/* When a subject must be judged again; TIME_NEVER removes it. */
MUST_CHECK enum err_code wake_put(struct store *s, const char *subject, int64_t due,
                                  struct err *err);
MUST_CHECK enum err_code wake_of(int64_t *out, struct store *s, const char *subject,
                                 struct err *err);
/* The earliest wake of all; TIME_NEVER when there is none. Of a store that writes; wake_first()
 * asks the table. */
int64_t wake_next(const struct store *s);
MUST_CHECK enum err_code wake_first(int64_t *out, struct store *s, struct err *err);
/* Up to `limit` (at most WAKES_MAX) subjects due at or before `now`, earliest first, then by name.
 * The callback may not write. */
#define WAKES_MAX 256
typedef enum err_code wake_fn(const char *subject, int64_t due, void *arg, struct err *err);
MUST_CHECK enum err_code wake_due(struct store *s, int64_t now, int limit, wake_fn *fn, void *arg,
                                  struct err *err);

/* All subjects due at or before `now`, as a reader sees them, with the hub on their card (NULL:
 * none). */
typedef enum err_code due_fn(const char *subject, const char *hub, void *arg, struct err *err);
MUST_CHECK enum err_code wake_each_due(struct store *s, int64_t now, due_fn *fn, void *arg,
                                       struct err *err);

/* Leave a subject out of those that are due, whenever it is, and let it be one again. It stays due
 * for who loads the database anew, and becomes so with any other instant that is put. */
void wake_hold(struct store *s, const char *subject);
MUST_CHECK enum err_code wake_release(struct store *s, const char *subject, struct err *err);

/* ---- left for later ---- */

/*
 * Subjects that events concern and that are still to be judged. `events`: their numbers, separated
 * by commas, added to those that are there already.
 */
MUST_CHECK enum err_code pending_add(struct store *s, const char *subject, const char *events,
                                     struct err *err);
/* Take a subject off: *out is its events, the caller's to free(), NULL when it was not pending. */
MUST_CHECK enum err_code pending_take(char **out, struct store *s, const char *subject,
                                      struct err *err);
bool pending_has(const struct store *s, const char *subject);
int64_t pending_count(const struct store *s);

/* ---- how far the tables have come ---- */

struct derived_mark {
    int64_t commit; /* the tables are those of this commit... */
    int64_t seq;    /* the last event by then */
    int64_t feed;   /* the last entry of the feed by then */
    bool is_whole;  /* ... and some rows newer, unless it is whole */
};
/* As of the snapshot, or, of a store that writes, of the last commit. */
struct derived_mark derived_mark(const struct store *s);

/* ---- lists, for readers ---- */

/* A page of subjects of one kind, by subject bytewise. */
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
    const char *name;           /* NULL: unknown */
    const char *hub;            /* NULL: unknown */
    const char *names, *values; /* for decisions_each() */
};
/* *more: there is a next page. */
typedef enum err_code list_fn(const struct list_row *row, void *arg, struct err *err);
MUST_CHECK enum err_code list_subjects(bool *more, struct store *s, const struct list_query *query,
                                       list_fn *fn, void *arg, struct err *err);

#endif
