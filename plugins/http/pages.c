/* pages.c - the routes for people and supervisors: the front page and health. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "routes.h"

static const char INDEX[] =
    "<!doctype html>\n"
    "<html lang=\"en-GB\">\n"
    "<head><meta charset=\"utf-8\"><title>pathwayd</title></head>\n"
    "<body>\n"
    "<h1>pathwayd</h1>\n"
    "<p>This daemon serves its interface at these addresses:</p>\n"
    "<ul>\n"
    "<li><code>POST /v1/events</code>: send events</li>\n"
    "<li><a href=\"v1/schools\">/v1/schools</a>, <code>/v1/schools/URN</code>: schools and their "
    "decisions</li>\n"
    "<li><a href=\"v1/groups\">/v1/groups</a>, <code>/v1/groups/CODE</code>: work groups</li>\n"
    "<li><a href=\"v1/hubs\">/v1/hubs</a>, <code>/v1/hubs/CODE</code>: hubs</li>\n"
    "<li><a href=\"v1/summary\">/v1/summary</a>: how many of what</li>\n"
    "<li><a href=\"v1/rules\">/v1/rules</a>: by what is decided</li>\n"
    "<li><a href=\"v1/changes\">/v1/changes</a>: what changed, in order</li>\n"
    "<li><a href=\"openapi.json\">/openapi.json</a>: all of this for programs</li>\n"
    "<li><a href=\"v1/export/decisions\">/v1/export/decisions</a>, "
    "<a href=\"v1/export/events\">/v1/export/events</a>, "
    "<a href=\"v1/export/changes\">/v1/export/changes</a>: all of it, as CSV or NDJSON</li>\n"
    "<li><code>GET</code>, <code>PUT</code>, <code>DELETE /v1/people/KEY</code>: what a person's "
    "key "
    "stands for</li>\n"
    "<li><a href=\"v1/consumers\">/v1/consumers</a>: who reads the feed</li>\n"
    "<li><a href=\"v1/status\">/v1/status</a>, <a href=\"livez\">/livez</a>, "
    "<a href=\"readyz\">/readyz</a>, "
    "<a href=\"metrics\">/metrics</a>: how the daemon is</li>\n"
    "<li><code>/v1/verify</code>, <code>/v1/replay</code>: is the log whole, does it give what is "
    "stored (slow)</li>\n"
    "</ul>\n"
    "</body>\n"
    "</html>\n";

void get_index(struct request *r)
{
    reply_bytes(r, 200, "text/html; charset=utf-8", INDEX, sizeof(INDEX) - 1);
}

/* The file itself, put into the program by the assembler. */
__asm__(".section .rodata\n"
        ".global openapi_begin\n"
        ".global openapi_end\n"
        ".hidden openapi_begin\n"
        ".hidden openapi_end\n"
        "openapi_begin:\n"
        ".incbin \"" OPENAPI_FILE "\"\n"
        "openapi_end:\n"
        ".previous\n");
extern const char openapi_begin[], openapi_end[];

void get_openapi(struct request *r)
{
    reply_bytes(r, 200, "application/json", openapi_begin, (size_t)(openapi_end - openapi_begin));
}

void get_livez(struct request *r)
{
    static const char ALIVE[] = "{\"status\":\"alive\"}\n";
    reply_bytes(r, 200, "application/json", ALIVE, sizeof(ALIVE) - 1);
}

/* The host's reason: a JSON string of its own making, without escapes. */
static void copy_reason(char *out, size_t size, const char *text)
{
    static const char MEMBER[] = "\"reason\":\"";
    const char *from = strstr(text, MEMBER);

    snprintf(out, size, "not ready");
    if (!from)
        return;
    from += sizeof(MEMBER) - 1;
    snprintf(out, size, "not ready: %.*s", (int)strcspn(from, "\""), from);
}

static void answer_ready(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;
    char reason[200];

    if (status != PW_OK) {
        reply_status(r, status, text);
    } else if (strstr(text, "\"ready\":true")) {
        reply_bytes(r, 200, "application/json", text, len);
    } else {
        copy_reason(reason, sizeof(reason), text);
        reply_problem(r, 503, "not-ready", reason);
    }
    request_go_on(r);
}

void get_readyz(struct request *r)
{
    struct str params = { 0 };
    str_text(&params, "{}");
    ask(r, "ready", &params, answer_ready);
}
