/*
 * engine_internal.h - what the engine's own files share.
 */
#ifndef PATHWAY_ENGINE_INTERNAL_H
#define PATHWAY_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "lua/ruleset.h"
#include "store/store.h"

/* The writing connection; for use between commits. Borrowed. */
struct store *engine_store(struct engine *e);

/* An engine on a database in memory, without rules and with a clock that stands: for replay. */
MUST_CHECK enum err_code engine_open_memory(struct engine **out, struct err *err);
/* The clock stands at `now` from here on. */
void engine_set_clock(struct engine *e, int64_t now);
/* engine_take() as it went when it was recorded: judging just the subjects in `only` (NULL: all that the
 * events concern), leaving the others for later. */
MUST_CHECK enum err_code engine_take_judging(struct engine *e, struct take *items, size_t count,
                                             const struct strmap *only, struct err *err);
/* Judge by these rules, which become the engine's. When they are not those of the last generation, that
 * is a new one: kept, and everything is judged by it in one commit. */
MUST_CHECK enum err_code engine_use_rules(struct engine *e, struct ruleset *rules, struct err *err);

/* replay.c: the rules of a generation, from the database's archive. */
MUST_CHECK enum err_code ruleset_of_generation(struct ruleset **out, struct store *s,
                                               int64_t number, struct err *err);

#endif
