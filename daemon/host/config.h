/*
 * config.h - the configuration file, the environment over it, and what they mean.
 *
 * Read first (config_read), checked second (config_check), so that everything that is
 * wrong is told at once, each with its file and line.
 */
#ifndef PATHWAY_HOST_CONFIG_H
#define PATHWAY_HOST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct config_key {
    const char *name;
    const char *value;
    const char *where; /* "/etc/pathwayd/pathwayd.conf:3", or the environment's variable */
    struct config_key *next;
};

struct config_section {
    const char *name; /* "daemon", "plugin http" */
    const char *where;
    struct config_key *keys; /* as written, each name once */
    struct config_section *next;
};

/* Zeroed to valid. All memory is the arena's. */
struct config {
    struct arena arena;
    struct config_section *sections;
    struct buf problems; /* one line each, with its newline: all that is wrong */

    /* filled by config_check() */
    const char *database;
    const char *rules;
    const char *plugins;
    enum log_level log_level;
    size_t max_event;  /* bytes of one event */
    size_t max_events; /* events of one request */
    size_t max_body;   /* bytes of one request */
    size_t max_depth;  /* levels of JSON of one event */
};

/*
 * Read `path` (NULL: no file, everything by default) and lay the variables of `environ`
 * over it: PATHWAYD_DAEMON_DATABASE, PATHWAYD_PLUGIN_HTTP_LISTEN. ERR_IO: the file can not
 * be read. What is wrong inside it goes to `problems`.
 */
MUST_CHECK enum err_code config_read(struct config *c, const char *path, char *const *environment,
                                     struct err *err);

/* The keys that plugin `name` knows, NULL at their end; NULL: there is none that can be used, `why`
 * says more, or is empty where others tell. */
typedef const char *const *config_keys_fn(void *arg, const char *name, struct err *why);

/* Fill in the values and check every section and key. ERR_INPUT: `problems` is not empty. */
MUST_CHECK enum err_code config_check(struct config *c, config_keys_fn *keys_of, void *arg,
                                      struct err *err);

/* NULL when it is not there. */
const struct config_section *config_section(const struct config *c, const char *name);
/* The value of a key, or NULL. `s` may be NULL. */
const char *config_value(const struct config_section *s, const char *key);
/* The plugin's name when the section is one of a plugin ("plugin http"), else NULL. */
const char *config_plugin_name(const struct config_section *s);

/* For the reader: add a section (or find it) and a key; a second value of a key is a problem. */
struct config_section *config_add_section(struct config *c, const char *name, const char *where);
MUST_CHECK enum err_code config_add_key(struct config *c, struct config_section *s,
                                        const char *name, const char *value, const char *where,
                                        bool replace, struct err *err);

void config_fini(struct config *c);

#endif
