/*
 * engine_internal.h - what the engine's own files share.
 */
#ifndef PATHWAY_ENGINE_INTERNAL_H
#define PATHWAY_ENGINE_INTERNAL_H

#include "base/strmap.h"
#include "engine/engine.h"
#include "engine/live.h"
#include "lua/rulebook.h"
#include "store/compare.h"
#include "store/log.h"
#include "store/store.h"

/* The store; for use between commits. Borrowed. */
struct store *engine_store(struct engine *e);

/* The instant that it is by its clock. */
int64_t engine_now(const struct engine *e);

/* An engine without rules and with a clock that stands, whose commits are compared with those of
 * `source`. */
MUST_CHECK enum err_code engine_open_replay(struct engine **out, struct store *source,
                                            compare_fn *differs, void *arg, struct err *err);
/* The clock stands at `now` from here on. */
void engine_set_clock(struct engine *e, int64_t now);
/* engine_take() as it went when it was recorded: judging just the subjects in `only` (NULL: all
 * that the events concern), leaving the others for later. */
MUST_CHECK enum err_code engine_take_judging(struct engine *e, struct take *items, size_t count,
                                             const struct strmap *only, struct err *err);
/* engine_wake() as it went: judging these subjects, in their order (NULL: those that are due). */
MUST_CHECK enum err_code engine_wake_judging(struct engine *e, const struct strmap *only,
                                             struct err *err);
/* Judge by these rules, which become the engine's. When they are not those of the last generation,
 * that is a new one: kept, and everything is judged by it in one commit. */
MUST_CHECK enum err_code engine_use_rules(struct engine *e, struct rulebook *rules,
                                          struct err *err);
/* After a failure: begin anew from what is durable. Does nothing when there was none. */
MUST_CHECK enum err_code engine_reload(struct engine *e, struct err *err);

/* recover.c: when the tables lie behind the log, make up for it: what is derived of each subject
 * that was judged beyond the watermark becomes what it was then. `rules` are those of the last
 * generation. */
MUST_CHECK enum err_code engine_recover(struct store *s, struct rulebook *rules,
                                        struct live_cache *cache, struct err *err);

/* logged_events.c: events of a commit as they came, but for their notes, of which the log has
 * digests. */
struct logged_events {
    struct arena arena;
    struct event *events;
    int64_t *seqs;
    const char **actors; /* NULL: none */
    size_t count, cap;
    const char **touches;
    uint32_t touch_count, touch_cap;
};
/* Read events first..last, in place of those that were there. */
MUST_CHECK enum err_code logged_events_read(struct logged_events *l, struct store *s, int64_t first,
                                            int64_t last, struct err *err);
void logged_events_fini(struct logged_events *l);
/* Read what a commit judged, when it left others for later: the names of subjects, in the arena of
 * `l`. */
MUST_CHECK enum err_code logged_judged(struct strmap *out, struct logged_events *l,
                                       const char *judged, struct err *err);

/* archived.c: the rules of a generation, from the database's archive: by which commits were
 * judged. */
MUST_CHECK enum err_code rulebook_of_generation(struct rulebook **out, struct store *s,
                                                int64_t number, struct err *err);
/* The same for a question about then. ERR_CONFLICT: a pack of them never came back (stuck.h). */
MUST_CHECK enum err_code rulebook_to_ask(struct rulebook **out, struct store *s, int64_t number,
                                         struct err *err);

#endif
