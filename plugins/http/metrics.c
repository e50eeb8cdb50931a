/* metrics.c - see metrics.h. */
#include "metrics.h"

#include "routes.h"
#include "server.h"
#include "str.h"
#include "tls.h"

static const unsigned STATUSES[METRIC_STATUSES - 1] = {
    200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 409, 411, 412, 413, 415, 431, 500, 503
};
static const double BOUNDS[METRIC_BOUNDS] = { 0.001, 0.0025, 0.005, 0.01, 0.025,
                                              0.05,  0.1,    0.5,   1,    5 };

/* The last is for all others: a peer that went before it had an answer. */
static size_t status_slot(unsigned status)
{
    size_t i = 0;

    while (i < METRIC_STATUSES - 1 && STATUSES[i] != status)
        i++;
    return i;
}

static size_t route_slot(const struct route *route)
{
    for (size_t i = 0; i < METRIC_ROUTES - 1 && route_at(i); i++)
        if (route_at(i) == route)
            return i;
    return METRIC_ROUTES - 1;
}

void http_metrics_count(struct http_metrics *m, const struct route *route, unsigned status,
                        uint64_t took_ns, size_t body_bytes)
{
    double seconds = (double)took_ns / 1e9;
    size_t bound = 0;

    m->requests[route_slot(route)][status_slot(status)]++;
    m->body_bytes += body_bytes;
    while (bound < METRIC_BOUNDS && seconds > BOUNDS[bound])
        bound++;
    m->took[bound]++;
    m->took_ns += took_ns;
}

static void head(struct str *out, const char *name, const char *type, const char *help)
{
    str_printf(out, "# HELP pathwayd_http_%s %s\n# TYPE pathwayd_http_%s %s\n", name, help, name,
               type);
}

static void write_requests(struct str *out, const struct http_metrics *m)
{
    head(out, "requests_total", "counter", "Requests that are over, by route and status.");
    for (size_t i = 0; i < METRIC_ROUTES; i++)
        for (size_t j = 0; j < METRIC_STATUSES; j++)
            if (m->requests[i][j] > 0)
                str_printf(out, "pathwayd_http_requests_total{route=\"%s\",status=\"%u\"} %llu\n",
                           route_at(i) && i < METRIC_ROUTES - 1 ? route_at(i)->path : "none",
                           j < METRIC_STATUSES - 1 ? STATUSES[j] : 0,
                           (unsigned long long)m->requests[i][j]);
}

static void write_times(struct str *out, const struct http_metrics *m)
{
    unsigned long long sum = 0;

    head(out, "request_seconds", "histogram",
         "From a request's head to the end of its answer; streams count when they end.");
    for (size_t i = 0; i <= METRIC_BOUNDS; i++) {
        sum += m->took[i];
        if (i < METRIC_BOUNDS)
            str_printf(out, "pathwayd_http_request_seconds_bucket{le=\"%g\"} %llu\n", BOUNDS[i],
                       sum);
        else
            str_printf(out, "pathwayd_http_request_seconds_bucket{le=\"+Inf\"} %llu\n", sum);
    }
    str_printf(out,
               "pathwayd_http_request_seconds_sum %.9f\npathwayd_http_request_seconds_count %llu\n",
               (double)m->took_ns / 1e9, sum);
}

void http_metrics_write(struct str *out, const struct server *s)
{
    const struct http_metrics *m = &s->metrics;

    write_requests(out, m);
    write_times(out, m);
    head(out, "received_bytes_total", "counter", "Of the bodies of requests.");
    str_printf(out, "pathwayd_http_received_bytes_total %llu\n", (unsigned long long)m->body_bytes);
    head(out, "connections_total", "counter", "Connections that were taken.");
    str_printf(out, "pathwayd_http_connections_total %llu\n", (unsigned long long)m->connections);
    head(out, "connections", "gauge", "Connections that are open.");
    str_printf(out, "pathwayd_http_connections %u\n", s->connections);
    head(out, "connections_limit", "gauge", "So many may be open; further ones wait.");
    str_printf(out, "pathwayd_http_connections_limit %u\n", s->max_connections);
    head(out, "cut_total", "counter",
         "Connections that were cut off because their peer took too long.");
    str_printf(out,
               "pathwayd_http_cut_total{reason=\"silent\"} %llu\n"
               "pathwayd_http_cut_total{reason=\"slow\"} %llu\n",
               (unsigned long long)m->cut_idle, (unsigned long long)m->cut_slow);
    if (s->certificate) {
        head(out, "certificate_expiry_timestamp_seconds", "gauge",
             "Until when the certificate that is served is good, since 1970.");
        str_printf(out, "pathwayd_http_certificate_expiry_timestamp_seconds %lld\n",
                   (long long)tls_ends(s->certificate));
    }
    head(out, "streams", "gauge", "Those who watch the feed live.");
    str_printf(out, "pathwayd_http_streams %llu\n", (unsigned long long)m->streams);
    head(out, "streamed_total", "counter", "Entries of the feed that were shown to them.");
    str_printf(out, "pathwayd_http_streamed_total %llu\n", (unsigned long long)m->streamed);
    head(out, "pending_body_bytes", "gauge", "Of the bodies of requests that are being read.");
    str_printf(out, "pathwayd_http_pending_body_bytes %zu\n", s->body_bytes);
}
