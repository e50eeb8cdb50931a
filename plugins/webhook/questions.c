/* questions.c - what can be asked of the plugin: webhook.list, webhook.add and so on; webhook.test
 * is trial.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "answers.h"

#define OVERLAP_H     24
#define OVERLAP_MAX_H (24 * 30)

/* ---- list ---- */

static json_t *moment(int64_t seconds)
{
    char text[32];
    time_t t = (time_t)seconds;
    struct tm utc;

    if (seconds == 0)
        return json_null();
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    return json_string(text);
}

static json_t *next_attempt(const struct endpoint *e)
{
    uint64_t ms = endpoint_next_ms(e);
    return ms == UINT64_MAX ? json_null() : moment((int64_t)time(NULL) + (int64_t)(ms / 1000));
}

static json_t *describe(const struct endpoint *e)
{
    json_t *out = endpoint_write(e);
    const struct webhook *w = e->webhook;
    int64_t lag = w->head > e->acked ? w->head - e->acked : 0;

    if (!out)
        return NULL;
    json_object_del(out, "uid");
    json_object_del(out, "from");
    json_object_set_new(out, "name", json_string(e->name));
    json_object_set_new(out, "created", moment(e->created));
    json_object_set_new(out, "previous_until",
                        moment(e->previous_until > time(NULL) ? e->previous_until : 0));
    json_object_set_new(out, "acked", json_integer(e->acked));
    json_object_set_new(out, "lag", e->cursor && w->knows_head ? json_integer(lag) : json_null());
    json_object_set_new(out, "delivered", json_integer((json_int_t)e->delivered));
    json_object_set_new(out, "failed", json_integer((json_int_t)e->failed));
    json_object_set_new(out, "failing", json_integer((json_int_t)endpoint_failing(e)));
    json_object_set_new(out, "next_attempt", next_attempt(e));
    json_object_set_new(out, "last_attempt", moment(e->last_at));
    json_object_set_new(out, "last_status",
                        e->last_status ? json_integer(e->last_status) : json_null());
    json_object_set_new(out, "last_error",
                        e->last_error[0] ? json_string(e->last_error) : json_null());
    return out;
}

static void answer_list(void *self, struct pw_question *q, const char *text)
{
    static const char *const KNOWN[] = { NULL };
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_list))
        return;
    json_t *params = read_params(w, q, text, KNOWN);

    if (!params)
        return;
    json_decref(params);
    json_t *items = json_array();
    for (const struct endpoint *e = w->first; e; e = e->next)
        json_array_append_new(items, describe(e));
    answer(w, q, json_pack("{s:o}", "items", items));
}

static const char *const NAME_ONLY[] = { "name", NULL };

static void answer_show(void *self, struct pw_question *q, const char *text)
{
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_show))
        return;
    json_t *params = read_params(w, q, text, NAME_ONLY);
    const struct endpoint *e = params ? named(w, q, params) : NULL;

    json_decref(params);
    if (e)
        answer(w, q, describe(e));
}

/* ---- add ---- */

static json_t *secret_of(const struct endpoint *e)
{
    uint8_t secret[SECRET_BYTES];
    char text[SECRET_TEXT];

    secret_derive(secret, &e->webhook->master, e->uid, e->serial);
    secret_text(text, secret);
    sodium_memzero(secret, sizeof(secret));
    return json_pack("{s:s, s:s, s:s}", "name", e->name, "url", e->url, "secret", text);
}

/* -1: it is none. */
static int64_t read_from(const json_t *from)
{
    const char *text = json_string_value(from);

    if (!from || json_is_null(from) || (text && strcmp(text, "head") == 0))
        return PW_FROM_HEAD;
    if (text && strcmp(text, "start") == 0)
        return PW_FROM_START;
    return json_is_integer(from) && json_integer_value(from) >= 0 ? json_integer_value(from) : -2;
}

/* NULL: fine; else what is wrong. */
static const char *check_new(const struct webhook *w, const json_t *params, char *error,
                             size_t size)
{
    const char *name = json_string_value(json_object_get(params, "name"));
    const char *url = json_string_value(json_object_get(params, "url"));
    const json_t *hub = json_object_get(params, "hub"),
                 *decisions = json_object_get(params, "decisions");

    if (!name_is_good(name))
        return "name: expected 1 to 64 of a-z 0-9 . _ -, and no dot in front";
    if (!url)
        return "url: expected such as https://hub.example/hook";
    if (!net_check_url(url, error, size))
        return error;
    if (hub && !json_is_null(hub) && !json_is_string(hub))
        return "hub: expected a hub's code as a text";
    if (decisions && !json_is_null(decisions) && !json_is_array(decisions))
        return "decisions: expected an array of names";
    for (size_t i = 0; i < json_array_size(decisions); i++)
        if (json_string_length(json_array_get(decisions, i)) == 0)
            return "decisions: expected an array of names";
    if (read_from(json_object_get(params, "from")) < PW_FROM_HEAD)
        return "from: expected \"head\", \"start\" or a number of the feed";
    if (w->count >= ENDPOINTS_MAX)
        return "there are as many webhooks as there can be";
    return NULL;
}

static bool fill_new(struct endpoint *e, const json_t *params)
{
    uint8_t uid[(ID_TEXT - 1) / 2];

    randombytes_buf(uid, sizeof(uid));
    sodium_bin2hex(e->uid, sizeof(e->uid), uid, sizeof(uid));
    json_t *kept = json_pack("{s:O, s:O?, s:O?, s:s, s:s, s:i, s:I, s:I}", "url",
                             json_object_get(params, "url"), "hub", json_object_get(params, "hub"),
                             "decisions", json_object_get(params, "decisions"), "state", "active",
                             "uid", e->uid, "serial", 1, "previous_until", (json_int_t)0, "created",
                             (json_int_t)time(NULL));
    bool ok = kept && endpoint_read(e, kept);
    json_decref(kept);
    return ok;
}

static void add(struct webhook *w, struct pw_question *q, const json_t *params)
{
    const char *name = json_string_value(json_object_get(params, "name"));

    if (endpoint_find(w, name)) {
        refuse(w, q, PW_CONFLICT, "there is a webhook '%s' already; remove it first", name);
        return;
    }
    struct endpoint *e = endpoint_add(w, name);
    if (!e) {
        refuse(w, q, PW_BUSY, "no memory for a webhook");
        return;
    }
    bool ok = fill_new(e, params);
    json_t *secret = ok ? secret_of(e) : NULL;
    e->adding = secret ? kept_new(w, q, secret) : NULL;
    if (!e->adding || !endpoint_begin(e, read_from(json_object_get(params, "from")))) {
        if (e->adding)
            kept_free(e->adding);
        endpoint_remove(e);
        refuse(w, q, PW_BUSY, "too much is under way; try again");
        return;
    }
    webhook_log(w, 2, "endpoint added name=%s", name);
}

static void answer_add(void *self, struct pw_question *q, const char *text)
{
    static const char *const KNOWN[] = { "name", "url", "hub", "decisions", "from", NULL };
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_add))
        return;
    char error[256];
    json_t *params = read_params(w, q, text, KNOWN);

    if (!params)
        return;
    const char *wrong = check_new(w, params, error, sizeof(error));
    if (wrong)
        refuse(w, q, PW_INPUT, "%s", wrong);
    else
        add(w, q, params);
    json_decref(params);
}

/* ---- what changes one that is there ---- */

static void answer_remove(void *self, struct pw_question *q, const char *text)
{
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_remove))
        return;
    json_t *params = read_params(w, q, text, NAME_ONLY);
    struct endpoint *e = params ? named(w, q, params) : NULL;
    struct kept *k = e ? kept_new(w, q, json_object()) : NULL;

    json_decref(params);
    if (!e)
        return;
    if (!k || w->host->state_set(w->host->ctx, e->name, NULL, kept_done, k) != PW_OK) {
        if (k)
            kept_free(k);
        refuse(w, q, PW_BUSY, "it could not be removed; try again");
        return;
    }
    webhook_log(w, 2, "endpoint removed name=%s", e->name);
    endpoint_restart(e, e->acked);
    w->host->cursor_close(w->host->ctx, e->cursor, true);
    e->cursor = NULL;
    endpoint_remove(e);
}

static void set_state(struct endpoint *e, enum endpoint_state state)
{
    free(e->reason);
    e->reason = NULL;
    e->state = state;
    webhook_log(e->webhook, 2, "endpoint %s name=%s",
                state == ENDPOINT_PAUSED ? "paused" : "resumed", e->name);
}

static void answer_pause(void *self, struct pw_question *q, const char *text)
{
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_pause))
        return;
    json_t *params = read_params(w, q, text, NAME_ONLY);
    struct endpoint *e = params ? named(w, q, params) : NULL;

    json_decref(params);
    if (!e)
        return;
    set_state(e, ENDPOINT_PAUSED);
    keep_and_answer(e, q, describe(e));
}

static void answer_resume(void *self, struct pw_question *q, const char *text)
{
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_resume))
        return;
    json_t *params = read_params(w, q, text, NAME_ONLY);
    struct endpoint *e = params ? named(w, q, params) : NULL;

    json_decref(params);
    if (!e)
        return;
    set_state(e, ENDPOINT_ACTIVE);
    endpoint_forgive(e);
    keep_and_answer(e, q, describe(e));
    endpoint_pump(e);
}

static void answer_replay(void *self, struct pw_question *q, const char *text)
{
    static const char *const KNOWN[] = { "name", "after", NULL };
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_replay))
        return;
    json_t *params = read_params(w, q, text, KNOWN);
    struct endpoint *e = params ? named(w, q, params) : NULL;
    const json_t *after = json_object_get(params, "after");
    int64_t seq = json_is_integer(after) ? json_integer_value(after) : -1;

    if (e && (seq < 0 || seq > w->head))
        refuse(w, q, PW_INPUT, "after: expected a number of the feed, from 0 to %lld",
               (long long)w->head);
    else if (e && !e->cursor)
        refuse(w, q, PW_BUSY, "the webhook is still being opened; try again");
    else if (e) {
        endpoint_restart(e, seq);
        w->host->cursor_move(w->host->ctx, e->cursor, seq);
        answer(w, q, describe(e));
        endpoint_pump(e);
    }
    json_decref(params);
}

static void answer_rotate(void *self, struct pw_question *q, const char *text)
{
    static const char *const KNOWN[] = { "name", "overlap_hours", NULL };
    struct webhook *w = self;

    if (must_wait(w, q, text, answer_rotate))
        return;
    json_t *params = read_params(w, q, text, KNOWN);
    struct endpoint *e = params ? named(w, q, params) : NULL;
    const json_t *overlap = json_object_get(params, "overlap_hours");
    int64_t hours = json_is_integer(overlap) ? json_integer_value(overlap)
                    : overlap                ? -1
                                             : OVERLAP_H;

    json_decref(params);
    if (!e)
        return;
    if (hours < 0 || hours > OVERLAP_MAX_H) {
        refuse(w, q, PW_INPUT, "overlap_hours: expected a whole number from 0 to %d",
               OVERLAP_MAX_H);
        return;
    }
    e->serial++;
    e->previous_until = time(NULL) + hours * 3600;
    webhook_log(w, 2, "secret rotated name=%s serial=%d", e->name, e->serial);
    keep_and_answer(e, q, secret_of(e));
}

bool questions_offer(struct webhook *w)
{
    static const struct {
        const char *name;
        pw_question_fn *fn;
    } OFFERS[] = {
        { "list", answer_list },     { "show", answer_show },     { "add", answer_add },
        { "remove", answer_remove }, { "pause", answer_pause },   { "resume", answer_resume },
        { "replay", answer_replay }, { "rotate", answer_rotate }, { "test", answer_test },
    };

    for (size_t i = 0; i < sizeof(OFFERS) / sizeof(OFFERS[0]); i++)
        if (w->host->offer(w->host->ctx, OFFERS[i].name, OFFERS[i].fn) != PW_OK)
            return false;
    return true;
}
