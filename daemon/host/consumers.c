/* consumers.c - see consumers.h. */
#include "host/consumers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"

#define NAME_MAX_BYTES 64

struct pw_cursor {
    struct pw_cursor *next;
    struct consumers *consumers;
    int64_t acked;
    bool is_open;
    bool is_dirty;   /* the place has moved since it was last written */
    bool is_writing; /* it is on its way to the disk */
    bool is_kept;    /* it is in the database, or on its way there */
    char name[];     /* PLUGIN/NAME */
};

/* An opening that waits for the places to be read. */
struct opening {
    struct opening *next;
    char *name;
    int64_t from;
    pw_cursor_fn *opened;
    void *arg;
};

struct consumers {
    struct service *service; /* borrowed */
    struct keeper *keeper;   /* borrowed */
    struct pw_cursor *first; /* by name */
    struct opening *openings, *openings_last;
    int64_t head;
    bool is_loaded;
    bool is_asking;
};

enum err_code consumers_new(struct consumers **out, struct service *s, struct keeper *keeper,
                            struct err *err)
{
    struct consumers *c = *out = calloc(1, sizeof(*c));

    if (!c)
        return err_set(err, ERR_LIMIT, "no memory for the plugins");
    c->service = s;
    c->keeper = keeper;
    return OK;
}

void consumers_head(struct consumers *c, int64_t head)
{
    if (head > c->head)
        c->head = head;
}

static struct pw_cursor *find(struct consumers *c, const char *name, bool *is_new)
{
    struct pw_cursor **at = &c->first;

    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    *is_new = !*at || strcmp((*at)->name, name) != 0;
    if (!*is_new)
        return *at;
    size_t size = strlen(name) + 1;
    struct pw_cursor *cursor = calloc(1, sizeof(*cursor) + size);
    if (!cursor)
        return NULL;
    memcpy(cursor->name, name, size);
    cursor->consumers = c;
    cursor->next = *at;
    *at = cursor;
    return cursor;
}

/* ---- writing ---- */

static void write_place(struct pw_cursor *cursor);

static void on_written(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct pw_cursor *cursor = arg;

    (void)text;
    (void)len;
    cursor->is_writing = false;
    if (status != PW_OK)
        cursor->is_dirty =
            true; /* with the next one: what is old is shown again, which is allowed */
    else if (cursor->is_dirty)
        write_place(cursor);
}

static void write_place(struct pw_cursor *cursor)
{
    struct buf op = { 0 };

    cursor->is_dirty = true;
    if (cursor->is_writing)
        return;
    buf_str(&op, "[\"cursor\",");
    json_write_cstr(&op, cursor->name);
    buf_printf(&op, ",%lld]", (long long)cursor->acked);
    if (keeper_add(cursor->consumers->keeper, &op, false, on_written, cursor, NULL) != OK)
        return;
    cursor->is_writing = cursor->is_kept = true;
    cursor->is_dirty = false;
}

/* ---- opening ---- */

static void open_now(struct consumers *c, const struct opening *o)
{
    char why[256];
    bool is_new;

    struct pw_cursor *cursor = find(c, o->name, &is_new);
    if (!cursor) {
        o->opened(o->arg, PW_FAILED, NULL, 0, "no memory for a cursor");
        return;
    }
    if (cursor->is_open) {
        snprintf(why, sizeof(why), "the cursor %s is open already", o->name);
        o->opened(o->arg, PW_CONFLICT, NULL, 0, why);
        return;
    }
    cursor->is_open = true;
    if (!cursor->is_kept) {
        cursor->acked = o->from == PW_FROM_HEAD || o->from > c->head ? c->head : o->from;
        write_place(cursor);
    }
    o->opened(o->arg, PW_OK, cursor, cursor->acked, NULL);
}

static void run_openings(struct consumers *c, const char *error)
{
    while (c->openings) {
        struct opening *o = c->openings;
        c->openings = o->next;
        if (!c->openings)
            c->openings_last = NULL;
        if (error)
            o->opened(o->arg, PW_FAILED, NULL, 0, error);
        else
            open_now(c, o);
        free(o->name);
        free(o);
    }
}

static bool take_places(struct consumers *c, const char *text, size_t len)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    struct err why;
    bool ok = json_parse(&tree, &arena, text, len, 4, &why) == OK, is_new;

    for (const struct json *p = ok ? tree->as.first : NULL; p && ok; p = p->next) {
        struct pw_cursor *cursor = find(c, p->name, &is_new);
        ok = cursor != NULL;
        if (ok && is_new) {
            cursor->acked = p->as.integer;
            cursor->is_kept = true;
        }
    }
    arena_fini(&arena);
    return ok;
}

static void on_places(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct consumers *c = arg;

    c->is_asking = false;
    if (status != PW_OK) {
        run_openings(c, text);
        return;
    }
    c->is_loaded = true;
    run_openings(c, take_places(c, text, len) ? NULL : "the places in the feed can not be read");
}

void consumers_load(struct consumers *c)
{
    if (c->is_loaded || c->is_asking)
        return;
    c->is_asking = service_ask(c->service, "cursors", NULL, on_places, c) == PW_OK;
    if (!c->is_asking && service_is_ready(c->service))
        run_openings(c, "too many questions wait");
}

static bool is_good_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static void on_open_later(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct consumers *c = arg;

    (void)status;
    (void)text;
    (void)len;
    if (c->is_loaded)
        run_openings(c, NULL);
}

enum pw_status cursor_open(struct consumers *c, const char *owner, const char *name, int64_t from,
                           pw_cursor_fn *opened, void *arg)
{
    if (!is_good_name(name) || !opened || from < PW_FROM_HEAD)
        return PW_INPUT;
    struct opening *o = calloc(1, sizeof(*o));
    struct buf full = { 0 };
    buf_printf(&full, "%s/%s", owner, name);
    char *text = buf_take(&full);
    if (!o || !text) {
        free(o);
        free(text);
        return PW_BUSY;
    }
    /* Never inside this call: by way of a question that is always answered later. */
    if (c->is_loaded && service_ask(c->service, "ready", NULL, on_open_later, c) != PW_OK) {
        free(o);
        free(text);
        return PW_BUSY;
    }
    if (from == PW_FROM_HEAD &&
        service_is_ready(c->service)) /* the head of now, however long it takes */
        from = c->head;
    *o = (struct opening){ .name = text, .from = from, .opened = opened, .arg = arg };
    *(c->openings_last ? &c->openings_last->next : &c->openings) = o;
    c->openings_last = o;
    if (!c->is_loaded && service_is_ready(c->service))
        consumers_load(c);
    return PW_OK;
}

/* ---- moving ---- */

void cursor_move(struct pw_cursor *cursor, int64_t seq)
{
    if (!cursor || seq < 0 || seq == cursor->acked)
        return;
    cursor->acked = seq;
    write_place(cursor);
}

void cursor_ack(struct pw_cursor *cursor, int64_t seq)
{
    if (cursor && seq > cursor->acked)
        cursor_move(cursor, seq);
}

/* The row stays in the list, so that one who left is still seen to be behind; a forgotten one stays
 * as an empty place in memory only. */
void cursor_close(struct pw_cursor *cursor, bool forget)
{
    struct buf op = { 0 };

    if (!cursor)
        return;
    cursor->is_open = false;
    if (!forget)
        return;
    buf_str(&op, "[\"no cursor\",");
    json_write_cstr(&op, cursor->name);
    buf_char(&op, ']');
    cursor->is_dirty = false;
    cursor->is_kept = false;
    if (keeper_add(cursor->consumers->keeper, &op, true, NULL, NULL, NULL) != OK)
        log_warn("host: consumer not forgotten name=%s", cursor->name);
}

void consumers_close(struct consumers *c, const char *owner)
{
    size_t len = strlen(owner);

    for (struct pw_cursor *cursor = c->first; cursor; cursor = cursor->next)
        if (strncmp(cursor->name, owner, len) == 0 && cursor->name[len] == '/')
            cursor->is_open = false;
}

void consumers_stop(struct consumers *c)
{
    run_openings(c, "the daemon is stopping");
}

/* ---- telling ---- */

static bool is_told(const struct pw_cursor *cursor)
{
    return cursor->is_open || cursor->is_kept;
}

static long long lag_of(const struct pw_cursor *cursor)
{
    int64_t head = cursor->consumers->head;
    return head > cursor->acked ? (long long)(head - cursor->acked) : 0;
}

void consumers_describe(const struct consumers *c, struct buf *out)
{
    const char *separator = "";

    buf_char(out, '[');
    for (const struct pw_cursor *cursor = c->first; cursor; cursor = cursor->next) {
        if (!is_told(cursor))
            continue;
        buf_printf(out, "%s{\"name\":", separator);
        json_write_cstr(out, cursor->name);
        buf_printf(out, ",\"acked\":%lld,\"lag\":%lld,\"open\":%s}", (long long)cursor->acked,
                   lag_of(cursor), cursor->is_open ? "true" : "false");
        separator = ",";
    }
    buf_char(out, ']');
}

static void measure_all(const struct consumers *c, struct buf *out, const char *name,
                        const char *help, long long (*value)(const struct pw_cursor *cursor))
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
    for (const struct pw_cursor *cursor = c->first; cursor; cursor = cursor->next)
        if (is_told(cursor))
            buf_printf(out, "%s{consumer=\"%s\"} %lld\n", name, cursor->name, value(cursor));
}

static long long is_there(const struct pw_cursor *cursor)
{
    return cursor->is_open;
}

void consumers_measure(const struct consumers *c, struct buf *out)
{
    measure_all(c, out, "pathwayd_consumer_lag",
                "Entries of the feed that a consumer has not dealt with yet", lag_of);
    measure_all(c, out, "pathwayd_consumer_open",
                "Whether a consumer is there to deal with them; 0: its plugin is off, or failed",
                is_there);
}

void consumers_free(struct consumers *c)
{
    if (!c)
        return;
    run_openings(c, "the daemon is stopping");
    for (struct pw_cursor *cursor = c->first, *next; cursor; cursor = next) {
        next = cursor->next;
        free(cursor);
    }
    free(c);
}
