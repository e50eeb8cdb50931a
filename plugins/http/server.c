/* server.c - see server.h. Requests themselves are request.c's. */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "again.h"
#include "linger.h"
#include "link.h"
#include "request.h"
#include "setup.h"
#include "tls.h"
#include "watch.h"

#define DEFAULT_LISTEN "127.0.0.1:8087"
#define IDLE_S         60u
#define SEND_BYTES                                                                                 \
    (128 * 1024) /* of the kernel's memory that a peer who does not read may hold                  \
                  */
#define GRACE_MS 5000
#define PAUSE_MS 1000

static void log_text(const struct server *s, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void log_text(const struct server *s, int level, const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    s->host->log(s->host->ctx, level, line);
}

/* --- the end: handles close one by one, the last one frees --- */

void server_handle_closed(struct server *s)
{
    if (--s->handles > 0)
        return;
    for (size_t i = 0; i < s->listener_count; i++)
        listen_close(&s->listeners[i].socket);
    tls_free(s->certificate);
    again_free(s->again);
    pw_done_fn *stopped = s->stopped;
    void *arg = s->stopped_arg;
    free(s);
    if (stopped)
        stopped(arg);
}

static void on_handle_closed(uv_handle_t *handle)
{
    server_handle_closed(handle->data);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

/* Closing a descriptor that uv still polls would leave its number to another's file. */
static void on_poll_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;
    struct server *s = l->server;

    listen_close(&l->socket);
    server_handle_closed(s);
}

static void close_listeners(struct server *s)
{
    for (size_t i = 0; i < s->listener_count; i++) {
        struct listener *l = &s->listeners[i];
        if (l->has_poll && !uv_is_closing((uv_handle_t *)&l->poll))
            uv_close((uv_handle_t *)&l->poll, on_poll_closed);
    }
}

static void on_door_closed(uv_handle_t *handle)
{
    server_handle_closed(((struct door *)handle->data)->server);
}

static void close_door(struct door *door)
{
    if (!door->mhd)
        return;
    uv_poll_stop(&door->poll);
    MHD_stop_daemon(door->mhd);
    door->mhd = NULL;
    uv_close((uv_handle_t *)&door->poll, on_door_closed);
}

static void close_all(struct server *s)
{
    uv_handle_t *const timers[] = { (uv_handle_t *)&s->due, (uv_handle_t *)&s->pause,
                                    (uv_handle_t *)&s->grace, (uv_handle_t *)&s->watch,
                                    (uv_handle_t *)&s->sweep };

    close_door(&s->plain);
    close_door(&s->tls);
    close_listeners(s);
    linger_stop(s);
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
        close_handle(timers[i]);
}

/* --- running --- */

static void set_accepting(struct server *s, bool accepting);

static void on_due(uv_timer_t *timer);

/* Let it do what it can. False: it does not want to be called again by itself; else *ms
 * says when. */
static bool run_door(struct door *door, MHD_UNSIGNED_LONG_LONG *ms)
{
    MHD_UNSIGNED_LONG_LONG own = 0;

    if (!door->mhd)
        return false;
    MHD_run(door->mhd);
    if (MHD_get_timeout(door->mhd, &own) != MHD_YES)
        return false;
    *ms = own < *ms ? own : *ms;
    return true;
}

static void run(struct server *s)
{
    MHD_UNSIGNED_LONG_LONG ms = UINT64_MAX;

    if (!s->plain.mhd)
        return;
    bool any = run_door(&s->plain, &ms);
    any = run_door(&s->tls, &ms) || any;
    if (s->is_stopping && s->requests == 0) {
        close_all(s);
        return;
    }
    if (any)
        uv_timer_start(&s->due, on_due, ms, 0);
    else
        uv_timer_stop(&s->due);
    if (!s->is_stopping && !uv_is_active((uv_handle_t *)&s->pause))
        set_accepting(s, s->connections < s->max_connections);
}

static void on_due(uv_timer_t *timer)
{
    run(timer->data);
}

/* Under an external loop libmicrohttpd signals nobody when a connection is resumed. */
void server_wake(struct server *s)
{
    uv_timer_start(&s->due, on_due, 0, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(((struct door *)poll->data)->server);
}

static void on_sweep(uv_timer_t *timer)
{
    link_sweep(timer->data);
}

static void on_pause_over(uv_timer_t *timer)
{
    run(timer->data);
}

/* Out of descriptors: the waiting peer would wake us for ever, so look away for a moment. */
static void pause_accepting(struct server *s, int error)
{
    log_text(s, 1, "accept failed error=%s", strerror(error));
    set_accepting(s, false);
    uv_timer_start(&s->pause, on_pause_over, PAUSE_MS, 0);
}

static void on_incoming(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;
    struct server *s = l->server;
    struct sockaddr_storage peer;
    int on = 1, send_bytes = SEND_BYTES;

    (void)status;
    (void)events;
    for (int burst = 0; burst < 64 && s->connections < s->max_connections; burst++) {
        socklen_t len = sizeof(peer);
        int fd =
            accept4(l->socket.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                pause_accepting(s, errno);
            break;
        }
        if (peer.ss_family != AF_UNIX)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
        /* from here on the descriptor is libmicrohttpd's, also when it refuses it */
        struct MHD_Daemon *mhd = l->is_tls ? s->tls.mhd : s->plain.mhd;
        if (MHD_add_connection(mhd, fd, (struct sockaddr *)&peer, len) == MHD_NO)
            break;
        run(s);
    }
}

static void set_accepting(struct server *s, bool accepting)
{
    if (s->is_accepting == accepting)
        return;
    s->is_accepting = accepting;
    for (size_t i = 0; i < s->listener_count; i++) {
        if (accepting)
            uv_poll_start(&s->listeners[i].poll, UV_READABLE, on_incoming);
        else
            uv_poll_stop(&s->listeners[i].poll);
    }
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *s = arg;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        s->connections++;
        s->metrics.connections++;
        *socket_context = link_new(s, connection);
    } else {
        s->connections--;
        link_free(*socket_context);
        *socket_context = NULL;
    }
}

/* --- starting --- */

/* Left as they came: a decoded "%2F" must not look like the slash between segments. */
static size_t keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

#define BASIC_FLAGS (MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME)

/* Twice the room for headers: those that are a little over hear from us why not. */
static bool open_door(struct door *door, struct server *s, unsigned flags,
                      const struct MHD_OptionItem *more)
{
    door->server = s;
    door->mhd = MHD_start_daemon(
        BASIC_FLAGS | flags, 0, NULL, NULL, request_handle, s, MHD_OPTION_NOTIFY_COMPLETED,
        request_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
        MHD_OPTION_CONNECTION_LIMIT, s->max_connections + 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        s->max_header * 2, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        door->mhd ? MHD_get_daemon_info(door->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info)
        return false;
    uv_poll_init(s->loop, &door->poll, info->epoll_fd);
    door->poll.data = door;
    return true;
}

static bool start_mhd(struct server *s)
{
    static const struct MHD_OptionItem NONE[] = { { MHD_OPTION_END, 0, NULL } };
    struct MHD_OptionItem tls[TLS_OPTIONS];

    if (!open_door(&s->plain, s, 0, NONE))
        return false;
    if (!s->certificate)
        return true;
    tls_options(tls, s->certificate);
    return open_door(&s->tls, s, MHD_USE_TLS, tls);
}

static void add_timer(struct server *s, uv_timer_t *timer)
{
    uv_timer_init(s->loop, timer);
    timer->data = s;
    s->handles++;
}

static void add_handles(struct server *s)
{
    s->handles = 0; /* 1 for each that close_all() closes */
    add_timer(s, &s->due);
    add_timer(s, &s->pause);
    add_timer(s, &s->grace);
    add_timer(s, &s->watch);
    add_timer(s, &s->sweep);
    uv_timer_start(&s->sweep, on_sweep, LINK_SWEEP_MS, LINK_SWEEP_MS);
    uv_poll_start(&s->plain.poll, UV_READABLE, on_poll);
    s->handles++;
    if (s->tls.mhd) {
        uv_poll_start(&s->tls.poll, UV_READABLE, on_poll);
        s->handles++;
    }
    for (size_t i = 0; i < s->listener_count; i++) {
        struct listener *l = &s->listeners[i];
        uv_poll_init(s->loop, &l->poll, l->socket.fd);
        l->poll.data = l;
        l->has_poll = true;
        s->handles++;
        log_text(s, 2, "listening address=%s tls=%s", l->socket.name, l->is_tls ? "yes" : "no");
        if (!l->socket.path[0] && !l->socket.is_loopback && !l->is_tls)
            log_text(s, 1,
                     "others can reach this address: they are served with an access token only, "
                     "and without TLS it can be read on its way address=%s",
                     l->socket.name);
    }
    set_accepting(s, true);
}

/* It is served, and somebody should look after it. */
static void tell_doubts(const struct server *s)
{
    char why[512];

    if (s->certificate && tls_is_late(s->certificate, why, sizeof(why)))
        log_text(s, 1, "%s", why);
    if (s->certificate && tls_is_exposed(s->certificate, why, sizeof(why)))
        log_text(s, 1, "%s", why);
}

int server_start(struct server **out, const struct pw_host *host, char *error, size_t error_size)
{
    *out = NULL;
    struct server *s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(error, error_size, "no memory");
        return -1;
    }
    s->host = host;
    s->loop = host->loop(host->ctx);
    s->again = again_new();
    bool ok = setup_server(s, error, error_size);
    if (ok && !start_mhd(s)) {
        snprintf(error, error_size, "libmicrohttpd can not start: %s", strerror(errno));
        ok = false;
    }
    if (ok) {
        add_handles(s);
        tell_doubts(s);
        *out = s;
        return 0;
    }
    for (size_t i = 0; i < s->listener_count; i++)
        listen_close(&s->listeners[i].socket);
    if (s->plain.mhd)
        MHD_stop_daemon(s->plain.mhd);
    tls_free(s->certificate);
    again_free(s->again);
    free(s);
    return -1;
}

int server_reload(struct server *s, char *error, size_t error_size)
{
    if (!s->certificate)
        return 0;
    if (!tls_read(s->certificate, error, error_size))
        return -1;
    log_text(s, 2, "certificate read again");
    tell_doubts(s);
    return 0;
}

void server_changed(struct server *s, int64_t head_seq)
{
    if (!s->is_stopping)
        watch_changed(s, head_seq);
}

/* Those that wait for the host are always waited for: it answers every one. */
static void on_grace_over(uv_timer_t *timer)
{
    struct server *s = timer->data;

    if (s->suspended > 0) {
        uv_timer_start(timer, on_grace_over, 50, 0);
        return;
    }
    log_text(s, 1, "cut off slow peers requests=%zu", s->requests);
    close_all(s);
}

void server_stop(struct server *s, pw_done_fn *done, void *arg)
{
    s->is_stopping = true;
    s->stopped = done;
    s->stopped_arg = arg;
    set_accepting(s, false);
    uv_timer_stop(&s->pause);
    close_listeners(s);
    uv_timer_start(&s->grace, on_grace_over, GRACE_MS, 0);
    watch_stop(s);
    run(s);
}
