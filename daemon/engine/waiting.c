/* waiting.c - see waiting.h. */
#include "engine/waiting.h"

#include <string.h>

#include "base/json.h"
#include "engine/reader.h"
#include "store/derived.h"
#include "store/log.h"

struct finding {
    struct reader *r;
    struct strmap *out;
    bool others; /* somebody is due who is not held back */
};

/* Is it among the reader's slow ones, "07 13"? */
static bool is_slow(const struct reader *r, const char *key)
{
    size_t len = key ? strlen(key) : 0;

    for (const char *at = len > 0 ? r->slow : NULL; at && *at;) {
        size_t word = strcspn(at, " ");
        if (word == len && memcmp(at, key, len) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

struct said {
    struct reader *r;
    const char *hub; /* the arena's */
};

static enum err_code take_hub(const struct logged *e, void *arg, struct err *err)
{
    struct said *said = arg;
    const struct json *body;

    if (said->hub ||
        json_parse(&body, &said->r->arena, e->body, e->body_len, EVENT_MAX_DEPTH + 1, err) != OK)
        return said->hub ? OK : err->code;
    const struct json *hub = json_get(json_get(body, "data"), "hub");
    said->hub = hub && hub->type == JSON_STRING ? hub->as.string : NULL;
    return OK;
}

/* One that was never judged has no card: its events say where it belongs, as they did to who held
 * it back. */
static enum err_code is_held(bool *out, struct reader *r, const char *subject, const char *hub,
                             struct err *err)
{
    struct said said = { .r = r };
    enum err_code rc = OK;

    *out = is_slow(r, hub) || is_slow(r, subject);
    if (!*out && !hub) {
        rc = log_scan_subject(r->store, subject, INT64_MAX, take_hub, &said, err);
        *out = rc == OK && is_slow(r, said.hub);
    }
    return rc;
}

static enum err_code take_due(const char *subject, const char *hub, void *arg, struct err *err)
{
    struct finding *f = arg;
    bool held;

    if (f->others)
        return OK;
    if (is_held(&held, f->r, subject, hub, err) != OK)
        return err->code;
    f->others = !held;
    const char *name = held ? arena_strdup(&f->r->arena, subject) : NULL;
    if (held && (!name || !strmap_add(f->out, name, strlen(name), NULL)))
        return err_set(err, ERR_LIMIT, "no memory for those who wait");
    return OK;
}

enum err_code waiting_find(bool *only, struct strmap *out, struct reader *r, int64_t now,
                           struct err *err)
{
    struct finding f = { .r = r, .out = out };

    enum err_code rc = wake_each_due(r->store, now, take_due, &f, err);
    *only = rc == OK && !f.others;
    return rc;
}

size_t waiting_count(const struct strmap *waiting, const char *kind)
{
    size_t len = strlen(kind), count = 0;

    for (uint32_t i = 0; i < waiting->count; i++)
        count +=
            strncmp(waiting->items[i].key, kind, len) == 0 && waiting->items[i].key[len] == '/';
    return count;
}
