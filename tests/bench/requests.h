/*
 * requests.h - events cut into HTTP requests before the clock starts.
 *
 * A request is a head of its own and a body that lies in the file of events as it is: while
 * the clock runs nothing is copied but by the kernel.
 */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include "common.h"

#define REQUEST_HEAD_MAX 160

struct request {
    char head[REQUEST_HEAD_MAX];
    size_t head_len;
    const char *body;
    size_t body_len;
    size_t events;
};

struct requests {
    struct request *items;
    size_t count;
    size_t events;
};

/* Lines `skip` and after, `batch` to a request; one alone goes as application/cloudevents+json. */
struct requests requests_cut(const struct lines *lines, size_t skip, size_t batch);

#endif
