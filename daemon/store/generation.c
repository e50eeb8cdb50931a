/* generation.c - see generation.h. Texts are kept once, by their digest; generations name them. */
#include "store/generation.h"

#include <stdio.h>
#include <string.h>

#include "store/internal.h"

/* The generation that the statement gives, if it gives one. */
static enum err_code take_generation(struct generation *out, struct store *s, sqlite3_stmt *st,
                                     struct err *err)
{
    bool row;

    enum err_code rc = stmt_row(&row, s, st, "read a generation", err);
    if (rc != OK || !row)
        return rc;
    const char *digest = column_text(st, 1);
    if (!digest || strlen(digest) >= sizeof(out->digest)) {
        rc = err_set(err, ERR_STORE,
                     "%s: generation %lld has a digest that is none; restore a "
                     "backup",
                     s->path, (long long)sqlite3_column_int64(st, 0));
    } else {
        out->number = sqlite3_column_int64(st, 0);
        memcpy(out->digest, digest, strlen(digest) + 1);
        out->since = sqlite3_column_int64(st, 2);
    }
    stmt_done(st);
    return rc;
}

enum err_code generation_last(struct generation *out, struct store *s, struct err *err)
{
    static const char SQL[] =
        "SELECT number, digest, since FROM generation ORDER BY number DESC LIMIT 1";
    sqlite3_stmt *st;

    *out = (struct generation){ 0 };
    if (s->mode == STORE_REPLAY) {
        *out = s->replayed;
        return OK;
    }
    enum err_code rc = stmt_get(&st, s, SQL, err);
    return rc == OK ? take_generation(out, s, st, err) : rc;
}

enum err_code generation_at(struct generation *out, struct store *s, int64_t known, struct err *err)
{
    static const char SQL[] = "SELECT number, digest, since FROM generation WHERE since <= ?1"
                              " ORDER BY number DESC LIMIT 1";
    sqlite3_stmt *st;

    *out = (struct generation){ 0 };
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, known);
    return take_generation(out, s, st, err);
}

enum err_code generation_add(int64_t *number, struct store *s, const char *digest, int64_t since,
                             const struct pack_file *files, int count, struct err *err)
{
    struct arena *arena = &s->open->arena;
    struct generation last;

    *number = 0;
    enum err_code rc = generation_last(&last, s, err);
    if (rc != OK)
        return rc;
    struct generation_row *row = arena_alloc(arena, sizeof(*row));
    struct generation_file *copies = arena_alloc(arena, ((size_t)count + 1) * sizeof(*copies));
    bool ok = row && copies;
    for (int i = 0; ok && i < count; i++) {
        copies[i] = (struct generation_file){ arena_strdup(arena, files[i].path),
                                              arena_copy(arena, files[i].text, files[i].len),
                                              files[i].len };
        ok = copies[i].path && copies[i].text;
    }
    const char *digest_copy = ok ? arena_strdup(arena, digest) : NULL;
    if (!digest_copy)
        return store_no_memory(s, "add a generation", err);
    *row = (struct generation_row){ last.number + 1, since, digest_copy, copies, count };
    s->open->generation = row;
    s->replayed = (struct generation){ .number = row->number, .since = since };
    snprintf(s->replayed.digest, sizeof(s->replayed.digest), "%s", digest);
    *number = row->number;
    return OK;
}

enum err_code generation_files(struct store *s, int64_t number, pack_file_fn *fn, void *arg,
                               struct err *err)
{
    static const char SQL[] =
        "SELECT f.path, t.text FROM pack_file f JOIN pack_text t ON t.digest = f.digest"
        " WHERE f.generation = ?1 ORDER BY f.path";
    sqlite3_stmt *st;
    bool row;
    int count = 0;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, number);
    while ((rc = stmt_row(&row, s, st, "read the rules of a generation", err)) == OK && row) {
        struct pack_file file = { .path = column_text(st, 0),
                                  .text = column_text(st, 1),
                                  .len = (uint32_t)sqlite3_column_bytes(st, 1) };
        count++;
        rc = fn(&file, arg, err);
        if (rc != OK) {
            stmt_done(st);
            break;
        }
    }
    if (rc == OK && count == 0)
        rc = err_set(err, ERR_ABSENT, "%s: no rules are kept for generation %lld", s->path,
                     (long long)number);
    return rc;
}
