/*
 * watch.h - waiting for the feed to grow past a number.
 *
 * A watcher says how far it has come, and gets one page of what stands behind that as soon as there
 * is something. Those who have come equally far share the question. Between its pages nothing is
 * held for a watcher, however far the feed runs ahead of it.
 */
#ifndef HTTP_WATCH_H
#define HTTP_WATCH_H

#include "server.h"

struct watcher;

/*
 * Called once for each watch(), never inside it. PW_OK: `lines` are entries, each a line; none when
 * the time is up or the server stops. Else a sentence. Borrowed for the call.
 */
typedef void page_fn(struct watcher *w, enum pw_status status, const char *lines, size_t len);

/* Its memory is the caller's and must stay until `page`. */
struct watcher {
    struct server *server; /* borrowed */
    int64_t after;         /* the last entry it has */
    unsigned limit;        /* entries of a page */
    uint64_t due_ms;       /* until when it waits, by the clock of the loop */
    page_fn *page;
    uint64_t again_ms; /* ours: when to ask again what could not be asked; 0: not */
    struct watcher *next;
};

void watch(struct watcher *w);
/* The feed has grown. */
void watch_changed(struct server *s, int64_t head_seq);
/* Everybody who waits gets nothing, now. */
void watch_stop(struct server *s);

/* The number of an entry; -1: the line is none. */
int64_t entry_seq(const char *line);

#endif
