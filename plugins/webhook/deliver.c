/*
 * deliver.c - the feed to its receiver: see webhook.h.
 *
 * Entries of one subject go one after the other; those of different subjects side by side. The
 * cursor stands before the first entry that is not delivered. What fails is tried again by the
 * table, and holds up its own subject alone. When nothing gets through at all, the endpoint is
 * thought to be dead: then one entry at a time is tried, by the same table, until one is taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "answers.h"

#define DEAD_AFTER        3 /* failures in a row */
#define BUSY_MS           200
#define RETRY_AFTER_MAX_S (7 * 86400)

static bool is_sending(const struct endpoint *e)
{
    return e->state == ENDPOINT_ACTIVE && e->cursor && !e->is_removed && !e->webhook->is_stopping;
}

static bool is_dead(const struct endpoint *e)
{
    return e->failures >= DEAD_AFTER;
}

/* ---- the window ---- */

static void entry_free(struct entry *n)
{
    if (n->transfer)
        net_cancel(n->transfer);
    free(n->subject);
    free(n->id);
    free(n->body);
    free(n);
}

static bool is_wanted(const struct endpoint *e, const struct pw_change *c)
{
    if (e->hub && (!c->hub || strcmp(e->hub, c->hub) != 0))
        return false;
    for (size_t i = 0; i < e->decision_count; i++)
        if (strcmp(e->decisions[i], c->decision) == 0)
            return true;
    return e->decision_count == 0;
}

static char *id_of(const struct pw_change *c)
{
    json_t *entry = json_loadb(c->json, c->len, 0, NULL);
    const char *id = json_string_value(json_object_get(entry, "id"));
    char *copy = id ? strdup(id) : NULL;

    json_decref(entry);
    return copy;
}

static bool add_entry(struct endpoint *e, const struct pw_change *c)
{
    struct entry *n = calloc(1, sizeof(*n));

    if (!n)
        return false;
    *n = (struct entry){ .endpoint = e,
                         .seq = c->seq,
                         .subject = strdup(c->subject),
                         .id = id_of(c),
                         .body = strndup(c->json, c->len),
                         .len = c->len };
    if (!n->subject || !n->id || !n->body) {
        entry_free(n);
        return false;
    }
    for (struct entry *before = e->first; before; before = before->next)
        if (!before->follower && strcmp(before->subject, n->subject) == 0) {
            before->follower = n;
            n->is_blocked = true;
            break;
        }
    *(e->last ? &e->last->next : &e->first) = n;
    e->last = n;
    e->count++;
    return true;
}

/* All before what is still in the window is dealt with: delivered, or not wanted. */
static void acknowledge(struct endpoint *e)
{
    const struct pw_host *host = e->webhook->host;
    int64_t seq = e->first ? e->first->seq - 1 : e->read_to;

    if (seq > e->acked) {
        e->acked = seq;
        host->cursor_ack(host->ctx, e->cursor, seq);
    }
}

/* It is delivered: the next of its subject may go. */
static void drop_entry(struct entry *n)
{
    struct endpoint *e = n->endpoint;
    struct entry **at = &e->first, *before = NULL;

    while (*at != n) {
        before = *at;
        at = &before->next;
    }
    *at = n->next;
    if (e->last == n)
        e->last = before;
    if (n->follower)
        n->follower->is_blocked = false;
    e->count--;
    entry_free(n);
}

static void drop_window(struct endpoint *e)
{
    while (e->first) {
        struct entry *n = e->first;
        e->first = n->next;
        entry_free(n);
    }
    e->last = NULL;
    e->count = e->going = 0;
}

void endpoint_restart(struct endpoint *e, int64_t seq)
{
    drop_window(e);
    e->acked = e->read_to = seq;
    e->is_stale = e->is_reading;
    endpoint_forgive(e);
}

void endpoint_forgive(struct endpoint *e)
{
    e->failures = e->round = 0;
    e->due_ms = 0;
    for (struct entry *n = e->first; n; n = n->next) {
        n->due_ms = 0;
        n->attempts = 0;
    }
}

void endpoint_disable(struct endpoint *e, const char *reason)
{
    free(e->reason);
    e->reason = strdup(reason);
    e->state = ENDPOINT_DISABLED;
    uv_timer_stop(&e->timer);
    drop_window(e);
    e->read_to = e->acked;
    e->is_stale = e->is_reading;
    webhook_log(e->webhook, 0, "endpoint disabled name=%s reason=%s", e->name, reason);
    endpoint_keep(e, NULL, NULL);
}

/* ---- reading ---- */

static void on_due(uv_timer_t *timer)
{
    endpoint_pump(timer->data);
}

static void look_again(struct endpoint *e, uint64_t in_ms)
{
    if (!uv_is_active((uv_handle_t *)&e->timer) || uv_timer_get_due_in(&e->timer) > in_ms)
        uv_timer_start(&e->timer, on_due, in_ms, 0);
}

static void take_page(struct endpoint *e, const struct pw_changes *page)
{
    for (size_t i = 0; i < page->count; i++) {
        if (is_wanted(e, &page->items[i]) && !add_entry(e, &page->items[i]))
            break; /* no memory: the rest is read again */
        e->read_to = page->items[i].seq;
    }
    acknowledge(e);
}

static void on_page(void *arg, const struct pw_changes *page)
{
    struct endpoint *e = arg;
    bool is_stale = e->is_stale;

    e->is_reading = e->is_stale = false;
    if (e->is_removed) {
        endpoint_remove(e);
        return;
    }
    if (page->status != PW_OK) {
        look_again(e, BUSY_MS);
        return;
    }
    if (page->head > e->webhook->head)
        e->webhook->head = page->head;
    e->webhook->knows_head = true;
    if (!is_stale)
        take_page(e, page);
    endpoint_pump(e);
}

static void read_on(struct endpoint *e)
{
    const struct pw_host *host = e->webhook->host;

    if (e->is_reading || e->count > WINDOW / 2 ||
        (e->webhook->knows_head && e->read_to >= e->webhook->head))
        return;
    e->is_reading =
        host->changes(host->ctx, e->read_to, (int)(WINDOW - e->count), on_page, e) == PW_OK;
    if (!e->is_reading)
        look_again(e, BUSY_MS);
}

/* ---- sending ---- */

struct transfer *endpoint_post(struct endpoint *e, const char *id, const char *body, size_t len,
                               outcome_fn *done, void *arg)
{
    const struct webhook *w = e->webhook;
    time_t now = time(NULL);
    uint8_t secret[SECRET_BYTES];
    char signatures[2 * SIGN_TEXT], stamp[32];

    secret_derive(secret, &w->master, e->uid, e->serial);
    sign(signatures, secret, id, (long long)now, body, len);
    if (e->serial > 1 && now < e->previous_until) {
        size_t used = strlen(signatures);
        signatures[used++] = ' ';
        secret_derive(secret, &w->master, e->uid, e->serial - 1);
        sign(signatures + used, secret, id, (long long)now, body, len);
    }
    sodium_memzero(secret, sizeof(secret));
    snprintf(stamp, sizeof(stamp), "%lld", (long long)now);
    const struct header headers[] = { { "Content-Type", "application/cloudevents+json" },
                                      { "webhook-id", id },
                                      { "webhook-timestamp", stamp },
                                      { "webhook-signature", signatures },
                                      { NULL, NULL } };
    return net_post(w->net, e->url, headers, body, len, done, arg);
}

/* Up to a fifth longer, so that what failed together does not come back together. */
static uint64_t with_jitter(int64_t seconds)
{
    uint64_t ms = (uint64_t)seconds * 1000;
    return ms + randombytes_uniform((uint32_t)(ms / 5 < UINT32_MAX ? ms / 5 + 1 : UINT32_MAX));
}

static uint64_t next_try(const struct endpoint *e, int tries, long retry_after)
{
    const struct settings *s = &e->webhook->settings;
    int64_t wait = s->retry_s[tries < s->retry_count ? tries : s->retry_count - 1];

    if (retry_after > wait)
        wait = retry_after < RETRY_AFTER_MAX_S ? retry_after : RETRY_AFTER_MAX_S;
    uv_update_time(e->webhook->loop); /* not shorter by what this round of the loop has taken */
    return uv_now(e->webhook->loop) + with_jitter(wait);
}

size_t endpoint_failing(const struct endpoint *e)
{
    size_t count = 0;

    for (const struct entry *n = e->first; n; n = n->next)
        count += n->attempts > 0;
    return count;
}

uint64_t endpoint_next_ms(const struct endpoint *e)
{
    uint64_t now = uv_now(e->webhook->loop), due = UINT64_MAX;

    for (const struct entry *n = e->first; n; n = n->next)
        if (n->attempts > 0 && n->due_ms < due)
            due = n->due_ms;
    if (due != UINT64_MAX && is_dead(e))
        due = e->due_ms;
    return due == UINT64_MAX || e->state != ENDPOINT_ACTIVE ? UINT64_MAX
           : due > now                                      ? due - now
                                                            : 0;
}

static void take_success(struct entry *n)
{
    struct endpoint *e = n->endpoint;

    e->delivered++;
    e->failures = e->round = 0;
    e->due_ms = 0;
    drop_entry(n);
    if (endpoint_failing(e) == 0) /* else why others wait is still to be told */
        e->last_error[0] = '\0';
    acknowledge(e);
}

/* It is throttled, or nothing gets through: the endpoint as a whole must wait. */
static void wait_for_endpoint(struct endpoint *e, const struct entry *n, const struct outcome *o)
{
    bool was_dead = is_dead(e);
    bool is_throttled =
        o->status == 429 || o->status == 502 || o->status == 503 || o->status == 504;

    e->failures++;
    if (is_throttled && e->failures < DEAD_AFTER)
        e->failures = DEAD_AFTER;
    if (!is_dead(e) || (was_dead && !n->is_probe))
        return;
    if (was_dead)
        e->round++;
    e->due_ms = next_try(e, e->round, is_throttled ? o->retry_after : 0);
}

static void take_failure(struct entry *n, const struct outcome *o)
{
    struct endpoint *e = n->endpoint;
    int limit = e->webhook->settings.retry_count;
    char why[400];

    e->failed++;
    n->attempts++;
    n->due_ms = next_try(e, n->attempts - 1, o->retry_after);
    wait_for_endpoint(e, n, o);
    webhook_log(e->webhook, 1, "delivery failed name=%s seq=%lld attempt=%d error=%s", e->name,
                (long long)n->seq, n->attempts, o->error);
    if (o->status == 410) {
        endpoint_disable(e, "it answered 410: it is gone, and wants no more");
    } else if (n->attempts > limit || e->round >= limit) {
        snprintf(why, sizeof(why), "entry %lld was not taken in %d attempts: %s", (long long)n->seq,
                 n->attempts, o->error);
        endpoint_disable(e, why);
    }
}

static void on_outcome(void *arg, const struct outcome *o)
{
    struct entry *n = arg;
    struct endpoint *e = n->endpoint;

    n->transfer = NULL;
    e->going--;
    e->last_at = time(NULL);
    e->last_status = o->status;
    if (o->error[0]) {
        snprintf(e->last_error, sizeof(e->last_error), "%s", o->error);
        take_failure(n, o);
    } else {
        take_success(n);
    }
    endpoint_pump(e);
}

static bool is_ready(const struct entry *n, uint64_t now)
{
    return !n->transfer && !n->is_blocked && n->due_ms <= now;
}

/* The oldest; from a dead endpoint the one that was tried least, so that one bad entry does not
 * speak for all. */
static struct entry *pick(const struct endpoint *e, uint64_t now)
{
    struct entry *best = NULL;

    for (struct entry *n = e->first; n; n = n->next) {
        if (!is_ready(n, is_dead(e) ? UINT64_MAX : now))
            continue;
        if (!best || n->attempts < best->attempts)
            best = n;
        if (!is_dead(e))
            break;
    }
    return best;
}

static bool send_one(struct endpoint *e, struct entry *n)
{
    n->is_probe = is_dead(e);
    n->transfer = endpoint_post(e, n->id, n->body, n->len, on_outcome, n);
    if (!n->transfer)
        return false;
    e->going++;
    return true;
}

/* When the next entry that failed may be sent again. */
static void wait_for_next(struct endpoint *e, uint64_t now)
{
    uint64_t due = UINT64_MAX;

    if (is_dead(e))
        due = e->first ? e->due_ms : due;
    else
        for (const struct entry *n = e->first; n; n = n->next)
            if (is_ready(n, UINT64_MAX) && n->due_ms < due)
                due = n->due_ms;
    if (due != UINT64_MAX && e->going < (size_t)(is_dead(e) ? 1 : e->webhook->settings.parallel))
        look_again(e, due > now ? due - now : 1);
}

void endpoint_pump(struct endpoint *e)
{
    if (!is_sending(e))
        return;
    uint64_t now = uv_now(e->webhook->loop);
    read_on(e);
    size_t most = is_dead(e) ? 1 : (size_t)e->webhook->settings.parallel;
    while (e->going < most && (!is_dead(e) || e->due_ms <= now)) {
        struct entry *n = pick(e, now);
        if (!n)
            break;
        if (!send_one(e, n)) {
            look_again(e, BUSY_MS);
            return;
        }
    }
    wait_for_next(e, now);
}

/* ---- beginning ---- */

/* It does not begin: whoever adds it hears why. */
static void give_up_adding(struct endpoint *e, enum pw_status status, const char *why)
{
    if (e->adding)
        kept_done(e->adding, status, why, strlen(why));
    e->adding = NULL;
}

/* Where a new one begins goes to the disk with it, before whoever adds it hears of it: its cursor
 * is written a little later, and without it a crash would lose what came in between. */
static void keep_new(struct endpoint *e, int64_t place)
{
    e->from = place;
    if (endpoint_keep(e, kept_done, e->adding) == PW_OK)
        e->adding = NULL; /* its answer comes from there */
    else
        give_up_adding(e, PW_BUSY, "it could not be kept; try again");
}

static void on_cursor(void *arg, enum pw_status status, struct pw_cursor *cursor, int64_t place,
                      const char *error)
{
    struct endpoint *e = arg;
    bool is_new = e->adding != NULL;

    e->is_reading = e->is_stale = false;
    if (e->is_removed) {
        give_up_adding(e, PW_ABSENT, "it was removed meanwhile");
        e->webhook->host->cursor_close(e->webhook->host->ctx, cursor, true);
        endpoint_remove(e);
        return;
    }
    if (status != PW_OK) {
        webhook_log(e->webhook, 0, "no cursor name=%s error=%s", e->name, error);
        give_up_adding(e, status, error);
        if (is_new)
            endpoint_remove(e);
        return;
    }
    e->cursor = cursor;
    e->acked = e->read_to = place;
    if (is_new)
        keep_new(e, place);
    if (!is_sending(e)) /* only to know how far it is behind */
        e->is_reading = e->is_stale =
            e->webhook->host->changes(e->webhook->host->ctx, place, 1, on_page, e) == PW_OK;
    endpoint_pump(e);
}

/* Opening counts as reading: something is under way that comes back. */
bool endpoint_begin(struct endpoint *e, int64_t from)
{
    const struct pw_host *host = e->webhook->host;

    e->is_reading = host->cursor_open(host->ctx, e->name, from, on_cursor, e) == PW_OK;
    return e->is_reading;
}
