/* tokens.c - see tokens.h; and the question "tokens". */
#include "engine/tokens.h"

#include <string.h>

#include "base/civil.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/reader.h"
#include "store/token.h"

#define NAME_MAX_BYTES 64

static const char *const SCOPES[] = { "read", "write", "rules", "personal", "admin" };
#define SCOPE_COUNT (sizeof(SCOPES) / sizeof(SCOPES[0]))

/* ---- what is asked for ---- */

static enum err_code check_name(const char **out, const struct json *params, struct err *err)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    const struct json *name = json_get(params, "name");
    char found[80];

    if (name && name->type == JSON_STRING && name->len >= 1 && name->len <= NAME_MAX_BYTES &&
        strspn(name->as.string, ALLOWED) == name->len) {
        *out = name->as.string;
        return OK;
    }
    return err_set(err, ERR_INPUT,
                   "name: found %s, expected 1 to %d of a-z 0-9 . _ -, such as hub-07-mailer",
                   json_brief(name, found, sizeof(found)), NAME_MAX_BYTES);
}

static enum err_code check_scope(const struct json *scope, struct err *err)
{
    char found[80], hint[80];

    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (json_is_string(scope, SCOPES[i]))
            return OK;
    const char *name = scope->type == JSON_STRING ? scope->as.string : "";
    return err_set(err, ERR_INPUT,
                   "scopes: found %s, expected read, write, rules, personal, admin%s",
                   json_brief(scope, found, sizeof(found)),
                   text_hint(hint, sizeof(hint), name, SCOPES, SCOPE_COUNT));
}

static enum err_code check_hub(const struct json *hub, struct err *err)
{
    char found[80];

    if (hub->type == JSON_STRING && hub->len > 0 && hub->len <= NAME_MAX_BYTES &&
        strcspn(hub->as.string, " ,\t\n") == hub->len &&
        text_is_printable(hub->as.string, hub->len))
        return OK;
    return err_set(err, ERR_INPUT, "hubs: found %s, expected a hub's code, such as 07",
                   json_brief(hub, found, sizeof(found)));
}

/* An array of texts as words; those given twice once. */
static enum err_code write_words(struct buf *out, const struct json *list, const char *name,
                                 enum err_code (*check)(const struct json *, struct err *),
                                 struct err *err)
{
    if (!list || list->type != JSON_ARRAY || list->len == 0)
        return err_set(err, ERR_INPUT, "%s: found %s, expected an array of texts", name,
                       list && list->type == JSON_ARRAY ? "an empty array" : json_type_name(list));
    for (const struct json *item = list->as.first; item; item = item->next) {
        bool is_there = false;
        if (check(item, err) != OK)
            return err->code;
        for (const struct json *x = list->as.first; x != item; x = x->next)
            is_there = is_there || json_is_string(x, item->as.string);
        if (is_there)
            continue;
        buf_str(out, out->len ? " " : "");
        buf_str(out, item->as.string);
    }
    return OK;
}

static enum err_code read_expiry(int64_t *out, const struct json *params, int64_t now,
                                 struct err *err)
{
    const struct json *expires = json_get(params, "expires");

    *out = TIME_NEVER;
    if (!expires || expires->type == JSON_NULL)
        return OK;
    if (expires->type != JSON_STRING)
        return err_set(err, ERR_INPUT, "expires: found %s, expected a time",
                       json_type_name(expires));
    if (moment_parse(out, expires->as.string, err) != OK)
        return err_at(err, "expires");
    return *out > now ? OK : err_set(err, ERR_INPUT, "expires: %s is past", expires->as.string);
}

/* ---- what is told ---- */

static void write_array(struct buf *out, const char *words)
{
    buf_char(out, '[');
    while (*words) {
        size_t n = strcspn(words, " ");
        json_write_string(out, words, n);
        words += n;
        words += strspn(words, " ");
        buf_str(out, *words ? "," : "");
    }
    buf_char(out, ']');
}

static void write_token(struct buf *out, const struct token *t)
{
    buf_str(out, "\"name\":");
    json_write_cstr(out, t->name);
    buf_str(out, ",\"scopes\":");
    write_array(out, t->scopes);
    buf_str(out, ",\"hubs\":");
    if (t->hubs)
        write_array(out, t->hubs);
    else
        buf_str(out, "null");
    buf_str(out, ",\"created\":");
    write_moment(out, t->created);
    buf_str(out, ",\"expires\":");
    write_moment(out, t->expires);
    buf_str(out, ",\"revoked\":");
    write_moment(out, t->revoked);
}

static enum err_code write_key(const struct token *t, void *arg, struct err *err)
{
    struct buf *out = arg;
    char hex[DIGEST_HEX];

    (void)err;
    buf_str(out, out->data[out->len - 1] == '[' ? "{\"name\":" : ",{\"name\":");
    json_write_cstr(out, t->name);
    buf_printf(out, ",\"digest\":\"%s\",\"scopes\":", digest_hex(t->digest, hex));
    json_write_cstr(out, t->scopes);
    buf_str(out, ",\"hubs\":");
    json_write_cstr(out, t->hubs);
    buf_printf(out, ",\"expires\":%lld,\"revoked\":%s}", (long long)t->expires,
               t->revoked == TIME_NEVER ? "false" : "true");
    return OK;
}

/* ---- commands ---- */

static enum err_code add_token(struct buf *out, struct store *s, int64_t now,
                               const struct json *params, struct err *err)
{
    const struct json *list = json_get(params, "hubs");
    struct token t = { .created = now, .revoked = TIME_NEVER };
    struct buf scopes = { 0 }, hubs = { 0 };
    char secret[SECRET_TEXT];

    enum err_code rc = check_name(&t.name, params, err);
    if (rc == OK)
        rc = write_words(&scopes, json_get(params, "scopes"), "scopes", check_scope, err);
    if (rc == OK && list && list->type != JSON_NULL)
        rc = write_words(&hubs, list, "hubs", check_hub, err);
    if (rc == OK)
        rc = read_expiry(&t.expires, params, now, err);
    if (rc == OK && (scopes.failed || hubs.failed))
        rc = err_set(err, ERR_LIMIT, "no memory for a token");
    secret_new(secret);
    secret_digest(t.digest, secret);
    t.scopes = buf_cstr(&scopes);
    t.hubs = hubs.len ? buf_cstr(&hubs) : NULL;
    if (rc == OK)
        rc = token_put(s, &t, err);
    if (rc == OK) {
        buf_printf(out, "{\"token\":\"%s\",", secret);
        write_token(out, &t);
        buf_char(out, '}');
    }
    secret_wipe(secret, sizeof(secret));
    buf_fini(&scopes);
    buf_fini(&hubs);
    return rc;
}

enum err_code token_command(struct buf *out, struct store *s, int64_t now, const char *name,
                            const struct json *params, struct err *err)
{
    static const char *const NAMES[] = { "token.add", "token.revoke", "token.keys" };
    const char *token = NULL;
    char hint[80];
    enum err_code rc = OK;

    buf_str(out, "{\"result\":");
    if (strcmp(name, NAMES[0]) == 0) {
        rc = add_token(out, s, now, params, err);
    } else if (strcmp(name, NAMES[1]) == 0) {
        rc = check_name(&token, params, err);
        if (rc == OK)
            rc = token_revoke(s, token, now, err);
        buf_str(out, "{}");
    } else if (strcmp(name, NAMES[2]) == 0) {
        buf_str(out, "{}");
    } else {
        return err_set(err, ERR_INPUT, "unknown command '%s'%s", name,
                       text_hint(hint, sizeof(hint), name, NAMES, 2));
    }
    buf_str(out, ",\"keys\":[");
    if (rc == OK && !out->failed)
        rc = token_each(s, write_key, out, err);
    buf_str(out, "]}");
    return rc;
}

/* ---- the question ---- */

static enum err_code write_item(const struct token *t, void *arg, struct err *err)
{
    struct buf *out = arg;

    (void)err;
    buf_str(out, out->data[out->len - 1] == '[' ? "{" : ",{");
    write_token(out, t);
    buf_char(out, '}');
    return OK;
}

enum err_code answer_tokens(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { NULL };

    if (params_check(params, KNOWN, err) != OK)
        return err->code;
    buf_str(out, "{\"items\":[");
    enum err_code rc = out->failed ? OK : token_each(r->store, write_item, out, err);
    buf_str(out, "]}");
    return rc;
}
