/*
 * get.c - ask for the same few paths again and again, as fast as the answers come.
 *
 * Prints one line of JSON. The paths of a file are asked for in turn, on connections that stay
 * open.
 */
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char USAGE[] =
    "bench-get --port N --paths FILE [--count N] [--clients N]\n"
    "  --paths  a path a line    --count  requests (10000)    --clients  connections (1)";

static struct requests requests_of(const struct lines *paths, size_t count)
{
    struct requests out = { .count = count, .events = count };

    if (paths->count == 0)
        die("there are no paths");
    out.items = need(calloc(count, sizeof(*out.items)));
    for (size_t i = 0; i < count; i++) {
        struct request *r = &out.items[i];
        size_t at = i % paths->count;
        int len = (int)(paths->start[at + 1] - paths->start[at] - 1);
        int n = snprintf(r->head, sizeof(r->head), "GET %.*s HTTP/1.1\r\nHost: bench\r\n\r\n", len,
                         paths->bytes + paths->start[at]);
        if (n < 0 || (size_t)n >= sizeof(r->head))
            die("a path is too long: %.*s", len, paths->bytes + paths->start[at]);
        r->head_len = (size_t)n;
        r->body = "";
        r->events = 1;
    }
    return out;
}

int main(int argc, char **argv)
{
    int port = atoi(option_needed(argc, argv, "--port", USAGE));
    struct lines paths = lines_read(option_needed(argc, argv, "--paths", USAGE), 0);
    struct stream stream = { .requests = requests_of(
                                 &paths, (size_t)option_number(argc, argv, "--count", 10000)) };

    client_run(port, &stream, (int)option_number(argc, argv, "--clients", 1), NULL);
    printf("{\"requests\":%zu,\"retries\":%zu,\"seconds\":%.6f,\"latency_ms\":", stream.answered,
           stream.retries, (double)(stream.ended - stream.began) / 1e6);
    latencies_print(stdout, &stream.latencies);
    printf("}\n");
    return 0;
}
