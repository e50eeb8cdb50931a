/*
 * sample.c - a plugin to begin with: tells the log when a school becomes ready for something.
 *
 * It does what most plugins do: reads its configuration, keeps a durable place in the feed, reads
 * on when there is more, answers a question, counts. It is built outside pathwayd's tree, against
 * the installed header (see the Makefile); docs/plugin-author.md walks through it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h> /* the daemon has libuv in it: there is nothing to link */

#include <pathway/plugin.h>

#define PAGE     100
#define AGAIN_MS 200 /* when the host was busy */

struct sample {
    const struct pw_host *host;
    char prefix[64];          /* only decisions that begin so */
    struct pw_cursor *cursor; /* NULL until the host has opened it */
    int64_t place;            /* all up to here is dealt with */
    bool is_reading;
    bool is_stopping;
    uint64_t told;
    uv_timer_t again;
    pw_done_fn *done; /* of stop() */
    void *done_arg;
};

static void read_on(struct sample *s);

static void tell(struct sample *s, const struct pw_change *c)
{
    char line[300];

    if (strncmp(c->decision, s->prefix, strlen(s->prefix)) != 0)
        return;
    snprintf(line, sizeof(line), "changed subject=%s decision=%s seq=%lld", c->subject, c->decision,
             (long long)c->seq);
    s->host->log(s->host->ctx, 2, line);
    s->told++;
}

static void on_again(uv_timer_t *timer)
{
    read_on(timer->data);
}

/* Deal with the page first, and only then move the place: whoever is killed between the two sees
 * the page again, and never misses one. */
static void on_page(void *arg, const struct pw_changes *page)
{
    struct sample *s = arg;

    s->is_reading = false;
    if (page->status != PW_OK) {
        uv_timer_start(&s->again, on_again, AGAIN_MS, 0);
        return;
    }
    if (page->count == 0)
        return; /* changed() will be called when there is more */
    for (size_t i = 0; i < page->count; i++)
        tell(s, &page->items[i]);
    s->place = page->items[page->count - 1].seq;
    s->host->cursor_ack(s->host->ctx, s->cursor, s->place);
    read_on(s);
}

static void read_on(struct sample *s)
{
    if (!s->cursor || s->is_reading || s->is_stopping)
        return;
    s->is_reading = s->host->changes(s->host->ctx, s->place, PAGE, on_page, s) == PW_OK;
    if (!s->is_reading) /* nobody else would try again, until there is one more change */
        uv_timer_start(&s->again, on_again, AGAIN_MS, 0);
}

static void on_cursor(void *arg, enum pw_status status, struct pw_cursor *cursor, int64_t place,
                      const char *error)
{
    struct sample *s = arg;

    if (status != PW_OK) {
        s->host->give_up(s->host->ctx, error);
        return;
    }
    s->cursor = cursor;
    s->place = place;
    read_on(s);
}

/* pathway asks: POST /v1/plugins/sample.count */
static void on_count(void *self, struct pw_question *question, const char *params_json)
{
    struct sample *s = self;
    char text[100];

    (void)params_json;
    int len = snprintf(text, sizeof(text), "{\"told\":%llu,\"place\":%lld}",
                       (unsigned long long)s->told, (long long)s->place);
    s->host->answer(s->host->ctx, question, PW_OK, text, (size_t)len);
}

/* NULL: it is too long, and `error` says so. */
static const char *read_prefix(const struct pw_host *host, char *error, size_t error_size)
{
    const char *prefix = host->config(host->ctx, "prefix");

    if (!prefix)
        return "eligible_";
    if (strlen(prefix) < sizeof(((struct sample *)0)->prefix))
        return prefix;
    snprintf(error, error_size, "'prefix' is %zu bytes long; expected at most %zu", strlen(prefix),
             sizeof(((struct sample *)0)->prefix) - 1);
    return NULL;
}

/* For pathwayd --check, and before anything starts: values only. */
static void check(const struct pw_host *host, struct pw_problems *problems)
{
    char why[100];

    if (!read_prefix(host, why, sizeof(why)))
        host->problem(host->ctx, problems, "prefix", why);
}

static int start(const struct pw_host *host, void **self, char *error, size_t error_size)
{
    const char *prefix = read_prefix(host, error, error_size);
    struct sample *s = prefix ? calloc(1, sizeof(*s)) : NULL;

    if (!s) {
        if (prefix)
            snprintf(error, error_size, "no memory");
        return -1;
    }
    s->host = host;
    snprintf(s->prefix, sizeof(s->prefix), "%s", prefix);
    if (host->offer(host->ctx, "count", on_count) != PW_OK ||
        host->cursor_open(host->ctx, "log", PW_FROM_START, on_cursor, s) != PW_OK) {
        snprintf(error, error_size, "the host takes no more");
        free(s);
        return -1;
    }
    uv_timer_init(host->loop(host->ctx), &s->again); /* last: from here on stop() closes it */
    s->again.data = s;
    *self = s;
    return 0;
}

static void changed(void *self, int64_t head_seq)
{
    struct sample *s = self;

    if (head_seq > s->place)
        read_on(s);
}

static void measure(void *self, struct pw_meter *meter)
{
    const struct sample *s = self;

    s->host->measure(s->host->ctx, meter, PW_COUNTER, "pathwayd_sample_told_total",
                     "Changes that were told to the log", NULL, (double)s->told);
}

static void on_closed(uv_handle_t *handle)
{
    struct sample *s = handle->data;
    pw_done_fn *done = s->done;
    void *arg = s->done_arg;

    free(s);
    done(arg);
}

/* A handle's memory is libuv's until it is closed. What the host has not answered yet is dropped
 * once `done` has been called. */
static void stop(void *self, pw_done_fn *done, void *arg)
{
    struct sample *s = self;

    s->is_stopping = true;
    s->done = done;
    s->done_arg = arg;
    s->host->cursor_close(s->host->ctx, s->cursor, false);
    uv_close((uv_handle_t *)&s->again, on_closed);
}

static const char *const KEYS[] = { "prefix", NULL };

PW_PLUGIN pathway_plugin = {
    .abi_major = PW_ABI_MAJOR,
    .abi_minor = PW_ABI_MINOR,
    .name = "sample",
    .keys = KEYS,
    .start = start,
    .changed = changed,
    .stop = stop,
    .measure = measure,
    .check = check,
};
