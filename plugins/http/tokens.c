/* tokens.c - /v1/tokens: access tokens, made, listed and revoked. */
#include <string.h>

#include "ask.h"
#include "query.h"
#include "routes.h"

static const struct param NONE[] = { { NULL, PARAM_TEXT } };

void get_tokens(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "tokens", &params, NONE, false);
}

static void answer_created(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;

    if (status == PW_OK)
        reply_bytes(r, 201, "application/json", text, len);
    else
        reply_status(r, status, text);
    request_go_on(r);
}

void post_token(struct request *r)
{
    struct str params = { 0 };

    if (!is_one_object(r->body.data ? r->body.data : "", r->body.len)) {
        reply_problem(
            r, 400, "input",
            "the body is not one JSON object, as {\"name\":\"mailer\",\"scopes\":[\"read\"]}");
        return;
    }
    str_add(&params, r->body.data, r->body.len);
    ask(r, "token.add", &params, answer_created);
}

void delete_token(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{\"name\":");
    str_json(&params, r->segment, strlen(r->segment));
    str_text(&params, "}");
    ask(r, "token.revoke", &params, answer_json);
}
