/* record.c - what is asked about one subject: why a decision is what it is, its events, its
 * history. */
#include "ask.h"

#include <string.h>

#include "access.h"
#include "query.h"
#include "routes.h"

static const struct param PARAMS[] = {
    { "at", PARAM_TEXT },
    { "known", PARAM_TEXT },
    { "rules", PARAM_TEXT },
    { NULL, PARAM_TEXT },
};

static const struct param EVENTS_PARAMS[] = {
    { "at", PARAM_TEXT },      { "known", PARAM_TEXT },   { "rules", PARAM_TEXT },
    { "limit", PARAM_NUMBER }, { "after", PARAM_NUMBER }, { NULL, PARAM_TEXT },
};

static void ask_about(struct request *r, const char *question, const char *kind)
{
    bool is_events = strcmp(question, "subject_events") == 0;
    struct str params = { 0 };
    struct peer peer = { 0 };

    if (is_events && !access_peer(&peer, r))
        return;

    ask_begin_subject(&params, r, kind);
    if (r->inner) {
        str_text(&params, ",\"decision\":");
        str_json(&params, r->inner, strlen(r->inner));
    }
    if (is_events && !(peer.scopes & PW_PERSONAL)) /* notes are left out */
        str_text(&params, ",\"notes\":\"no\"");
    ask_json(r, question, &params, is_events ? EVENTS_PARAMS : PARAMS, false);
}

void get_school_decision(struct request *r)
{
    ask_about(r, "explain", "school");
}

void get_group_decision(struct request *r)
{
    ask_about(r, "explain", "group");
}

void get_hub_decision(struct request *r)
{
    ask_about(r, "explain", "hub");
}

void get_school_history(struct request *r)
{
    ask_about(r, "history", "school");
}

void get_group_history(struct request *r)
{
    ask_about(r, "history", "group");
}

void get_hub_history(struct request *r)
{
    ask_about(r, "history", "hub");
}

void get_school_events(struct request *r)
{
    ask_about(r, "subject_events", "school");
}

void get_group_events(struct request *r)
{
    ask_about(r, "subject_events", "group");
}

void get_hub_events(struct request *r)
{
    ask_about(r, "subject_events", "hub");
}
