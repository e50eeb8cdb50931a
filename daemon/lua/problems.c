/* problems.c - see problems.h. */
#include "lua/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* The pack with whose name a place at `at` begins ("national/rules.lua:7"), or NULL. */
static const struct pack_place *place_at(const struct problems *p, const char *text, const char *at)
{
    bool may_begin =
        at == text || at[-1] == '(' || (at - text >= 4 && strncmp(at - 4, " at ", 4) == 0);

    for (size_t i = 0; may_begin && i < 2 && p->places[i].pack; i++) {
        size_t len = strlen(p->places[i].pack);
        if (strncmp(at, p->places[i].pack, len) == 0 && at[len] == '/')
            return &p->places[i];
    }
    return NULL;
}

/* Copy `text` with the folder in place of the pack in each place, so that it can be opened. */
static void show_places(struct buf *out, const struct problems *p, const char *text)
{
    for (const char *at = text; *at; at++) {
        const struct pack_place *place = place_at(p, text, at);
        if (place) {
            buf_str(out, place->folder);
            at += strlen(place->pack);
        }
        buf_char(out, *at);
    }
}

/* Has so much been told of the pack that is being loaded that the rest would help nobody? */
static bool is_enough(struct problems *p)
{
    if (p->listed_of != p->hub) {
        p->listed_of = p->hub;
        p->listed = 0;
    }
    return p->listed > PROBLEMS_LISTED;
}

static void add_line(struct problems *p, const char *line)
{
    struct buf shown = { 0 };

    if (is_enough(p)) {
        p->count++;
        return;
    }
    show_places(&shown, p, line);
    for (const struct problem *known = p->first; known; known = known->next) {
        if (strcmp(known->text, buf_cstr(&shown)) ==
            0) { /* a helper's mistake, met on another way */
            buf_fini(&shown);
            return;
        }
    }
    if (++p->listed > PROBLEMS_LISTED) {
        buf_reset(&shown);
        buf_printf(&shown, "%s%s: more than %d mistakes; the others are not listed",
                   p->hub ? "hubs/" : "", p->hub ? p->hub : "national", PROBLEMS_LISTED);
    }
    struct problem *item = arena_alloc(&p->arena, sizeof(*item));
    char *copy = shown.failed ? NULL : arena_strdup(&p->arena, buf_cstr(&shown));
    buf_fini(&shown);
    p->count++; /* counted also when there is no memory to keep it: the load fails all the same */
    if (!item || !copy)
        return;
    *item = (struct problem){ .text = copy, .hub = p->hub };
    if (p->last)
        p->last->next = item;
    else
        p->first = item;
    p->last = item;
}

void problems_add(struct problems *p, const char *fmt, ...)
{
    va_list args;
    char line[sizeof(((struct err *)0)->msg)];

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    add_line(p, line);
}

void problems_add_new(struct problems *p, const char *fmt, ...)
{
    va_list args;
    char line[sizeof(((struct err *)0)->msg)];

    if (p->was_in_force)
        return;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    add_line(p, line);
}

void problems_fini(struct problems *p)
{
    arena_fini(&p->arena);
    memset(p, 0, sizeof(*p));
}
