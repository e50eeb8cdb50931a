/*
 * watch.h - waiting for the feed to grow past a number.
 *
 * A watcher says how far it has come, and gets one page of what stands behind that as soon as there
 * is something. Those who have come equally far share the question. Between its pages nothing is
 * held for a watcher, however far the feed runs ahead of it.
 *
 * Watchers take turns, and give way to what comes in: while the feed grows, showing it to them has
 * a tenth of the loop's time. They fall behind then, and catch up when it is calmer.
 */
#ifndef HTTP_WATCH_H
#define HTTP_WATCH_H

#include "server.h"

struct watcher;

/*
 * Called once for each watch(), never inside it. When status is PW_OK, there are none only when the
 * time is up, the server stops, or the watcher claims to have come further than the feed has
 * (is_ahead). Borrowed for the call.
 */
typedef void page_fn(struct watcher *w, const struct pw_changes *page, bool is_ahead);

/* Its memory is the caller's and must stay until `page`. */
struct watcher {
    struct server *server; /* borrowed */
    int64_t after;         /* the last entry it has */
    int limit;             /* entries of a page */
    bool is_picky;   /* few of them are for it: it costs little to give it a page that others get */
    uint64_t due_ms; /* until when it waits, by the clock of the loop */
    page_fn *page;
    uint64_t again_ms; /* ours: when to ask again what could not be asked; 0: not */
    bool has_looked;   /* ours: it has been seen whether the feed has come so far */
    struct watcher *next;
};

void watch(struct watcher *w);
/* Something that was done for watchers took so long, or will. */
void watch_charge(struct server *s, uint64_t ns);
/* The feed has grown. */
void watch_changed(struct server *s, int64_t head_seq);
/* Everybody who waits gets nothing, now. */
void watch_stop(struct server *s);

#endif
