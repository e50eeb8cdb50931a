/* event.c - see event.h. First CloudEvents' own rules, then ours, then the type's schema. */
#include "model/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/attribute.h"
#include "model/body.h"

#define QUOTED      60 /* bytes of what was found that a message repeats */
#define FEW_TOUCHES 16 /* so many subjects are compared with each other */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for this event");
}

/* -- attributes ------------------------------------------------------------------------------ */

static const struct {
    enum attribute attribute;
    const char *name;
    const char *expected;
} REQUIRED[] = {
    { ATTRIBUTE_SPECVERSION, "specversion", "\"1.0\"" },
    { ATTRIBUTE_ID, "id", "a string that is not empty" },
    { ATTRIBUTE_SOURCE, "source", "a URI-reference such as urn:hub:07" },
    { ATTRIBUTE_TYPE, "type", "the name of an event type" },
    { ATTRIBUTE_SUBJECT, "subject", "school/URN, group/CODE or hub/CODE" },
    { ATTRIBUTE_TIME, "time", "an RFC 3339 time such as 2026-11-21T09:30:00Z" },
};

static enum err_code read_attributes(struct attributes *out, const struct json *json,
                                     struct err *err)
{
    const struct json *none;
    char found[QUOTED];

    if (json->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "found %s, expected a CloudEvent, a JSON object",
                       json_brief(json, found, sizeof(found)));
    enum err_code rc = attributes_read(out, json, err);
    for (size_t i = 0; i < sizeof(REQUIRED) / sizeof(REQUIRED[0]) && rc == OK; i++) {
        if (!attribute_is_given(out, REQUIRED[i].attribute))
            rc = attribute_require(&none, json, REQUIRED[i].name, REQUIRED[i].expected, err);
    }
    return rc;
}

static void take_attributes(struct event *out, const struct attributes *attributes)
{
    const struct json *const *found = attributes->found;

    *out = (struct event){
        .time = attributes->time,
        .source = found[ATTRIBUTE_SOURCE]->as.string,
        .id = found[ATTRIBUTE_ID]->as.string,
        .type = found[ATTRIBUTE_TYPE]->as.string,
        .subject = found[ATTRIBUTE_SUBJECT]->as.string,
    };
    if (attribute_is_given(attributes, ATTRIBUTE_SEQUENCE))
        out->sequence = found[ATTRIBUTE_SEQUENCE]->as.string;
}

const char *catalog_hint(char *out, size_t size, const struct catalog *catalog, const char *type)
{
    const char **names = malloc(catalog->types.count * sizeof(*names));

    *out = '\0';
    for (uint32_t i = 0; names && i < catalog->types.count; i++)
        names[i] = catalog->types.items[i].key;
    if (names)
        text_hint(out, size, type, names, catalog->types.count);
    free(names);
    return out;
}

static enum err_code unknown_type(const char *type, const struct catalog *catalog, struct err *err)
{
    char hint[ATTRIBUTE_MAX_BYTES];

    return err_set(err, ERR_INPUT, "type: found \"%.*s\", expected a type that the rules declare%s",
                   QUOTED, type, catalog_hint(hint, sizeof(hint), catalog, type));
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

/* Few are the rule; a map finds more of them. */
struct toucher {
    const char *few[FEW_TOUCHES];
    uint32_t count; /* of few[]; 0 when the map has them */
    struct strmap many;
    bool failed;
};

static void touch_many(struct toucher *toucher, const char *subject)
{
    if (!strmap_add(&toucher->many, subject, strlen(subject), NULL))
        toucher->failed = true;
}

static void touch(const char *subject, void *arg)
{
    struct toucher *toucher = arg;

    if (toucher->many.count > 0) {
        touch_many(toucher, subject);
        return;
    }
    for (uint32_t i = 0; i < toucher->count; i++) {
        if (strcmp(toucher->few[i], subject) == 0)
            return;
    }
    if (toucher->count < FEW_TOUCHES) {
        toucher->few[toucher->count++] = subject;
        return;
    }
    for (uint32_t i = 0; i < toucher->count; i++)
        touch_many(toucher, toucher->few[i]);
    touch_many(toucher, subject);
}

/* The data against its schema, and what that comes across. */
static enum err_code check_data(struct event *out, struct body_source *source,
                                struct toucher *toucher, struct err *err)
{
    struct type_finds finds = { .subject = touch, .arg = toucher };

    if (!attribute_is_given(source->attributes, ATTRIBUTE_DATA))
        return attribute_require(&out->data, source->json, "data", "an object", err);
    out->data = source->attributes->found[ATTRIBUTE_DATA];
    touch(out->subject, toucher);
    enum err_code rc = type_check_finding(out->schema->data, out->data, "data", &finds, err);
    source->has_notes = finds.has_notes;
    return rc;
}

static enum err_code keep_touches(struct event *out, struct arena *arena,
                                  const struct toucher *toucher, struct err *err)
{
    const struct strmap *many = &toucher->many;
    uint32_t count = many->count > 0 ? many->count : toucher->count;
    const char **touches = arena_room(arena, count * sizeof(*touches));

    if (!touches || toucher->failed)
        return no_memory(err);
    for (uint32_t i = 0; i < count; i++)
        touches[i] = many->count > 0 ? many->items[i].key : toucher->few[i];
    out->touches = touches;
    out->touch_count = count;
    return OK;
}

static enum err_code read_data(struct event *out, struct arena *arena, struct body_source *source,
                               struct err *err)
{
    struct toucher toucher;

    toucher.count = 0; /* few[] needs no zeros */
    toucher.many = (struct strmap){ 0 };
    toucher.failed = false;
    enum err_code rc = check_data(out, source, &toucher, err);
    if (rc == OK)
        rc = keep_touches(out, arena, &toucher, err);
    strmap_fini(&toucher.many);
    return rc;
}

enum err_code event_read(struct event *out, struct arena *arena, const struct json *json,
                         const struct catalog *catalog, const uint8_t note_key[DIGEST_BYTES],
                         struct err *err)
{
    struct attributes attributes;
    struct body_source source = { .json = json, .attributes = &attributes, .note_key = note_key };

    enum err_code rc = read_attributes(&attributes, json, err);
    if (rc != OK) {
        *out = (struct event){ 0 };
        return rc;
    }
    take_attributes(out, &attributes);
    out->schema = catalog_find(catalog, out->type);
    if (!out->schema)
        return unknown_type(out->type, catalog, err);
    rc = check_subject(out, err);
    if (rc == OK)
        rc = read_data(out, arena, &source, err);
    if (rc == OK)
        rc = body_make(out, arena, &source, err);
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
