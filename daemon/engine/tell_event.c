/* tell_event.c - see reader.h. An event as it is told in explanations and histories. */
#include <string.h>

#include "base/civil.h"
#include "base/strmap.h"
#include "base/text.h"
#include "engine/reader.h"
#include "lua/rulebook.h"
#include "store/personal.h"

static bool is_among(const char *name, const char *const *as, int as_count)
{
    for (int i = 0; i < as_count; i++)
        if (strcmp(as[i], name) == 0)
            return true;
    return false;
}

/* A map whose keys are schools: to one of them only what it says of this one. To a group, whose
 * meeting it was, all of it. */
static void write_own(struct buf *out, const struct json *map, const char *const *as, int as_count)
{
    const char *comma = "";

    if (as_count > 0 && strncmp(as[0], "school/", 7) != 0) {
        json_write(out, map);
        return;
    }
    buf_char(out, '{');
    for (const struct json *m = map->as.first; m; m = m->next) {
        if (!is_among(m->name, as, as_count))
            continue;
        buf_str(out, comma);
        comma = ",";
        json_write_cstr(out, m->name);
        buf_char(out, ':');
        json_write(out, m);
    }
    buf_char(out, '}');
}

/* The notes of an event, as they are kept: "data.reason" and what it says. */
struct kept_notes {
    struct strmap texts;
    struct arena arena;
};

static enum err_code keep_note(const char *path, const char *text, void *arg, struct err *err)
{
    struct kept_notes *n = arg;
    const char *key = arena_strdup(&n->arena, path), *copy = arena_strdup(&n->arena, text);
    struct strmap_item *item = key && copy ? strmap_add(&n->texts, key, strlen(key), NULL) : NULL;

    if (!item)
        return err_set(err, ERR_LIMIT, "no memory for notes");
    item->as.ptr = (void *)(uintptr_t)copy;
    return OK;
}

/* What a note says; NULL: it is not told, or is kept no more. */
static const char *note_text(const struct kept_notes *notes, const char *field)
{
    struct buf path = { 0 };

    if (!notes)
        return NULL;
    buf_printf(&path, "data.%s", field);
    const struct strmap_item *item = strmap_find(&notes->texts, buf_cstr(&path), path.len);
    buf_fini(&path);
    return item ? item->as.ptr : NULL;
}

static void write_data(struct buf *out, const struct json *data, const struct event_type *type,
                       const struct kept_notes *notes, const char *const *as, int as_count)
{
    const char *comma = "";

    buf_char(out, '{');
    for (const struct json *m = data ? data->as.first : NULL; m; m = m->next) {
        const struct type_field *f = type ? type_field(type->data, m->name) : NULL;
        bool is_note = f && f->type->kind == TYPE_NOTE;
        const char *note = is_note ? note_text(notes, m->name) : NULL;
        if (is_note && !note)
            continue;
        buf_str(out, comma);
        comma = ",";
        json_write_cstr(out, m->name);
        buf_char(out, ':');
        if (note)
            json_write_cstr(out, note);
        else if (f && f->type->kind == TYPE_MAP && f->type->key->kind == TYPE_SCHOOL &&
                 m->type == JSON_OBJECT)
            write_own(out, m, as, as_count);
        else
            json_write(out, m);
    }
    buf_char(out, '}');
}

static void tell(struct buf *out, struct reader *r, const struct entry *e,
                 const struct kept_notes *notes, const char *const *as, int as_count)
{
    const struct event_type *type = catalog_find(rulebook_catalog(r->rules), e->type);
    struct arena scratch = { 0 };
    const struct json *body = NULL;

    buf_printf(out, "{\"seq\":%lld,\"type\":", (long long)e->seq);
    json_write_cstr(out, e->type);
    buf_str(out, ",\"title\":");
    json_write_cstr(out, type ? type->title : e->type);
    buf_str(out, ",\"time\":");
    write_moment(out, e->key.time);
    buf_str(out, ",\"recorded\":");
    write_moment(out, e->recorded);
    buf_str(out, ",\"source\":");
    json_write_cstr(out, e->key.source);
    buf_str(out, ",\"id\":");
    json_write_cstr(out, e->key.id);
    buf_str(out, ",\"subject\":");
    json_write_cstr(out, e->subject);
    buf_str(out, ",\"by\":");
    json_write_cstr(out, e->actor);
    buf_str(out, ",\"data\":");
    if (json_parse(&body, &scratch, e->body, e->body_len, EVENT_MAX_DEPTH + 1, NULL) == OK)
        write_data(out, json_get(body, "data"), type, notes, as, as_count);
    else
        buf_str(out, "null");
    buf_char(out, '}');
    arena_fini(&scratch);
}

void tell_event(struct buf *out, struct reader *r, const struct entry *e, const char *const *as,
                int as_count)
{
    tell(out, r, e, NULL, as, as_count);
}

enum err_code tell_event_with_notes(struct buf *out, struct reader *r, const struct entry *e,
                                    const char *const *as, int as_count, struct err *err)
{
    struct kept_notes notes = { 0 };

    enum err_code rc = note_each(r->store, e->seq, keep_note, &notes, err);
    if (rc == OK)
        tell(out, r, e, &notes, as, as_count);
    strmap_fini(&notes.texts);
    arena_fini(&notes.arena);
    return rc;
}
