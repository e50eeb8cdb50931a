/* client.c - see client.h. Every exchange, also a single one, runs on the multi handle. */
#include "cli/client.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/json.h"

#define CONNECT_TIMEOUT_S 10L

struct client {
    CURLM *multi;
    char *base;          /* "http://localhost:8087", without a slash at its end */
    char *socket;        /* path of the unix socket, or NULL */
    char *url;           /* as given, for messages */
    char *authorization; /* a header's line, or NULL */
    char *ca;            /* a file; NULL: the system's */
    void (*on_wait)(void *arg);
    void *on_wait_arg;
    bool is_in_wait; /* it is being called */
};

enum err_code client_open(struct client **out, const char *url, struct err *err)
{
    *out = NULL;
    bool is_unix = !strncmp(url, "unix:", 5) && url[5];
    if (!is_unix && strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
        return err_set(err, ERR_INPUT,
                       "the daemon's address is '%.200s': expected http://HOST:PORT, "
                       "https://HOST:PORT or unix:PATH",
                       url);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_IO, "libcurl does not start");

    struct client *c = calloc(1, sizeof(*c));
    if (!c)
        return err_set(err, ERR_LIMIT, "no memory for a connection");
    c->multi = curl_multi_init();
    c->url = strdup(url);
    c->base = strdup(is_unix ? "http://localhost" : url);
    c->socket = is_unix ? strdup(url + 5) : NULL;
    if (!c->multi || !c->url || !c->base || (is_unix && !c->socket)) {
        client_close(c);
        return err_set(err, ERR_LIMIT, "no memory for a connection");
    }
    size_t n = strlen(c->base);
    while (n && c->base[n - 1] == '/')
        c->base[--n] = '\0';
    *out = c;
    return OK;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    if (c->multi)
        curl_multi_cleanup(c->multi);
    free(c->base);
    free(c->socket);
    free(c->url);
    free(c->authorization);
    free(c->ca);
    free(c);
    curl_global_cleanup();
}

enum err_code client_use_token(struct client *c, const char *token, struct err *err)
{
    free(c->authorization);
    c->authorization = NULL;
    if (asprintf(&c->authorization, "Authorization: Bearer %s", token) < 0) {
        c->authorization = NULL;
        return err_set(err, ERR_LIMIT, "no memory for a connection");
    }
    return OK;
}

enum err_code client_use_ca(struct client *c, const char *path, struct err *err)
{
    if (access(path, R_OK) != 0)
        return err_set(err, ERR_IO, "can not read the certificates to trust, %s: %s", path,
                       strerror(errno));
    free(c->ca);
    c->ca = strdup(path);
    return c->ca ? OK : err_set(err, ERR_LIMIT, "no memory for a connection");
}

static void tell_bytes(struct exchange *x, size_t more)
{
    curl_off_t of = 0;

    x->received += (int64_t)more;
    if (!x->on_bytes)
        return;
    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &of);
    x->on_bytes(x->received, of > 0 ? of : 0, x->on_bytes_arg);
}

/* A good answer may be streamed to a file; a refusal is always kept, to be read. */
static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    long status = 0;

    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        tell_bytes(x, size * count);
    if (x->to && status >= 200 && status < 300)
        return fwrite(bytes, size, count, x->to);
    buf_add(&x->answer, bytes, size * count);
    return x->answer.failed ? 0 : size * count;
}

static bool add_header(struct exchange *x, const char *line)
{
    struct curl_slist *list = curl_slist_append(x->headers, line);

    if (list)
        x->headers = list;
    return list != NULL;
}

static bool set_headers(struct exchange *x)
{
    char line[160];

    snprintf(line, sizeof(line), "Content-Type: %s", x->content_type ? x->content_type : "");
    /* Without the empty Expect, curl waits a second for a "100 Continue" before each large body. */
    const char *authorization = x->client->authorization;
    return add_header(x, "Expect:") && (!authorization || add_header(x, authorization)) &&
           (!x->content_type || add_header(x, line));
}

static void set_options(const struct client *c, struct exchange *x, const char *url)
{
    curl_easy_setopt(x->easy, CURLOPT_URL, url);
    curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(x->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->curl_detail);
    curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
    curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "pathway/" PATHWAY_VERSION);
    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
    if (c->ca)
        curl_easy_setopt(x->easy, CURLOPT_CAINFO, c->ca);
    if (c->socket)
        curl_easy_setopt(x->easy, CURLOPT_UNIX_SOCKET_PATH, c->socket);
    if (x->content_type) {
        curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body_len);
        curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, x->body ? x->body : "");
    }
    curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, x->method);
}

enum err_code client_start(struct client *c, struct exchange *x, struct err *err)
{
    struct buf url = { 0 };
    static_assert(sizeof(x->curl_detail) >= CURL_ERROR_SIZE, "curl writes its message there");

    x->client = c;
    x->status = x->retry_after_s = 0;
    x->received = 0;
    x->is_done = false;
    x->curl_detail[0] = '\0';
    buf_reset(&x->answer);
    x->easy = curl_easy_init();
    buf_str(&url, c->base);
    buf_str(&url, x->path);
    bool ready = x->easy && set_headers(x) && !url.failed;
    if (ready) {
        set_options(c, x, buf_cstr(&url));
        ready = curl_multi_add_handle(c->multi, x->easy) == CURLM_OK;
    }
    buf_fini(&url);
    return ready ? OK : err_set(err, ERR_LIMIT, "no memory for a request");
}

static void release_easy(struct exchange *x)
{
    if (x->easy) {
        curl_multi_remove_handle(x->client->multi, x->easy);
        curl_easy_cleanup(x->easy);
    }
    curl_slist_free_all(x->headers);
    x->easy = NULL;
    x->headers = NULL;
}

static void finish(CURL *easy, CURLcode code)
{
    struct exchange *x = NULL;
    long status = 0;
    long os_error = 0;
    curl_off_t retry = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry);
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    x->status = (int)status;
    x->os_error = (int)os_error;
    x->retry_after_s = retry > 0 && retry < 86400 ? (int)retry : 0;
    x->curl_code = (int)code;
    x->is_done = true;
    release_easy(x);
}

/* Let everything under way go on, until something has happened. */
static enum err_code drive(struct client *c, int most_ms, struct err *err)
{
    int running = 0, left = 0;
    CURLMsg *msg;

    CURLMcode rc = curl_multi_perform(c->multi, &running);
    while ((msg = curl_multi_info_read(c->multi, &left)))
        if (msg->msg == CURLMSG_DONE)
            finish(msg->easy_handle, msg->data.result);
    if (rc == CURLM_OK && running)
        rc = curl_multi_poll(c->multi, NULL, 0, most_ms, NULL);
    return rc == CURLM_OK ? OK : err_set(err, ERR_IO, "libcurl: %s", curl_multi_strerror(rc));
}

/* How long a question waits for a daemon that says that it is busy. */
#define BUSY_PATIENCE_S 10
#define WAIT_MS         200 /* between two calls of client_on_wait() */

static enum err_code no_answer(const struct client *c, const struct exchange *x, struct err *err)
{
    const char *why =
        x->curl_detail[0] ? x->curl_detail : curl_easy_strerror((CURLcode)x->curl_code);

    if (x->curl_code == CURLE_WRITE_ERROR)
        return err_set(err, ERR_IO, "cannot write what %s answers", c->url);
    if (x->curl_code == CURLE_COULDNT_CONNECT || x->curl_code == CURLE_COULDNT_RESOLVE_HOST)
        return err_set(err, ERR_IO,
                       "no daemon answers at %s (%s); is pathwayd running? --url names another, "
                       "--database FILE asks a database without one",
                       c->url, x->os_error ? strerror(x->os_error) : why);
    if (x->curl_code == CURLE_PEER_FAILED_VERIFICATION || x->curl_code == CURLE_SSL_CACERT_BADFILE)
        return err_set(err, ERR_IO,
                       "%s is not trusted: %s; --ca FILE names the certificates to trust%s%s",
                       c->url, why, c->ca ? ", now " : "", c->ca ? c->ca : "");
    return err_set(err, ERR_IO, "the connection to %s broke: %s", c->url, why);
}

enum err_code client_wait(struct client *c, struct exchange *x, struct err *err)
{
    while (!x->is_done) {
        bool tells = c->on_wait && !c->is_in_wait;
        enum err_code rc = drive(c, tells ? WAIT_MS : 1000, err);
        if (rc != OK)
            return rc;
        if (tells && !x->is_done) {
            c->is_in_wait = true;
            c->on_wait(c->on_wait_arg);
            c->is_in_wait = false;
        }
    }
    return x->curl_code == CURLE_OK ? OK : no_answer(c, x, err);
}

void client_on_wait(struct client *c, void (*fn)(void *arg), void *arg)
{
    c->on_wait = fn;
    c->on_wait_arg = arg;
}

enum err_code client_call(struct client *c, struct exchange *x, struct err *err)
{
    for (int waited_s = 0;; waited_s++) {
        enum err_code rc = client_start(c, x, err);
        if (rc == OK)
            rc = client_wait(c, x, err);
        if (rc != OK || x->status != 503 || waited_s == BUSY_PATIENCE_S)
            return rc;
        nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL); /* it is starting, or has much to do */
    }
}

void exchange_fini(struct exchange *x)
{
    if (x->client)
        release_easy(x);
    buf_fini(&x->answer);
}

static enum err_code code_of_status(int status)
{
    switch (status) {
    case 400:
        return ERR_INPUT;
    case 404:
        return ERR_ABSENT;
    case 409:
        return ERR_CONFLICT;
    case 413:
        return ERR_LIMIT;
    case 429:
    case 503:
        return ERR_BUSY;
    }
    return ERR_IO;
}

enum err_code client_check(const struct exchange *x, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *problem = NULL;

    if (x->status >= 200 && x->status < 300)
        return OK;
    enum err_code code = code_of_status(x->status);
    if (x->answer.len &&
        json_parse(&problem, &arena, x->answer.data, x->answer.len, 16, NULL) == OK) {
        const struct json *text = json_get(problem, "detail");
        if (!text)
            text = json_get(problem, "title");
        if (text && text->type == JSON_STRING) {
            err_set(err, code, "%s", text->as.string);
            arena_fini(&arena);
            return code;
        }
    }
    arena_fini(&arena);
    return err_set(err, code, "the daemon answered %s with status %d and no reason", x->path,
                   x->status);
}

void client_escape(struct buf *b, const char *text)
{
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++)
        if (strchr(PLAIN, *text))
            buf_char(b, *text);
        else
            buf_printf(b, "%%%02X", (unsigned char)*text);
}
