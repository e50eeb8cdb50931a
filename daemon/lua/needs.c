/* needs.c - see needs.h. All of it is read from what a kept record remembers; no rule is run. */
#include "lua/needs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lua/record_internal.h"
#include "lua/state.h"

static_assert(FACT_SET_WORDS * 64 >= FACTS_MAX, "a fact_set holds all facts of a kind");

static int find_rule(const struct record *r, const char *name)
{
    const struct strmap_item *item = strmap_find(&r->rs->rule_names, name, strlen(name));
    return item && r->rs->rules[item->as.num].of == r->kind ? (int)item->as.num : -1;
}

static const char *said(const struct record *r, uint16_t rule)
{
    size_t len;
    return kept_text(r->rs, r->kept[r->rs->rules[rule].place].value, &len);
}

const char *record_said(const struct record *r, const char *rule)
{
    int index = find_rule(r, rule);
    return index >= 0 && r->kept ? said(r, (uint16_t)index) : NULL;
}

bool record_is_waivable(const struct record *r, const char *rule)
{
    int index = find_rule(r, rule);
    return index >= 0 && r->rs->rules[index].is_waivable;
}

struct fact_set record_touched_facts(const struct record *r)
{
    struct fact_set s = { { 0 } };

    memcpy(s.bits, r->touched, r->rs->fact_words * sizeof(s.bits[0]));
    return s;
}

/* ---- the way down to what is not met ---- */

struct search {
    const struct record *r;
    bool seen[RULES_MAX];
    bool is_required[RULES_MAX];
    uint16_t found[RULES_MAX];
    int count;
};

static void add(struct search *s, uint16_t rule)
{
    if (!s->seen[rule])
        s->found[s->count++] = rule;
    s->seen[rule] = true;
}

/* Add whatever may have to change for the rule to say something else. */
static void descend(struct search *s, uint16_t index, bool is_required)
{
    const struct ruleset *rs = s->r->rs;
    const struct rule_def *rule = &rs->rules[index];
    const struct subject_defs *defs = &rs->subjects[s->r->kind];
    bool is_composite = rule->form != RULE_FUNCTION && rule->form != RULE_SHOWN;

    s->is_required[index] = s->is_required[index] || is_required;
    if (s->seen[index])
        return;
    if (!is_composite || rule->form == RULE_UNLESS)
        add(s, index);
    s->seen[index] = true;
    for (uint16_t i = 0; i < rule->criteria_count; i++) {
        bool is_met = strcmp(said(s->r, rule->criteria[i]), "true") == 0;
        if (is_met == (rule->form == RULE_UNLESS))
            descend(s, rule->criteria[i], is_required && rule->form == RULE_ALL);
    }
    const struct kept *kept = &s->r->kept[rule->place];
    for (uint16_t w = 0; !is_composite && kept->is_good && w < rs->rule_words; w++)
        for (uint64_t bits = kept_rules_read(s->r, rule->place, w); bits; bits &= bits - 1)
            descend(s, defs->rules[w * 64 + __builtin_ctzll(bits)], false);
}

/* The facts that a rule read itself, and those that the moves which make them read, and so on. */
static void gather_facts(struct fact_set *out, const struct record *r, uint16_t rule)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    uint16_t place = r->rs->rules[rule].place;
    bool grew = true;

    for (uint16_t f = 0; f < defs->fact_count; f++) {
        uint64_t only[FACTS_MAX / 64] = { 0 };
        only[f / 64] = 1ull << (f % 64);
        if (r->kept[place].is_good && kept_reads(r, place, only, NULL))
            out->bits[f / 64] |= only[f / 64];
    }
    while (grew) {
        struct fact_set before = *out;
        for (uint16_t m = 0; m < defs->move_count; m++) {
            uint16_t f = defs->moves[m].fact;
            for (uint16_t w = 0; (out->bits[f / 64] >> (f % 64) & 1) && w < r->rs->fact_words; w++)
                out->bits[w] |= r->asked[m].facts[w];
        }
        grew = memcmp(&before, out, sizeof(before)) != 0;
    }
}

static int by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b; /* rules are sorted by name */
}

void record_needs(const struct record *r, const char *decision, need_fn *fn, void *arg)
{
    int index = find_rule(r, decision);
    struct search *s = index >= 0 && r->kept ? calloc(1, sizeof(*s)) : NULL;

    if (!s)
        return;
    s->r = r;
    descend(s, (uint16_t)index, true);
    qsort(s->found, (size_t)s->count, sizeof(s->found[0]), by_number);
    for (int i = 0; i < s->count; i++) {
        const struct rule_def *rule = &r->rs->rules[s->found[i]];
        struct need need = { .rule = rule->name,
                             .title = rule->title,
                             .advice = rule->advice,
                             .is_required = s->is_required[s->found[i]] };
        gather_facts(&need.facts, r, s->found[i]);
        fn(&need, arg);
    }
    free(s);
}
