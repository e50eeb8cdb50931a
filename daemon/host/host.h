/*
 * host.h - the running daemon: loop, signals, service and plugins, from start to stop.
 */
#ifndef PATHWAY_HOST_H
#define PATHWAY_HOST_H

#include "base/clock.h"
#include "host/config.h"
#include "host/plugins.h"

struct host_options {
    const struct config *config; /* checked */
    /* Read and check it again, into a zeroed one that the host will config_fini(). NULL: it can not
     * be read again. */
    enum err_code (*read_config)(struct config *out, void *arg, struct err *err);
    void *arg;
    struct plugin_source plugins;
    struct clock clock;
};

/*
 * Run until SIGTERM or SIGINT has been obeyed (nothing more is accepted, what was accepted is
 * finished, the database is closed). The exit status: 0, or 1 when something could not start,
 * which is in the log.
 */
int host_run(const struct host_options *options);

#endif
