/* tokens.c - /v1/tokens: access tokens, made, listed and revoked. */
#include <string.h>

#include "ask.h"
#include "query.h"
#include "routes.h"

void get_tokens(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "tokens", &params, NO_PARAMS, false);
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
