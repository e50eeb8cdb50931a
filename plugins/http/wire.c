/*
 * wire.c - see wire.h. libmicrohttpd has pages of its own for requests that never reach us; it
 * queues them by its public function, which this program therefore defines itself and puts a
 * problem in their place. tests/system/test_wire.py sees to it that it still does so with the
 * library that is there.
 */
#include "wire.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "linger.h"
#include "link.h"

struct headers {
    unsigned lengths, encodings, hosts;
    const char *encoding;
    char bad_name[64];
    bool is_bad_length;
};

/* A token of RFC 9110. */
static bool is_name(const char *name)
{
    static const char OTHERS[] = "!#$%&'*+-.^_`|~";

    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              strchr(OTHERS, *c)))
            return false;
    return *name != '\0';
}

static enum MHD_Result look(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct headers *h = arg;

    (void)kind;
    value = value ? value : "";
    if (!is_name(name) && !h->bad_name[0])
        snprintf(h->bad_name, sizeof(h->bad_name), "%.60s", *name ? name : " ");
    if (strcasecmp(name, "Content-Length") == 0) {
        h->lengths++;
        h->is_bad_length =
            h->is_bad_length || !*value || strspn(value, "0123456789") != strlen(value);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        h->encodings++;
        h->encoding = value;
    } else if (strcasecmp(name, "Host") == 0) {
        h->hosts++;
    }
    return MHD_YES;
}

const char *wire_problem(const struct request *r, char *out, size_t size)
{
    struct headers h = { 0 };
    const char *told = NULL;

    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, look, &h);
    if (h.bad_name[0]) {
        snprintf(out, size, "'%s' is no name of a header", h.bad_name);
        return out;
    }
    if (h.lengths > 0 && h.encodings > 0)
        told = "both Content-Length and Transfer-Encoding: send one";
    else if (h.lengths > 1)
        told = "Content-Length more than once";
    else if (h.is_bad_length)
        told = "Content-Length is not a whole number";
    else if (h.encodings > 1)
        told = "Transfer-Encoding more than once";
    else if (h.encodings == 1 && strcasecmp(h.encoding, "chunked") != 0)
        told = "Transfer-Encoding can be chunked, and nothing else";
    else if (h.hosts > 1)
        told = "Host more than once";
    if (told)
        snprintf(out, size, "%s", told);
    return told;
}

/* --- what the library answers by itself --- */

typedef enum MHD_Result queue_fn(struct MHD_Connection *connection, unsigned status,
                                 struct MHD_Response *response);

static const char *detail_of(unsigned status)
{
    switch (status) {
    case 400:
        return "the request line, a header or a chunk of the body is not HTTP, or the Host is "
               "missing";
    case 413:
        return "the request has more headers than are read, or its body is too large";
    case 414:
        return "the request's address is longer than is read";
    case 431:
        return "the request has more headers than are read";
    case 505:
        return "the version of HTTP is none that is spoken here; use HTTP/1.1";
    }
    return "the request can not be answered";
}

static const char *title_of(unsigned status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    }
    return "Internal Server Error";
}

static size_t write_answer(char *out, size_t size, unsigned status)
{
    char body[400];

    int len = snprintf(body, sizeof(body),
                       "{\"type\":\"urn:pathwayd:problem:http\",\"title\":\"%s\",\"status\":%u,"
                       "\"detail\":\"%s\"}\n",
                       title_of(status), status, detail_of(status));
    return (size_t)snprintf(out, size,
                            "HTTP/1.1 %u %s\r\nContent-Type: application/problem+json\r\n"
                            "Cache-Control: no-store\r\nConnection: close\r\n"
                            "Content-Length: %d\r\n\r\n%s",
                            status, title_of(status), len, body);
}

/* What fits into the socket's buffer; a few hundred bytes always do. */
static void send_answer(struct MHD_Connection *connection, int fd, unsigned status)
{
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    char text[1000];
    size_t len = write_answer(text, sizeof(text), status);

    if (tls && tls->tls_session)
        (void)gnutls_record_send(tls->tls_session, text, len);
    else if (send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return; /* it has gone */
}

/*
 * In the place of the library's, for its own calls and for ours. Its own answers have their head
 * twice (0.9.75), which no client could read: so they are sent from here, and with MHD_NO it closes
 * the connection, which it would have done after them in any case.
 */
__attribute__((visibility("default"))) enum MHD_Result
MHD_queue_response(struct MHD_Connection *connection, unsigned int status,
                   struct MHD_Response *response)
{
    union {
        void *symbol;
        queue_fn *call;
    } real = { .symbol = dlsym(RTLD_NEXT, "MHD_queue_response") };

    if (!real.symbol)
        return MHD_NO;
    if (status < 400 || link_is_own(connection, response))
        return real.call(connection, status, response);
    struct server *s = link_server(connection);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info)
        return MHD_NO;
    http_metrics_count(&s->metrics, NULL, status, 0, 0);
    send_answer(connection, info->connect_fd, status);
    int fd = linger_keep(s, info->connect_fd);
    if (fd >= 0)
        linger_start(s, fd);
    return MHD_NO;
}
