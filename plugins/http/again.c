/* again.c - see again.h. A table of small sets: what comes takes the place of what nobody has asked
 * for the longest, among the few that its key could be with. */
#include "again.h"

#include <stdlib.h>
#include <string.h>

#include "encode.h"

#define SETS      256u
#define WAYS      4u
#define BYTES_MAX (32u * 1024)          /* of an answer; what is longer is not kept */
#define BASIS     14695981039346656037u /* FNV-1a */
#define PRIME     1099511628211u

struct slot {
    char *key; /* NULL: free */
    bool packed;
    uint64_t mark;
    struct MHD_Response *response;
    size_t bytes;
    uint64_t used; /* by again.turn */
};

struct again {
    struct slot sets[SETS][WAYS];
    uint64_t turn;
};

/* What a request remembers from the question to the answer. */
struct keeping {
    uint64_t mark;
    bool packed;
    char key[];
};

struct again *again_new(void)
{
    return calloc(1, sizeof(struct again));
}

static void slot_clear(struct slot *s)
{
    if (s->response)
        MHD_destroy_response(s->response); /* those who are being sent it keep it alive */
    free(s->key);
    *s = (struct slot){ 0 };
}

void again_free(struct again *k)
{
    for (size_t i = 0; k && i < SETS * WAYS; i++)
        slot_clear(&k->sets[i / WAYS][i % WAYS]);
    free(k);
}

static struct slot *set_of(struct again *k, const char *key)
{
    uint64_t hash = BASIS;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * PRIME;
    return k->sets[(hash ^ hash >> 32) % SETS];
}

static bool is_under(const struct slot *s, const char *key, bool packed)
{
    return s->key && s->packed == packed && strcmp(s->key, key) == 0;
}

/* Where it is; else the one of its set that was not used for the longest. */
static struct slot *place_of(struct again *k, const char *key, bool packed)
{
    struct slot *set = set_of(k, key), *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (is_under(&set[i], key, packed))
            return &set[i];
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    return oldest;
}

static struct keeping *keeping_new(const char *key, bool packed, uint64_t mark)
{
    size_t size = strlen(key) + 1;
    struct keeping *keeping = malloc(sizeof(*keeping) + size);

    if (!keeping)
        return NULL;
    keeping->mark = mark;
    keeping->packed = packed;
    memcpy(keeping->key, key, size);
    return keeping;
}

/* One who names what it has may be told that it is the same: that is another answer. */
bool again_answer(struct request *r, const char *key)
{
    struct server *server = r->server;
    const struct pw_host *host = server->host;

    if (!server->again || server->is_stopping || request_header(r, "If-None-Match"))
        return false;
    uint64_t mark = host->mark(host->ctx);
    if (mark == 0)
        return false;
    bool packed = wants_gzip(request_header(r, "Accept-Encoding"));
    struct slot *s = place_of(server->again, key, packed);
    if (s->mark == mark && is_under(s, key, packed)) {
        s->used = ++server->again->turn;
        reply_kept(r, 200, s->response, s->bytes);
        return true;
    }
    r->keeping = keeping_new(key, packed, mark);
    return false;
}

void again_keep(struct request *r)
{
    const struct keeping *keeping = r->keeping;

    if (!keeping || r->status != 200 || r->reply_bytes > BYTES_MAX)
        return;
    char *key = strdup(keeping->key);
    if (!key)
        return;
    struct again *again = r->server->again;
    struct slot *s = place_of(again, key, keeping->packed);
    slot_clear(s);
    *s = (struct slot){ .key = key,
                        .packed = keeping->packed,
                        .mark = keeping->mark,
                        .response = r->response,
                        .used = ++again->turn,
                        .bytes = r->reply_bytes };
    r->response = NULL; /* the table's, and libmicrohttpd's until it is sent */
}
