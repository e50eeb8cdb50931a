/* layout_change.c - see layout.h. */
#include "cli/layout.h"

#define EVENTS_SHOWN 3

static void add_value(struct buf *b, const struct json *value)
{
    const struct json *error = json_get(value, "error");

    buf_str(b, error ? "error: " : "");
    layout_value(b, error ? error : value);
}

void layout_values(struct buf *b, const struct json *change)
{
    add_value(b, json_get(change, "old"));
    buf_str(b, " -> ");
    add_value(b, json_get(change, "new"));
}

void layout_decision(struct buf *b, const struct json *change)
{
    const struct json *title = json_get(change, "title"), *name = json_get(change, "decision");
    bool has_title = title && title->type == JSON_STRING;

    layout_value(b, has_title ? title : name);
    buf_str(b, ": ");
    layout_values(b, change);
    if (has_title) {
        buf_str(b, "  (");
        layout_value(b, name);
        buf_char(b, ')');
    }
}

static void add_event(struct buf *b, const struct json *event)
{
    layout_value(b, json_get(event, "id"));
    buf_str(b, " of ");
    layout_value(b, json_get(event, "source"));
}

static void add_events(struct buf *b, const struct json *events)
{
    uint32_t shown = 0;

    buf_str(b, "  because of ");
    for (const struct json *e = events->as.first; e && shown < EVENTS_SHOWN; e = e->next, shown++) {
        buf_str(b, shown ? ", " : "");
        add_event(b, e);
    }
    if (events->len > shown)
        buf_printf(b, " and %u more", (unsigned)(events->len - shown));
}

static void add_cause(struct buf *b, const struct json *cause)
{
    const struct json *events = json_get(cause, "events");
    const struct json *moment = json_get(cause, "moment");
    const struct json *generation = json_get(cause, "generation");

    if (events && events->type == JSON_ARRAY && events->len > 0)
        add_events(b, events);
    if (moment && moment->type != JSON_NULL) {
        buf_str(b, "  because it became ");
        layout_moment(b, moment);
    }
    if (generation && generation->type != JSON_NULL) {
        buf_str(b, "  because of new rules, generation ");
        layout_value(b, generation);
    }
}

void layout_change(struct buf *b, const struct json *entry)
{
    const struct json *data = json_get(entry, "data");

    layout_value(b, json_get(data, "seq"));
    buf_str(b, "  ");
    layout_moment(b, json_get(entry, "time"));
    buf_str(b, "  ");
    layout_value(b, json_get(entry, "subject"));
    buf_str(b, "  ");
    layout_value(b, json_get(data, "decision"));
    buf_str(b, ": ");
    layout_value(b, json_get(data, "old"));
    buf_str(b, " -> ");
    layout_value(b, json_get(data, "new"));
    add_cause(b, json_get(data, "cause"));
}
