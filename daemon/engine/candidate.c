/* candidate.c - see candidate.h. What is wrong with packs is gathered in wanting.c. */
#include "engine/candidate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "engine/overlay_check.h"
#include "engine/wanting.h"
#include "engine/world.h"
#include "store/log.h"

/* Events folded in one slice, some 10 ms: what arrives meanwhile waits so long at most. Twice as
 * many in each round after the first, so that what comes in late is overtaken. */
#ifndef CANDIDATE_EVENTS
#define CANDIDATE_EVENTS 400
#endif
/* So often may those be gone through that could not follow; what is missing then is made in the
 * commit that changes over. Else a flood of late events would put it off for ever. */
#define ROUNDS 3
#define FEW    8 /* subjects that are not worth a round of their own */
/* A record that takes so long to follow what came in is made anew in a slice instead: commits do
 * not wait for rules that are only being tried. */
#define SLOW_US 20000

struct candidate {
    struct rulebook *rules; /* owned; NULL: taken */
    bool *is_asked; /* owned: by number of the ruleset, whether it is another one than in force */
    struct live_cache records;
    struct arena names;
    struct strmap
        subjects; /* name to whether its record is missing; those of this round from `next` on */
    uint32_t next;
    uint32_t missing;
    int round;
    bool failed; /* no memory to add to the list */
    struct wanting wanting;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to judge by other rules");
}

/* ---- whose records are missing ---- */

static void add(const char *subject, void *arg)
{
    struct candidate *c = arg;
    struct strmap_item *item = strmap_find(&c->subjects, subject, strlen(subject));

    if (!item) {
        const char *name = arena_strdup(&c->names, subject);
        item = name ? strmap_add(&c->subjects, name, strlen(name), NULL) : NULL;
    }
    c->failed = c->failed || !item;
    if (!item || item->as.num)
        return;
    item->as.num = true;
    c->missing++;
}

enum err_code candidate_restart(struct candidate *c, struct store *s, struct err *err)
{
    live_cache_clear(&c->records);
    strmap_fini(&c->subjects);
    c->subjects = (struct strmap){ 0 };
    arena_reset(&c->names);
    c->next = c->missing = 0;
    c->round = 0;
    wanting_reset(&c->wanting);
    enum err_code rc = log_subjects(s, add, c, err);
    return rc == OK && c->failed ? no_memory(err) : rc;
}

/* An overlay is as good as it was before, if nothing has changed in it nor in what it changes. */
static enum err_code choose_asked(struct candidate *c, const struct rulebook *rules,
                                  const struct rulebook *in_force, struct err *err)
{
    int count = 0;

    while (rulebook_at(rules, count))
        count++;
    c->is_asked = calloc((size_t)count + 1, sizeof(*c->is_asked));
    if (!c->is_asked)
        return no_memory(err);
    for (int i = 0; i < count; i++) {
        const struct ruleset *rs = rulebook_at(rules, i);
        const struct ruleset *before = in_force ? rulebook_of_hub(in_force, ruleset_hub(rs)) : NULL;
        c->is_asked[i] = !before || strcmp(ruleset_digest(before), ruleset_digest(rs)) != 0;
    }
    return OK;
}

enum err_code candidate_new(struct candidate **out, struct rulebook *rules,
                            const struct rulebook *in_force, struct store *s, size_t limit,
                            struct err *err)
{
    struct candidate *c = calloc(1, sizeof(*c));

    *out = NULL;
    if (!c)
        return no_memory(err);
    live_cache_init(&c->records, limit);
    enum err_code rc = choose_asked(c, rules, in_force, err);
    if (rc == OK)
        rc = candidate_restart(c, s, err);
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
    free(c->is_asked);
    strmap_fini(&c->subjects);
    arena_fini(&c->names);
    wanting_fini(&c->wanting);
    free(c);
}

/* ---- slices ---- */

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

/* Is it another one than in force, or beside another national pack? What is in force is not to be
 * stopped by this. */
static bool is_new(const struct candidate *c, const char *pack)
{
    const char *hub = strncmp(pack, "hubs/", 5) == 0 ? pack + 5 : NULL;
    const struct ruleset *rs = rulebook_of_hub(c->rules, hub);
    int i = 0;

    while (rulebook_at(c->rules, i) != rs)
        i++;
    return c->is_asked[i];
}

static void note_spent(struct candidate *c, const struct live *l)
{
    struct wanting_spent spent;

    if (wanting_spent(&spent, l) && is_new(c, spent.pack))
        wanting_note_spent(&c->wanting, l->subject, &spent);
}

/* Fold it and run its rules: when it is judged again, only what has changed by then is run. */
static enum err_code make(struct live **out, struct candidate *c, struct world *w,
                          const char *subject, int64_t now, struct err *err)
{
    int64_t wake, began = clock_monotonic();

    enum err_code rc = live_build(out, &c->records, c->rules, w, subject, now, err);
    if (rc != OK || !(*out)->last.id)
        return rc;
    rc = record_rejudge(&wake, (*out)->fold.record, now, take_nothing, NULL, err);
    (*out)->is_slow = clock_monotonic() - began > SLOW_US;
    if (rc == OK)
        note_spent(c, *out);
    return rc;
}

static void refuse(const struct overlay_refusal *r, void *arg)
{
    wanting_note_move(arg, r);
}

/* What the overlays of its hubs make of it. */
static enum err_code look_at(struct candidate *c, struct world *w, const struct live *l,
                             int64_t *folded, int64_t now, struct err *err)
{
    if (!overlay_check_concerns(&l->fold))
        return OK;
    *folded += 3 * l->fold_events; /* it is folded so often */
    return overlay_check_subject(c->rules, c->is_asked, w, l->subject, now, refuse, &c->wanting,
                                 err);
}

static enum err_code make_next(int64_t *folded, struct candidate *c, struct world *w, int64_t now,
                               struct err *err)
{
    struct strmap_item *item = &c->subjects.items[c->next++];
    struct live *l;

    if (!item->as.num)
        return OK;
    item->as.num = false;
    c->missing--;
    enum err_code rc = make(&l, c, w, item->key, now, err);
    if (rc != OK)
        return rc;
    *folded += l->fold_events + 1;
    return look_at(c, w, l, folded, now, err);
}

/* Begin to go through those that could not follow meanwhile. False: it is the end. */
static bool begin_round(struct candidate *c)
{
    if (c->missing <= FEW || c->round + 1 == ROUNDS)
        return false;
    c->round++;
    c->next = 0;
    return true;
}

enum err_code candidate_slice(bool *done, struct candidate *c, struct store *s, int64_t now,
                              int64_t until, struct err *err)
{
    struct world *w = NULL;
    int64_t folded = 0, least = (int64_t)CANDIDATE_EVENTS << c->round;

    crash_point("generation");
    *done = false;
    enum err_code rc = c->failed ? no_memory(err) : world_open(&w, s, log_tip(s), err);
    while (rc == OK && c->next < c->subjects.count && !wanting_is_hopeless(&c->wanting) &&
           (folded < least || clock_monotonic() < until))
        rc = make_next(&folded, c, w, now, err);
    world_close(w);
    if (rc != OK)
        return rc;
    if (!wanting_is_hopeless(&c->wanting) && (c->next < c->subjects.count || begin_round(c)))
        return OK;
    *done = true;
    return wanting_check(&c->wanting, err);
}

struct refusals *candidate_refusals(const struct candidate *c)
{
    return wanting_refusals(&c->wanting);
}

struct refusals *candidate_unclear(const struct candidate *c)
{
    return wanting_unclear(&c->wanting);
}

/* ---- what comes in meanwhile ---- */

static bool take(struct candidate *c, struct live *l, const struct concern *concern, int64_t now)
{
    struct err why;
    uint64_t skipped = l->fold.skipped;

    bool taken = !concern->must_refold && !concern->is_left && !l->is_slow &&
                 live_can_take(l, concern->events, concern->count, now);
    int64_t began = clock_monotonic();
    taken = taken && live_take(l, concern->events, concern->count, now, &why) == OK;
    c->records.skipped += l->fold.skipped - skipped;
    return taken && clock_monotonic() - began < SLOW_US;
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
    *out = (struct candidate_progress){ .done = c->subjects.count - c->missing,
                                        .of = c->subjects.count };
}

struct rulebook *candidate_take(struct candidate *c, struct live_cache *records)
{
    struct rulebook *rules = c->rules;

    *records = c->records;
    live_cache_init(&c->records, 0);
    c->rules = NULL;
    return rules;
}
