/*
 * watch.c - see watch.h. A watcher is in one of two lists: idle (server.watchers), or that of the
 * question which will answer it (fetch.watchers).
 */
#include "watch.h"

#include <stdlib.h>

#define AGAIN_MS 500 /* after a host that was busy */

/* A question under way. */
struct fetch {
    struct server *server;
    struct fetch *next;
    int64_t after;
    int limit;
    struct watcher *watchers;
};

static const struct pw_changes NOTHING = { .status = PW_OK };

static void on_time(uv_timer_t *timer);

static uint64_t wakes_at(const struct watcher *w)
{
    return w->again_ms && w->again_ms < w->due_ms ? w->again_ms : w->due_ms;
}

static void idle(struct watcher *w)
{
    struct server *s = w->server;
    uint64_t now = uv_now(s->loop), at = wakes_at(w);

    w->next = s->watchers;
    s->watchers = w;
    if (uv_is_active((uv_handle_t *)&s->watch) && s->watch_ms <= at)
        return;
    s->watch_ms = at;
    uv_timer_start(&s->watch, on_time, at > now ? at - now : 0, 0);
}

static void idle_for_a_moment(struct watcher *w)
{
    w->again_ms = uv_now(w->server->loop) + AGAIN_MS;
    idle(w);
}

/* Is there, for all we know, something behind its number? Unknown until the feed first grows. */
static bool is_behind(const struct watcher *w)
{
    return w->server->head_seq > w->after;
}

static void fetch(struct watcher *w);

static void settle(struct watcher *w, const struct pw_changes *page)
{
    struct server *s = w->server;
    bool is_empty = page->status == PW_OK && page->count == 0;

    if (is_empty && page->head > s->head_seq)
        s->head_seq = page->head;
    w->has_looked = true;
    if (is_empty && page->head < w->after) {
        w->page(w, page, true);
    } else if (is_empty && !s->is_stopping && uv_now(s->loop) < w->due_ms) {
        if (is_behind(w)) /* it grew after the question had been asked */
            fetch(w);
        else
            idle(w);
    } else if (page->status == PW_BUSY && !s->is_stopping) {
        idle_for_a_moment(w);
    } else if (page->status == PW_BUSY) {
        w->page(w, &NOTHING, false);
    } else {
        w->page(w, page, false);
    }
}

static void on_page(void *arg, const struct pw_changes *page)
{
    struct fetch *f = arg, **at = &f->server->fetches;

    while (*at != f)
        at = &(*at)->next;
    *at = f->next; /* before settling, which may ask the same again */
    for (struct watcher *w = f->watchers, *next; w; w = next) {
        next = w->next;
        settle(w, page);
    }
    free(f);
}

static struct fetch *fetch_new(struct server *s, int64_t after, int limit)
{
    struct fetch *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    *f = (struct fetch){ .server = s, .after = after, .limit = limit };
    if (s->host->changes(s->host->ctx, after, limit, on_page, f) != PW_OK) {
        free(f);
        return NULL;
    }
    f->next = s->fetches;
    s->fetches = f;
    return f;
}

static void fetch(struct watcher *w)
{
    struct fetch *f = w->server->fetches;

    w->again_ms = 0;
    while (f && (f->after != w->after || f->limit != w->limit))
        f = f->next;
    if (!f)
        f = fetch_new(w->server, w->after, w->limit);
    if (!f) {
        idle_for_a_moment(w);
        return;
    }
    w->next = f->watchers;
    f->watchers = w;
}

void watch(struct watcher *w)
{
    w->again_ms = 0;
    if (w->server->is_stopping)
        w->due_ms = 0;
    if (is_behind(w) || (!w->has_looked && w->due_ms > 0))
        fetch(w);
    else
        idle(w);
}

/* Look at each idle one again; `all` have waited long enough. */
static void look_again(struct server *s, bool all)
{
    struct watcher *list = s->watchers;
    uint64_t now = uv_now(s->loop);

    s->watchers = NULL;
    for (struct watcher *w = list, *next; w; w = next) {
        next = w->next;
        if (all || w->due_ms <= now)
            w->page(w, &NOTHING, false);
        else if (is_behind(w) || (w->again_ms && w->again_ms <= now))
            fetch(w);
        else
            idle(w);
    }
}

static void on_time(uv_timer_t *timer)
{
    look_again(timer->data, false);
}

void watch_changed(struct server *s, int64_t head_seq)
{
    s->head_seq = head_seq;
    look_again(s, false);
}

void watch_stop(struct server *s)
{
    look_again(s, true);
}
