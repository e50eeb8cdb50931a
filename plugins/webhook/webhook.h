/*
 * webhook.h - the plugin from the inside.
 *
 * An endpoint is a receiver that somebody has added: where to send, what of the feed, and whether.
 * Each has a cursor of its own, a window of entries that are being delivered, and a clock of its
 * own for what failed, so that none ever waits for another.
 */
#ifndef WEBHOOK_WEBHOOK_H
#define WEBHOOK_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include <pathway/plugin.h>

#include "net.h"
#include "secrets.h"

#define RETRIES_MAX   20
#define ENDPOINTS_MAX 200
#define NAME_MAX_LEN  64
#define WINDOW        256 /* entries of an endpoint that are in memory */
#define ID_TEXT       33

struct settings {
    struct net_options net;
    int retry_s[RETRIES_MAX]; /* how long to wait after the first, second, ... failure */
    int retry_count;
    int parallel; /* deliveries to one endpoint at a time */
    const char *key;
};

/* False: `error` says which key is wrong. */
bool settings_read(struct settings *out, const struct pw_host *host, char *error, size_t size);
/* pw_plugin.check(): the values of all keys, by the same readers. */
void settings_check(const struct pw_host *host, struct pw_problems *problems);
/* pw_plugin.check_files(): the key, and the certificates to trust. */
void settings_check_files(const struct pw_host *host, struct pw_problems *problems);

enum endpoint_state {
    ENDPOINT_ACTIVE,
    ENDPOINT_PAUSED,   /* by a person */
    ENDPOINT_DISABLED, /* by us; `reason` says why */
};

struct endpoint;

/* One entry of the feed on its way to one endpoint. */
struct entry {
    struct entry *next;     /* by seq */
    struct entry *follower; /* the next of the same subject, which waits for this one */
    struct endpoint *endpoint;
    int64_t seq;
    char *subject, *id, *body;
    size_t len;
    int attempts;
    uint64_t due_ms;           /* of the loop's clock; 0: at once */
    bool is_blocked;           /* an earlier one of its subject is not delivered yet */
    bool is_probe;             /* sent while the endpoint was thought to be dead */
    struct transfer *transfer; /* under way */
};

struct endpoint {
    struct endpoint *next;
    struct webhook *webhook;

    /* Kept in the database. */
    char *name, *url;
    char *hub;        /* only entries of this hub; NULL: of all */
    char **decisions; /* only these; NULL: all */
    size_t decision_count;
    enum endpoint_state state;
    char *reason; /* NULL: none */
    char uid[ID_TEXT];
    int serial;             /* of the secret */
    int64_t previous_until; /* seconds since 1970: until then the secret before signs too */
    int64_t created;
    int64_t from; /* a number of the feed: where it begins while its cursor is not on disk */

    /* In memory. */
    struct kept *adding;      /* the answer to who adds it, until it is known where it begins */
    struct pw_cursor *cursor; /* NULL: not open yet */
    int64_t acked;
    int64_t read_to; /* the last entry that was read */
    bool is_reading;
    bool is_stale;              /* what is being read is not wanted any more */
    struct entry *first, *last; /* what is not delivered yet, by seq */
    size_t count, going;
    int failures;     /* in a row */
    int round;        /* how often it was probed in vain */
    uint64_t due_ms;  /* when to probe again */
    uv_timer_t timer; /* something becomes due */
    bool is_removed;  /* freed when its handle is closed */

    /* For people. */
    uint64_t delivered, failed;
    int last_status;
    int64_t last_at; /* seconds since 1970; 0: never */
    char last_error[256];
};

struct webhook {
    const struct pw_host *host; /* borrowed */
    uv_loop_t *loop;
    struct settings settings;
    struct master master;
    bool is_new_key;
    struct net *net;
    struct endpoint *first; /* by name */
    size_t count;
    int64_t head; /* of the feed, once it is known */
    bool knows_head;
    bool is_loaded;
    struct early *early; /* questions that wait until then */
    struct test *tests;  /* under way */
    struct kept *kept;   /* answers that wait for the disk */
    uv_timer_t grace;    /* how long deliveries under way may hold up a stop */
    uint64_t grace_end_ms;
    bool is_stopping;
    size_t handles;
    pw_done_fn *stopped;
    void *stopped_arg;
};

void webhook_log(const struct webhook *w, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A handle of the plugin's has been closed. */
void webhook_handle_closed(struct webhook *w);

/* ---- endpoint.c: what is kept of endpoints ---- */

bool name_is_good(const char *name);
struct endpoint *endpoint_find(struct webhook *w, const char *name);
/* A new one, in its place, with a timer; NULL: no memory. */
struct endpoint *endpoint_add(struct webhook *w, const char *name);
/* From what the database holds. False: it holds something else. */
bool endpoint_read(struct endpoint *e, const json_t *value);
/* As a new object; NULL: no memory. */
json_t *endpoint_write(const struct endpoint *e);
/* Keep it in the database; `done` (NULL allowed) when it is there. */
enum pw_status endpoint_keep(struct endpoint *e, pw_answer_fn *done, void *arg);
/* Out of the list; its memory goes once its timer is closed. */
void endpoint_remove(struct endpoint *e);

/* ---- deliver.c: the feed to its receiver ---- */

/* Open its cursor (a new one at `from`) and begin. */
bool endpoint_begin(struct endpoint *e, int64_t from);
/* Do what there is to do. */
void endpoint_pump(struct endpoint *e);
/* Forget what is in the window; go on after `seq`. */
void endpoint_restart(struct endpoint *e, int64_t seq);
/* Stop sending, for good until somebody resumes it. */
void endpoint_disable(struct endpoint *e, const char *reason);
/* Entries that were tried in vain, and are tried again. */
size_t endpoint_failing(const struct endpoint *e);
/* Milliseconds until the first of those is; UINT64_MAX: none is. */
uint64_t endpoint_next_ms(const struct endpoint *e);
/* Let no retry be waited for: somebody has said that the receiver works again. */
void endpoint_forgive(struct endpoint *e);

/* Send one body, signed; see net_post(). */
struct transfer *endpoint_post(struct endpoint *e, const char *id, const char *body, size_t len,
                               outcome_fn *done, void *arg);

/* ---- questions.c, answers.c, trial.c: what can be asked ---- */

bool questions_offer(struct webhook *w);
pw_question_fn answer_test;
/* The webhooks have been read, or the plugin stops: those who asked before are answered. */
void questions_go_on(struct webhook *w);
/* Answers that wait for the disk are the host's to give. */
void kept_drop(struct webhook *w);
/* Tests that are under way end without an answer. */
void tests_cancel(struct webhook *w);

#endif
