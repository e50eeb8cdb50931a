/* plugin.c - the plugin's descriptor, and its rhythm: see spool.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_spool.h"
#include "spool.h"

#define INTERVAL_S 5
#define SETTLE_S   2
#define LATER_MS   250

void spool_log(const struct spool *s, int level, const char *fmt, ...)
{
    char line[1000];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    s->host->log(s->host->ctx, level, line);
}

/* ---- work on another thread ---- */

static void close_when_idle(struct spool *s);

static void run_work(uv_work_t *work)
{
    struct spool *s = work->data;

    s->error[0] = '\0';
    s->work_ok = s->blocking(s);
}

static void after_work(uv_work_t *work, int status)
{
    struct spool *s = work->data;

    s->is_busy = s->is_working = false;
    if (status != 0)
        s->work_ok = false;
    if (s->is_stopping)
        close_when_idle(s);
    else
        s->then(s);
}

void spool_work(struct spool *s, bool (*blocking)(struct spool *s), void (*then)(struct spool *s))
{
    s->work.data = s;
    s->blocking = blocking;
    s->then = then;
    s->is_busy = s->is_working = uv_queue_work(s->loop, &s->work, run_work, after_work) == 0;
    if (!s->is_busy)
        spool_later(s);
}

/* ---- the rhythm ---- */

static bool take_work(struct spool *s)
{
    free(s->taken);
    s->taken = NULL;
    return folder_take(&s->taken, &s->is_new, &s->folder, s->error, sizeof(s->error));
}

static void on_timer(uv_timer_t *timer)
{
    spool_go_on(timer->data);
}

static void on_taken(struct spool *s)
{
    if (!s->work_ok) {
        s->files_faults++;
        spool_log(s, 0, "%s", s->error);
    }
    if (s->work_ok && s->taken)
        file_begin(s);
    else
        uv_timer_start(&s->timer, on_timer, (uint64_t)s->interval_s * 1000, 0);
}

static void ask_state(struct spool *s);

void spool_go_on(struct spool *s)
{
    if (s->is_busy || s->is_stopping)
        return;
    uv_timer_stop(&s->timer);
    if (s->is_unknown) {
        ask_state(s);
        return;
    }
    if (s->taken && s->at.name)
        file_go_on(s);
    else
        spool_work(s, take_work, on_taken);
}

void spool_later(struct spool *s)
{
    if (!s->is_stopping)
        uv_timer_start(&s->timer, on_timer, LATER_MS, 0);
}

/* A new file has to settle first; with nothing under way this brings the next look nearer. */
static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct spool *s = event->data;

    (void)name;
    (void)events;
    if (status == 0 && !s->is_busy && !s->taken && !s->is_stopping)
        uv_timer_start(&s->timer, on_timer, (uint64_t)s->folder.settle_s * 1000 + 50, 0);
}

static void on_state(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct spool *s = arg;

    s->is_busy = false;
    if (s->is_stopping)
        return;
    if (status == PW_BUSY) {
        spool_later(s);
        return;
    }
    s->is_unknown = false;
    json_t *state = status == PW_OK ? json_loadb(text, len, 0, NULL) : NULL;
    if (!state) {
        s->host->give_up(s->host->ctx, status == PW_OK ? "what it has kept is no JSON" : text);
        return;
    }
    if (json_object_get(state, "current") &&
        !progress_read(&s->at, json_object_get(state, "current")))
        progress_fini(&s->at);
    json_decref(state);
    s->batch_lines = LINES_MAX;
    spool_go_on(s);
}

static void ask_state(struct spool *s)
{
    s->is_busy = s->host->state_get(s->host->ctx, on_state, s) == PW_OK;
    if (!s->is_busy)
        spool_later(s);
}

/* ---- starting ---- */

static bool read_seconds(int *out, const struct pw_host *host, const char *key, int low,
                         int otherwise, char *error, size_t size)
{
    const char *text = host->config(host->ctx, key);
    char *end = NULL;

    *out = otherwise;
    if (!text)
        return true;
    long n = strtol(text, &end, 10);
    if (end != text && !*end && n >= low && n <= 86400) {
        *out = (int)n;
        return true;
    }
    snprintf(error, size, "'%s' is '%s'; expected seconds, from %d to 86400", key, text, low);
    return false;
}

static bool read_interval(int *out, const struct pw_host *host, char *error, size_t size)
{
    return read_seconds(out, host, "interval", 1, INTERVAL_S, error, size);
}

static bool read_settle(int *out, const struct pw_host *host, char *error, size_t size)
{
    return read_seconds(out, host, "settle", 0, SETTLE_S, error, size);
}

static void check(const struct pw_host *host, struct pw_problems *problems)
{
    char why[ERROR_TEXT];
    int seconds;

    if (!read_interval(&seconds, host, why, sizeof(why)))
        host->problem(host->ctx, problems, "interval", why);
    if (!read_settle(&seconds, host, why, sizeof(why)))
        host->problem(host->ctx, problems, "settle", why);
}

static bool set_up(struct spool *s, char *error, size_t size)
{
    const char *folder = s->host->config(s->host->ctx, "folder");
    const char *mappings = s->host->config(s->host->ctx, "mappings");
    char usual[4096];

    snprintf(usual, sizeof(usual), "%s/spool", s->host->folder(s->host->ctx));
    if (!read_interval(&s->interval_s, s->host, error, size) ||
        !read_settle(&s->folder.settle_s, s->host, error, size) ||
        !folder_open(&s->folder, folder ? folder : usual, error, size))
        return false;
    s->mappings = mappings ? strdup(mappings) : NULL;
    if (!mappings && asprintf(&s->mappings, "%s/mappings", s->folder.root) < 0)
        s->mappings = NULL;
    if (!s->mappings)
        snprintf(error, size, "no memory");
    return s->mappings != NULL;
}

static void watch_folder(struct spool *s)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/in", s->folder.root);
    uv_timer_init(s->loop, &s->timer);
    uv_fs_event_init(s->loop, &s->event);
    s->timer.data = s->event.data = s;
    s->handles = 2;
    int rc = uv_fs_event_start(&s->event, on_event, path, 0);
    if (rc != 0)
        spool_log(s, 1, "folder not watched, looking every %d s error=%s", s->interval_s,
                  uv_strerror(rc));
}

static int start(const struct pw_host *host, void **self, char *error, size_t size)
{
    struct spool *s = calloc(1, sizeof(*s));

    *self = s;
    if (!s) {
        snprintf(error, size, "no memory");
        return -1;
    }
    s->host = host;
    s->loop = host->loop(host->ctx);
    bool ok = set_up(s, error, size);
    if (ok && host->state_get(host->ctx, on_state, s) != PW_OK) {
        snprintf(error, size, "the host takes no more");
        ok = false;
    }
    if (!ok) {
        folder_close(&s->folder);
        free(s->mappings);
        free(s);
        return -1;
    }
    s->is_busy = true;
    watch_folder(s);
    spool_log(s, 2, "watching folder=%s/in", s->folder.root);
    return 0;
}

/* ---- measuring, stopping ---- */

static void measure(void *self, struct pw_meter *m)
{
    static const char *const DONE[] = { "result", "done", NULL };
    static const char *const FAILED[] = { "result", "failed", NULL };
    const struct spool *s = self;
    const struct pw_host *h = s->host;

    h->measure(h->ctx, m, PW_COUNTER, "pathwayd_spool_files_total", "Files that were put away",
               DONE, (double)s->files_done);
    h->measure(h->ctx, m, PW_COUNTER, "pathwayd_spool_files_total", "", FAILED,
               (double)s->files_failed);
    for (size_t i = 0; i < 4; i++) {
        const char *const labels[] = { "status", file_statuses[i], NULL };
        h->measure(h->ctx, m, PW_COUNTER, "pathwayd_spool_events_total",
                   "Events of files that were put away", labels, (double)s->events[i]);
    }
    h->measure(h->ctx, m, PW_GAUGE, "pathwayd_spool_busy", "Whether a file is under way", NULL,
               s->taken != NULL);
    h->measure(h->ctx, m, PW_COUNTER, "pathwayd_spool_faults_total",
               "Times that the folder could not be used", NULL, (double)s->files_faults);
}

static void on_closed(uv_handle_t *handle)
{
    struct spool *s = handle->data;

    if (--s->handles > 0)
        return;
    pw_done_fn *stopped = s->stopped;
    void *arg = s->stopped_arg;
    sending_free(s->sending);
    progress_fini(&s->at);
    piece_fini(&s->piece);
    json_decref(s->items);
    json_decref(s->places);
    free(s->taken);
    free(s->report);
    folder_close(&s->folder);
    free(s->mappings);
    free(s);
    stopped(arg);
}

static void close_when_idle(struct spool *s)
{
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->event, on_closed);
}

/* Work on a thread is waited for; what the host still has to answer is dropped: the file stays in
 * work. */
static void stop(void *self, pw_done_fn *done, void *arg)
{
    struct spool *s = self;
    s->is_stopping = true;
    s->stopped = done;
    s->stopped_arg = arg;
    if (!s->is_working)
        close_when_idle(s);
}

static const char *const KEYS[] = { "folder", "mappings", "interval", "settle", NULL };

PW_PLUGIN pathway_plugin_spool = {
    .abi_major = PW_ABI_MAJOR,
    .abi_minor = PW_ABI_MINOR,
    .name = "spool",
    .keys = KEYS,
    .start = start,
    .stop = stop,
    .measure = measure,
    .check = check,
};
