/*
 * plugin.h - all that a plugin may see of pathwayd.
 *
 * A plugin exports one `struct pw_plugin` called pathway_plugin (or is linked in). The
 * host starts it with a table of functions; everything happens on the loop thread: every
 * function here is called there, every callback arrives there. No globals: the plugin's
 * own state is `self`, the host's is `struct pw_host`.
 *
 * Version policy: the host refuses another PW_ABI_MAJOR or a newer PW_ABI_MINOR. Tables start with
 * their size; a plugin asks PW_HAS() before it uses a function newer than ABI 1.0.
 */
#ifndef PATHWAY_PLUGIN_H
#define PATHWAY_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PW_ABI_MAJOR 1u /* raised when anything is removed or changes its meaning */
#define PW_ABI_MINOR 0u /* raised when something is added, at the end only */

/* What went wrong, for the plugin to turn into its protocol's answer. */
enum pw_status {
    PW_OK = 0,
    PW_INPUT,    /* the request is wrong; the text says where and what was expected */
    PW_ABSENT,   /* there is no such thing */
    PW_CONFLICT, /* it contradicts what is there */
    PW_LIMIT,    /* over a size limit */
    PW_BUSY,     /* the queue is full or the daemon is starting or stopping: try again later */
    PW_FAILED,   /* our fault; it is in the log */
};

enum pw_format {
    PW_EVENT,  /* one CloudEvent, JSON */
    PW_BATCH,  /* a JSON array of CloudEvents */
    PW_NDJSON, /* one CloudEvent a line; empty lines are skipped */
};

enum pw_event_status { PW_ACCEPTED, PW_DUPLICATE, PW_CONFLICTING, PW_INVALID };

struct pw_event_result {
    enum pw_event_status status;
    int64_t
        seq; /* its number in the log; of the one already there for duplicates and conflicts; 0 when invalid */
    const char *detail; /* why, for conflicting and invalid; else NULL */
};

struct pw_submit_result {
    enum pw_status
        status;        /* PW_OK: results are there; else nothing was taken, and `error` says why */
    const char *error; /* NULL when PW_OK */
    size_t count;      /* events in the request, in order */
    const struct pw_event_result *results;
};
/* Called once for each pw_host.submit(), when the accepted events are durable. Borrowed for the call. */
typedef void pw_submitted_fn(void *arg, const struct pw_submit_result *result);

/* Called once for each pw_host.ask(). PW_OK: `text` is the answer (JSON unless the question says
 * otherwise); else a sentence for people. Borrowed for the call. */
typedef void pw_answer_fn(void *arg, enum pw_status status, const char *text, size_t len);

typedef void pw_done_fn(void *arg);

struct pw_host {
    uint32_t size; /* bytes of this table in the host that made it */
    void *ctx;     /* first argument of every function below */

    /* The uv_loop_t of the loop thread. */
    void *(*loop)(void *ctx);
    /* One line for the log: 0 err, 1 warn, 2 info, 3 debug. Lower case, key=value, no personal data. */
    void (*log)(void *ctx, int level, const char *line);
    /* The value of a key of this plugin's section of the configuration; NULL when it is not set. */
    const char *(*config)(void *ctx, const char *key);

    /*
     * Bring events in. `bytes` are borrowed for the call. `actor` names who sent them (NULL: nobody in
     * particular). PW_OK: `done` will be called. PW_BUSY, PW_LIMIT: it will not; nothing was taken.
     */
    enum pw_status (*submit)(void *ctx, enum pw_format format, const char *bytes, size_t len,
                             const char *actor, pw_submitted_fn *done, void *arg);

    /*
     * Ask a question: a name and a JSON object of parameters (docs/questions.md lists them). It is
     * answered on a worker thread from a snapshot that holds every event acknowledged before the
     * call. PW_OK: `done` will be called. PW_BUSY: it will not.
     */
    enum pw_status (*ask)(void *ctx, const char *question, const char *params_json,
                          pw_answer_fn *done, void *arg);
};

#define PW_HAS(host, member)                                                                       \
    ((host)->size >= offsetof(struct pw_host, member) + sizeof((host)->member))

struct pw_plugin {
    uint32_t abi_major, abi_minor; /* as compiled */
    const char *name;              /* "http": its section is [plugin http] */
    const char *const *keys;       /* the configuration keys it knows, NULL at the end */
    /* 0: started, *self is the plugin's. Else it is not, and `error` says why in a sentence. */
    int (*start)(const struct pw_host *host, void **self, char *error, size_t error_size);
    /* The feed has grown to `head_seq`: a hint. NULL allowed. */
    void (*changed)(void *self, int64_t head_seq);
    /* Take nothing more in; finish what is under way; close all uv handles; then call done(arg). */
    void (*stop)(void *self, pw_done_fn *done, void *arg);
};

#endif
