/* wake.c - see derived.h. When subjects are due: a binary heap in memory, by (due, name). */
#include <stdlib.h>
#include <string.h>

#include "store/derived.h"
#include "base/array.h"
#include "store/internal.h"

static bool comes_before(const struct dict_entry *a, const struct dict_entry *b)
{
    return a->due < b->due || (a->due == b->due && strcmp(a->text, b->text) < 0);
}

static void put(struct entries *heap, size_t at, struct dict_entry *entry)
{
    heap->items[at] = entry;
    entry->wake = at + 1;
}

static void sift_up(struct entries *heap, size_t at)
{
    struct dict_entry *entry = heap->items[at];

    for (; at > 0 && comes_before(entry, heap->items[(at - 1) / 2]); at = (at - 1) / 2)
        put(heap, at, heap->items[(at - 1) / 2]);
    put(heap, at, entry);
}

static void sift_down(struct entries *heap, size_t at)
{
    struct dict_entry *entry = heap->items[at];

    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && comes_before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!comes_before(heap->items[child], entry))
            break;
        put(heap, at, heap->items[child]);
    }
    put(heap, at, entry);
}

static void remove_at(struct entries *heap, size_t at)
{
    heap->items[at]->wake = 0;
    struct dict_entry *last = heap->items[--heap->count];
    if (at == heap->count)
        return;
    put(heap, at, last);
    sift_up(heap, at);
    sift_down(heap, last->wake - 1);
}

static bool grow(struct entries *heap)
{
    struct dict_entry **grown = array_room(heap->items, heap->count, &heap->cap, sizeof(*grown));

    if (grown)
        heap->items = grown;
    return grown != NULL;
}

enum err_code wake_set(struct store *s, struct dict_entry *subject, int64_t due, struct err *err)
{
    struct entries *heap = &s->wakes;

    if (due != TIME_NEVER && !subject->wake && !grow(heap))
        return store_no_memory(s, "keep a wake", err);
    subject->due = due;
    if (due == TIME_NEVER) {
        if (subject->wake)
            remove_at(heap, subject->wake - 1);
        return OK;
    }
    if (!subject->wake)
        put(heap, heap->count++, subject);
    sift_up(heap, subject->wake - 1);
    sift_down(heap, subject->wake - 1);
    return OK;
}

enum err_code wake_put(struct store *s, const char *subject, int64_t due, struct err *err)
{
    struct dict_entry *entry;
    struct subject_row *row;

    enum err_code rc = dict_intern(&entry, s, DICT_SUBJECT, subject, err);
    if (rc != OK || entry->due == due)
        return rc;
    rc = behind_change(&row, s, entry, err);
    return rc == OK ? wake_set(s, entry, due, err) : rc;
}

enum err_code wake_of(int64_t *out, struct store *s, const char *subject, struct err *err)
{
    struct dict_entry *entry;

    enum err_code rc = dict_find(&entry, s, DICT_SUBJECT, subject, err);
    *out = rc == OK && entry ? entry->due : TIME_NEVER;
    return rc;
}

static struct dict_entry *known(const struct store *s, const char *subject)
{
    const struct strmap_item *item =
        strmap_find(&s->dicts[DICT_SUBJECT].by_text, subject, strlen(subject));
    return item ? item->as.ptr : NULL;
}

void wake_hold(struct store *s, const char *subject)
{
    struct dict_entry *entry = known(s, subject);

    if (entry && entry->wake)
        remove_at(&s->wakes, entry->wake - 1);
}

enum err_code wake_release(struct store *s, const char *subject, struct err *err)
{
    struct dict_entry *entry = known(s, subject);
    return entry && !entry->wake ? wake_set(s, entry, entry->due, err) : OK;
}

int64_t wake_next(const struct store *s)
{
    return s->wakes.count > 0 ? s->wakes.items[0]->due : TIME_NEVER;
}

enum err_code wake_first(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT min(due) FROM subject_row";
    return stmt_int(out, s, SQL, TIME_NEVER, "find the next wake", err);
}

enum err_code wake_each_due(struct store *s, int64_t now, due_fn *fn, void *arg, struct err *err)
{
    static const char SQL[] = "SELECT n.text, r.hub FROM subject_row r"
                              " JOIN subject_name n ON n.id = r.id WHERE r.due <= ?1";
    sqlite3_stmt *st;
    bool row = false;

    if (stmt_get(&st, s, SQL, err) != OK)
        return err->code;
    sqlite3_bind_int64(st, 1, now);
    enum err_code rc = stmt_row(&row, s, st, "find who is due", err);
    while (rc == OK && row) {
        rc = fn(column_text(st, 0), column_text(st, 1), arg, err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "find who is due", err);
    }
    stmt_done(st);
    return rc;
}

/* The heap's first ones, in order: whichever of those seen comes next, its children are seen with
 * it. */
enum err_code wake_due(struct store *s, int64_t now, int limit, wake_fn *fn, void *arg,
                       struct err *err)
{
    const struct entries *heap = &s->wakes;
    size_t seen[2 * WAKES_MAX + 1], count = 0;

    if (heap->count > 0)
        seen[count++] = 0;
    for (int n = 0; n < limit && n < WAKES_MAX && count > 0; n++) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++)
            if (comes_before(heap->items[seen[i]], heap->items[seen[best]]))
                best = i;
        size_t at = seen[best];
        if (heap->items[at]->due > now)
            break;
        seen[best] = seen[--count];
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap->count; child++)
            seen[count++] = child;
        enum err_code rc = fn(heap->items[at]->text, heap->items[at]->due, arg, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}
