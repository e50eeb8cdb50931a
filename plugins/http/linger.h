/*
 * linger.h - read on for a while after a refusal, so that the peer hears it.
 *
 * Closing a socket with unread bytes resets the connection, and a peer that is still sending
 * its body then sees a broken pipe instead of the answer.
 */
#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

#include "server.h"

/* A copy of the connection's descriptor for linger_start(); -1: enough linger already. */
int linger_keep(const struct server *s, int fd);
/* Read and drop what still comes to `fd`, then close it. libmicrohttpd must be done with it. */
void linger_start(struct server *s, int fd);
/* The server stops: all at once. */
void linger_stop(struct server *s);

#endif
