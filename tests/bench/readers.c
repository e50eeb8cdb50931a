/*
 * readers.c - many who follow the feed live, from one epoll loop, and look at nothing but how far
 * they are.
 *
 * Opens --count streams on the port, the i-th with the i-th line of --queries (in turn) behind its
 * path, and says
 * {"open":N} when each has had its first bytes. Then lines on standard input: a number asks until
 * when all have been shown that entry, answered {"seconds":S,"bytes":N,"lost":N} (seconds since the
 * line came; lost ones were closed by the daemon); the end of input ends the program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

#define TAIL_BYTES 64
#define READ_BYTES (256 * 1024)

static const char USAGE[] =
    "bench-readers --port N --count N [--after SEQ] [--queries FILE]\n"
    "  --queries  a line for each: what stands behind /v1/changes?after=SEQ, as "
    "&hub=07";

struct reader {
    int fd; /* -1: lost */
    bool has_begun;
    long long shown; /* the last id */
    char tail[TAIL_BYTES];
    size_t tail_len;
};

struct crowd {
    int epoll;
    struct reader *readers;
    size_t count, begun, lost;
    uint64_t bytes;
};

/* HTTP/1.0, so that the stream comes as it is, without chunks. */
static void open_one(struct crowd *c, struct reader *r, int port, long long after, const char *more,
                     size_t more_len)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = r };
    char request[512];

    int n = snprintf(request, sizeof(request),
                     "GET /v1/changes?after=%lld%.*s HTTP/1.0\r\nHost: bench\r\n"
                     "Accept: text/event-stream\r\n\r\n",
                     after, (int)more_len, more);
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        send(r->fd, request, (size_t)n, MSG_NOSIGNAL) != n ||
        epoll_ctl(c->epoll, EPOLL_CTL_ADD, r->fd, &e) != 0)
        die("a reader can not connect: %s", strerror(errno));
    r->shown = after;
}

/* The last whole "id: N" of what came, which may have been cut anywhere. */
static void look(struct reader *r, const char *bytes, size_t len)
{
    static char text[TAIL_BYTES + READ_BYTES];
    size_t all = r->tail_len + len;

    memcpy(text, r->tail, r->tail_len);
    memcpy(text + r->tail_len, bytes, len);
    for (const char *at = text + all; (at = memrchr(text, ':', (size_t)(at - text)));) {
        const char *end = memchr(at, '\n', (size_t)(text + all - at));
        if (end && at - text >= 3 && memcmp(at - 3, "\nid:", 4) == 0) {
            r->shown = atoll(at + 1);
            break;
        }
    }
    r->tail_len = all < TAIL_BYTES ? all : TAIL_BYTES;
    memcpy(r->tail, text + all - r->tail_len, r->tail_len);
}

static void receive(struct crowd *c, struct reader *r)
{
    static char bytes[READ_BYTES];
    ssize_t n = recv(r->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close(r->fd);
        r->fd = -1;
        c->lost++;
        return;
    }
    c->begun += !r->has_begun;
    r->has_begun = true;
    c->bytes += (uint64_t)n;
    look(r, bytes, (size_t)n);
}

static bool have_all(const struct crowd *c, long long seq)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->readers[i].fd >= 0 && c->readers[i].shown < seq)
            return false;
    return true;
}

/* Take in what there is. False: standard input has ended. */
static bool turn(struct crowd *c, char *line, size_t size)
{
    struct epoll_event events[256];
    int n = epoll_wait(c->epoll, events, 256, 100);

    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            receive(c, events[i].data.ptr);
        else if (!fgets(line, (int)size, stdin))
            return false;
    }
    return true;
}

static void answer(const struct crowd *c, int64_t asked)
{
    printf("{\"seconds\":%.6f,\"bytes\":%llu,\"lost\":%zu}\n", (double)(clock_us() - asked) / 1e6,
           (unsigned long long)c->bytes, c->lost);
    fflush(stdout);
}

static void serve(struct crowd *c)
{
    struct epoll_event input = { .events = EPOLLIN, .data.ptr = NULL };
    long long wanted = -1;
    int64_t asked = 0;
    char line[64];

    epoll_ctl(c->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
    for (line[0] = '\0'; turn(c, line, sizeof(line)); line[0] = '\0') {
        if (line[0]) {
            wanted = atoll(line);
            asked = clock_us();
        }
        if (wanted >= 0 && have_all(c, wanted)) {
            answer(c, asked);
            wanted = -1;
        }
    }
}

/* Where line i of the text begins, in turn; "" when there are none. */
static const char *query_of(const struct lines *queries, size_t i, size_t *len)
{
    *len = 0;
    if (queries->count == 0)
        return "";
    i %= queries->count;
    *len = queries->start[i + 1] - queries->start[i] - 1;
    return queries->bytes + queries->start[i];
}

int main(int argc, char **argv)
{
    const char *path = option_text(argc, argv, "--queries");
    int port = atoi(option_needed(argc, argv, "--port", USAGE));
    struct lines queries = path ? lines_read(path, 0) : (struct lines){ 0 };
    struct crowd c = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
    struct rlimit files;
    char line[64];

    c.count = (size_t)atoi(option_needed(argc, argv, "--count", USAGE));
    c.readers = need(calloc(c.count, sizeof(*c.readers)));
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setvbuf(stdin, NULL, _IONBF, 0); /* a line that is read ahead would not wake epoll */
    for (size_t i = 0; i < c.count; i++) {
        size_t len;
        const char *more = query_of(&queries, i, &len);
        open_one(&c, &c.readers[i], port, option_number(argc, argv, "--after", 0), more, len);
    }
    while (c.begun + c.lost < c.count)
        turn(&c, line, sizeof(line));
    printf("{\"open\":%zu}\n", c.begun);
    fflush(stdout);
    serve(&c);
    return 0;
}
