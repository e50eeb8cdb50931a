/* networks.c - see networks.h. All is IPv6 here; IPv4 is what is mapped into it. */
#include "networks.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96

static const uint8_t MAPPED[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void map_v4(struct in6_addr *out, const void *v4)
{
    memcpy(out->s6_addr, MAPPED, sizeof(MAPPED));
    memcpy(out->s6_addr + sizeof(MAPPED), v4, 4);
}

static bool is_v4(const struct in6_addr *a)
{
    return memcmp(a->s6_addr, MAPPED, sizeof(MAPPED)) == 0;
}

static bool of_sockaddr(struct in6_addr *out, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        map_v4(out, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    *out = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return true;
}

static bool is_within(const struct in6_addr *a, const struct in6_addr *base, int bits)
{
    int bytes = bits / 8, rest = bits % 8;

    if (memcmp(a->s6_addr, base->s6_addr, (size_t)bytes) != 0)
        return false;
    return rest == 0 || (a->s6_addr[bytes] ^ base->s6_addr[bytes]) >> (8 - rest) == 0;
}

/* ---- the list ---- */

static bool parse_one(struct network *out, char *text)
{
    struct in_addr v4;
    char *slash = strchr(text, '/'), *end = NULL;
    long bits = -1;

    if (slash) {
        *slash = '\0';
        bits = strtol(slash + 1, &end, 10);
        if (end == slash + 1 || *end || bits < 0)
            return false;
    }
    if (inet_pton(AF_INET, text, &v4) == 1) {
        map_v4(&out->base, &v4);
        out->bits = MAPPED_BITS + (slash ? (int)bits : 32);
        return !slash || bits <= 32;
    }
    out->bits = slash ? (int)bits : 128;
    return inet_pton(AF_INET6, text, &out->base) == 1 && (!slash || bits <= 128);
}

bool networks_parse(struct networks *out, const char *text, char *error, size_t size)
{
    char word[64];

    out->count = 0;
    for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t")) {
        size_t len = strcspn(at, " \t");
        if (out->count == NETWORKS_MAX) {
            snprintf(error, size, "more than %d networks", NETWORKS_MAX);
            return false;
        }
        snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word) - 1),
                 at);
        if (len >= sizeof(word) || !parse_one(&out->items[out->count], word)) {
            snprintf(error, size, "'%.*s' is no network; expected such as 10.1.0.0/16 or fd00::/8",
                     (int)(len < 64 ? len : 64), at);
            return false;
        }
        out->count++;
        at += len;
    }
    return true;
}

bool networks_hold(const struct networks *n, const struct sockaddr *address)
{
    struct in6_addr a;

    if (!of_sockaddr(&a, address))
        return false;
    for (size_t i = 0; i < n->count; i++)
        if (is_within(&a, &n->items[i].base, n->items[i].bits))
            return true;
    return false;
}

/* ---- public or not ---- */

static const struct {
    uint32_t base;
    int bits;
} CLOSED_V4[] = {
    { 0x00000000, 8 },  /* this network */
    { 0x0a000000, 8 },  /* private */
    { 0x64400000, 10 }, /* shared, behind a carrier's NAT */
    { 0x7f000000, 8 },  /* loopback */
    { 0xa9fe0000, 16 }, /* link-local, and clouds' metadata */
    { 0xac100000, 12 }, /* private */
    { 0xc0000000, 24 }, /* protocol assignments */
    { 0xc0000200, 24 }, /* documentation */
    { 0xc0586300, 24 }, /* 6to4 relays */
    { 0xc0a80000, 16 }, /* private */
    { 0xc6120000, 15 }, /* benchmarks */
    { 0xc6336400, 24 }, /* documentation */
    { 0xcb007100, 24 }, /* documentation */
    { 0xe0000000, 3 },  /* multicast, reserved, broadcast */
};

static bool is_public_v4(const uint8_t bytes[4])
{
    uint32_t a =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];

    for (size_t i = 0; i < sizeof(CLOSED_V4) / sizeof(CLOSED_V4[0]); i++)
        if ((a ^ CLOSED_V4[i].base) >> (32 - CLOSED_V4[i].bits) == 0)
            return false;
    return true;
}

static const struct {
    uint8_t base[16];
    int bits;
} CLOSED_V6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments, Teredo with them */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
};

bool address_is_public(const struct sockaddr *address)
{
    static const uint8_t NAT64[12] = { 0, 0x64, 0xff, 0x9b };
    struct in6_addr a, base;

    if (!of_sockaddr(&a, address))
        return false;
    const uint8_t *b = a.s6_addr;
    if (is_v4(&a) || memcmp(b, NAT64, sizeof(NAT64)) == 0)
        return is_public_v4(b + 12);
    if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
        return is_public_v4(b + 2);
    for (size_t i = 0; i < sizeof(CLOSED_V6) / sizeof(CLOSED_V6[0]); i++) {
        memcpy(base.s6_addr, CLOSED_V6[i].base, 16);
        if (is_within(&a, &base, CLOSED_V6[i].bits))
            return false;
    }
    return (b[0] & 0xe0) == 0x20; /* 2000::/3, all that is given out for global use */
}

const char *address_text(const struct sockaddr *address, char out[ADDRESS_TEXT])
{
    const void *at =
        address->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
            : (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

    if ((address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
        !inet_ntop(address->sa_family, at, out, ADDRESS_TEXT))
        snprintf(out, ADDRESS_TEXT, "?");
    return out;
}
