/*
 * keys.c - see internal.h. Which event has this source and id?
 *
 * An index in the database would be the one thing that appending an event writes at random: at a
 * million events it halves the throughput, and it gets worse from there. So the newest keys are a
 * hash table in memory; every so many of them become a sorted run, which is kept in the table
 * event_key as it is, and merged with its neighbours in memory, so that there are few to look into:
 * 8 bytes an event. A key is a hash; a hit is confirmed against the event.
 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#ifndef KEYS_RUN
#define KEYS_RUN 16384 /* keys of a run in its table: 128 KiB */
#endif
#define RECENT_SLOTS ((size_t)1 << 16) /* four times a run: batches may be large */
#define RECENT_MAX   (RECENT_SLOTS / 4 * 3)

/* A key has the hash above, the event's number below; 0 is none. */
#define KEY(hash, seq) ((uint64_t)(hash) << 32 | (uint64_t)(seq))
#define HASH_OF(key)   ((uint32_t)((key) >> 32))
#define SEQ_OF(key)    ((int64_t)(uint32_t)(key))

/* Keyed, so that nobody can send ids that all collide. */
uint32_t keys_hash(const struct store *s, const char *source, const char *id)
{
    return digest_short(s->note_key, source, strlen(source)) * 31u +
           digest_short(s->note_key, id, strlen(id));
}

static enum err_code no_memory(struct store *s, struct err *err)
{
    return store_no_memory(s, "remember the keys of events", err);
}

uint64_t keys_key(const struct store *s, const char *source, const char *id, int64_t seq)
{
    return KEY(keys_hash(s, source, id), seq);
}

int keys_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The first key of a sorted run that is not below `key`. Hashes are spread evenly, so it is near
 * where its value says: go from there in growing steps, then halve. */
static size_t lower_bound(const struct key_run *run, uint64_t key)
{
    size_t low = (size_t)((uint64_t)HASH_OF(key) * run->count >> 32), high = low, step = 32;

    while (low > 0 && run->keys[low - 1] >= key) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    while (high < run->count && run->keys[high] < key) {
        low = high + 1;
        high = high + step < run->count ? high + step : run->count;
        step *= 2;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Merge the last two runs. */
static bool merge_last(struct keys *k)
{
    struct key_run *a = &k->runs[k->run_count - 2], *b = a + 1;
    uint64_t *merged = malloc((a->count + b->count) * sizeof(*merged));
    size_t i = 0, j = 0, n = 0;

    if (!merged)
        return false;
    while (i < a->count && j < b->count)
        merged[n++] = a->keys[i] < b->keys[j] ? a->keys[i++] : b->keys[j++];
    memcpy(merged + n, a->keys + i, (a->count - i) * sizeof(*merged));
    memcpy(merged + n + (a->count - i), b->keys + j, (b->count - j) * sizeof(*merged));
    free(a->keys);
    free(b->keys);
    *a = (struct key_run){ merged, n + (a->count - i) + (b->count - j) };
    k->run_count--;
    return true;
}

/* `sorted` is taken over. */
static bool add_run(struct keys *k, uint64_t *sorted, size_t count)
{
    k->runs[k->run_count++] = (struct key_run){ sorted, count };
    while (k->run_count > 1 &&
           k->runs[k->run_count - 2].count < 2 * k->runs[k->run_count - 1].count)
        if (!merge_last(k))
            return false;
    return true;
}

/* The recent keys become a run, in memory and, with the next commit, in its table. */
static enum err_code end_run(struct store *s, struct err *err)
{
    struct keys *k = &s->keys;
    struct run_row *row = rows_add(&k->unwritten, sizeof(*row));
    uint64_t *sorted = malloc(k->count * sizeof(*sorted)), *written = NULL;
    size_t n = 0;

    for (size_t i = 0; sorted && i < RECENT_SLOTS; i++)
        if (k->recent[i])
            sorted[n++] = k->recent[i];
    if (sorted) {
        qsort(sorted, n, sizeof(*sorted), keys_compare);
        written = malloc(n * sizeof(*written));
    }
    if (!row || !written) {
        free(sorted);
        return no_memory(s, err);
    }
    memcpy(written, sorted, n * sizeof(*written));
    *row = (struct run_row){ k->first, k->first + (int64_t)n - 1, written, n };
    memset(k->recent, 0, RECENT_SLOTS * sizeof(*k->recent));
    k->first += (int64_t)n;
    k->count = 0;
    return add_run(k, sorted, n) ? OK : no_memory(s, err);
}

enum err_code keys_add(struct store *s, uint32_t hash, int64_t seq, struct err *err)
{
    struct keys *k = &s->keys;

    if (!k->recent && !(k->recent = calloc(RECENT_SLOTS, sizeof(*k->recent))))
        return no_memory(s, err);
    if (k->count == 0)
        k->first = seq;
    if (k->count >= RECENT_MAX && end_run(s, err) != OK)
        return err->code;
    size_t at = hash & (RECENT_SLOTS - 1);
    while (k->recent[at])
        at = (at + 1) & (RECENT_SLOTS - 1);
    k->recent[at] = KEY(hash, seq);
    k->count++;
    return OK;
}

enum err_code keys_seal(struct store *s, struct err *err)
{
    struct keys *k = &s->keys;

    if (k->count >= KEYS_RUN && end_run(s, err) != OK)
        return err->code;
    for (size_t i = 0; i < k->unwritten.count; i++) {
        struct run_row *from = (struct run_row *)k->unwritten.items + i;
        struct run_row *to = rows_add(&s->open->runs, sizeof(*to));
        uint64_t *copy = arena_alloc(&s->open->arena, from->count * sizeof(*copy));
        if (!to || !copy)
            return no_memory(s, err);
        memcpy(copy, from->keys, from->count * sizeof(*copy));
        *to = (struct run_row){ from->first, from->last, copy, from->count };
    }
    for (size_t i = 0; i < k->unwritten.count; i++)
        free((uint64_t *)(uintptr_t)((struct run_row *)k->unwritten.items)[i].keys);
    k->unwritten.count = 0;
    return OK;
}

/* ---- looking ---- */

/* Does event `seq` have this key? Another may share its hash. */
static enum err_code is_key_of(bool *out, struct store *s, int64_t seq, int64_t source,
                               const char *id, struct err *err)
{
    static const char SQL[] = "SELECT 1 FROM event_row WHERE seq = ?1 AND source = ?2 AND id = ?3";
    const struct event_row *e = tail_event(s, seq);
    sqlite3_stmt *st;

    if (e) {
        *out = e->source == source && strcmp(e->id, id) == 0;
        return OK;
    }
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int64(st, 2, source);
    bind_text(st, 3, id);
    rc = stmt_row(out, s, st, "look for an event's key", err);
    stmt_done(st);
    return rc;
}

struct wanted {
    uint32_t hash;
    int64_t source;
    const char *id;
};

/* *seq stays 0 when it is none. */
static enum err_code try_key(int64_t *seq, struct store *s, uint64_t key, const struct wanted *w,
                             struct err *err)
{
    bool found;

    enum err_code rc = is_key_of(&found, s, SEQ_OF(key), w->source, w->id, err);
    if (rc == OK && found)
        *seq = SEQ_OF(key);
    return rc;
}

enum err_code keys_find(int64_t *seq, struct store *s, uint32_t hash, int64_t source,
                        const char *id, struct err *err)
{
    const struct keys *k = &s->keys;
    const struct wanted w = { hash, source, id };
    enum err_code rc = OK;

    *seq = 0;
    for (size_t at = hash & (RECENT_SLOTS - 1); rc == OK && k->count > 0 && k->recent[at] && !*seq;
         at = (at + 1) & (RECENT_SLOTS - 1))
        if (HASH_OF(k->recent[at]) == hash)
            rc = try_key(seq, s, k->recent[at], &w, err);
    for (int r = k->run_count - 1; rc == OK && r >= 0 && !*seq; r--) {
        const struct key_run *run = &k->runs[r];
        for (size_t i = lower_bound(run, KEY(hash, 0));
             rc == OK && i < run->count && HASH_OF(run->keys[i]) == hash && !*seq; i++)
            rc = try_key(seq, s, run->keys[i], &w, err);
    }
    return rc;
}

/* ---- loading ---- */

static enum err_code load_run(struct store *s, sqlite3_stmt *st, struct err *err)
{
    struct keys *k = &s->keys;
    int64_t first = sqlite3_column_int64(st, 0), last = sqlite3_column_int64(st, 1);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 2), count = bytes / sizeof(uint64_t);

    if (first != k->first || last < first || last > s->last_seq ||
        (uint64_t)(last - first) + 1 != count || bytes % sizeof(uint64_t))
        return err_set(err, ERR_STORE,
                       "%s: the keys of events from %lld on are damaged; restore a backup", s->path,
                       (long long)k->first);
    uint64_t *keys = malloc(bytes);
    if (!keys)
        return no_memory(s, err);
    memcpy(keys, sqlite3_column_blob(st, 2), bytes);
    k->first = last + 1;
    return add_run(k, keys, count) ? OK : no_memory(s, err);
}

static enum err_code load_runs(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT first, last, keys FROM event_key ORDER BY first";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    while ((rc = stmt_row(&row, s, st, "read the keys of events", err)) == OK && row)
        if ((rc = load_run(s, st, err)) != OK)
            break;
    stmt_done(st);
    return rc;
}

enum err_code keys_load(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT seq, source, id FROM event_row WHERE seq >= ?1 ORDER BY seq";
    const char *source;
    sqlite3_stmt *st;
    bool row;

    s->keys.first = 1;
    enum err_code rc = load_runs(s, err);
    if (rc == OK)
        rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, s->keys.first);
    while ((rc = stmt_row(&row, s, st, "read the keys of events", err)) == OK && row) {
        const char *id = column_text(st, 2);
        rc = id ? dict_text(&source, s, DICT_SOURCE, sqlite3_column_int64(st, 1), err)
                : no_memory(s, err);
        if (rc == OK)
            rc = keys_add(s, keys_hash(s, source, id), sqlite3_column_int64(st, 0), err);
        if (rc != OK)
            break;
    }
    stmt_done(st);
    return rc;
}

void keys_fini(struct store *s)
{
    struct keys *k = &s->keys;

    free(k->recent);
    for (int i = 0; i < k->run_count; i++)
        free(k->runs[i].keys);
    for (size_t i = 0; i < k->unwritten.count; i++)
        free((uint64_t *)(uintptr_t)((struct run_row *)k->unwritten.items)[i].keys);
    free(k->unwritten.items);
    *k = (struct keys){ 0 };
}
