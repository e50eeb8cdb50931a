/* commit.c - see commit.h. The edges of transactions are decided here. */
#include "engine/commit.h"

#include <string.h>

#include "base/buf.h"
#include "engine/engine_internal.h"
#include "store/derived.h"

/* Events folded anew in one commit, some 10 ms; refolds beyond it are left for the slices between
 * batches, one for each subject however many of its events come meanwhile. */
#ifndef FOLD_BUDGET
#define FOLD_BUDGET 250
#endif
#define WORLD_EVENTS 20000 /* folded anew, that are kept in memory in one commit: some 20 MB */

enum err_code commit_begin(struct commit *c, struct engine *e, struct err *err)
{
    *c = (struct commit){ .engine = e };
    c->affected.arena = &c->publication.arena;
    if (engine_reload(e, err) != OK || store_begin(e->store, err) != OK)
        return err->code;
    c->is_open = true;
    struct publication *p = &c->publication;
    p->store = e->store;
    p->rules = e->rules;
    p->cache = &e->cache;
    p->failures = e->failures;
    p->debts = e->debts;
    p->fold_budget = FOLD_BUDGET;
    p->generation = e->generation;
    /* What a commit decides depends on the log and the commit list alone, so that `replay` makes
     * the same of them: it is judged at the instant that is recorded, which never runs backwards.
     */
    p->now = p->recorded = log_recorded_time(e->store, clock_now(&e->clock));
    c->last_seq = log_tip(e->store);
    c->first_seq = p->first_seq = c->last_seq + 1;
    return OK;
}

/* A commit that folds a whole nation anew does not keep all its events in memory. */
static enum err_code forget_world(struct commit *c, int64_t *folded, struct err *err)
{
    struct publication *p = &c->publication;

    if (p->folded - *folded < WORLD_EVENTS)
        return OK;
    *folded = p->folded;
    world_close(p->world);
    p->world = NULL;
    return world_open(&p->world, c->engine->store, c->last_seq, err);
}

static enum err_code publish_all(struct commit *c, struct err *err)
{
    int64_t folded = 0;

    enum err_code rc = affected_successors(&c->affected, c->engine->store, c->last_seq, err);
    for (uint32_t i = 0; i < c->affected.subjects.count && rc == OK; i++) {
        rc = publish_subject(&c->publication, c->affected.subjects.items[i].key,
                             c->affected.subjects.items[i].as.ptr, err);
        if (rc == OK)
            rc = forget_world(c, &folded, err);
    }
    return rc;
}

/* The commit list says which subjects a commit judged where its events do not. */
static bool must_list_judged(const struct commit *c)
{
    bool is_time = c->last_seq < c->first_seq && !c->publication.is_first_of_generation;
    return c->publication.deferred > 0 ||
           (is_time && log_commits(c->engine->store) + 1 >= c->engine->judged_since);
}

static enum err_code list_judged(struct buf *list, const struct commit *c, struct err *err)
{
    for (uint32_t i = 0; i < c->affected.subjects.count; i++) {
        const struct strmap_item *item = &c->affected.subjects.items[i];
        if (((const struct concern *)item->as.ptr)->is_left)
            continue;
        buf_char(list, list->len ? ',' : '[');
        json_write_cstr(list, item->key);
    }
    buf_str(list, list->len ? "]" : "[]");
    return list->failed ? err_set(err, ERR_LIMIT, "no memory to list what a commit judged") : OK;
}

static enum err_code list_commit(const struct commit *c, struct err *err)
{
    struct buf list = { 0 };
    int64_t number;
    bool is_listed = must_list_judged(c);
    enum err_code rc = is_listed ? list_judged(&list, c, err) : OK;

    if (rc == OK)
        rc = log_add_commit(&number, c->engine->store, c->first_seq, c->last_seq,
                            c->publication.recorded, c->engine->generation,
                            is_listed ? buf_cstr(&list) : NULL, err);
    buf_fini(&list);
    return rc;
}

/* Rules that are being tried take in what those in force have taken in. */
static void let_follow(const struct commit *c)
{
    struct candidate *candidate = c->engine->candidate;

    for (uint32_t i = 0; candidate && i < c->affected.subjects.count; i++) {
        const struct strmap_item *item = &c->affected.subjects.items[i];
        candidate_follow(candidate, item->key, item->as.ptr, c->publication.now);
    }
}

static void commit_fini(struct commit *c)
{
    world_close(c->publication.world);
    sending_fini(&c->sending);
    affected_fini(&c->affected);
    publication_fini(&c->publication);
}

enum err_code commit_nothing(struct commit *c)
{
    store_rollback(c->engine->store);
    commit_fini(c);
    return OK;
}

enum err_code commit_end(struct commit *c, enum err_code rc, struct err *err)
{
    struct engine *e = c->engine;
    struct publication *p = &c->publication;

    if (rc == OK)
        rc = world_open(&p->world, e->store, c->last_seq, err);
    if (rc == OK)
        rc = publish_all(c, err);
    if (rc == OK)
        rc = list_commit(c, err);
    if (rc == OK)
        rc = store_commit(e->store, err);
    else if (c->is_open) /* else it never began */
        store_rollback(e->store);
    if (rc == OK) {
        e->counts.changes += (uint64_t)p->changes;
        let_follow(c);
    } else {
        e->must_reload = e->must_reload || c->is_open;
    }
    e->counts.refolds += (uint64_t)p->refolds;
    commit_fini(c);
    return rc;
}
