/*
 * behind.c - see internal.h and derived.h. What is derived of a subject is one row, written behind
 * the log.
 *
 * While few rows wait they go into the next commit, so that in quiet times the tables are those of
 * the last commit. When many do, a sweep writes them in slices, in the order of their table: it
 * brings the tables from one commit to another, exactly. A row that changes again before the sweep
 * has come to it is written at once, as it was.
 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"

#ifndef FEW_ROWS
#define FEW_ROWS 64 /* so many go into any commit */
#endif
#ifndef SLICE_ROWS
#define SLICE_ROWS 400 /* of a sweep in one commit: some milliseconds */
#endif
#ifndef SWEEP_EVENTS
#define SWEEP_EVENTS 50000 /* between the starts of two sweeps while there is no quiet */
#endif

static bool entries_add(struct entries *list, struct dict_entry *entry)
{
    struct dict_entry **grown = array_room(list->items, list->count, &list->cap, sizeof(*grown));

    if (!grown)
        return false;
    list->items = grown;
    list->items[list->count++] = entry;
    return true;
}

static enum err_code no_memory(struct store *s, struct err *err)
{
    return store_no_memory(s, "keep what is derived of a subject", err);
}

static void free_row(struct dict_entry *entry)
{
    struct subject_row *row = entry->row;

    if (!row)
        return;
    free((char *)(uintptr_t)row->name);
    free((char *)(uintptr_t)row->hub);
    free((char *)(uintptr_t)row->former);
    free((char *)(uintptr_t)row->decisions);
    free((char *)(uintptr_t)row->causes);
    free(row);
    entry->row = NULL;
}

enum err_code behind_text(const char **field, struct store *s, const char *text, struct err *err)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        return no_memory(s, err);
    free((char *)(uintptr_t)*field);
    *field = copy;
    return OK;
}

static const char *keep(struct batch *b, const char *text, bool *ok)
{
    const char *copy = text ? arena_strdup(&b->arena, text) : NULL;
    *ok = *ok && (copy || !text);
    return copy;
}

/* Add a subject's row to the open batch. */
static enum err_code attach(struct store *s, struct dict_entry *entry, struct err *err)
{
    struct subject_row *out = rows_add(&s->open->subjects, sizeof(*out));
    bool ok = out != NULL;

    if (ok) {
        *out = *entry->row;
        out->name = keep(s->open, out->name, &ok);
        out->hub = keep(s->open, out->hub, &ok);
        out->former = keep(s->open, out->former, &ok);
        out->decisions = keep(s->open, out->decisions, &ok);
        out->causes = keep(s->open, out->causes, &ok);
    }
    entry->state = ROW_WRITTEN;
    entry->ticket = s->tickets + 1;
    return ok ? OK : no_memory(s, err);
}

enum err_code behind_change(struct subject_row **out, struct store *s, struct dict_entry *entry,
                            struct err *err)
{
    if (!entry->row) {
        if (!(entry->row = calloc(1, sizeof(*entry->row))))
            return no_memory(s, err);
        entry->row->id = entry->id;
        entry->state = ROW_WRITTEN;
    }
    if (entry->state == ROW_SWEPT && attach(s, entry, err) != OK)
        return err->code;
    if (entry->state == ROW_WRITTEN) {
        if (!entries_add(&s->changed, entry))
            return no_memory(s, err);
        entry->state = ROW_CHANGED;
    }
    s->is_changed = true;
    *out = entry->row;
    return OK;
}

void behind_written(struct store *s, int64_t id, int64_t ticket)
{
    struct dict_entry *entry = s->dicts[DICT_SUBJECT].by_id[id];

    entry->is_stored = true;
    if (entry->state == ROW_WRITTEN && entry->ticket == ticket)
        free_row(entry);
}

static struct watermark here(const struct store *s)
{
    return (struct watermark){
        .commit = s->last_commit, .seq = s->last_seq, .feed = s->last_change, .is_whole = true
    };
}

static void fix(struct dict_entry *entry)
{
    entry->row->head = entry->head;
    entry->row->due = entry->due;
}

static void set_watermark(struct store *s, struct watermark mark)
{
    s->open->watermark = s->watermark = mark;
    s->open->has_watermark = true;
}

static int by_id(const void *a, const void *b)
{
    const struct dict_entry *x = *(struct dict_entry *const *)a,
                            *y = *(struct dict_entry *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

void behind_begin_sweep(struct store *s)
{
    if (s->is_sweeping || s->changed.count <= FEW_ROWS)
        return;
    struct entries taken = s->changed;
    s->changed = s->sweep;
    s->changed.count = 0;
    s->sweep = taken;
    qsort(taken.items, taken.count, sizeof(*taken.items), by_id);
    for (size_t i = 0; i < taken.count; i++) {
        fix(taken.items[i]);
        taken.items[i]->state = ROW_SWEPT;
    }
    s->cut = here(s);
    s->swept = 0;
    s->swept_seq = s->last_seq;
    s->is_sweeping = true;
}

static enum err_code seal_few(struct store *s, struct err *err)
{
    for (size_t i = 0; i < s->changed.count; i++) {
        fix(s->changed.items[i]);
        if (attach(s, s->changed.items[i], err) != OK)
            return err->code;
    }
    s->changed.count = 0;
    set_watermark(s, here(s));
    return OK;
}

static enum err_code seal_slice(struct store *s, size_t most, struct err *err)
{
    size_t written = 0;

    if (s->watermark.is_whole) {
        struct watermark torn = s->watermark;
        torn.is_whole = false;
        set_watermark(s, torn);
    }
    for (; s->swept < s->sweep.count && written < most; s->swept++) {
        struct dict_entry *entry = s->sweep.items[s->swept];
        if (entry->state != ROW_SWEPT)
            continue;
        if (attach(s, entry, err) != OK)
            return err->code;
        written++;
    }
    if (s->swept < s->sweep.count)
        return OK;
    s->sweep.count = s->swept = 0;
    s->is_sweeping = false;
    set_watermark(s, s->cut);
    return OK;
}

enum err_code behind_seal(struct store *s, bool all, struct err *err)
{
    enum err_code rc = keys_seal(s, err);

    if (s->mode == STORE_REPLAY) /* there, all of it is compared at the end */
        return rc;
    if (rc == OK && s->is_sweeping)
        rc = seal_slice(s, all ? SIZE_MAX : SLICE_ROWS, err);
    if (rc != OK || s->is_sweeping)
        return rc;
    bool moves_on = s->changed.count > 0 || s->open->commit.number > 0; /* it may change no row */
    if (moves_on && (all || s->changed.count <= FEW_ROWS))
        return seal_few(s, err);
    if (s->last_seq - s->swept_seq >= SWEEP_EVENTS)
        behind_begin_sweep(s);
    return OK;
}

void behind_fini(struct store *s)
{
    struct dict *subjects = &s->dicts[DICT_SUBJECT];

    for (int64_t id = 0; id < subjects->cap; id++) {
        if (!subjects->by_id[id])
            continue;
        free_row(subjects->by_id[id]);
        free(subjects->by_id[id]->causes);
    }
    free(s->changed.items);
    free(s->sweep.items);
    s->changed = s->sweep = (struct entries){ 0 };
    s->is_sweeping = false;
    s->swept = 0;
}
