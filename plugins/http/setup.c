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

static bool read_max_body(unsigned long *out, const struct pw_host *host, char *error, size_t size)
{
    const char *text = host->config(host->ctx, "max_body");
    char *end = NULL;

    *out = DEFAULT_MAX_BODY;
    if (!text)
        return true;
    unsigned long n = strtoul(text, &end, 10);
    unsigned long unit = *end == 'K' ? 1024 : *end == 'M' ? 1024 * 1024 : 1;
    end += unit > 1;
    if (text[0] < '0' || text[0] > '9' || *end || n == 0 || n > (1ul << 30) / unit) {
        snprintf(error, size, "max_body is '%s'; expected bytes, as 16M", text);
        return false;
    }
    *out = n * unit;
    return true;
}

static bool read_socket_scopes(unsigned *out, const struct pw_host *host, char *error, size_t size)
{
    const char *text = host->config(host->ctx, "socket_scopes");
    char bad[40];

    if (access_scopes(out, text ? text : DEFAULT_SCOPES, bad, sizeof(bad)))
        return true;
    snprintf(error, size,
             "socket_scopes has the word '%s'; expected read, write, rules, personal, admin", bad);
    return false;
}

struct count {
    const char *key;
    unsigned low, high, otherwise;
};
enum { COUNT_CONNECTIONS, COUNT_HEADER, COUNT_PATIENCE, COUNT_BEAT, COUNT_RETRY, COUNT_COUNT };
static const struct count COUNTS[COUNT_COUNT] = {
    [COUNT_CONNECTIONS] = { "max_connections", 1, 100000, CONNECTIONS_MAX },
    [COUNT_HEADER] = { "max_header", 1024, 1024 * 1024, DEFAULT_HEADER },
    [COUNT_PATIENCE] = { "patience", 1, 3600, DEFAULT_PATIENCE },
    [COUNT_BEAT] = { "heartbeat", 1, 3600, DEFAULT_BEAT },
    [COUNT_RETRY] = { "retry_ms", 1, 3600000, DEFAULT_RETRY_MS },
};

static bool read_count(unsigned *out, const struct pw_host *host, const struct count *c,
                       char *error, size_t size)
{
    const char *text = host->config(host->ctx, c->key);
    char *end = NULL;

    *out = c->otherwise;
    if (!text)
        return true;
    unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || n < c->low || n > c->high) {
        snprintf(error, size, "%s is '%.40s'; expected a whole number from %u to %u", c->key, text,
                 c->low, c->high);
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
    unsigned found[COUNT_COUNT];

    for (size_t i = 0; i < COUNT_COUNT; i++)
        if (!read_count(&found[i], s->host, &COUNTS[i], error, size))
            return false;
    s->max_connections = connection_limit(found[COUNT_CONNECTIONS]);
    s->max_header = found[COUNT_HEADER];
    s->patience_ms = found[COUNT_PATIENCE] * 1000u;
    s->heartbeat_ms = found[COUNT_BEAT] * 1000u;
    s->retry_ms = found[COUNT_RETRY];
    return true;
}

/* False: one of the two without the other. */
static bool has_pair(const struct pw_host *host, char *error, size_t size)
{
    const char *certificate = host->config(host->ctx, "certificate");
    const char *key = host->config(host->ctx, "key");

    if (!certificate == !key)
        return true;
    snprintf(error, size, "TLS takes both 'certificate' and 'key'; '%s' is missing",
             certificate ? "key" : "certificate");
    return false;
}

static bool read_certificate(struct server *s, char *error, size_t size)
{
    const char *certificate = s->host->config(s->host->ctx, "certificate");

    if (!has_pair(s->host, error, size))
        return false;
    if (!certificate)
        return true;
    s->certificate = tls_new(certificate, s->host->config(s->host->ctx, "key"), error, size);
    return s->certificate != NULL;
}

void setup_check(const struct pw_host *host, struct pw_problems *problems)
{
    unsigned long bytes;
    unsigned n;
    char why[512];

    for (size_t i = 0; i < COUNT_COUNT; i++)
        if (!read_count(&n, host, &COUNTS[i], why, sizeof(why)))
            host->problem(host->ctx, problems, COUNTS[i].key, why);
    if (!read_max_body(&bytes, host, why, sizeof(why)))
        host->problem(host->ctx, problems, "max_body", why);
    if (!read_socket_scopes(&n, host, why, sizeof(why)))
        host->problem(host->ctx, problems, "socket_scopes", why);
    if (!has_pair(host, why, sizeof(why)))
        host->problem(host->ctx, problems, host->config(host->ctx, "key") ? "key" : "certificate",
                      why);
}

void setup_check_files(const struct pw_host *host, struct pw_problems *problems)
{
    const char *certificate = host->config(host->ctx, "certificate");
    const char *key = host->config(host->ctx, "key");
    char why[1024];

    /* What systemd passes is there for the service alone. */
    if (!certificate || !key || tls_is_credential(certificate) || tls_is_credential(key))
        return;
    struct tls *t = tls_new(certificate, key, why, sizeof(why));
    if (!t) /* the sentence begins with the file that it is about */
        host->problem(host->ctx, problems,
                      strncmp(why, key, strlen(key)) == 0 ? "key" : "certificate", why);
    if (t && tls_is_late(t, why, sizeof(why)))
        host->problem(host->ctx, problems, "certificate", why);
    if (t && tls_is_exposed(t, why, sizeof(why)))
        host->problem(host->ctx, problems, "key", why);
    tls_free(t);
}

bool setup_server(struct server *s, char *error, size_t error_size)
{
    unsigned long bytes = 0;

    if (!read_limits(s, error, error_size) || !read_max_body(&bytes, s->host, error, error_size) ||
        !read_socket_scopes(&s->socket_scopes, s->host, error, error_size) ||
        !read_certificate(s, error, error_size) || !open_sockets(s, error, error_size))
        return false;
    s->max_body = bytes;
    return true;
}
