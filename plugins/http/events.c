/* events.c - POST /v1/events: a request to the host's submit(), its results to the answer. */
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "binary.h"
#include "routes.h"

static const char ADVICE[] =
    "send application/cloudevents+json (one event), application/cloudevents-batch+json (an array), "
    "application/x-ndjson (one event a line), or ce-* headers with the data as application/json";

struct counts {
    size_t of[4]; /* by enum pw_event_status */
};

static bool format_of(enum pw_format *out, const char *type)
{
    if (media_is(type, "application/cloudevents+json"))
        *out = PW_EVENT;
    else if (media_is(type, "application/cloudevents-batch+json"))
        *out = PW_BATCH;
    else if (media_is(type, "application/x-ndjson"))
        *out = PW_NDJSON;
    else
        return false;
    return media_is_utf8(type);
}

void look_at_events(struct request *r)
{
    enum pw_format format;
    const char *results = request_parameter(r, "results");

    if (results && strcmp(results, "all") != 0) {
        reply_problem(r, 400, "input", "the parameter 'results' can only be 'all'");
    } else if (!format_of(&format, request_header(r, "Content-Type")) && !is_binary(r)) {
        reply_problem(r, 415, "media-type", ADVICE);
        reply_header(r, "Accept",
                     "application/cloudevents+json, application/cloudevents-batch+json,"
                     " application/x-ndjson");
    }
}

static const char *status_name(enum pw_event_status status)
{
    switch (status) {
    case PW_ACCEPTED:
        return "accepted";
    case PW_DUPLICATE:
        return "duplicate";
    case PW_CONFLICTING:
        return "conflict";
    case PW_INVALID:
        return "invalid";
    }
    return "invalid";
}

static void write_result(struct str *out, size_t index, const struct pw_event_result *result)
{
    str_printf(out, "{\"index\":%zu,\"status\":\"%s\"", index, status_name(result->status));
    if (result->status != PW_INVALID)
        str_printf(out, ",\"seq\":%lld", (long long)result->seq);
    if (result->detail) {
        str_text(out, ",\"detail\":");
        str_json_shown(out, result->detail);
    }
    str_text(out, "}");
}

static void write_results(struct str *out, const struct pw_submit_result *result, bool all)
{
    struct counts counts = { { 0 } };

    for (size_t i = 0; i < result->count; i++)
        counts.of[result->results[i].status]++;
    str_printf(out, "{\"accepted\":%zu,\"duplicate\":%zu,\"conflict\":%zu,\"invalid\":%zu",
               counts.of[PW_ACCEPTED], counts.of[PW_DUPLICATE], counts.of[PW_CONFLICTING],
               counts.of[PW_INVALID]);
    str_text(out, ",\"results\":[");
    bool any = false;
    for (size_t i = 0; i < result->count; i++) {
        if (!all && result->results[i].status == PW_ACCEPTED)
            continue;
        str_text(out, any ? ",\n" : "\n");
        write_result(out, i, &result->results[i]);
        any = true;
    }
    str_text(out, "]}\n");
}

static bool is_single(const struct request *r)
{
    enum pw_format format;
    return !format_of(&format, request_header(r, "Content-Type")) || format == PW_EVENT;
}

static void reply_results(struct request *r, const struct pw_submit_result *result)
{
    struct str body = { 0 };
    const char *all = request_parameter(r, "results");

    if (is_single(r) && result->count == 1) {
        const struct pw_event_result *one = &result->results[0];
        if (one->status == PW_INVALID || one->status == PW_CONFLICTING) {
            bool invalid = one->status == PW_INVALID;
            if (one->is_forbidden)
                reply_problem(r, 403, "forbidden", one->detail);
            else
                reply_problem(r, invalid ? 400 : 409, invalid ? "invalid-event" : "conflict",
                              one->detail ? one->detail : "");
            return;
        }
    }
    write_results(&body, result, all != NULL);
    if (body.failed)
        reply_status(r, PW_FAILED, NULL);
    else
        reply_bytes(r, 200, "application/json", body.data, body.len);
    str_fini(&body);
}

static void on_submitted(void *arg, const struct pw_submit_result *result)
{
    struct request *r = arg;

    if (result->status == PW_OK)
        reply_results(r, result);
    else
        reply_status(r, result->status, result->error);
    request_go_on(r);
}

static void submit(struct request *r, enum pw_format format, const char *bytes, size_t len)
{
    const struct pw_host *host = r->server->host;

    struct peer peer;

    if (!access_peer(&peer, r)) /* its token may have been revoked while the body came */
        return;
    enum pw_status status =
        host->submit_as(host->ctx, format, bytes ? bytes : "", len, peer.name[0] ? peer.name : NULL,
                        peer.hubs, on_submitted, r);
    if (status == PW_OK)
        request_wait(r);
    else
        reply_status(r, status, NULL);
}

void post_events(struct request *r)
{
    struct str event = { 0 };
    enum pw_format format;

    if (format_of(&format, request_header(r, "Content-Type"))) {
        submit(r, format, r->body.data, r->body.len);
        request_drop_body(r); /* the host has what it needs: no need to hold it while we wait */
        return;
    }
    if (binary_event(&event, r)) {
        if (event.failed)
            reply_status(r, PW_FAILED, NULL);
        else
            submit(r, PW_EVENT, event.data, event.len);
    }
    str_fini(&event);
    request_drop_body(r);
}
