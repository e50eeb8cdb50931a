/* candidate.c - see candidate.h. */
#include "engine/candidate.h"

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "engine/overlay_check.h"
#include "engine/world.h"
#include "store/log.h"

/* Events folded in one slice, some 10 ms: what arrives meanwhile waits so long at most. */
#define SLICE_EVENTS 400
/* So often, on the whole, may records be made that could not follow; what is missing then is made in the commit
 * that changes over. Else a flood of late events would put it off for ever. */
#define ROUNDS 3
#define NAMED  5 /* subjects in a refusal; the others are counted */

struct candidate {
    struct rulebook *rules; /* owned; NULL: taken */
    struct live_cache records;
    struct arena names;
    const char **todo; /* owned; the names are the arena's */
    size_t count, cap, next;
    size_t subjects;    /* of the log, when it began */
    bool failed;        /* no memory to add to the list */
    struct buf refused; /* what an overlay does to subjects that the national pack does not allow */
    size_t refusals;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to judge by other rules");
}

static void add(const char *subject, void *arg)
{
    struct candidate *c = arg;

    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 1024;
        const char **grown = realloc(c->todo, cap * sizeof(*grown));
        c->failed = c->failed || !grown;
        if (!grown)
            return;
        c->todo = grown;
        c->cap = cap;
    }
    const char *name = arena_strdup(&c->names, subject);
    c->failed = c->failed || !name;
    if (name)
        c->todo[c->count++] = name;
}

enum err_code candidate_restart(struct candidate *c, struct store *s, struct err *err)
{
    live_cache_clear(&c->records);
    arena_reset(&c->names);
    c->count = c->next = c->refusals = 0;
    buf_reset(&c->refused);
    enum err_code rc = log_subjects(s, add, c, err);
    c->subjects = c->count;
    return rc == OK && c->failed ? no_memory(err) : rc;
}

enum err_code candidate_new(struct candidate **out, struct rulebook *rules, struct store *s,
                            size_t limit, struct err *err)
{
    struct candidate *c = calloc(1, sizeof(*c));

    *out = NULL;
    if (!c)
        return no_memory(err);
    live_cache_init(&c->records, limit);
    enum err_code rc = candidate_restart(c, s, err);
    if (rc == OK) {
        c->rules = rules;
        *out = c;
    } else {
        candidate_free(c);
    }
    return rc;
}

void candidate_free(struct candidate *c)
{
    if (!c)
        return;
    live_cache_fini(&c->records); /* they live in the rules' Lua state */
    rulebook_free(c->rules);
    arena_fini(&c->names);
    buf_fini(&c->refused);
    free(c->todo);
    free(c);
}

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

/* Fold it and run its rules: when it is judged again, only what has changed by then is run. */
static enum err_code make(struct live **out, struct candidate *c, struct world *w,
                          const char *subject, int64_t now, struct err *err)
{
    int64_t wake;

    enum err_code rc = live_build(out, &c->records, c->rules, w, subject, now, err);
    if (rc != OK || !(*out)->last.id)
        return rc;
    return record_rejudge(&wake, (*out)->fold.record, now, take_nothing, NULL, err);
}

static void refuse(const struct overlay_refusal *r, void *arg)
{
    struct candidate *c = arg;

    if (c->refusals++ >= NAMED)
        return;
    buf_printf(&c->refused, "%shub %s: %s, %s", c->refusals > 1 ? "; " : "", r->hub, r->subject,
               r->what);
    if (r->national && r->here)
        buf_printf(&c->refused, " would be %s in place of %s", r->here, r->national);
    buf_printf(&c->refused, ": %s", r->why);
}

/* What its hub's overlay makes of it. */
static enum err_code look_at(struct candidate *c, struct world *w, const struct live *l,
                             int64_t *folded, int64_t now, struct err *err)
{
    if (!overlay_check_concerns(&l->fold))
        return OK;
    *folded += 3 * l->fold_events; /* it is folded so often */
    return overlay_check_subject(c->rules, w, l->subject, now, refuse, c, err);
}

static enum err_code refusal(struct candidate *c, struct err *err)
{
    if (c->refusals <= NAMED)
        return err_set(err, ERR_RULE, "%s", buf_cstr(&c->refused));
    return err_set(err, ERR_RULE, "%s; and %zu more like these", buf_cstr(&c->refused),
                   c->refusals - NAMED);
}

enum err_code candidate_slice(bool *done, struct candidate *c, struct store *s, int64_t now,
                              struct err *err)
{
    struct world *w = NULL;
    int64_t folded = 0;

    crash_point("generation");
    *done = false;
    enum err_code rc = c->failed ? no_memory(err) : world_open(&w, s, log_tip(s), err);
    for (; rc == OK && c->next < c->count && folded < SLICE_EVENTS; c->next++) {
        struct live *l = live_find(&c->records, c->todo[c->next]);
        if (l)
            continue;
        rc = make(&l, c, w, c->todo[c->next], now, err);
        folded += rc == OK ? l->fold_events + 1 : 0;
        if (rc == OK)
            rc = look_at(c, w, l, &folded, now, err);
    }
    world_close(w);
    *done = rc == OK && (c->next == c->count || c->next > (c->subjects + 1000) * ROUNDS);
    return *done && c->refusals > 0 ? refusal(c, err) : rc;
}

static bool take(struct candidate *c, struct live *l, const struct concern *concern, int64_t now)
{
    struct err why;
    uint64_t skipped = l->fold.skipped;

    bool taken = !concern->must_refold && !concern->is_left &&
                 live_can_take(l, concern->events, concern->count, now) &&
                 live_take(l, concern->events, concern->count, now, &why) == OK;
    c->records.skipped += l->fold.skipped - skipped;
    return taken;
}

void candidate_follow(struct candidate *c, const char *subject, const struct concern *concern,
                      int64_t now)
{
    struct live *l = live_find(&c->records, subject);

    if (l && concern->count == 0 && !concern->must_refold && !concern->is_left)
        return; /* its time has come: that is for the one who judges it next */
    if (l && take(c, l, concern, now))
        return;
    if (l)
        live_drop(&c->records, l);
    add(subject, c);
}

void candidate_progress(const struct candidate *c, struct candidate_progress *out)
{
    *out = (struct candidate_progress){ .done = c->next, .of = c->count };
}

struct rulebook *candidate_take(struct candidate *c, struct live_cache *records)
{
    struct rulebook *rules = c->rules;

    *records = c->records;
    live_cache_init(&c->records, 0);
    c->rules = NULL;
    return rules;
}
