/*
 * stream.c - see stream.h. The peer sets the pace: a page is asked for when the one before it has
 * left, so that one who reads slowly holds one page, and one who has gone is found by a heartbeat.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "watch.h"

#define PAGE_ENTRIES 100
#define HEARTBEAT_MS 15000
#define BLOCK_BYTES  8192

struct stream {
    struct watcher watcher;
    struct request *request; /* borrowed */
    struct str text;         /* still to be sent, from `sent` on */
    size_t sent;
    bool is_over;
};

static void add_entry(struct stream *s, const char *line, size_t len)
{
    int64_t seq = entry_seq(line);

    if (seq <= s->watcher.after) {
        s->is_over = true; /* never send what could not be resumed after */
        return;
    }
    s->watcher.after = seq;
    str_printf(&s->text, "id: %lld\ndata: ", (long long)seq);
    str_add(&s->text, line, len);
    str_text(&s->text, "\n\n");
}

static void on_page(struct watcher *w, enum pw_status status, const char *lines, size_t len)
{
    struct stream *s = (struct stream *)w; /* its first member */
    const char *end = lines + len;

    if (status != PW_OK)
        s->is_over = true; /* the peer comes again, and hears of it then */
    else if (len == 0)
        str_text(&s->text, ":\n\n");
    while (status == PW_OK && lines < end && !s->is_over) {
        size_t line = strcspn(lines, "\n");
        add_entry(s, lines, line);
        lines += line + 1;
    }
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
        memcpy(out, s->text.data + s->sent, len);
        s->sent += len;
        return (ssize_t)len;
    }
    if (s->is_over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    str_fini(&s->text);
    s->sent = 0;
    request_wait(s->request);
    s->watcher.due_ms = uv_now(server->loop) + HEARTBEAT_MS;
    watch(&s->watcher);
    return 0;
}

static void free_stream(void *arg)
{
    struct stream *s = arg;

    str_fini(&s->text);
    free(s);
}

void stream_changes(struct request *r, int64_t after)
{
    struct stream *s = calloc(1, sizeof(*s));
    struct MHD_Response *response = NULL;

    if (s)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, s,
                                                     free_stream);
    if (!response) {
        free(s);
        reply_status(r, PW_FAILED, NULL);
        return;
    }
    s->request = r;
    s->watcher = (struct watcher){
        .server = r->server, .after = after, .limit = PAGE_ENTRIES, .page = on_page
    };
    str_text(&s->text, "retry: 2000\n\n"); /* something at once: proxies wait for the first byte */
    reply_response(r, 200, "text/event-stream", response);
    reply_header(r, "X-Accel-Buffering", "no");
}
