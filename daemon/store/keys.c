/*
 * keys.c - see internal.h. Which event has this source and id?
 *
 * An index in the database would be the one thing that appending an event writes at
 * random: at a million events it halves the throughput, and it gets worse from there. So the
 * table event_key only grows at its end too, and is hashed in memory, 8 bytes a slot.
 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

/* A slot holds the key's hash above, the event's number below; 0 is free. */
#define SLOT(hash, seq) ((uint64_t)(hash) << 32 | (uint64_t)(seq))
#define HASH_OF(slot)   ((uint32_t)((slot) >> 32))
#define SEQ_OF(slot)    ((int64_t)(uint32_t)(slot))

/* Keyed, so that nobody can send ids that all collide. */
uint32_t keys_hash(const struct store *s, const char *source, const char *id)
{
    const struct digest_part parts[] = { { source, strlen(source) }, { id, strlen(id) } };
    uint8_t digest[DIGEST_BYTES];

    digest_parts(digest, s->note_key, parts, 2);
    return (uint32_t)digest[0] | (uint32_t)digest[1] << 8 | (uint32_t)digest[2] << 16 |
           (uint32_t)digest[3] << 24;
}

static void place(struct keys *k, uint64_t slot)
{
    size_t at = HASH_OF(slot) & (k->cap - 1);
    while (k->slots[at])
        at = (at + 1) & (k->cap - 1);
    k->slots[at] = slot;
}

static bool grow(struct keys *k)
{
    struct keys larger = { .cap = k->cap ? 2 * k->cap : 1024, .count = k->count };

    larger.slots = calloc(larger.cap, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < k->cap; i++)
        if (k->slots[i])
            place(&larger, k->slots[i]);
    free(k->slots);
    k->slots = larger.slots;
    k->cap = larger.cap;
    return true;
}

static enum err_code remember(struct store *s, uint32_t hash, int64_t seq, struct err *err)
{
    struct keys *k = &s->keys;

    if (k->count * 4 >= k->cap * 3 && !grow(k))
        return store_no_memory(s, "remember an event's key", err);
    place(k, SLOT(hash, seq));
    k->count++;
    k->upto = seq;
    return OK;
}

/* Take in what was appended since, by this store before it was opened or by another's. */
static enum err_code catch_up(struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT seq, hash FROM event_key WHERE seq > ?1 ORDER BY seq";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, s->keys.upto);
    rc = stmt_row(&row, s, st, "read the events' keys", err);
    while (rc == OK && row) {
        rc = remember(s, (uint32_t)sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 0), err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read the events' keys", err);
    }
    stmt_done(st);
    return rc;
}

/* Does event `seq` have this key? Another may share its hash, or a rollback have taken it back. */
static enum err_code is_key_of(bool *out, struct store *s, int64_t seq, int64_t source,
                               const char *id, struct err *err)
{
    static const char SQL[] = "SELECT 1 FROM event_row WHERE seq = ?1 AND source = ?2 AND id = ?3";
    sqlite3_stmt *st;

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

enum err_code keys_find(int64_t *seq, struct store *s, uint32_t hash, int64_t source,
                        const char *id, struct err *err)
{
    struct keys *k = &s->keys;
    bool found = false;

    *seq = 0;
    enum err_code rc = s->mode == STORE_READ || k->upto < s->last_seq ? catch_up(s, err) : OK;
    if (rc != OK || !k->cap)
        return rc;
    for (size_t at = hash & (k->cap - 1); k->slots[at]; at = (at + 1) & (k->cap - 1)) {
        if (HASH_OF(k->slots[at]) != hash)
            continue;
        rc = is_key_of(&found, s, SEQ_OF(k->slots[at]), source, id, err);
        if (rc == OK && found)
            *seq = SEQ_OF(k->slots[at]);
        if (rc != OK || found)
            break;
    }
    return rc;
}

enum err_code keys_add(struct store *s, uint32_t hash, int64_t seq, struct err *err)
{
    static const char SQL[] = "INSERT INTO event_key (seq, hash) VALUES (?1, ?2)";
    sqlite3_stmt *st;

    enum err_code rc = stmt_get_write(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int64(st, 2, hash);
    rc = stmt_run(s, st, "append an event's key", err);
    return rc == OK ? remember(s, hash, seq, err) : rc;
}

void keys_fini(struct store *s)
{
    free(s->keys.slots);
}
