/*
 * host.c - see host.h. Stopping goes one way only: plugins, service, handles; each step is
 * begun by the end of the one before it (see go_on).
 */
#include "host/host.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "host/notify.h"
#include "host/reconfigure.h"
#include "host/service.h"

#define QUEUE_EVENTS      50000
#define QUEUE_BYTES       (32u * 1024 * 1024)
#define QUESTIONS_WAITING 200

struct host {
    const struct host_options *options;
    uv_loop_t loop;
    uv_signal_t signals[3];
    size_t signal_count;
    struct notify notify;
    struct service *service;
    struct plugins *plugins;
    struct reread kept; /* what the last reload could not read again */
    bool is_stopping;
    bool plugins_stopped;
    bool service_closed;
    bool has_lost; /* a plugin: it did not stop */
    int exit_status;
};

static void close_handles(struct host *h)
{
    for (size_t i = 0; i < h->signal_count; i++)
        uv_close((uv_handle_t *)&h->signals[i], NULL);
    h->signal_count = 0;
    notify_close(&h->notify);
    h->has_lost = plugins_have_lost(h->plugins);
    if (h->has_lost)
        uv_stop(&h->loop); /* else the handles that are left would hold it for ever */
    service_free(h->service);
    h->service = NULL;
    plugins_free(h->plugins);
    h->plugins = NULL;
}

static void go_on(struct host *h)
{
    if (!h->plugins_stopped)
        return;
    if (!h->service_closed)
        service_stop(h->service);
    else
        close_handles(h);
}

static void on_plugins_stopped(void *arg)
{
    struct host *h = arg;
    h->plugins_stopped = true;
    go_on(h);
}

static void stop(struct host *h)
{
    if (h->is_stopping)
        return;
    h->is_stopping = true;
    notify_stopping();
    if (h->plugins)
        plugins_stop(h->plugins, on_plugins_stopped, h);
    else
        on_plugins_stopped(h);
}

static void tell_refused(const char *line, void *arg)
{
    struct buf *refused = arg;

    log_err("config: refused %s", line);
    buf_printf(refused, "%s%s", refused->len > 0 ? "\n" : "", line);
}

/* What is wrong in it leaves all as it is; what takes a restart is refused, the rest holds from now
 * on. `told` is what of it does not. */
static void read_config(struct host *h, struct buf *told)
{
    struct config wanted = { 0 };
    struct err why = { 0 };

    if (h->options->read_config(&wanted, h->options->arg, &why) != OK) {
        log_err("config: not taken, all stays as it was error=%s%s%s", why.msg,
                wanted.problems.len > 0 ? "\n" : "",
                wanted.problems.len > 0 ? buf_cstr(&wanted.problems) : "");
        if (wanted.problems.len > 0)
            buf_add(told, buf_cstr(&wanted.problems), wanted.problems.len - 1);
        else
            buf_str(told, why.msg);
    } else {
        const struct intake_limits limits = { wanted.max_event, wanted.max_events,
                                              h->options->config->max_body, (int)wanted.max_depth };
        int refused = reconfigure_refused(h->options->config, &wanted, tell_refused, told);
        log_set_level(wanted.log_level);
        service_configure(h->service, wanted.rules, &limits);
        log_info("config: read again refused=%d", refused);
    }
    config_fini(&wanted);
}

/* All that a reload reads again but the rules. */
static void on_reread(void *arg)
{
    struct host *h = arg;
    struct buf told = { 0 };

    if (h->is_stopping || !h->service)
        return;
    if (h->plugins)
        plugins_reload(h->plugins, &h->kept);
    if (h->options->read_config) {
        read_config(h, &told);
        reread_note(&h->kept, "configuration", told.len > 0 ? buf_cstr(&told) : NULL,
                    service_now(h->service));
    }
    buf_fini(&told);
}

static const struct reread *on_kept(void *arg)
{
    const struct host *h = arg;
    return &h->kept;
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct host *h = handle->data;

    if (number == SIGHUP) {
        log_info("host: reading configuration and rules again signal=HUP");
        on_reread(h);
        if (!h->is_stopping && h->service)
            service_reload(h->service);
        return;
    }
    log_info("host: stopping signal=%s", number == SIGTERM ? "TERM" : "INT");
    stop(h);
}

static void on_ready(void *arg)
{
    struct host *h = arg;

    if (h->is_stopping)
        return;
    log_info("host: ready version=%s database=%s", PATHWAY_VERSION, h->options->config->database);
    notify_ready("serving");
    if (h->plugins)
        plugins_ready(h->plugins);
}

static void on_failed(void *arg, const struct err *err)
{
    struct host *h = arg;
    log_err("engine: can not open: %s", err->msg);
    h->exit_status = 1;
}

static void on_changed(void *arg, int64_t feed_seq)
{
    struct host *h = arg;
    if (h->plugins && !h->is_stopping)
        plugins_changed(h->plugins, feed_seq);
}

static void on_closed(void *arg)
{
    struct host *h = arg;
    h->service_closed = true;
    stop(h);
    if (h->plugins_stopped && h->service)
        go_on(h);
}

static void on_describe(void *arg, struct buf *out)
{
    struct host *h = arg;

    buf_char(out, ',');
    if (h->plugins)
        plugins_describe(h->plugins, out);
    else
        buf_str(out, "\"plugins\":[]");
    buf_str(out, ",\"unread\":");
    reread_write(&h->kept, out);
}

static void on_consumers(void *arg, struct buf *out)
{
    struct host *h = arg;
    if (h->plugins)
        plugins_consumers(h->plugins, out);
    else
        buf_str(out, "[]");
}

static void on_measure(void *arg, struct buf *out)
{
    struct host *h = arg;
    if (h->plugins)
        plugins_measure(h->plugins, out);
    reread_measure(&h->kept, out);
}

static void on_required_failed(void *arg)
{
    struct host *h = arg;

    log_err("host: stopping reason=a required plugin gave up");
    h->exit_status = 1;
    stop(h);
}

static bool on_ping(void *arg, void (*done)(void *arg), void *done_arg)
{
    struct host *h = arg;
    return h->service && service_ping(h->service, done, done_arg);
}

static void watch_signals(struct host *h)
{
    static const int NUMBERS[] = { SIGTERM, SIGINT, SIGHUP };

    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of that write, not of ours */
    for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++) {
        uv_signal_t *s = &h->signals[h->signal_count];
        if (uv_signal_init(&h->loop, s) != 0)
            continue;
        h->signal_count++;
        s->data = h;
        if (uv_signal_start(s, on_signal, NUMBERS[i]) != 0)
            log_warn("host: signal not watched number=%d", NUMBERS[i]);
        uv_unref((uv_handle_t *)s);
    }
}

static enum err_code start(struct host *h, struct err *err)
{
    static const struct service_callbacks CALLBACKS = { on_ready,     on_failed,   on_changed,
                                                        on_closed,    on_describe, on_measure,
                                                        on_consumers, on_reread,   on_kept };
    const struct config *c = h->options->config;
    const struct service_options service = {
        .database = c->database,
        .rules = c->rules,
        .clock = h->options->clock,
        .limits = { c->max_event, c->max_events, c->max_body, (int)c->max_depth },
        .queue_events = QUEUE_EVENTS,
        .queue_bytes = QUEUE_BYTES,
        .questions = QUESTIONS_WAITING,
    };

    if (service_open(&h->service, &h->loop, &service, &CALLBACKS, h, err) != OK)
        return err->code;
    if (plugins_start(&h->plugins, &h->loop, h->service, c, &h->options->plugins, err) != OK)
        return err->code;
    plugins_on_required_failed(h->plugins, on_required_failed, h);
    reread_note(&h->kept, "configuration", NULL, 0); /* so that there is a figure of it */
    return OK;
}

int host_run(const struct host_options *options)
{
    struct host h = { .options = options };
    struct err why = { 0 };

    int rc = uv_loop_init(&h.loop);
    if (rc != 0) {
        log_err("host: no event loop: %s", uv_strerror(rc));
        return 1;
    }
    watch_signals(&h);
    notify_init(&h.notify, &h.loop, on_ping, &h);
    notify_status("opening the database");
    if (start(&h, &why) != OK) {
        log_err("host: %s", why.msg);
        h.exit_status = 1;
        if (h.service)
            stop(&h);
        else
            close_handles(&h);
    }
    uv_run(&h.loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&h.loop);
    if (rc != 0) /* a plugin left a handle open */
        log_warn("host: loop not closed: %s", uv_strerror(rc));
    reread_fini(&h.kept);
    log_info("host: stopped status=%d", h.exit_status);
    if (h.has_lost) { /* libuv waits for its threads at the exit, and one of them may wait for ever
                       */
        fflush(NULL);
        _exit(h.exit_status);
    }
    return h.exit_status;
}
