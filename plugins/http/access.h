/*
 * access.h - may this peer do this? By its token, by who it is on the unix socket, or by where it
 * is.
 *
 * Over TCP: as long as no token was ever made, whoever is on this machine may do all; from then on
 * it takes a token, wherever one is. Over the unix socket, root and the daemon's own user may do
 * all; members of the daemon's group what `socket_scopes` says; others nothing.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include "request.h"

/* Who is asking. Texts are the request's. */
struct peer {
    char name[80];    /* the actor of what it sends; "": nobody in particular */
    unsigned scopes;  /* of enum pw_scope */
    const char *hubs; /* "07 12"; NULL: all. Until the plugin returns to the loop */
};

/* Find out; false: it may not come in, or not do this, and an answer says so. `scope` 0: anybody
 * may. */
bool access_check(struct request *r, unsigned scope);
/* Who it is; after access_check() with a scope. */
bool access_peer(struct peer *out, struct request *r);

/* May whoever sent this Authorization (NULL: none) still do it, some time after access_check()? Its
 * token may have been revoked meanwhile, or have expired, or the first one have been made. */
bool access_still(const struct server *s, const char *authorization, bool is_on_socket,
                  unsigned scope);
/* Did it come in by a unix socket? */
bool access_is_on_socket(const struct request *r);

/* "read write" to bits; false: there is another word in it, *bad. */
bool access_scopes(unsigned *out, const char *words, char *bad, size_t size);
/* "write" */
const char *access_scope_name(unsigned scope);

#endif
