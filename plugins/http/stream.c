/*
 * stream.c - see stream.h. The peer sets the pace: a page is asked for when the one before it has
 * left, so that one who reads slowly holds one page and is cut off when it takes too long over
 * that, and one who has gone is found by a heartbeat.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "link.h"
#include "watch.h"

#define PAGE_ENTRIES 100
#define FILTER_PAGE  1000 /* where few of them may pass */
#define BLOCK_BYTES  8192
#define BLOCK_NS                                                                                   \
    8000u /* of the loop's time, for a block to leave: less than a byte takes a nanosecond */

struct stream {
    struct watcher watcher;
    struct request *request; /* borrowed */
    struct filter filter;
    struct str text; /* still to be sent, from `sent` on */
    size_t sent;
    int64_t asked;       /* after which number it wanted to go on */
    int64_t told;        /* the last number that the peer has been given as an id */
    char *authorization; /* as it came in with, owned; NULL: with none */
    bool is_on_socket;
    bool is_over;
};

static void add_entry(struct stream *s, const struct pw_change *change)
{
    if (change->seq <= s->watcher.after) {
        s->is_over = true; /* never send what could not be resumed after */
        return;
    }
    s->watcher.after = change->seq;
    if (!filter_passes(&s->filter, change))
        return;
    s->told = change->seq;
    str_printf(&s->text, "id: %lld\ndata: ", (long long)change->seq);
    str_add(&s->text, change->json, change->len);
    str_text(&s->text, "\n\n");
}

/* What it asked to go on behind is not in the feed: the database is another one, or was restored
 * from a backup. */
static void add_resync(struct stream *s, int64_t head)
{
    str_printf(&s->text,
               "event: resync\nid: %lld\n"
               "data: {\"after\":%lld,\"seq\":%lld,\"reason\":\"the feed does not have what was "
               "asked to go on "
               "behind: the database is another one, or was restored from a backup; take the lists "
               "again, then go on from "
               "their place\"}\n\n",
               (long long)head, (long long)s->asked, (long long)head);
    s->watcher.after = s->told = head;
}

/* A comment; with a number, when others than those it wants have come: to resume there is
 * cheaper. */
static void add_heartbeat(struct stream *s)
{
    if (s->watcher.after > s->told) {
        str_printf(&s->text, "id: %lld\n", (long long)s->watcher.after);
        s->told = s->watcher.after;
    }
    str_text(&s->text, ":\n\n");
}

static void go_on(struct stream *s)
{
    s->watcher.due_ms = uv_now(s->watcher.server->loop) + s->watcher.server->heartbeat_ms;
    watch(&s->watcher);
}

static void on_page(struct watcher *w, const struct pw_changes *page, bool is_ahead)
{
    struct stream *s = (struct stream *)w; /* its first member */

    if (page->status != PW_OK ||
        !access_still(w->server, s->authorization, s->is_on_socket, PW_READ))
        s->is_over = true; /* the peer comes again, and hears of it then */
    else if (is_ahead)
        add_resync(s, page->head);
    else if (page->count == 0)
        add_heartbeat(s);
    for (size_t i = 0; page->status == PW_OK && i < page->count && !s->is_over; i++)
        add_entry(s, &page->items[i]);
    if (s->text.len == 0 && !s->is_over && !w->server->is_stopping && !s->text.failed) {
        watch(w); /* none of them passes; its heartbeat stays due when it was */
        return;
    }
    w->server->metrics.streamed += page->status == PW_OK ? page->count : 0;
    request_go_on(s->request);
}

/* libmicrohttpd can send more. */
static ssize_t read_stream(void *arg, uint64_t position, char *out, size_t max)
{
    struct stream *s = arg;
    struct server *server = s->watcher.server;

    (void)position;
    if (s->text.failed || server->is_stopping)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (s->sent < s->text.len) {
        size_t left = s->text.len - s->sent, len = left < max ? left : max;
        if (s->sent == 0)
            link_page_began(s->request);
        memcpy(out, s->text.data + s->sent, len);
        s->sent += len;
        watch_charge(server, BLOCK_NS);
        return (ssize_t)len;
    }
    link_page_left(s->request);
    if (s->is_over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    str_fini(&s->text);
    s->sent = 0;
    request_wait(s->request);
    go_on(s);
    return 0;
}

static void free_stream(void *arg)
{
    struct stream *s = arg;

    s->watcher.server->metrics.streams--;
    filter_fini(&s->filter);
    str_fini(&s->text);
    free(s->authorization);
    free(s);
}

void stream_changes(struct request *r, int64_t after, bool is_lost, struct filter *filter)
{
    struct stream *s = calloc(1, sizeof(*s));
    const char *authorization = request_header(r, "Authorization");
    struct MHD_Response *response = NULL;
    bool is_filtered = filter->hub || filter->subject || filter->decision;

    if (s && authorization)
        s->authorization = strdup(authorization);
    if (s && (s->authorization || !authorization))
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, s,
                                                     free_stream);
    if (!response) {
        if (s)
            free(s->authorization);
        free(s);
        filter_fini(filter);
        reply_status(r, PW_FAILED, NULL);
        return;
    }
    s->request = r;
    s->is_on_socket = access_is_on_socket(r);
    s->asked = s->told = after;
    s->filter = *filter;
    s->watcher = (struct watcher){ .server = r->server,
                                   .after = is_lost ? INT64_MAX : after, /* no feed goes so far */
                                   .limit = is_filtered ? FILTER_PAGE : PAGE_ENTRIES,
                                   .is_picky = is_filtered,
                                   .page = on_page };
    r->server->metrics.streams++;
    /* something at once: proxies wait for the first byte */
    str_printf(&s->text, "retry: %u\n\n", r->server->retry_ms);
    reply_response(r, 200, "text/event-stream", response);
    reply_header(r, "Cache-Control", "no-store");
    reply_header(r, "X-Accel-Buffering", "no");
}
