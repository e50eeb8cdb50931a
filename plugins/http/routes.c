/* routes.c - see routes.h. */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET(handler)                                                                               \
    {                                                                                              \
        {                                                                                          \
            .name = "GET", .handle = handler                                                       \
        }                                                                                          \
    }

static const struct route ROUTES[] = {
    { "/", GET(get_index) },
    { "/metrics", GET(get_metrics) },
    { "/livez", GET(get_livez) },
    { "/readyz", GET(get_readyz) },
    { "/v1/events", { { .name = "POST", .handle = post_events, .look = look_at_events } } },
    { "/v1/schools", GET(get_schools) },
    { "/v1/schools/{}", GET(get_school) },
    { "/v1/groups", GET(get_groups) },
    { "/v1/groups/{}", GET(get_group) },
    { "/v1/hubs", GET(get_hubs) },
    { "/v1/hubs/{}", GET(get_hub) },
    { "/v1/changes", GET(get_changes) },
    { "/v1/export/{}", GET(get_export) },
    { "/v1/forecast", GET(get_forecast) },
    { "/v1/people/{}",
      { { .name = "GET", .handle = get_person },
        { .name = "PUT", .handle = put_person, .look = look_at_person },
        { .name = "DELETE", .handle = delete_person } } },
    { "/v1/notes", { { .name = "DELETE", .handle = delete_note } } },
    { "/v1/plugins/{}", { { .name = "POST", .handle = post_plugin, .look = look_at_plugin } } },
    { "/v1/status", GET(get_status) },
    { "/v1/verify", GET(get_verify) },
    { "/v1/replay", GET(get_replay) },
};
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
