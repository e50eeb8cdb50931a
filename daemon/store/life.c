/* life.c - see life.h. In the table meta: life.NUMBER = 'AFTER ID', for each life but the first. */
#include "store/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/derived.h"
#include "store/internal.h"
#include "store/meta.h"

#define PREFIX "life."

static enum err_code take(const char *key, const char *text, void *arg, struct err *err)
{
    struct store *s = arg;
    struct life *lives = realloc(s->lives, (s->life_count + 1) * sizeof(*lives));
    char *end = NULL;

    if (!lives)
        return store_no_memory(s, "read where the feed comes from", err);
    s->lives = lives;
    struct life *life = &lives[s->life_count];
    life->after = strtoll(text, &end, 10);
    if (end == text || *end != ' ' || strlen(end + 1) != sizeof(life->id) - 1)
        return err_set(err, ERR_STORE, "%s: the table meta has '%s' as %s; restore a backup",
                       s->path, text, key);
    memcpy(life->id, end + 1, sizeof(life->id));
    s->life_count++;
    return OK;
}

enum err_code life_load(struct store *s, struct err *err)
{
    s->life_count = 0;
    return meta_each(s, PREFIX, take, s, err);
}

const char *life_of(const struct store *s, int64_t seq)
{
    size_t i = s->life_count;

    while (i > 0 && s->lives[i - 1].after >= seq)
        i--;
    return i > 0 ? s->lives[i - 1].id : s->id;
}

int64_t life_common(const struct store *s, const char *id, size_t id_len, int64_t seq, int64_t head)
{
    int64_t end = head;

    for (size_t i = s->life_count + 1; i-- > 0;) {
        const char *own = i > 0 ? s->lives[i - 1].id : s->id;
        if (strlen(own) == id_len && memcmp(own, id, id_len) == 0)
            return seq < end ? seq : end;
        if (i > 0)
            end = s->lives[i - 1].after;
    }
    return LIFE_UNKNOWN;
}

enum err_code life_begin(struct store *s, struct err *err)
{
    static const char SQL[] = "INSERT INTO meta (key, value) VALUES (?1, ?2)";
    char key[32], text[64];
    uint8_t id[8];
    int64_t head;
    sqlite3_stmt *st;

    enum err_code rc = feed_last_seq(&head, s, err);
    if (rc == OK)
        rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    random_bytes(id, sizeof(id));
    snprintf(key, sizeof(key), PREFIX "%06zu", s->life_count + 2);
    int len = snprintf(text, sizeof(text), "%lld ", (long long)head);
    for (size_t i = 0; i < sizeof(id); i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%02x", id[i]);
    bind_text(st, 1, key);
    bind_text(st, 2, text);
    rc = stmt_run(s, st, "begin the database's next life", err);
    return rc == OK ? life_load(s, err) : rc;
}
