/* dict.c - see internal.h. Entries are loaded when first met, so that opening costs nothing. */
#include "store/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX (1 << 24) /* a larger id is damage, not data: it would only eat memory */

static const struct {
    const char *table, *by_text, *by_id, *insert, *last;
} SQL[DICT_KINDS] = {
#define DICT(t)                                                                                    \
    {                                                                                              \
        t, "SELECT id, text FROM " t " WHERE text = ?1",                                           \
            "SELECT id, text FROM " t " WHERE id = ?1",                                            \
            "INSERT INTO " t " (id, text) VALUES (?1, ?2)", "SELECT max(id) FROM " t               \
    }
    [DICT_SOURCE] = DICT("source_name"),
    [DICT_TYPE] = DICT("type_name"),
    [DICT_SUBJECT] = DICT("subject_name"),
    [DICT_DECISION] = DICT("decision_name"),
#undef DICT
};

/* Make room for `id` in by_id. */
static bool grow(struct dict *d, int64_t id)
{
    if (id < d->cap)
        return true;
    int64_t cap = d->cap ? d->cap : 64;
    while (cap <= id)
        cap *= 2;
    struct dict_entry **by_id = realloc(d->by_id, (size_t)cap * sizeof(*by_id));
    if (!by_id)
        return false;
    memset(by_id + d->cap, 0, (size_t)(cap - d->cap) * sizeof(*by_id));
    d->by_id = by_id;
    d->cap = cap;
    return true;
}

static enum err_code keep(struct dict_entry **out, struct store *s, enum dict_kind kind, int64_t id,
                          const char *text, struct err *err)
{
    struct dict *d = &s->dicts[kind];

    if (id < 1 || id > ID_MAX)
        return err_set(err, ERR_STORE, "%s: table %s holds the id %lld, expected 1 to %d", s->path,
                       SQL[kind].table, (long long)id, ID_MAX);
    struct dict_entry *entry = arena_alloc(&s->arena, sizeof(*entry));
    const char *copy = arena_strdup(&s->arena, text);
    if (!entry || !copy || !grow(d, id))
        return store_no_memory(s, SQL[kind].table, err);
    struct strmap_item *item = strmap_add(&d->by_text, copy, strlen(copy), NULL);
    if (!item)
        return store_no_memory(s, SQL[kind].table, err);
    item->as.ptr = entry;
    entry->text = copy;
    entry->id = id;
    d->by_id[id] = entry;
    *out = entry;
    return OK;
}

/* A store that writes keeps the heads of its subjects in memory. */
static enum err_code load_head(struct store *s, struct dict_entry *entry, struct err *err)
{
    static const char HEAD[] = "SELECT first, head FROM subject_head WHERE subject = ?1";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, HEAD, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, entry->id);
    rc = stmt_row(&row, s, st, "read a subject's chain", err);
    if (rc == OK && row) {
        entry->first = sqlite3_column_int64(st, 0);
        entry->head = sqlite3_column_int64(st, 1);
    }
    stmt_done(st);
    return rc;
}

/* Take in the row that `st` finds, if any. */
static enum err_code load(struct dict_entry **out, struct store *s, enum dict_kind kind,
                          sqlite3_stmt *st, struct err *err)
{
    bool row;

    enum err_code rc = stmt_row(&row, s, st, SQL[kind].table, err);
    if (rc != OK || !row)
        return rc;
    const char *text = column_text(st, 1);
    rc = text ? keep(out, s, kind, sqlite3_column_int64(st, 0), text, err)
              : store_no_memory(s, SQL[kind].table, err);
    stmt_done(st);
    if (rc == OK) {
        (*out)->is_stored = true;
        if (kind == DICT_SUBJECT && s->mode != STORE_READ)
            rc = load_head(s, *out, err);
    }
    return rc;
}

enum err_code dict_find(struct dict_entry **out, struct store *s, enum dict_kind kind,
                        const char *text, struct err *err)
{
    sqlite3_stmt *st;

    *out = NULL;
    struct strmap_item *item = strmap_find(&s->dicts[kind].by_text, text, strlen(text));
    if (item) {
        *out = item->as.ptr;
        return OK;
    }
    enum err_code rc = stmt_get(&st, s, SQL[kind].by_text, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, text);
    return load(out, s, kind, st, err);
}

enum err_code dict_text(const char **out, struct store *s, enum dict_kind kind, int64_t id,
                        struct err *err)
{
    struct dict *d = &s->dicts[kind];
    struct dict_entry *entry = id > 0 && id < d->cap ? d->by_id[id] : NULL;
    sqlite3_stmt *st;

    *out = NULL;
    if (!entry) {
        enum err_code rc = stmt_get(&st, s, SQL[kind].by_id, err);
        if (rc != OK)
            return rc;
        sqlite3_bind_int64(st, 1, id);
        rc = load(&entry, s, kind, st, err);
        if (rc != OK)
            return rc;
    }
    if (!entry)
        return err_set(err, ERR_STORE,
                       "%s: table %s has no row %lld, which other rows name; "
                       "restore a backup",
                       s->path, SQL[kind].table, (long long)id);
    *out = entry->text;
    return OK;
}

void dict_change(struct store *s, struct dict_entry *entry)
{
    if (entry->is_changed)
        return;
    entry->is_changed = true;
    entry->was_stored = entry->is_stored;
    entry->saved_first = entry->first;
    entry->saved_head = entry->head;
    entry->next_changed = s->changed;
    s->changed = entry;
}

/* Add the row of an entry: new, or left over in memory by a rollback. */
static enum err_code insert(struct store *s, enum dict_kind kind, struct dict_entry *entry,
                            struct err *err)
{
    sqlite3_stmt *st;

    enum err_code rc = stmt_get_write(&st, s, SQL[kind].insert, err);
    if (rc != OK)
        return rc;
    dict_change(s, entry);
    sqlite3_bind_int64(st, 1, entry->id);
    bind_text(st, 2, entry->text);
    rc = stmt_run(s, st, SQL[kind].table, err);
    if (rc == OK)
        entry->is_stored = true;
    return rc;
}

enum err_code dict_intern(struct dict_entry **out, struct store *s, enum dict_kind kind,
                          const char *text, struct err *err)
{
    struct dict *d = &s->dicts[kind];

    enum err_code rc = dict_find(out, s, kind, text, err);
    if (rc != OK || (*out && (*out)->is_stored))
        return rc;
    if (!*out && !d->next_id) {
        rc = stmt_int(&d->next_id, s, SQL[kind].last, 0, SQL[kind].table, err);
        d->next_id++;
    }
    if (rc == OK && !*out)
        rc = keep(out, s, kind, d->next_id++, text, err);
    if (rc == OK)
        rc = insert(s, kind, *out, err);
    return rc;
}

enum err_code dict_flush(struct store *s, struct err *err)
{
    static const char HEAD[] = "INSERT INTO subject_head (subject, first, head) VALUES (?1, ?2, ?3)"
                               " ON CONFLICT (subject) DO UPDATE SET head = excluded.head";
    sqlite3_stmt *st;

    for (struct dict_entry *entry = s->changed; entry; entry = entry->next_changed) {
        if (entry->head == entry->saved_head)
            continue;
        enum err_code rc = stmt_get_write(&st, s, HEAD, err);
        if (rc != OK)
            return rc;
        sqlite3_bind_int64(st, 1, entry->id);
        sqlite3_bind_int64(st, 2, entry->first);
        sqlite3_bind_int64(st, 3, entry->head);
        rc = stmt_run(s, st, "write a subject's chain", err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static void forget_changes(struct store *s, bool undo)
{
    for (struct dict_entry *entry = s->changed; entry; entry = entry->next_changed) {
        entry->is_changed = false;
        if (!undo)
            continue;
        entry->is_stored = entry->was_stored;
        entry->first = entry->saved_first;
        entry->head = entry->saved_head;
    }
    s->changed = NULL;
}

void dict_committed(struct store *s)
{
    forget_changes(s, false);
}

void dict_rolled_back(struct store *s)
{
    forget_changes(s, true);
}

void dict_fini(struct store *s)
{
    for (int kind = 0; kind < DICT_KINDS; kind++) {
        strmap_fini(&s->dicts[kind].by_text);
        free(s->dicts[kind].by_id);
    }
    arena_fini(&s->arena);
}
