/* declared.c - see declared.h. */
#include "lua/declared.h"

#include <string.h>

#include "lua/state.h"
#include "lua/uses.h"

/* ---- facts and parameters ---- */

static struct fact_info fact_info(const struct fact_def *f, enum subject_kind kind)
{
    return (struct fact_info){ .name = f->name, .where = f->where, .of = kind, .type = f->type };
}

bool ruleset_fact(struct fact_info *out, const struct ruleset *rs, enum subject_kind kind,
                  int index)
{
    const struct subject_defs *defs = &rs->subjects[kind];

    if (index < 0 || index >= defs->fact_count)
        return false;
    *out = fact_info(&defs->facts[index], kind);
    return true;
}

bool ruleset_unset_fact(struct fact_info *out, const struct ruleset *rs, int index)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        const struct subject_defs *defs = &rs->subjects[kind];
        const struct uses *moves = &rs->uses->moves[kind], *reducers = &rs->uses->reducers[kind];
        if (moves->is_open_set || reducers->is_open_set)
            continue; /* any of them may be set */
        for (uint16_t i = 0; i < defs->fact_count; i++) {
            bool is_set =
                i == defs->waivers || uses_has(moves->set, i) || uses_has(reducers->set, i);
            if (is_set || index-- > 0)
                continue;
            *out = fact_info(&defs->facts[i], (enum subject_kind)kind);
            return true;
        }
    }
    return false;
}

bool ruleset_param(struct param_info *out, const struct ruleset *rs, int index)
{
    if (index < 0 || index >= rs->param_count)
        return false;
    *out = (struct param_info){ rs->params[index].name, rs->params[index].where };
    return true;
}

void ruleset_write_param(struct buf *out, const struct ruleset *rs, int index)
{
    const struct param_def *p = &rs->params[index];
    lua_State *L = rs->sandbox.L;
    char day[DAY_TEXT];

    for (uint32_t i = 0; i < p->version_count; i++) {
        if (i > 0)
            buf_printf(out, ", from %s ", day_text(london_day(p->versions[i].from), day));
        lua_rawgeti(L, LUA_REGISTRYINDEX, p->versions[i].ref);
        convert_write_scalar(L, -1, out);
        lua_pop(L, 1);
    }
}

const char *ruleset_param_type(const struct ruleset *rs, int index)
{
    lua_State *L = rs->sandbox.L;

    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->params[index].versions[0].ref);
    const char *type = lua_typename(L, lua_type(L, -1));
    lua_pop(L, 1);
    return type;
}

/* ---- rules ---- */

uint16_t ruleset_rule_count(const struct ruleset *rs)
{
    return rs->rule_count;
}

static const char *form_of(enum rule_form form)
{
    switch (form) {
    case RULE_ALL:
        return "all_of";
    case RULE_ANY:
        return "any_of";
    case RULE_UNLESS:
        return "unless";
    case RULE_SHOWN:
        return "shown";
    case RULE_FUNCTION:
        break;
    }
    return "function";
}

struct rule_info ruleset_rule(const struct ruleset *rs, uint16_t index)
{
    const struct rule_def *r = &rs->rules[index];
    bool is_composite = r->form == RULE_ALL || r->form == RULE_ANY || r->form == RULE_UNLESS;

    return (struct rule_info){
        .name = r->name,
        .where = r->where,
        .title = r->title,
        .source = r->source,
        .advice = r->advice,
        .of = r->of,
        .is_decision = r->is_decision,
        .is_own = strncmp(r->where, "hubs/", 5) == 0,
        .is_alert = r->is_alert,
        .is_waivable = r->is_waivable,
        .is_yes_or_no = is_composite || r->need != NEED_NONE || r->is_alert || r->is_waivable ||
                        !r->is_decision,
        .form = form_of(r->form),
        .need_param = r->need == NEED_NONE ? -1 : r->need_param,
    };
}

const char *ruleset_title(const struct ruleset *rs, const char *rule)
{
    const struct strmap_item *item = strmap_find(&rs->rule_names, rule, strlen(rule));
    return item ? rs->rules[item->as.num].title : NULL;
}

bool ruleset_criterion(uint16_t *out, const struct ruleset *rs, uint16_t rule, int index)
{
    const struct rule_def *r = &rs->rules[rule];

    if (index < 0 || index >= r->criteria_count)
        return false;
    *out = r->criteria[index];
    return true;
}

bool ruleset_reads_param(const struct ruleset *rs, uint16_t rule, int param)
{
    return uses_has(rs->uses->rules[rule].params, (unsigned)param) ||
           (rs->rules[rule].need != NEED_NONE && rs->rules[rule].need_param == param);
}

bool ruleset_reads_fact(const struct ruleset *rs, uint16_t rule, int fact)
{
    return uses_has(rs->uses->rules[rule].facts, (unsigned)fact) ||
           (rs->rules[rule].form == RULE_SHOWN && rs->rules[rule].fact == fact);
}

bool ruleset_reads_rule(const struct ruleset *rs, uint16_t rule, uint16_t other)
{
    uint16_t criterion;

    for (int i = 0; ruleset_criterion(&criterion, rs, rule, i); i++)
        if (criterion == other)
            return true;
    return uses_has(rs->uses->rules[rule].rules, other);
}

bool ruleset_is_read(const struct ruleset *rs, uint16_t index)
{
    const struct uses *moves = &rs->uses->moves[rs->rules[index].of];
    bool is_read = moves->is_open || uses_has(moves->rules, index);

    for (uint16_t i = 0; i < rs->rule_count && !is_read; i++)
        is_read = i != index && rs->rules[i].of == rs->rules[index].of &&
                  (rs->uses->rules[i].is_open || ruleset_reads_rule(rs, i, index));
    return is_read;
}

/* ---- the rest ---- */

bool ruleset_takes(const struct ruleset *rs, enum subject_kind kind, const char *type)
{
    const struct subject_defs *defs = &rs->subjects[kind];
    size_t len = strlen(type);

    return strmap_find(&defs->reducer_by_event, type, len) ||
           strmap_find(&defs->added_by_event, type, len);
}

const char *ruleset_word(const struct ruleset *rs, int index)
{
    return index >= 0 && (uint32_t)index < rs->env_names.count ? rs->env_names.items[index].key
                                                               : NULL;
}

const char *ruleset_folder(const struct ruleset *rs, bool of_overlay)
{
    for (size_t i = 0; i < 2 && rs->places[i].pack; i++)
        if (of_overlay == (strncmp(rs->places[i].pack, "hubs/", 5) == 0))
            return rs->places[i].folder;
    return NULL;
}
