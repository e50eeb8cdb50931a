/*
 * client.h - connections that send requests as fast as they are answered, from one epoll loop.
 *
 * A stream is a list of requests and the connections that work through it: each takes the next
 * one as soon as its last is answered, and keeps the connection open. A request that is answered
 * 503 is sent again on the same connection after RETRY_US; its latency goes on counting.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "requests.h"

#define CLIENTS_MAX 64
#define RETRY_US    20000

/* As the answers have them. */
struct statuses {
    int64_t accepted, duplicate, conflict, invalid;
};

/* When so many events had been acknowledged. */
struct mark {
    size_t events;
    size_t acknowledged; /* as many, or some more: answers are for whole requests. 0: not yet */
    int64_t us;          /* since the stream began */
};

struct stream {
    struct requests requests;
    size_t next;         /* first request that nobody has taken */
    size_t acknowledged; /* events */
    size_t answered;     /* requests */
    size_t retries;
    struct statuses statuses;
    struct latencies latencies;
    struct mark *marks; /* ascending; borrowed */
    size_t mark_count;
    int64_t began, ended; /* monotonic, the last answer */
};

/*
 * Send `main` over `clients` connections to 127.0.0.1:port, and `beside` (NULL: nothing) over one
 * more for as long as that lasts. Any answer but 200 and 503 ends the program.
 */
void client_run(int port, struct stream *main, int clients, struct stream *beside);

/* GET a path on a connection of its own; the body in `out`, cut to `size`. */
void client_get(int port, const char *path, char *out, size_t size);

#endif
