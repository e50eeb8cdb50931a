/*
 * intake.c - what the road from bytes to checked events costs, on one thread.
 *
 *   bench_intake RULES EVENTS.ndjson [TIMES [EVENTS_A_REQUEST]]   ns of CPU an event, each time
 *   bench_intake RULES EVENTS.ndjson bodies > FILE                what came of each event
 *
 * The second form is for comparing two versions: canonical bodies, notes, touches and refusals.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/digest.h"
#include "host/intake.h"
#include "lua/ruleset.h"

#define TIMES   7
#define REQUEST 1000

static const uint8_t NOTE_KEY[DIGEST_BYTES] = "the same one in every run";
static const struct intake_limits LIMITS = {
    .max_event = EVENT_MAX_BYTES, .max_events = 10000, .max_body = 16 << 20, .max_depth = 64
};

static enum err_code read_file(struct buf *out, const char *path, struct err *err)
{
    FILE *file = fopen(path, "rb");
    char chunk[65536];
    size_t n;

    if (!file)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_add(out, chunk, n);
    fclose(file);
    return out->failed ? err_set(err, ERR_LIMIT, "no memory for %s", path) : OK;
}

/* The bytes of the next `lines` lines, or of what is left. */
static size_t request_len(const char *at, const char *end, size_t lines)
{
    const char *from = at;

    for (size_t i = 0; i < lines && at < end; i++) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        at = eol ? eol + 1 : end;
    }
    return (size_t)(at - from);
}

static void print_event(const struct event *e)
{
    printf("%lld %s\n", (long long)e->time, e->body);
    for (uint32_t i = 0; i < e->touch_count; i++)
        printf(" touches %s\n", e->touches[i]);
    for (const struct event_note *note = e->notes; note; note = note->next)
        printf(" note %s %u %s\n", note->path, (unsigned)note->len, note->text);
}

static void print_intake(struct intake *in)
{
    size_t takes, results;
    const struct take *take = intake_takes(in, &takes);

    for (size_t i = 0; i < takes; i++)
        print_event(take[i].event);
    const struct pw_event_result *result = intake_results(in, &results);
    for (size_t i = 0; result && i < results; i++)
        if (result[i].detail)
            printf("%zu: %s\n", i, result[i].detail);
}

static enum err_code read_all(size_t *valid, const struct buf *text, size_t request, bool show,
                              const struct intake_schema *schema, struct err *err)
{
    const char *at = text->data, *end = at + text->len;

    *valid = 0;
    while (at < end) {
        size_t len = request_len(at, end, request), count;
        struct intake *in = NULL;
        if (intake_read(&in, &LIMITS, schema, PW_NDJSON, at, len, "bench", NULL, err) != OK)
            return err->code;
        (void)intake_takes(in, &count);
        *valid += count;
        if (show)
            print_intake(in);
        intake_free(in);
        at += len;
    }
    return OK;
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static enum err_code run(const struct buf *text, int times, size_t request, bool show,
                         const struct intake_schema *schema, struct err *err)
{
    size_t valid;

    if (show)
        return read_all(&valid, text, request, true, schema, err);
    for (int i = 0; i < times; i++) {
        double start = cpu_ns();
        if (read_all(&valid, text, request, false, schema, err) != OK)
            return err->code;
        printf("%.0f ns an event, %zu valid\n", (cpu_ns() - start) / (double)valid, valid);
    }
    return OK;
}

int main(int argc, char **argv)
{
    struct ruleset *rules = NULL;
    struct buf text = { 0 };
    struct err err;

    if (argc < 3) {
        fprintf(stderr, "usage: bench_intake RULES EVENTS.ndjson [TIMES [EVENTS_A_REQUEST]]\n");
        return 2;
    }
    bool show = argc > 3 && strcmp(argv[3], "bodies") == 0;
    int times = argc > 3 && !show ? atoi(argv[3]) : TIMES;
    size_t request = argc > 4 ? (size_t)atol(argv[4]) : REQUEST;
    enum err_code rc = civil_init(&err);
    if (rc == OK)
        rc = digest_init(&err);
    if (rc == OK)
        rc = read_file(&text, argv[2], &err);
    if (rc == OK)
        rc = ruleset_load(&rules, argv[1], NULL, &err);
    if (rc == OK) {
        const struct intake_schema schema = { ruleset_catalog(rules), NOTE_KEY };
        rc = run(&text, times, request > 0 ? request : REQUEST, show, &schema, &err);
    }
    if (rc != OK)
        fprintf(stderr, "bench_intake: %s\n", err.msg);
    ruleset_free(rules);
    buf_fini(&text);
    return rc == OK ? 0 : 1;
}
