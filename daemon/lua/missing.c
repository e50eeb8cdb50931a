/* missing.c - see trace_internal.h. Usually each criterion that is not as it should be is missing,
 * and that is all. Where one rule counts both for and against (by `unless`), that can contradict
 * itself: then the smallest set is looked for that makes the whole come true. */
#include <string.h>

#include <lauxlib.h>

#include "lua/trace_internal.h"

#define LEAVES_MAX 32 /* rules without criteria among which a set is looked for */
#define FLIPS_MAX  4
#define ALL_MAX    14 /* ... among which every combination is tried, to say that there is none */

struct search {
    struct ruleset *rs;
    uint16_t root;
    uint16_t leaves[LEAVES_MAX];
    uint16_t leaf_count;
    bool is_flipped[RULES_MAX]; /* has the other value than it has */
    bool been[RULES_MAX];
};

static bool is_yes_or_no(const struct ruleset *rs, uint16_t rule)
{
    const struct memo *m = &rs->memos[rule];
    return m->epoch == rs->epoch && !m->is_running &&
           (m->given.form == GIVEN_TRUE || m->given.form == GIVEN_FALSE);
}

static bool is_met(const struct ruleset *rs, uint16_t rule)
{
    return rs->memos[rule].given.form == GIVEN_TRUE;
}

/* Has it no criteria, or none that count now? */
static bool is_leaf(const struct ruleset *rs, uint16_t rule)
{
    enum rule_form form = rs->rules[rule].form;
    return form == RULE_FUNCTION || form == RULE_SHOWN || rs->memos[rule].is_waived;
}

static void add(struct missing_list *out, uint16_t rule, bool wanted)
{
    for (uint16_t i = 0; i < out->count; i++)
        if (out->items[i].rule == rule)
            return;
    out->items[out->count++] = (struct missing){ rule, wanted };
}

/* Whatever must become otherwise for a rule to have the wanted value. */
static void want(lua_State *L, struct missing_list *out, struct ruleset *rs, uint16_t index,
                 bool wanted)
{
    const struct rule_def *rule = &rs->rules[index];

    if (!is_yes_or_no(rs, index) || is_met(rs, index) == wanted)
        return;
    luaL_checkstack(L, 8, "rules nested too deep");
    if (is_leaf(rs, index)) {
        add(out, index, wanted);
        return;
    }
    for (uint16_t i = 0; i < rule->criteria_count; i++)
        want(L, out, rs, rule->criteria[i], rule->form == RULE_UNLESS ? !wanted : wanted);
}

/* ---- would that do? ---- */

static bool would_be_met(const struct search *s, uint16_t index)
{
    const struct rule_def *rule = &s->rs->rules[index];
    uint16_t met = 0;

    if (is_leaf(s->rs, index))
        return is_met(s->rs, index) != s->is_flipped[index];
    for (uint16_t i = 0; i < rule->criteria_count; i++)
        met = (uint16_t)(met + would_be_met(s, rule->criteria[i]));
    return rule->form == RULE_ALL   ? met == rule->criteria_count
           : rule->form == RULE_ANY ? met > 0
                                    : met == 0;
}

static bool would_do(struct search *s, const struct missing_list *list)
{
    for (uint16_t i = 0; i < list->count; i++)
        s->is_flipped[list->items[i].rule] = true;
    bool does = would_be_met(s, s->root);
    memset(s->is_flipped, 0, sizeof(s->is_flipped));
    return does;
}

static void gather_leaves(lua_State *L, struct search *s, uint16_t index)
{
    const struct rule_def *rule = &s->rs->rules[index];

    if (s->been[index])
        return;
    s->been[index] = true;
    luaL_checkstack(L, 8, "rules nested too deep");
    if (!is_leaf(s->rs, index)) {
        for (uint16_t i = 0; i < rule->criteria_count; i++)
            gather_leaves(L, s, rule->criteria[i]);
    } else if (is_yes_or_no(s->rs, index) && s->leaf_count < LEAVES_MAX) {
        s->leaves[s->leaf_count++] = index;
    }
}

/* Flip `more` leaves from number `from` on. */
static bool flip(struct search *s, uint16_t from, int more)
{
    if (more == 0)
        return would_be_met(s, s->root);
    for (uint16_t i = from; i < s->leaf_count; i++) {
        s->is_flipped[s->leaves[i]] = true;
        if (flip(s, (uint16_t)(i + 1), more - 1))
            return true;
        s->is_flipped[s->leaves[i]] = false;
    }
    return false;
}

/* ---- can nothing do? ---- */

/* Bits: 1, a leaf counts for the root; 2, against it. */
static void look_for_sides(const struct search *s, uint8_t *sides, uint16_t index, uint8_t side)
{
    const struct rule_def *rule = &s->rs->rules[index];

    if (sides[index] & side)
        return;
    sides[index] |= side;
    for (uint16_t i = 0; !is_leaf(s->rs, index) && i < rule->criteria_count; i++)
        look_for_sides(s, sides, rule->criteria[i], rule->form == RULE_UNLESS ? side ^ 3 : side);
}

static void find_contradiction(struct missing_list *out, struct search *s)
{
    uint8_t sides[RULES_MAX] = { 0 };

    if (s->leaf_count > ALL_MAX)
        return;
    for (uint32_t all = 0; all < 1u << s->leaf_count; all++) {
        for (uint16_t i = 0; i < s->leaf_count; i++)
            s->is_flipped[s->leaves[i]] = all >> i & 1;
        if (would_be_met(s, s->root))
            return;
    }
    out->is_contradiction = true;
    look_for_sides(s, sides, s->root, 1);
    for (uint16_t i = 0; i < s->leaf_count; i++)
        if (sides[s->leaves[i]] == 3)
            out->both[out->both_count++] = s->leaves[i];
}

void missing_find(lua_State *L, struct missing_list *out, struct ruleset *rs, uint16_t rule)
{
    struct search s = { .rs = rs, .root = rule };

    out->count = out->both_count = 0;
    out->is_contradiction = false;
    want(L, out, rs, rule, true);
    if (out->count == 0 || would_do(&s, out))
        return;
    gather_leaves(L, &s, rule);
    for (int flips = 1; flips <= FLIPS_MAX; flips++) {
        if (!flip(&s, 0, flips))
            continue;
        out->count = 0;
        for (uint16_t i = 0; i < s.leaf_count; i++)
            if (s.is_flipped[s.leaves[i]])
                add(out, s.leaves[i], !is_met(rs, s.leaves[i]));
        return;
    }
    find_contradiction(out, &s);
}
