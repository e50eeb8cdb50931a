/* inventory.c - see inventory.h. */
#include "lua/inventory.h"

#include <inttypes.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/text.h"
#include "lua/state.h"

static const char *const FORMS[] = { [RULE_FUNCTION] = "function",
                                     [RULE_ALL] = "all_of",
                                     [RULE_ANY] = "any_of",
                                     [RULE_UNLESS] = "unless",
                                     [RULE_SHOWN] = "shown" };
static const char *const NEEDS[] = {
    [NEED_AT_LEAST] = "at_least", [NEED_AT_MOST] = "at_most", [NEED_EQUAL] = "equal_to"
};

const char *ruleset_rule_name(const struct ruleset *rs, int index)
{
    return index < (int)rs->rule_count ? rs->rules[index].name : NULL;
}

/* A scalar of the Lua state. */
static void write_ref(struct buf *out, struct ruleset *rs, int ref)
{
    lua_State *L = rs->sandbox.L;
    size_t len;

    switch (lua_rawgeti(L, LUA_REGISTRYINDEX, ref)) {
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, -1, &len);
        json_write_string(out, text, len);
        break;
    }
    case LUA_TBOOLEAN:
        buf_str(out, lua_toboolean(L, -1) ? "true" : "false");
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1))
            buf_printf(out, "%lld", (long long)lua_tointeger(L, -1));
        else
            json_write_real(out, lua_tonumber(L, -1));
        break;
    default:
        buf_str(out, "null");
    }
    lua_pop(L, 1);
}

static void write_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_cstr(out, text);
}

static void write_versions(struct buf *out, struct ruleset *rs, const struct param_def *p)
{
    char time[TIME_TEXT];

    buf_char(out, '[');
    for (uint32_t i = 0; i < p->version_count; i++) {
        buf_str(out, i ? ",{\"from\":" : "{\"from\":");
        json_write_cstr(
            out, p->versions[i].from == TIME_MIN ? NULL : time_text(p->versions[i].from, time));
        buf_str(out, ",\"value\":");
        write_ref(out, rs, p->versions[i].ref);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

/* Of one rule those that it reads; `rule` -1: all. */
static void write_params(struct buf *out, struct ruleset *rs, int rule)
{
    const char *comma = "";

    buf_char(out, '{');
    for (uint16_t i = 0; i < rs->param_count; i++) {
        if (rule >= 0 && !ruleset_reads_param(rs, (uint16_t)rule, i))
            continue;
        buf_str(out, comma);
        comma = ",";
        json_write_cstr(out, rs->params[i].name);
        buf_char(out, ':');
        write_versions(out, rs, &rs->params[i]);
    }
    buf_char(out, '}');
}

void ruleset_describe_params(struct buf *out, struct ruleset *rs)
{
    write_params(out, rs, -1);
}

static void write_needs(struct buf *out, struct ruleset *rs, const struct rule_def *r)
{
    buf_str(out, ",\"needs\":");
    if (r->need == NEED_NONE) {
        buf_str(out, "null");
        return;
    }
    buf_printf(out, "{\"is\":\"%s\",\"parameter\":", NEEDS[r->need]);
    json_write_cstr(out, r->need_param >= 0 ? rs->params[r->need_param].name : NULL);
    if (r->need_param < 0) {
        buf_str(out, ",\"value\":");
        write_ref(out, rs, r->need_ref);
    }
    buf_char(out, '}');
}

static void write_values(struct buf *out, const struct ruleset *rs, const char *name)
{
    static const char *const KINDS[] = { [VALUES_OPEN] = "any",
                                         [VALUES_BOOL] = "boolean",
                                         [VALUES_ENUM] = "enum",
                                         [VALUES_INT] = "integer" };
    struct value_range range;

    ruleset_values(&range, rs, name);
    buf_printf(out, ",\"value\":\"%s\",\"values\":", KINDS[range.kind]);
    if (range.kind != VALUES_ENUM) {
        buf_str(out, "null");
        return;
    }
    for (size_t i = 0; i < range.count; i++) {
        buf_str(out, i ? "," : "[");
        json_write_cstr(out, range.values[i]);
    }
    buf_char(out, ']');
}

static enum err_code no_such(const struct ruleset *rs, const char *name, struct err *err)
{
    const char *names[RULES_MAX];
    char hint[160];

    for (uint16_t i = 0; i < rs->rule_count; i++)
        names[i] = rs->rules[i].name;
    return err_set(err, ERR_ABSENT, "there is no rule '%.100s'%s", name,
                   text_hint(hint, sizeof(hint), name, names, rs->rule_count));
}

/* How often it came out in which way, in the tests of all who have this rule. */
static void write_coverage(struct buf *out, const char *name, const struct tallies *const tests[2])
{
    struct tally sum = { 0 };

    for (int i = 0; i < 2; i++) {
        const struct strmap *names = tests[i] ? &tests[i]->rules->rule_names : NULL;
        const struct strmap_item *item = names ? strmap_find(names, name, strlen(name)) : NULL;
        const struct tally *t = item ? &tests[i]->items[item->as.num] : &sum;
        if (t == &sum)
            continue;
        sum.met += t->met;
        sum.unmet += t->unmet;
        sum.waived += t->waived;
        sum.other += t->other;
        sum.failed += t->failed;
    }
    buf_printf(out,
               ",\"coverage\":{\"true\":%" PRIu64 ",\"false\":%" PRIu64 ",\"waived\":%" PRIu64
               ",\"value\":%" PRIu64 ",\"error\":%" PRIu64 "}",
               sum.met, sum.unmet, sum.waived, sum.other, sum.failed);
}

enum err_code ruleset_describe(struct buf *out, struct ruleset *rs, const char *name,
                               const struct tallies *const tests[2], struct err *err)
{
    const struct strmap_item *item = strmap_find(&rs->rule_names, name, strlen(name));

    if (!item)
        return no_such(rs, name, err);
    const struct rule_def *r = &rs->rules[item->as.num];
    buf_str(out, "{\"name\":");
    json_write_cstr(out, r->name);
    write_member(out, "title", r->title);
    write_member(out, "source", r->source);
    write_member(out, "advice", r->advice);
    write_member(out, "where", r->where);
    write_member(out, "of", subject_kind_name(r->of));
    write_member(out, "form", FORMS[r->form]);
    buf_printf(out, ",\"is_decision\":%s,\"is_alert\":%s,\"is_waivable\":%s",
               r->is_decision ? "true" : "false", r->is_alert ? "true" : "false",
               r->is_waivable ? "true" : "false");
    write_values(out, rs, r->name);
    write_needs(out, rs, r);
    buf_str(out, ",\"criteria\":[");
    for (uint16_t i = 0; i < r->criteria_count; i++) {
        buf_str(out, i ? "," : "");
        json_write_cstr(out, rs->rules[r->criteria[i]].name);
    }
    buf_str(out, "],\"parameters\":");
    write_params(out, rs, (int)item->as.num);
    write_coverage(out, r->name, tests);
    buf_char(out, '}');
    return OK;
}

void ruleset_values(struct value_range *out, const struct ruleset *rs, const char *decision)
{
    const struct strmap_item *item = strmap_find(&rs->rule_names, decision, strlen(decision));

    *out = (struct value_range){ .kind = VALUES_OPEN };
    if (!item)
        return;
    const struct rule_def *r = &rs->rules[item->as.num];
    if (r->form != RULE_SHOWN) {
        bool is_bool =
            r->form != RULE_FUNCTION || r->need != NEED_NONE || r->is_waivable || r->is_alert;
        out->kind = is_bool ? VALUES_BOOL : VALUES_OPEN;
        return;
    }
    const struct type *type = rs->subjects[r->of].facts[r->fact].type;
    if (type->kind == TYPE_BOOL)
        out->kind = VALUES_BOOL;
    else if (type->kind == TYPE_INT)
        out->kind = VALUES_INT;
    else if (type->kind == TYPE_ENUM)
        *out = (struct value_range){ VALUES_ENUM, type->values, type->value_count };
}
