/*
 * timeline.h - a subject's decisions over time, as its fold tells them.
 *
 * Walks through every instant at which something can change by itself (an event, an awaited moment
 * of a move or of a rule), in order, and shows the record there. Before a succession the school is
 * shown alone, from it on with what it took over, as asking at each of those instants would.
 */
#ifndef PATHWAY_TIMELINE_H
#define PATHWAY_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/world.h"
#include "lua/record.h"
#include "lua/rulebook.h"

/* Judge the record at `t` and give back, in *wake, the earliest instant at which a rule may say
 * something else. *stop ends the walk. */
typedef enum err_code timeline_fn(int64_t t, struct record *r, int64_t *wake, bool *stop, void *arg,
                                  struct err *err);
/* From the subject's first event to `to`. */
MUST_CHECK enum err_code timeline_walk(struct world *w, struct rulebook *rules, const char *subject,
                                       int64_t to, timeline_fn *fn, void *arg, struct err *err);

/* A decision as of an instant. */
struct span {
    const char *name;
    const char *value; /* JSON; {"error": ...} where the rule failed */
    bool is_alert;
    int64_t since; /* it has had this value since then; the subject's first event when always */
    int64_t until; /* it changes then if no event comes; TIME_NEVER: not in the next ten years */
};
/* The decisions of a subject as of `at`, sorted by name; the memory is the arena's. ERR_ABSENT: no
 * event touches it by then. */
MUST_CHECK enum err_code timeline_spans(const struct span **out, size_t *count, struct arena *arena,
                                        struct world *w, struct rulebook *rules,
                                        const char *subject, int64_t at, struct err *err);

/* The same of one rule, be it a decision or a criterion. `parsed`: some of the subject's events, by
 * item_parse(). */
MUST_CHECK enum err_code timeline_span(struct span *out, struct arena *arena, struct world *w,
                                       struct rulebook *rules, const char *subject,
                                       const char *rule, int64_t at, const struct item *parsed,
                                       size_t parsed_count, struct err *err);

#endif
