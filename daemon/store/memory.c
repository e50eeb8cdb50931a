/* memory.c - see internal.h. What a store that writes holds in memory: loaded when it is opened,
 * and after a failure. */
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

enum err_code watermark_load(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT number, seq, feed, is_whole FROM watermark";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_row(&row, s, st, "read the watermark", err);
    if (rc != OK)
        return rc;
    if (!row)
        return err_set(err, ERR_STORE, "%s: the table watermark is empty; restore a backup",
                       s->path);
    s->watermark = (struct watermark){ .commit = sqlite3_column_int64(st, 0),
                                       .seq = sqlite3_column_int64(st, 1),
                                       .feed = sqlite3_column_int64(st, 2),
                                       .is_whole = sqlite3_column_int(st, 3) != 0 };
    stmt_done(st);
    return OK;
}

/* ---- successions, voids ---- */

enum err_code successor_add(struct store *s, int64_t seq, struct dict_entry *predecessor,
                            struct dict_entry *successor, struct err *err)
{
    struct successor *added = arena_alloc(&s->arena, sizeof(*added));

    if (!added)
        return store_no_memory(s, "remember a succession", err);
    *added = (struct successor){ predecessor->successors, successor, seq };
    predecessor->successors = added;
    return OK;
}

static const char *voided_key(char *few, size_t size, struct arena *arena, const char *source,
                              const char *id, size_t *len)
{
    size_t source_len = strlen(source) + 1, id_len = strlen(id);
    char *key = source_len + id_len <= size ? few : arena_alloc(arena, source_len + id_len);

    *len = source_len + id_len;
    if (key) {
        memcpy(key, source, source_len);
        memcpy(key + source_len, id, id_len);
    }
    return key;
}

enum err_code voided_add(struct store *s, const char *source, const char *id, struct err *err)
{
    size_t len;
    const char *key = voided_key(NULL, 0, &s->arena, source, id, &len);

    return key && strmap_add(&s->voided, key, len, NULL)
               ? OK
               : store_no_memory(s, "remember a void", err);
}

bool voided_has(const struct store *s, const char *source, const char *id)
{
    char few[512];
    struct arena scratch = { 0 };
    size_t len;

    if (s->voided.count == 0)
        return false;
    const char *key = voided_key(few, sizeof(few), &scratch, source, id, &len);
    bool found = !key || strmap_find(&s->voided, key, len); /* no memory: look closer */
    arena_fini(&scratch);
    return found;
}

static enum err_code load_voids(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT source, id FROM event_void";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    while ((rc = stmt_row(&row, s, st, "read the voids", err)) == OK && row) {
        const char *source = column_text(st, 0), *id = column_text(st, 1);
        rc = source && id ? voided_add(s, source, id, err)
                          : store_no_memory(s, "read the voids", err);
        if (rc != OK)
            break;
    }
    stmt_done(st);
    return rc;
}

static enum err_code load_successions(struct store *s, struct err *err)
{
    static const char SQL[] =
        "SELECT predecessor, successor, seq FROM event_succession ORDER BY seq";
    struct dict_entry *predecessor, *successor;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    while ((rc = stmt_row(&row, s, st, "read the successions", err)) == OK && row) {
        rc = dict_entry_of(&predecessor, s, DICT_SUBJECT, sqlite3_column_int64(st, 0), err);
        if (rc == OK)
            rc = dict_entry_of(&successor, s, DICT_SUBJECT, sqlite3_column_int64(st, 1), err);
        if (rc == OK)
            rc = successor_add(s, sqlite3_column_int64(st, 2), predecessor, successor, err);
        if (rc != OK)
            break;
    }
    stmt_done(st);
    return rc;
}

/* ---- subjects ---- */

static enum err_code load_subjects(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT id, head, due, causes FROM subject_row";
    struct dict_entry *entry;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    while ((rc = stmt_row(&row, s, st, "read the subjects", err)) == OK && row) {
        rc = dict_entry_of(&entry, s, DICT_SUBJECT, sqlite3_column_int64(st, 0), err);
        if (rc != OK)
            break;
        entry->head = sqlite3_column_int64(st, 1);
        entry->is_stored = true;
        if (sqlite3_column_type(st, 2) != SQLITE_NULL &&
            (rc = wake_set(s, entry, sqlite3_column_int64(st, 2), err)) != OK)
            break;
        if (sqlite3_column_type(st, 3) == SQLITE_NULL)
            continue;
        if (!(entry->causes = strdup(column_text(st, 3)))) {
            rc = store_no_memory(s, "read the subjects", err);
            break;
        }
        s->pending++;
    }
    stmt_done(st);
    return rc;
}

enum err_code memory_load(struct store *s, struct err *err)
{
    enum err_code rc = log_load_end(s, err);

    if (rc == OK)
        rc = watermark_load(s, err);
    if (rc == OK)
        rc = dict_load(s, DICT_SUBJECT, err);
    if (rc == OK)
        rc = load_subjects(s, err);
    if (rc == OK)
        rc = touches_load_heads(s, s->watermark.seq, err); /* events beyond it have moved heads */
    if (rc == OK)
        rc = load_voids(s, err);
    if (rc == OK)
        rc = load_successions(s, err);
    if (rc == OK)
        rc = keys_load(s, err);
    s->swept_seq = s->last_seq;
    return rc;
}

void memory_fini(struct store *s)
{
    behind_fini(s);
    free(s->wakes.items);
    s->wakes = (struct entries){ 0 };
    strmap_fini(&s->voided);
    keys_fini(s);
    dict_fini(s);
    buf_fini(&s->touches);
    free(s->decisions);
    s->decisions = NULL;
    s->layout = NULL;
    s->last_seq = s->last_commit = s->last_change = s->pending = 0;
    s->last_recorded = INT64_MIN;
}
