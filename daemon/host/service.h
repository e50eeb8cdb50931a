/*
 * service.h - what the daemon does for its plugins: take events in, answer questions.
 *
 * Joins the engine thread (writes) and the readers (questions). Everything here is called on
 * the loop thread; a `done` never runs inside the call that it belongs to.
 */
#ifndef PATHWAY_HOST_SERVICE_H
#define PATHWAY_HOST_SERVICE_H

#include <stdbool.h>

#include <pathway/plugin.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "host/intake.h"
#include "host/reread.h"

struct service;

struct service_options {
    const char *database; /* borrowed */
    const char *rules;    /* borrowed */
    struct clock clock;
    struct intake_limits limits;
    size_t queue_events; /* bounds of what waits for the engine thread */
    size_t queue_bytes;
    size_t questions; /* that wait for a reader */
};

struct service_callbacks {
    void (*ready)(void *arg);
    void (*failed)(void *arg,
                   const struct err *err); /* the engine can not open; `closed` follows */
    void (*changed)(void *arg, int64_t feed_seq);
    void (*closed)(void *arg); /* all is drained */
    /* Append `,"plugins":[...]` and the like to the answer of "status". */
    void (*describe)(void *arg, struct buf *out);
    /* Append to the answer of "metrics". NULL allowed. */
    void (*measure)(void *arg, struct buf *out);
    /* Append the items of "consumers", a JSON array. NULL allowed. */
    void (*consumers)(void *arg, struct buf *out);
    /* Before the question "reload" has the rules read: read all else again that can be. NULL: there
     * is nothing else. */
    void (*reread)(void *arg);
    /* What could not be read again. NULL only where `reread` is. */
    const struct reread *(*kept)(void *arg);
};

MUST_CHECK enum err_code service_open(struct service **out, uv_loop_t *loop,
                                      const struct service_options *options,
                                      const struct service_callbacks *callbacks, void *arg,
                                      struct err *err);

/* As pw_host.submit_as, pw_host.identify and pw_host.ask (include/pathway/plugin.h). */
enum pw_status service_submit(struct service *s, enum pw_format format, const char *bytes,
                              size_t len, const char *actor, const char *hubs,
                              pw_submitted_fn *done, void *arg);
enum pw_status service_identify(struct service *s, const char *token, struct pw_identity *out);
/*
 * Beside the questions of engine/question.h: the commands "person.set", "person.erase",
 * "note.erase", "token.add" and "token.revoke"; those of reload_ask(); "ready" {}: {"ready": bool,
 * "reason"?}, "metrics" {}: Prometheus' text, and "consumers" {}: {"seq", "items"}, all answered
 * also while the engine is opening.
 */
enum pw_status service_ask(struct service *s, const char *question, const char *params_json,
                           pw_answer_fn *done, void *arg);

/* As pw_host.mark. */
uint64_t service_mark(struct service *s);

/* From now on, of what comes: where the rules are (copied), and limits. */
void service_configure(struct service *s, const char *rules, const struct intake_limits *limits);
/* Load the rules folder as the question "reload" does, with nobody to be told: how it ends is in
 * the log and in the status. */
void service_reload(struct service *s);

/* Send nothing through both threads and call `done` on its return: a sign of life. False: busy. */
bool service_ping(struct service *s, void (*done)(void *arg), void *arg);

bool service_is_ready(const struct service *s);
/* The feed's last number. */
int64_t service_head(const struct service *s);
/* What the daemon's clock says. */
int64_t service_now(const struct service *s);
/* Is a question with a dot in it ("person.set") one of the service's, and no plugin's? */
bool service_is_own(const char *question);

/* No more comes in from now on; `closed` when all that was taken is done. */
void service_stop(struct service *s);
/* After `closed`. NULL is allowed. */
void service_free(struct service *s);

#endif
