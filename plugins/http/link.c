/* link.c - see link.h. */
#include "link.h"

#include <stdlib.h>
#include <sys/socket.h>

#define BODY_RATE                                                                                  \
    (16u * 1024) /* bytes a second that a body, and an answer, must come or go at least */

enum phase { LINK_HEAD, LINK_BODY, LINK_REPLY, LINK_PAGE, LINK_RESTING };

struct link {
    struct server *server;
    struct link *next, **at; /* in server.links */
    int fd;                  /* libmicrohttpd's */
    enum phase phase;
    uint64_t since_ms;
    const struct request *request;
    const struct MHD_Response *own;
};

static void enter(struct link *l, enum phase phase)
{
    if (!l)
        return;
    l->phase = phase;
    l->since_ms = uv_now(l->server->loop);
}

struct link *link_new(struct server *s, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct link *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    *l = (struct link){ .server = s, .next = s->links, .at = &s->links };
    l->fd = info ? info->connect_fd : -1;
    if (l->next)
        l->next->at = &l->next;
    s->links = l;
    enter(l, LINK_HEAD);
    return l;
}

void link_free(struct link *l)
{
    if (!l)
        return;
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    free(l);
}

struct link *link_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

struct server *link_server(struct MHD_Connection *connection)
{
    return link_of(connection)->server;
}

void link_request_began(struct request *r)
{
    r->link = link_of(r->connection);
    if (r->link)
        r->link->request = r;
    enter(r->link, LINK_BODY);
}

void link_request_ended(struct request *r)
{
    if (r->link)
        r->link->request = NULL;
    enter(r->link, LINK_HEAD);
}

void link_reply_began(struct request *r)
{
    enter(r->link, LINK_REPLY);
}

void link_page_began(struct request *r)
{
    enter(r->link, LINK_PAGE);
}

void link_page_left(struct request *r)
{
    enter(r->link, LINK_RESTING);
}

void link_set_own(struct MHD_Connection *connection, const struct MHD_Response *response)
{
    struct link *l = link_of(connection);

    if (l)
        l->own = response;
}

bool link_is_own(struct MHD_Connection *connection, const struct MHD_Response *response)
{
    const struct link *l = link_of(connection);

    return !l || l->own == response;
}

/* How long what it is at may take. */
static uint64_t patience(const struct link *l)
{
    uint64_t usual = l->server->patience_ms;

    switch (l->phase) {
    case LINK_HEAD:
    case LINK_PAGE:
        return usual;
    case LINK_BODY:
        return usual + l->request->body_seen * 1000 / BODY_RATE;
    case LINK_REPLY:
        return usual + l->request->reply_bytes * 1000 / BODY_RATE;
    case LINK_RESTING:
        break;
    }
    return UINT64_MAX;
}

/* How much later this is than it was to be: so long nobody was served, whoever wanted to be. */
static uint64_t stood_still(struct server *s, uint64_t now)
{
    uint64_t since = s->swept_ms ? now - s->swept_ms : 0;

    s->swept_ms = now;
    return since > 2 * LINK_SWEEP_MS ? since - LINK_SWEEP_MS : 0;
}

void link_sweep(struct server *s)
{
    uint64_t now = uv_now(s->loop), still = stood_still(s, now);

    for (struct link *l = s->links; l; l = l->next) {
        bool waits_for_us = l->request && l->request->is_suspended;
        l->since_ms = l->since_ms + still < now ? l->since_ms + still : now;
        if (waits_for_us || l->fd < 0 || now - l->since_ms < patience(l))
            continue;
        if (l->phase == LINK_HEAD)
            s->metrics.cut_idle++;
        else
            s->metrics.cut_slow++;
        shutdown(l->fd, SHUT_RDWR);
        enter(l, LINK_RESTING); /* once is enough */
    }
}
