/* plugins.c - /v1/plugins/{PLUGIN.QUESTION}: what plugins answer that have no routes here of their
 * own. */
#include <string.h>

#include "ask.h"
#include "query.h"
#include "routes.h"

void look_at_plugin(struct request *r)
{
    const char *type = request_header(r, "Content-Type");

    if (!strchr(r->segment, '.'))
        reply_problem(r, 404, "absent",
                      "expected /v1/plugins/PLUGIN.QUESTION, as in /v1/plugins/sample.count");
    else if (strncmp(r->segment, "webhook.", 8) == 0)
        reply_problem(r, 404, "absent", "webhooks have routes of their own: see GET /v1/webhooks");
    else if (type && (!media_is(type, "application/json") || !media_is_utf8(type)))
        reply_problem(r, 415, "media-type", "send the question's parameters as application/json");
}

void post_plugin(struct request *r)
{
    struct str params = { 0 };

    if (r->body.len > 0 && !is_one_object(r->body.data, r->body.len)) {
        reply_problem(r, 400, "input", "the body is not one JSON object");
        return;
    }
    if (r->body.len > 0)
        str_add(&params, r->body.data, r->body.len);
    else
        str_text(&params, "{}");
    ask(r, r->segment, &params, answer_json);
}
