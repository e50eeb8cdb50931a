/*
 * request.h - one HTTP request: read, given to its route's handler, answered.
 *
 * A handler answers at once with one of reply_*(), or calls the host and then
 * request_wait(); the host's callback answers with reply_*() and then request_go_on().
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <microhttpd.h>

#include "server.h"
#include "str.h"

struct route;

struct request {
    struct server *server;             /* borrowed */
    struct MHD_Connection *connection; /* borrowed */
    const struct route *route;         /* NULL: there is none */
    const char *method;                /* borrowed */
    char *segment;                     /* the decoded {} of the route's path; owned */
    char *inner;                       /* that of a second {}; owned */
    struct str body;                   /* without what was beyond max_body */
    size_t body_seen;                  /* bytes that came */
    size_t body_reserved;              /* bytes of the server's bound that are ours */
    struct MHD_Response *response;     /* set by reply_*() */
    void *own;                         /* the handler's, for free() with the request; NULL */
    struct keeping *keeping; /* its answer will be kept (again.c); owned, by free(); NULL */
    struct link *link;       /* its connection; NULL: unwatched */
    size_t reply_bytes;      /* of the answer's body, when they are known */
    uint64_t began_ns;
    unsigned status;
    int linger_fd; /* to read on after a refusal; -1 */
    bool is_suspended;
    bool is_queued;
    bool is_borrowed; /* the response is somebody else's */
};

/* libmicrohttpd's callbacks; `arg` is the server. */
enum MHD_Result request_handle(void *arg, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **context);
void request_completed(void *arg, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode code);

/* A header's value, or NULL. */
const char *request_header(const struct request *r, const char *name);
/* A query parameter as it came (not decoded), or NULL. */
const char *request_parameter(const struct request *r, const char *name);

/* The host has taken the question: nothing more until its callback. */
void request_wait(struct request *r);
/* From the host's callback, after reply_*(). */
void request_go_on(struct request *r);

/* Free the body when it is no longer needed, so that others may be read. */
void request_drop_body(struct request *r);

/*
 * Answer with bytes, copied. `type` NULL: no body type. What is found by GET gets a tag of what it
 * says; it is answered 304 when the peer has it already, and compressed when it would have it so.
 */
void reply_bytes(struct request *r, unsigned status, const char *type, const char *bytes,
                 size_t len);
/* Answer with a response made otherwise, which becomes the request's. */
void reply_response(struct request *r, unsigned status, const char *type,
                    struct MHD_Response *response);
/* Answer with one that stays somebody else's, until the caller returns at least. */
void reply_kept(struct request *r, unsigned status, struct MHD_Response *response, size_t bytes);
/* Answer with RFC 9457. `name` is the kind of problem: urn:pathwayd:problem:NAME. */
void reply_problem(struct request *r, unsigned status, const char *name, const char *detail);
/* The answer to a status of the host that is not PW_OK. */
void reply_status(struct request *r, enum pw_status status, const char *detail);
/* One more header for the answer; after reply_*(). */
void reply_header(struct request *r, const char *name, const char *value);

#endif
