/* webhooks.c - /v1/webhooks: receivers that the feed is delivered to, by the plugin webhook. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "query.h"
#include "routes.h"

void get_webhooks(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "webhook.list", &params, NO_PARAMS, false);
}

static bool check_body(struct request *r, const char *example)
{
    char detail[160];

    if (is_one_object(r->body.data ? r->body.data : "", r->body.len))
        return true;
    snprintf(detail, sizeof(detail), "the body is not one JSON object, as %s", example);
    reply_problem(r, 400, "input", detail);
    return false;
}

void post_webhook(struct request *r)
{
    struct str params = { 0 };

    if (!check_body(r, "{\"name\":\"mailer\",\"url\":\"https://mailer.example/\"}"))
        return;
    str_add(&params, r->body.data, r->body.len);
    ask(r, "webhook.add", &params, answer_created);
}

static void open_params(struct str *params, const struct request *r)
{
    str_text(params, "{\"name\":");
    str_json(params, r->segment, strlen(r->segment));
}

static void ask_about(struct request *r, const char *question)
{
    struct str params = { 0 };

    open_params(&params, r);
    ask_json(r, question, &params, NO_PARAMS, false);
}

void get_webhook(struct request *r)
{
    ask_about(r, "webhook.show");
}

void delete_webhook(struct request *r)
{
    ask_about(r, "webhook.remove");
}

void look_at_webhook(struct request *r)
{
    const char *type = request_header(r, "Content-Type");

    if (type && (!media_is(type, "application/json") || !media_is_utf8(type)))
        reply_problem(r, 415, "media-type", "send what is asked as application/json, or nothing");
}

/* The body's members behind the name. A second name in it is for the plugin to refuse. */
static void add_members(struct str *params, const struct request *r)
{
    static const char SPACE[] = " \t\r\n";
    const char *body =
        r->body.data ? r->body.data : "{}"; /* it is one object: a brace, and another */

    body += strspn(body, SPACE) + 1;
    body += strspn(body, SPACE);
    str_text(params, *body == '}' ? "" : ",");
    str_text(params, body);
}

static void ask_with_body(struct request *r, const char *question)
{
    struct str params = { 0 };

    if (r->body.len > 0 && !check_body(r, "{\"after\":4711}"))
        return;
    open_params(&params, r);
    add_members(&params, r);
    ask(r, question, &params, answer_json);
}

void post_webhook_test(struct request *r)
{
    ask_with_body(r, "webhook.test");
}

void post_webhook_pause(struct request *r)
{
    ask_with_body(r, "webhook.pause");
}

void post_webhook_resume(struct request *r)
{
    ask_with_body(r, "webhook.resume");
}

void post_webhook_replay(struct request *r)
{
    ask_with_body(r, "webhook.replay");
}

void post_webhook_rotate(struct request *r)
{
    ask_with_body(r, "webhook.rotate");
}
