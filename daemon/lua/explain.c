/* explain.c - how a decision came about, criterion by criterion, for people. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"

struct explain_job {
    struct record *r;
    uint16_t rule;
    struct buf *out;
    const char *missing[RULES_MAX];
    int missing_count;
};

static void write_value(struct buf *out, lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TSTRING)
        buf_str(out, lua_tostring(L, index));
    else
        convert_write_scalar(L, index, out);
}

static void add_missing(struct explain_job *job, const char *name)
{
    for (int i = 0; i < job->missing_count; i++)
        if (strcmp(job->missing[i], name) == 0)
            return;
    job->missing[job->missing_count++] = name;
}

/* What the overlay of the hub has in place of the value that is needed. */
static void write_changed_param(lua_State *L, struct explain_job *job, uint16_t index)
{
    struct ruleset *rs = job->r->rs;
    int param = rs->rules[index].need_param;
    const struct param_change *c = param >= 0 ? rs->params[param].change : NULL;

    if (!c)
        return;
    unsigned effects = rs->effects;
    rs->effects = 0;
    view_push_needed(L, rs, index);
    rs->effects = effects;
    buf_printf(job->out, " (by hub %s, %s; nationally ", rs->hub, c->where);
    write_value(job->out, L, -1);
    buf_char(job->out, ')');
    lua_pop(L, 1);
}

/* What was seen and needed, and whose waiver stands, behind the title. */
static void write_details(lua_State *L, struct explain_job *job, uint16_t index, bool is_met)
{
    struct ruleset *rs = job->r->rs;
    const struct rule_def *rule = &rs->rules[index];
    static const char *const NEEDS[] = { "", "at least ", "at most ", "" };

    if (rule->need != NEED_NONE) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->seen_values);
        lua_rawgeti(L, -1, index + 1);
        buf_str(job->out, ": ");
        write_value(job->out, L, -1);
        view_push_needed(L, rs, index);
        buf_printf(job->out, ", needed %s", NEEDS[rule->need]);
        write_value(job->out, L, -1);
        lua_pop(L, 3);
        write_changed_param(L, job, index);
    }
    if (rs->memos[index].is_waived)
        buf_str(job->out, " (waived)");
    if (!is_met && rule->advice)
        buf_printf(job->out, " -> %s", rule->advice);
}

/* Where the overlay of the hub has a part in it. */
static void write_change(struct explain_job *job, uint16_t index, int depth)
{
    const struct ruleset *rs = job->r->rs;
    const struct rule_change *c = rs->rules[index].change;

    buf_printf(job->out, "%*s      hub %s %s: %s  (%s)\n", depth * 2, "", rs->hub,
               c->direction == EFFECT_TIGHTEN ? "also asks" : "takes instead", c->title, c->where);
}

static void explain_rule(lua_State *L, struct explain_job *job, uint16_t index, int depth)
{
    struct ruleset *rs = job->r->rs;
    const struct rule_def *rule = &rs->rules[index];
    bool is_basic = rule->form == RULE_FUNCTION || rule->form == RULE_SHOWN;

    luaL_checkstack(L, 8, "rules nested too deep");
    view_push_rule(L, rs, index);
    bool is_yes_or_no = lua_isboolean(L, -1), is_met = lua_toboolean(L, -1);
    buf_printf(job->out, "%*s%s %s", depth * 2, "",
               !is_yes_or_no ? "     "
               : is_met      ? "[yes]"
                             : "[no] ",
               rule->title);
    if (!is_yes_or_no) {
        buf_str(job->out, ": ");
        write_value(job->out, L, -1);
    }
    write_details(L, job, index, is_met);
    buf_printf(job->out, "  (%s, %s)\n", rule->name, rule->where);
    lua_pop(L, 1);
    if (rule->change)
        write_change(job, index, depth);
    if (is_basic && is_yes_or_no && !is_met)
        add_missing(job, rule->name);
    bool is_settled = is_met || rule->form == RULE_UNLESS; /* what is waived is met */
    if (rule->form == RULE_UNLESS && is_yes_or_no && !is_met)
        add_missing(job, rule->name); /* what it wants is that its criteria are not met */
    for (uint16_t i = 0; i < rule->criteria_count; i++) {
        int before = job->missing_count;
        explain_rule(L, job, rule->criteria[i], depth + 1);
        if (is_settled)
            job->missing_count = before; /* what a met rule lacks is not missing */
    }
}

static int explain_in_lua(lua_State *L)
{
    struct explain_job *job = lua_touserdata(L, 1);
    explain_rule(L, job, job->rule, 0);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum err_code record_no_such_rule(const struct record *r, const char *rule, struct err *err)
{
    const char *known[RULES_MAX];
    char hint[200];
    size_t count = 0;
    const struct strmap_item *item = strmap_find(&r->rs->rule_names, rule, strlen(rule));

    if (item && r->rs->rules[item->as.num].of != r->kind)
        return err_set(err, ERR_ABSENT, "there is no rule '%s' about a %s: it is about a %s", rule,
                       subject_kind_name(r->kind),
                       subject_kind_name(r->rs->rules[item->as.num].of));
    for (uint16_t i = 0; i < r->rs->rule_count; i++)
        if (r->rs->rules[i].of == r->kind)
            known[count++] = r->rs->rules[i].name;
    return err_set(err, ERR_ABSENT, "there is no rule '%s' about a %s%s", rule,
                   subject_kind_name(r->kind), text_hint(hint, sizeof(hint), rule, known, count));
}

enum err_code record_explain(struct buf *out, struct buf *missing, struct record *r,
                             const char *decision, int64_t now, struct err *err)
{
    const struct strmap_item *item = strmap_find(&r->rs->rule_names, decision, strlen(decision));
    struct reads reads;

    if (!item || r->rs->rules[item->as.num].of != r->kind)
        return record_no_such_rule(r, decision, err);
    struct explain_job *job = calloc(1, sizeof(*job));
    if (!job)
        return err_set(err, ERR_LIMIT, "no memory to explain %s", decision);
    job->r = r;
    job->rule = (uint16_t)item->as.num;
    job->out = out;
    size_t before = out->len;
    enum err_code rc;
    do { /* at first, when it is suspect, in vain */
        out->len = before;
        job->missing_count = 0;
        record_begin(r, now, &reads);
        rc = record_run(r, explain_in_lua, job, err);
    } while (rc == ERR_BUSY);
    sandbox_trust(&r->rs->sandbox);
    qsort(job->missing, (size_t)job->missing_count, sizeof(job->missing[0]), by_text);
    for (int i = 0; rc == OK && missing && i < job->missing_count; i++)
        buf_printf(missing, "%s%s", i ? " " : "", job->missing[i]);
    free(job);
    return rc;
}
