/* body.c - see body.h. Nearly all events have known members only, whose order is known too. */
#include "model/body.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "model/note.h"

#define ROOM      2048 /* bytes of a body that need no memory of the heap */
#define HEAD_ROOM 24   /* bytes of the longest of HEADS with its NUL, and some more */

/* How each attribute begins. */
#define HEAD(name) .len = sizeof(name) + 3, .text = ",\"" name "\":"
static const struct {
    size_t len;
    char text[HEAD_ROOM]; /* of one size: copying that is a few moves */
} HEADS[ATTRIBUTES] = {
    [ATTRIBUTE_DATA] = { HEAD("data") },
    [ATTRIBUTE_DATA_BASE64] = { HEAD("data_base64") },
    [ATTRIBUTE_DATACONTENTTYPE] = { HEAD("datacontenttype") },
    [ATTRIBUTE_DATASCHEMA] = { HEAD("dataschema") },
    [ATTRIBUTE_ID] = { HEAD("id") },
    [ATTRIBUTE_SEQUENCE] = { HEAD("sequence") },
    [ATTRIBUTE_SOURCE] = { HEAD("source") },
    [ATTRIBUTE_SPECVERSION] = { HEAD("specversion") },
    [ATTRIBUTE_SUBJECT] = { HEAD("subject") },
    [ATTRIBUTE_TIME] = { HEAD("time") },
    [ATTRIBUTE_TYPE] = { HEAD("type") },
};

/* CloudEvents: null is the same as absent, and data without a content type is application/json.
 * Leaving both out makes an event the same one in whatever form it comes. */
static bool is_left_out(enum attribute attribute, const struct json *member)
{
    return member->type == JSON_NULL ||
           (attribute == ATTRIBUTE_DATACONTENTTYPE && json_is_string(member, "application/json"));
}

/* Any event, with `data`. False: no memory. */
static bool write_members(struct buf *b, struct arena *arena, const struct json *event,
                          const struct json *data)
{
    const struct json **members = arena_room(arena, event->len * sizeof(*members));
    uint32_t count = 0;

    if (!members)
        return false;
    for (const struct json *m = event->as.first; m; m = m->next) {
        enum attribute attribute = attribute_of(m->name);
        if (!is_left_out(attribute, m))
            members[count++] = attribute == ATTRIBUTE_DATA ? data : m;
    }
    json_write_members(b, members, count);
    return true;
}

/* The same of an event without extensions, into an empty buffer. */
static void write_attributes(struct buf *b, const struct attributes *attributes,
                             const struct json *data)
{
    for (int i = 0; i < ATTRIBUTES; i++) {
        enum attribute attribute = (enum attribute)i;
        if (!attribute_is_given(attributes, attribute) ||
            is_left_out(attribute, attributes->found[i]))
            continue;
        char *out = buf_room(b, HEAD_ROOM);
        if (!out)
            return;
        memcpy(out, HEADS[i].text, HEAD_ROOM);
        buf_wrote(b, HEADS[i].len);
        json_write(b, attribute == ATTRIBUTE_DATA ? data : attributes->found[i]);
    }
    buf_char(b, '}');
    if (!b->failed)
        b->data[0] = '{'; /* where the first comma is: every event has data */
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for this event");
}

static enum err_code write_body(struct buf *b, struct event *out, struct arena *arena,
                                const struct body_source *source, struct err *err)
{
    struct note_taker taker = {
        .arena = arena, .key = source->note_key, .source = out->source, .id = out->id
    };
    const struct json *data = out->data;
    bool is_written = true;

    if (source->has_notes)
        data = note_take(&taker, out->schema->data, data, "data");
    if (!data)
        return no_memory(err);
    if (source->attributes->extensions == 0)
        write_attributes(b, source->attributes, data);
    else
        is_written = write_members(b, arena, source->json, data);
    if (!is_written || b->failed)
        return no_memory(err);
    if (b->len + taker.bytes > EVENT_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "found an event of %" PRIu64 " bytes, expected at most %d",
                       b->len + taker.bytes, EVENT_MAX_BYTES);
    out->body = arena_copy(arena, b->data, b->len);
    out->body_len = (uint32_t)b->len;
    out->notes = taker.first;
    return out->body ? OK : no_memory(err);
}

enum err_code body_make(struct event *out, struct arena *arena, const struct body_source *source,
                        struct err *err)
{
    char room[ROOM];
    struct buf b = { 0 };

    buf_lend(&b, room, sizeof(room));
    enum err_code rc = write_body(&b, out, arena, source, err);
    buf_fini(&b);
    return rc;
}
