/* effects.c - what an overlay changes of the national pack: switched on by direction, and how far a
 * record comes by it. See ruleset.h, record.h. */
#include <string.h>

#include "lua/record_internal.h"

void ruleset_set_effects(struct ruleset *rs, unsigned effects)
{
    rs->effects = effects;
}

unsigned ruleset_changes(const struct ruleset *rs)
{
    unsigned changes = rs->own_calendar.year_count > 0 ? EFFECT_FREELY : 0;

    for (uint16_t i = 0; i < rs->param_count; i++)
        changes |= rs->params[i].change ? rs->params[i].change->direction : 0;
    for (uint16_t i = 0; i < rs->rule_count; i++)
        changes |= rs->rules[i].change ? rs->rules[i].change->direction : 0;
    return changes;
}

/* ---- further ---- */

static uint32_t place_of(const struct shape *shape, struct cell value)
{
    uint32_t i = 0;

    while (i < shape->value_count && shape->values[i] != cell_text(value))
        i++;
    return i;
}

static bool holds_more(const struct node *set, const struct node *than)
{
    uint32_t at;

    for (uint32_t i = 0; set && i < set->used; i++)
        if (!node_find(&at, than, 1, set->cells[i]))
            return true;
    return false;
}

static struct cell value_of(const struct record *r, const struct fact_def *f, uint16_t fact)
{
    return cell_is_nil(r->facts[fact]) ? f->initial : r->facts[fact];
}

const char *record_is_further(const struct record *r, const struct record *than)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];

    for (uint16_t i = 0; i < defs->move_count; i++) {
        const struct move_def *m = &defs->moves[i];
        const struct fact_def *f = &defs->facts[m->fact];
        struct cell a = value_of(r, f, m->fact), b = value_of(than, f, m->fact);
        bool is_further = false;
        if (m->is_own)
            continue;
        if (m->form == MOVE_ONCE)
            is_further = cell_is_true(a) && !cell_is_true(b);
        else if (m->form == MOVE_GATHER)
            is_further = holds_more(cell_node(a), cell_node(b));
        else if (f->type->kind == TYPE_ENUM)
            is_further = place_of(f->shape, a) > place_of(f->shape, b);
        if (is_further)
            return m->name;
    }
    return NULL;
}
