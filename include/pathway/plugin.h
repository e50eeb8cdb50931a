/*
 * plugin.h - all that a plugin may see of pathwayd: ABI 1.2.
 *
 * A plugin is a shared object NAME.so that exports one `struct pw_plugin` called pathway_plugin
 * (PW_PLUGIN), or is linked in. The host starts it with a table of functions. Everything happens on
 * the loop thread: every function here is called there, every callback arrives there, and none
 * arrives inside the call that it belongs to. No globals: the plugin's own state is `self`, the
 * host's is `struct pw_host`. Texts are UTF-8 that ends with NUL; what a call or a callback is
 * given is borrowed for its time, unless it says otherwise.
 *
 * The guide to this header is docs/plugin-author.md; a plugin to begin with is
 * plugins/sample/sample.c.
 *
 * Version policy. The host refuses another PW_ABI_MAJOR and a newer PW_ABI_MINOR. Within a major
 * version things are only added: functions at the end of struct pw_host, whose `size` says how
 * far this host's goes (a plugin asks PW_HAS() before it uses one that is newer than 1.0); values
 * at the end of enums; members at the end of what the host gives to plugins. struct pw_plugin
 * grows at its end too: the host looks at a member only when abi_minor says that it is there.
 *
 * Changelog
 *   1.2  pw_plugin.check_files: files that can not be used are told by `pathwayd --check`.
 *   1.1  pw_plugin.check, with pw_host.problem: wrong values are told before anything starts.
 *   1.0  submit, ask, changes, cursors, state, quarantine, questions, metrics, giving up,
 * identities, reloading, marks.
 */
#ifndef PATHWAY_PLUGIN_H
#define PATHWAY_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PW_ABI_MAJOR 1u /* raised when anything is removed or changes its meaning */
#define PW_ABI_MINOR 2u /* raised when something is added, at the end only */

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

/* ---- events in ---- */

enum pw_format {
    PW_EVENT,  /* one CloudEvent, JSON */
    PW_BATCH,  /* a JSON array of CloudEvents */
    PW_NDJSON, /* one CloudEvent a line; empty lines are skipped */
};

enum pw_event_status { PW_ACCEPTED, PW_DUPLICATE, PW_CONFLICTING, PW_INVALID };

struct pw_event_result {
    enum pw_event_status status;
    /* its number in the log; of the one already there for duplicates and conflicts; 0 when
     * invalid */
    int64_t seq;
    const char *detail; /* why, for conflicting and invalid; else NULL */
    bool is_forbidden;  /* invalid, because its sender may not write about this subject */
};

struct pw_submit_result {
    enum pw_status status; /* PW_OK: results are there; else nothing was taken, `error` says why */
    const char *error;     /* NULL when PW_OK */
    size_t count;          /* events in the request, in order */
    const struct pw_event_result *results;
};
/* Called once for each pw_host.submit(), when the accepted events are durable. */
typedef void pw_submitted_fn(void *arg, const struct pw_submit_result *result);

/* ---- questions and their answers ---- */

/* Called once. PW_OK: `text` is the answer (JSON unless the question says otherwise); else a
 * sentence for people. */
typedef void pw_answer_fn(void *arg, enum pw_status status, const char *text, size_t len);

/* A question that somebody put to this plugin and that waits for pw_host.answer(). */
struct pw_question;
/* `params_json` is an object. Answer now or later, but once: with pw_host.answer(). */
typedef void pw_question_fn(void *self, struct pw_question *question, const char *params_json);

/* ---- the feed ---- */

struct pw_change {
    int64_t seq;
    const char *subject;  /* "school/100001" */
    const char *decision; /* "eligible_development" */
    const char *hub;      /* the subject's hub then; NULL: none */
    const char *json;     /* the whole entry, a CloudEvent in JSON (docs/integrator.md) */
    size_t len;           /* of json */
};

struct pw_changes {
    enum pw_status status; /* PW_OK, or `error` says why there are none */
    const char *error;
    int64_t head;                  /* the last number of the feed when this was read */
    size_t count;                  /* 0: there is nothing after the number that was asked for */
    const struct pw_change *items; /* by seq, without a gap */
};
typedef void pw_changes_fn(void *arg, const struct pw_changes *page);

/*
 * A consumer's durable place in the feed: all up to it is dealt with. It is in the database, so a
 * backup holds it, and in the status and metrics as consumer PLUGIN/NAME with how far it is behind.
 */
struct pw_cursor;
#define PW_FROM_START ((int64_t)0)
#define PW_FROM_HEAD  ((int64_t)-1)
/* Called once for each pw_host.cursor_open(). PW_OK: `cursor` is the plugin's until cursor_close();
 * else NULL, and `error` says why. */
typedef void pw_cursor_fn(void *arg, enum pw_status status, struct pw_cursor *cursor, int64_t place,
                          const char *error);

/* ---- metrics ---- */

enum pw_metric_kind { PW_COUNTER, PW_GAUGE };
struct pw_meter; /* what pw_host.measure() writes to, during pw_plugin.measure() */

/* ---- configuration ---- */

struct pw_problems; /* what pw_host.problem() adds to, during pw_plugin.check() */

/* ---- who is asking ---- */

enum pw_scope {
    PW_READ = 1,     /* ask about schools, groups, hubs, the feed, the rules */
    PW_WRITE = 2,    /* send events */
    PW_RULES = 4,    /* change a hub's rules */
    PW_PERSONAL = 8, /* who people are, and what notes say */
    PW_ADMIN = 16,   /* look after the daemon: tokens, reload, consumers */
};

struct pw_identity {
    size_t size;      /* bytes of this struct in the host that filled it in */
    const char *name; /* of the token: the actor of what comes with it */
    unsigned scopes;  /* of enum pw_scope */
    const char *hubs; /* it may write about subjects of these only, "07 12"; NULL: of all */
};

/* ---- the host ---- */

typedef void pw_done_fn(void *arg);

struct pw_host {
    uint32_t size; /* bytes of this table in the host that made it */
    void *ctx;     /* first argument of every function below */

    /* The uv_loop_t of the loop thread. */
    void *(*loop)(void *ctx);
    /* One line for the log: 0 err, 1 warn, 2 info, 3 debug. Lower case, key=value, no personal
     * data. */
    void (*log)(void *ctx, int level, const char *line);
    /* The value of a key of this plugin's section of the configuration; NULL when it is not set.
     * The host's for as long as the plugin is started. */
    const char *(*config)(void *ctx, const char *key);

    /*
     * Bring events in. `bytes` are borrowed for the call. `actor` names who sent them (NULL: nobody
     * in particular). PW_OK: `done` will be called. PW_BUSY, PW_LIMIT, PW_INPUT (wrong use): it
     * will not; nothing was taken.
     */
    enum pw_status (*submit)(void *ctx, enum pw_format format, const char *bytes, size_t len,
                             const char *actor, pw_submitted_fn *done, void *arg);

    /*
     * Ask a question: a name and a JSON object of parameters, NULL for none (docs/questions.md
     * lists them; those of other plugins are PLUGIN.NAME). It is answered from a snapshot that
     * holds every event acknowledged before the call. PW_OK: `done` will be called. Else it will
     * not.
     */
    enum pw_status (*ask)(void *ctx, const char *question, const char *params_json,
                          pw_answer_fn *done, void *arg);

    /* Read at most `limit` (1 to 10000) entries of the feed after number `after`. PW_OK: `done`
     * will be called. Else it will not. */
    enum pw_status (*changes)(void *ctx, int64_t after, int limit, pw_changes_fn *done, void *arg);

    /*
     * Open the cursor `name` (1 to 64 of a-z 0-9 . _ -); a new one stands at `from`: a number of
     * the feed, PW_FROM_START or PW_FROM_HEAD. One open cursor of a name at a time. While the
     * daemon is starting it waits. PW_OK: `opened` will be called. Else it will not.
     */
    enum pw_status (*cursor_open)(void *ctx, const char *name, int64_t from, pw_cursor_fn *opened,
                                  void *arg);
    /* All up to `seq` is dealt with: never backwards. On disk within a second, and before the
     * daemon stops; a crash until then shows the last ones again, never leaves any out. */
    void (*cursor_ack)(void *ctx, struct pw_cursor *cursor, int64_t seq);
    /* Put it elsewhere, backwards too: to show again what was dealt with. */
    void (*cursor_move)(void *ctx, struct pw_cursor *cursor, int64_t seq);
    /* NULL allowed. The place stays in the database, unless `forget`. */
    void (*cursor_close)(void *ctx, struct pw_cursor *cursor, bool forget);

    /* What this plugin must remember, in the database: JSON values by key (as of cursors). Answers
     * {} of all of them; it waits while the daemon is starting. */
    enum pw_status (*state_get)(void *ctx, pw_answer_fn *done, void *arg);
    /* Keep a value; NULL forgets the key. `done` (NULL allowed) when it is on disk. */
    enum pw_status (*state_set)(void *ctx, const char *key, const char *json, pw_answer_fn *done,
                                void *arg);

    /*
     * Set aside an event that was refused, for people to look at, when there is no sender to tell.
     * `origin` says where it came from ("spool/names.csv:12"), `reason` why it was refused. `done`
     * (NULL allowed) when it is on disk.
     */
    enum pw_status (*quarantine)(void *ctx, const char *origin, const char *reason,
                                 const char *bytes, size_t len, pw_answer_fn *done, void *arg);

    /* Answer questions called PLUGIN.NAME, which others ask (over HTTP: POST
     * /v1/plugins/PLUGIN.NAME). While starting only. PW_INPUT: no good name; PW_LIMIT: too many. */
    enum pw_status (*offer)(void *ctx, const char *name, pw_question_fn *fn);
    void (*answer)(void *ctx, struct pw_question *question, enum pw_status status, const char *text,
                   size_t len);

    /*
     * One sample, during pw_plugin.measure(). `name` begins with pathwayd_PLUGIN_ and ends as
     * Prometheus wants it (_total, _seconds, _bytes). `labels`: names and values in turn, NULL at
     * the end; NULL for none. Samples of one name come one after the other.
     */
    void (*measure)(void *ctx, struct pw_meter *meter, enum pw_metric_kind kind, const char *name,
                    const char *help, const char *const *labels, double value);

    /* This plugin can not go on. It is reported, its stop() is called soon, and nothing else; when
     * its section says `required = yes`, the daemon stops. */
    void (*give_up)(void *ctx, const char *reason);

    /* The folder of the database, for files that belong beside it. The host's, for good. */
    const char *(*folder)(void *ctx);

    /*
     * Whose access token is this? PW_OK: *out says, and its texts are valid until the plugin
     * returns to the loop. PW_ABSENT: nobody's, or it has expired or been revoked. PW_BUSY: not
     * known yet, while the daemon is starting. `token` NULL asks whether there are tokens at all:
     * PW_OK: none was ever made, and *out is left alone; PW_ABSENT: there are.
     */
    enum pw_status (*identify)(void *ctx, const char *token, struct pw_identity *out);

    /* As submit, for a sender who may write about subjects of some hubs only ("07 12"): other
     * events are PW_INVALID, with `is_forbidden`. NULL: about all. */
    enum pw_status (*submit_as)(void *ctx, enum pw_format format, const char *bytes, size_t len,
                                const char *actor, const char *hubs, pw_submitted_fn *done,
                                void *arg);

    /*
     * May an answer be given again? While this number stays the same, nothing has been
     * acknowledged, no moment has come, and the rules are the same: so are answers about schools,
     * groups and hubs as of now. Take it before asking, and give the answer again while it is the
     * number. It changes every ten seconds at least (an answer says what will be within so many
     * years of now), and never becomes what it was. 0: keep nothing.
     */
    uint64_t (*mark)(void *ctx);

    /*
     * Since 1.1, and during pw_plugin.check() and check_files() only. The value of `key` makes no
     * sense (NULL: the section): `text` says what it is and what was expected, as "'interval' is
     * 'soon'; expected seconds, from 1 to 86400". The host tells it with file and line.
     */
    void (*problem)(void *ctx, struct pw_problems *problems, const char *key, const char *text);
};

#define PW_HAS(host, member)                                                                       \
    ((host)->size >= offsetof(struct pw_host, member) + sizeof((host)->member))

/* ---- the plugin ---- */

struct pw_plugin {
    uint32_t abi_major, abi_minor; /* PW_ABI_MAJOR, PW_ABI_MINOR: as compiled */
    const char *name;              /* "http": its section is [plugin http]; a-z 0-9 _ - */
    const char *const *keys;       /* the configuration keys it knows, NULL at the end */
    /*
     * 0: started, *self is the plugin's. Else it is not, and `error` says why in a sentence; then
     * all that it had begun is undone, and it is not called again. `host` is valid until `done` of
     * stop().
     */
    int (*start)(const struct pw_host *host, void **self, char *error, size_t error_size);
    /* The feed has grown to `head_seq`: a hint. NULL allowed. */
    void (*changed)(void *self, int64_t head_seq);
    /* Take nothing more in; finish what is under way; close all uv handles and cursors; then call
     * done(arg), once. The host waits ten seconds, then goes on without. */
    void (*stop)(void *self, pw_done_fn *done, void *arg);
    /* Say how it goes, with pw_host.measure(). NULL allowed. */
    void (*measure)(void *self, struct pw_meter *meter);
    /* Read files anew that the configuration names, certificates perhaps (SIGHUP, `pathway
     * reload`). 0, or `error` says why not, and all stays as it was: the sentence stands in the
     * log, in the answer to whoever asked, and in the status until a reload goes well. NULL
     * allowed. */
    int (*reload)(void *self, char *error, size_t error_size);
    /*
     * Since 1.1. Say with host->problem() what is wrong with the values in the section: all of it.
     * Called for `pathwayd --check`, at SIGHUP and before anything starts; then nothing starts.
     * Look at values only, not at files or sockets: the machine may be another by then, and start()
     * says it. Of `host` only config() and problem() are there, for the time of the call. NULL
     * allowed.
     */
    void (*check)(const struct pw_host *host, struct pw_problems *problems);
    /*
     * Since 1.2. As check(), for `pathwayd --check` alone, and only when check() found nothing: say
     * what is wrong with the files that the values name, on this machine, now. NULL allowed.
     */
    void (*check_files)(const struct pw_host *host, struct pw_problems *problems);
};

/* Before the definition of pathway_plugin: exported, also from a plugin built with hidden
 * symbols. */
#ifdef __cplusplus
#define PW_PLUGIN extern "C" __attribute__((visibility("default"))) const struct pw_plugin
#else
#define PW_PLUGIN __attribute__((visibility("default"))) const struct pw_plugin
#endif

#ifdef __cplusplus
}
#endif

#endif
