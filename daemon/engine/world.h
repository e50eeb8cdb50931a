/*
 * world.h - the log as the fold needs it: each subject's events in event order, voids settled,
 * successions followed.
 *
 * A world shows the log up to one sequence number (what was known then). It loads subjects as they
 * are asked for, or everything in one scan. Everything it hands out lives until world_close().
 */
#ifndef PATHWAY_WORLD_H
#define PATHWAY_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/event.h"
#include "store/store.h"

struct world;

/* One logged event. */
struct entry {
    int64_t seq;
    int64_t recorded;
    struct event_key key; /* when and in which order it happened */
    const char *type;
    const char *subject;
    const char *actor; /* NULL: nobody in particular */
    const char *body;  /* canonical JSON */
    uint32_t body_len;
};

/* An entry in somebody's fold. */
struct item {
    const struct entry *entry;
    const char *const *as; /* the subject itself, or the predecessors through which it came */
    int as_count;
    const struct json *body; /* the entry's, parsed: item_parse(); NULL: it is not yet */
    bool fits;               /* its data is what the rules hold: seen already */
};

/* `store` is borrowed. Events after `max_seq` are not seen. */
MUST_CHECK enum err_code world_open(struct world **out, struct store *store, int64_t max_seq,
                                    struct err *err);
void world_close(struct world *w);

/* Load all subjects in one scan of the log; after it nothing is read any more. */
MUST_CHECK enum err_code world_load_all(struct world *w, struct err *err);
/* Called now and then while world_load_all() reads, with the number of the event that it has come
 * to. */
typedef void world_progress_fn(int64_t seq, void *arg);
void world_tell(struct world *w, world_progress_fn *fn, void *arg);
/* From now on several threads may ask about its subjects at a time. Only of a world that holds
 * everything; world_subjects() and world_close() stay with one thread. ERR_LIMIT: it can not be
 * shared. */
MUST_CHECK enum err_code world_share(struct world *w, struct err *err);
/* The subjects loaded so far, bytewise, until the next call; NULL: no memory. */
const char *const *world_subjects(struct world *w, size_t *count);

/*
 * The standing events of a subject's fold as of `at`: its own, and those that it took over from
 * predecessors by successions that stand at or before `at`; in event order; none later than `at`.
 */
MUST_CHECK enum err_code world_fold_items(const struct item **out, size_t *count, struct world *w,
                                          const char *subject, int64_t at, struct err *err);
/* All events that touch a subject, voided ones included, in event order. */
MUST_CHECK enum err_code world_touching(const struct entry *const **out, size_t *count,
                                        struct world *w, const char *subject, struct err *err);
/* An event that has been loaded with somebody whom it touches. ERR_ABSENT: it has not. */
MUST_CHECK enum err_code world_entry(const struct entry **out, struct world *w, int64_t seq,
                                     struct err *err);
MUST_CHECK enum err_code world_is_voided(bool *out, struct world *w, const struct entry *e,
                                         struct err *err);
/* Does any void name it, standing or not? Of an entry that was in a fold, or would be but for a
 * void. */
bool world_has_void(struct world *w, const struct entry *e);
/*
 * As if these events had never come, nor all that came after number `horizon` (INT64_MAX: none).
 * `seqs` is borrowed until this is called again. What was handed out before stays as it was.
 */
void world_leave_out(struct world *w, const int64_t *seqs, size_t count, int64_t horizon);
/* The predecessor that a school.succeeded names, NULL for other events. */
const char *world_predecessor(struct world *w, const struct entry *e);
/* When the next standing succession of the subject after `after` takes effect: what it takes over
 * is in its fold from then on. TIME_NEVER: there is none. */
MUST_CHECK enum err_code world_next_succession(int64_t *out, struct world *w, const char *subject,
                                               int64_t after, struct err *err);

#endif
