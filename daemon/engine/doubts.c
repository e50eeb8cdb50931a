/* doubts.c - see doubts.h. */
#include "engine/doubts.h"

#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "engine/coverage.h"
#include "engine/invent.h"
#include "engine/packtest.h"
#include "lua/folder.h"

struct finder {
    struct problems *problems;
    struct rulebook *book;
    struct coverage coverage;
    struct ruleset *rules; /* that are looked at */
    struct tallies *t;     /* of those */
};

static void ignore_test(const char *name, const char *where, const char *detail, void *arg)
{
    (void)name; /* whether it passes is for `pathway test` to say */
    (void)where;
    (void)detail;
    (void)arg;
}

static void tell_failure(const char *message, void *arg)
{
    struct finder *f = arg;

    problems_add(f->problems, "%s", message);
}

/* Of an overlay's rules only what the hub has written; the rest is told with the national pack. */
static bool is_of_these(const struct finder *f, const char *where)
{
    size_t len;

    return !ruleset_hub(f->rules) || folder_hub_of(where, &len);
}

static void tell_unreached(struct finder *f, uint16_t index)
{
    struct rule_info rule = ruleset_rule(f->rules, index);

    if (is_of_these(f, rule.where) && !rule.is_decision && !ruleset_is_read(f->rules, index) &&
        !f->t->items[index].is_read)
        problems_add(f->problems,
                     "%s: nothing reaches %s: it is a criterion, and no rule or move looks at it; "
                     "name it in an all_of, any_of or unless, or make it a rule",
                     rule.where, rule.name);
}

/* A rule that gives numbers or texts has no two sides; that one fails is told as such. */
static bool is_one_sided(const struct tallies *tallies, uint16_t index)
{
    const struct tally *t = &tallies->items[index];
    bool has_sides = t->met + t->unmet > 0 && t->other == 0 && t->failed == 0;

    return has_sides && (t->met == 0 || t->unmet == 0);
}

/* It gave nothing in each case: most likely it lacks a return. */
static bool is_empty(const struct tallies *tallies, uint16_t index)
{
    const struct tally *t = &tallies->items[index];

    return t->nothing > 0 && t->nothing == t->other && t->met + t->unmet + t->waived == 0;
}

static bool has_one_sided(const struct tallies *t)
{
    for (uint16_t i = 0; i < t->count; i++)
        if ((is_one_sided(t, i) || is_empty(t, i)) &&
            (!ruleset_hub(t->rules) || ruleset_rule(t->rules, i).is_own))
            return true;
    return false;
}

static void tell_one_sided(struct finder *f, uint16_t index)
{
    struct rule_info rule = ruleset_rule(f->rules, index);

    if (is_of_these(f, rule.where) && is_one_sided(f->t, index))
        problems_add(
            f->problems,
            "%s: %s is %s for every school, in all tests and invented cases; expected both "
            "true and false: look at its condition, or show a case in a test",
            rule.where, rule.name, f->t->items[index].met > 0 ? "true" : "false");
}

static void tell_empty(struct finder *f, uint16_t index)
{
    struct rule_info rule = ruleset_rule(f->rules, index);

    if (is_of_these(f, rule.where) && is_empty(f->t, index))
        problems_add(
            f->problems,
            "%s: %s gives nothing for any school, in all tests and invented cases; expected a "
            "value: is there a return?",
            rule.where, rule.name);
}

static void tell_unset(struct finder *f)
{
    struct fact_info fact;

    for (int i = 0; ruleset_unset_fact(&fact, f->rules, i); i++)
        if (is_of_these(f, fact.where))
            problems_add(f->problems,
                         "%s: nothing sets the fact %s of a %s; expected a reducer (under on) or a "
                         "move that does",
                         fact.where, fact.name, subject_kind_name(fact.of));
}

static void tell(struct finder *f)
{
    for (uint16_t i = 0; i < f->t->count; i++) {
        if (f->t->items[i].failure)
            tell_failure(f->t->items[i].failure, f);
        if (f->t->stopped >= INVENT_STOPPED_MAX)
            continue; /* too little was tried to doubt anything else */
        tell_unreached(f, i);
        tell_one_sided(f, i);
        tell_empty(f, i);
    }
    if (f->t->stopped < INVENT_STOPPED_MAX)
        tell_unset(f);
}

static enum err_code find(struct finder *f, int rounds, struct err *err)
{
    struct packtest_counts counts;
    struct invention how = { .seed = 1, .rounds = rounds, .least_rounds = rounds / 20 };
    int first = rulebook_is_one_overlay(f->book);

    enum err_code rc = coverage_init(&f->coverage, f->book, err);
    for (int i = first; rc == OK && i < f->coverage.count; i++) {
        f->t = &f->coverage.of[i];
        problems_place(f->problems, f->t->rules);
        rc = invent(f->t, f->book, &how, tell_failure, f, err);
        if (rc == OK && f->t->stopped < INVENT_STOPPED_MAX &&
            has_one_sided(f->t)) /* what chance did not find, the author may know */
            rc = packtest_cover(&counts, f->book, i, &f->coverage, ignore_test, NULL, err);
    }
    for (int i = first; rc == OK && i < f->coverage.count; i++) {
        f->t = &f->coverage.of[i];
        f->rules = f->t->rules;
        problems_place(f->problems, f->rules);
        tell(f);
    }
    problems_place(f->problems, NULL);
    return rc;
}

enum err_code doubts_find(struct problems *problems, struct rulebook *rules, int rounds,
                          struct err *err)
{
    struct finder f = { .problems = problems, .book = rules };
    enum err_code rc = find(&f, rounds, err);

    coverage_fini(&f.coverage);
    return rc;
}
