/*
 * link.h - one connection, and how long a peer may take.
 *
 * libmicrohttpd ends connections on which nothing happens at all. Here those are ended that are
 * kept alive with a byte now and then: too long over a request's head or body, over an answer, or
 * over a page of a stream. Each is shut down, which libmicrohttpd finds like a peer that has gone.
 */
#ifndef HTTP_LINK_H
#define HTTP_LINK_H

#include "request.h"

struct link;

/* libmicrohttpd has taken a connection, or is done with it. NULL: no memory, it goes unwatched. */
struct link *link_new(struct server *s, struct MHD_Connection *connection);
void link_free(struct link *l);
struct link *link_of(struct MHD_Connection *connection);
/* Of a connection that has a link. */
struct server *link_server(struct MHD_Connection *connection);

/* The head of a request is there; its answer has been sent. */
void link_request_began(struct request *r);
void link_request_ended(struct request *r);
/* All of its body is there, and the answer begins. */
void link_reply_began(struct request *r);
/* A stream's page begins to leave; it has left. */
void link_page_began(struct request *r);
void link_page_left(struct request *r);

/* The answer that is being given to libmicrohttpd is ours, and not one of its own making. */
void link_set_own(struct MHD_Connection *connection, const struct MHD_Response *response);
bool link_is_own(struct MHD_Connection *connection, const struct MHD_Response *response);

/* Cut off those who have taken too long; called about so often. */
#define LINK_SWEEP_MS 500
void link_sweep(struct server *s);

#endif
