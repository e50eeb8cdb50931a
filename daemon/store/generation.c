/* generation.c - see generation.h. Texts are kept once, by their digest; generations name them. */
#include "store/generation.h"

#include <stdio.h>
#include <stdlib.h>
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

/* ---- since when each pack is what it is ---- */

#define PACKS_MAX 256

/* A pack in some generation: its files run together. */
struct pack_sum {
    char pack[72];
    uint8_t digest[DIGEST_BYTES];
    bool is_gone; /* it is another one, or not there, before `age` */
    struct pack_age age;
};
struct pack_sums {
    struct pack_sum items[PACKS_MAX];
    int count;
};

static struct pack_sum *sum_of(struct pack_sums *sums, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : strlen(path);

    for (int i = 0; i < sums->count; i++)
        if (strlen(sums->items[i].pack) == len && memcmp(sums->items[i].pack, path, len) == 0)
            return &sums->items[i];
    if (sums->count == PACKS_MAX || len >= sizeof(sums->items[0].pack))
        return NULL;
    struct pack_sum *sum = &sums->items[sums->count++];
    *sum = (struct pack_sum){ 0 };
    memcpy(sum->pack, path, len);
    return sum;
}

/* The packs of one generation, whose number and beginning are given. */
static enum err_code read_sums(struct pack_sums *out, struct store *s, int64_t number,
                               struct err *err)
{
    static const char SQL[] =
        "SELECT path, digest FROM pack_file WHERE generation = ?1 ORDER BY path";
    sqlite3_stmt *st;
    bool row;

    out->count = 0;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, number);
    while ((rc = stmt_row(&row, s, st, "read the packs of a generation", err)) == OK && row) {
        const char *path = column_text(st, 0);
        struct pack_sum *sum = path ? sum_of(out, path) : NULL;
        if (!sum)
            continue; /* more packs than there can be hubs: they are not told of */
        const struct digest_part parts[] = {
            { sum->digest, DIGEST_BYTES },
            { path, strlen(path) },
            { sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1) },
        };
        digest_parts(sum->digest, NULL, parts, 3);
    }
    return rc;
}

/* Is it the same in an earlier generation? */
static bool is_same(struct pack_sums *earlier, const struct pack_sum *sum)
{
    for (int i = 0; i < earlier->count; i++)
        if (strcmp(earlier->items[i].pack, sum->pack) == 0)
            return memcmp(earlier->items[i].digest, sum->digest, DIGEST_BYTES) == 0;
    return false;
}

/* Go back through the generations until each pack was another one. */
static enum err_code date_packs(struct pack_sums *now, struct pack_sums *then, struct store *s,
                                int64_t last, struct err *err)
{
    static const char SQL[] = "SELECT since FROM generation WHERE number = ?1";
    sqlite3_stmt *st;
    bool row, is_open = true;
    enum err_code rc = OK;

    for (int64_t number = last; rc == OK && number > 0 && is_open; number--) {
        is_open = false;
        rc = number == last ? OK : read_sums(then, s, number, err);
        if (rc == OK)
            rc = stmt_get(&st, s, SQL, err);
        if (rc != OK)
            return rc;
        sqlite3_bind_int64(st, 1, number);
        rc = stmt_row(&row, s, st, "read when a generation began", err);
        int64_t since = rc == OK && row ? sqlite3_column_int64(st, 0) : 0;
        if (rc == OK && row)
            stmt_done(st);
        for (int i = 0; rc == OK && i < now->count; i++) {
            struct pack_sum *sum = &now->items[i];
            sum->is_gone = sum->is_gone || (number != last && !is_same(then, sum));
            if (sum->is_gone)
                continue;
            sum->age.generation = number;
            sum->age.since = since;
            is_open = true;
        }
    }
    return rc;
}

enum err_code generation_packs(struct store *s, pack_age_fn *fn, void *arg, struct err *err)
{
    struct pack_sums *sums = calloc(2, sizeof(*sums));
    struct generation last;

    if (!sums)
        return store_no_memory(s, "read the packs", err);
    enum err_code rc = generation_last(&last, s, err);
    if (rc == OK)
        rc = read_sums(&sums[0], s, last.number, err);
    if (rc == OK)
        rc = date_packs(&sums[0], &sums[1], s, last.number, err);
    for (int i = 0; rc == OK && i < sums[0].count; i++) {
        struct pack_sum *sum = &sums[0].items[i];
        sum->age.pack = sum->pack;
        digest_hex(sum->digest, sum->age.digest);
        rc = fn(&sum->age, arg, err);
    }
    free(sums);
    return rc;
}

struct age_search {
    const char *pack;
    int64_t generation;
};

static enum err_code take_age(const struct pack_age *age, void *arg, struct err *err)
{
    struct age_search *search = arg;

    (void)err;
    if (strcmp(age->pack, search->pack) == 0)
        search->generation = age->generation;
    return OK;
}

enum err_code generation_before(int64_t *out, struct store *s, const char *pack, struct err *err)
{
    struct age_search search = { .pack = pack };

    enum err_code rc = generation_packs(s, take_age, &search, err);
    *out = search.generation - 1;
    if (rc == OK && search.generation < 2)
        rc = err_set(err, ERR_ABSENT,
                     search.generation ? "%s: it has been what it is since generation 1"
                                       : "%s: no generation has such a pack",
                     pack);
    return rc;
}
