/*
 * client.h - HTTP to a daemon, over TCP or its unix socket (libcurl).
 *
 * A few exchanges may be under way at once. What goes wrong on the way is an error; what the daemon
 * answers, a refusal included, is an answer, which client_check() turns into an error for those
 * who expect none.
 */
#ifndef PATHWAY_CLI_CLIENT_H
#define PATHWAY_CLI_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

#define CLIENT_DEFAULT_URL "unix:/run/pathwayd/pathway.sock"

struct client;

struct exchange {
    /* What is asked: set before client_start(), borrowed until it is done. */
    const char *method;       /* "GET" */
    const char *path;         /* "/v1/status?x=y", already escaped */
    const char *content_type; /* of the body; NULL: no body */
    const void *body;
    size_t body_len;
    FILE *to; /* where the body of a good answer goes as it arrives; NULL: into `answer` */
    /* Told how much of a good answer has arrived, of how much (0: not said). NULL: nobody. */
    void (*on_bytes)(int64_t bytes, int64_t of, void *arg);
    void *on_bytes_arg;

    /* What was answered. */
    int status;
    int retry_after_s; /* 0 when not said */
    struct buf answer; /* for exchange_fini() */
    int64_t received;  /* bytes of a good answer's body */

    /* The client's own. */
    struct client *client;
    void *easy;
    void *headers;
    bool is_done;
    int curl_code;
    int os_error; /* errno of a connection that failed */
    char curl_detail[256];
};

/* `url` is http://HOST:PORT, https://HOST:PORT or unix:PATH. ERR_INPUT: it is neither. Nothing
 * is sent. */
MUST_CHECK enum err_code client_open(struct client **out, const char *url, struct err *err);
/* Send this access token with each request. */
MUST_CHECK enum err_code client_use_token(struct client *c, const char *token, struct err *err);
/* Over https trust the certificates in this file (PEM) in place of the system's. ERR_IO: it can not
 * be read. */
MUST_CHECK enum err_code client_use_ca(struct client *c, const char *path, struct err *err);
/* NULL allowed. Exchanges under way must have been finished or given to exchange_fini(). */
void client_close(struct client *c);

/* Begin. `x` must stay where it is until it is done. */
MUST_CHECK enum err_code client_start(struct client *c, struct exchange *x, struct err *err);
/* Wait for one exchange; others go on meanwhile. ERR_IO: no answer came, and why. */
MUST_CHECK enum err_code client_wait(struct client *c, struct exchange *x, struct err *err);
/* Call `fn` several times a second while client_wait() waits. It may use the client itself; NULL:
 * no more. */
void client_on_wait(struct client *c, void (*fn)(void *arg), void *arg);
/* Both. */
MUST_CHECK enum err_code client_call(struct client *c, struct exchange *x, struct err *err);
/* Free what an exchange holds, ending it if it is under way. A zeroed one is allowed. */
void exchange_fini(struct exchange *x);

/* OK for a 2xx answer; else the daemon's own sentence from its problem+json, with the code that
 * fits: 400 ERR_INPUT, 404 ERR_ABSENT, 409 ERR_CONFLICT, 413 ERR_LIMIT, 429 and 503 ERR_BUSY,
 * others ERR_IO. */
MUST_CHECK enum err_code client_check(const struct exchange *x, struct err *err);

/* Append `text` percent-escaped for a path segment or query. */
void client_escape(struct buf *b, const char *text);

#endif
