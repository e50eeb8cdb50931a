/* tape.c - see tape.h. Data is built by the story from its own keys: nothing in it needs
 * escaping. */
#include "tape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

#define SOURCE "urn:hub:"
#define ID     "%s-%07u"

void tape_init(struct tape *t, int64_t end)
{
    *t = (struct tape){ .end = end };
}

void tape_fini(struct tape *t)
{
    arena_fini(&t->arena);
    free(t->events);
}

static bool grow(struct tape *t)
{
    if (t->count < t->cap)
        return true;
    uint32_t cap = t->cap ? t->cap * 2 : 4096;
    struct tape_event *events = realloc(t->events, cap * sizeof(*events));
    if (!events)
        return false;
    t->events = events;
    t->cap = cap;
    return true;
}

uint32_t tape_vadd(struct tape *t, const char *hub, int64_t at, int64_t told, const char *type,
                   const char *subject, const char *data, va_list args)
{
    char text[16384];

    if (told < at)
        told = at;
    if (told >= t->end || t->failed)
        return TAPE_NONE;
    int len = vsnprintf(text, sizeof(text), data, args);
    struct tape_event e = { .at = at, .told = told, .number = t->count + 1, .hub = hub };
    e.type = type;
    e.subject = arena_strdup(&t->arena, subject);
    e.data = len >= 0 && (size_t)len < sizeof(text) ? arena_strdup(&t->arena, text) : NULL;
    if (!e.subject || !e.data || !grow(t)) {
        t->failed = true;
        return TAPE_NONE;
    }
    t->events[t->count] = e;
    return t->count++;
}

uint32_t tape_add(struct tape *t, const char *hub, int64_t at, int64_t told, const char *type,
                  const char *subject, const char *data, ...)
{
    va_list args;

    va_start(args, data);
    uint32_t place = tape_vadd(t, hub, at, told, type, subject, data, args);
    va_end(args);
    return place;
}

uint32_t tape_void(struct tape *t, uint32_t place, int64_t at, const char *reason)
{
    if (place == TAPE_NONE)
        return TAPE_NONE;
    const struct tape_event *e = &t->events[place];
    const char *hub = e->hub;
    uint32_t number = e->number;
    if (at <= e->at)
        at = e->at + US_PER_S;
    return tape_add(t, hub, at, at, "event.voided", e->subject,
                    "{\"source\":\"" SOURCE "%s\",\"id\":\"" ID "\",\"reason\":\"%s\"}", hub, hub,
                    number, reason);
}

void tape_sequence(struct tape *t, uint32_t place)
{
    if (place != TAPE_NONE)
        t->events[place].has_sequence = true;
}

static int by_told(const void *a, const void *b)
{
    const struct tape_event *x = a, *y = b;

    if (x->told != y->told)
        return x->told < y->told ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

enum err_code tape_write(struct tape *t, FILE *out, struct err *err)
{
    char time[TIME_TEXT];

    if (t->failed)
        return err_set(err, ERR_LIMIT, "no memory for %u events; ask for fewer schools", t->count);
    if (t->count > 0)
        qsort(t->events, t->count, sizeof(*t->events), by_told);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct tape_event *e = &t->events[i];
        char sequence[32] = "";
        if (e->has_sequence)
            snprintf(sequence, sizeof(sequence), "\"sequence\":\"%08u\",", e->number);
        fprintf(out,
                "{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"" SOURCE
                "%s\",\"type\":\"%s\",\"subject\":\"%s\",\"time\":\"%s\",%s\"data\":%s}\n",
                e->hub, e->number, e->hub, e->type, e->subject, time_text(e->at, time), sequence,
                e->data);
    }
    if (fflush(out) != 0 || ferror(out))
        return err_set(err, ERR_IO, "standard output: %s", strerror(errno));
    return OK;
}
