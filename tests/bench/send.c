/*
 * send.c - send a file of events to a daemon as fast as it takes them, and say how fast that was.
 *
 * Prints one line of JSON. `seconds` is until the last event was acknowledged; with --judged,
 * `judged_seconds` until the daemon's status said that nothing waited any more either.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"

#define MARKS_MAX  64
#define POLL_US    1000
#define STATUS_MAX 4096

static const char USAGE[] =
    "bench-send --port N --events FILE [--batch N] [--clients N] [--skip N] [--limit N]\n"
    "  [--marks N,N...] [--judged 1] [--beside FILE [--beside-skip N]]\n"
    "  --batch     events to a request (1000)    --clients  connections (1)\n"
    "  --skip      leave out the first so many   --limit    end after so many lines of FILE\n"
    "  --marks     also when so many events, or a few more, were acknowledged\n"
    "  --beside    one more connection sends these, one a request, while it lasts";

/* The text behind "name": in a flat piece of JSON. */
static const char *member(const char *json, const char *name)
{
    char quoted[64];

    snprintf(quoted, sizeof(quoted), "\"%s\":", name);
    const char *found = strstr(json, quoted);
    if (!found)
        die("the daemon's status has no %s: %s", name, json);
    return found + strlen(quoted);
}

/* Has all that was acknowledged been judged, and all that was due? Instants compare as texts. */
static bool is_settled(int port)
{
    char status[STATUS_MAX];

    client_get(port, "/v1/status", status, sizeof(status));
    const char *wake = member(status, "next_wake"), *now = member(status, "now");
    return strtoll(member(status, "queue_events"), NULL, 10) == 0 &&
           strtoll(member(status, "refold_lag"), NULL, 10) == 0 &&
           (*wake == 'n' || strncmp(wake, now, strlen("\"2026-01-01T00:00:00.000000Z")) > 0);
}

static int64_t await_settled(int port)
{
    const struct timespec pause = { .tv_nsec = POLL_US * 1000 };

    while (!is_settled(port))
        nanosleep(&pause, NULL);
    return clock_us();
}

static size_t read_marks(struct mark *marks, const char *text)
{
    size_t n = 0;

    while (text && *text) {
        char *end;
        if (n == MARKS_MAX)
            die("more than %d marks", MARKS_MAX);
        marks[n++].events = strtoul(text, &end, 10);
        if (end == text || (*end && *end != ','))
            die("--marks: found '%s', expected numbers and commas", text);
        text = *end ? end + 1 : end;
    }
    return n;
}

/* Seconds since 1970, to be held against other clocks. */
static double clock_here(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(int64_t us)
{
    return (double)us / 1e6;
}

static void print_stream(struct stream *s)
{
    printf("\"events\":%zu,\"requests\":%zu,\"retries\":%zu,\"seconds\":%.6f,"
           "\"accepted\":%lld,\"duplicate\":%lld,\"conflict\":%lld,\"invalid\":%lld,"
           "\"latency_ms\":",
           s->acknowledged, s->answered, s->retries, seconds(s->ended - s->began),
           (long long)s->statuses.accepted, (long long)s->statuses.duplicate,
           (long long)s->statuses.conflict, (long long)s->statuses.invalid);
    latencies_print(stdout, &s->latencies);
}

static void print_marks(const struct stream *s)
{
    printf(",\"marks\":[");
    for (size_t i = 0; i < s->mark_count; i++)
        printf("%s{\"events\":%zu,\"seconds\":%.6f}", i ? "," : "", s->marks[i].acknowledged,
               seconds(s->marks[i].us));
    printf("]");
}

int main(int argc, char **argv)
{
    struct mark marks[MARKS_MAX] = { { 0 } };
    struct stream stream = { .marks = marks }, beside = { 0 };
    size_t skip = (size_t)option_number(argc, argv, "--skip", 0);
    int port = atoi(option_needed(argc, argv, "--port", USAGE));
    const char *other = option_text(argc, argv, "--beside");

    struct lines lines = lines_read(option_needed(argc, argv, "--events", USAGE),
                                    (size_t)option_number(argc, argv, "--limit", 0));
    stream.requests =
        requests_cut(&lines, skip, (size_t)option_number(argc, argv, "--batch", 1000));
    stream.mark_count = read_marks(marks, option_text(argc, argv, "--marks"));
    if (other) {
        struct lines singles = lines_read(other, 0);
        beside.requests =
            requests_cut(&singles, (size_t)option_number(argc, argv, "--beside-skip", 0), 1);
        if (beside.requests.count == 0)
            die("%s: no events", other);
    }
    double began = clock_here();
    client_run(port, &stream, (int)option_number(argc, argv, "--clients", 1),
               other ? &beside : NULL);
    printf("{\"began\":%.6f,", began);
    print_stream(&stream);
    print_marks(&stream);
    if (option_number(argc, argv, "--judged", 0))
        printf(",\"judged_seconds\":%.6f", seconds(await_settled(port) - stream.began));
    if (other) {
        printf(",\"beside\":{");
        print_stream(&beside);
        printf("}");
    }
    printf("}\n");
    return 0;
}
