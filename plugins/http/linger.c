/* linger.c - see linger.h. Bounded in number, bytes and time: patience is not for attackers. */
#include "linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_BYTES (64u * 1024 * 1024)
#define LINGER_MS    5000

struct lingering {
    struct server *server;
    struct lingering *next;
    int fd;
    size_t seen;
    uv_poll_t poll;
    uv_timer_t timer;
    int handles;
};

int linger_keep(const struct server *s, int fd)
{
    return s->lingering_count < LINGERERS_MAX ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
}

static void on_closed(uv_handle_t *handle)
{
    struct lingering *l = handle->data;
    struct server *s = l->server;

    if (--l->handles > 0)
        return;
    close(l->fd);
    free(l);
    s->lingering_count--;
    server_handle_closed(s);
}

static void finish(struct lingering *l)
{
    struct lingering **at = &l->server->lingering;

    while (*at && *at != l)
        at = &(*at)->next;
    if (!*at)
        return; /* finished before */
    *at = l->next;
    uv_close((uv_handle_t *)&l->poll, on_closed);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}

static void on_time(uv_timer_t *timer)
{
    finish(timer->data);
}

static void on_bytes(uv_poll_t *poll, int status, int events)
{
    static char dropped[65536]; /* nobody reads it */
    struct lingering *l = poll->data;

    (void)events;
    ssize_t n = status == 0 ? recv(l->fd, dropped, sizeof(dropped), MSG_DONTWAIT) : -1;
    if (n > 0)
        l->seen += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN) || l->seen > LINGER_BYTES)
        finish(l);
}

void linger_start(struct server *s, int fd)
{
    struct lingering *l = s->is_stopping ? NULL : calloc(1, sizeof(*l));

    if (!l) {
        close(fd);
        return;
    }
    *l = (struct lingering){ .server = s, .fd = fd, .next = s->lingering, .handles = 2 };
    shutdown(fd, SHUT_WR); /* the answer is out: the peer may stop */
    uv_poll_init(s->loop, &l->poll, fd);
    uv_timer_init(s->loop, &l->timer);
    l->poll.data = l->timer.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_bytes);
    uv_timer_start(&l->timer, on_time, LINGER_MS, 0);
    s->lingering = l;
    s->lingering_count++;
    s->handles++;
}

void linger_stop(struct server *s)
{
    while (s->lingering)
        finish(s->lingering);
}
