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

#define QUOTED      60   /* bytes of what was found that a message repeats */
#define FEW_TOUCHES 16   /* so many subjects are compared with each other */
#define HEAD_ROOM   24   /* bytes of the longest attribute's name, as it begins a member */
#define BODY_ROOM   2048 /* bytes of a body that need no memory of the heap */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for this event");
}

/* -- attributes ------------------------------------------------------------------------------ */

/* An event while it is read. */
struct reading {
    struct event *event; /* what is read; borrowed */
    struct arena *arena; /* borrowed */
    const struct json *json;
    const struct attributes *attributes; /* borrowed */
    bool has_notes;
    struct err *err;
};

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
static enum err_code check_data(struct reading *r, struct toucher *toucher)
{
    struct event *event = r->event;
    struct type_finds finds = { .subject = touch, .arg = toucher };

    if (!attribute_is_given(r->attributes, ATTRIBUTE_DATA))
        return attribute_require(&event->data, r->json, "data", "an object", r->err);
    event->data = r->attributes->found[ATTRIBUTE_DATA];
    touch(event->subject, toucher);
    enum err_code rc = type_check_finding(event->schema->data, event->data, "data", &finds, r->err);
    r->has_notes = finds.has_notes;
    return rc;
}

static enum err_code keep_touches(struct reading *r, const struct toucher *toucher)
{
    const struct strmap *many = &toucher->many;
    uint32_t count = many->count > 0 ? many->count : toucher->count;
    const char **touches = arena_room(r->arena, count * sizeof(*touches));

    if (!touches || toucher->failed)
        return no_memory(r->err);
    for (uint32_t i = 0; i < count; i++)
        touches[i] = many->count > 0 ? many->items[i].key : toucher->few[i];
    r->event->touches = touches;
    r->event->touch_count = count;
    return OK;
}

static enum err_code read_data(struct reading *r)
{
    struct toucher toucher;

    toucher.count = 0; /* few[] needs no zeros */
    toucher.many = (struct strmap){ 0 };
    toucher.failed = false;
    enum err_code rc = check_data(r, &toucher);
    if (rc == OK)
        rc = keep_touches(r, &toucher);
    strmap_fini(&toucher.many);
    return rc;
}

/* CloudEvents: null is the same as absent, and data without a content type is application/json. Leaving both
 * out makes an event the same one in whatever form it comes. */
static bool is_left_out(enum attribute attribute, const struct json *member)
{
    return member->type == JSON_NULL ||
           (attribute == ATTRIBUTE_DATACONTENTTYPE && json_is_string(member, "application/json"));
}

/* Any event, without members that say nothing, and with `data`. False: no memory. */
static bool write_members(struct buf *b, const struct reading *r, const struct json *data)
{
    const struct json **members = arena_room(r->arena, r->json->len * sizeof(*members));
    uint32_t count = 0;

    if (!members)
        return false;
    for (const struct json *m = r->json->as.first; m; m = m->next) {
        if (!is_left_out(attribute_of(m->name), m))
            members[count++] = m == r->event->data ? data : m;
    }
    json_write_members(b, members, count);
    return true;
}

/* The same of an event without extensions: its names are known, and their order. */
static void write_attributes(struct buf *b, const struct reading *r, const struct json *data)
{
#define HEAD(name)                                                                                 \
    {                                                                                              \
        sizeof(",\"" name "\":") - 1, ",\"" name "\":"                                             \
    }
    static const struct {
        size_t len;
        char text[HEAD_ROOM]; /* of one size, so that copying it is a few moves */
    } HEADS[ATTRIBUTES] = {
        [ATTRIBUTE_DATA] = HEAD("data"),
        [ATTRIBUTE_DATA_BASE64] = HEAD("data_base64"),
        [ATTRIBUTE_DATACONTENTTYPE] = HEAD("datacontenttype"),
        [ATTRIBUTE_DATASCHEMA] = HEAD("dataschema"),
        [ATTRIBUTE_ID] = HEAD("id"),
        [ATTRIBUTE_SEQUENCE] = HEAD("sequence"),
        [ATTRIBUTE_SOURCE] = HEAD("source"),
        [ATTRIBUTE_SPECVERSION] = HEAD("specversion"),
        [ATTRIBUTE_SUBJECT] = HEAD("subject"),
        [ATTRIBUTE_TIME] = HEAD("time"),
        [ATTRIBUTE_TYPE] = HEAD("type"),
    };
#undef HEAD

    size_t start = b->len;
    for (int i = 0; i < ATTRIBUTES; i++) {
        const struct json *m = r->attributes->found[i];
        if (!attribute_is_given(r->attributes, (enum attribute)i) ||
            is_left_out((enum attribute)i, m))
            continue;
        char *out = buf_room(b, HEAD_ROOM);
        if (!out)
            return;
        memcpy(out, HEADS[i].text, HEAD_ROOM);
        buf_wrote(b, HEADS[i].len);
        json_write(b, i == ATTRIBUTE_DATA ? data : m);
    }
    b->data[start] = '{'; /* for the first comma: every event has data */
    buf_char(b, '}');
}

/* `b` is empty. */
static enum err_code write_body(struct buf *b, struct reading *r, struct note_taker *taker)
{
    struct event *event = r->event;
    const struct json *data = event->data;

    if (r->has_notes)
        data = note_take(taker, event->schema->data, data, "data");
    if (!data)
        return no_memory(r->err);
    bool is_written = true;
    if (r->attributes->extensions == 0)
        write_attributes(b, r, data);
    else
        is_written = write_members(b, r, data);
    if (!is_written || b->failed)
        return no_memory(r->err);
    if (b->len + taker->bytes > EVENT_MAX_BYTES)
        return err_set(r->err, ERR_LIMIT,
                       "found an event of %" PRIu64 " bytes, expected at most %d",
                       b->len + taker->bytes, EVENT_MAX_BYTES);
    event->body = arena_copy(r->arena, b->data, b->len);
    event->body_len = (uint32_t)b->len;
    event->notes = taker->first;
    return event->body ? OK : no_memory(r->err);
}

static enum err_code make_body(struct reading *r, const uint8_t note_key[DIGEST_BYTES])
{
    struct note_taker taker = {
        .arena = r->arena, .key = note_key, .source = r->event->source, .id = r->event->id
    };
    char room[BODY_ROOM];
    struct buf b = { 0 };

    buf_lend(&b, room, sizeof(room));
    enum err_code rc = write_body(&b, r, &taker);
    buf_fini(&b);
    return rc;
}

enum err_code event_read(struct event *out, struct arena *arena, const struct json *json,
                         const struct catalog *catalog, const uint8_t note_key[DIGEST_BYTES],
                         struct err *err)
{
    struct attributes attributes;
    struct reading r = {
        .event = out, .arena = arena, .json = json, .attributes = &attributes, .err = err
    };

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
        rc = read_data(&r);
    if (rc == OK)
        rc = make_body(&r, note_key);
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
