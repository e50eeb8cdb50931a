/* reasons.c - see trace.h. Why a rule says what it says: every criterion, value and comparison,
 * none left out. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/reasons_internal.h"

static const char *const FORMS[] = { "rule", "all_of", "any_of", "unless", "shown" };

/* ---- small things ---- */

static bool is_known(const struct telling *x, uint16_t rule)
{
    return x->rs->memos[rule].epoch == x->rs->epoch && !x->rs->memos[rule].is_running;
}

static bool is_yes_or_no(const struct telling *x, uint16_t rule)
{
    enum given_form form = x->rs->memos[rule].given.form;
    return is_known(x, rule) && (form == GIVEN_TRUE || form == GIVEN_FALSE);
}

static bool is_met(const struct telling *x, uint16_t rule)
{
    return x->rs->memos[rule].given.form == GIVEN_TRUE;
}

static void write_given(lua_State *L, const struct telling *x, uint16_t rule)
{
    if (!is_known(x, rule)) {
        buf_str(x->out, "null");
        return;
    }
    given_push(L, x->rs->memos[rule].given, x->rs->memo_values, rule);
    convert_write_scalar(L, -1, x->out);
    lua_pop(L, 1);
}

/* ---- a rule ---- */

static void write_names(struct telling *x, const char *member, const uint16_t *rules,
                        uint32_t count)
{
    if (count == 0)
        return;
    name_member(x->out, member);
    for (uint32_t i = 0; i < count; i++) {
        buf_str(x->out, i ? "," : "[");
        json_write_cstr(x->out, x->rs->rules[rules[i]].name);
    }
    buf_char(x->out, ']');
}

static void write_need(lua_State *L, struct telling *x, uint16_t index)
{
    static const char *const IS[] = { "", "at least", "at most", "equal to" };
    const struct rule_def *rule = &x->rs->rules[index];

    if (rule->need == NEED_NONE || !is_known(x, index))
        return;
    name_member(x->out, "seen");
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->rs->seen_values);
    lua_rawgeti(L, -1, index + 1);
    convert_write_scalar(L, -1, x->out);
    buf_printf(x->out, ",\"needed\":{\"is\":\"%s\",\"value\":", IS[rule->need]);
    view_push_needed(L, x->rs, index);
    convert_write_scalar(L, -1, x->out);
    if (rule->need_param >= 0) {
        name_member(x->out, "parameter");
        json_write_cstr(x->out, x->rs->params[rule->need_param].name);
    }
    buf_char(x->out, '}');
    lua_pop(L, 3);
}

static void write_text_cell(struct buf *out, const char *name, struct cell cell)
{
    const struct text *text = cell_text(cell);

    name_member(out, name);
    if (text)
        json_write_string(out, text->bytes, text->len);
    else
        buf_str(out, "null");
}

/* The waiver that lets a rule count as met: of several that stand, the first. */
static void write_waiver(struct telling *x, uint16_t index)
{
    struct cell list = x->r->facts[x->rs->subjects[x->r->kind].waivers];
    const struct node *waivers = cell_node(list);
    const struct rule_def *rule = &x->rs->rules[index];

    for (uint32_t i = 0; x->rs->memos[index].is_waived && waivers && i < waivers->used; i++) {
        const struct node *w = cell_node(waivers->cells[i]);
        const struct text *last = cell_text(w->cells[WAIVER_LAST_DAY]);
        int32_t day;
        struct err ignored;
        if (cell_text(w->cells[WAIVER_RULE]) != rule->text ||
            (last && (day_parse(&day, last->bytes, last->len, &ignored) != OK ||
                      x->now >= london_midnight(day + 1))))
            continue;
        buf_str(x->out, ",\"waived\":{\"rule\":");
        json_write_cstr(x->out, rule->name);
        write_text_cell(x->out, "by", w->cells[WAIVER_BY]);
        write_text_cell(x->out, "last_day", w->cells[WAIVER_LAST_DAY]);
        buf_char(x->out, '}');
        return;
    }
}

static void write_rule(lua_State *L, struct telling *x, uint16_t index)
{
    const struct rule_def *rule = &x->rs->rules[index];
    const struct notes *n = &x->t->notes[index];

    buf_str(x->out, "{\"rule\":");
    json_write_cstr(x->out, rule->name);
    name_member(x->out, "title");
    json_write_cstr(x->out, rule->title);
    name_member(x->out, "form");
    json_write_cstr(x->out, FORMS[rule->form]);
    name_member(x->out, "value");
    write_given(L, x, index);
    if (is_yes_or_no(x, index))
        buf_printf(x->out, ",\"met\":%s", is_met(x, index) ? "true" : "false");
    write_need(L, x, index);
    write_waiver(x, index);
    if (rule->advice) {
        name_member(x->out, "advice");
        json_write_cstr(x->out, rule->advice);
    }
    if (rule->source) {
        name_member(x->out, "source");
        json_write_cstr(x->out, rule->source);
    }
    name_member(x->out, "where");
    json_write_cstr(x->out, rule->where);
    if (rule->change) {
        name_member(x->out, "overlay");
        buf_printf(x->out, "{\"hub\":");
        json_write_cstr(x->out, x->rs->hub);
        buf_printf(x->out, ",\"how\":\"%s\",\"title\":", change_word(rule->change->direction));
        json_write_cstr(x->out, rule->change->title);
        name_member(x->out, "where");
        json_write_cstr(x->out, rule->change->where);
        buf_char(x->out, '}');
    }
    if (rule->form == RULE_FUNCTION || rule->form == RULE_SHOWN)
        write_names(x, "reads", n->rules.items, n->rules.count);
    else
        write_names(x, "criteria", rule->criteria, rule->criteria_count);
    write_facts(x, n);
    write_params(L, x, n);
    write_moments(x, n);
    buf_char(x->out, '}');
}

/* Rules in the order in which they are met on the way down, each once. */
static void order_rules(lua_State *L, struct telling *x, uint16_t index)
{
    const struct rule_def *rule = &x->rs->rules[index];
    const struct notes *n = &x->t->notes[index];
    const uint16_t *reads = n->rules.items;

    if (x->is_told[index])
        return;
    luaL_checkstack(L, 8, "rules nested too deep");
    x->is_told[index] = true;
    x->order[x->count++] = index;
    for (uint16_t i = 0; i < rule->criteria_count; i++)
        order_rules(L, x, rule->criteria[i]);
    for (uint32_t i = 0; i < n->rules.count; i++)
        order_rules(L, x, reads[i]);
}

/* ---- what is missing ---- */

static void write_missing(lua_State *L, struct telling *x)
{
    name_member(x->out, "missing");
    buf_char(x->out, '[');
    for (uint16_t i = 0; i < x->missing.count; i++) {
        const struct missing *m = &x->missing.items[i];
        const struct rule_def *rule = &x->rs->rules[m->rule];
        buf_str(x->out, i ? ",{\"rule\":" : "{\"rule\":");
        json_write_cstr(x->out, rule->name);
        name_member(x->out, "title");
        json_write_cstr(x->out, rule->title);
        buf_printf(x->out, ",\"wanted\":%s", m->wanted ? "true" : "false");
        write_need(L, x, m->rule);
        if (rule->advice && m->wanted) {
            name_member(x->out, "advice");
            json_write_cstr(x->out, rule->advice);
        }
        buf_char(x->out, '}');
    }
    buf_char(x->out, ']');
    if (!x->missing.is_contradiction)
        return;
    name_member(x->out, "contradiction");
    buf_char(x->out, '[');
    for (uint16_t i = 0; i < x->missing.both_count; i++) {
        buf_str(x->out, i ? "," : "");
        json_write_cstr(x->out, x->rs->rules[x->missing.both[i]].name);
    }
    buf_char(x->out, ']');
}

/* ---- all of it ---- */

static void tell(lua_State *L, struct telling *x)
{
    const struct rule_def *rule = &x->rs->rules[x->root];

    buf_str(x->out, "\"title\":");
    json_write_cstr(x->out, rule->title);
    if (rule->is_alert)
        buf_str(x->out, ",\"alert\":true");
    name_member(x->out, "value");
    write_given(L, x, x->root);
    if (x->has_failed) {
        name_member(x->out, "error");
        json_write_cstr(x->out, x->why.msg);
    }
    order_rules(L, x, x->root);
    if (!rule->is_alert)
        missing_find(L, &x->missing, x->rs, x->root);
    write_missing(L, x);
    name_member(x->out, "rules");
    for (uint16_t i = 0; i < x->count; i++) {
        buf_char(x->out, i ? ',' : '[');
        write_rule(L, x, x->order[i]);
    }
    buf_char(x->out, ']');
}

static int explain_in_lua(lua_State *L)
{
    struct telling *x = lua_touserdata(L, 1);

    view_rule(L, x->rs, x->root);
    tell(L, x);
    return 0;
}

static int tell_in_lua(lua_State *L)
{
    tell(L, lua_touserdata(L, 1));
    return 0;
}

/* The events among these steps; not those in `but`. */
static bool list_events(struct event_list *out, const struct trace *t, const struct bits *steps,
                        const struct bits *but, const struct bits *nor)
{
    out->seqs = calloc((size_t)t->steps.count + 1, sizeof(*out->seqs));
    for (int32_t i = 0; out->seqs && i < (int32_t)t->steps.count; i++) {
        int64_t seq = step_of(t, i)->seq;
        if (step_of(t, i)->move < 0 && bits_has(steps, i) && !bits_has(but, i) &&
            !bits_has(nor, i) && (out->count == 0 || out->seqs[out->count - 1] != seq))
            out->seqs[out->count++] = seq;
    }
    return out->seqs != NULL;
}

/* Which rules there are to be looked at follows from the hub. */
static void add_hub(struct telling *x, struct bits *behind)
{
    for (int32_t i = 0; i < (int32_t)x->t->steps.count; i++)
        if ((x->rs->hub || x->t->was_handed_over) && bits_has(&x->t->hubs, i))
            bits_merge(x->t, behind, &step_of(x->t, i)->behind);
}

static bool list_missing(struct reasons *out, const struct telling *x)
{
    out->missing = calloc((size_t)x->missing.count + 1, sizeof(*out->missing));
    for (uint16_t i = 0; out->missing && i < x->missing.count; i++)
        out->missing[out->missing_count++] =
            (struct wanted){ x->rs->rules[x->missing.items[i].rule].name,
                             x->missing.items[i].wanted };
    return out->missing != NULL;
}

static bool list_all(struct reasons *out, struct telling *x)
{
    struct bits made = { 0 }, behind = { 0 }, none = { 0 };

    x->t->idle = (struct bits){ 0 };
    trace_add_notes(x->t, &made, &behind, x->t->self, true);
    add_hub(x, &behind);
    return list_missing(out, x) && list_events(&out->made, x->t, &made, &none, &none) &&
           list_events(&out->behind, x->t, &behind, &made, &none) &&
           list_events(&out->held, x->t, &x->t->held, &made, &behind) &&
           list_events(&out->idle, x->t, &x->t->idle, &made, &behind);
}

static enum err_code find_rule(uint16_t *out, const struct record *r, const char *name,
                               struct err *err)
{
    const struct strmap_item *item = strmap_find(&r->rs->rule_names, name, strlen(name));

    if (!item || r->rs->rules[item->as.num].of != r->kind)
        return record_no_such_rule(r, name, err);
    *out = (uint16_t)item->as.num;
    return OK;
}

/* What a rule that failed would have read besides is not known. */
static void keep_reads(struct reasons *out, const struct telling *x, const struct reads *reads)
{
    for (uint16_t i = 0; i < FACT_SET_WORDS; i++)
        out->looked_at.bits[i] = x->has_failed           ? UINT64_MAX
                                 : i < x->rs->fact_words ? reads->facts[i]
                                                         : 0;
}

enum err_code trace_explain(struct reasons *out, struct trace *t, const char *rule, int64_t now,
                            struct err *err)
{
    uint16_t root = 0;
    struct reads reads;

    *out = (struct reasons){ 0 };
    if (find_rule(&root, t->r, rule, err) != OK)
        return err->code;
    struct telling *x = calloc(1, sizeof(*x));
    if (!x)
        return err_set(err, ERR_LIMIT, "no memory to explain %s", rule);
    *x = (struct telling){
        .t = t, .r = t->r, .rs = t->r->rs, .out = &out->json, .root = root, .now = now
    };
    enum err_code rc;
    do { /* once more, counted, when it is suspect */
        buf_reset(&out->json);
        trace_event_begins(t->r); /* what is read from here on is the question's */
        record_begin(t->r, now, &reads);
        rc = record_run(t->r, explain_in_lua, x, &x->why);
    } while (rc == ERR_BUSY);
    if (rc == ERR_RULE || rc == ERR_LIMIT) { /* as far as it came */
        x->has_failed = true;
        buf_reset(&out->json);
        record_begin(t->r, now, &reads);
        rc = record_run(t->r, tell_in_lua, x, err);
    } else if (rc != OK) {
        *err = x->why;
    }
    sandbox_trust(&t->r->rs->sandbox);
    keep_reads(out, x, &reads);
    if (rc == OK && (!list_all(out, x) || t->failed || out->json.failed))
        rc = err_set(err, ERR_LIMIT, "no memory to explain %s", rule);
    free(x);
    return rc;
}

void reasons_fini(struct reasons *r)
{
    buf_fini(&r->json);
    free(r->made.seqs);
    free(r->behind.seqs);
    free(r->held.seqs);
    free(r->idle.seqs);
    free(r->missing);
}
