/* generation.c - see generation.h. Texts are kept once, by their digest; generations name them. */
#include "store/generation.h"

#include <string.h>

#include "store/internal.h"

enum err_code generation_last(struct generation *out, struct store *s, struct err *err)
{
    static const char SQL[] =
        "SELECT number, digest, since FROM generation ORDER BY number DESC LIMIT 1";
    sqlite3_stmt *st;
    bool row;

    *out = (struct generation){ 0 };
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc == OK)
        rc = stmt_row(&row, s, st, "read the last generation", err);
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

static enum err_code add_text(struct store *s, const uint8_t digest[DIGEST_BYTES],
                              const struct pack_file *file, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO pack_text (digest, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_blob(st, 1, digest, DIGEST_BYTES, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, file->text, (int)file->len, SQLITE_STATIC);
    return stmt_run(s, st, "keep a rules file", err);
}

static enum err_code add_file(struct store *s, int64_t generation, const struct pack_file *file,
                              struct err *err)
{
    static const char SQL[] =
        "INSERT INTO pack_file (generation, path, digest) VALUES (?1, ?2, ?3)";
    const struct digest_part part = { file->text, file->len };
    uint8_t digest[DIGEST_BYTES];
    sqlite3_stmt *st;

    digest_parts(digest, NULL, &part, 1);
    enum err_code rc = add_text(s, digest, file, err);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, generation);
    bind_text(st, 2, file->path);
    sqlite3_bind_blob(st, 3, digest, DIGEST_BYTES, SQLITE_STATIC);
    return stmt_run(s, st, "keep a rules file", err);
}

enum err_code generation_add(int64_t *number, struct store *s, const char *digest, int64_t since,
                             const struct pack_file *files, int count, struct err *err)
{
    static const char SQL[] = "INSERT INTO generation (number, digest, since) VALUES (?1, ?2, ?3)";
    struct generation last;
    sqlite3_stmt *st;

    *number = 0;
    enum err_code rc = generation_last(&last, s, err);
    if (rc == OK)
        rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, last.number + 1);
    bind_text(st, 2, digest);
    sqlite3_bind_int64(st, 3, since);
    rc = stmt_run(s, st, "add a generation", err);
    for (int i = 0; rc == OK && i < count; i++)
        rc = add_file(s, last.number + 1, &files[i], err);
    if (rc == OK)
        *number = last.number + 1;
    return rc;
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
