/* command.c - commands that write outside the log: people and notes. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/engine.h"
#include "engine/engine_internal.h"
#include "engine/keep.h"
#include "engine/packs.h"
#include "engine/refused.h"
#include "engine/tokens.h"
#include "model/type.h"
#include "store/keep.h"
#include "store/log.h"
#include "store/personal.h"

/* A parameter that must be a text. */
static enum err_code text_param(const char **out, const struct json *params, const char *name,
                                struct err *err)
{
    const struct json *v = json_get(params, name);

    if (!v || v->type != JSON_STRING)
        return err_set(err, ERR_INPUT, "%s: found %s, expected a text", name, json_type_name(v));
    *out = v->as.string;
    return OK;
}

static enum err_code check_person_key(const struct json *params, const char **key, struct err *err)
{
    static const struct type PERSON = { .kind = TYPE_PERSON };

    if (text_param(key, params, "key", err) != OK)
        return err->code;
    return type_check(&PERSON, json_get(params, "key"), "key", err);
}

/* Is what is kept still what `was` says it is: an object, or null for nothing? Without it, it may
 * be anything. */
static enum err_code check_was(struct store *s, const struct json *params, const char *key,
                               struct err *err)
{
    const struct json *was = json_get(params, "was");
    struct buf text = { 0 };
    char *kept = NULL;

    if (!was)
        return OK;
    enum err_code rc = person_get(&kept, s, key, err);
    if (rc != OK && rc != ERR_ABSENT)
        return rc;
    if (was->type == JSON_OBJECT)
        json_write(&text, was);
    bool is_same = kept ? text.len > 0 && strcmp(buf_cstr(&text), kept) == 0 : !text.len;
    rc =
        text.failed ? err_set(err, ERR_LIMIT, "no memory")
        : is_same
            ? OK
            : err_set(err, ERR_CONFLICT,
                      "what is kept of person '%s' has been changed meanwhile; read it again", key);
    buf_fini(&text);
    free(kept);
    return rc;
}

static enum err_code erase_person(struct store *s, const struct json *params, struct err *err)
{
    const char *key = NULL;

    if (check_person_key(params, &key, err) != OK || check_was(s, params, key, err) != OK)
        return err->code;
    return person_erase(s, key, err);
}

static enum err_code person_set(struct store *s, const struct json *params, struct err *err)
{
    const char *key = NULL;
    const struct json *details = json_get(params, "details");
    struct buf text = { 0 };

    if (check_person_key(params, &key, err) != OK)
        return err->code;
    if (!details || details->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT,
                       "details: found %s, expected an object such as {\"name\": \"Ann Lee\"}",
                       json_type_name(details));
    for (const struct json *d = details->as.first; d; d = d->next)
        if (d->type != JSON_STRING)
            return err_set(err, ERR_INPUT, "details.%s: found %s, expected a text", d->name,
                           json_type_name(d));
    if (check_was(s, params, key, err) != OK)
        return err->code;
    json_write(&text, details);
    enum err_code rc = text.failed ? err_set(err, ERR_LIMIT, "no memory")
                                   : person_put(s, key, buf_cstr(&text), err);
    buf_fini(&text);
    return rc;
}

static enum err_code take_seq(const struct logged *e, void *arg, struct err *err)
{
    (void)err;
    *(int64_t *)arg = e->seq;
    return OK;
}

static enum err_code erase_note(struct store *s, const struct json *params, struct err *err)
{
    const char *source = NULL, *id = NULL;
    bool found;
    int64_t seq = 0;

    if (text_param(&source, params, "source", err) != OK ||
        text_param(&id, params, "id", err) != OK)
        return err->code;
    enum err_code rc = log_find(&found, s, source, id, INT64_MAX, take_seq, &seq, err);
    if (rc != OK)
        return rc;
    if (!found)
        return err_set(err, ERR_ABSENT, "there is no event with source %s and id %s", source, id);
    return note_erase(s, seq, err);
}

/* The host's own: nobody outside asks for it. {"at", "packs": {"national": null, "hubs/07": "what
 * is wrong"}, "asked": DIGEST, "wanting": {"hubs/07": "what is wrong"}} */
static enum err_code note_attempts(struct store *s, const struct json *params, struct err *err)
{
    const struct json *at = json_get(params, "at"), *packs = json_get(params, "packs");
    const struct json *asked = json_get(params, "asked"), *wanting = json_get(params, "wanting");
    enum err_code rc = OK;

    for (const struct json *p = packs->as.first; p && rc == OK; p = p->next)
        rc = packs_note_attempt(s, p->name, at->as.integer,
                                p->type == JSON_STRING ? p->as.string : NULL, err);
    for (const struct json *p = wanting->as.first; p && rc == OK; p = p->next)
        rc = refused_keep(s, asked->as.string, p->name, p->as.string, err);
    return rc;
}

/* A transaction of its own, as "keep": it must not move tables. The number may come from a path. */
static enum err_code discard_aside(struct store *s, const struct json *params, struct err *err)
{
    const char *number = NULL;
    char *end = NULL;
    struct keeping k;

    if (text_param(&number, params, "number", err) != OK)
        return err->code;
    long long n = strtoll(number, &end, 10);
    if (*end || n < 1)
        return err_set(err, ERR_INPUT, "number: found '%.40s', expected a whole number from 1",
                       number);
    enum err_code rc = keep_begin(&k, s, err);
    if (rc == OK)
        rc = keep_end(&k, keep_no_aside(&k, n, err), err);
    return rc;
}

static enum err_code run(struct buf *answer, struct engine *e, const char *name,
                         const struct json *params, struct err *err)
{
    struct store *s = engine_store(e);
    static const char *const NAMES[] = { "person.set", "person.erase", "note.erase",
                                         "token.add",  "token.revoke", "rules.attempt" };
    char hint[120];

    if (strcmp(name, NAMES[0]) == 0)
        return person_set(s, params, err);
    if (strcmp(name, NAMES[1]) == 0)
        return erase_person(s, params, err);
    if (strcmp(name, NAMES[2]) == 0)
        return erase_note(s, params, err);
    if (strncmp(name, "token.", 6) == 0)
        return token_command(answer, s, engine_now(e), name, params, err);
    if (strcmp(name, NAMES[5]) == 0)
        return note_attempts(s, params, err);
    return err_set(err, ERR_INPUT, "unknown command '%s'%s", name,
                   text_hint(hint, sizeof(hint), name, NAMES, 5));
}

enum err_code engine_command(char **out, struct engine *e, const char *name,
                             const struct json *params, struct err *err)
{
    struct store *s = engine_store(e);
    struct buf answer = { 0 };

    *out = NULL;
    if (engine_reload(e, err) != OK)
        return err->code;
    if (strcmp(name, "aside.discard") == 0) {
        enum err_code done = discard_aside(s, params, err);
        if (done == OK && !(*out = strdup("{}")))
            return err_set(err, ERR_LIMIT, "no memory");
        return done;
    }
    if (strcmp(name, "keep") == 0) { /* a transaction of its own, often: it must not move tables */
        enum err_code kept = keep_all(s, params, err);
        if (kept == OK && !(*out = strdup("{}")))
            return err_set(err, ERR_LIMIT, "no memory");
        return kept;
    }
    if (store_begin(s, err) != OK)
        return err->code;
    enum err_code rc = run(&answer, e, name, params, err);
    if (rc != OK)
        store_rollback(s);
    else if ((rc = store_commit(s, err)) == OK)
        rc = store_drain(s, err); /* whoever hears that it is done finds it there */
    if (rc == OK && answer.len == 0)
        buf_str(&answer, "{}");
    if (rc == OK && !(*out = buf_take(&answer)))
        rc = err_set(err, ERR_LIMIT, "no memory");
    buf_fini(&answer);
    return rc;
}
