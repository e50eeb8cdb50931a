/* rules.c - /v1/reload, /v1/overlays/{}: other rules while the daemon serves. */
#include <string.h>

#include "access.h"
#include "ask.h"
#include "query.h"
#include "routes.h"

void post_reload(struct request *r)
{
    static const struct param KNOWN[] = { { "rollback", PARAM_TEXT }, { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "reload", &params, KNOWN, false);
}

/* A hub's rules are its own: false, and told so, when the peer's token is for other hubs. */
static bool may_change(struct request *r)
{
    size_t len = strlen(r->segment);
    struct peer peer;

    if (!access_peer(&peer, r))
        return false;
    for (const char *at = peer.hubs; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == len && strncmp(at, r->segment, len) == 0)
            return true;
    if (!peer.hubs)
        return true;
    reply_problem(r, 403, "forbidden", "this token is for the rules of other hubs");
    return false;
}

static void open_params(struct str *params, const struct request *r)
{
    str_text(params, "{\"hub\":");
    str_json(params, r->segment, strlen(r->segment));
}

void put_overlay(struct request *r)
{
    struct str params = { 0 };

    if (!may_change(r))
        return;
    if (!is_one_object(r->body.data ? r->body.data : "", r->body.len)) {
        reply_problem(r, 400, "input",
                      "the body is not one JSON object from the name of each file to its text, as "
                      "{\"overlay.lua\":\"return overlay { ... }\"}");
        return;
    }
    open_params(&params, r);
    str_text(&params, ",\"files\":");
    str_add(&params, r->body.data, r->body.len);
    str_text(&params, "}");
    ask(r, "overlay_push", &params, answer_json);
}

void get_overlay(struct request *r)
{
    struct str params = { 0 };

    if (!may_change(r))
        return;
    open_params(&params, r);
    ask_json(r, "overlay", &params, NO_PARAMS, false);
}

void post_overlay_rollback(struct request *r)
{
    struct str params = { 0 };

    if (!may_change(r))
        return;
    open_params(&params, r);
    ask_json(r, "overlay_rollback", &params, NO_PARAMS, false);
}
