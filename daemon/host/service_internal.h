/*
 * service_internal.h - what the parts of the service share: service.c opens and closes,
 * service_submit.c takes events in, service_ask.c answers questions, service_command.c runs
 * commands, service_self.c tells what only the host knows.
 */
#ifndef PATHWAY_HOST_SERVICE_INTERNAL_H
#define PATHWAY_HOST_SERVICE_INTERNAL_H

#include "host/service.h"

#include "base/buf.h"
#include "host/access.h"
#include "host/moment.h"
#include "host/readers.h"
#include "host/reload.h"
#include "host/worker.h"

struct service {
    struct service_options options;
    struct service_callbacks callbacks;
    void *arg;
    struct worker *worker;
    struct readers *readers;
    struct access access;
    struct reload *reload;
    struct moment moment;
    int64_t began;      /* monotonic */
    uint64_t events[4]; /* by enum pw_event_status */
    bool is_ready;
    bool is_stopping;
};

/* What a plugin is told of an error. */
enum pw_status service_status_of(enum err_code code);

/* Have the engine thread carry out a command (engine/command.c). PW_BUSY: `done` is not called. */
enum pw_status service_command(struct service *s, const char *name, const char *params,
                               pw_answer_fn *done, void *arg);
/* Is it one that plugins may ask for? */
bool service_is_command(const char *question);
/* Give `text` (taken; NULL: there was no memory for it) as the answer, but not inside the call. */
enum pw_status service_answer(struct service *s, const char *question, char *text,
                              pw_answer_fn *done, void *arg);

/* The question "reload": what the host reads again, then the rules. PW_BUSY: `done` is not called.
 */
enum pw_status service_reload_ask(struct service *s, const char *params, pw_answer_fn *done,
                                  void *arg);

/* Answer "ready", "metrics", "consumers" and "questions", also while the engine is opening. */
enum pw_status service_answer_self(struct service *s, const char *question, pw_answer_fn *done,
                                   void *arg);
/* What only the host knows, as members of an object. */
void service_describe(struct service *s, struct buf *out);

#endif
