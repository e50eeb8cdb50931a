/* coverage.c - see coverage.h. */
#include "engine/coverage.h"

#include <stdlib.h>

#include "engine/fold.h"
#include "engine/world.h"
#include "store/log.h"
#include "store/store.h"

enum err_code coverage_init(struct coverage *out, struct rulebook *rules, struct err *err)
{
    enum err_code rc = OK;

    *out = (struct coverage){ .rules = rules };
    while (rulebook_at(rules, out->count))
        out->count++;
    out->of = calloc((size_t)out->count + 1, sizeof(*out->of));
    if (!out->of)
        return err_set(err, ERR_LIMIT, "no memory to count what rules say");
    for (int i = 0; i < out->count && rc == OK; i++)
        rc = tallies_init(&out->of[i], rulebook_at(rules, i), err);
    return rc;
}

void coverage_fini(struct coverage *c)
{
    for (int i = 0; c->of && i < c->count; i++)
        tallies_fini(&c->of[i]);
    free(c->of);
    c->of = NULL;
}

enum err_code coverage_take(struct coverage *c, struct record *r, int64_t now, struct err *err)
{
    int i = 0;

    while (c->of[i].rules != record_ruleset(r)) /* it is one of them */
        i++;
    return tallies_take(&c->of[i], r, now, err);
}

static enum err_code take_subject(struct coverage *c, uint64_t *subjects, struct world *w,
                                  const char *subject, int64_t at, struct err *err)
{
    const struct entry *const *touching;
    size_t count;
    struct fold f = { 0 };

    if (world_touching(&touching, &count, w, subject, err) != OK)
        return err->code;
    if (count == 0 || touching[0]->key.time > at)
        return OK; /* nothing has happened to it yet */
    ++*subjects;
    enum err_code rc = fold_subject(&f, c->rules, w, subject, at, err);
    if (rc == OK)
        rc = coverage_take(c, f.record, at, err);
    fold_fini(&f);
    return rc;
}

static enum err_code take_all(struct coverage *c, uint64_t *subjects, struct world *w, int64_t at,
                              struct err *err)
{
    size_t count = 0;
    enum err_code rc = world_load_all(w, err);
    const char *const *names = rc == OK ? world_subjects(w, &count) : NULL;

    if (rc == OK && !names)
        rc = err_set(err, ERR_LIMIT, "no memory for the subjects");
    for (size_t i = 0; rc == OK && i < count; i++)
        rc = take_subject(c, subjects, w, names[i], at, err);
    return rc;
}

enum err_code coverage_database(struct coverage *c, uint64_t *subjects, const char *path,
                                int64_t at, struct err *err)
{
    struct store *store = NULL;
    struct world *world = NULL;
    int64_t last;

    *subjects = 0;
    enum err_code rc = store_open(&store, path, STORE_READ, err);
    if (rc == OK)
        rc = log_last_seq(&last, store, err);
    if (rc == OK)
        rc = world_open(&world, store, last, err);
    if (rc == OK)
        rc = take_all(c, subjects, world, at, err);
    world_close(world);
    store_close(store);
    return rc;
}
