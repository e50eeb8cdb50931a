/* deliver.c - see deliver.h. Answers are read in the order of the batches, whichever comes
 * first. */
#include "cli/deliver.h"

#include <string.h>
#include <time.h>

#include "base/json.h"

#define IN_FLIGHT       2
#define RETRY_DEFAULT_S 1
#define RETRY_MAX_S     30

struct slot {
    struct exchange exchange;
    struct batch batch;
    int waited_s; /* for this batch, because the daemon was busy */
};

/* Put the next batch on its way; the slot's batch is empty when there is none. */
static enum err_code start(struct slot *s, struct client *c, const struct delivery *d,
                           struct err *err)
{
    enum err_code rc = d->next(&s->batch, d->arg, err);

    if (rc != OK || !s->batch.count)
        return rc;
    s->waited_s = 0;
    s->exchange.method = "POST";
    s->exchange.path = "/v1/events";
    s->exchange.content_type = "application/x-ndjson";
    s->exchange.body = s->batch.body.data;
    s->exchange.body_len = s->batch.body.len;
    return client_start(c, &s->exchange, err);
}

static void pause_s(int seconds)
{
    struct timespec left = { .tv_sec = seconds };

    while (nanosleep(&left, &left) != 0)
        ;
}

/* Wait for the answer; while the daemon is busy, ask again. */
static enum err_code settle(struct slot *s, struct client *c, const struct delivery *d,
                            struct err *err)
{
    for (;;) {
        enum err_code rc = client_wait(c, &s->exchange, err);
        if (rc != OK || s->exchange.status != 503)
            return rc;
        int wait = s->exchange.retry_after_s ? s->exchange.retry_after_s : RETRY_DEFAULT_S;
        wait = wait > RETRY_MAX_S ? RETRY_MAX_S : wait;
        if (s->waited_s + wait > d->patience_s)
            return err_set(
                err, ERR_BUSY,
                "the daemon was busy for %d seconds; send the same files again later: what "
                "was taken counts as duplicate then",
                s->waited_s);
        pause_s(wait);
        s->waited_s += wait;
        rc = client_start(c, &s->exchange, err);
        if (rc != OK)
            return rc;
    }
}

static int64_t count_of(const struct json *answer, const char *name)
{
    const struct json *n = json_get(answer, name);

    return n && n->type == JSON_INT ? n->as.integer : 0;
}

static void tell_result(const struct batch *b, const struct json *result, const struct delivery *d)
{
    const struct json *index = json_get(result, "index");
    const struct json *detail = json_get(result, "detail");
    const char *status = json_is_string(json_get(result, "status"), "conflict")  ? "conflict"
                         : json_is_string(json_get(result, "status"), "invalid") ? "invalid"
                                                                                 : NULL;

    if (!status || !index || index->type != JSON_INT || index->as.integer < 0 ||
        index->as.integer >= b->count)
        return;
    d->refused(b->file, b->lines[index->as.integer], status,
               detail && detail->type == JSON_STRING ? detail->as.string : "no reason given",
               d->arg);
}

static enum err_code read_results(struct tally *tally, const struct slot *s,
                                  const struct delivery *d, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *answer = NULL;
    const struct buf *body = &s->exchange.answer;

    enum err_code rc = json_parse(&answer, &arena, buf_cstr(body), body->len, 16, err);
    if (rc != OK) {
        arena_fini(&arena);
        return err_set(err, ERR_IO,
                       "the daemon's answer to a batch is not JSON: is this a pathwayd?");
    }
    const struct json *results = json_get(answer, "results");
    const struct json *first =
        results && results->type == JSON_ARRAY && results->len ? results->as.first : NULL;
    tally->accepted += count_of(answer, "accepted");
    tally->duplicate += count_of(answer, "duplicate");
    tally->conflict += count_of(answer, "conflict");
    tally->invalid += count_of(answer, "invalid");
    for (const struct json *r = first; r; r = r->next)
        tell_result(&s->batch, r, d);
    arena_fini(&arena);
    return OK;
}

static enum err_code read_answer(struct tally *tally, const struct slot *s,
                                 const struct delivery *d, struct err *err)
{
    enum err_code rc = client_check(&s->exchange, err);

    if (rc == OK)
        return read_results(tally, s, d, err);
    if (s->batch.count == 1 && (rc == ERR_INPUT || rc == ERR_CONFLICT)) {
        /* The one event of a request was refused: HTTP says so by its status. */
        *(rc == ERR_INPUT ? &tally->invalid : &tally->conflict) += 1;
        d->refused(s->batch.file, s->batch.lines[0], rc == ERR_INPUT ? "invalid" : "conflict",
                   err->msg, d->arg);
        return OK;
    }
    err_at(err, "%s:%lld", s->batch.file, (long long)s->batch.lines[0]);
    /* The whole request was refused: that is no answer about any event. */
    return err->code = rc == ERR_BUSY ? ERR_BUSY : ERR_IO;
}

static enum err_code deliver_http(struct tally *tally, struct client *c, const struct delivery *d,
                                  struct err *err)
{
    struct slot slots[IN_FLIGHT] = { 0 };
    enum err_code rc = OK;

    for (int i = 0; i < IN_FLIGHT && rc == OK; i++)
        rc = start(&slots[i], c, d, err);
    for (int i = 0; rc == OK && slots[i].batch.count; i = (i + 1) % IN_FLIGHT) {
        rc = settle(&slots[i], c, d, err);
        if (rc == OK)
            rc = read_answer(tally, &slots[i], d, err);
        if (rc == OK && d->settled)
            d->settled(tally, d->arg);
        if (rc == OK)
            rc = start(&slots[i], c, d, err);
    }
    for (int i = 0; i < IN_FLIGHT; i++) {
        exchange_fini(&slots[i].exchange);
        batch_fini(&slots[i].batch);
    }
    return rc;
}

enum err_code deliver(struct tally *out, struct place *place, const struct delivery *d,
                      struct err *err)
{
    struct batch batch = { 0 };
    enum err_code rc = OK;

    memset(out, 0, sizeof(*out));
    if (place_client(place))
        return deliver_http(out, place_client(place), d, err);
    do {
        rc = d->next(&batch, d->arg, err);
        if (rc == OK && batch.count)
            rc = deliver_local(out, place, &batch, d, err);
        if (rc == OK && batch.count && d->settled)
            d->settled(out, d->arg);
    } while (rc == OK && batch.count);
    batch_fini(&batch);
    return rc;
}
