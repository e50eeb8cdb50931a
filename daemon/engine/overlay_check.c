/* overlay_check.c - see overlay_check.h. The overlay's changes are switched on by direction: nothing is loaded twice,
 * and what is compared differs by these alone. */
#include "engine/overlay_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lua/record.h"

struct check {
    struct rulebook *rules;
    struct world *w;
    const char *subject;
    int64_t now;
    overlay_refused_fn *fn;
    void *arg;
    struct arena arena;
    const struct fold *base;
    bool is_tighter;      /* what is being tried */
    struct value *before; /* national decisions without the overlay, by name */
    size_t count, cap, next;
    bool failed;
};

struct value {
    const char *name, *text;
    bool is_error;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to check an overlay");
}

static void refuse(struct check *c, const char *what, const char *national, const char *here,
                   const char *why)
{
    c->fn(&(struct overlay_refusal){ .hub = ruleset_hub(record_ruleset(c->base->record)),
                                     .subject = c->subject,
                                     .what = what,
                                     .national = national,
                                     .here = here,
                                     .why = why },
          c->arg);
}

/* ---- decisions, on the same facts ---- */

static void take_before(const struct judged *j, void *arg)
{
    struct check *c = arg;

    if (j->is_own)
        return;
    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 64;
        struct value *grown = arena_alloc(&c->arena, cap * sizeof(*grown));
        c->failed = c->failed || !grown;
        if (!grown)
            return;
        if (c->count > 0)
            memcpy(grown, c->before, c->count * sizeof(*grown));
        c->before = grown;
        c->cap = cap;
    }
    const char *text = arena_strdup(&c->arena, j->value);
    c->failed = c->failed || !text;
    c->before[c->count++] = (struct value){ j->name, text, j->is_error };
}

static bool is_yes(const char *json)
{
    return strcmp(json, "true") == 0;
}

static bool is_yes_or_no(const char *json)
{
    return is_yes(json) || strcmp(json, "false") == 0;
}

static void compare(struct check *c, const struct value *before, const struct judged *j)
{
    if (j->is_error && !before->is_error) {
        refuse(c, j->name, before->text, j->value, "with the overlay this rule fails");
        return;
    }
    if (j->is_error || before->is_error || !is_yes_or_no(before->text) || !is_yes_or_no(j->value) ||
        strcmp(before->text, j->value) == 0)
        return;
    bool is_stricter = is_yes(j->value) == j->is_alert;
    if (is_stricter != c->is_tighter)
        refuse(c, j->name, before->text, j->value,
               c->is_tighter ? "what the overlay tightens makes this one less strict"
                             : "what the overlay loosens makes this one stricter");
}

/* The same decisions come in the same order. */
static void take_after(const struct judged *j, void *arg)
{
    struct check *c = arg;

    if (!j->is_own && c->next < c->count)
        compare(c, &c->before[c->next++], j);
}

static enum err_code check_decisions(struct check *c, unsigned effects, struct err *err)
{
    c->next = 0;
    rulebook_set_effects(c->rules, effects);
    return record_judge(c->base->record, c->now, take_after, c, err);
}

/* ---- how far it comes ---- */

static enum err_code check_moves(struct check *c, unsigned effects, struct err *err)
{
    struct fold f = { 0 };

    rulebook_set_effects(c->rules, effects);
    enum err_code rc = fold_subject(&f, c->rules, c->w, c->subject, c->now, err);
    if (rc == OK) {
        const char *fact = c->is_tighter ? record_is_further(f.record, c->base->record)
                                         : record_is_further(c->base->record, f.record);
        if (fact)
            refuse(
                c, fact, NULL, NULL,
                c->is_tighter
                    ? "what the overlay tightens brings this one further than the national rules do"
                    : "what the overlay loosens keeps this one from where the national rules bring "
                      "it");
    }
    fold_fini(&f);
    return rc;
}

static enum err_code check_direction(struct check *c, unsigned direction, struct err *err)
{
    unsigned effects = EFFECT_FREELY | direction;

    c->is_tighter = direction == EFFECT_TIGHTEN;
    if (!(rulebook_changes(c->rules) & direction))
        return OK;
    enum err_code rc = check_decisions(c, effects, err);
    return rc == OK ? check_moves(c, effects, err) : rc;
}

/* A reducer of the overlay that fails takes its event away from the national pack too. */
static void check_faults(struct check *c)
{
    for (const struct fault *fault = c->base->faults; fault; fault = fault->next)
        if (strncmp(fault->message, "hubs/", 5) == 0)
            refuse(c, fault->seq ? "reducer" : "moves", NULL, NULL, fault->message);
}

/* ---- */

bool overlay_check_concerns(const struct fold *f)
{
    return f->handovers > 0 || ruleset_hub(record_ruleset(f->record));
}

static enum err_code check_concerned(struct check *c, struct err *err)
{
    check_faults(c);
    enum err_code rc = record_judge(c->base->record, c->now, take_before, c, err);
    if (rc == OK && c->failed)
        rc = no_memory(err);
    if (rc == OK)
        rc = check_direction(c, EFFECT_TIGHTEN, err);
    return rc == OK ? check_direction(c, EFFECT_LOOSEN, err) : rc;
}

static enum err_code check_subject(bool *is_concerned, struct check *c, struct err *err)
{
    struct fold base = { 0 };

    rulebook_set_effects(c->rules, EFFECT_FREELY);
    enum err_code rc = fold_subject(&base, c->rules, c->w, c->subject, c->now, err);
    c->base = &base;
    *is_concerned = rc == OK && overlay_check_concerns(&base);
    if (*is_concerned)
        rc = check_concerned(c, err);
    rulebook_set_effects(c->rules, EFFECT_ALL);
    fold_fini(&base);
    arena_fini(&c->arena);
    return rc;
}

enum err_code overlay_check_subject(struct rulebook *rules, struct world *w, const char *subject,
                                    int64_t now, overlay_refused_fn *fn, void *arg, struct err *err)
{
    struct check c = {
        .rules = rules, .w = w, .subject = subject, .now = now, .fn = fn, .arg = arg
    };
    bool is_concerned;

    return check_subject(&is_concerned, &c, err);
}

enum err_code overlay_check_world(size_t *subjects, struct rulebook *rules, struct world *w,
                                  int64_t now, overlay_refused_fn *fn, void *arg, struct err *err)
{
    size_t count;
    const char *const *names = world_subjects(w, &count);
    enum err_code rc = names ? OK : no_memory(err);

    *subjects = 0;
    for (size_t i = 0; rc == OK && i < count; i++) {
        struct check c = {
            .rules = rules, .w = w, .subject = names[i], .now = now, .fn = fn, .arg = arg
        };
        bool is_concerned;
        rc = check_subject(&is_concerned, &c, err);
        *subjects += is_concerned;
    }
    return rc;
}
