/* requests.c - see requests.h. */
#include "requests.h"

#include <stdlib.h>

static void write_head(struct request *r, const char *type)
{
    int n = snprintf(r->head, sizeof(r->head),
                     "POST /v1/events HTTP/1.1\r\nHost: bench\r\nContent-Type: %s\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     type, r->body_len);
    if (n < 0 || (size_t)n >= sizeof(r->head))
        die("a request's head is longer than %zu bytes", sizeof(r->head) - 1);
    r->head_len = (size_t)n;
}

struct requests requests_cut(const struct lines *lines, size_t skip, size_t batch)
{
    struct requests out = { 0 };

    if (skip >= lines->count || batch == 0)
        return out;
    out.events = lines->count - skip;
    out.count = (out.events + batch - 1) / batch;
    out.items = need(calloc(out.count, sizeof(*out.items)));
    for (size_t i = 0; i < out.count; i++) {
        struct request *r = &out.items[i];
        size_t first = skip + i * batch;
        r->events = lines->count - first < batch ? lines->count - first : batch;
        r->body = lines->bytes + lines->start[first];
        r->body_len = lines->start[first + r->events] - lines->start[first];
        write_head(r, batch == 1 ? "application/cloudevents+json" : "application/x-ndjson");
    }
    return out;
}
