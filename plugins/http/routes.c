/* routes.c - see routes.h. */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON "application/json"

/* clang-format off */
#define GET(handler, takes, gives) \
    { .name = "GET", .handle = handler, .scope = takes, .answers = gives }
#define DO(method, handler, takes, reads) \
    { .name = method, .handle = handler, .scope = takes, .body = reads, .answers = JSON }
/* What is done to a webhook: with no body, or with one. */
#define ACT(handler) \
    { .name = "POST", .handle = handler, .scope = PW_ADMIN, .answers = JSON, .may_be_bare = true, \
      .look = look_at_webhook }

static const struct route ROUTES[] = {
    { "/",                { GET(get_index, 0, "text/html") } },
    { "/openapi.json",    { GET(get_openapi, 0, JSON) } },
    { "/livez",           { GET(get_livez, 0, JSON) } },
    { "/readyz",          { GET(get_readyz, 0, JSON) } },
    { "/metrics",         { GET(get_metrics, PW_READ, "text/plain") } },
    { "/v1/events",       { { .name = "POST", .handle = post_events, .scope = PW_WRITE, .answers = JSON,
                              .look = look_at_events } } },
    { "/v1/schools",      { GET(get_schools, PW_READ, JSON) } },
    { "/v1/schools/{}",   { GET(get_school, PW_READ, JSON) } },
    { "/v1/schools/{}/decisions/{}", { GET(get_school_decision, PW_READ, JSON) } },
    { "/v1/schools/{}/events", { GET(get_school_events, PW_READ, JSON) } },
    { "/v1/schools/{}/history", { GET(get_school_history, PW_READ, JSON) } },
    { "/v1/groups",       { GET(get_groups, PW_READ, JSON) } },
    { "/v1/groups/{}",    { GET(get_group, PW_READ, JSON) } },
    { "/v1/groups/{}/decisions/{}", { GET(get_group_decision, PW_READ, JSON) } },
    { "/v1/groups/{}/events", { GET(get_group_events, PW_READ, JSON) } },
    { "/v1/groups/{}/history", { GET(get_group_history, PW_READ, JSON) } },
    { "/v1/hubs",         { GET(get_hubs, PW_READ, JSON) } },
    { "/v1/hubs/{}",      { GET(get_hub, PW_READ, JSON) } },
    { "/v1/hubs/{}/decisions/{}", { GET(get_hub_decision, PW_READ, JSON) } },
    { "/v1/hubs/{}/events", { GET(get_hub_events, PW_READ, JSON) } },
    { "/v1/hubs/{}/history", { GET(get_hub_history, PW_READ, JSON) } },
    { "/v1/summary",      { GET(get_summary, PW_READ, JSON) } },
    { "/v1/changes",      { GET(get_changes, PW_READ, NULL) } },
    { "/v1/consumers",    { GET(get_consumers, PW_READ, JSON) } },
    { "/v1/questions",    { GET(get_questions, PW_READ, JSON) } },
    { "/v1/rules",        { GET(get_rules, PW_READ, JSON) } },
    { "/v1/rules/{}",     { GET(get_rule, PW_READ, JSON) } },
    { "/v1/export/{}",    { GET(get_export, PW_READ, NULL) } },
    { "/v1/forecast",     { GET(get_forecast, PW_READ, NULL) } },
    { "/v1/restated",     { GET(get_restated, PW_READ, NULL) } },
    { "/v1/advise",       { GET(get_advise, PW_READ, JSON) } },
    { "/v1/whatif",       { { .name = "POST", .handle = post_whatif, .scope = PW_READ, .body = JSON } } },
    { "/v1/people/{}",    { GET(get_person, PW_PERSONAL, JSON),
                            DO("PUT", put_person, PW_PERSONAL, JSON),
                            DO("DELETE", delete_person, PW_PERSONAL, NULL) } },
    { "/v1/notes",        { DO("DELETE", delete_note, PW_PERSONAL, NULL) } },
    { "/v1/tokens",       { GET(get_tokens, PW_ADMIN, JSON),
                            DO("POST", post_token, PW_ADMIN, JSON) } },
    { "/v1/tokens/{}",    { DO("DELETE", delete_token, PW_ADMIN, NULL) } },
    { "/v1/webhooks",     { GET(get_webhooks, PW_ADMIN, JSON),
                            DO("POST", post_webhook, PW_ADMIN, JSON) } },
    { "/v1/webhooks/{}",  { GET(get_webhook, PW_ADMIN, JSON),
                            DO("DELETE", delete_webhook, PW_ADMIN, NULL) } },
    { "/v1/webhooks/{}/test",   { ACT(post_webhook_test) } },
    { "/v1/webhooks/{}/pause",  { ACT(post_webhook_pause) } },
    { "/v1/webhooks/{}/resume", { ACT(post_webhook_resume) } },
    { "/v1/webhooks/{}/replay", { ACT(post_webhook_replay) } },
    { "/v1/webhooks/{}/rotate", { ACT(post_webhook_rotate) } },
    { "/v1/plugins/{}",   { { .name = "POST", .handle = post_plugin, .scope = PW_ADMIN, .answers = JSON,
                              .may_be_bare = true, .look = look_at_plugin } } },
    { "/v1/quarantine",   { GET(get_quarantine, PW_ADMIN, JSON) } },
    { "/v1/quarantine/{}", { DO("DELETE", delete_quarantine, PW_ADMIN, NULL) } },
    { "/v1/faults",       { GET(get_faults, PW_READ, JSON) } },
    { "/v1/status",       { GET(get_status, PW_READ, JSON) } },
    { "/v1/reload",       { DO("POST", post_reload, PW_ADMIN, JSON) } },
    { "/v1/overlays/{}",  { GET(get_overlay, PW_RULES, JSON), DO("PUT", put_overlay, PW_RULES, JSON) } },
    { "/v1/overlays/{}/rollback", { DO("POST", post_overlay_rollback, PW_RULES, JSON) } },
    { "/v1/backup",       { { .name = "POST", .handle = post_backup, .scope = PW_ADMIN, .body = JSON,
                              .answers = "application/vnd.sqlite3" } } },
    { "/v1/verify",       { GET(get_verify, PW_ADMIN, JSON) } },
    { "/v1/replay",       { GET(get_replay, PW_ADMIN, JSON) } },
};
/* clang-format on */
#define ROUTE_COUNT (sizeof(ROUTES) / sizeof(ROUTES[0]))

/* What stands in `path` for each {} of the pattern; false: it does not match. */
static bool matches(const char *pattern, const char *path, const char *from[2], size_t len[2])
{
    const char *hole;

    from[0] = from[1] = NULL;
    for (int i = 0; i < 2 && (hole = strstr(pattern, "{}")) != NULL; i++) {
        size_t before = (size_t)(hole - pattern);
        if (strncmp(pattern, path, before) != 0)
            return false;
        from[i] = path + before;
        len[i] = strcspn(from[i], "/");
        if (len[i] == 0)
            return false;
        path = from[i] + len[i];
        pattern = hole + 2;
    }
    return strcmp(pattern, path) == 0;
}

/* False: it is not well encoded, or there is no memory. */
static bool decode_segment(char **out, const char *from, size_t len)
{
    if (!from)
        return true;
    *out = malloc(len + 1);
    if (*out && percent_decode(*out, from, len))
        return true;
    free(*out);
    *out = NULL;
    return false;
}

const struct route *route_find(const char *path, char **segment, char **inner)
{
    const char *from[2];
    size_t len[2];

    *segment = *inner = NULL;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!matches(ROUTES[i].path, path, from, len))
            continue;
        if (decode_segment(segment, from[0], len[0]) && decode_segment(inner, from[1], len[1]))
            return &ROUTES[i];
        free(*segment);
        *segment = NULL;
    }
    return NULL;
}

const struct route_method *route_method(const struct route *route, const char *method)
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < METHODS_MAX && route->methods[i].name; i++)
        if (strcmp(route->methods[i].name, method) == 0)
            return &route->methods[i];
    return NULL;
}

void route_allow(const struct route *route, char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < METHODS_MAX && route->methods[i].name; i++) {
        bool is_get = strcmp(route->methods[i].name, "GET") == 0;
        len += (size_t)snprintf(out + len, size - len, "%s%s, ", route->methods[i].name,
                                is_get ? ", HEAD" : "");
    }
    snprintf(out + len, size - len, "OPTIONS");
}

const struct route *route_at(size_t i)
{
    return i < ROUTE_COUNT ? &ROUTES[i] : NULL;
}
