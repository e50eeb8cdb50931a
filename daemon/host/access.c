/* access.c - see access.h. */
#include "host/access.h"

#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/secret.h"

#define ANSWER_DEPTH 8

struct access_key {
    uint8_t digest[DIGEST_BYTES];
    struct pw_identity who; /* its texts are the arena's */
    int64_t expires;
    bool is_revoked;
};

static unsigned read_scopes(const char *words)
{
    static const struct {
        const char *name;
        unsigned bit;
    } SCOPES[] = { { "read", PW_READ },
                   { "write", PW_WRITE },
                   { "rules", PW_RULES },
                   { "personal", PW_PERSONAL },
                   { "admin", PW_ADMIN } };
    unsigned scopes = 0;

    while (*words) {
        size_t n = strcspn(words, " ");
        for (size_t i = 0; i < sizeof(SCOPES) / sizeof(SCOPES[0]); i++)
            if (strlen(SCOPES[i].name) == n && strncmp(words, SCOPES[i].name, n) == 0)
                scopes |= SCOPES[i].bit;
        words += n;
        words += strspn(words, " ");
    }
    return scopes;
}

static bool read_key(struct access_key *out, struct arena *arena, const struct json *key)
{
    const struct json *name = json_get(key, "name"), *digest = json_get(key, "digest"),
                      *scopes = json_get(key, "scopes"), *hubs = json_get(key, "hubs"),
                      *expires = json_get(key, "expires"), *revoked = json_get(key, "revoked");

    if (!name || name->type != JSON_STRING || !digest || digest->type != JSON_STRING || !scopes ||
        scopes->type != JSON_STRING || !expires || expires->type != JSON_INT || !revoked ||
        !digest_from_hex(out->digest, digest->as.string))
        return false;
    out->who.size = sizeof(out->who);
    out->who.name = arena_strdup(arena, name->as.string);
    out->who.scopes = read_scopes(scopes->as.string);
    bool is_bound = hubs && hubs->type == JSON_STRING;
    out->who.hubs = is_bound ? arena_strdup(arena, hubs->as.string) : NULL;
    out->expires = expires->as.integer;
    out->is_revoked = revoked->type == JSON_BOOL && revoked->as.boolean;
    return out->who.name && (!is_bound || out->who.hubs);
}

enum err_code access_take(struct access *a, struct buf *result, const char *answer, struct err *err)
{
    struct access fresh = { .is_known = true };
    struct arena scratch = { 0 };
    const struct json *tree = NULL;

    enum err_code rc = json_parse(&tree, &scratch, answer, strlen(answer), ANSWER_DEPTH, err);
    const struct json *keys = json_get(tree, "keys");
    if (rc == OK && (!keys || keys->type != JSON_ARRAY))
        rc = err_set(err, ERR_STORE, "the tokens could not be read");
    if (rc == OK)
        fresh.keys = arena_alloc(&fresh.arena, (keys->len + 1) * sizeof(*fresh.keys));
    if (rc == OK && !fresh.keys)
        rc = err_set(err, ERR_LIMIT, "no memory for the tokens");
    for (const struct json *key = rc == OK ? keys->as.first : NULL; key && rc == OK;
         key = key->next)
        if (!read_key(&fresh.keys[fresh.count++], &fresh.arena, key))
            rc = err_set(err, ERR_LIMIT, "no memory for the tokens");
    if (rc == OK && result)
        json_write(result, json_get(tree, "result"));
    arena_fini(&scratch);
    if (rc != OK) {
        arena_fini(&fresh.arena);
        return rc;
    }
    access_fini(a);
    *a = fresh;
    return OK;
}

/* All are compared, so that the time it takes tells nothing. */
static const struct access_key *find(const struct access *a, const char *token)
{
    const struct access_key *found = NULL;
    uint8_t digest[DIGEST_BYTES];

    secret_digest(digest, token);
    for (size_t i = 0; i < a->count; i++)
        if (digest_is_same(digest, a->keys[i].digest))
            found = &a->keys[i];
    return found;
}

enum pw_status access_identify(const struct access *a, const char *token, int64_t now,
                               struct pw_identity *out)
{
    if (!a->is_known)
        return PW_BUSY;
    if (!token)
        return a->count == 0 ? PW_OK : PW_ABSENT;
    const struct access_key *key = find(a, token);
    if (!key || key->is_revoked || key->expires <= now)
        return PW_ABSENT;
    *out = key->who;
    return PW_OK;
}

void access_fini(struct access *a)
{
    arena_fini(&a->arena);
    *a = (struct access){ 0 };
}
