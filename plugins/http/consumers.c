/* consumers.c - GET /v1/consumers: who reads the feed by a kept cursor, and how far each has come;
 * GET /v1/questions: what is being answered, and how far that has come. */
#include "ask.h"
#include "query.h"
#include "routes.h"

static void ask_plainly(struct request *r, const char *question)
{
    struct str params = { 0 };

    str_text(&params, "{");
    if (!query_params(&params, r, NO_PARAMS, false)) {
        str_fini(&params);
        return;
    }
    if (params.len > 1) {
        reply_problem(r, 400, "input", "this route takes no parameters");
        str_fini(&params);
        return;
    }
    str_text(&params, "}");
    ask(r, question, &params, answer_json);
}

void get_consumers(struct request *r)
{
    ask_plainly(r, "consumers");
}

void get_questions(struct request *r)
{
    ask_plainly(r, "questions");
}
