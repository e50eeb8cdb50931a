/*
 * listen.h - listening sockets: "127.0.0.1:8087", "[::1]:0", "localhost:80", "unix:/run/x.sock".
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct listening {
    int fd;
    char name[128];   /* the real address, for the log: "127.0.0.1:40123", "unix:/run/x.sock" */
    char path[108];   /* of a unix socket; "" for TCP */
    bool is_loopback; /* of TCP */
    dev_t dev;        /* the socket file that is ours */
    ino_t ino;
};

/*
 * Open one address, nonblocking. The
 * file of a unix socket gets mode 0660; one left behind, on which nobody answers, is
 * replaced. False: `error` says why.
 */
bool listen_open(struct listening *out, const char *address, char *error, size_t error_size);

/* Closes it and removes its socket file, unless that has become another's. */
void listen_close(struct listening *l);

#endif
