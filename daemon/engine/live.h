/*
 * live.h - records that stay in memory between commits and take new events in.
 *
 * Bounded: the least recently used go, and come back by a refold. A live record is what a refold
 * from the log would give; whatever it can not follow (a late event, a void, a succession) drops
 * it.
 */
#ifndef PATHWAY_LIVE_H
#define PATHWAY_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "engine/fold.h"
#include "model/event.h"

struct live {
    struct fold fold; /* stands at the instant it was last published at */
    char subject[SUBJECT_MAX];
    struct event_key last; /* of the latest event taken in, its texts in `last_texts`. No id: all
                              lies ahead, and nothing has been published */
    char *last_texts;      /* owned */
    size_t last_room;      /* bytes */
    int64_t fold_events;   /* how many events it was last folded from */
    int64_t ahead;         /* when its first event that lies ahead comes; TIME_NEVER */
    bool is_slow;          /* its rules took long when it was judged last */
    char *name, *hub;      /* as last stored; owned, NULL: none */
    char *former; /* codes of those whose events it took over, when it was last folded; owned, NULL:
                     none */
    struct live *newer, *older;
};

struct live_cache {
    struct strmap subjects; /* to struct live; NULL once it has gone */
    struct live *newest, *oldest;
    size_t count, limit;
    uint64_t skipped; /* of all records: see struct fold; whoever has a record take events in adds
                         what came */
    struct arena names;
};

void live_cache_init(struct live_cache *c, size_t limit);
/* Forget everything: after a failed commit memory may be ahead of the log. */
void live_cache_clear(struct live_cache *c);
/* No more than `limit` from here on. Those of schools stay the longest: a group lasts a year. */
void live_cache_trim(struct live_cache *c, size_t limit);
void live_cache_fini(struct live_cache *c);

/* The record, now the most recently used one; NULL when it is not in memory. */
struct live *live_find(struct live_cache *c, const char *subject);
void live_drop(struct live_cache *c, struct live *l);

/* Fold a subject anew from `w` to `now` and keep it; what was kept of it before goes. */
MUST_CHECK enum err_code live_build(struct live **out, struct live_cache *c, struct rulebook *rules,
                                    struct world *w, const char *subject, int64_t now,
                                    struct err *err);

/* Begin to keep a subject of which nothing is known: all its events are still to be taken in. */
MUST_CHECK enum err_code live_begin(struct live **out, struct live_cache *c, struct rulebook *rules,
                                    const char *subject, struct err *err);

/* Can these events, in event order, be taken in as they come, or must the record be folded anew? */
bool live_can_take(const struct live *l, const struct event *const *events, size_t count,
                   int64_t now);
/* Take them in and go on to `now`. ERR_CONFLICT, ERR_RULE: it can not follow, see fold_take(); fold
 * it anew. */
MUST_CHECK enum err_code live_take(struct live *l, const struct event *const *events, size_t count,
                                   int64_t now, struct err *err);

#endif
