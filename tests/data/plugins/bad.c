/* bad.c - plugins that go wrong, one way each, by the macro that is defined; see
 * test_plugins.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include <pathway/plugin.h>

static const struct pw_host *the_host; /* a plugin of a test may */
static pw_done_fn *first_done;

static void on_submitted(void *arg, const struct pw_submit_result *result)
{
    char line[400];

    (void)arg;
    snprintf(line, sizeof(line), "junk status=%d count=%zu first=%d error=%.200s",
             (int)result->status, result->count,
             result->count ? (int)result->results[0].status : -1,
             result->error ? result->error : "");
    the_host->log(the_host->ctx, 2, line);
}

static void on_answer(void *arg, enum pw_status status, const char *text, size_t len)
{
    (void)arg;
    (void)status;
    (void)text;
    (void)len;
}

__attribute__((unused)) static void never_answers(void *self, struct pw_question *q,
                                                  const char *params)
{
    (void)self;
    (void)q;
    (void)params;
}

__attribute__((unused)) static void send_junk(void)
{
    static const char *const SENT[] = { "",        "{",    "\xff\xfe\x00",
                                        "[1,2,3]", "null", "{\"specversion\":\"1.0\"}" };
    char big[70000];

    for (size_t i = 0; i < sizeof(SENT) / sizeof(SENT[0]); i++)
        the_host->submit(the_host->ctx, (enum pw_format)(i % 3), SENT[i], strlen(SENT[i]), "bad",
                         on_submitted, NULL);
    memset(big, '[', sizeof(big));
    the_host->submit(the_host->ctx, PW_EVENT, big, sizeof(big), NULL, on_submitted, NULL);
    int refused =
        (the_host->submit(the_host->ctx, (enum pw_format)9, "x", 1, NULL, on_submitted, NULL) ==
         PW_INPUT) +
        (the_host->submit(the_host->ctx, PW_EVENT, NULL, 5, NULL, on_submitted, NULL) == PW_INPUT) +
        (the_host->submit(the_host->ctx, PW_EVENT, "x", 1, NULL, NULL, NULL) == PW_INPUT) +
        (the_host->ask(the_host->ctx, NULL, NULL, on_answer, NULL) == PW_INPUT) +
        (the_host->ask(the_host->ctx, "keep", "{}", on_answer, NULL) == PW_INPUT) +
        (the_host->changes(the_host->ctx, -5, 0, NULL, NULL) == PW_INPUT) +
        (the_host->cursor_open(the_host->ctx, "No Name", 0, NULL, NULL) == PW_INPUT) +
        (the_host->state_set(the_host->ctx, "k", "{no json", NULL, NULL) == PW_INPUT) +
        (the_host->state_set(the_host->ctx, "../k", "1", NULL, NULL) == PW_INPUT);
    char line[64];
    snprintf(line, sizeof(line), "refused=%d", refused);
    the_host->log(the_host->ctx, 2, line);
}

/* A pipe that nobody reads, perhaps. */
__attribute__((unused)) static void wait_for_ever(uv_work_t *work)
{
    (void)work;
    for (;;)
        pause();
}

__attribute__((unused)) static int start(const struct pw_host *host, void **self, char *error,
                                         size_t size)
{
    the_host = host;
    *self = &the_host;
#ifdef FAILS_TO_START
    snprintf(error, size, "the moon is not full");
    return 1;
#endif
    (void)error;
    (void)size;
#ifdef NEVER_STOPS
    static uv_work_t work;
    uv_queue_work(host->loop(host->ctx), &work, wait_for_ever, NULL);
#endif
#ifdef NEVER_ANSWERS
    host->offer(host->ctx, "ask", never_answers);
#endif
    return 0;
}

static void changed(void *self, int64_t head)
{
    static bool was_here;

    (void)self;
    (void)head;
    if (was_here)
        return;
    was_here = true;
#ifdef GIVES_UP
    the_host->give_up(the_host->ctx, "the other side has hung up");
#endif
#ifdef BLOCKS
    while (access(getenv("BAD_GOES_ON"), F_OK) != 0) /* until somebody has seen it */
        usleep(10000);
#endif
#ifdef JUNK
    send_junk();
#endif
}

static void stop(void *self, pw_done_fn *done, void *arg)
{
    (void)self;
    first_done = done;
#ifdef NEVER_STOPS
    (void)arg;
#else
    done(arg);
    done(arg); /* once too often */
#endif
}

static void measure(void *self, struct pw_meter *m)
{
    static const char *const LABELS[] = { "what", "a \"quoted\"\nname", NULL };

    (void)self;
    the_host->measure(the_host->ctx, m, PW_GAUGE, "pathwayd_events_total", "not its own", NULL, 1);
    the_host->measure(the_host->ctx, m, PW_GAUGE, "pathwayd_bad_thing", "its own", LABELS, 1);
}

/* What stands here in a plugin that says 1.0 is not the host's to look at. */
__attribute__((unused)) static void check(const struct pw_host *host, struct pw_problems *problems)
{
    const char *word = host->config(host->ctx, "word");
    char why[100];

    if (!word || strcmp(word, "red") == 0)
        return;
    snprintf(why, sizeof(why), "'word' is '%.40s'; expected red", word);
    host->problem(host->ctx, problems, "word", why);
}

static const char *const KEYS[] = { "word", NULL };

PW_PLUGIN pathway_plugin = {
#ifdef OTHER_ABI
    .abi_major = PW_ABI_MAJOR + 1,
#else
    .abi_major = PW_ABI_MAJOR,
#endif
#if defined(NEWER_ABI)
    .abi_minor = PW_ABI_MINOR + 1,
#elif defined(OLD_ABI)
    .abi_minor = 0,
#else
    .abi_minor = PW_ABI_MINOR,
#endif
#ifdef OTHER_NAME
    .name = "good",
#else
    .name = "bad",
#endif
    .keys = KEYS,
#ifndef NO_START
    .start = start,
#endif
    .changed = changed,
    .stop = stop,
    .measure = measure,
#ifdef CHECKS
    .check = check,
#endif
};
