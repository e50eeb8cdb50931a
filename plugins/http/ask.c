/* ask.c - see ask.h; and the routes that are questions and nothing else. */
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include "access.h"
#include "again.h"
#include "query.h"
#include "routes.h"

const struct param NO_PARAMS[] = { { NULL, PARAM_TEXT } };

static const struct param LIST_PARAMS[] = {
    { "hub", PARAM_TEXT },   { "q", PARAM_TEXT },     { "at", PARAM_TEXT },
    { "known", PARAM_TEXT }, { "rules", PARAM_TEXT }, { "limit", PARAM_NUMBER },
    { "after", PARAM_TEXT }, { NULL, PARAM_TEXT },
};
static const struct param SUBJECT_PARAMS[] = {
    { "at", PARAM_TEXT },
    { "known", PARAM_TEXT },
    { "rules", PARAM_TEXT },
    { NULL, PARAM_TEXT },
};
static const struct param EXPORT_PARAMS[] = {
    { "at", PARAM_TEXT },       { "known", PARAM_TEXT },   { "rules", PARAM_TEXT },
    { "names", PARAM_LIST },    { "after", PARAM_NUMBER }, { "limit", PARAM_NUMBER },
    { "format", PARAM_FLAG },   { "hub", PARAM_TEXT },     { "subject", PARAM_TEXT },
    { "decision", PARAM_TEXT }, { NULL, PARAM_TEXT },
};

static void answer(struct request *r, enum pw_status status, const char *type, const char *text,
                   size_t len)
{
    if (status == PW_OK)
        reply_bytes(r, 200, type, text, len);
    else
        reply_status(r, status, text);
    request_go_on(r);
}

void answer_created(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;

    if (status == PW_OK)
        reply_bytes(r, 201, "application/json", text, len);
    else
        reply_status(r, status, text);
    request_go_on(r);
}

void answer_json(void *arg, enum pw_status status, const char *text, size_t len)
{
    answer(arg, status, "application/json", text, len);
}

void answer_csv(void *arg, enum pw_status status, const char *text, size_t len)
{
    answer(arg, status, "text/csv; charset=utf-8; header=present", text, len);
}

void answer_ndjson(void *arg, enum pw_status status, const char *text, size_t len)
{
    answer(arg, status, "application/x-ndjson", text, len);
}

/* The host's, and our own behind them. */
static void answer_metrics(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;
    struct str all = { 0 };

    if (status == PW_OK) {
        str_add(&all, text, len);
        http_metrics_write(&all, r->server);
    }
    if (all.failed)
        answer(r, PW_FAILED, NULL, NULL, 0);
    else
        answer(r, status, "text/plain; version=0.0.4; charset=utf-8",
               status == PW_OK ? all.data : text, status == PW_OK ? all.len : len);
    str_fini(&all);
}

void ask(struct request *r, const char *question, struct str *params, pw_answer_fn *done)
{
    const struct pw_host *host = r->server->host;

    enum pw_status status =
        params->failed ? PW_FAILED : host->ask(host->ctx, question, params->data, done, r);
    str_fini(params);
    if (status == PW_OK)
        request_wait(r);
    else
        reply_status(r, status, NULL);
}

void ask_json(struct request *r, const char *question, struct str *params,
              const struct param *known, bool filters)
{
    if (query_params(params, r, known, filters)) {
        str_text(params, "}");
        ask(r, question, params, answer_json);
    } else {
        str_fini(params);
    }
}

static void get_list(struct request *r, const char *kind)
{
    struct str params = { 0 };
    str_printf(&params, "{\"kind\":\"%s\"", kind);
    ask_json(r, "list", &params, LIST_PARAMS, true);
}

void get_schools(struct request *r)
{
    get_list(r, "school");
}

void get_groups(struct request *r)
{
    get_list(r, "group");
}

void get_hubs(struct request *r)
{
    get_list(r, "hub");
}

void ask_begin_subject(struct str *params, const struct request *r, const char *kind)
{
    struct str subject = { 0 };

    str_printf(&subject, "%s/%s", kind, r->segment);
    str_text(params, "{\"subject\":");
    str_json(params, subject.failed ? "" : subject.data, subject.len);
    str_fini(&subject);
}

static void get_subject(struct request *r, const char *kind)
{
    struct str params = { 0 };

    ask_begin_subject(&params, r, kind);
    if (!query_params(&params, r, SUBJECT_PARAMS, false)) {
        str_fini(&params);
        return;
    }
    str_text(&params, "}");
    if (params.failed || !again_answer(r, params.data))
        ask(r, "subject", &params, answer_json);
    else
        str_fini(&params);
}

void get_school(struct request *r)
{
    get_subject(r, "school");
}

void get_group(struct request *r)
{
    get_subject(r, "group");
}

void get_hub(struct request *r)
{
    get_subject(r, "hub");
}

void get_summary(struct request *r)
{
    static const struct param PARAMS[] = { { "hub", PARAM_TEXT },
                                           { "at", PARAM_TEXT },
                                           { "known", PARAM_TEXT },
                                           { "rules", PARAM_TEXT },
                                           { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "summary", &params, PARAMS, false);
}

void get_rules(struct request *r)
{
    static const struct param PARAMS[] = { { "hub", PARAM_TEXT }, { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "rules", &params, PARAMS, false);
}

void get_rule(struct request *r)
{
    static const struct param PARAMS[] = { { "hub", PARAM_TEXT }, { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    str_text(&params, "{\"name\":");
    str_json(&params, r->segment, strlen(r->segment));
    ask_json(r, "rules", &params, PARAMS, false);
}

void get_status(struct request *r)
{
    struct str params = { 0 };
    str_text(&params, "{");
    ask_json(r, "status", &params, NO_PARAMS, false);
}

void get_metrics(struct request *r)
{
    struct str params = { 0 };
    str_text(&params, "{}");
    ask(r, "metrics", &params, answer_metrics);
}

void get_verify(struct request *r)
{
    struct str params = { 0 };
    str_text(&params, "{");
    ask_json(r, "verify", &params, NO_PARAMS, false);
}

void get_replay(struct request *r)
{
    struct str params = { 0 };
    str_text(&params, "{");
    ask_json(r, "replay", &params, NO_PARAMS, false);
}

/* For people who open it: a name that a browser saves it under. */
static void answer_spreadsheet(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;
    char disposition[120];

    if (status == PW_OK) {
        reply_bytes(r, 200, "text/csv; charset=utf-8; header=present", text, len);
        snprintf(disposition, sizeof(disposition), "attachment; filename=\"%.60s.csv\"",
                 r->segment);
        reply_header(r, "Content-Disposition", disposition);
    } else {
        reply_status(r, status, text);
    }
    request_go_on(r);
}

struct export_format {
    const char *name;
    pw_answer_fn *answer;
};
static const struct export_format EXPORT_FORMATS[] = {
    { "csv", answer_csv },
    { "ndjson", answer_ndjson },
    { "spreadsheet", answer_spreadsheet },
};

/* By ?format= or else by Accept; NULL: refused, and told so. */
static const struct export_format *export_format(struct request *r)
{
    static const char *const OFFERS[] = { "text/csv", "application/x-ndjson", NULL };
    const char *format = request_parameter(r, "format");

    for (size_t i = 0; format && i < sizeof(EXPORT_FORMATS) / sizeof(EXPORT_FORMATS[0]); i++)
        if (strcmp(format, EXPORT_FORMATS[i].name) == 0)
            return &EXPORT_FORMATS[i];
    if (format) {
        reply_problem(r, 400, "input",
                      "the parameter 'format' can be csv, ndjson or spreadsheet (CSV with UTF-8's "
                      "mark, and no cell a formula)");
        return NULL;
    }
    int choice = accept_choose(request_header(r, "Accept"), OFFERS);
    if (choice < 0) {
        reply_problem(r, 406, "not-acceptable",
                      "this route answers text/csv or application/x-ndjson");
        return NULL;
    }
    return &EXPORT_FORMATS[choice];
}

/* What notes say is personal; without that scope, events come with the digests that the log has. */
static bool may_read_notes(struct request *r)
{
    struct peer peer;
    return access_peer(&peer, r) && (peer.scopes & PW_PERSONAL);
}

void get_export(struct request *r)
{
    static const char *const WHAT[] = { "decisions", "events", "changes", "registered" };
    const size_t count = sizeof(WHAT) / sizeof(WHAT[0]);
    struct str params = { 0 };
    size_t i = 0;

    while (i < count && strcmp(WHAT[i], r->segment) != 0)
        i++;
    if (i == count) {
        reply_problem(r, 404, "absent",
                      "what can be exported is decisions, events, changes and registered");
        return;
    }
    const struct export_format *format = export_format(r);
    if (!format)
        return;
    str_printf(&params, "{\"format\":\"%s\"", format->name);
    if (strcmp(r->segment, "events") == 0 && !may_read_notes(r))
        str_text(&params, ",\"notes\":\"no\"");
    if (query_params(&params, r, EXPORT_PARAMS, false)) {
        str_text(&params, "}");
        ask(r, WHAT[i], &params, format->answer);
    } else {
        str_fini(&params);
    }
}
