/* packs.c - see packs.h. An attempt is kept as {"at", "error", "error_since"}, in microseconds. */
#include "engine/packs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/civil.h"
#include "base/json.h"
#include "base/strmap.h"
#include "engine/proposal.h"
#include "engine/reader.h"
#include "engine/refused.h"
#include "store/generation.h"
#include "store/meta.h"

#define ATTEMPT "attempt/"

struct attempt {
    int64_t at, error_since;
    const char *error; /* NULL: it went well */
};

static int64_t instant_in(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && v->type == JSON_INT ? v->as.integer : TIME_NEVER;
}

/* What is none is taken for no attempt: it is told, not relied on. */
static struct attempt read_attempt(struct arena *arena, const char *text)
{
    const struct json *kept = NULL;
    struct err ignored;

    if (!text || json_parse(&kept, arena, text, strlen(text), 4, &ignored) != OK)
        return (struct attempt){ TIME_NEVER, TIME_NEVER, NULL };
    const struct json *error = json_get(kept, "error");
    return (struct attempt){ instant_in(kept, "at"), instant_in(kept, "error_since"),
                             error && error->type == JSON_STRING ? error->as.string : NULL };
}

enum err_code packs_note_attempt(struct store *s, const char *pack, int64_t now, const char *error,
                                 struct err *err)
{
    struct arena arena = { 0 };
    struct buf text = { 0 };
    char key[100], *before = NULL;

    snprintf(key, sizeof(key), ATTEMPT "%s", pack);
    enum err_code rc = meta_get(&before, s, key, err);
    struct attempt last = read_attempt(&arena, before);
    buf_printf(&text, "{\"at\":%lld,\"error\":", (long long)now);
    json_write_cstr(&text, error);
    if (error)
        buf_printf(&text, ",\"error_since\":%lld",
                   (long long)(last.error ? last.error_since : now));
    buf_char(&text, '}');
    if (rc == OK && text.failed)
        rc = err_set(err, ERR_LIMIT, "no memory to note an attempt");
    if (rc == OK)
        rc = meta_put(s, key, buf_cstr(&text), err);
    buf_fini(&text);
    arena_fini(&arena);
    free(before);
    return rc;
}

enum err_code packs_note_refusals(struct store *s, const struct refusal *refusals,
                                  const char *asked, const struct refusal *wanting, int64_t now,
                                  struct err *err)
{
    enum err_code rc = store_begin(s, err);

    if (rc != OK)
        return rc;
    for (const struct refusal *r = refusals; rc == OK && r; r = r->next) {
        rc = packs_note_attempt(s, r->pack, now, r->why, err);
        if (rc == OK && refusals_have(wanting, r->pack))
            rc = refused_keep(s, asked, r->pack, r->why, err);
    }
    if (rc == OK)
        return store_commit(s, err);
    store_rollback(s);
    return rc;
}

/* ---- status ---- */

struct pack_state {
    struct pack_age age; /* generation 0: it does not judge */
    struct attempt attempt;
};
struct pack_states {
    struct arena arena;
    struct strmap packs; /* name to struct pack_state */
};

static enum err_code state_of(struct pack_state **out, struct pack_states *all, const char *pack,
                              struct err *err)
{
    struct strmap_item *item = strmap_find(&all->packs, pack, strlen(pack));
    if (!item) {
        const char *name = arena_strdup(&all->arena, pack);
        struct pack_state *state = arena_alloc(&all->arena, sizeof(*state));
        item = name && state ? strmap_add(&all->packs, name, strlen(name), NULL) : NULL;
        if (!item)
            return err_set(err, ERR_LIMIT, "no memory for the packs");
        state->age.pack = name;
        state->attempt = (struct attempt){ TIME_NEVER, TIME_NEVER, NULL };
        item->as.ptr = state;
    }
    *out = item->as.ptr;
    return OK;
}

static enum err_code take_age(const struct pack_age *age, void *arg, struct err *err)
{
    struct pack_state *state;

    if (state_of(&state, arg, age->pack, err) != OK)
        return err->code;
    const char *name = state->age.pack;
    state->age = *age;
    state->age.pack = name;
    return OK;
}

static enum err_code take_attempt(const char *key, const char *text, void *arg, struct err *err)
{
    struct pack_states *all = arg;
    struct pack_state *state;

    if (state_of(&state, all, key + strlen(ATTEMPT), err) != OK)
        return err->code;
    state->attempt = read_attempt(&all->arena, text);
    return OK;
}

static void write_state(struct buf *out, const struct pack_state *state)
{
    const struct pack_age *age = &state->age;

    buf_str(out, "{\"pack\":");
    json_write_cstr(out, age->pack);
    if (age->generation)
        buf_printf(out, ",\"generation\":%lld,\"since\":", (long long)age->generation);
    else
        buf_str(out, ",\"generation\":null,\"since\":");
    write_moment(out, age->generation ? age->since : TIME_NEVER);
    buf_str(out, ",\"digest\":");
    json_write_cstr(out, age->generation ? age->digest : NULL);
    buf_str(out, ",\"last_attempt\":");
    write_moment(out, state->attempt.at);
    buf_str(out, ",\"last_error\":");
    json_write_cstr(out, state->attempt.error);
    buf_str(out, ",\"error_since\":");
    write_moment(out, state->attempt.error_since);
    buf_char(out, '}');
}

static enum err_code read_states(struct pack_states *out, struct store *s, struct err *err)
{
    enum err_code rc = generation_packs(s, take_age, out, err);
    return rc == OK ? meta_each(s, ATTEMPT, take_attempt, out, err) : rc;
}

static void states_fini(struct pack_states *all)
{
    strmap_fini(&all->packs);
    arena_fini(&all->arena);
}

enum err_code packs_write(struct buf *out, struct store *s, struct err *err)
{
    struct pack_states all = { 0 };

    enum err_code rc = read_states(&all, s, err);
    buf_char(out, '[');
    for (uint32_t i = 0; rc == OK && i < all.packs.count; i++) {
        buf_str(out, i > 0 ? "," : "");
        write_state(out, all.packs.items[i].as.ptr);
    }
    buf_char(out, ']');
    states_fini(&all);
    return rc;
}

enum err_code packs_write_one(struct buf *out, struct store *s, const char *pack, struct err *err)
{
    struct pack_states all = { 0 };

    enum err_code rc = read_states(&all, s, err);
    const struct strmap_item *item = rc == OK ? strmap_find(&all.packs, pack, strlen(pack)) : NULL;
    if (item)
        write_state(out, item->as.ptr);
    else if (rc == OK)
        rc = err_set(err, ERR_ABSENT, "%s: there is no such pack, nor was one tried", pack);
    states_fini(&all);
    return rc;
}

/* "overlay" {hub} */
enum err_code answer_overlay(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    static const char *const KNOWN[] = { "hub", NULL };
    const char *hub;
    char pack[100];

    if (params_check(params, KNOWN, err) != OK || params_text(&hub, params, "hub", err) != OK)
        return err->code;
    if (!hub || strlen(hub) > 64)
        return err_set(err, ERR_INPUT, "hub: expected a hub's code, as 07");
    snprintf(pack, sizeof(pack), "hubs/%s", hub);
    return packs_write_one(out, r->store, pack, err);
}
