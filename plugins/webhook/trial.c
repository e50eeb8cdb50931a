/* trial.c - the question webhook.test: one signed request, at once, and what came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "answers.h"

struct test {
    struct test *next;
    struct webhook *webhook;
    struct pw_question *question;
    struct transfer *transfer;
    char *body;
};

static void test_free(struct test *t)
{
    struct test **at = &t->webhook->tests;

    while (*at && *at != t)
        at = &(*at)->next;
    if (*at)
        *at = t->next;
    free(t->body);
    free(t);
}

static void on_tested(void *arg, const struct outcome *o)
{
    struct test *t = arg;

    answer(t->webhook, t->question,
           json_pack("{s:b, s:i, s:I, s:s?}", "delivered", !o->error[0], "status", o->status,
                     "took_ms", (json_int_t)o->took_ms, "error", o->error[0] ? o->error : NULL));
    test_free(t);
}

void tests_cancel(struct webhook *w)
{
    while (w->tests) {
        struct test *t = w->tests;
        net_cancel(t->transfer);
        refuse(w, t->question, PW_BUSY, "the daemon is stopping");
        test_free(t);
    }
}

static char *test_body(const struct endpoint *e, char id[48])
{
    char random[17], stamp[32];
    uint8_t bytes[8];
    time_t now = time(NULL);
    struct tm utc;

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(random, sizeof(random), bytes, sizeof(bytes));
    snprintf(id, 48, "test/%s", random);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S.000000Z", gmtime_r(&now, &utc));
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s}}", "specversion", "1.0", "id", id,
                             "source", "/pathwayd", "type", "pathway.webhook.test", "time", stamp,
                             "data", "webhook", e->name);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

void answer_test(void *self, struct pw_question *q, const char *text)
{
    static const char *const KNOWN[] = { "name", NULL };
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_test))
        return;
    char id[48];
    json_t *params = read_params(w, q, text, KNOWN);
    struct endpoint *e = params ? named(w, q, params) : NULL;

    json_decref(params);
    if (!e)
        return;
    struct test *t = calloc(1, sizeof(*t));
    if (t) {
        *t = (struct test){
            .next = w->tests, .webhook = w, .question = q, .body = test_body(e, id)
        };
        w->tests = t;
        if (t->body)
            t->transfer = endpoint_post(e, id, t->body, strlen(t->body), on_tested, t);
    }
    if (t && t->transfer)
        return;
    if (t)
        test_free(t);
    refuse(w, q, PW_BUSY, "no memory for a test");
}
