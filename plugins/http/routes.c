/* routes.c - see routes.h. */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON "application/json"

/* clang-format off */
#define GET(handler, takes) { .name = "GET", .handle = handler, .scope = takes }

/* A route with one method has it as GET() alone; the table is in the order of docs and openapi.json. */
static const struct route ROUTES[] = {
    { "/",                { GET(get_index, 0) } },
    { "/livez",           { GET(get_livez, 0) } },
    { "/readyz",          { GET(get_readyz, 0) } },
    { "/metrics",         { GET(get_metrics, PW_READ) } },
    { "/v1/events",       { { "POST", post_events, PW_WRITE, NULL, look_at_events } } },
    { "/v1/schools",      { GET(get_schools, PW_READ) } },
    { "/v1/schools/{}",   { GET(get_school, PW_READ) } },
    { "/v1/groups",       { GET(get_groups, PW_READ) } },
    { "/v1/groups/{}",    { GET(get_group, PW_READ) } },
    { "/v1/hubs",         { GET(get_hubs, PW_READ) } },
    { "/v1/hubs/{}",      { GET(get_hub, PW_READ) } },
    { "/v1/changes",      { GET(get_changes, PW_READ) } },
    { "/v1/export/{}",    { GET(get_export, PW_READ) } },
    { "/v1/forecast",     { GET(get_forecast, PW_READ) } },
    { "/v1/people/{}",    { GET(get_person, PW_PERSONAL),
                            { "PUT", put_person, PW_PERSONAL, JSON, NULL },
                            { "DELETE", delete_person, PW_PERSONAL, NULL, NULL } } },
    { "/v1/notes",        { { "DELETE", delete_note, PW_PERSONAL, NULL, NULL } } },
    { "/v1/tokens",       { GET(get_tokens, PW_ADMIN),
                            { "POST", post_token, PW_ADMIN, JSON, NULL } } },
    { "/v1/tokens/{}",    { { "DELETE", delete_token, PW_ADMIN, NULL, NULL } } },
    { "/v1/plugins/{}",   { { "POST", post_plugin, PW_ADMIN, NULL, look_at_plugin } } },
    { "/v1/status",       { GET(get_status, PW_READ) } },
    { "/v1/verify",       { GET(get_verify, PW_ADMIN) } },
    { "/v1/replay",       { GET(get_replay, PW_ADMIN) } },
};
/* clang-format on */
#define ROUTE_COUNT (sizeof(ROUTES) / sizeof(ROUTES[0]))

/* Where {} of the pattern begins and ends in `path`; false: it does not match. */
static bool matches(const char *pattern, const char *path, const char **from, size_t *len)
{
    const char *hole = strstr(pattern, "{}");

    *from = NULL;
    *len = 0;
    if (!hole)
        return strcmp(pattern, path) == 0;
    size_t before = (size_t)(hole - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    *from = path + before;
    *len = strcspn(*from, "/");
    return *len > 0 && strcmp(*from + *len, hole + 2) == 0;
}

const struct route *route_find(const char *path, char **segment)
{
    const char *from;
    size_t len;

    *segment = NULL;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!matches(ROUTES[i].path, path, &from, &len))
            continue;
        if (!from)
            return &ROUTES[i];
        *segment = malloc(len + 1);
        if (*segment && percent_decode(*segment, from, len))
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
