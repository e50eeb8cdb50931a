/*
 * request.c - see request.h. libmicrohttpd calls request_handle() once with the headers, then
 * with each piece of the body, then with none; and once more after a wait.
 */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "access.h"
#include "again.h"
#include "linger.h"
#include "link.h"
#include "routes.h"
#include "wire.h"

#define POLITE_BYTES 65536 /* a refused body so small is read, so that the connection can go on */
#define DRAIN_FACTOR 4     /* a body without length that is too big is read so far, then cut off */

const char *request_header(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *request_parameter(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

void request_wait(struct request *r)
{
    r->is_suspended = true;
    r->server->suspended++;
    MHD_suspend_connection(r->connection);
}

void request_go_on(struct request *r)
{
    r->is_suspended = false;
    r->server->suspended--;
    MHD_resume_connection(r->connection);
    server_wake(r->server);
}

static struct request *request_new(struct server *s, struct MHD_Connection *connection,
                                   const char *method, const char *url)
{
    struct request *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->server = s;
    r->connection = connection;
    r->method = method;
    r->linger_fd = -1;
    r->route = route_find(url, &r->segment, &r->inner);
    r->began_ns = uv_hrtime();
    s->requests++;
    link_request_began(r);
    return r;
}

void request_completed(void *arg, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode code)
{
    struct request *r = *context;

    (void)arg;
    (void)connection;
    (void)code;
    if (!r)
        return;
    r->server->requests--;
    http_metrics_count(&r->server->metrics, r->route, r->status, uv_hrtime() - r->began_ns,
                       r->body_seen);
    link_request_ended(r);
    if (r->linger_fd >= 0)
        linger_start(r->server, r->linger_fd);
    if (r->response && !r->is_borrowed)
        MHD_destroy_response(r->response);
    request_drop_body(r);
    free(r->keeping);
    free(r->segment);
    free(r->inner);
    free(r->own);
    free(r);
    *context = NULL;
}

/* Claim room for a body of so many bytes in all. One that would be alone always has it. */
static bool reserve_body(struct request *r, size_t bytes)
{
    struct server *s = r->server;

    if (bytes <= r->body_reserved)
        return true;
    size_t others = s->body_bytes - r->body_reserved;
    if (others > 0 && others + bytes > s->max_body * BODIES_MAX)
        return false;
    s->body_bytes = others + bytes;
    r->body_reserved = bytes;
    return true;
}

void request_drop_body(struct request *r)
{
    str_fini(&r->body);
    r->server->body_bytes -= r->body_reserved;
    r->body_reserved = 0;
}

static void refuse_busy(struct request *r)
{
    request_drop_body(r);
    reply_status(r, PW_BUSY, "too many large requests at once; try again");
}

/* A browser's EventSource gives up for ever at any answer but 200, and comes again when a
 * connection just ends: while the daemon starts or stops it must be the latter. */
static bool must_come_again(const struct request *r)
{
    const char *accept = request_header(r, "Accept");

    return r->status == 503 && accept && strstr(accept, "text/event-stream");
}

/* Give the answer to libmicrohttpd. Without one (no memory) the connection is closed. */
static enum MHD_Result queue_reply(struct request *r)
{
    if (!r->response || must_come_again(r))
        return MHD_NO;
    r->is_queued = true;
    link_reply_began(r);
    link_set_own(r->connection, r->response);
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, r->response);
    link_set_own(r->connection, NULL);
    if (result == MHD_YES)
        again_keep(r);
    return result;
}

/* Answer now, whatever of the body is still to come. */
static enum MHD_Result refuse_unread(struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info)
        r->linger_fd = linger_keep(r->server, info->connect_fd);
    return queue_reply(r);
}

static void refuse_method(struct request *r)
{
    char allow[64], detail[160];

    route_allow(r->route, allow, sizeof(allow));
    if (strcmp(r->method, "OPTIONS") == 0) {
        reply_bytes(r, 204, NULL, "", 0);
    } else {
        snprintf(detail, sizeof(detail), "this route answers %s", allow);
        reply_problem(r, 405, "method", detail);
    }
    reply_header(r, "Allow", allow);
}

/* 0 when it is not said. */
static unsigned long long body_length(const struct request *r)
{
    const char *length = request_header(r, "Content-Length");
    return length ? strtoull(length, NULL, 10) : 0;
}

/* An answer before the body is read closes the connection: fine for a long body only. */
static bool is_worth_reading(const struct request *r)
{
    return !request_header(r, "Transfer-Encoding") && body_length(r) <= POLITE_BYTES;
}

static void refuse_media(struct request *r, const char *expected)
{
    char detail[160];

    snprintf(detail, sizeof(detail), "send the body as %s, in UTF-8", expected);
    reply_problem(r, 415, "media-type", detail);
    reply_header(r, "Accept", expected);
}

static void refuse_length(struct request *r)
{
    char detail[96];
    snprintf(detail, sizeof(detail), "the body has more than %zu bytes; send it in parts",
             r->server->max_body);
    reply_problem(r, 413, "limit", detail);
}

static void refuse_not_acceptable(struct request *r, const char *offered)
{
    char detail[160];

    snprintf(detail, sizeof(detail), "this route answers %s", offered);
    reply_problem(r, 406, "not-acceptable", detail);
}

/* What the route's table says of the request: true, or it has been told what is wrong. */
static bool fits(struct request *r, const struct route_method *method)
{
    const char *const offers[] = { method->answers, NULL };
    const char *type = request_header(r, "Content-Type");

    if (!access_check(r, method->scope))
        return false;
    if (method->answers && accept_choose(request_header(r, "Accept"), offers) < 0)
        refuse_not_acceptable(r, method->answers);
    else if (!method->may_be_bare && method->name[0] == 'P' && /* POST, PUT */
             !request_header(r, "Content-Length") && !request_header(r, "Transfer-Encoding"))
        reply_problem(r, 411, "length", "say how long the body is: Content-Length");
    else if (method->body && (!media_is(type, method->body) || !media_is_utf8(type)))
        refuse_media(r, method->body);
    return !r->response;
}

static size_t header_bytes(struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

static void refuse_headers(struct request *r)
{
    char detail[120];

    snprintf(detail, sizeof(detail), "the request line and headers have more than %zu bytes",
             r->server->max_header);
    reply_problem(r, 431, "limit", detail);
    reply_header(r, "Connection", "close");
}

/* All that can be said before the body: an answer here means that it is never read. */
static void look_at_headers(struct request *r)
{
    const struct route_method *method = r->route ? route_method(r->route, r->method) : NULL;
    const char *encoding = request_header(r, "Content-Encoding");
    char wrong[120];

    if (wire_problem(r, wrong, sizeof(wrong))) {
        reply_problem(r, 400, "http", wrong);
        reply_header(r, "Connection", "close");
    } else if (header_bytes(r) > r->server->max_header) {
        refuse_headers(r);
    } else if (r->server->is_stopping) {
        reply_status(r, PW_BUSY, "the daemon is stopping");
    } else if (!r->route) {
        reply_problem(r, 404, "absent", "there is no such route; GET / lists them");
    } else if (!method) {
        refuse_method(r);
    } else if (body_length(r) > r->server->max_body) {
        refuse_length(r);
    } else if (encoding && strcasecmp(encoding, "identity") != 0) {
        reply_problem(r, 415, "media-type", "Content-Encoding is not supported; send plain bytes");
        reply_header(r, "Accept-Encoding", "identity");
    } else if (fits(r, method) && method->look) {
        method->look(r);
    }
    if (!r->response && !reserve_body(r, (size_t)body_length(r)))
        refuse_busy(r);
}

static enum MHD_Result take_body(struct request *r, const char *upload, size_t *size)
{
    size_t max = r->server->max_body;

    r->body_seen += *size;
    if (!r->response && r->body_seen <= max && !reserve_body(r, r->body_seen))
        refuse_busy(r);
    if (!r->response && r->body_seen <= max)
        str_add(&r->body, upload, *size);
    *size = 0;
    return r->body_seen / DRAIN_FACTOR > max || r->body.failed ? MHD_NO : MHD_YES;
}

enum MHD_Result request_handle(void *arg, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **context)
{
    struct request *r = *context;

    (void)version;
    if (!r) {
        r = *context = request_new(arg, connection, method, url);
        if (!r)
            return MHD_NO;
        look_at_headers(r);
        return r->response && !is_worth_reading(r) ? refuse_unread(r) : MHD_YES;
    }
    if (*upload_size > 0)
        return take_body(r, upload, upload_size);
    if (r->is_queued)
        return MHD_YES;
    if (r->response)
        return queue_reply(r);
    if (r->body_seen > r->server->max_body)
        refuse_length(r);
    else
        route_method(r->route, r->method)->handle(r);
    return r->is_suspended ? MHD_YES : queue_reply(r);
}
