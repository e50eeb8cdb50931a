/* routes.h - the table of routes: which path and method goes to which handler. */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include <stdbool.h>

#include "request.h"

#define METHODS_MAX 3

typedef void handler_fn(struct request *r);

/*
 * One method of a route. What stands here is seen to before the handler is called: that the peer
 * may do this, that the body is of a type which the handler reads, that there is none where it
 * reads none. The route's parameters, bodies and answers are described in openapi.json, which a
 * test holds against this table and against the daemon's answers.
 */
struct route_method {
    const char *name;    /* "GET" answers HEAD too; NULL: no more */
    handler_fn *handle;  /* the body is there */
    unsigned scope;      /* of enum pw_scope: what it takes to do this; 0: anybody may */
    const char *body;    /* the media type of its body; NULL: it has none, or `look` sees to it */
    const char *answers; /* the media type that it answers with; NULL: the handler sees to it */
    bool may_be_bare;    /* a POST or PUT with no body at all is fine */
    handler_fn *look;    /* before the body is read: may answer already; NULL allowed */
};

struct route {
    const char *path; /* "/v1/schools/{}": {} is one segment; at most two */
    struct route_method methods[METHODS_MAX];
};

/* The route of a path as it came, or NULL. *segment, *inner: the decoded {}s, the caller's to
 * free(). */
const struct route *route_find(const char *path, char **segment, char **inner);
/* NULL: this route does not know the method. */
const struct route_method *route_method(const struct route *route, const char *method);
/* "GET, HEAD, OPTIONS". */
void route_allow(const struct route *route, char *out, size_t size);
/* The i-th of all; NULL: there are no more. */
const struct route *route_at(size_t i);

/* The handlers: events.c, ask.c, changes.c, outlook.c, people.c, tokens.c, webhooks.c, plugins.c,
 * pages.c, rules.c. */
handler_fn look_at_events, post_events;
handler_fn get_quarantine, get_faults, delete_quarantine;
handler_fn get_schools, get_groups, get_hubs, get_school, get_group, get_hub;
handler_fn get_summary, get_rules, get_rule;
handler_fn get_changes, get_consumers, get_questions, get_export, get_status, get_metrics,
    get_verify, get_replay;
handler_fn get_restated, get_school_decision, get_group_decision, get_hub_decision;
handler_fn get_school_history, get_group_history, get_hub_history;
handler_fn get_school_events, get_group_events, get_hub_events;
handler_fn get_person, put_person, delete_person, delete_note;
handler_fn get_webhooks, post_webhook, get_webhook, delete_webhook, look_at_webhook;
handler_fn post_webhook_test, post_webhook_pause, post_webhook_resume, post_webhook_replay;
handler_fn post_webhook_rotate;
handler_fn look_at_plugin, post_plugin;
handler_fn get_forecast, get_advise, post_whatif;
handler_fn get_tokens, post_token, delete_token;
handler_fn get_index, get_openapi, get_livez, get_readyz;
handler_fn post_backup;
handler_fn post_reload, put_overlay, get_overlay, post_overlay_rollback;

#endif
