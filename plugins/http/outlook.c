/* outlook.c - /v1/forecast, /v1/advise, /v1/whatif: what will change, and what would; /v1/restated:
 * what has. JSON, or rows as CSV or NDJSON. */
#include <string.h>

#include "access.h"
#include "ask.h"
#include "query.h"
#include "routes.h"

enum form { FORM_JSON, FORM_CSV, FORM_NDJSON, FORM_REFUSED };

static const char *const FORM_NAMES[] = { "json", "csv", "ndjson" };

static const struct param FORECAST_PARAMS[] = {
    { "subject", PARAM_TEXT }, { "hub", PARAM_TEXT },   { "until", PARAM_TEXT },
    { "at", PARAM_TEXT },      { "known", PARAM_TEXT }, { "rules", PARAM_TEXT },
    { "format", PARAM_FLAG },  { "tag", PARAM_TEXT },   { NULL, PARAM_TEXT },
};

static const struct param ADVISE_PARAMS[] = {
    { "subject", PARAM_TEXT }, { "decision", PARAM_TEXT }, { "at", PARAM_TEXT },
    { "known", PARAM_TEXT },   { "rules", PARAM_TEXT },    { "until", PARAM_TEXT },
    { NULL, PARAM_TEXT },
};

void get_advise(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "advise", &params, ADVISE_PARAMS, false);
}

/* By ?format= or else by Accept; refused ones have been told so. */
static enum form choose_form(struct request *r)
{
    static const char *const OFFERS[] = { "application/json", "text/csv", "application/x-ndjson",
                                          NULL };
    const char *format = request_parameter(r, "format");

    for (int i = 0; format && i < 3; i++)
        if (strcmp(format, FORM_NAMES[i]) == 0)
            return (enum form)i;
    if (format) {
        reply_problem(r, 400, "input", "the parameter 'format' can be json, csv or ndjson");
        return FORM_REFUSED;
    }
    int choice = accept_choose(request_header(r, "Accept"), OFFERS);
    if (choice >= 0)
        return (enum form)choice;
    reply_problem(r, 406, "not-acceptable",
                  "this route answers application/json, text/csv or application/x-ndjson");
    return FORM_REFUSED;
}

static pw_answer_fn *const ANSWERS[] = { answer_json, answer_csv, answer_ndjson };

static const struct param RESTATED_PARAMS[] = {
    { "subject", PARAM_TEXT }, { "from", PARAM_TEXT },  { "to", PARAM_TEXT },
    { "at", PARAM_TEXT },      { "rules", PARAM_TEXT }, { "format", PARAM_FLAG },
    { "hub", PARAM_TEXT },     { "tag", PARAM_TEXT },   { NULL, PARAM_TEXT },
};

static void ask_in_form(struct request *r, const char *question, const struct param *known)
{
    struct str params = { 0 };
    enum form form = choose_form(r);

    if (form == FORM_REFUSED)
        return;
    str_printf(&params, "{\"format\":\"%s\"", FORM_NAMES[form]);
    if (query_params(&params, r, known, false)) {
        str_text(&params, "}");
        ask(r, question, &params, ANSWERS[form]);
    } else {
        str_fini(&params);
    }
}

void get_forecast(struct request *r)
{
    ask_in_form(r, "forecast", FORECAST_PARAMS);
}

void get_restated(struct request *r)
{
    ask_in_form(r, "restated", RESTATED_PARAMS);
}

/* The body's members, behind the format. Whoever may read may suppose parameters; rules of one's
 * own are another thing. */
void post_whatif(struct request *r)
{
    const char *body = r->body.data ? r->body.data : "";
    struct str params = { 0 };
    struct peer peer;
    enum form form = choose_form(r);

    if (form == FORM_REFUSED)
        return;
    if (!is_one_object(body, r->body.len)) {
        reply_problem(r, 400, "input",
                      "the body is not one JSON object, as {\"set\":{\"leads_needed\":3}}");
        return;
    }
    if (!access_peer(&peer, r)) /* its token may have been revoked while the body came */
        return;
    const char *members = strchr(body, '{') + 1;
    bool may_load = peer.scopes & PW_RULES;
    str_printf(&params, "{\"format\":\"%s\",\"may_load\":%s", FORM_NAMES[form],
               may_load ? "true" : "false");
    str_text(&params, members[strspn(members, " \t\r\n")] == '}' ? "" : ",");
    str_add(&params, members, r->body.len - (size_t)(members - body));
    request_drop_body(r);
    ask(r, "whatif", &params, ANSWERS[form]);
}
