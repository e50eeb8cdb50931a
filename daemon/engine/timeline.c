/* timeline.c - see timeline.h. */
#include "engine/timeline.h"

#include <string.h>

#include "base/civil.h"
#include "engine/fold.h"
#include "engine/publish.h"

#define HORIZON_DAYS 3660   /* ten years: how far ahead `until` looks */
#define STEPS_MAX    100000 /* no real timeline comes near; ends one that the rules make endless */

/* When the next succession after `after` takes effect; TIME_NEVER: none. */
static enum err_code next_succession(int64_t *out, struct world *w, const char *subject,
                                     int64_t after, struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    *out = TIME_NEVER;
    if (world_touching(&touching, &count, w, subject, err) != OK)
        return err->code;
    for (size_t i = 0; i < count && *out == TIME_NEVER; i++) {
        bool is_voided;
        const struct entry *e = touching[i];
        if (e->key.time <= after || !world_predecessor(w, e) || strcmp(e->subject, subject) != 0)
            continue;
        if (world_is_voided(&is_voided, w, e, err) != OK)
            return err->code;
        if (!is_voided)
            *out = e->key.time;
    }
    return OK;
}

struct walk {
    struct world *w;
    struct ruleset *rules;
    const char *subject;
    timeline_fn *fn;
    void *arg;
    int steps;
    bool stop;
};

/* Show the instants from `from` to `to`, both included, of the fold as it stands at `to`. */
static enum err_code walk_segment(struct walk *walk, int64_t from, int64_t to, struct err *err)
{
    const struct item *items = NULL;
    size_t count = 0;
    struct fold f = { 0 };
    int64_t wake = TIME_NEVER;

    enum err_code rc = world_fold_items(&items, &count, walk->w, walk->subject, to, err);
    if (rc == OK)
        rc = fold_init(&f, walk->rules, walk->subject, items, count, err);
    if (rc == OK && from > TIME_MIN) {
        rc = fold_to(&f, from - 1, err);
        wake = from; /* a succession is an instant of its own, also when it changes no fact */
    }
    while (rc == OK && !walk->stop) {
        int64_t t = fold_next(&f) < wake ? fold_next(&f) : wake;
        if (t > to || t == TIME_NEVER || walk->steps++ == STEPS_MAX)
            break;
        rc = fold_to(&f, t, err);
        if (rc == OK)
            rc = walk->fn(t, f.record, &wake, &walk->stop, walk->arg, err);
    }
    fold_fini(&f);
    return rc;
}

enum err_code timeline_walk(struct world *w, struct ruleset *rules, const char *subject, int64_t to,
                            timeline_fn *fn, void *arg, struct err *err)
{
    struct walk walk = { .w = w, .rules = rules, .subject = subject, .fn = fn, .arg = arg };
    int64_t from = TIME_MIN, next;
    enum err_code rc = OK;

    while (rc == OK && from <= to && !walk.stop) {
        rc = next_succession(&next, w, subject, from, err);
        int64_t last = next == TIME_NEVER || next > to ? to : next - 1;
        if (rc == OK)
            rc = walk_segment(&walk, from, last, err);
        if (next == TIME_NEVER)
            break;
        from = next;
    }
    return rc;
}

/* ---- since and until ---- */

struct spans {
    struct arena *arena;
    struct span *items;
    size_t count, cap;
    size_t index; /* of the decision being judged */
    int64_t at, t;
    int64_t wake;
    size_t open; /* decisions whose `until` is not known */
    bool is_first, has_begun;
    bool failed;
};

static void take_judged(const struct judged *j, void *arg)
{
    struct spans *s = arg;
    struct span *span = &s->items[s->index++];
    struct buf shown = { 0 };

    if (j->wake < s->wake)
        s->wake = j->wake;
    if (j->is_error)
        buf_printf(&shown, "{\"error\":%s}", j->value);
    const char *value = j->is_error ? buf_cstr(&shown) : j->value;
    bool changed = s->is_first || strcmp(span->value, value) != 0;
    if (changed && s->t <= s->at) {
        const char *copy = decision_text(s->arena, j);
        s->failed = s->failed || !copy;
        *span = (struct span){ .name = j->name,
                               .value = copy,
                               .is_alert = j->is_alert,
                               .since = s->t,
                               .until = TIME_NEVER };
    } else if (changed && span->until == TIME_NEVER) {
        span->until = s->t;
        s->open--;
    }
    buf_fini(&shown);
}

static enum err_code take_instant(int64_t t, struct record *r, int64_t *wake, bool *stop, void *arg,
                                  struct err *err)
{
    struct spans *s = arg;

    if (t > s->at && !s->has_begun) {
        *stop = true; /* its first event lies ahead */
        return OK;
    }
    s->is_first = !s->has_begun;
    s->has_begun = true;
    s->t = t;
    s->index = 0;
    s->wake = TIME_NEVER;
    enum err_code rc = record_judge(r, t, take_judged, s, err);
    *wake = s->wake;
    *stop = s->open == 0;
    if (rc == OK && s->failed)
        rc = err_set(err, ERR_LIMIT, "no memory for the decisions of a subject");
    return rc;
}

enum err_code timeline_spans(const struct span **out, size_t *count, struct arena *arena,
                             struct world *w, struct ruleset *rules, const char *subject,
                             int64_t at, struct err *err)
{
    enum subject_kind kind;
    int decisions;
    struct spans s = { .arena = arena, .at = at };

    *count = 0;
    if (subject_parse(&kind, subject, strlen(subject), err) != OK)
        return err->code;
    ruleset_decisions(rules, kind, &decisions);
    s.open = s.cap = (size_t)decisions;
    s.items = arena_alloc(arena, (s.cap + 1) * sizeof(*s.items));
    if (!s.items)
        return err_set(err, ERR_LIMIT, "no memory for the decisions of %s", subject);
    if (decisions == 0)
        s.open = 1; /* a hub has none; it is walked all the same, to see whether it exists */
    enum err_code rc =
        timeline_walk(w, rules, subject, london_add_days(at, HORIZON_DAYS), take_instant, &s, err);
    if (rc == OK && !s.has_begun)
        rc = err_set(err, ERR_ABSENT, "no event touches %s by then", subject);
    *out = s.items;
    *count = s.cap;
    return rc;
}
