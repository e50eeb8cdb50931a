/* reply.c - see request.h: the answers. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

#define TAGGED_BYTES (4u * 1024 * 1024) /* what is larger is not asked for again and again */
#define PACKED_BYTES 1024u              /* what is smaller gains nothing */

static const char *title_of(unsigned status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 406:
        return "Not Acceptable";
    case 409:
        return "Conflict";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 412:
        return "Precondition Failed";
    case 415:
        return "Unsupported Media Type";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 507:
        return "Insufficient Storage";
    }
    return "Internal Server Error";
}

void reply_header(struct request *r, const char *name, const char *value)
{
    if (r->response)
        MHD_add_response_header(r->response, name, value);
}

void reply_response(struct request *r, unsigned status, const char *type,
                    struct MHD_Response *response)
{
    if (r->response)
        MHD_destroy_response(r->response);
    r->response = response;
    r->status = status;
    if (type)
        reply_header(r, "Content-Type", type);
    r->reply_bytes = 0;
    reply_header(r, "X-Content-Type-Options", "nosniff");
    if (status == 503)
        reply_header(r, "Retry-After", "1");
    if (r->server->is_stopping)
        reply_header(r, "Connection", "close");
}

void reply_kept(struct request *r, unsigned status, struct MHD_Response *response, size_t bytes)
{
    r->response = response;
    r->is_borrowed = true;
    r->status = status;
    r->reply_bytes = bytes;
}

/* The bytes as they are, copied. */
static void reply_plain(struct request *r, unsigned status, const char *type, const char *bytes,
                        size_t len)
{
    /* the cast: libmicrohttpd copies, and does not write */
    reply_response(
        r, status, type,
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY));
    r->reply_bytes = len;
}

/* The bytes compressed; false: they could not be. */
static bool reply_packed(struct request *r, const char *type, const char *bytes, size_t len)
{
    char *copy = malloc(len);
    struct MHD_Response *response = NULL;

    if (copy) {
        memcpy(copy, bytes, len);
        response = gzip_response(copy, len);
    }
    if (!response) {
        free(copy);
        return false;
    }
    reply_response(r, 200, type, response);
    reply_header(r, "Content-Encoding", "gzip");
    r->reply_bytes = len;
    return true;
}

/* What GET found: kept by nobody but the one who asks, and asked for again each time. */
static void reply_found(struct request *r, const char *type, const char *bytes, size_t len)
{
    const char *known = request_header(r, "If-None-Match");
    bool packs = len >= PACKED_BYTES && wants_gzip(request_header(r, "Accept-Encoding"));
    char etag[ETAG_TEXT] = "";

    if (len <= TAGGED_BYTES)
        etag_make(etag, bytes, len, packs);
    if (known && etag[0] && etag_matches(known, etag))
        reply_plain(r, 304, NULL, "", 0);
    else if (!packs || !reply_packed(r, type, bytes, len))
        reply_plain(r, 200, type, bytes, len);
    if (etag[0])
        reply_header(r, "ETag", etag);
    reply_header(r, "Cache-Control", "private, no-cache");
    reply_header(r, "Vary", "Accept, Accept-Encoding, Authorization");
}

void reply_bytes(struct request *r, unsigned status, const char *type, const char *bytes,
                 size_t len)
{
    bool is_get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;

    if (is_get && status == 200) {
        reply_found(r, type, bytes, len);
        return;
    }
    reply_plain(r, status, type, bytes, len);
    reply_header(r, "Cache-Control", "no-store");
}

void reply_problem(struct request *r, unsigned status, const char *name, const char *detail)
{
    struct str body = { 0 };

    str_printf(&body, "{\"type\":\"urn:pathwayd:problem:%s\",\"title\":\"%s\",\"status\":%u", name,
               title_of(status), status);
    str_text(&body, ",\"detail\":");
    str_json_shown(&body, detail ? detail : "");
    str_text(&body, "}\n");
    reply_bytes(r, status, "application/problem+json", body.failed ? "" : body.data,
                body.failed ? 0 : body.len);
    str_fini(&body);
}

void reply_status(struct request *r, enum pw_status status, const char *detail)
{
    switch (status) {
    case PW_OK:
    case PW_FAILED:
        reply_problem(r, 500, "internal", "something failed here; the daemon's log has the reason");
        return;
    case PW_INPUT:
        reply_problem(r, 400, "input", detail);
        return;
    case PW_ABSENT:
        reply_problem(r, 404, "absent", detail);
        return;
    case PW_CONFLICT:
        reply_problem(r, 409, "conflict", detail);
        return;
    case PW_LIMIT:
        reply_problem(r, 413, "limit", detail);
        return;
    case PW_BUSY:
        reply_problem(r, 503, "busy",
                      detail && *detail
                          ? detail
                          : "the daemon is starting, stopping or has too much to do; try again");
        return;
    }
}
