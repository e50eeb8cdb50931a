/* overlay_check.c - see overlay_check.h. The overlay's changes are switched on by direction:
 * nothing is loaded twice, and what is compared differs by these alone. */
#include "engine/overlay_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "lua/record.h"

struct check {
    struct rulebook *rules;
    const bool *is_asked;  /* by number of the ruleset; NULL: all are */
    struct ruleset *tried; /* whose overlay is switched on */
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
    bool is_judged; /* `before` is there */
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

static void tell(struct check *c, const char *what, const char *national, const char *here,
                 const char *why, bool is_unclear)
{
    c->fn(&(struct overlay_refusal){ .hub = ruleset_hub(c->tried),
                                     .subject = c->subject,
                                     .what = what,
                                     .national = national,
                                     .here = here,
                                     .why = why,
                                     .is_unclear = is_unclear },
          c->arg);
}

static void refuse(struct check *c, const char *what, const char *national, const char *here,
                   const char *why)
{
    tell(c, what, national, here, why, false);
}

/* ---- decisions, on the same facts ---- */

static void take_before(const struct judged *j, void *arg)
{
    struct check *c = arg;

    if (j->is_own)
        return;
    struct value *grown = array_room_in(&c->arena, c->before, c->count, &c->cap, sizeof(*grown));
    c->failed = c->failed || !grown;
    if (!grown)
        return;
    c->before = grown;
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

static bool read_number(double *out, const char *json)
{
    char *end;

    *out = is_yes_or_no(json) ? is_yes(json) : strtod(json, &end);
    return is_yes_or_no(json) || (end != json && *end == '\0');
}

/* Years and days, "2024/25" and "2025-03-01", are texts of which the later one is more. */
static bool are_alike(const char *a, const char *b)
{
    bool has_digit = false;

    for (; *a && *b; a++, b++) {
        bool is_digit = *a >= '0' && *a <= '9';
        if (is_digit != (*b >= '0' && *b <= '9') || (!is_digit && *a != *b))
            return false;
        has_digit = has_digit || is_digit;
    }
    return has_digit && *a == *b;
}

/* Is there more of it than before? 0: there is no more or less. */
static int order_of(const char *before, const char *here)
{
    double a, b;

    if (before[0] == '"' && are_alike(before, here))
        return strcmp(here, before) > 0 ? 1 : -1;
    if (!read_number(&a, before) || !read_number(&b, here))
        return 0;
    return (b > a) - (b < a);
}

/* Its place in the list, from 1; 0: it is not there. */
static size_t place_of(const struct strictness *s, const char *json)
{
    size_t len = strlen(json);

    for (size_t i = 0; json[0] == '"' && i < s->count; i++)
        if (strlen(s->values[i]) == len - 2 && memcmp(json + 1, s->values[i], len - 2) == 0)
            return i + 1;
    return 0;
}

/* 1: it is stricter than before, -1: less strict, 0: nobody says. */
static int is_stricter(const struct value *before, const struct judged *j)
{
    const struct strictness *s = j->strictness;
    int order = order_of(before->text, j->value);
    size_t was = place_of(s, before->text), is = place_of(s, j->value);

    if (s->way == STRICTER_HIGHER || s->way == STRICTER_LOWER)
        return s->way == STRICTER_HIGHER ? order : -order;
    if (s->way == STRICTER_LISTED)
        return was && is ? (is < was) - (is > was) : 0;
    /* Where the pack says nothing, yes is better than no, and no alert better than one. */
    if (j->is_criterion || !is_yes_or_no(before->text) || !is_yes_or_no(j->value))
        return 0;
    return j->is_alert ? order : -order;
}

static void compare(struct check *c, const struct value *before, const struct judged *j)
{
    if (j->is_error && !before->is_error && !j->is_criterion) {
        refuse(c, j->name, before->text, j->value, "with the overlay this rule fails");
        return;
    }
    if (j->is_error || before->is_error || strcmp(before->text, j->value) == 0 ||
        j->strictness->way == STRICTER_NEITHER)
        return;
    int stricter = is_stricter(before, j);
    if (stricter == 0)
        tell(c, j->name, before->text, j->value,
             "it changes, and the national pack does not say which way is stricter", true);
    else if ((stricter > 0) != c->is_tighter)
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

static enum err_code judge_before(struct check *c, struct err *err)
{
    ruleset_set_effects(c->tried, EFFECT_FREELY);
    enum err_code rc = record_judge_rules(c->base->record, c->now, take_before, c, err);
    c->is_judged = true;
    return rc == OK && c->failed ? no_memory(err) : rc;
}

/* Decisions are those of the hub that it belongs to now. */
static enum err_code check_decisions(struct check *c, unsigned effects, struct err *err)
{
    if (c->tried != record_ruleset(c->base->record))
        return OK;
    if (!c->is_judged && judge_before(c, err) != OK)
        return err->code;
    c->next = 0;
    ruleset_set_effects(c->tried, effects);
    return record_judge_rules(c->base->record, c->now, take_after, c, err);
}

/* ---- how far it comes ---- */

static enum err_code check_moves(struct check *c, unsigned effects, struct err *err)
{
    struct fold f = { 0 };

    ruleset_set_effects(c->tried, effects);
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
    if (!(ruleset_changes(c->tried) & direction))
        return OK;
    enum err_code rc = check_decisions(c, effects, err);
    return rc == OK ? check_moves(c, effects, err) : rc;
}

/* Is the message about a file of this hub's overlay? "hubs/07/rules.lua:3: ..." */
static bool is_about(const char *message, const char *hub)
{
    size_t len = strlen(hub);
    return strncmp(message, "hubs/", 5) == 0 && strncmp(message + 5, hub, len) == 0 &&
           message[5 + len] == '/';
}

/* A reducer of the overlay that fails leaves an event out of what the overlay keeps. */
static void check_faults(struct check *c)
{
    for (const struct fault *fault = c->base->faults; fault; fault = fault->next)
        if (is_about(fault->message, ruleset_hub(c->tried)))
            refuse(c, fault->move ? "move" : "reducer", NULL, NULL, fault->message);
}

/* ---- */

bool overlay_check_concerns(const struct fold *f)
{
    return f->handovers > 0 || ruleset_hub(record_ruleset(f->record));
}

/* Was the subject ever judged by ruleset number `i`? */
static bool has_met(const struct fold *f, int i)
{
    const struct ruleset *rs = rulebook_at(f->rules, i);
    return ruleset_hub(rs) &&
           (rs == record_ruleset(f->record) || (f->parked && f->parked[i] != NULL));
}

static enum err_code check_overlay(struct check *c, struct err *err)
{
    check_faults(c);
    enum err_code rc = check_direction(c, EFFECT_TIGHTEN, err);
    if (rc == OK)
        rc = check_direction(c, EFFECT_LOOSEN, err);
    ruleset_set_effects(c->tried, EFFECT_FREELY);
    return rc;
}

static enum err_code check_concerned(struct check *c, struct err *err)
{
    enum err_code rc = OK;

    for (int i = 0; rc == OK && (c->tried = rulebook_at(c->rules, i)); i++)
        if (has_met(c->base, i) && (!c->is_asked || c->is_asked[i]))
            rc = check_overlay(c, err);
    return rc;
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

enum err_code overlay_check_subject(struct rulebook *rules, const bool *is_asked, struct world *w,
                                    const char *subject, int64_t now, overlay_refused_fn *fn,
                                    void *arg, struct err *err)
{
    struct check c = { .rules = rules,
                       .is_asked = is_asked,
                       .w = w,
                       .subject = subject,
                       .now = now,
                       .fn = fn,
                       .arg = arg };
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
