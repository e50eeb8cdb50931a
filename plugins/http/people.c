/* people.c - /v1/people/{key}, /v1/notes: what stands outside the log and can be erased. */
#include <string.h>

#include "ask.h"
#include "encode.h"
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

/* ---- a change, of any state or of one that the peer has seen ---- */

static bool is_put(const struct request *r)
{
    return strcmp(r->method, "PUT") == 0;
}

static void write_change(struct str *params, const struct request *r)
{
    open_params(params, r);
    if (is_put(r)) {
        str_text(params, ",\"details\":");
        str_add(params, r->body.data, r->body.len);
    }
}

/* Somebody changed it between our look and the change: to the peer that is a condition that does
 * not hold. */
static void answer_changed(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;

    if (status != PW_CONFLICT) {
        answer_json(arg, status, text, len);
        return;
    }
    reply_problem(r, 412, "precondition", text);
    request_go_on(r);
}

/* NULL: what is there (`text`, with its tag; NULL: nothing) is what the peer wants to change. */
static const char *condition_broken(const struct request *r, const char *text, const char *etag)
{
    const char *match = request_header(r, "If-Match");
    const char *none = request_header(r, "If-None-Match");

    if (match && !text)
        return "nothing is kept under this key: it has been erased, or never was there";
    if (match && !etag_matches(match, etag))
        return "what is kept is not what If-Match names: somebody has changed it; read it again";
    if (none && text && etag_matches(none, etag))
        return "something is kept under this key already, and If-None-Match rules that out";
    return NULL;
}

/* {"key":"...","details":{...}}: the details. */
static void add_details(struct str *params, const char *text, size_t len)
{
    static const char MARK[] = ",\"details\":";
    const char *details = memmem(text, len, MARK, sizeof(MARK) - 1);

    if (!details) {
        params->failed = true;
        return;
    }
    details += sizeof(MARK) - 1;
    str_add(params, details, (size_t)(text + len - 1 - details));
}

/* What is there, before it is changed; the change says that it must be that still. */
static void on_present(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;
    const struct pw_host *host = r->server->host;
    struct str params = { 0 };
    char etag[ETAG_TEXT] = "";

    if (status == PW_OK)
        etag_make(etag, text, len, false);
    const char *broken = condition_broken(r, status == PW_OK ? text : NULL, etag);
    if (status != PW_OK && status != PW_ABSENT) {
        reply_status(r, status, text);
    } else if (broken) {
        reply_problem(r, 412, "precondition", broken);
    } else {
        write_change(&params, r);
        str_text(&params, ",\"was\":");
        if (status == PW_OK)
            add_details(&params, text, len);
        else
            str_text(&params, "null");
        str_text(&params, "}");
        status = params.failed ? PW_FAILED
                               : host->ask(host->ctx, is_put(r) ? "person.set" : "person.erase",
                                           params.data, answer_changed, r);
        str_fini(&params);
        if (status == PW_OK)
            return; /* it still waits */
        reply_status(r, status, NULL);
    }
    request_go_on(r);
}

static void change(struct request *r, const char *question)
{
    struct str params = { 0 };

    if (request_header(r, "If-Match") || request_header(r, "If-None-Match")) {
        open_params(&params, r);
        str_text(&params, "}");
        ask(r, "person", &params, on_present);
        return;
    }
    write_change(&params, r);
    str_text(&params, "}");
    ask(r, question, &params, answer_json);
}

void delete_person(struct request *r)
{
    change(r, "person.erase");
}

void put_person(struct request *r)
{
    if (is_one_object(r->body.data ? r->body.data : "", r->body.len))
        change(r, "person.set");
    else
        reply_problem(r, 400, "input",
                      "the body is not one JSON object, as {\"name\":\"...\",\"email\":\"...\"}");
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
