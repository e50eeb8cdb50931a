/* dict.c - see internal.h. Entries are loaded when first met, or all at once; new ones go into the
 * open batch, with numbers in the order in which they were met. */
#include "store/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX (1 << 24) /* a larger id is damage, not data: it would only eat memory */

static const struct {
    const char *table, *by_text, *by_id, *all, *insert, *last;
} SQL[DICT_KINDS] = {
#define DICT(t)                                                                                    \
    {                                                                                              \
        t, "SELECT id, text FROM " t " WHERE text = ?1",                                           \
            "SELECT id, text FROM " t " WHERE id = ?1", "SELECT id, text FROM " t " ORDER BY id",  \
            "INSERT INTO " t " (id, text) VALUES (?1, ?2)", "SELECT max(id) FROM " t               \
    }
    [DICT_SOURCE] = DICT("source_name"),     [DICT_TYPE] = DICT("type_name"),
    [DICT_SUBJECT] = DICT("subject_name"),   [DICT_DECISION] = DICT("decision_name"),
    [DICT_LAYOUT] = DICT("decision_layout"),
#undef DICT
};

const char *dict_insert_sql(enum dict_kind kind)
{
    return SQL[kind].insert;
}

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
    entry->due = TIME_NEVER;
    d->by_id[id] = entry;
    *out = entry;
    return OK;
}

/* Take in the row that `st` stands on. */
static enum err_code take_row(struct dict_entry **out, struct store *s, enum dict_kind kind,
                              sqlite3_stmt *st, struct err *err)
{
    const char *text = column_text(st, 1);
    const struct dict *d = &s->dicts[kind];
    int64_t id = sqlite3_column_int64(st, 0);

    if (id > 0 && id < d->cap && d->by_id[id]) {
        *out = d->by_id[id];
        return OK;
    }
    return text ? keep(out, s, kind, sqlite3_column_int64(st, 0), text, err)
                : store_no_memory(s, SQL[kind].table, err);
}

/* Take in the row that `st` finds, if any. */
static enum err_code load(struct dict_entry **out, struct store *s, enum dict_kind kind,
                          sqlite3_stmt *st, struct err *err)
{
    bool row;

    enum err_code rc = stmt_row(&row, s, st, SQL[kind].table, err);
    if (rc != OK || !row)
        return rc;
    rc = take_row(out, s, kind, st, err);
    stmt_done(st);
    return rc;
}

/* A replay makes its dictionaries itself: it must come to the same numbers. */
static bool is_made_here(const struct store *s)
{
    return s->mode == STORE_REPLAY;
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
    if (is_made_here(s) || (kind == DICT_SUBJECT && s->dicts[kind].next_id))
        return OK; /* all that there are have been loaded */
    enum err_code rc = stmt_get(&st, s, SQL[kind].by_text, err);
    if (rc != OK)
        return rc;
    bind_text(st, 1, text);
    return load(out, s, kind, st, err);
}

enum err_code dict_entry_of(struct dict_entry **out, struct store *s, enum dict_kind kind,
                            int64_t id, struct err *err)
{
    struct dict *d = &s->dicts[kind];
    struct dict_entry *entry = id > 0 && id < d->cap ? d->by_id[id] : NULL;
    sqlite3_stmt *st;

    *out = entry;
    if (entry)
        return OK;
    if (!is_made_here(s)) {
        enum err_code rc = stmt_get(&st, s, SQL[kind].by_id, err);
        if (rc != OK)
            return rc;
        sqlite3_bind_int64(st, 1, id);
        rc = load(out, s, kind, st, err);
        if (rc != OK || *out)
            return rc;
    }
    return err_set(err, ERR_STORE,
                   "%s: table %s has no row %lld, which other rows name; "
                   "restore a backup",
                   s->path, SQL[kind].table, (long long)id);
}

enum err_code dict_text(const char **out, struct store *s, enum dict_kind kind, int64_t id,
                        struct err *err)
{
    struct dict_entry *entry;

    enum err_code rc = dict_entry_of(&entry, s, kind, id, err);
    *out = rc == OK ? entry->text : NULL;
    return rc;
}

enum err_code dict_load(struct store *s, enum dict_kind kind, struct err *err)
{
    struct dict_entry *entry;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL[kind].all, err);
    if (rc != OK)
        return rc;
    s->dicts[kind].next_id = 1;
    while ((rc = stmt_row(&row, s, st, SQL[kind].table, err)) == OK && row) {
        if ((rc = take_row(&entry, s, kind, st, err)) != OK)
            break;
        s->dicts[kind].next_id = entry->id + 1;
    }
    stmt_done(st);
    return rc;
}

enum err_code dict_intern(struct dict_entry **out, struct store *s, enum dict_kind kind,
                          const char *text, struct err *err)
{
    struct dict *d = &s->dicts[kind];

    enum err_code rc = dict_find(out, s, kind, text, err);
    if (rc != OK || *out)
        return rc;
    assert(s->open);
    if (!d->next_id && is_made_here(s)) {
        d->next_id = 1;
    } else if (!d->next_id) {
        rc = stmt_int(&d->next_id, s, SQL[kind].last, 0, SQL[kind].table, err);
        d->next_id++;
    }
    if (rc == OK)
        rc = keep(out, s, kind, d->next_id++, text, err);
    struct name_row *row = rc == OK ? rows_add(&s->open->names, sizeof(*row)) : NULL;
    if (!row)
        return rc == OK ? store_no_memory(s, SQL[kind].table, err) : rc;
    *row = (struct name_row){ kind, (*out)->id, (*out)->text };
    return OK;
}

void dict_fini(struct store *s)
{
    for (int kind = 0; kind < DICT_KINDS; kind++) {
        strmap_fini(&s->dicts[kind].by_text);
        free(s->dicts[kind].by_id);
        s->dicts[kind] = (struct dict){ 0 };
    }
    arena_fini(&s->arena);
}
