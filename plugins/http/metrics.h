/* metrics.h - what is counted of HTTP, and how Prometheus reads it. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct str;
struct route;
struct server;

#define METRIC_ROUTES   64
#define METRIC_STATUSES 20
#define METRIC_BOUNDS   10

struct http_metrics {
    uint64_t requests[METRIC_ROUTES][METRIC_STATUSES]; /* by route (the last: none) and status */
    uint64_t took[METRIC_BOUNDS + 1];                  /* up to each bound; the last: longer */
    uint64_t took_ns;
    uint64_t body_bytes;
    uint64_t connections; /* ever taken */
    uint64_t cut_idle, cut_slow;
    uint64_t streams;  /* open now */
    uint64_t streamed; /* entries that they were shown */
};

void http_metrics_count(struct http_metrics *m, const struct route *route, unsigned status,
                        uint64_t took_ns, size_t body_bytes);
/* Append in Prometheus' text format. */
void http_metrics_write(struct str *out, const struct server *s);

#endif
