/* tell_overlay.c - what an overlay changes of the national pack, as JSON. See ruleset.h. */
#include <string.h>

#include "base/json.h"
#include "lua/state.h"

static const struct param_version *version_at(const struct param_version *v, uint32_t count,
                                              int64_t at)
{
    uint32_t i = 0;

    while (i + 1 < count && v[i + 1].from <= at)
        i++;
    return &v[i];
}

static void begin_change(struct buf *out, const char **comma, const char *kind, const char *name,
                         unsigned direction)
{
    buf_printf(out, "%s{\"kind\":\"%s\",\"name\":", *comma, kind);
    json_write_cstr(out, name);
    buf_printf(out, ",\"how\":\"%s\"", change_word(direction));
    *comma = ",";
}

static void end_change(struct buf *out, const char *where)
{
    buf_str(out, ",\"where\":");
    json_write_cstr(out, where);
    buf_char(out, '}');
}

/* The values in force at `at`. */
static void tell_param(struct buf *out, const char **comma, const struct param_def *p, int64_t at)
{
    const struct param_change *c = p->change;

    begin_change(out, comma, "parameter", p->name, c->direction);
    buf_printf(out, ",\"national\":%s,\"here\":%s",
               version_at(p->versions, p->version_count, at)->json,
               version_at(c->versions, c->version_count, at)->json);
    end_change(out, c->where);
}

static void tell_rule(struct buf *out, const char **comma, const struct ruleset *rs,
                      const struct rule_def *rule)
{
    const struct rule_change *c = rule->change;

    begin_change(out, comma, "rule", rule->name, c->direction);
    buf_str(out, ",\"title\":");
    json_write_cstr(out, c->title);
    buf_str(out, ",\"source\":");
    json_write_cstr(out, c->source);
    buf_str(out, ",\"criteria\":[");
    for (uint16_t i = 0; i < c->criteria_count; i++) {
        buf_str(out, i ? "," : "");
        json_write_cstr(out, rs->rules[c->criteria[i]].name);
    }
    buf_char(out, ']');
    end_change(out, c->where);
}

static void tell_calendar(struct buf *out, const char **comma, const struct calendar *cal)
{
    char first[YEAR_TEXT], last[YEAR_TEXT];

    buf_printf(out, "%s{\"kind\":\"calendar\",\"from\":\"%s\",\"to\":\"%s\"}", *comma,
               year_text(cal->first_year, first),
               year_text(cal->first_year + cal->year_count - 1, last));
    *comma = ",";
}

void ruleset_write_overlay(struct buf *out, const struct ruleset *rs, int64_t at)
{
    const char *comma = "";

    if (!rs->hub) {
        buf_str(out, "null");
        return;
    }
    buf_str(out, "{\"hub\":");
    json_write_cstr(out, rs->hub);
    buf_str(out, ",\"title\":");
    json_write_cstr(out, rs->title);
    buf_str(out, ",\"version\":");
    json_write_cstr(out, rs->version);
    buf_str(out, ",\"changes\":[");
    for (uint16_t i = 0; i < rs->param_count; i++)
        if (rs->params[i].change)
            tell_param(out, &comma, &rs->params[i], at);
    for (uint16_t i = 0; i < rs->rule_count; i++)
        if (rs->rules[i].change)
            tell_rule(out, &comma, rs, &rs->rules[i]);
    if (rs->own_calendar.year_count > 0)
        tell_calendar(out, &comma, &rs->own_calendar);
    buf_str(out, "]}");
}

const char *ruleset_overlay_on(const struct ruleset *rs, const char *rule)
{
    const struct strmap_item *item = strmap_find(&rs->rule_names, rule, strlen(rule));
    const struct rule_def *r = item ? &rs->rules[item->as.num] : NULL;

    return !r ? NULL : r->is_own ? "adds" : r->change ? change_word(r->change->direction) : NULL;
}
