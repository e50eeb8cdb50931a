/*
 * plugins.h - the plugins that are on: found, started, told of changes, stopped.
 *
 * A plugin is linked in, or is DIR/NAME.so with one exported `pathway_plugin`. One that can
 * not start is reported and skipped, unless its section says `required = yes`.
 */
#ifndef PATHWAY_HOST_PLUGINS_H
#define PATHWAY_HOST_PLUGINS_H

#include <stdbool.h>
#include <stdint.h>

#include <pathway/plugin.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "host/config.h"
#include "host/reread.h"
#include "host/service.h"

/* Where plugins come from. */
struct plugin_source {
    const struct pw_plugin *const *linked; /* NULL at the end */
    const char *dir;                       /* of shared objects */
};

/* ERR_ABSENT: no such plugin (with the nearest name); ERR_CONFLICT: made for another ABI. */
MUST_CHECK enum err_code plugin_find(const struct pw_plugin **out, const struct plugin_source *from,
                                     const char *name, struct err *err);

/* Ask each plugin that is on what is wrong with the values of its section; lines go to
 * c->problems, behind those of config_check(). ERR_INPUT: there are some. */
MUST_CHECK enum err_code plugins_check(struct config *c, const struct plugin_source *from,
                                       struct err *err);
/* The same of the files that the values name, which must be in order for plugins_check(). */
MUST_CHECK enum err_code plugins_check_files(struct config *c, const struct plugin_source *from,
                                             struct err *err);

struct plugins;

/*
 * Start one plugin for each [plugin NAME] of a checked configuration. ERR_IO: a required one,
 * or all of them, did not start; what did start is stopped with plugins_stop() as ever.
 */
MUST_CHECK enum err_code plugins_start(struct plugins **out, uv_loop_t *loop, struct service *s,
                                       const struct config *c, const struct plugin_source *from,
                                       struct err *err);
/* Called when a plugin whose section says `required = yes` gives up later on. */
void plugins_on_required_failed(struct plugins *p, void (*failed)(void *arg), void *arg);
/* The database is open. */
void plugins_ready(struct plugins *p);
void plugins_changed(struct plugins *p, int64_t feed_seq);
/* Each reads its files anew; one that can not says so in the log and in `told`, and goes on as
 * before. */
void plugins_reload(struct plugins *p, struct reread *told);
/* "plugins":[...],"plugin_faults":[...],"consumers":[...] */
void plugins_describe(const struct plugins *p, struct buf *out);
/* Who reads the feed by a kept cursor, as a JSON array. */
void plugins_consumers(const struct plugins *p, struct buf *out);
/* Their metrics, and those about them, in Prometheus' text format. */
void plugins_measure(struct plugins *p, struct buf *out);
/* Stop them in reverse order, each within ten seconds, then call `done`. */
void plugins_stop(struct plugins *p, void (*done)(void *arg), void *arg);
/* One did not stop in time: its handles may still be open. */
bool plugins_have_lost(const struct plugins *p);
/* After that `done`. NULL is allowed. */
void plugins_free(struct plugins *p);

#endif
