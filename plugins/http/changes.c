/* changes.c - GET /v1/changes: a page of the feed, at once or when there is one, or a stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "ask.h"
#include "query.h"
#include "routes.h"
#include "stream.h"
#include "watch.h"

#define WAIT_MAX_S   60
#define PLACE_MAX    128
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

/* The parameter `after`, decoded: "" where it can be no place; NULL: it is not given. */
static const char *after_of(struct request *r, char out[PLACE_MAX])
{
    const char *raw = request_parameter(r, "after");
    size_t len = raw ? strlen(raw) : 0;

    if (len >= PLACE_MAX || !percent_decode(out, raw ? raw : "", len))
        out[0] = '\0';
    return raw ? out : NULL;
}

/* The number of a place: NUMBER or ID/NUMBER. */
static int64_t read_place(const char *text)
{
    const char *slash = strrchr(text, '/');

    return read_number(slash ? slash + 1 : text, INT64_MAX);
}

/* --- a page when there is one --- */

struct poll {
    struct watcher watcher;
    struct request *request; /* borrowed */
    struct str
        place; /* "ID/NUMBER" that it asked for, in quotes: of the answer while there is nothing */
};

/* What follows `key` in the host's JSON, up to the end of that text: no id has an escape in it. */
static size_t text_behind(const char **out, const char *json, size_t len, const char *key)
{
    const char *at = memmem(json, len, key, strlen(key));
    const char *end =
        at ? memchr(at + strlen(key) + 1, '"', len - (size_t)(at - json) - strlen(key) - 1) : NULL;

    *out = at ? at + strlen(key) : "null";
    return end ? (size_t)(end - *out) + 1 : 4;
}

static void write_page(struct str *out, const struct poll *p, const struct pw_changes *page)
{
    const struct pw_change *last = page->count > 0 ? &page->items[page->count - 1] : NULL;
    const char *place = p->place.data;
    size_t len = p->place.len;

    str_text(out, "{\"items\":[");
    for (size_t i = 0; i < page->count; i++) {
        str_text(out, i > 0 ? "," : "");
        str_add(out, page->items[i].json, page->items[i].len);
    }
    str_printf(out, "],\"next\":%lld,\"seq\":%lld,\"place\":",
               (long long)(last ? last->seq : p->watcher.after), (long long)page->head);
    if (last) /* an entry begins with what it is called */
        len = text_behind(&place, last->json, last->len, "\"id\":");
    str_add(out, place, len);
    str_text(out, "}");
    out->failed = out->failed || p->place.failed;
}

static void on_page(struct watcher *w, const struct pw_changes *page, bool is_ahead)
{
    struct poll *p = (struct poll *)w; /* its first member */
    struct request *r = p->request;
    struct pw_changes shown = *page;
    struct str text = { 0 };

    (void)is_ahead; /* next is beyond seq then */
    if (shown.head < w->server->head_seq)
        shown.head = w->server->head_seq;
    if (!access_check(r, PW_READ)) { /* not any more: its token was revoked while it waited */
        str_fini(&p->place);
        request_go_on(r);
        return;
    }
    if (page->status == PW_OK)
        write_page(&text, p, &shown);
    if (page->status == PW_OK && !text.failed)
        reply_bytes(r, 200, "application/json", text.data, text.len);
    else
        reply_status(r, text.failed ? PW_FAILED : page->status, page->error);
    str_fini(&text);
    str_fini(&p->place);
    request_go_on(r);
}

/* The parameters were right, and nothing is there yet: `text` says so. */
static bool begin_to_wait(struct request *r, const char *text, size_t len)
{
    char decoded[PLACE_MAX];
    const char *after = after_of(r, decoded), *limit = request_parameter(r, "limit"), *place;
    struct poll *p = calloc(1, sizeof(*p));

    if (!p)
        return false;
    r->own = p;
    p->request = r;
    uv_update_time(
        r->server->loop); /* it is as old as this round of the loop: the wait would be shorter */
    len = text_behind(&place, text, len, "\"place\":");
    str_add(&p->place, place, len);
    p->watcher = (struct watcher){
        .server = r->server,
        .after = after ? read_place(after) : 0,
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

    if (!is_empty || r->server->is_stopping || !begin_to_wait(r, text, len))
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

/* Where it wants to go on: NUMBER, or ID/NUMBER, where the ID may stand in the address and the
 * number in the header, as a browser sends it. False: it has been told what is wrong. */
static bool stream_start(struct str *out, struct request *r)
{
    char decoded[PLACE_MAX];
    const char *last = request_header(r, "Last-Event-ID"), *after = after_of(r, decoded);
    const char *slash = after ? strrchr(after, '/') : NULL;

    last = last && *last ? last : NULL;
    if ((last && read_place(last) < 0) || (after && read_place(after) < 0)) {
        reply_problem(r, 400, "input",
                      last && read_place(last) < 0
                          ? "Last-Event-ID is not a number of the feed, nor an entry's id"
                          : "the parameter 'after' is not a number of the feed, nor an entry's id");
        return false;
    }
    if (last && slash && !strchr(last, '/'))
        str_add(out, after, (size_t)(slash - after) + 1);
    str_text(out, last ? last : after ? after : "0");
    return true;
}

/* Does it say which entry it has, and not only its number? */
static bool has_id(struct request *r)
{
    struct str place = { 0 };
    bool has = stream_start(&place, r) && !place.failed && strchr(place.data, '/');

    str_fini(&place);
    return has;
}

/* `is_lost`: the feed has not what it asks to go on behind. */
static void begin_stream(struct request *r, bool is_lost)
{
    struct filter filter;
    struct str place = { 0 };

    if (!stream_start(&place, r))
        return;
    if (!place.failed && filter_read(&filter, r))
        stream_changes(r, read_place(place.data), is_lost, &filter);
    else
        reply_status(r, PW_FAILED, NULL);
    str_fini(&place);
}

/* The question has been asked once with the filter and the place: whether such a subject or
 * decision can be, and whether the feed has that entry. */
static void on_checked(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;

    (void)len;
    if (status == PW_INPUT || status == PW_ABSENT)
        reply_status(r, status, text);
    else if (status != PW_OK && status != PW_CONFLICT && has_id(r))
        reply_status(r, status,
                     text); /* it comes again, and hears then whether it has missed something */
    else
        begin_stream(r, status == PW_CONFLICT); /* whoever is too busy to say so lets it in */
    request_go_on(r);
}

static void check_stream(struct request *r)
{
    static const struct param KNOWN[] = { { "after", PARAM_FLAG },
                                          { "hub", PARAM_FLAG },
                                          { "subject", PARAM_TEXT },
                                          { "decision", PARAM_TEXT },
                                          { NULL, PARAM_TEXT } };
    struct str params = { 0 }, place = { 0 };

    if (!check_stream_params(r) || !stream_start(&place, r))
        return;
    bool is_called = has_id(r);
    if (!is_called && !request_parameter(r, "subject") && !request_parameter(r, "decision")) {
        str_fini(&place);
        begin_stream(r, false);
        return;
    }
    str_text(&params, "{\"limit\":1,\"scan\":1");
    if (is_called) {
        str_text(&params, ",\"after\":");
        str_json(&params, place.data, place.len);
    }
    str_fini(&place);
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
