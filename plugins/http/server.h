/*
 * server.h - libmicrohttpd under libuv: sockets in, requests to the routes, answers out.
 *
 * One thread: libmicrohttpd's epoll descriptor is polled by the loop, its timeout is a timer.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>
#include <uv.h>

#include <pathway/plugin.h>

#include "listen.h"
#include "metrics.h"

#define LISTENERS_MAX 8
#define LINGERERS_MAX 128
#define BODIES_MAX    4 /* bodies of the largest size that are read at a time */

struct server;

struct listener {
    struct listening socket;
    uv_poll_t poll;
    struct server *server;
    bool has_poll;
    bool is_tls;
};

/* A libmicrohttpd daemon, without or with TLS, under our loop. */
struct door {
    struct MHD_Daemon *mhd; /* NULL: not open */
    uv_poll_t poll;         /* its epoll descriptor */
    struct server *server;
};

struct server {
    const struct pw_host *host; /* borrowed */
    struct door plain, tls;
    uv_loop_t *loop;  /* borrowed */
    uv_timer_t sweep; /* who takes too long (link.c) */
    uv_timer_t due;   /* libmicrohttpd wants to run */
    uv_timer_t pause; /* accepting again after too many open files */
    uv_timer_t grace; /* how long slow senders may hold up a stop */
    uv_timer_t watch; /* the first of those who wait for the feed wants to hear something */
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    size_t max_body; /* bytes of a request */
    size_t max_header;
    uint64_t patience_ms;    /* how long a peer may take over one thing (link.c) */
    uint64_t swept_ms;       /* when that was looked at last */
    unsigned retry_ms;       /* after which the readers of a stream come again */
    uint64_t heartbeat_ms;   /* of streams */
    struct tls *certificate; /* NULL: no TLS (tls.c) */
    struct link *links;
    struct again *again; /* answers that may be given again (again.c) */
    struct http_metrics metrics;
    size_t body_bytes; /* of bodies being read, or announced; at most BODIES_MAX times max_body */
    unsigned connections; /* open ones */
    unsigned max_connections;
    unsigned socket_scopes; /* of members of our group, on the unix socket; of enum pw_scope */
    size_t requests;        /* begun and not yet completed */
    size_t suspended;       /* of them, waiting for the host */
    int64_t head_seq;       /* how far the feed has grown; 0 until it first grew while we looked */
    struct watcher *watchers; /* who waits for more of it, the longest first (watch.c) */
    struct watcher **watchers_end;
    uint64_t grown_ns; /* when it last grew, by uv_hrtime() */
    uint64_t span_ns;  /* since when growth is counted, from span_seq on */
    int64_t span_seq;
    bool grows_fast;
    uint64_t rest_ns; /* until when nobody is given more of it */
    struct fetch *fetches;
    uint64_t watch_ms; /* when `watch` is due */
    bool is_accepting;
    bool is_stopping;
    struct lingering *lingering; /* refused peers that are still sending (linger.c) */
    unsigned lingering_count;
    int handles; /* uv handles not yet closed */
    pw_done_fn *stopped;
    void *stopped_arg;
};

/* 0: *out serves. Else `error` says why not. */
int server_start(struct server **out, const struct pw_host *host, char *error, size_t error_size);

/* One thing that counted in `handles` is closed. */
void server_handle_closed(struct server *s);

/* A connection was resumed: libmicrohttpd shall see it, once for all in this turn of the loop. */
void server_wake(struct server *s);

/* Read the certificate again. 0, or -1: `error` says why not, and the one before stays. */
int server_reload(struct server *s, char *error, size_t error_size);

/* The feed has grown. */
void server_changed(struct server *s, int64_t head_seq);

/* Stop accepting, finish requests under way, close everything, call `done`, free the server. */
void server_stop(struct server *s, pw_done_fn *done, void *arg);

#endif
