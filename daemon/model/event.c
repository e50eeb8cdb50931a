/* event.c - see event.h. First CloudEvents' own rules, then ours, then the type's schema. */
#include "model/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/text.h"
#include "model/attribute.h"
#include "model/note.h"

#define QUOTED 60 /* bytes of what was found that a message repeats */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for this event");
}

/* -- attributes ------------------------------------------------------------------------------ */

static enum err_code check_members(const struct json *json, struct err *err)
{
    enum err_code rc = OK;
    char found[QUOTED];

    if (json->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "found %s, expected a CloudEvent, a JSON object",
                       json_brief(json, found, sizeof(found)));
    for (const struct json *m = json->as.first; m && rc == OK; m = m->next) {
        if (strcmp(m->name, "data") != 0)
            rc = attribute_check(m, err);
    }
    return rc;
}

/* Those that are strings, into their places. The time is parsed. */
static enum err_code read_attributes(struct event *out, const struct json *json, struct err *err)
{
    struct {
        const char *name;
        const char **place;
        const char *expected;
    } required[] = {
        { "specversion", NULL, "\"1.0\"" },
        { "id", &out->id, "a string that is not empty" },
        { "source", &out->source, "a URI-reference such as urn:hub:07" },
        { "type", &out->type, "the name of an event type" },
        { "subject", &out->subject, "school/URN, group/CODE or hub/CODE" },
        { "time", NULL, "an RFC 3339 time such as 2026-11-21T09:30:00Z" },
    };
    const struct json *value = NULL;

    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        enum err_code rc =
            attribute_require(&value, json, required[i].name, required[i].expected, err);
        if (rc != OK)
            return rc;
        if (required[i].place)
            *required[i].place = value->as.string;
    }
    enum err_code rc = time_parse(&out->time, value->as.string, value->len, err);
    value = json_get(json, "sequence");
    out->sequence = value && value->type == JSON_STRING ? value->as.string : NULL;
    return rc;
}

static enum err_code unknown_type(const char *type, const struct catalog *catalog, struct err *err)
{
    const char **names = malloc(catalog->types.count * sizeof(*names));
    char hint[ATTRIBUTE_MAX_BYTES] = "";

    for (uint32_t i = 0; names && i < catalog->types.count; i++)
        names[i] = catalog->types.items[i].key;
    if (names)
        text_hint(hint, sizeof(hint), type, names, catalog->types.count);
    free(names);
    return err_set(err, ERR_INPUT, "type: found \"%.*s\", expected a type that the rules declare%s",
                   QUOTED, type, hint);
}

/* "a school", "a school or a group" ... */
static void describe_subjects(char *out, size_t size, const struct event_type *type)
{
    size_t len = 0;

    out[0] = '\0';
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        if (type->subjects[kind] && len < size)
            len += (size_t)snprintf(out + len, size - len, "%sa %s", len > 0 ? " or " : "",
                                    subject_kind_name((enum subject_kind)kind));
    }
}

static enum err_code check_subject(const struct event *event, struct err *err)
{
    enum subject_kind kind;
    char expected[64];

    enum err_code rc = subject_parse(&kind, event->subject, strlen(event->subject), err);
    if (rc != OK)
        return err ? err_at(err, "subject") : rc;
    if (event->schema->subjects[kind])
        return OK;
    describe_subjects(expected, sizeof(expected), event->schema);
    return err_set(err, ERR_INPUT, "subject: found \"%s\", expected %s: that is what %s is about",
                   event->subject, expected, event->type);
}

/* -- what is made of it ---------------------------------------------------------------------- */

struct toucher {
    struct strmap seen;
    bool failed;
};

static void touch(const char *subject, void *arg)
{
    struct toucher *toucher = arg;

    if (!strmap_add(&toucher->seen, subject, strlen(subject), NULL))
        toucher->failed = true;
}

static enum err_code find_touches(struct event *out, struct arena *arena, struct err *err)
{
    struct toucher toucher = { 0 };

    touch(out->subject, &toucher);
    type_subjects(out->schema->data, out->data, touch, &toucher);
    const char **touches = arena_alloc(arena, toucher.seen.count * sizeof(*touches));
    if (touches && !toucher.failed) {
        for (uint32_t i = 0; i < toucher.seen.count; i++)
            touches[i] = toucher.seen.items[i].key;
        out->touches = touches;
        out->touch_count = toucher.seen.count;
    }
    strmap_fini(&toucher.seen);
    return out->touches ? OK : no_memory(err);
}

/* CloudEvents: null is the same as absent, and data without a content type is application/json. Leaving both
 * out makes an event the same one in whatever form it comes. */
static bool is_left_out(const struct json *member)
{
    return member->type == JSON_NULL || (strcmp(member->name, "datacontenttype") == 0 &&
                                         json_is_string(member, "application/json"));
}

/* The event without members that say nothing, and with `data`. */
static const struct json *whole_event(struct arena *arena, const struct json *json,
                                      const struct json *data)
{
    struct json *copy = arena_alloc(arena, sizeof(*copy));
    struct json *members = arena_alloc(arena, json->len * sizeof(*members));
    uint32_t n = 0;

    if (!copy || !members)
        return NULL;
    for (const struct json *m = json->as.first; m; m = m->next) {
        if (is_left_out(m))
            continue;
        members[n] = strcmp(m->name, "data") == 0 ? *data : *m;
        if (n > 0)
            members[n - 1].next = &members[n];
        members[n++].next = NULL;
    }
    *copy = (struct json){ .type = JSON_OBJECT, .len = n, .as.first = members };
    return copy;
}

static enum err_code write_body(struct event *out, struct arena *arena, const struct json *json,
                                const uint8_t note_key[DIGEST_BYTES], struct err *err)
{
    struct note_taker taker = {
        .arena = arena, .key = note_key, .source = out->source, .id = out->id
    };
    struct buf b = { 0 };
    enum err_code rc = OK;

    const struct json *data = note_take(&taker, out->schema->data, out->data, "data");
    const struct json *whole = data ? whole_event(arena, json, data) : NULL;
    if (!whole)
        return no_memory(err);
    json_write(&b, whole);
    if (b.failed)
        rc = no_memory(err);
    else if (b.len + taker.bytes > EVENT_MAX_BYTES)
        rc = err_set(err, ERR_LIMIT, "found an event of %" PRIu64 " bytes, expected at most %d",
                     b.len + taker.bytes, EVENT_MAX_BYTES);
    else if (!(out->body = arena_copy(arena, b.data, b.len)))
        rc = no_memory(err);
    out->body_len = (uint32_t)b.len;
    out->notes = taker.first;
    buf_fini(&b);
    return rc;
}

static enum err_code read_data(struct event *out, const struct json *json, struct err *err)
{
    enum err_code rc = attribute_require(&out->data, json, "data", "an object", err);

    return rc == OK ? type_check(out->schema->data, out->data, "data", err) : rc;
}

enum err_code event_read(struct event *out, struct arena *arena, const struct json *json,
                         const struct catalog *catalog, const uint8_t note_key[DIGEST_BYTES],
                         struct err *err)
{
    *out = (struct event){ 0 };
    enum err_code rc = check_members(json, err);
    if (rc == OK)
        rc = read_attributes(out, json, err);
    if (rc != OK)
        return rc;
    out->schema = catalog_find(catalog, out->type);
    if (!out->schema)
        return unknown_type(out->type, catalog, err);
    rc = check_subject(out, err);
    if (rc == OK)
        rc = read_data(out, json, err);
    if (rc == OK)
        rc = find_touches(out, arena, err);
    if (rc == OK)
        rc = write_body(out, arena, json, note_key, err);
    return rc;
}

/* -- order ----------------------------------------------------------------------------------- */

int event_key_compare(const struct event_key *a, const struct event_key *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (!a->sequence || !b->sequence) {
        if (a->sequence || b->sequence)
            return a->sequence ? 1 : -1;
    } else {
        int by_sequence = strcmp(a->sequence, b->sequence);
        if (by_sequence != 0)
            return by_sequence;
    }
    int by_source = strcmp(a->source, b->source);
    return by_source != 0 ? by_source : strcmp(a->id, b->id);
}
