/* setup.c - see setup.h. */
#include "setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "access.h"
#include "tls.h"

#define DEFAULT_LISTEN   "127.0.0.1:8087"
#define DEFAULT_MAX_BODY (16u * 1024 * 1024)
#define DEFAULT_SCOPES   "read write rules personal"
#define DEFAULT_HEADER   16384u
#define DEFAULT_PATIENCE 60u
#define DEFAULT_BEAT     15u
#define DEFAULT_RETRY_MS 2000u
#define CONNECTIONS_MAX  2000u
#define PLAIN            "plain:"
#define OTHER_FILES      64u /* descriptors that the rest of the daemon needs */
#define NOT_FOR_PEERS    (OTHER_FILES + LINGERERS_MAX)

static bool add_listener(struct server *s, const char *address, char *error, size_t size)
{
    if (s->listener_count == LISTENERS_MAX) {
        snprintf(error, size, "more than %d addresses to listen on", LISTENERS_MAX);
        return false;
    }
    struct listener *l = &s->listeners[s->listener_count];
    bool is_plain = strncmp(address, PLAIN, strlen(PLAIN)) == 0;
    l->server = s;
    if (!listen_open(&l->socket, address + (is_plain ? strlen(PLAIN) : 0), error, size))
        return false;
    l->is_tls = s->certificate && !is_plain && !l->socket.path[0];
    s->listener_count++;
    return true;
}

static bool open_sockets(struct server *s, char *error, size_t size)
{
    const char *listen = s->host->config(s->host->ctx, "listen");
    const char *socket = s->host->config(s->host->ctx, "socket");
    char address[256];

    for (const char *at = listen ? listen : DEFAULT_LISTEN; *at;) {
        size_t len = strcspn(at, " \t");
        if (len >= sizeof(address)) {
            snprintf(error, size, "an address to listen on is longer than %zu bytes",
                     sizeof(address) - 1);
            return false;
        }
        snprintf(address, sizeof(address), "%.*s", (int)len, at);
        if (len > 0 && !add_listener(s, address, error, size))
            return false;
        at += len;
        at += strspn(at, " \t");
    }
    if (socket && *socket) {
        snprintf(address, sizeof(address), "unix:%s", socket);
        if (!add_listener(s, address, error, size))
            return false;
    }
    if (s->listener_count == 0)
        snprintf(error, size, "nothing to listen on: both 'listen' and 'socket' are empty");
    return s->listener_count > 0;
}

static bool read_max_body(struct server *s, char *error, size_t size)
{
    const char *text = s->host->config(s->host->ctx, "max_body");
    char *end = NULL;

    s->max_body = DEFAULT_MAX_BODY;
    if (!text)
        return true;
    unsigned long n = strtoul(text, &end, 10);
    unsigned long unit = *end == 'K' ? 1024 : *end == 'M' ? 1024 * 1024 : 1;
    end += unit > 1;
    if (text[0] < '0' || text[0] > '9' || *end || n == 0 || n > (1ul << 30) / unit) {
        snprintf(error, size, "max_body is '%s'; expected bytes, as 16M", text);
        return false;
    }
    s->max_body = n * unit;
    return true;
}

static bool read_socket_scopes(struct server *s, char *error, size_t size)
{
    const char *text = s->host->config(s->host->ctx, "socket_scopes");
    char bad[40];

    if (access_scopes(&s->socket_scopes, text ? text : DEFAULT_SCOPES, bad, sizeof(bad)))
        return true;
    snprintf(error, size,
             "socket_scopes has the word '%s'; expected read, write, rules, personal, admin", bad);
    return false;
}

/* A whole number from low to high, or `otherwise`. */
static bool read_count(unsigned *out, const struct server *s, const char *key, unsigned low,
                       unsigned high, unsigned otherwise, char *error, size_t size)
{
    const char *text = s->host->config(s->host->ctx, key);
    char *end = NULL;

    *out = otherwise;
    if (!text)
        return true;
    unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || n < low || n > high) {
        snprintf(error, size, "%s is '%.40s'; expected a whole number from %u to %u", key, text,
                 low, high);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

/* So many descriptors there are for peers, and no more than asked for. */
static unsigned connection_limit(unsigned wanted)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > wanted + NOT_FOR_PEERS)
        return wanted;
    return (unsigned)(files.rlim_cur > 2 * NOT_FOR_PEERS ? files.rlim_cur - NOT_FOR_PEERS
                                                         : files.rlim_cur / 2);
}

static bool read_limits(struct server *s, char *error, size_t size)
{
    unsigned connections, header, patience, heartbeat, retry;

    if (!read_count(&connections, s, "max_connections", 1, 100000, CONNECTIONS_MAX, error, size) ||
        !read_count(&header, s, "max_header", 1024, 1024 * 1024, DEFAULT_HEADER, error, size) ||
        !read_count(&patience, s, "patience", 1, 3600, DEFAULT_PATIENCE, error, size) ||
        !read_count(&heartbeat, s, "heartbeat", 1, 3600, DEFAULT_BEAT, error, size) ||
        !read_count(&retry, s, "retry_ms", 1, 3600000, DEFAULT_RETRY_MS, error, size))
        return false;
    s->max_connections = connection_limit(connections);
    s->max_header = header;
    s->patience_ms = patience * 1000u;
    s->heartbeat_ms = heartbeat * 1000u;
    s->retry_ms = retry;
    return true;
}

static bool read_certificate(struct server *s, char *error, size_t size)
{
    const char *certificate = s->host->config(s->host->ctx, "certificate");
    const char *key = s->host->config(s->host->ctx, "key");

    if (!certificate && !key)
        return true;
    if (!certificate || !key) {
        snprintf(error, size, "TLS takes both 'certificate' and 'key'; '%s' is missing",
                 certificate ? "key" : "certificate");
        return false;
    }
    s->certificate = tls_new(certificate, key, error, size);
    return s->certificate != NULL;
}

bool setup_server(struct server *s, char *error, size_t error_size)
{
    return read_limits(s, error, error_size) && read_max_body(s, error, error_size) &&
           read_socket_scopes(s, error, error_size) && read_certificate(s, error, error_size) &&
           open_sockets(s, error, error_size);
}
