/*
 * watch.c - see watch.h. A watcher is in one of two lists: idle (server.watchers), or that of the
 * question which will answer it (fetch.watchers).
 */
#include "watch.h"

#include <stdlib.h>

#define AGAIN_MS 500 /* after a host that was busy */
#define TURN     64u /* watchers that are given a page before the loop goes on to something else */
#define PICKY    16u
#define SHARE                                                                                      \
    20u /* one in so many parts of the loop's time is for them while the feed grows fast */
#define FAST                                                                                       \
    100 /* entries in a span, or more: somebody sends a load, and nobody can keep up with it */
#define SPAN_NS  200000000u  /* no growth for so long is calm, too */
#define ENTRY_NS 3000u       /* of an entry's way out of the database and into a page */
#define REST_NS  1000000000u /* the longest rest: then they see something again in any case */

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

/* Look again at that time, or before. */
static void look_at(struct server *s, uint64_t at)
{
    uint64_t now = uv_now(s->loop);

    if (uv_is_active((uv_handle_t *)&s->watch) && s->watch_ms <= at)
        return;
    s->watch_ms = at;
    uv_timer_start(&s->watch, on_time, at > now ? at - now : 0, 0);
}

static void idle(struct watcher *w)
{
    struct server *s = w->server;

    w->next = NULL;
    if (!s->watchers)
        s->watchers_end = &s->watchers;
    *s->watchers_end = w;
    s->watchers_end = &w->next;
    look_at(s, wakes_at(w));
}

/* ---- giving way ---- */

static bool is_calm(const struct server *s)
{
    return !s->grows_fast || uv_hrtime() - s->grown_ns > SPAN_NS;
}

static void note_growth(struct server *s, int64_t head_seq)
{
    uint64_t now = uv_hrtime();

    if (now - s->span_ns > SPAN_NS) {
        s->span_ns = now;
        s->span_seq = s->head_seq;
        s->grows_fast = false;
    }
    s->grown_ns = now;
    s->grows_fast = s->grows_fast || head_seq - s->span_seq >= FAST;
}

void watch_charge(struct server *s, uint64_t ns)
{
    uint64_t now = uv_hrtime(), from = s->rest_ns > now ? s->rest_ns : now;

    if (is_calm(s))
        return; /* to nobody */
    from += ns * (SHARE - 1);
    s->rest_ns = from - now < REST_NS ? from : now + REST_NS;
}

/* Milliseconds until somebody may be given more; 0: now. */
static uint64_t rest_ms(const struct server *s)
{
    uint64_t now = uv_hrtime();
    return s->rest_ns > now ? (s->rest_ns - now) / 1000000 + 1 : 0;
}

static void idle_for(struct watcher *w, uint64_t ms)
{
    w->again_ms = uv_now(w->server->loop) + ms;
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

    if (page->status == PW_OK && page->head > s->head_seq)
        s->head_seq =
            page->head; /* a full page too: what stands behind it comes with no word of growing */
    w->has_looked = true;
    if (is_empty && page->head < w->after) {
        w->page(w, page, true);
    } else if (is_empty && !s->is_stopping && uv_now(s->loop) < w->due_ms) {
        if (is_behind(w)) /* it grew after the question had been asked */
            fetch(w);
        else
            idle(w);
    } else if (page->status == PW_BUSY && !s->is_stopping) {
        idle_for(w, AGAIN_MS);
    } else if (page->status == PW_BUSY) {
        w->page(w, &NOTHING, false);
    } else {
        w->page(w, page, false);
    }
}

static void on_page(void *arg, const struct pw_changes *page)
{
    struct fetch *f = arg, **at = &f->server->fetches;
    uint64_t began = uv_hrtime();

    while (*at != f)
        at = &(*at)->next;
    *at = f->next; /* before settling, which may ask the same again */
    for (struct watcher *w = f->watchers, *next; w; w = next) {
        next = w->next;
        settle(w, page);
    }
    watch_charge(f->server, uv_hrtime() - began + page->count * ENTRY_NS);
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

/* The question under way that will answer it too, or NULL. */
static struct fetch *fetch_of(const struct watcher *w)
{
    struct fetch *f = w->server->fetches;

    while (f && (f->after != w->after || f->limit != w->limit))
        f = f->next;
    return f;
}

static void fetch(struct watcher *w)
{
    struct fetch *f = fetch_of(w);

    w->again_ms = 0;
    if (!f)
        f = fetch_new(w->server, w->after, w->limit);
    if (!f) {
        idle_for(w, AGAIN_MS);
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
    if (!is_behind(w) && (w->has_looked || w->due_ms == 0))
        idle(w);
    else if (w->has_looked && !is_calm(w->server)) /* with the others, when it is their turn */
        idle_for(w, rest_ms(w->server) + 1);
    else
        fetch(w);
}

/* Whether it waits for something that may be there now. */
static bool is_due(const struct watcher *w, uint64_t now)
{
    return is_behind(w) || (w->again_ms && w->again_ms <= now);
}

/* Look at each idle one again; `all` have waited long enough. */
static void look_again(struct server *s, bool all)
{
    struct watcher *list = s->watchers;
    uint64_t now = uv_now(s->loop), rest = rest_ms(s);
    unsigned turn = 0;

    s->watchers = NULL;
    for (struct watcher *w = list, *next; w; w = next) {
        next = w->next;
        if (all || w->due_ms <= now)
            w->page(w, &NOTHING, false);
        else if (is_due(w, now) && rest > 0)
            idle_for(w, rest);
        else if (is_due(w, now) && w->is_picky && fetch_of(w))
            fetch(w);
        else if (is_due(w, now) && turn >= TURN)
            idle_for(w, 1);
        else if (is_due(w, now)) {
            turn += w->is_picky ? PICKY : 1; /* its pages are long */
            fetch(w);
        } else
            idle(w);
    }
}

static void on_time(uv_timer_t *timer)
{
    look_again(timer->data, false);
}

void watch_changed(struct server *s, int64_t head_seq)
{
    if (head_seq > s->head_seq)
        note_growth(s, head_seq);
    s->head_seq = head_seq;
    uint64_t rest = rest_ms(s);
    if (rest == 0)
        look_again(s, false);
    else if (s->watchers)
        look_at(s, uv_now(s->loop) + rest);
}

void watch_stop(struct server *s)
{
    look_again(s, true);
}
