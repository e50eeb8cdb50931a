/* note.c - see note.h. Only the containers on the way to a note are copied. */
#include "model/note.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "model/path.h"

#define DIGITS     32
#define PREFIX     "note:"
#define NOTE_BYTES (sizeof(PREFIX) + DIGITS) /* with the NUL */
#define PATH_ROOM  128                       /* bytes of a path that need no memory of the heap */

static const struct json *take(struct note_taker *taker, const struct type *t,
                               const struct json *value, const struct path *path);

static bool holds_notes(const struct type *t)
{
    if (t->kind == TYPE_NOTE)
        return true;
    if (t->kind == TYPE_ROW) {
        for (uint32_t i = 0; i < t->field_count; i++) {
            if (holds_notes(t->fields[i].type))
                return true;
        }
        return false;
    }
    return !type_is_scalar(t) && holds_notes(t->of);
}

/* The path in full: it is part of what the digest covers. */
static const char *path_in_arena(struct arena *arena, const struct path *path)
{
    char room[PATH_ROOM];
    struct buf b = { 0 };

    buf_lend(&b, room, sizeof(room));
    path_write(&b, path, SIZE_MAX);
    const char *out = b.failed ? NULL : arena_copy(arena, b.data, b.len);
    buf_fini(&b);
    return out;
}

static const struct json *take_one(struct note_taker *taker, const struct json *value,
                                   const struct path *path)
{
    struct event_note *note = arena_alloc(taker->arena, sizeof(*note));
    struct json *copy = arena_alloc(taker->arena, sizeof(*copy));
    char *text = arena_alloc(taker->arena, NOTE_BYTES);
    uint8_t digest[DIGEST_BYTES];
    char hex[DIGEST_HEX];

    if (!note || !copy || !text)
        return NULL;
    note->path = path_in_arena(taker->arena, path);
    if (!note->path)
        return NULL;
    note->text = value->as.string;
    note->len = value->len;
    const struct digest_part parts[] = {
        { taker->source, strlen(taker->source) },
        { taker->id, strlen(taker->id) },
        { note->path, strlen(note->path) },
        { note->text, note->len },
    };
    digest_parts(digest, taker->key, parts, sizeof(parts) / sizeof(parts[0]));
    memcpy(text, PREFIX, sizeof(PREFIX) - 1);
    memcpy(text + sizeof(PREFIX) - 1, digest_hex(digest, hex), DIGITS); /* and zeros behind it */

    if (taker->last)
        taker->last->next = note;
    else
        taker->first = note;
    taker->last = note;
    taker->bytes += note->len;
    *copy = *value;
    copy->as.string = text;
    copy->len = NOTE_BYTES - 1;
    return copy;
}

static struct path step_to(const struct path *up, const struct type *t, const struct json *item,
                           uint32_t index)
{
    return (struct path){ .up = up,
                          .step = t->kind == TYPE_ROW   ? PATH_FIELD
                                  : t->kind == TYPE_MAP ? PATH_KEY
                                                        : PATH_INDEX,
                          .name = item->name,
                          .index = index };
}

static const struct json *take_items(struct note_taker *taker, const struct type *t,
                                     const struct json *value, const struct path *path)
{
    struct json *copy = arena_alloc(taker->arena, sizeof(*copy));
    struct json *items = arena_alloc(taker->arena, value->len * sizeof(*items));
    uint32_t n = 0;

    if (!copy || !items)
        return NULL;
    for (const struct json *item = value->as.first; item; item = item->next, n++) {
        const struct path place = step_to(path, t, item, n);
        const struct type *type = t->kind == TYPE_ROW ? type_field(t, item->name)->type : t->of;
        const struct json *taken = take(taker, type, item, &place);
        if (!taken)
            return NULL;
        items[n] = *taken;
        items[n].next = n + 1 < value->len ? &items[n + 1] : NULL;
    }
    *copy = *value;
    copy->as.first = n > 0 ? items : NULL;
    return copy;
}

static const struct json *take(struct note_taker *taker, const struct type *t,
                               const struct json *value, const struct path *path)
{
    if (t->kind == TYPE_NOTE)
        return take_one(taker, value, path);
    if (!holds_notes(t))
        return value;
    return take_items(taker, t, value, path);
}

const struct json *note_take(struct note_taker *taker, const struct type *t,
                             const struct json *value, const char *path)
{
    const struct path root = { .step = PATH_ROOT, .name = path };
    return take(taker, t, value, &root);
}
