/* plugin.c - the plugin's descriptor: started, told of changes, measured, stopped. See
 * webhook.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_webhook.h"
#include "webhook.h"

#define GRACE_MS 3000
#define MARK_KEY ".master-key" /* no endpoint's name begins with a dot in the list below */

void webhook_log(const struct webhook *w, int level, const char *fmt, ...)
{
    char line[700];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    w->host->log(w->host->ctx, level, line);
}

/* ---- what the database holds ---- */

static bool load_one(struct webhook *w, const char *name, const json_t *value)
{
    struct endpoint *e = endpoint_add(w, name);

    if (e && endpoint_read(e, value) && endpoint_begin(e, e->from))
        return true;
    if (e)
        endpoint_remove(e);
    webhook_log(w, 0, "endpoint not read name=%s", name);
    return false;
}

static void keep_mark(struct webhook *w)
{
    char mark[MARK_TEXT], json[MARK_TEXT + 2];

    master_mark(&w->master, mark);
    snprintf(json, sizeof(json), "\"%s\"", mark);
    if (w->host->state_set(w->host->ctx, MARK_KEY, json, NULL, NULL) != PW_OK)
        webhook_log(w, 1, "the mark of the key was not kept");
}

/* Signing with another key than receivers were told of would look like an attack to them. */
static bool is_same_key(const struct webhook *w, const json_t *state)
{
    const char *kept = json_string_value(json_object_get(state, MARK_KEY));
    char mark[MARK_TEXT];

    master_mark(&w->master, mark);
    return !kept || strcmp(kept, mark) == 0;
}

static void take_state(struct webhook *w, const json_t *state)
{
    const char *name;
    json_t *value;

    if (!is_same_key(w, state)) {
        w->host->give_up(w->host->ctx,
                         "its key is not the one that the database's webhooks were made with; put "
                         "that file back (key = FILE), or remove the row .master-key of webhook "
                         "from the table plugin_state and give every receiver a new secret");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)state, name, value) if (name[0] != '.')
        load_one(w, name, value);
    if (!json_object_get(state, MARK_KEY))
        keep_mark(w);
    w->is_loaded = true;
    questions_go_on(w);
    webhook_log(w, 2, "ready endpoints=%zu", w->count);
}

static void on_state(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct webhook *w = arg;

    if (w->is_stopping)
        return;
    json_t *state = status == PW_OK ? json_loadb(text, len, 0, NULL) : NULL;
    if (state)
        take_state(w, state);
    else
        w->host->give_up(w->host->ctx, status == PW_OK ? "what it has kept is no JSON" : text);
    json_decref(state);
}

/* ---- starting ---- */

static bool load_key(struct webhook *w, char *error, size_t size)
{
    char made[4096], why[512];

    snprintf(made, sizeof(made), "%s/webhook.key", w->host->folder(w->host->ctx));
    const char *path = w->settings.key ? w->settings.key : made;
    if (!master_load(&w->master, path, &w->is_new_key, error, size))
        return false;
    if (w->is_new_key)
        webhook_log(w, 2, "made a new key file=%s", path);
    if (!master_is_private(path, why, sizeof(why)))
        webhook_log(w, 1, "%s", why);
    return true;
}

static int start(const struct pw_host *host, void **self, char *error, size_t size)
{
    struct webhook *w = calloc(1, sizeof(*w));

    *self = w;
    if (!w) {
        snprintf(error, size, "no memory");
        return -1;
    }
    w->host = host;
    w->loop = host->loop(host->ctx);
    if (settings_read(&w->settings, host, error, size) && load_key(w, error, size)) {
        w->net = net_new(w->loop, &w->settings.net);
        if (!w->net)
            snprintf(error, size, "libcurl can not start");
        else if (!questions_offer(w) || host->state_get(host->ctx, on_state, w) != PW_OK)
            snprintf(error, size, "the host takes no more");
        else {
            uv_timer_init(w->loop, &w->grace);
            w->grace.data = w;
            w->handles++;
            return 0;
        }
    }
    free(w); /* of libcurl a little stays, once */
    return -1;
}

static void changed(void *self, int64_t head_seq)
{
    struct webhook *w = self;

    if (head_seq > w->head)
        w->head = head_seq;
    w->knows_head = true;
    for (struct endpoint *e = w->first, *next; e; e = next) {
        next = e->next;
        endpoint_pump(e);
    }
}

/* ---- measuring ---- */

static void measure_all(const struct webhook *w, struct pw_meter *m, enum pw_metric_kind kind,
                        const char *name, const char *help,
                        double (*value)(const struct endpoint *e))
{
    for (const struct endpoint *e = w->first; e; e = e->next) {
        const char *const labels[] = { "webhook", e->name, NULL };
        w->host->measure(w->host->ctx, m, kind, name, help, labels, value(e));
    }
}

static double delivered(const struct endpoint *e)
{
    return (double)e->delivered;
}

static double failed(const struct endpoint *e)
{
    return (double)e->failed;
}

static double is_up(const struct endpoint *e)
{
    return e->state == ENDPOINT_ACTIVE && e->failures == 0;
}

static double is_disabled(const struct endpoint *e)
{
    return e->state == ENDPOINT_DISABLED;
}

static void measure(void *self, struct pw_meter *m)
{
    const struct webhook *w = self;

    measure_all(w, m, PW_COUNTER, "pathwayd_webhook_delivered_total", "Entries that were taken",
                delivered);
    measure_all(w, m, PW_COUNTER, "pathwayd_webhook_failures_total", "Deliveries that failed",
                failed);
    measure_all(w, m, PW_GAUGE, "pathwayd_webhook_up", "Whether it is on and takes what it is sent",
                is_up);
    measure_all(w, m, PW_GAUGE, "pathwayd_webhook_disabled",
                "Whether it was switched off because nothing could be delivered", is_disabled);
}

/* ---- stopping ---- */

static void on_grace_closed(uv_handle_t *handle)
{
    webhook_handle_closed(handle->data);
}

static void on_net_closed(void *arg)
{
    struct webhook *w = arg;

    uv_close((uv_handle_t *)&w->grace, on_grace_closed);
    while (w->first) {
        struct endpoint *e = w->first;
        e->is_reading = false; /* the host drops what has not come back */
        w->host->cursor_close(w->host->ctx, e->cursor, false);
        endpoint_remove(e);
    }
}

void webhook_handle_closed(struct webhook *w)
{
    if (--w->handles > 0 || !w->is_stopping)
        return;
    pw_done_fn *stopped = w->stopped;
    void *arg = w->stopped_arg;
    kept_drop(w);
    free(w);
    stopped(arg);
}

static size_t under_way(const struct webhook *w)
{
    size_t n = 0;
    for (const struct endpoint *e = w->first; e; e = e->next)
        n += e->going;
    return n;
}

/* What is under way may finish, so that it is not sent again; not for long. */
static void on_grace(uv_timer_t *timer)
{
    struct webhook *w = timer->data;

    if (under_way(w) > 0 && uv_now(w->loop) < w->grace_end_ms) {
        uv_timer_start(timer, on_grace, 20, 0);
        return;
    }
    for (struct endpoint *e = w->first; e; e = e->next)
        endpoint_restart(e, e->acked);
    net_close(w->net, on_net_closed, w);
}

static void stop(void *self, pw_done_fn *done, void *arg)
{
    struct webhook *w = self;

    w->is_stopping = true;
    w->stopped = done;
    w->stopped_arg = arg;
    questions_go_on(w);
    tests_cancel(w);
    w->grace_end_ms = uv_now(w->loop) + GRACE_MS;
    uv_timer_start(&w->grace, on_grace, 0, 0);
}

static const char *const KEYS[] = { "key", "allow", "timeout", "retry", "parallel", "ca", NULL };

PW_PLUGIN pathway_plugin_webhook = {
    .abi_major = PW_ABI_MAJOR,
    .abi_minor = PW_ABI_MINOR,
    .name = "webhook",
    .keys = KEYS,
    .start = start,
    .changed = changed,
    .stop = stop,
    .measure = measure,
    .check = settings_check,
    .check_files = settings_check_files,
};
