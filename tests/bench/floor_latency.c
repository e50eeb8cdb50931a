/*
 * floor_latency.c - the floor of a single event's latency: append the same bytes to a file, fsync.
 *
 * Prints {"latency_ms":{"p50":..}} over the lines of a file of events.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

static const char USAGE[] = "bench-floor-latency --events FILE --to FILE [--skip N] [--limit N]";

static void append(int fd, const char *bytes, size_t len)
{
    if (write(fd, bytes, len) != (ssize_t)len || fsync(fd) != 0)
        die("append: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    struct latencies latencies = { 0 };
    size_t skip = (size_t)option_number(argc, argv, "--skip", 0);
    struct lines lines = lines_read(option_needed(argc, argv, "--events", USAGE),
                                    (size_t)option_number(argc, argv, "--limit", 0));
    const char *path = option_needed(argc, argv, "--to", USAGE);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0)
        die("%s: %s", path, strerror(errno));
    for (size_t i = skip; i < lines.count; i++) {
        int64_t began = clock_us();
        append(fd, lines.bytes + lines.start[i], lines.start[i + 1] - lines.start[i]);
        latencies_add(&latencies, clock_us() - began);
    }
    close(fd);
    printf("{\"latency_ms\":");
    latencies_print(stdout, &latencies);
    printf("}\n");
    return 0;
}
