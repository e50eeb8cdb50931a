/* deliver_local.c - see deliver.h. The same checks as at the daemon's door, on the same engine. */
#include "cli/deliver.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "engine/engine.h"
#include "model/event.h"

struct reading {
    struct arena arena;
    struct event *events;
    struct take *takes;
    int64_t *lines; /* of each event that is valid */
    size_t count;
};

static enum err_code read_event(struct event *out, struct arena *arena, const char *line,
                                size_t len, const struct engine *engine, struct err *err)
{
    const struct json *tree = NULL;

    if (len > EVENT_MAX_BYTES)
        return err_set(err, ERR_INPUT, "the event has %zu bytes: at most %d are allowed", len,
                       EVENT_MAX_BYTES);
    enum err_code rc = json_parse(&tree, arena, line, len, EVENT_MAX_DEPTH, err);
    if (rc == OK)
        rc = event_read(out, arena, tree, engine_catalog(engine), engine_note_key(engine), err);
    return rc;
}

/* Check every line; those that are not valid are told at once. */
static void read_lines(struct reading *r, struct tally *tally, const struct batch *batch,
                       const struct engine *engine, const struct delivery *d)
{
    const char *at = batch->body.data;
    struct err err;

    for (uint32_t i = 0; i < batch->count; i++) {
        const char *end = memchr(at, '\n', batch->body.len - (size_t)(at - batch->body.data));
        size_t len = (size_t)(end - at); /* each line of a batch is ended */
        if (read_event(&r->events[r->count], &r->arena, at, len, engine, &err) == OK) {
            r->takes[r->count].event = &r->events[r->count];
            r->lines[r->count++] = batch->lines[i];
        } else {
            tally->invalid++;
            d->refused(batch->file, batch->lines[i], "invalid", err.msg, d->arg);
        }
        at += len + 1;
    }
}

static void count_takes(struct tally *tally, const struct reading *r, const struct batch *batch,
                        const struct delivery *d)
{
    for (size_t i = 0; i < r->count; i++)
        switch (r->takes[i].status) {
        case TAKE_ACCEPTED:
            tally->accepted++;
            break;
        case TAKE_FORBIDDEN: /* only for those who are bound to hubs: nobody here */
        case TAKE_DUPLICATE:
            tally->duplicate++;
            break;
        case TAKE_CONFLICT:
            tally->conflict++;
            d->refused(batch->file, r->lines[i], "conflict",
                       "an event with the same source and id but other content is there already",
                       d->arg);
            break;
        }
}

enum err_code deliver_local(struct tally *tally, struct place *place, const struct batch *batch,
                            const struct delivery *d, struct err *err)
{
    struct engine *engine = NULL;
    struct reading r = { .events = calloc(batch->count, sizeof(*r.events)),
                         .takes = calloc(batch->count, sizeof(*r.takes)),
                         .lines = calloc(batch->count, sizeof(*r.lines)) };
    enum err_code rc = OK;

    if (!r.events || !r.takes || !r.lines)
        rc = err_set(err, ERR_LIMIT, "no memory for a batch");
    if (rc == OK)
        rc = place_engine(&engine, place, err);
    if (rc == OK) {
        read_lines(&r, tally, batch, engine, d);
        if (r.count)
            rc = engine_take(engine, r.takes, r.count, err);
    }
    if (rc == OK)
        count_takes(tally, &r, batch, d);
    arena_fini(&r.arena);
    free(r.events);
    free(r.takes);
    free(r.lines);
    return rc;
}
