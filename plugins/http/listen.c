/* listen.c - see listen.h. */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG     511
#define UNIX_PREFIX "unix:"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
};

static bool fail(struct listening *l, char *error, size_t size, const char *address,
                 const char *doing)
{
    snprintf(error, size, "listen address '%s': %s: %s", address, doing, strerror(errno));
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    return false;
}

/* Split "HOST:PORT" or "[HOST]:PORT". */
static bool split(const char *address, char *host, size_t host_size, int *port)
{
    const char *colon = strrchr(address, ':');
    char *end = NULL;

    if (!colon || colon == address || !colon[1])
        return false;
    long number = strtol(colon + 1, &end, 10);
    if (*end || colon[1] < '0' || colon[1] > '9' || number > 65535)
        return false;
    bool bracketed = address[0] == '[';
    if (bracketed && colon[-1] != ']')
        return false;
    size_t len = (size_t)(colon - address) - (bracketed ? 2 : 0);
    if (len == 0 || len >= host_size)
        return false;
    memcpy(host, address + bracketed, len);
    host[len] = '\0';
    *port = (int)number;
    return true;
}

/* 0: no address; else its length. */
static socklen_t parse(union address *out, const char *host, int port, bool *is_loopback)
{
    memset(out, 0, sizeof(*out));
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        *is_loopback = ntohl(out->v4.sin_addr.s_addr) >> 24 == 127;
        return sizeof(out->v4);
    }
    if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)port);
        *is_loopback = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
        return sizeof(out->v6);
    }
    return 0;
}

/* Port 0 becomes a real one only after bind(). */
static void name_tcp(struct listening *l)
{
    union address real;
    socklen_t len = sizeof(real);
    char host[INET6_ADDRSTRLEN] = "";

    if (getsockname(l->fd, &real.any, &len) != 0)
        return;
    if (real.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &real.v4.sin_addr, host, sizeof(host));
        snprintf(l->name, sizeof(l->name), "%s:%u", host, ntohs(real.v4.sin_port));
    } else {
        inet_ntop(AF_INET6, &real.v6.sin6_addr, host, sizeof(host));
        snprintf(l->name, sizeof(l->name), "[%s]:%u", host, ntohs(real.v6.sin6_port));
    }
}

static bool open_tcp(struct listening *l, const char *address, char *error, size_t size)
{
    char host[80];
    int port = 0, on = 1;
    bool is_loopback = false;
    union address a;

    if (!split(address, host, sizeof(host), &port)) {
        snprintf(error, size,
                 "listen address '%s': expected HOST:PORT with a port from 0 to 65535, [::1]:PORT "
                 "or unix:PATH",
                 address);
        return false;
    }
    socklen_t len = parse(&a, host, port, &is_loopback);
    if (len == 0) {
        snprintf(error, size, "listen address '%s': '%s' is no IP address; names are not looked up",
                 address, host);
        return false;
    }
    l->is_loopback = is_loopback;
    l->fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return fail(l, error, size, address, "make a socket");
    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a.any.sa_family == AF_INET6)
        setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(l->fd, &a.any, len) != 0 || listen(l->fd, BACKLOG) != 0)
        return fail(l, error, size, address, "listen");
    name_tcp(l);
    return true;
}

/* A socket file on which nobody answers was left behind by a crash. */
static bool is_stale(const union address *a, socklen_t len)
{
    struct stat st;
    if (lstat(a->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool stale = connect(fd, &a->any, len) != 0 && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static bool open_unix(struct listening *l, const char *address, char *error, size_t size)
{
    const char *path = address + strlen(UNIX_PREFIX);
    union address a = { .un = { .sun_family = AF_UNIX } };
    struct stat st;

    if (!*path || strlen(path) >= sizeof(a.un.sun_path)) {
        snprintf(error, size, "listen address '%s': a socket's path has 1 to %zu bytes", address,
                 sizeof(a.un.sun_path) - 1);
        return false;
    }
    strcpy(a.un.sun_path, path);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return fail(l, error, size, address, "make a socket");
    fchmod(l->fd, 0600); /* the file's mode until chmod() below, whatever the umask */
    int rc = bind(l->fd, &a.any, sizeof(a.un));
    if (rc != 0 && errno == EADDRINUSE) {
        if (is_stale(&a, sizeof(a.un)) && unlink(path) == 0)
            rc = bind(l->fd, &a.any, sizeof(a.un));
        else
            errno = EADDRINUSE;
    }
    if (rc != 0)
        return fail(l, error, size, address, "listen");
    /* by umask it would hold for the whole process: other threads make files meanwhile */
    if (chmod(path, 0660) != 0 || listen(l->fd, BACKLOG) != 0 || stat(path, &st) != 0)
        return fail(l, error, size, address, "listen");
    strcpy(l->path, path);
    l->dev = st.st_dev;
    l->ino = st.st_ino;
    snprintf(l->name, sizeof(l->name), "%s", address);
    return true;
}

bool listen_open(struct listening *out, const char *address, char *error, size_t error_size)
{
    *out = (struct listening){ .fd = -1 };
    if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return open_unix(out, address, error, error_size);
    return open_tcp(out, address, error, error_size);
}

void listen_close(struct listening *l)
{
    struct stat st;

    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    if (l->path[0] && stat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
        unlink(l->path);
    l->path[0] = '\0';
}
