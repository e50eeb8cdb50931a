/* plugin.c - the feed into files: reads a page, has it written by a worker thread, moves its
 * cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "output.h"
#include "plugin_jsonl.h"

#define PAGE         1000
#define BUSY_MS      250
#define FAULT_MS     5000
#define DEFAULT_MIB  64
#define DEFAULT_KEEP 10

struct jsonl {
    const struct pw_host *host; /* borrowed */
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_work_t work;
    struct output output;
    struct pw_cursor *cursor; /* NULL: not open yet */
    struct last_entry last;   /* that the files ended with when it started */
    int64_t place, head;
    char *bytes; /* being written */
    size_t len;
    int64_t seq;               /* of the last entry that is on disk */
    bool is_asking, is_placed; /* where to go on; it is known */
    bool is_working, is_reading, is_ok, is_stopping, was_told;
    char error[512];
    uint64_t written, faults;
    pw_done_fn *stopped;
    void *stopped_arg;
};

static void go_on(struct jsonl *j);

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void later(struct jsonl *j, uint64_t ms)
{
    if (!j->is_stopping)
        uv_timer_start(&j->timer, on_timer, ms, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct jsonl *j = handle->data;
    pw_done_fn *stopped = j->stopped;
    void *arg = j->stopped_arg;

    output_close(&j->output);
    free(j->output.path);
    free(j->bytes);
    free(j);
    stopped(arg);
}

/* ---- writing ---- */

static void run_work(uv_work_t *work)
{
    struct jsonl *j = work->data;
    struct last_entry last;

    j->is_ok = j->output.fd >= 0 || output_open(&j->output, &last, j->error, sizeof(j->error));
    if (j->is_ok)
        j->is_ok = output_write(&j->output, j->bytes, j->len, &j->seq, j->error, sizeof(j->error));
}

static void take_written(struct jsonl *j)
{
    j->place = j->seq;
    j->written += j->len;
    j->was_told = false;
    j->host->cursor_ack(j->host->ctx, j->cursor, j->seq);
    go_on(j);
}

/* Told once, tried again for as long as it lasts: the place in the feed stays. */
static void take_fault(struct jsonl *j)
{
    if (j->seq > j->place) { /* some of it is written */
        j->place = j->seq;
        j->host->cursor_ack(j->host->ctx, j->cursor, j->seq);
    }
    j->faults++;
    if (!j->was_told)
        j->host->log(j->host->ctx, 0, j->error);
    j->was_told = true;
    later(j, FAULT_MS);
}

static void after_work(uv_work_t *work, int status)
{
    struct jsonl *j = work->data;

    j->is_working = false;
    free(j->bytes);
    j->bytes = NULL;
    if (j->is_ok && status == 0 && !j->is_stopping)
        take_written(j);
    else if (j->is_stopping)
        uv_close((uv_handle_t *)&j->timer, on_closed);
    else
        take_fault(j);
}

static bool join_lines(struct jsonl *j, const struct pw_changes *page)
{
    size_t len = 0;

    for (size_t i = 0; i < page->count; i++)
        len += page->items[i].len + 1;
    j->bytes = malloc(len + 1);
    if (!j->bytes)
        return false;
    j->len = 0;
    for (size_t i = 0; i < page->count; i++) {
        memcpy(j->bytes + j->len, page->items[i].json, page->items[i].len);
        j->len += page->items[i].len;
        j->bytes[j->len++] = '\n';
    }
    j->seq = j->place;
    return true;
}

/* ---- reading ---- */

static void on_page(void *arg, const struct pw_changes *page)
{
    struct jsonl *j = arg;

    j->is_reading = false;
    if (j->is_stopping)
        return;
    if (page->status != PW_OK) {
        later(j, BUSY_MS);
        return;
    }
    j->head = page->head > j->head ? page->head : j->head;
    if (page->count == 0)
        return;
    j->work.data = j;
    j->is_working =
        join_lines(j, page) && uv_queue_work(j->loop, &j->work, run_work, after_work) == 0;
    if (!j->is_working)
        later(j, BUSY_MS);
}

static void ask_place(struct jsonl *j);

static void go_on(struct jsonl *j)
{
    if (j->cursor && !j->is_placed && !j->is_asking && !j->is_stopping)
        ask_place(j);
    if (!j->is_placed || j->is_reading || j->is_working || j->is_stopping)
        return;
    j->is_reading = j->host->changes(j->host->ctx, j->place, PAGE, on_page, j) == PW_OK;
    if (!j->is_reading)
        later(j, BUSY_MS);
}

static void changed(void *self, int64_t head_seq)
{
    struct jsonl *j = self;

    if (head_seq > j->place && !uv_is_active((uv_handle_t *)&j->timer))
        go_on(j);
}

/* The files are further than a crash let the cursor come; or further than the feed is, which goes
 * on elsewhere. */
static void begin(struct jsonl *j, int64_t common)
{
    char text[300];

    if (common < j->last.seq) {
        snprintf(text, sizeof(text),
                 "the files end with an entry that is not in this feed id=%s reason=\"the "
                 "database is another "
                 "one, or was restored from a backup\" next_after=%lld",
                 j->last.id, (long long)(common > j->place ? common : j->place));
        j->host->log(j->host->ctx, 1, text);
    }
    if (common > j->place) {
        j->place = common;
        j->host->cursor_ack(j->host->ctx, j->cursor, common);
    }
    j->is_placed = true;
    go_on(j);
}

static void on_place(void *arg, enum pw_status status, const char *text, size_t len)
{
    static const char KEY[] = "{\"common\":"; /* a number, or null */
    struct jsonl *j = arg;

    (void)len;
    j->is_asking = false;
    if (j->is_stopping)
        return;
    if (status == PW_OK && strncmp(text, KEY, sizeof(KEY) - 1) == 0)
        begin(j, strtoll(text + sizeof(KEY) - 1, NULL, 10));
    else if (status == PW_INPUT) /* no id: it was not written here */
        begin(j, 0);
    else
        later(j, BUSY_MS);
}

/* How much of what is in the files does the feed have? */
static void ask_place(struct jsonl *j)
{
    char params[120];

    if (j->last.seq == 0) {
        begin(j, 0);
        return;
    }
    if (!j->last.id[0]) { /* an older version's, by the name of its file */
        begin(j, j->last.seq);
        return;
    }
    snprintf(params, sizeof(params), "{\"of\":\"%s\"}", j->last.id);
    j->is_asking = j->host->ask(j->host->ctx, "place", params, on_place, j) == PW_OK;
    if (!j->is_asking)
        later(j, BUSY_MS);
}

static void on_cursor(void *arg, enum pw_status status, struct pw_cursor *cursor, int64_t place,
                      const char *error)
{
    struct jsonl *j = arg;

    if (status != PW_OK) {
        j->host->give_up(j->host->ctx, error);
        return;
    }
    j->cursor = cursor;
    j->place = place;
    ask_place(j);
}

/* ---- starting and stopping ---- */

struct number {
    const char *key;
    int64_t low, high;
};
static const struct number MIB = { "max_mib", 1, 1 << 20 }, KIB = { "max_kib", 1, 1 << 30 },
                           KEEP = { "keep", 1, 100000 };

static bool read_number(int64_t *out, const struct pw_host *host, const struct number *number,
                        int64_t otherwise, char *error, size_t size)
{
    const char *text = host->config(host->ctx, number->key);
    char *end = NULL;

    *out = otherwise;
    if (!text)
        return true;
    long long n = strtoll(text, &end, 10);
    if (end != text && !*end && n >= number->low && n <= number->high) {
        *out = n;
        return true;
    }
    snprintf(error, size, "'%s' is '%s'; expected a whole number from %lld to %lld", number->key,
             text, (long long)number->low, (long long)number->high);
    return false;
}

static void check(const struct pw_host *host, struct pw_problems *problems)
{
    static const struct number *const NUMBERS[] = { &MIB, &KIB, &KEEP };
    char why[512];
    int64_t n;

    for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++)
        if (!read_number(&n, host, NUMBERS[i], 0, why, sizeof(why)))
            host->problem(host->ctx, problems, NUMBERS[i]->key, why);
}

static bool set_up(struct jsonl *j, char *error, size_t size)
{
    const char *file = j->host->config(j->host->ctx, "file");
    int64_t mib, kept, kib;

    if (!read_number(&mib, j->host, &MIB, DEFAULT_MIB, error, size) ||
        !read_number(&kib, j->host, &KIB, mib * 1024, error, size) ||
        !read_number(&kept, j->host, &KEEP, DEFAULT_KEEP, error, size))
        return false;
    j->output.fd = -1;
    j->output.max_size = kib * 1024;
    j->output.keep = (int)kept;
    if (file)
        j->output.path = strdup(file);
    else if (asprintf(&j->output.path, "%s/feed.jsonl", j->host->folder(j->host->ctx)) < 0)
        j->output.path = NULL;
    if (!j->output.path || strlen(j->output.path) > 4000) {
        snprintf(error, size, "the path of its file is too long");
        return false;
    }
    return output_open(&j->output, &j->last, error, size);
}

static int start(const struct pw_host *host, void **self, char *error, size_t size)
{
    struct jsonl *j = calloc(1, sizeof(*j));

    *self = j;
    if (!j) {
        snprintf(error, size, "no memory");
        return -1;
    }
    j->host = host;
    j->loop = host->loop(host->ctx);
    bool ok = set_up(j, error, size);
    if (ok && host->cursor_open(host->ctx, "feed", PW_FROM_START, on_cursor, j) != PW_OK) {
        snprintf(error, size, "the host takes no more");
        ok = false;
    }
    if (ok) {
        uv_timer_init(j->loop, &j->timer);
        j->timer.data = j;
        return 0;
    }
    output_close(&j->output);
    free(j->output.path);
    free(j);
    return -1;
}

static void measure(void *self, struct pw_meter *m)
{
    const struct jsonl *j = self;
    const struct pw_host *h = j->host;

    h->measure(h->ctx, m, PW_COUNTER, "pathwayd_jsonl_written_bytes_total",
               "What was written to the files", NULL, (double)j->written);
    h->measure(h->ctx, m, PW_COUNTER, "pathwayd_jsonl_faults_total", "Writes that failed", NULL,
               (double)j->faults);
}

static void stop(void *self, pw_done_fn *done, void *arg)
{
    struct jsonl *j = self;

    j->is_stopping = true;
    j->stopped = done;
    j->stopped_arg = arg;
    uv_timer_stop(&j->timer);
    if (!j->is_working)
        uv_close((uv_handle_t *)&j->timer, on_closed);
}

static const char *const KEYS[] = { "file", "max_mib", "max_kib", "keep", NULL };

PW_PLUGIN pathway_plugin_jsonl = {
    .abi_major = PW_ABI_MAJOR,
    .abi_minor = PW_ABI_MINOR,
    .name = "jsonl",
    .keys = KEYS,
    .start = start,
    .changed = changed,
    .stop = stop,
    .measure = measure,
    .check = check,
};
