/*
 * reload.h - other rules while the daemon serves: gathered and tested beside what runs, tried by
 * the engine, then in force, or refused with what is wrong with them.
 *
 * One attempt at a time; those that are asked for meanwhile wait in line. How each ended is kept in
 * the database for the status. Everything here is called on the loop thread.
 */
#ifndef PATHWAY_HOST_RELOAD_H
#define PATHWAY_HOST_RELOAD_H

#include <pathway/plugin.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "host/worker.h"

struct reload;

struct reload_options {
    const char *database; /* borrowed */
    const char *rules;    /* the rules folder; copied */
    struct clock clock;
};

/* `worker` is borrowed. */
MUST_CHECK enum err_code reload_new(struct reload **out, uv_loop_t *loop, struct worker *worker,
                                    const struct reload_options *options, struct err *err);
/* From the next attempt on; copied. False: no memory. */
bool reload_set_rules(struct reload *r, const char *rules);

/* Is this one of the questions below? */
bool reload_knows(const char *question);
/*
 * "reload" {rollback?}: load the rules folder, or let one pack ("national", "hubs/07") be what it
 * was before; "overlay_push" {hub, files: {NAME: TEXT}}: let these files be the hub's overlay;
 * "overlay_rollback" {hub}. PW_OK: `done` will be called, with {"changed", "generation", "tests",
 * "subjects"?, "changes"?, "refused": [{"pack", "why"}]} or, PW_CONFLICT, all that is wrong with
 * the rules, or PW_INPUT, PW_ABSENT. PW_BUSY: it will not. `done` NULL: nobody has to be told.
 */
enum pw_status reload_ask(struct reload *r, const char *question, const char *params_json,
                          pw_answer_fn *done, void *arg);

/* Append "reload":..., as a member of an object: what is being done now. */
void reload_describe(const struct reload *r, struct buf *out);

/* Refuse those that wait, begin no more, and call `done` when nothing of it is on another thread of
 * ours: perhaps at once. What the engine is trying is given up when the engine stops. */
void reload_stop(struct reload *r, void (*done)(void *arg), void *arg);
/* After the worker has closed. NULL allowed. */
void reload_free(struct reload *r);

#endif
