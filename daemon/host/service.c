/* service.c - see service.h. Opens and closes the parts. */
#include "host/service_internal.h"

#include <stdlib.h>

#include "base/log.h"

enum pw_status service_status_of(enum err_code code)
{
    switch (code) {
    case OK:
        return PW_OK;
    case ERR_INPUT:
        return PW_INPUT;
    case ERR_ABSENT:
        return PW_ABSENT;
    case ERR_CONFLICT:
        return PW_CONFLICT;
    case ERR_LIMIT:
        return PW_LIMIT;
    case ERR_BUSY:
        return PW_BUSY;
    case ERR_RULE:
    case ERR_STORE:
    case ERR_IO:
        return PW_FAILED;
    }
    return PW_FAILED;
}

enum pw_status service_identify(struct service *s, const char *token, struct pw_identity *out)
{
    return access_identify(&s->access, token, clock_now(&s->options.clock), out);
}

/* --- sign of life --- */

struct ping {
    struct job job;
    void (*done)(void *arg);
    void *arg;
};

static void finish_ping(struct job *job)
{
    struct ping *p = job->arg;
    p->done(p->arg);
    free(p);
}

bool service_ping(struct service *s, void (*done)(void *arg), void *arg)
{
    struct ping *p = calloc(1, sizeof(*p));
    if (!p)
        return false;
    *p = (struct ping){ .done = done, .arg = arg };
    p->job = (struct job){ .kind = JOB_PING, .done = finish_ping, .arg = p };
    if (worker_put(s->worker, &p->job, NULL) == OK)
        return true;
    free(p);
    return false;
}

/* --- opening and closing --- */

static void on_failed(void *arg, const struct err *err);

/* Nobody is let in before it is known who may come. */
static void on_keys(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct service *s = arg;
    struct err err;

    (void)len;
    if (s->is_stopping)
        return;
    if (status != PW_OK) {
        (void)err_set(&err, ERR_STORE, "the access tokens: %s", text);
        on_failed(s, &err);
        service_stop(s);
        return;
    }
    s->is_ready = true;
    s->callbacks.ready(s->arg);
}

static void on_ready(void *arg)
{
    struct service *s = arg;

    if (service_command(s, "token.keys", "{}", on_keys, s) != PW_OK)
        on_keys(s, PW_BUSY, "the queue is full", 0);
}

static void on_failed(void *arg, const struct err *err)
{
    struct service *s = arg;
    s->callbacks.failed(s->arg, err);
}

static void on_changed(void *arg, int64_t feed_seq)
{
    struct service *s = arg;
    s->callbacks.changed(s->arg, feed_seq);
}

/* The readers first: whoever closes the database last, and may write, puts its WAL away. */
static void on_reload_stopped(void *arg)
{
    struct service *s = arg;
    worker_stop(s->worker);
}

static void on_readers_stopped(void *arg)
{
    struct service *s = arg;
    reload_stop(s->reload, on_reload_stopped, s);
}

static void on_worker_closed(void *arg)
{
    struct service *s = arg;
    s->is_ready = false;
    s->is_stopping = true;
    s->callbacks.closed(s->arg);
}

enum err_code service_open(struct service **out, uv_loop_t *loop,
                           const struct service_options *options,
                           const struct service_callbacks *callbacks, void *arg, struct err *err)
{
    static const struct worker_callbacks WORKER = { on_ready, on_failed, on_changed,
                                                    on_worker_closed };
    const struct reload_options reload = { .database = options->database,
                                           .rules = options->rules,
                                           .clock = options->clock };
    const struct readers_options readers = { .database = options->database,
                                             .clock = options->clock,
                                             .max_waiting = options->questions };
    const struct worker_options worker = {
        .engine = { .database = options->database,
                    .rules = options->rules,
                    .clock = options->clock },
        .max_events = options->queue_events,
        .max_bytes = options->queue_bytes,
    };

    *out = NULL;
    struct service *s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, ERR_LIMIT, "no memory for the service");
    s->options = *options;
    s->callbacks = *callbacks;
    s->arg = arg;
    s->began = clock_monotonic();
    enum err_code rc = readers_new(&s->readers, loop, &readers, err);
    if (rc == OK)
        rc = worker_start(&s->worker, loop, &worker, &WORKER, s, err);
    if (rc == OK)
        rc = reload_new(&s->reload, loop, s->worker, &reload, err);
    if (rc == OK) {
        *out = s;
        return OK;
    }
    readers_free(s->readers);
    free(s);
    return rc;
}

int64_t service_head(const struct service *s)
{
    return worker_figures(s->worker)->progress.feed_seq;
}

int64_t service_now(const struct service *s)
{
    return clock_now(&s->options.clock);
}

bool service_is_ready(const struct service *s)
{
    return s->is_ready && !s->is_stopping;
}

void service_stop(struct service *s)
{
    s->is_stopping = true;
    readers_stop(s->readers, on_readers_stopped, s);
}

void service_free(struct service *s)
{
    if (!s)
        return;
    readers_free(s->readers);
    reload_free(s->reload);
    worker_free(s->worker);
    access_fini(&s->access);
    free(s);
}

void service_configure(struct service *s, const char *rules, const struct intake_limits *limits)
{
    s->options.limits = *limits;
    if (!reload_set_rules(s->reload, rules))
        log_err("config: no memory for the path of the rules; it stays as it was");
}

void service_reload(struct service *s)
{
    if (!s->is_ready || reload_ask(s->reload, "reload", NULL, NULL, NULL) != PW_OK)
        log_warn("rules: not read again reason=the daemon is starting or stopping, or much waits "
                 "already");
}
