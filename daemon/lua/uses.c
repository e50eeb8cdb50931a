/* uses.c - see uses.h. */
#include "lua/uses.h"

#include <string.h>

#include "base/buf.h"
#include "lua/loader.h"

enum visit { NEW, UNDER_WAY, DONE };

struct search {
    struct loader *ld;
    uint8_t *visits; /* of each rule */
    uint16_t *way;   /* from where the search began to the rule at hand */
    int depth;
};

static void visit(struct search *s, uint16_t rule);

/* Rules lie in the order of their names. What an overlay adds stands in front: the national pack
 * has no circle of its own, so that is where the mistake is. */
static bool comes_before(const struct rule_def *a, const struct rule_def *b)
{
    return a->is_own == b->is_own ? a < b : a->is_own;
}

/* The circle is told from its first rule, wherever the search came upon it. */
static void tell_cycle(struct search *s, uint16_t rule)
{
    const struct rule_def *rules = s->ld->rs->rules;
    struct buf text = { 0 };
    int first = s->depth - 1;

    while (s->way[first] != rule)
        first--;
    int length = s->depth - first, least = first;
    for (int i = first; i < s->depth; i++)
        if (comes_before(&rules[s->way[i]], &rules[s->way[least]]))
            least = i;
    for (int i = 0; i <= length; i++)
        buf_printf(&text, "%s%s", i ? " -> " : "",
                   rules[s->way[first + (least - first + i) % length]].name);
    const struct rule_def *r = &rules[s->way[least]];
    problems_add(s->ld->problems, "%s: rule %s reads itself: %s", r->where, r->name,
                 buf_cstr(&text));
    buf_fini(&text);
}

static void follow(struct search *s, uint16_t to)
{
    if (s->visits[to] == UNDER_WAY)
        tell_cycle(s, to);
    else if (s->visits[to] == NEW)
        visit(s, to);
}

static void visit(struct search *s, uint16_t rule)
{
    const struct ruleset *rs = s->ld->rs;
    const struct rule_def *r = &rs->rules[rule];

    s->visits[rule] = UNDER_WAY;
    s->way[s->depth++] = rule;
    for (uint16_t i = 0; i < r->criteria_count; i++)
        follow(s, r->criteria[i]);
    for (uint16_t i = 0; i < rs->rule_count; i++)
        if (uses_has(rs->uses->rules[rule].rules, i))
            follow(s, i);
    s->depth--;
    s->visits[rule] = DONE;
}

void uses_check_cycles(struct loader *ld)
{
    size_t count = ld->rs->rule_count;
    struct search s = { .ld = ld,
                        .visits = arena_alloc(ld->scratch, count + 1),
                        .way = arena_alloc(ld->scratch, (count + 1) * sizeof(*s.way)) };

    if (!s.visits || !s.way)
        return; /* a circle is found again when it is run */
    for (uint16_t i = 0; i < count; i++)
        if (s.visits[i] == NEW)
            visit(&s, i);
}
