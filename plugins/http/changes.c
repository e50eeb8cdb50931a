/* changes.c - GET /v1/changes: a page of the feed, at once or when there is one, or a stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "query.h"
#include "routes.h"
#include "stream.h"
#include "watch.h"

#define WAIT_MAX_S   60
#define PAGE_ENTRIES 1000 /* the host's, for who does not say */

static const struct param PARAMS[] = { { "after", PARAM_NUMBER }, { "limit", PARAM_NUMBER },
                                       { "wait", PARAM_FLAG },    { "hub", PARAM_TEXT },
                                       { "subject", PARAM_TEXT }, { "decision", PARAM_TEXT },
                                       { NULL, PARAM_TEXT } };

/* -1: it is no whole number from 0 to `max`. */
static int64_t read_number(const char *text, int64_t max)
{
    size_t len = strlen(text);

    if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
        return -1;
    int64_t n = strtoll(text, NULL, 10);
    return n <= max ? n : -1;
}

/* --- a page when there is one --- */

struct poll {
    struct watcher watcher;
    struct request *request; /* borrowed */
};

static void write_page(struct str *out, int64_t after, const struct pw_changes *page)
{
    int64_t next = after;

    for (size_t i = 0; i < page->count; i++) {
        str_text(out, i > 0 ? "," : "{\"items\":[");
        str_add(out, page->items[i].json, page->items[i].len);
        next = page->items[i].seq;
    }
    str_printf(out, "%s],\"next\":%lld,\"seq\":%lld}", page->count > 0 ? "" : "{\"items\":[",
               (long long)next, (long long)page->head);
}

static void on_page(struct watcher *w, const struct pw_changes *page, bool is_ahead)
{
    struct request *r = ((struct poll *)w)->request; /* its first member */
    struct pw_changes shown = *page;
    struct str text = { 0 };

    (void)is_ahead; /* next is beyond seq then */
    if (shown.head < w->server->head_seq)
        shown.head = w->server->head_seq;
    if (page->status == PW_OK)
        write_page(&text, w->after, &shown);
    if (page->status == PW_OK && !text.failed)
        reply_bytes(r, 200, "application/json", text.data, text.len);
    else
        reply_status(r, text.failed ? PW_FAILED : page->status, page->error);
    str_fini(&text);
    request_go_on(r);
}

/* The parameters were right, and nothing is there yet. */
static bool begin_to_wait(struct request *r)
{
    const char *after = request_parameter(r, "after"), *limit = request_parameter(r, "limit");
    struct poll *p = calloc(1, sizeof(*p));

    if (!p)
        return false;
    r->own = p;
    p->request = r;
    p->watcher = (struct watcher){
        .server = r->server,
        .after = after ? read_number(after, INT64_MAX) : 0,
        .limit = limit ? (int)read_number(limit, 10000) : PAGE_ENTRIES,
        .due_ms = uv_now(r->server->loop) +
                  1000u * (uint64_t)read_number(request_parameter(r, "wait"), WAIT_MAX_S),
        .page = on_page,
    };
    watch(&p->watcher);
    return true;
}

static void on_first_page(void *arg, enum pw_status status, const char *text, size_t len)
{
    static const char EMPTY[] = "{\"items\":[],";
    struct request *r = arg;
    bool is_empty = status == PW_OK && strncmp(text, EMPTY, sizeof(EMPTY) - 1) == 0;

    if (!is_empty || r->server->is_stopping || !begin_to_wait(r))
        answer_json(arg, status, text, len);
}

static void wait_for_page(struct request *r, const char *wait)
{
    struct str params = { 0 };

    if (request_parameter(r, "hub") || request_parameter(r, "subject") ||
        request_parameter(r, "decision")) {
        reply_problem(r, 400, "input",
                      "'wait' takes no filter; a stream (Accept: text/event-stream) does");
        return;
    }
    if (read_number(wait, WAIT_MAX_S) < 1) {
        reply_problem(r, 400, "input", "the parameter 'wait' is a number of seconds from 1 to 60");
        return;
    }
    str_text(&params, "{");
    if (query_params(&params, r, PARAMS, false)) {
        str_text(&params, "}");
        ask(r, "changes", &params, on_first_page);
    } else {
        str_fini(&params);
    }
}

/* --- a stream --- */

/* Refuses what a stream has no use for, so that nobody believes in a filter that is none. */
static bool check_stream_params(struct request *r)
{
    static const struct param KNOWN[] = { { "after", PARAM_FLAG },
                                          { "hub", PARAM_FLAG },
                                          { "subject", PARAM_FLAG },
                                          { "decision", PARAM_FLAG },
                                          { NULL, PARAM_TEXT } };
    struct str others = { 0 };

    if (!query_params(&others, r, KNOWN, false))
        return false;
    bool is_fine = others.len == 0 && !others.failed;
    str_fini(&others);
    if (!is_fine)
        reply_problem(r, 400, "input",
                      "the parameters of a stream of changes are after, hub, subject, decision");
    return is_fine;
}

/* -1: it is told that there is none. */
static int64_t stream_start(struct request *r)
{
    const char *last = request_header(r, "Last-Event-ID"), *after = request_parameter(r, "after");
    const char *from = last && *last ? last : after;
    int64_t seq = from ? read_number(from, INT64_MAX) : 0;

    if (seq < 0)
        reply_problem(r, 400, "input",
                      last && *last ? "Last-Event-ID is not a number of the feed"
                                    : "the parameter 'after' is not a number of the feed");
    return seq;
}

static void begin_stream(struct request *r)
{
    struct filter filter;
    int64_t seq = stream_start(r);

    if (seq < 0)
        return;
    if (filter_read(&filter, r))
        stream_changes(r, seq, &filter);
    else
        reply_status(r, PW_FAILED, NULL);
}

/* The question has been asked once with the filter: whether such a subject or decision can be. */
static void on_checked(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;

    (void)len;
    if (status == PW_INPUT || status == PW_ABSENT)
        reply_status(r, status, text);
    else
        begin_stream(r); /* whoever is too busy to say so lets it in */
    request_go_on(r);
}

static void check_stream(struct request *r)
{
    static const struct param KNOWN[] = { { "after", PARAM_FLAG },
                                          { "hub", PARAM_FLAG },
                                          { "subject", PARAM_TEXT },
                                          { "decision", PARAM_TEXT },
                                          { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    if (!check_stream_params(r) || stream_start(r) < 0)
        return;
    if (!request_parameter(r, "subject") && !request_parameter(r, "decision")) {
        begin_stream(r);
        return;
    }
    str_text(&params, "{\"limit\":1,\"scan\":1");
    if (query_params(&params, r, KNOWN, false)) {
        str_text(&params, "}");
        ask(r, "changes", &params, on_checked);
    } else {
        str_fini(&params);
    }
}

void get_changes(struct request *r)
{
    static const char *const OFFERS[] = { "application/json", "text/event-stream", NULL };
    const char *wait = request_parameter(r, "wait");
    struct str params = { 0 };
    int choice = accept_choose(request_header(r, "Accept"), OFFERS);

    if (choice < 0) {
        reply_problem(r, 406, "not-acceptable",
                      "this route answers application/json or text/event-stream");
    } else if (choice == 1) {
        check_stream(r);
    } else if (wait) {
        wait_for_page(r, wait);
    } else {
        str_text(&params, "{");
        ask_json(r, "changes", &params, PARAMS, false);
    }
}
