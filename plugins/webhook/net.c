/*
 * net.c - see net.h. libcurl says which sockets to watch and when to wake it; it is called back for
 * each socket that it opens, with the address that it will really connect to.
 */
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#define CONNECT_S 10

struct net {
    uv_loop_t *loop;
    uv_timer_t timer;
    CURLM *multi;
    struct net_options options;
    size_t polls; /* handles that are open, or closing */
    void (*closed)(void *arg);
    void *closed_arg;
};

struct transfer {
    struct net *net;
    CURL *easy;
    struct curl_slist *headers;
    bool is_plain;              /* http, not https */
    char refused[ADDRESS_TEXT]; /* the last address that may not be connected to */
    char error[CURL_ERROR_SIZE];
    outcome_fn *done;
    void *arg;
};

/* A socket of libcurl's that the loop watches. */
struct watched {
    uv_poll_t poll;
    struct net *net;
    curl_socket_t fd;
};

/* ---- the end of a transfer ---- */

static void transfer_free(struct transfer *t)
{
    if (t->easy)
        curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    free(t);
}

static void explain(struct outcome *out, const struct transfer *t, CURLcode code)
{
    if (code != CURLE_OK && t->refused[0])
        snprintf(out->error, sizeof(out->error),
                 t->is_plain ? "%s is not in the list 'allow', and without https only those may be "
                               "sent to"
                             : "%s is no public address, and not in the list 'allow'",
                 t->refused);
    else if (code != CURLE_OK)
        snprintf(out->error, sizeof(out->error), "%.200s",
                 t->error[0] ? t->error : curl_easy_strerror(code));
    else if (out->status >= 300 && out->status < 400)
        snprintf(out->error, sizeof(out->error),
                 "it answered %d: redirects are not followed; give the webhook its new URL",
                 out->status);
    else if (out->status < 200 || out->status > 299)
        snprintf(out->error, sizeof(out->error), "it answered %d", out->status);
}

static void finish(struct transfer *t, CURLcode code)
{
    struct outcome out = { 0 };
    curl_off_t retry_after = 0, took_us = 0;
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    out.took_ms = (long)(took_us / 1000);
    if (code == CURLE_OK) {
        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
        out.status = (int)status;
        out.retry_after = retry_after > 0 && retry_after < 1000000000 ? (long)retry_after : 0;
    }
    explain(&out, t, code);
    outcome_fn *done = t->done;
    void *arg = t->arg;
    curl_multi_remove_handle(t->net->multi, t->easy);
    transfer_free(t);
    done(arg, &out);
}

static void finish_those_done(struct net *n)
{
    const CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(n->multi, &left))) {
        struct transfer *t = NULL;
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, code);
    }
}

/* ---- libcurl under the loop ---- */

static void on_timer(uv_timer_t *timer)
{
    struct net *n = timer->data;
    int running;

    curl_multi_socket_action(n->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_those_done(n);
}

/* Never at once: libcurl may not be called from inside this call. */
static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct net *n = arg;

    (void)multi;
    if (ms < 0)
        uv_timer_stop(&n->timer);
    else
        uv_timer_start(&n->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    struct net *n = w->net;
    int what = 0, running;

    if (status < 0)
        what = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    curl_multi_socket_action(n->multi, w->fd, what, &running);
    finish_those_done(n);
}

static void tell_closed(struct net *n)
{
    if (n->polls > 0 || !n->closed)
        return;
    void (*closed)(void *) = n->closed;
    void *arg = n->closed_arg;
    free(n);
    closed(arg);
}

static void on_handle_closed(struct net *n)
{
    n->polls--;
    tell_closed(n);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct watched *w = handle->data;
    struct net *n = w->net;

    free(w);
    on_handle_closed(n);
}

static struct watched *watch_new(struct net *n, curl_socket_t fd)
{
    struct watched *w = calloc(1, sizeof(*w));

    if (!w || uv_poll_init_socket(n->loop, &w->poll, fd) != 0) {
        free(w);
        return NULL;
    }
    w->poll.data = w;
    w->net = n;
    w->fd = fd;
    n->polls++;
    curl_multi_assign(n->multi, fd, w);
    return w;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    struct net *n = arg;
    struct watched *w = assigned;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(n->multi, fd, NULL);
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_poll_closed);
        }
        return 0;
    }
    if (!w && !(w = watch_new(n, fd)))
        return -1;
    int events = what == CURL_POLL_IN    ? UV_READABLE
                 : what == CURL_POLL_OUT ? UV_WRITABLE
                                         : UV_READABLE | UV_WRITABLE;
    uv_poll_start(&w->poll, events, on_poll);
    return 0;
}

/* The address itself is judged, whatever name it was found by and however often that changes. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = arg;
    const struct networks *allow = &t->net->options.allow;

    (void)purpose;
    if (!networks_hold(allow, &address->addr) &&
        (t->is_plain || !address_is_public(&address->addr))) {
        address_text(&address->addr, t->refused);
        return CURL_SOCKET_BAD;
    }
    t->refused[0] = '\0';
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t drop(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

/* ---- transfers ---- */

struct net *net_new(uv_loop_t *loop, const struct net_options *options)
{
    struct net *n = calloc(1, sizeof(*n));

    if (!n || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(n->multi = curl_multi_init())) {
        free(n);
        return NULL;
    }
    n->loop = loop;
    n->options = *options;
    uv_timer_init(loop, &n->timer);
    n->timer.data = n;
    n->polls = 1; /* the timer */
    curl_multi_setopt(n->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(n->multi, CURLMOPT_SOCKETDATA, n);
    curl_multi_setopt(n->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(n->multi, CURLMOPT_TIMERDATA, n);
    return n;
}

static bool add_header(struct transfer *t, const char *name, const char *value)
{
    char line[1024];

    snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (more)
        t->headers = more;
    return more != NULL;
}

/* No proxy of the environment: it would be its address that is judged, not the receiver's. */
static void set_up(struct transfer *t, const char *url, const char *body, size_t len)
{
    const struct net_options *o = &t->net->options;
    CURL *easy = t->easy;

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "pathwayd/" PATHWAY_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)o->timeout_s);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
                     (long)(o->timeout_s < CONNECT_S ? o->timeout_s : CONNECT_S));
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    if (o->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca);
}

struct transfer *net_post(struct net *n, const char *url, const struct header *headers,
                          const char *body, size_t len, outcome_fn *done, void *arg)
{
    struct transfer *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    *t = (struct transfer){ .net = n, .done = done, .arg = arg, .easy = curl_easy_init() };
    t->is_plain = strncasecmp(url, "http:", 5) == 0;
    bool ok = t->easy != NULL && add_header(t, "Expect", ""); /* no wait for a 100 */
    for (; ok && headers->name; headers++)
        ok = add_header(t, headers->name, headers->value);
    if (ok)
        set_up(t, url, body, len);
    if (ok && curl_multi_add_handle(n->multi, t->easy) == CURLM_OK)
        return t;
    transfer_free(t);
    return NULL;
}

void net_cancel(struct transfer *t)
{
    curl_multi_remove_handle(t->net->multi, t->easy);
    transfer_free(t);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_handle_closed(handle->data);
}

void net_close(struct net *n, void (*done)(void *arg), void *arg)
{
    n->closed = done;
    n->closed_arg = arg;
    curl_multi_cleanup(n->multi); /* takes its sockets back one by one */
    uv_close((uv_handle_t *)&n->timer, on_timer_closed);
}

/* ---- URLs ---- */

static bool check_parts(CURLU *parts, char *error, size_t size)
{
    char *scheme = NULL, *user = NULL, *fragment = NULL;
    bool ok = false;

    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(parts, CURLUPART_USER, &user, 0);
    curl_url_get(parts, CURLUPART_FRAGMENT, &fragment, 0);
    if (!scheme || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        snprintf(error, size, "url: it begins with %s:, expected https:", scheme ? scheme : "?");
    else if (user)
        snprintf(error, size,
                 "url: it holds a user's name or password; webhooks are signed instead");
    else if (fragment)
        snprintf(error, size, "url: it has a part behind #, which no server would see");
    else
        ok = true;
    curl_free(scheme);
    curl_free(user);
    curl_free(fragment);
    return ok;
}

bool net_check_url(const char *url, char *error, size_t size)
{
    CURLU *parts = curl_url();
    bool ok = false;

    if (!parts || strlen(url) > 2000)
        snprintf(error, size, "url: it is longer than 2000 bytes");
    else if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
        snprintf(error, size, "url: '%.100s' is no URL; expected such as https://hub.example/hook",
                 url);
    else
        ok = check_parts(parts, error, size);
    curl_url_cleanup(parts);
    return ok;
}
