/* logged_events.c - see engine_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/engine_internal.h"
#include "model/event.h"

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for logged events");
}

static bool room_for_touch(struct logged_events *l)
{
    if (l->touch_count < l->touch_cap)
        return true;
    uint32_t cap = l->touch_cap ? l->touch_cap * 2 : 64;
    const char **grown = realloc(l->touches, cap * sizeof(*grown));
    if (!grown)
        return false;
    l->touches = grown;
    l->touch_cap = cap;
    return true;
}

static bool room_for_event(struct logged_events *l)
{
    if (l->count < l->cap)
        return true;
    size_t cap = l->cap ? l->cap * 2 : 1024;
    struct event *events = realloc(l->events, cap * sizeof(*events));
    if (events)
        l->events = events;
    int64_t *seqs = realloc(l->seqs, cap * sizeof(*seqs));
    if (seqs)
        l->seqs = seqs;
    const char **actors = realloc(l->actors, cap * sizeof(*actors));
    if (actors)
        l->actors = actors;
    if (!events || !seqs || !actors)
        return false;
    l->cap = cap;
    return true;
}

static enum err_code take_event(const struct logged *e, void *arg, struct err *err)
{
    struct logged_events *l = arg;
    const struct json *body = NULL;
    uint32_t first = l->touch_count;

    if (!room_for_event(l))
        return no_memory(err);
    const char *bytes = arena_copy(&l->arena, e->body, e->body_len);
    if (!bytes)
        return no_memory(err);
    if (json_parse(&body, &l->arena, bytes, e->body_len, EVENT_MAX_DEPTH + 1, err) != OK)
        return err_at(err, "event %lld in the log", (long long)e->seq);
    for (uint32_t i = 0; i < e->touch_count; i++) {
        if (!room_for_touch(l))
            return no_memory(err);
        l->touches[l->touch_count++] = e->touches[i];
    }
    l->events[l->count] = (struct event){
        .time = e->time,
        .sequence = e->sequence ? arena_strdup(&l->arena, e->sequence) : NULL,
        .source = e->source,
        .id = arena_strdup(&l->arena, e->id),
        .type = e->type,
        .subject = e->subject,
        .data = json_get(body, "data"),
        .body = bytes,
        .body_len = e->body_len,
        .touches =
            (const char *const *)(uintptr_t)first, /* an index until the list stops growing */
        .touch_count = e->touch_count,
    };
    l->actors[l->count] = e->actor ? arena_strdup(&l->arena, e->actor) : NULL;
    l->seqs[l->count++] = e->seq;
    return OK;
}

enum err_code logged_events_read(struct logged_events *l, struct store *s, int64_t first,
                                 int64_t last, struct err *err)
{
    arena_reset(&l->arena);
    l->count = 0;
    l->touch_count = 0;
    enum err_code rc = log_scan(s, first - 1, last, take_event, l, err);
    for (size_t i = 0; rc == OK && i < l->count; i++)
        l->events[i].touches = l->touches + (uintptr_t)l->events[i].touches;
    return rc;
}

void logged_events_fini(struct logged_events *l)
{
    arena_fini(&l->arena);
    free(l->events);
    free(l->seqs);
    free(l->actors);
    free(l->touches);
}

enum err_code logged_judged(struct strmap *out, struct logged_events *l, const char *judged,
                            struct err *err)
{
    const struct json *list = NULL;

    if (json_parse(&list, &l->arena, judged, strlen(judged), 2, err) != OK)
        return err->code;
    for (const struct json *i = list->as.first; i; i = i->next)
        if (i->type != JSON_STRING || !strmap_add(out, i->as.string, i->len, NULL))
            return err_set(err, ERR_CONFLICT, "what it judged is not a list of subjects");
    return OK;
}
