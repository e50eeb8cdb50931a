/*
 * floor_http.c - the floor of HTTP: libmicrohttpd as the daemon's plugin runs it, and nothing
 * behind.
 *
 * Listens on a free port of loopback, tells it on standard output, reads each POST's body and
 * answers it as if everything had been accepted before, until it is ended by a signal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common.h"

static const char ANSWER[] =
    "{\"accepted\":0,\"duplicate\":0,\"conflict\":0,\"invalid\":0,\"results\":[]}\n";

static enum MHD_Result answer(struct MHD_Connection *connection)
{
    struct MHD_Response *response = need(MHD_create_response_from_buffer(
        sizeof(ANSWER) - 1, (char *)(uintptr_t)ANSWER, MHD_RESPMEM_PERSISTENT));
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result rc = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return rc;
}

/* Called with the head, with each piece of the body, and once more at its end. */
static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *bytes,
                              size_t *size, void **seen)
{
    static char has_begun;

    (void)arg, (void)url, (void)method, (void)version, (void)bytes;
    if (!*seen) {
        *seen = &has_begun;
        return MHD_YES;
    }
    if (*size == 0)
        return answer(connection);
    *size = 0;
    return MHD_YES;
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        die("listen: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

static int timeout_ms(struct MHD_Daemon *mhd)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;
    return MHD_get_timeout(mhd, &ms) == MHD_YES ? (int)ms : -1;
}

int main(void)
{
    int port;
    int fd = listen_somewhere(&port);
    struct MHD_Daemon *mhd =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32 * 1024, MHD_OPTION_END);
    if (!mhd)
        die("libmicrohttpd can not start");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd ready = { .fd = info->epoll_fd, .events = POLLIN };

    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        poll(&ready, 1, timeout_ms(mhd));
        MHD_run(mhd);
    }
}
