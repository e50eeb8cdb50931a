/* intake.c - see intake.h. */
#include "host/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_pieces.h"
#include "model/event.h"

#define ARENA_A_BYTE 5 /* of a request, measured */

struct intake {
    struct arena arena;
    const char *actor;
    const char *hubs;
    struct take *takes; /* of valid events */
    size_t take_count;
    size_t *take_index; /* which event of the request each take is */
    struct pw_event_result *results;
    size_t count; /* events of the request */
    size_t cap;
};

/* What reading needs beside the intake. */
struct reading {
    struct intake *in;
    const struct intake_limits *limits;
    const struct intake_schema *schema;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for so many events");
}

static enum err_code grow(struct reading *r, struct err *err)
{
    struct intake *in = r->in;

    if (in->count >= r->limits->max_events)
        return err_set(err, ERR_LIMIT,
                       "more than %zu events in one request; send them in several requests",
                       r->limits->max_events);
    if (in->count < in->cap)
        return OK;
    size_t cap = in->cap ? in->cap * 2 : 16;
    struct pw_event_result *results = realloc(in->results, cap * sizeof(*results));
    if (results)
        in->results = results;
    struct take *takes = realloc(in->takes, cap * sizeof(*takes));
    if (takes)
        in->takes = takes;
    size_t *index = realloc(in->take_index, cap * sizeof(*index));
    if (index)
        in->take_index = index;
    if (!results || !takes || !index)
        return no_memory(err);
    in->cap = cap;
    return OK;
}

/* One more event of the request: valid when `why` is NULL. */
static enum err_code add(struct reading *r, const struct event *event, const struct err *why,
                         struct err *err)
{
    struct intake *in = r->in;

    if (grow(r, err) != OK)
        return err->code;
    in->results[in->count] = (struct pw_event_result){ .status = PW_INVALID };
    if (why) {
        in->results[in->count].detail = arena_strdup(&in->arena, why->msg);
        if (!in->results[in->count].detail)
            return no_memory(err);
    } else {
        in->take_index[in->take_count] = in->count;
        in->takes[in->take_count++] =
            (struct take){ .event = event, .actor = in->actor, .hubs = in->hubs };
    }
    in->count++;
    return OK;
}

static enum err_code add_json(struct reading *r, const struct json *json, struct err *err)
{
    struct event *event = arena_room(&r->in->arena, sizeof(*event)); /* event_read() fills it */
    struct err why; /* only looked at when it was written */

    if (!event)
        return no_memory(err);
    enum err_code rc =
        event_read(event, &r->in->arena, json, r->schema->catalog, r->schema->note_key, &why);
    if (rc == OK && event->body_len > r->limits->max_event)
        rc = err_set(&why, ERR_INPUT, "the event has %u bytes; at most %zu are allowed",
                     (unsigned)event->body_len, r->limits->max_event);
    return add(r, event, rc == OK ? NULL : &why, err);
}

static enum err_code read_one(struct reading *r, const char *bytes, size_t len, struct err *err)
{
    const struct json *json = NULL;
    struct err why; /* only looked at when it was written */

    if (len > r->limits->max_event)
        return err_set(err, ERR_LIMIT, "the event has %zu bytes; at most %zu are allowed", len,
                       r->limits->max_event);
    enum err_code rc = json_parse(&json, &r->in->arena, bytes, len, r->limits->max_depth, &why);
    if (rc == ERR_LIMIT)
        return err_set(err, ERR_LIMIT, "%s", why.msg);
    return rc == OK ? add_json(r, json, err) : add(r, NULL, &why, err);
}

/* One that is not to be had as a whole, for a number out of range perhaps: the fault of the events
 * that are so. What is no JSON, or no array, keeps the error that there is. */
static enum err_code read_pieces(struct reading *r, const char *bytes, size_t len, struct err *err)
{
    struct json_piece *pieces;
    size_t count;

    enum err_code rc = json_pieces(&pieces, &count, &r->in->arena, bytes, len, err);
    for (size_t i = 0; rc == OK && i < count; i++) {
        const struct json *json = NULL;
        struct err why; /* only looked at when it was written */
        if (json_parse(&json, &r->in->arena, pieces[i].bytes, pieces[i].len, r->limits->max_depth,
                       &why) == OK) {
            rc = add_json(r, json, err);
        } else {
            json_piece_place(&why, &pieces[i], bytes);
            rc = add(r, NULL, &why, err);
        }
    }
    return rc == OK ? OK : err->code;
}

static enum err_code read_batch(struct reading *r, const char *bytes, size_t len, struct err *err)
{
    const struct json *json = NULL;

    if (json_parse(&json, &r->in->arena, bytes, len, r->limits->max_depth + 1, err) != OK)
        return read_pieces(r, bytes, len, err);
    if (json->type != JSON_ARRAY)
        return err_set(err, ERR_INPUT, "a batch is a JSON array of events, but this is %s",
                       json_type_name(json));
    for (const struct json *item = json->as.first; item; item = item->next)
        if (add_json(r, item, err) != OK)
            return err->code;
    return OK;
}

/* The parser saw one line of the request only, and calls it the first. */
static void tell_line(struct err *why, size_t number)
{
    static const char FIRST[] = "line 1, ";
    struct err told = { 0 };

    if (strncmp(why->msg, FIRST, sizeof(FIRST) - 1) == 0)
        (void)err_set(&told, ERR_INPUT, "line %zu, %s", number, why->msg + sizeof(FIRST) - 1);
    else
        (void)err_set(&told, ERR_INPUT, "line %zu: %s", number, why->msg);
    *why = told;
}

/* A line that is too long or too deep is that event's fault, not its neighbours'. */
static enum err_code read_line(struct reading *r, const char *bytes, size_t len, size_t number,
                               struct err *err)
{
    const struct json *json = NULL;
    enum err_code rc = ERR_LIMIT;
    struct err why; /* only looked at when it was written */

    if (len > r->limits->max_event)
        (void)err_set(&why, ERR_LIMIT, "the event has %zu bytes; at most %zu are allowed", len,
                      r->limits->max_event);
    else
        rc = json_parse(&json, &r->in->arena, bytes, len, r->limits->max_depth, &why);
    if (rc == OK)
        return add_json(r, json, err);
    tell_line(&why, number);
    return add(r, NULL, &why, err);
}

static bool is_blank(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
            return false;
    return true;
}

static enum err_code read_lines(struct reading *r, const char *bytes, size_t len, struct err *err)
{
    const char *end = bytes + len;

    for (size_t number = 1; bytes < end; number++) {
        const char *eol = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t line = (size_t)((eol ? eol : end) - bytes);
        if (!is_blank(bytes, line) && read_line(r, bytes, line, number, err) != OK)
            return err->code;
        bytes += line + (eol ? 1 : 0);
    }
    return OK;
}

static enum err_code read_format(struct reading *r, enum pw_format format, const char *bytes,
                                 size_t len, struct err *err)
{
    switch (format) {
    case PW_EVENT:
        return read_one(r, bytes, len, err);
    case PW_BATCH:
        return read_batch(r, bytes, len, err);
    case PW_NDJSON:
        return read_lines(r, bytes, len, err);
    }
    return err_set(err, ERR_INPUT, "unknown format of events: %d", (int)format);
}

enum err_code intake_read(struct intake **out, const struct intake_limits *limits,
                          const struct intake_schema *schema, enum pw_format format,
                          const char *bytes, size_t len, const char *actor, const char *hubs,
                          struct err *err)
{
    *out = NULL;
    if (len > limits->max_body)
        return err_set(err, ERR_LIMIT, "the request has %zu bytes; at most %zu are allowed", len,
                       limits->max_body);
    struct intake *in = calloc(1, sizeof(*in));
    if (!in)
        return no_memory(err);
    struct reading r = { .in = in, .limits = limits, .schema = schema };
    arena_expect(&in->arena, len * ARENA_A_BYTE);
    enum err_code rc = OK;
    if ((actor && !(in->actor = arena_strdup(&in->arena, actor))) ||
        (hubs && !(in->hubs = arena_strdup(&in->arena, hubs))))
        rc = no_memory(err);
    if (rc == OK)
        rc = read_format(&r, format, bytes, len, err);
    if (rc == OK)
        *out = in;
    else
        intake_free(in);
    return rc;
}

struct take *intake_takes(struct intake *in, size_t *count)
{
    *count = in->take_count;
    return in->takes;
}

static const char *conflict_detail(struct intake *in, const struct take *t)
{
    struct err text = { 0 };

    (void)err_set(
        &text, ERR_CONFLICT,
        "source '%s' has already sent an event with id '%s' and other content (seq %lld); "
        "give a new event a new id",
        t->event->source, t->event->id, (long long)t->seq);
    return arena_strdup(&in->arena, text.msg);
}

static const char *forbidden_detail(struct intake *in, const struct take *t)
{
    struct err text = { 0 };

    (void)err_set(&text, ERR_INPUT, "%s: '%s' is not of a hub that this token may write about (%s)",
                  t->forbidden == t->event->subject ? "subject" : "data.predecessor", t->forbidden,
                  t->hubs);
    return arena_strdup(&in->arena, text.msg);
}

const struct pw_event_result *intake_results(struct intake *in, size_t *count)
{
    static const enum pw_event_status STATUS[] = {
        [TAKE_ACCEPTED] = PW_ACCEPTED,
        [TAKE_DUPLICATE] = PW_DUPLICATE,
        [TAKE_CONFLICT] = PW_CONFLICTING,
        [TAKE_FORBIDDEN] = PW_INVALID,
    };
    static const struct pw_event_result NONE;

    *count = in->count;
    for (size_t i = 0; i < in->take_count; i++) {
        const struct take *t = &in->takes[i];
        struct pw_event_result *result = &in->results[in->take_index[i]];
        result->status = STATUS[t->status];
        result->seq = t->seq;
        result->is_forbidden = t->status == TAKE_FORBIDDEN;
        if (t->status == TAKE_CONFLICT && !(result->detail = conflict_detail(in, t)))
            return NULL;
        if (t->status == TAKE_FORBIDDEN && !(result->detail = forbidden_detail(in, t)))
            return NULL;
    }
    return in->count > 0 ? in->results : &NONE;
}

void intake_free(struct intake *in)
{
    if (!in)
        return;
    arena_fini(&in->arena);
    free(in->takes);
    free(in->take_index);
    free(in->results);
    free(in);
}
