/* timeline.c - see timeline.h. */
#include "engine/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/fold.h"
#include "engine/difference.h"

#define HORIZON_DAYS 3660   /* ten years: how far ahead `until` looks */
#define STEPS_MAX    100000 /* no real timeline comes near; ends one that the rules make endless */

struct walk {
    struct world *w;
    struct rulebook *rules;
    const char *subject;
    const struct item *parsed; /* borrowed: some of its events */
    size_t parsed_count;
    int64_t first; /* when the first event touched it */
    timeline_fn *fn;
    void *arg;
    int steps;
    bool stop;
};

/* Its events, with what is known of them; the caller's. */
static enum err_code find_items(struct item **out, size_t *count, const struct walk *walk,
                                int64_t to, struct err *err)
{
    const struct item *items;

    *out = NULL;
    if (world_fold_items(&items, count, walk->w, walk->subject, to, err) != OK)
        return err->code;
    if (!(*out = malloc((*count + 1) * sizeof(**out))))
        return err_set(err, ERR_LIMIT, "no memory for the events of %s", walk->subject);
    memcpy(*out, items, *count * sizeof(**out));
    items_take_parsed(*out, *count, walk->parsed, walk->parsed_count);
    return OK;
}

static void ignore(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

/*
 * On to `t`. What is told there is compared with what the record was judged to be at `shown`, the
 * instant before. Where the fold had to begin again, since a run was suspect, that is to be found
 * out again: the same is told on a slow machine.
 */
static enum err_code go_on(struct fold *f, int64_t shown, int64_t t, struct err *err)
{
    bool is_judged = record_is_judged(f->record);
    int repeats = f->repeats;
    int64_t wake;

    enum err_code rc = fold_to(f, t, err);
    while (rc == OK && f->repeats != repeats && is_judged) {
        repeats = f->repeats;
        rc = fold_begin_again(f, err);
        if (rc == OK)
            rc = fold_to(f, shown, err);
        if (rc == OK)
            rc = record_rejudge(&wake, f->record, shown, ignore, NULL, err);
        if (rc == OK)
            rc = fold_to(f, t, err);
    }
    return rc;
}

/* Show the instants from `from` to `to`, both included, of the fold as it stands at `to`. */
static enum err_code walk_segment(struct walk *walk, int64_t from, int64_t to, struct err *err)
{
    struct item *items = NULL;
    size_t count = 0;
    struct fold f = { 0 };
    int64_t wake, shown = TIME_MIN;

    enum err_code rc = find_items(&items, &count, walk, to, err);
    if (rc == OK)
        rc = fold_init(&f, walk->rules, walk->subject, items, count, err);
    if (rc == OK && from > walk->first)
        rc = fold_to(&f, from - 1, err);
    /* Instants of their own, also when no fact changes then: a succession, and the first event,
     * which may not count any more. */
    wake = from;
    while (rc == OK && !walk->stop) {
        int64_t t = fold_next(&f) < wake ? fold_next(&f) : wake;
        if (t > to || t == TIME_NEVER || walk->steps++ == STEPS_MAX)
            break;
        rc = go_on(&f, shown, t, err);
        if (rc == OK)
            rc = walk->fn(t, f.record, &wake, &walk->stop, walk->arg, err);
        shown = t;
    }
    fold_fini(&f);
    free(items);
    return rc;
}

static enum err_code walk_through(struct walk *walk, int64_t to, struct err *err)
{
    const struct entry *const *touching;
    size_t count;
    int64_t from, next;

    enum err_code rc = world_touching(&touching, &count, walk->w, walk->subject, err);
    if (rc != OK || count == 0)
        return rc;
    from = walk->first = touching[0]->key.time;
    while (rc == OK && from <= to && !walk->stop) {
        rc = world_next_succession(&next, walk->w, walk->subject, from, err);
        int64_t last = next == TIME_NEVER || next > to ? to : next - 1;
        if (rc == OK)
            rc = walk_segment(walk, from, last, err);
        if (next == TIME_NEVER)
            break;
        from = next;
    }
    return rc;
}

enum err_code timeline_walk(struct world *w, struct rulebook *rules, const char *subject,
                            int64_t to, timeline_fn *fn, void *arg, struct err *err)
{
    struct walk walk = { .w = w, .rules = rules, .subject = subject, .fn = fn, .arg = arg };
    return walk_through(&walk, to, err);
}

/* ---- since and until ---- */

struct spans {
    struct arena *arena;
    const struct ruleset *rules; /* of the hub that it belonged to at the last instant up to `at` */
    struct span *items;          /* of the decisions that there are by these, by name */
    size_t count;
    const struct ruleset *last; /* of the last instant */
    int64_t at, t;
    size_t open; /* decisions whose `until` is not known */
    bool has_begun;
    bool failed;
};

/* By other rules there are other decisions; those of the same name go on. */
static bool change_rules(struct spans *s, struct ruleset *rules, enum subject_kind kind)
{
    int count;
    const char *const *names = ruleset_decisions(rules, kind, &count);
    struct span *items = names ? arena_alloc(s->arena, ((size_t)count + 1) * sizeof(*items)) : NULL;
    size_t old = 0;

    for (int i = 0; items && i < count; i++) {
        while (old < s->count && strcmp(s->items[old].name, names[i]) < 0)
            old++;
        if (old < s->count && strcmp(s->items[old].name, names[i]) == 0)
            items[i] = s->items[old];
        items[i].name = names[i];
    }
    s->rules = rules;
    s->items = items;
    s->count = items ? (size_t)count : 0;
    s->open = s->count > 0
                  ? s->count
                  : 1; /* without any it is walked all the same, to see whether it exists */
    return items != NULL;
}

static void end_span(struct spans *s, struct span *span)
{
    if (span->until != TIME_NEVER)
        return;
    span->until = s->t;
    s->open--;
}

static void take_value(struct spans *s, struct span *span, const struct judged *j)
{
    struct buf shown = { 0 };

    if (j->is_error)
        buf_printf(&shown, "{\"error\":%s}", j->value);
    const char *value = j->is_error ? buf_cstr(&shown) : j->value;
    bool changed = !span->value || strcmp(span->value, value) != 0;
    if (changed && s->t <= s->at) {
        const char *copy = decision_text(s->arena, j);
        s->failed = s->failed || !copy;
        *span = (struct span){ .name = span->name,
                               .value = copy,
                               .is_alert = j->is_alert,
                               .since = s->t,
                               .until = TIME_NEVER };
    } else if (changed) {
        end_span(s, span);
    }
    buf_fini(&shown);
}

static int by_name(const void *key, const void *item)
{
    const struct span *span = item;
    return strcmp(key, span->name);
}

static void take_judged(const struct judged *j, void *arg)
{
    struct spans *s = arg;
    struct span *span = bsearch(j->name, s->items, s->count, sizeof(*s->items), by_name);

    if (span)
        take_value(s, span, j);
}

/* After `at` some decisions may be gone, when the school belongs to another hub. */
static void end_those_gone(struct spans *s, struct ruleset *rules, enum subject_kind kind)
{
    int count, k = 0;
    const char *const *names = ruleset_decisions(rules, kind, &count);

    for (size_t i = 0; names && i < s->count; i++) {
        while (k < count && strcmp(names[k], s->items[i].name) < 0)
            k++;
        if (k == count || strcmp(names[k], s->items[i].name) != 0)
            end_span(s, &s->items[i]);
    }
}

static enum err_code take_instant(int64_t t, struct record *r, int64_t *wake, bool *stop, void *arg,
                                  struct err *err)
{
    struct spans *s = arg;
    struct ruleset *rules = record_ruleset(r);

    if (t > s->at && !s->has_begun) {
        *stop = true; /* its first event lies ahead */
        return OK;
    }
    if (t <= s->at && s->rules != rules && !change_rules(s, rules, record_kind(r)))
        return err_set(err, ERR_LIMIT, "no memory for the decisions of a subject");
    s->has_begun = true;
    s->t = t;
    if (t > s->at && s->last != rules)
        end_those_gone(s, rules, record_kind(r));
    s->last = rules;
    enum err_code rc = record_rejudge(wake, r, t, take_judged, s, err);
    *stop = s->open == 0;
    if (rc == OK && s->failed)
        rc = err_set(err, ERR_LIMIT, "no memory for the decisions of a subject");
    return rc;
}

enum err_code timeline_spans(const struct span **out, size_t *count, struct arena *arena,
                             struct world *w, struct rulebook *rules, const char *subject,
                             int64_t at, struct err *err)
{
    struct spans s = { .arena = arena, .at = at, .open = 1 };

    *count = 0;
    enum err_code rc =
        timeline_walk(w, rules, subject, london_add_days(at, HORIZON_DAYS), take_instant, &s, err);
    if (rc == OK && !s.has_begun)
        rc = err_set(err, ERR_ABSENT, "no event touches %s by then", subject);
    *out = s.items;
    *count = s.count;
    return rc;
}

/* ---- one rule ---- */

struct one {
    struct span *span;
    struct arena *arena;
    const char *rule;
    int64_t at, t, wake;
    bool is_done, failed;
};

static void take_one(const struct judged *j, void *arg)
{
    struct one *o = arg;
    struct span *span = o->span;
    struct arena scratch = { 0 };
    const char *value = decision_text(o->t <= o->at ? o->arena : &scratch, j);

    o->wake = j->wake;
    bool changed = !value || !span->value || strcmp(span->value, value) != 0;
    if (changed && o->t <= o->at)
        *span = (struct span){ j->name, value, j->is_alert, o->t, TIME_NEVER };
    else if (changed)
        span->until = o->t;
    o->failed = o->failed || !value;
    o->is_done = changed && o->t > o->at;
    arena_fini(&scratch);
}

/* By the rules of a hub that the school came from or goes to, there may be no such rule. */
static void take_none(struct one *o)
{
    if (o->t <= o->at)
        *o->span = (struct span){ .name = o->rule, .since = o->t, .until = TIME_NEVER };
    else
        o->span->until = o->t;
    o->is_done = o->t > o->at;
}

static enum err_code take_instant_of_one(int64_t t, struct record *r, int64_t *wake, bool *stop,
                                         void *arg, struct err *err)
{
    struct one *o = arg;

    o->t = t;
    o->wake = TIME_NEVER;
    enum err_code rc = record_judge_rule(r, o->rule, t, take_one, o, err);
    if (rc == ERR_ABSENT) {
        take_none(o);
        rc = OK;
    }
    *wake = o->wake;
    *stop = o->is_done;
    return rc == OK && o->failed ? err_set(err, ERR_LIMIT, "no memory for a decision") : rc;
}

enum err_code timeline_span(struct span *out, struct arena *arena, struct world *w,
                            struct rulebook *rules, const char *subject, const char *rule,
                            int64_t at, const struct item *parsed, size_t parsed_count,
                            struct err *err)
{
    struct one o = { .span = out, .arena = arena, .rule = rule, .at = at };
    struct walk walk = { .w = w,
                         .rules = rules,
                         .subject = subject,
                         .parsed = parsed,
                         .parsed_count = parsed_count,
                         .fn = take_instant_of_one,
                         .arg = &o };

    *out = (struct span){ .name = rule, .until = TIME_NEVER };
    return walk_through(&walk, london_add_days(at, HORIZON_DAYS), err);
}
