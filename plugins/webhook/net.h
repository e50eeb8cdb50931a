/*
 * net.h - requests to receivers: libcurl's multi interface on the loop.
 */
#ifndef WEBHOOK_NET_H
#define WEBHOOK_NET_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "networks.h"

struct net;
struct transfer;

struct net_options {
    struct networks allow; /* addresses that may be connected to though they are not public */
    int timeout_s;         /* of a request, all of it */
    const char *ca;        /* certificates to trust in place of the system's; NULL: those */
};

struct outcome {
    int status;       /* of the answer; 0: there was none */
    long retry_after; /* seconds, as the answer asks; 0: it does not */
    long took_ms;
    char error[256]; /* "" when the status is 2xx; else a sentence */
};
typedef void outcome_fn(void *arg, const struct outcome *outcome);

struct header {
    const char *name, *value;
};

struct net *net_new(uv_loop_t *loop, const struct net_options *options);
/*
 * POST `body` (borrowed until the end). `done` runs once, later, unless it is cancelled before.
 * NULL: no memory; no call.
 */
struct transfer *net_post(struct net *n, const char *url, const struct header *headers,
                          const char *body, size_t len, outcome_fn *done, void *arg);
void net_cancel(struct transfer *t);
/* No transfer may be under way. `done` when all handles are closed; `n` is freed. */
void net_close(struct net *n, void (*done)(void *arg), void *arg);

/* Is it a URL that webhooks can have? Else `error` says what is wrong. */
bool net_check_url(const char *url, char *error, size_t size);

#endif
