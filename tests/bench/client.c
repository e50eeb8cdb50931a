/* client.c - see client.h. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "answer.h"

struct connection {
    int fd;
    struct stream *stream;
    const struct request *current; /* NULL: idle, there is nothing left to take */
    size_t sent;
    int64_t began;    /* when the current request was first sent */
    int64_t retry_at; /* 0: it is on its way */
    bool is_writing;  /* epoll tells when there is room again */
    struct answer answer;
};

struct client {
    int epoll;
    struct connection connections[CLIENTS_MAX + 1];
    int count;
    struct stream *main;
};

static int connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect to port %d: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void watch(const struct client *c, struct connection *conn, int operation, bool is_writing)
{
    struct epoll_event e = { .events = EPOLLIN | (is_writing ? EPOLLOUT : 0u), .data.ptr = conn };

    if (epoll_ctl(c->epoll, operation, conn->fd, &e) != 0)
        die("epoll: %s", strerror(errno));
    conn->is_writing = is_writing;
}

static void send_more(const struct client *c, struct connection *conn)
{
    const struct request *r = conn->current;
    size_t total = r->head_len + r->body_len;

    while (conn->sent < total) {
        size_t in_body = conn->sent > r->head_len ? conn->sent - r->head_len : 0;
        size_t in_head = conn->sent - in_body;
        struct iovec parts[] = {
            { (char *)(uintptr_t)r->head + in_head, r->head_len - in_head },
            { (char *)(uintptr_t)r->body + in_body, r->body_len - in_body },
        };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        ssize_t n = sendmsg(conn->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0 && errno != EINTR)
            die("send: %s", strerror(errno));
        conn->sent += n > 0 ? (size_t)n : 0;
    }
    if (conn->is_writing != (conn->sent < total))
        watch(c, conn, EPOLL_CTL_MOD, conn->sent < total);
}

static void send_current(const struct client *c, struct connection *conn)
{
    conn->sent = 0;
    conn->retry_at = 0;
    answer_reset(&conn->answer);
    send_more(c, conn);
}

static void take_next(const struct client *c, struct connection *conn)
{
    struct stream *s = conn->stream;
    bool is_over = c->main->answered == c->main->requests.count || s->next == s->requests.count;

    conn->current = is_over ? NULL : &s->requests.items[s->next++];
    if (is_over)
        return;
    conn->began = clock_us();
    send_current(c, conn);
}

static int64_t count_of(const char *body, const char *name)
{
    const char *found = strstr(body, name);
    return found ? strtoll(found + strlen(name), NULL, 10) : 0;
}

static void add_statuses(struct statuses *s, const char *body)
{
    s->accepted += count_of(body, "\"accepted\":");
    s->duplicate += count_of(body, "\"duplicate\":");
    s->conflict += count_of(body, "\"conflict\":");
    s->invalid += count_of(body, "\"invalid\":");
}

static void note_marks(struct stream *s, int64_t now)
{
    for (size_t i = 0; i < s->mark_count; i++) {
        struct mark *m = &s->marks[i];
        if (m->acknowledged > 0 || s->acknowledged < m->events)
            continue;
        m->acknowledged = s->acknowledged;
        m->us = now - s->began;
    }
}

static void finish_request(const struct client *c, struct connection *conn)
{
    struct stream *s = conn->stream;
    int64_t now = clock_us();

    if (conn->answer.status == 503) {
        s->retries++;
        conn->retry_at = now + RETRY_US;
        return;
    }
    if (conn->answer.status != 200)
        die("found an answer %d: %s", conn->answer.status, conn->answer.kept + conn->answer.body);
    latencies_add(&s->latencies, now - conn->began);
    add_statuses(&s->statuses, conn->answer.kept + conn->answer.body);
    s->answered++;
    s->acknowledged += conn->current->events;
    s->ended = now;
    note_marks(s, now);
    take_next(c, conn);
}

static void receive(const struct client *c, struct connection *conn)
{
    static char bytes[1 << 18];
    ssize_t n = recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        die("the daemon closed a connection: %s", n < 0 ? strerror(errno) : "end of file");
    if (!conn->current)
        die("an answer came to no request");
    if (answer_take(&conn->answer, bytes, (size_t)n))
        finish_request(c, conn);
}

static void open_connections(struct client *c, int port, struct stream *s, int count)
{
    for (int i = 0; i < count; i++) {
        struct connection *conn = &c->connections[c->count++];
        conn->stream = s;
        conn->fd = connect_to(port);
        watch(c, conn, EPOLL_CTL_ADD, false);
    }
}

/* Send again what was refused and has waited; how long until the next, -1: there is none. */
static int retry_due(struct client *c)
{
    int64_t now = clock_us(), next = INT64_MAX;

    for (int i = 0; i < c->count; i++) {
        struct connection *conn = &c->connections[i];
        if (conn->retry_at && conn->retry_at <= now)
            send_current(c, conn);
        else if (conn->retry_at && conn->retry_at < next)
            next = conn->retry_at;
    }
    return next == INT64_MAX ? -1 : (int)((next - now) / 1000) + 1;
}

static bool is_busy(const struct client *c)
{
    for (int i = 0; i < c->count; i++)
        if (c->connections[i].current)
            return true;
    return false;
}

/* To the last answer: what a lone event waits for when the rest is done counts too. */
static void work(struct client *c)
{
    struct epoll_event events[CLIENTS_MAX + 1];

    while (is_busy(c)) {
        int n = epoll_wait(c->epoll, events, CLIENTS_MAX + 1, retry_due(c));
        if (n < 0 && errno != EINTR)
            die("epoll: %s", strerror(errno));
        for (int i = 0; i < n; i++) {
            struct connection *conn = events[i].data.ptr;
            if (events[i].events & EPOLLOUT)
                send_more(c, conn);
            if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
                receive(c, conn);
        }
    }
}

void client_run(int port, struct stream *main, int clients, struct stream *beside)
{
    struct client c = { .epoll = epoll_create1(EPOLL_CLOEXEC), .main = main };

    if (c.epoll < 0 || clients < 1 || clients > CLIENTS_MAX)
        die("found %d clients, expected 1 to %d", clients, CLIENTS_MAX);
    open_connections(&c, port, main, clients);
    if (beside)
        open_connections(&c, port, beside, 1);
    main->began = main->ended = clock_us();
    if (beside)
        beside->began = beside->ended = main->began;
    for (int i = 0; i < c.count; i++)
        take_next(&c, &c.connections[i]);
    work(&c);
    for (int i = 0; i < c.count; i++)
        close(c.connections[i].fd);
    close(c.epoll);
}

void client_get(int port, const char *path, char *out, size_t size)
{
    static struct answer answer;
    char bytes[4096];
    int fd = connect_to(port);
    int n = snprintf(bytes, sizeof(bytes), "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path);

    if (send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
        die("send: %s", strerror(errno));
    answer_reset(&answer);
    for (bool is_whole = false; !is_whole;) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
        if (got <= 0)
            die("%s: no answer", path);
        is_whole = answer_take(&answer, bytes, (size_t)got);
    }
    close(fd);
    if (answer.status != 200)
        die("%s: found an answer %d: %s", path, answer.status, answer.kept + answer.body);
    snprintf(out, size, "%s", answer.kept + answer.body);
}
