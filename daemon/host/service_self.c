/* service_self.c - what only the host knows: whether it is ready, what waits, its figures. */
#include "host/service_internal.h"

#include <string.h>

#include "base/json.h"
#include "host/metrics.h"

static const char *unready_reason(const struct service *s)
{
    if (s->is_stopping)
        return "the daemon is stopping";
    return s->is_ready ? NULL : "the database is being opened";
}

void service_describe(struct service *s, struct buf *out)
{
    const char *reason = unready_reason(s);

    buf_printf(out, "\"ready\":%s,\"uptime_seconds\":%lld,\"queue_events\":%zu",
               reason ? "false" : "true", (long long)(clock_monotonic() - s->began) / 1000000,
               worker_queued(s->worker));
    buf_printf(out, ",\"refold_lag\":%llu,\"held_back\":%llu",
               (unsigned long long)worker_figures(s->worker)->engine.refold_lag,
               (unsigned long long)worker_figures(s->worker)->engine.held_back);
    if (worker_engine(s->worker)) {
        buf_str(out, ",\"rule_errors\":");
        engine_write_failures(worker_engine(s->worker), false, out);
    }
    buf_printf(out, ",\"skipped_events\":%llu,",
               (unsigned long long)worker_figures(s->worker)->engine.skipped);
    reload_describe(s->reload, out);
    if (reason) {
        buf_str(out, ",\"reason\":");
        json_write_cstr(out, reason);
    }
    s->callbacks.describe(s->arg, out);
}

static void write_self(struct service *s, struct buf *out)
{
    buf_char(out, '{');
    service_describe(s, out);
    buf_str(out, ",\"version\":\"" PATHWAY_VERSION "\"}");
}

static void write_metrics(struct service *s, struct buf *out)
{
    struct metrics m = { .queue_events = worker_queued(s->worker),
                         .figures = *worker_figures(s->worker) };

    memcpy(m.events, s->events, sizeof(m.events));
    metrics_write(out, &m);
    if (worker_engine(s->worker))
        engine_write_failures(worker_engine(s->worker), true, out);
    if (s->callbacks.measure)
        s->callbacks.measure(s->arg, out);
}

static void write_consumers(struct service *s, struct buf *out)
{
    buf_printf(out, "{\"seq\":%lld,\"items\":", (long long)service_head(s));
    if (s->callbacks.consumers)
        s->callbacks.consumers(s->arg, out);
    else
        buf_str(out, "[]");
    buf_char(out, '}');
}

static void write_questions(struct service *s, struct buf *out)
{
    buf_str(out, "{\"items\":");
    if (s->readers)
        readers_write(out, s->readers);
    else
        buf_str(out, "[]");
    buf_char(out, '}');
}

enum pw_status service_answer_self(struct service *s, const char *question, pw_answer_fn *done,
                                   void *arg)
{
    struct buf text = { 0 };

    if (strcmp(question, "metrics") == 0)
        write_metrics(s, &text);
    else if (strcmp(question, "consumers") == 0)
        write_consumers(s, &text);
    else if (strcmp(question, "questions") == 0)
        write_questions(s, &text);
    else
        write_self(s, &text);
    return service_answer(s, question, buf_take(&text), done, arg);
}
