/* access.c - see access.h. */
#include "access.h"

#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALL_SCOPES ((unsigned)(PW_READ | PW_WRITE | PW_RULES | PW_PERSONAL | PW_ADMIN))

static const struct {
    const char *name;
    unsigned bit;
} SCOPES[] = { { "read", PW_READ },
               { "write", PW_WRITE },
               { "rules", PW_RULES },
               { "personal", PW_PERSONAL },
               { "admin", PW_ADMIN } };
#define SCOPE_COUNT (sizeof(SCOPES) / sizeof(SCOPES[0]))

const char *access_scope_name(unsigned scope)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (SCOPES[i].bit == scope)
            return SCOPES[i].name;
    return "none";
}

bool access_scopes(unsigned *out, const char *words, char *bad, size_t size)
{
    *out = 0;
    for (words += strspn(words, " \t"); *words; words += strspn(words, " \t")) {
        size_t n = strcspn(words, " \t"), i = 0;
        while (i < SCOPE_COUNT &&
               (strlen(SCOPES[i].name) != n || strncmp(SCOPES[i].name, words, n) != 0))
            i++;
        if (i == SCOPE_COUNT) {
            snprintf(bad, size, "%.*s", (int)n, words);
            return false;
        }
        *out |= SCOPES[i].bit;
        words += n;
    }
    return true;
}

/* --- on the unix socket --- */

static bool is_in_our_group(int fd, gid_t gid)
{
    gid_t groups[256], ours = getegid();
    socklen_t len = sizeof(groups);
    bool found = gid == ours;

    if (!found && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0)
        for (size_t i = 0; i < len / sizeof(groups[0]) && !found; i++)
            found = groups[i] == ours;
    return found;
}

static bool peer_on_socket(struct peer *out, struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred who;
    socklen_t len = sizeof(who);

    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0) {
        reply_problem(r, 403, "forbidden", "it can not be told who is asking");
        return false;
    }
    snprintf(out->name, sizeof(out->name), "uid:%u", (unsigned)who.uid);
    if (who.uid == 0 || who.uid == geteuid())
        out->scopes = ALL_SCOPES;
    else if (is_in_our_group(info->connect_fd, who.gid))
        out->scopes = r->server->socket_scopes;
    return true;
}

/* --- over TCP --- */

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    if (address->sa_family != AF_INET6)
        return false;
    const struct in6_addr *a = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

static bool refuse_unknown(struct request *r, bool had_token)
{
    reply_problem(r, 401, "unauthorized",
                  had_token ? "this access token is not known here, has expired or was revoked"
                            : "send an access token: Authorization: Bearer TOKEN (pathway token "
                              "add makes one)");
    reply_header(r, "WWW-Authenticate",
                 had_token ? "Bearer realm=\"pathwayd\", error=\"invalid_token\""
                           : "Bearer realm=\"pathwayd\"");
    return false;
}

/* The token of "Bearer TOKEN"; NULL: it is something else. */
static const char *bearer(const char *authorization)
{
    static const char SCHEME[] = "Bearer ";
    size_t len = sizeof(SCHEME) - 1;

    if (strncasecmp(authorization, SCHEME, len) != 0)
        return NULL;
    authorization += len;
    return authorization + strspn(authorization, " ");
}

static bool refuse_starting(struct request *r)
{
    reply_status(r, PW_BUSY, "the daemon is starting; try again");
    return false;
}

static bool peer_with_token(struct peer *out, struct request *r, const char *authorization)
{
    const struct pw_host *host = r->server->host;
    struct pw_identity who = { .size = sizeof(who) };
    const char *token = bearer(authorization);
    enum pw_status status = token ? host->identify(host->ctx, token, &who) : PW_ABSENT;

    if (status == PW_BUSY)
        return refuse_starting(r);
    if (status != PW_OK)
        return refuse_unknown(r, token != NULL);
    snprintf(out->name, sizeof(out->name), "%s", who.name);
    out->scopes = who.scopes;
    out->hubs = who.hubs;
    return true;
}

static bool peer_without_token(struct peer *out, struct request *r, const struct sockaddr *address)
{
    const struct pw_host *host = r->server->host;
    struct pw_identity who = { .size = sizeof(who) };
    enum pw_status status = host->identify(host->ctx, NULL, &who);

    if (status == PW_BUSY)
        return refuse_starting(r);
    if (status == PW_OK && is_loopback(address)) {
        out->scopes = ALL_SCOPES;
        return true;
    }
    return refuse_unknown(r, false);
}

bool access_peer(struct peer *out, struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const char *authorization = request_header(r, "Authorization");

    *out = (struct peer){ 0 };
    if (!info || !info->client_addr) {
        reply_problem(r, 403, "forbidden", "it can not be told who is asking");
        return false;
    }
    if (authorization)
        return peer_with_token(out, r, authorization);
    if (info->client_addr->sa_family == AF_UNIX)
        return peer_on_socket(out, r);
    return peer_without_token(out, r, info->client_addr);
}

bool access_is_on_socket(const struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && info->client_addr && info->client_addr->sa_family == AF_UNIX;
}

bool access_still(const struct server *s, const char *authorization, bool is_on_socket,
                  unsigned scope)
{
    struct pw_identity who = { .size = sizeof(who) };

    if (!authorization)
        return is_on_socket || s->host->identify(s->host->ctx, NULL, &who) != PW_ABSENT;
    const char *token = bearer(authorization);
    enum pw_status status = token ? s->host->identify(s->host->ctx, token, &who) : PW_ABSENT;
    return status == PW_BUSY || (status == PW_OK && (who.scopes & scope) == scope);
}

bool access_check(struct request *r, unsigned scope)
{
    struct peer peer;
    char detail[240];

    if (scope == 0)
        return true;
    if (!access_peer(&peer, r))
        return false;
    if ((peer.scopes & scope) == scope)
        return true;
    snprintf(detail, sizeof(detail), "%s may not do this: it takes the scope '%s'",
             peer.name[0] ? peer.name : "this peer", access_scope_name(scope));
    reply_problem(r, 403, "forbidden", detail);
    snprintf(detail, sizeof(detail),
             "Bearer realm=\"pathwayd\", error=\"insufficient_scope\", scope=\"%s\"",
             access_scope_name(scope));
    reply_header(r, "WWW-Authenticate", detail);
    return false;
}
