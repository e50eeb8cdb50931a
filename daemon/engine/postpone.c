/* postpone.c - see postpone.h. */
#include "engine/postpone.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "store/derived.h"

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to leave a subject for later");
}

/* The hub that it belongs to, as far as that is known without folding it: by its record, by its
 * card, by what is said of a subject that is new. The caller frees it; NULL: not known. */
static enum err_code guess_hub(char **out, struct publication *p, const char *subject,
                               const struct live *l, const struct concern *concern, struct err *err)
{
    const char *hub = l ? ruleset_hub(record_ruleset(l->fold.record)) : NULL;

    *out = NULL;
    if (!l) {
        enum err_code rc = subject_hub_kept(out, p->store, subject, err);
        if (rc != OK || *out)
            return rc;
    }
    for (size_t i = 0; !l && !hub && i < concern->count; i++) {
        const struct json *said = json_get(concern->events[i]->data, "hub");
        hub = said && said->type == JSON_STRING ? said->as.string : NULL;
    }
    if (hub && !(*out = strdup(hub)))
        return no_memory(err);
    return OK;
}

enum err_code postpone_is_held(bool *out, struct publication *p, const char *subject,
                               const struct live *l, const struct concern *concern, struct err *err)
{
    char *hub = NULL;

    *out = false;
    if (!p->debts || p->only || p->is_first_of_generation || !debts_are_owed(p->debts))
        return OK;
    enum err_code rc = guess_hub(&hub, p, subject, l, concern, err);
    if (rc == OK && debts_must_wait(p->debts, subject, hub)) {
        *out = true;
        rc = debts_hold(p->debts, subject, hub, err);
    }
    free(hub);
    return rc;
}

bool postpone_must(const struct publication *p, const char *subject, bool is_rebuilt)
{
    if (p->only)
        return !strmap_find(p->only, subject, strlen(subject));
    return is_rebuilt && p->folded >= p->fold_budget;
}

static enum err_code defer(struct publication *p, const char *subject,
                           const struct concern *concern, struct err *err)
{
    struct live *l = live_find(p->cache, subject);
    struct buf causes = { 0 };

    if (l)
        live_drop(p->cache, l);
    p->deferred++;
    write_causes(&causes, concern->causes);
    enum err_code rc = causes.failed ? no_memory(err) : wake_put(p->store, subject, p->now, err);
    if (rc == OK && causes.len > 0)
        rc = pending_add(p->store, subject, buf_cstr(&causes), err);
    buf_fini(&causes);
    return rc;
}

/* A subject that time alone asks for stays due, since whenever it was. */
enum err_code postpone(struct publication *p, const char *subject, struct concern *concern,
                       struct err *err)
{
    concern->is_left = true;
    if (concern->causes)
        return defer(p, subject, concern, err);
    p->left++;
    return OK;
}

enum err_code postpone_held(struct publication *p, const char *subject, struct concern *concern,
                            struct err *err)
{
    struct live *l = live_find(p->cache, subject);

    if (l) /* it may have taken in what is not published */
        live_drop(p->cache, l);
    enum err_code rc = postpone(p, subject, concern, err);
    if (rc == OK)
        wake_hold(p->store, subject);
    return rc;
}
