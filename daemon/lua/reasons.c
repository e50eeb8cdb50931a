/* reasons.c - see trace.h. Why a rule says what it says: every criterion, value and comparison, none left out. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/trace_internal.h"

struct telling {
    struct trace *t;
    struct record *r;
    struct ruleset *rs;
    struct buf *out;
    uint16_t root;
    int64_t now;
    bool has_failed;
    struct err why;
    uint16_t order[RULES_MAX]; /* rules in the order in which they are told */
    uint16_t count;
    bool is_told[RULES_MAX];
    struct missing_list missing;
};

static const char *const FORMS[] = { "rule", "all_of", "any_of", "unless", "shown" };

/* ---- small things ---- */

static void name_member(struct buf *out, const char *name)
{
    buf_printf(out, ",\"%s\":", name);
}

static void write_time(struct buf *out, int64_t t)
{
    char text[TIME_TEXT];
    json_write_cstr(out, t == TIME_NEVER || t == TIME_MIN ? NULL : time_text(t, text));
}

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

/* ---- the events behind parts ---- */

/* Numbers of those among the steps that are events, each once, in their order. */
static void write_events(struct telling *x, const struct bits *steps)
{
    const char *comma = "";
    int64_t last = 0;

    name_member(x->out, "events");
    buf_char(x->out, '[');
    for (int32_t i = 0; i < (int32_t)x->t->steps.count; i++) {
        const struct step *s = step_of(x->t, i);
        if (!bits_has(steps, i) || s->move >= 0 || s->seq == last)
            continue; /* one that brings a school to another hub is two steps */
        buf_printf(x->out, "%s%lld", comma, (long long)s->seq);
        comma = ",";
        last = s->seq;
    }
    buf_char(x->out, ']');
}

/* When a move, and not an event, gave a fact the value that it has. */
static void write_move(struct telling *x, const struct part *p)
{
    uint16_t move;

    if (!trace_is_moved(x->t, p->fact, &move))
        return;
    int64_t at = x->r->moved[move];
    if (at == TIME_NEVER)
        return;
    name_member(x->out, "since");
    write_time(x->out, at);
    for (const struct part *of = p->fact->parts; of; of = of->next) {
        if (part_holds(p, of) && of->step >= 0 && step_of(x->t, of->step)->move >= 0) {
            buf_str(x->out, ",\"moved\":true");
            return;
        }
    }
}

/* ---- what a rule looked at ---- */

/* Waivers go by their rule: those that were granted for it. */
static void write_waivers(struct telling *x, const struct part *p)
{
    const struct showing *s = &p->fact->last;

    buf_char(x->out, '[');
    for (uint32_t i = 0; i < s->count; i++)
        if (s->items[i].key_len == p->len && memcmp(s->items[i].key, p->key, p->len) == 0)
            buf_str(x->out, s->items[i].value);
    buf_char(x->out, ']');
}

/* The member of a set (true or false), or what a map has under a key. */
static void write_keyed(struct telling *x, const struct part *p, const struct shape *shape)
{
    const struct node *n = cell_node(x->r->facts[p->fact->number]);
    bool is_map = shape->type->kind == TYPE_MAP, is_found = false;

    for (uint32_t i = 0; n && i < n->used && !is_found; i += shape->width) {
        struct buf key = { 0 };
        write_part_key(&key, n->cells[i]);
        is_found = key.len == p->len && memcmp(buf_cstr(&key), p->key, p->len) == 0;
        if (is_found && is_map)
            convert_write(x->out, shape->of, n->cells[i + 1]);
        buf_fini(&key);
    }
    if (!is_map)
        buf_str(x->out, is_found ? "true" : "false");
    else if (!is_found)
        buf_str(x->out, "null");
}

static void write_part(struct telling *x, const struct part *p)
{
    const struct fact_def *f = &x->rs->subjects[x->r->kind].facts[p->fact->number];
    struct bits made = { 0 }, behind = { 0 };

    buf_str(x->out, "{\"name\":");
    json_write_cstr(x->out, f->name);
    if (p->key) {
        name_member(x->out, "key");
        json_write_string(x->out, p->key, p->len);
        name_member(x->out, "value");
        if (p->fact->number == x->rs->subjects[x->r->kind].waivers)
            write_waivers(x, p);
        else
            write_keyed(x, p, f->shape);
    } else {
        struct cell cell = x->r->facts[p->fact->number];
        name_member(x->out, "value");
        convert_write(x->out, f->shape, cell_is_nil(cell) ? f->initial : cell);
    }
    write_move(x, p);
    trace_add_part(x->t, &made, &behind, p, true);
    write_events(x, &made);
    buf_char(x->out, '}');
}

/* A waiver that was never granted is no news. */
static bool is_worth_telling(const struct telling *x, const struct part *p)
{
    return p->fact->number != x->rs->subjects[x->r->kind].waivers || p->step >= 0;
}

static void write_facts(struct telling *x, const struct notes *n)
{
    struct part *const *parts = n->parts.items;
    const char *comma = "";

    name_member(x->out, "facts");
    buf_char(x->out, '[');
    for (uint32_t i = 0; i < n->parts.count; i++) {
        bool is_within = false; /* the whole fact was read too */
        for (uint32_t k = 0; k < n->parts.count && parts[i]->key; k++)
            is_within = is_within || (parts[k]->fact == parts[i]->fact && !parts[k]->key);
        if (is_within || !is_worth_telling(x, parts[i]))
            continue;
        buf_str(x->out, comma);
        comma = ",";
        write_part(x, parts[i]);
    }
    buf_char(x->out, ']');
}

static void write_params(lua_State *L, struct telling *x, const struct notes *n)
{
    const struct param_read *reads = n->params.items;

    if (n->params.count == 0)
        return;
    name_member(x->out, "parameters");
    for (uint32_t i = 0; i < n->params.count; i++) {
        const struct param_def *p = &x->rs->params[reads[i].param];
        struct param_versions in_force = param_in_force(x->rs, p);
        uint32_t v = reads[i].version;
        buf_str(x->out, i ? ",{\"name\":" : "[{\"name\":");
        json_write_cstr(x->out, p->name);
        name_member(x->out, "value");
        lua_rawgeti(L, LUA_REGISTRYINDEX, in_force.items[v].ref);
        convert_write_scalar(L, -1, x->out);
        lua_pop(L, 1);
        name_member(x->out, "from");
        write_time(x->out, in_force.items[v].from);
        name_member(x->out, "until");
        write_time(x->out, v + 1 < in_force.count ? in_force.items[v + 1].from : TIME_NEVER);
        if (p->change) { /* what an overlay changes is always shown */
            name_member(x->out, "overlay");
            json_write_cstr(x->out, change_word(p->change->direction));
            name_member(x->out, "where");
            json_write_cstr(x->out, p->change->where);
        }
        buf_char(x->out, '}');
    }
    buf_char(x->out, ']');
}

static int by_time(const void *a, const void *b)
{
    const struct moment_read *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

static void write_moments(struct telling *x, const struct notes *n)
{
    struct moment_read *reads = n->moments.items;

    if (n->moments.count == 0)
        return;
    qsort(reads, n->moments.count, sizeof(*reads), by_time);
    name_member(x->out, "moments");
    for (uint32_t i = 0; i < n->moments.count; i++) {
        buf_str(x->out, i ? ",{\"time\":" : "[{\"time\":");
        write_time(x->out, reads[i].time);
        buf_printf(x->out, ",\"reached\":%s}", reads[i].has_come ? "true" : "false");
    }
    buf_char(x->out, ']');
}

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

/* ---- a rule ---- */

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

static bool list_all(struct reasons *out, struct telling *x)
{
    struct bits made = { 0 }, behind = { 0 }, none = { 0 };

    trace_add_notes(x->t, &made, &behind, x->t->self, true);
    return list_events(&out->made, x->t, &made, &none, &none) &&
           list_events(&out->behind, x->t, &behind, &made, &none) &&
           list_events(&out->held, x->t, &x->t->held, &made, &behind);
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
}
