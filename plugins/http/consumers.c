/* consumers.c - GET /v1/consumers: who reads the feed by a kept cursor, and how far each has come. */
#include "ask.h"
#include "query.h"
#include "routes.h"

void get_consumers(struct request *r)
{
    static const struct param NONE[] = { { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    str_text(&params, "{");
    if (!query_params(&params, r, NONE, false)) {
        str_fini(&params);
        return;
    }
    if (params.len > 1) {
        reply_problem(r, 400, "input", "this route takes no parameters");
        str_fini(&params);
        return;
    }
    str_text(&params, "}");
    ask(r, "consumers", &params, answer_json);
}
