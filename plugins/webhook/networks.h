/*
 * networks.h - which addresses webhooks may be sent to.
 *
 * An address is public when it is globally reachable by the registries of RFC 6890: none of the
 * private, loopback, link-local, shared, documentation, multicast or reserved ones, also when
 * one of these is wrapped in an IPv6 address (mapped, 6to4, NAT64).
 */
#ifndef WEBHOOK_NETWORKS_H
#define WEBHOOK_NETWORKS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NETWORKS_MAX 32

struct network {
    struct in6_addr base; /* IPv4 as mapped */
    int bits;             /* of the 128 */
};

struct networks {
    struct network items[NETWORKS_MAX];
    size_t count;
};

/* Networks as 10.1.0.0/16 and fd00::/8, or single addresses, separated by spaces. False: `error`
 * says what is wrong. */
bool networks_parse(struct networks *out, const char *text, char *error, size_t size);

/* Is it one that the list names? False for what is no IP address. */
bool networks_hold(const struct networks *n, const struct sockaddr *address);
bool address_is_public(const struct sockaddr *address);

/* "192.0.2.1" or "2001:db8::1"; "?" for what is no IP address. */
#define ADDRESS_TEXT 48
const char *address_text(const struct sockaddr *address, char out[ADDRESS_TEXT]);

#endif
