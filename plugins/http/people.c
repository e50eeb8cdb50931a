/* people.c - /v1/people/{key}, /v1/notes: what stands outside the log and can be erased. */
#include <string.h>

#include "ask.h"
#include "query.h"
#include "routes.h"

static void open_params(struct str *params, const struct request *r)
{
    str_text(params, "{\"key\":");
    str_json(params, r->segment, strlen(r->segment));
}

static void ask_about(struct request *r, const char *question)
{
    struct str params = { 0 };

    open_params(&params, r);
    str_text(&params, "}");
    ask(r, question, &params, answer_json);
}

void get_person(struct request *r)
{
    ask_about(r, "person");
}

void delete_person(struct request *r)
{
    ask_about(r, "person.erase");
}

void put_person(struct request *r)
{
    struct str params = { 0 };

    if (!is_one_object(r->body.data ? r->body.data : "", r->body.len)) {
        reply_problem(r, 400, "input",
                      "the body is not one JSON object, as {\"name\":\"...\",\"email\":\"...\"}");
        return;
    }
    open_params(&params, r);
    str_text(&params, ",\"details\":");
    str_add(&params, r->body.data, r->body.len);
    str_text(&params, "}");
    ask(r, "person.set", &params, answer_json);
}

void delete_note(struct request *r)
{
    static const struct param EVENT[] = { { "source", PARAM_TEXT },
                                          { "id", PARAM_TEXT },
                                          { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    str_text(&params, "{");
    if (query_params(&params, r, EVENT, false)) {
        str_text(&params, "}");
        ask(r, "note.erase", &params, answer_json);
    } else {
        str_fini(&params);
    }
}
