/* pack_rules.c - rules, alerts, moves and reducers of a pack, and the check that every name their
 * functions read exists. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/state.h"

/* ---- rules and alerts: first their names, then what they are made of ---- */

struct raw_rule {
    struct rule_def def;
    int table; /* registry reference of the table it was written as */
};
struct raw_rules {
    struct raw_rule *items;
    size_t count;
    struct strmap names;
    bool reads_alerts;
};

static bool read_form(struct loader *ld, struct rule_def *r, const char *kind, bool is_alert)
{
    static const struct {
        const char *word;
        enum rule_form form;
    } FORMS[] = { { "rule", RULE_FUNCTION },  { "criterion", RULE_FUNCTION },
                  { "alert", RULE_FUNCTION }, { "all_of", RULE_ALL },
                  { "any_of", RULE_ANY },     { "unless", RULE_UNLESS },
                  { "shown", RULE_SHOWN } };

    for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++) {
        if (strcmp(FORMS[i].word, kind) != 0 || is_alert != (strcmp(kind, "alert") == 0))
            continue;
        r->form = FORMS[i].form;
        r->is_decision = strcmp(kind, "criterion") != 0;
        return true;
    }
    if (is_alert)
        problems_add(ld->problems, "%s: %s: expected alert { \"title\", function(s) ... end }",
                     r->where, r->name);
    else
        problems_add(ld->problems,
                     "%s: %s: expected rule { ... }, criterion, all_of, any_of, unless or shown",
                     r->where, r->name);
    return false;
}

/* A field that is true or absent. */
static bool read_flag(struct loader *ld, const char *field, const char *where)
{
    int type = lua_getfield(ld->L, -1, field);
    bool value = lua_toboolean(ld->L, -1);

    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        problems_add(ld->problems, "%s: %s is a %s; expected true or false", where, field,
                     lua_typename(ld->L, type));
    lua_pop(ld->L, 1);
    return value;
}

static void read_common(struct loader *ld, struct rule_def *r)
{
    static const char *const KEYS[] = { "needs", "source",    "advice", "waivable",
                                        "of",    "criterion", NULL };
    const char *of;

    loader_check_keys(ld, r->where, r->name, KEYS);
    if (lua_rawgeti(ld->L, -1, 1) == LUA_TSTRING)
        r->title = arena_strdup(&ld->rs->arena, lua_tostring(ld->L, -1));
    lua_pop(ld->L, 1);
    if (!r->title)
        problems_add(ld->problems, "%s: %s has no title; expected a sentence as the first entry",
                     r->where, r->name);
    r->source = loader_text(ld, "source", r->where);
    if (!r->source && r->is_decision)
        problems_add(ld->problems,
                     "%s: %s names no source; expected source = \"where this rule comes from\"",
                     r->where, r->name);
    r->advice = loader_text(ld, "advice", r->where);
    r->is_waivable = read_flag(ld, "waivable", r->where);
    if (read_flag(ld, "criterion", r->where))
        r->is_decision = false;
    of = loader_text(ld, "of", r->where);
    r->of = SUBJECT_SCHOOL;
    if (of && !subject_kind_parse(&r->of, of))
        problems_add(ld->problems, "%s: %s: of = '%s'; expected school, group or hub", r->where,
                     r->name, of);
}

static void add_rule(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct raw_rules *raw = arg;
    struct rule_def r = { .name = name,
                          .where = where,
                          .function = LUA_NOREF,
                          .need_param = -1,
                          .need_ref = LUA_NOREF,
                          .is_alert = raw->reads_alerts };
    bool is_new;

    if (raw->count == RULES_MAX) {
        problems_add(ld->problems, "%s: more than %d rules", where, RULES_MAX);
        return;
    }
    struct strmap_item *item = strmap_add(&raw->names, name, strlen(name), &is_new);
    if (!item)
        luaL_error(ld->L, "out of memory");
    if (!is_new) {
        problems_add(ld->problems, "%s: %s is declared twice; the first is at %s", where, name,
                     raw->items[item->as.num].def.where);
        return;
    }
    item->as.num = (int64_t)raw->count;
    if (!read_form(ld, &r, loader_kind(ld), raw->reads_alerts)) {
        item->as.num = 0;
        return;
    }
    read_common(ld, &r);
    raw->items[raw->count].def = r;
    lua_pushvalue(ld->L, -1);
    raw->items[raw->count++].table = luaL_ref(ld->L, LUA_REGISTRYINDEX);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct raw_rule *)a)->def.name, ((const struct raw_rule *)b)->def.name);
}

/* Give the rule its place behind `s.`. */
static void name_rule(struct loader *ld, const struct rule_def *r, size_t index)
{
    struct subject_defs *defs = &ld->rs->subjects[r->of];
    bool is_new;
    struct strmap_item *item = strmap_add(&defs->names, r->name, strlen(r->name), &is_new);

    if (!item)
        luaL_error(ld->L, "out of memory");
    if (is_new)
        item->as.num = (int64_t)SLOT_RULE << 16 | (int64_t)index;
    else if (item->as.num >> 16 == SLOT_FACT && r->form != RULE_SHOWN)
        problems_add(
            ld->problems,
            "%s: rule %s has the name of a fact (%s); to show that fact write shown { \"title\" }",
            r->where, r->name, defs->facts[item->as.num & 0xffff].where);
    else if (item->as.num >> 16 > SLOT_RULE)
        problems_add(ld->problems, "%s: a rule can not be called %s: that word is taken (s.%s)",
                     r->where, r->name, r->name);
}

static void read_need(struct loader *ld, struct rule_def *r)
{
    int type = lua_getfield(ld->L, -1, "needs");
    const char *kind = loader_kind(ld);

    if (type == LUA_TNIL) {
        lua_pop(ld->L, 1);
        return;
    }
    r->need = strcmp(kind, "at_least") == 0   ? NEED_AT_LEAST
              : strcmp(kind, "at_most") == 0  ? NEED_AT_MOST
              : strcmp(kind, "equal_to") == 0 ? NEED_EQUAL
                                              : NEED_NONE;
    if (r->need == NEED_NONE || r->form != RULE_FUNCTION) {
        problems_add(ld->problems,
                     "%s: %s: needs = %s; expected at_least(...), at_most(...) or equal_to(...) "
                     "beside a function",
                     r->where, r->name, r->need == NEED_NONE ? "something else" : kind);
        lua_pop(ld->L, 1);
        return;
    }
    if (lua_rawgeti(ld->L, -1, 1) == LUA_TSTRING) {
        size_t len;
        const char *name = lua_tolstring(ld->L, -1, &len);
        const struct strmap_item *p = strmap_find(&ld->rs->param_names, name, len);
        if (p)
            r->need_param = (int)p->as.num;
        else
            problems_add(ld->problems, "%s: %s: unknown parameter '%s'%s", r->where, r->name, name,
                         loader_hint(ld, name, &ld->rs->param_names));
        lua_pop(ld->L, 1);
    } else {
        r->need_ref = luaL_ref(ld->L, LUA_REGISTRYINDEX);
    }
    lua_pop(ld->L, 1);
}

static void read_criteria(struct loader *ld, struct rule_def *r)
{
    lua_State *L = ld->L;
    struct ruleset *rs = ld->rs;
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1) - 1;
    uint16_t *criteria = loader_alloc(ld, sizeof(*criteria) * (size_t)(count > 0 ? count : 1));

    if (count < 1)
        problems_add(ld->problems,
                     "%s: %s lists no criteria; expected names of rules after the title", r->where,
                     r->name);
    for (lua_Integer i = 0; i < count; i++, lua_pop(L, 1)) {
        size_t len = 0;
        const char *name =
            lua_rawgeti(L, -1, i + 2) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
        const struct strmap_item *item = name ? strmap_find(&rs->rule_names, name, len) : NULL;
        if (!name)
            problems_add(ld->problems, "%s: %s: criterion %d is a %s; expected the name of a rule",
                         r->where, r->name, (int)i + 1, luaL_typename(L, -1));
        else if (!item)
            problems_add(ld->problems, "%s: %s: unknown rule '%s'%s", r->where, r->name, name,
                         loader_hint(ld, name, &rs->rule_names));
        else if (rs->rules[item->as.num].of != r->of)
            problems_add(ld->problems,
                         "%s: %s is about a %s and can not read %s, which is about a %s", r->where,
                         r->name, subject_kind_name(r->of), name,
                         subject_kind_name(rs->rules[item->as.num].of));
        else
            criteria[r->criteria_count++] = (uint16_t)item->as.num;
    }
    r->criteria = criteria;
}

static void read_function(struct loader *ld, struct rule_def *r)
{
    int found = 0;

    for (lua_Integer i = 2; lua_rawgeti(ld->L, -1, i) != LUA_TNIL; i++) {
        if (lua_isfunction(ld->L, -1) && found++ == 0) {
            r->function = luaL_ref(ld->L, LUA_REGISTRYINDEX);
        } else {
            problems_add(ld->problems,
                         "%s: %s: entry %d is a %s; expected one function after the title",
                         r->where, r->name, (int)i, luaL_typename(ld->L, -1));
            lua_pop(ld->L, 1);
        }
    }
    lua_pop(ld->L, 1);
    if (!found)
        problems_add(ld->problems, "%s: %s has no function; expected function(s) ... end", r->where,
                     r->name);
}

static void read_shown(struct loader *ld, struct rule_def *r)
{
    const struct subject_defs *defs = &ld->rs->subjects[r->of];
    const struct strmap_item *item = strmap_find(&defs->names, r->name, strlen(r->name));

    if (item && item->as.num >> 16 == SLOT_FACT &&
        type_is_scalar(defs->facts[item->as.num & 0xffff].type))
        r->fact = (uint16_t)(item->as.num & 0xffff);
    else
        problems_add(ld->problems, "%s: shown: there is no single-valued fact called '%s'",
                     r->where, r->name);
}

void pack_define_rules(struct loader *ld)
{
    struct ruleset *rs = ld->rs;
    struct raw_rules raw = { .items = loader_alloc(ld, sizeof(*raw.items) * (RULES_MAX + 1)) };

    loader_each(ld, "rules", add_rule, &raw);
    raw.reads_alerts = true;
    loader_each(ld, "alerts", add_rule, &raw);
    strmap_fini(&raw.names);
    qsort(raw.items, raw.count, sizeof(*raw.items), by_name);

    rs->rules = loader_alloc(ld, sizeof(*rs->rules) * (raw.count + 1));
    rs->memos = loader_alloc(ld, sizeof(*rs->memos) * (raw.count + 1));
    rs->rule_count = (uint16_t)raw.count;
    for (size_t i = 0; i < raw.count; i++) {
        struct strmap_item *item =
            strmap_add(&rs->rule_names, raw.items[i].def.name, strlen(raw.items[i].def.name), NULL);
        if (!item)
            luaL_error(ld->L, "out of memory");
        item->as.num = (int64_t)i;
        rs->rules[i] = raw.items[i].def;
        name_rule(ld, &rs->rules[i], i);
    }
    for (size_t i = 0; i < raw.count; i++) {
        struct rule_def *r = &rs->rules[i];
        lua_rawgeti(ld->L, LUA_REGISTRYINDEX, raw.items[i].table);
        read_need(ld, r);
        if (r->form == RULE_FUNCTION)
            read_function(ld, r);
        else if (r->form == RULE_SHOWN)
            read_shown(ld, r);
        else
            read_criteria(ld, r);
        lua_pop(ld->L, 1);
        luaL_unref(ld->L, LUA_REGISTRYINDEX, raw.items[i].table);
    }
}

/* ---- moves ---- */

/* from = { "a", "b" }: kept as a set, each value checked against the fact's type */
static int read_from(struct loader *ld, const char *where, const struct type *type)
{
    lua_State *L = ld->L;

    if (lua_getfield(L, -1, "from") == LUA_TNIL) {
        lua_pop(L, 1);
        return LUA_NOREF;
    }
    if (!lua_istable(L, -1)) {
        problems_add(ld->problems, "%s: from is a %s; expected a list of values", where,
                     luaL_typename(L, -1));
        lua_pop(L, 1);
        return LUA_NOREF;
    }
    lua_newtable(L);
    for (lua_Integer i = 1; lua_rawgeti(L, -2, i) != LUA_TNIL; i++) {
        value_check(L, -1, type, "from");
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    lua_remove(L, -2);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static void read_step(struct loader *ld, struct move_def *m, struct move_step *step,
                      const struct type *type)
{
    static const char *const KEYS[] = { "from", "enter", NULL };
    lua_State *L = ld->L;

    *step = (struct move_step){ .from = LUA_NOREF, .enter = LUA_NOREF, .holds = LUA_NOREF };
    if (!lua_istable(L, -1)) {
        problems_add(ld->problems,
                     "%s: move %s: expected { value, from = {...}, function(s) ... end }", m->where,
                     m->name);
        return;
    }
    loader_check_keys(ld, m->where, "a step of first_of", KEYS);
    lua_rawgeti(L, -1, 1);
    value_check(L, -1, type, m->name);
    step->value = luaL_ref(L, LUA_REGISTRYINDEX);
    step->from = read_from(ld, m->where, type);
    if (lua_rawgeti(L, -1, 2) == LUA_TFUNCTION) {
        step->holds = luaL_ref(L, LUA_REGISTRYINDEX);
    } else {
        problems_add(ld->problems, "%s: move %s: a step has no function(s) that says when it holds",
                     m->where, m->name);
        lua_pop(L, 1);
    }
    if (lua_getfield(L, -1, "enter") == LUA_TFUNCTION) {
        step->enter = luaL_ref(L, LUA_REGISTRYINDEX);
    } else {
        if (!lua_isnil(L, -1))
            problems_add(ld->problems,
                         "%s: move %s: enter is a %s; expected function(s, at) ... end", m->where,
                         m->name, luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

static void read_move(struct loader *ld, struct move_def *m, const char *kind,
                      const struct type *type)
{
    lua_State *L = ld->L;

    if (strcmp(kind, "first_of") == 0 && type_is_scalar(type)) {
        m->form = MOVE_FIRST;
        m->step_count = (uint16_t)lua_rawlen(L, -1);
        struct move_step *steps = loader_alloc(ld, sizeof(*steps) * (m->step_count + 1u));
        for (uint16_t i = 0; i < m->step_count; i++, lua_pop(L, 1)) {
            lua_rawgeti(L, -1, i + 1);
            read_step(ld, m, &steps[i], type);
        }
        m->steps = steps;
        return;
    }
    bool is_once = strcmp(kind, "once") == 0 && type->kind == TYPE_BOOL;
    if (!is_once && !(strcmp(kind, "gather") == 0 && type->kind == TYPE_SET)) {
        problems_add(ld->problems,
                     "%s: move %s: expected once(function) for a bool, gather(function) for a set, "
                     "first_of { ... } for a single value",
                     m->where, m->name);
        return;
    }
    m->form = is_once ? MOVE_ONCE : MOVE_GATHER;
    if (lua_rawgeti(L, -1, 1) == LUA_TFUNCTION) {
        m->function = luaL_ref(L, LUA_REGISTRYINDEX);
        return;
    }
    problems_add(ld->problems, "%s: move %s: found a %s; expected %s(function(s) ... end)",
                 m->where, m->name, luaL_typename(L, -1), kind);
    lua_pop(L, 1);
}

static void define_move(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct subject_defs *defs = arg;
    const struct strmap_item *item = strmap_find(&defs->names, name, strlen(name));
    struct move_def m = { .name = name, .where = where, .function = LUA_NOREF };

    if (!item || item->as.num >> 16 != SLOT_FACT) {
        problems_add(ld->problems, "%s: move %s: there is no fact of that name%s", where, name,
                     loader_hint(ld, name, &defs->names));
        return;
    }
    m.fact = (uint16_t)(item->as.num & 0xffff);
    for (uint16_t i = 0; i < defs->move_count; i++) {
        if (defs->moves[i].fact == m.fact) {
            problems_add(ld->problems, "%s: move %s is declared twice; the first is at %s", where,
                         name, defs->moves[i].where);
            return;
        }
    }
    read_move(ld, &m, loader_kind(ld), defs->facts[m.fact].type);
    defs->moves[defs->move_count++] = m;
}

/* What is latched first, then what is gathered, then what moves: the order of the contract. */
static int by_form(const void *a, const void *b)
{
    const struct move_def *x = a, *y = b;
    return x->form != y->form ? (int)x->form - (int)y->form : strcmp(x->name, y->name);
}

static void define_subject_moves(struct loader *ld, const char *name, const char *where, void *arg)
{
    enum subject_kind kind;
    (void)arg;

    if (!subject_kind_parse(&kind, name) || !lua_istable(ld->L, -1))
        problems_add(ld->problems, "%s: moves of '%s'; expected school, group or hub = { ... }",
                     where, name);
    else
        loader_entries(ld, "moves", where, define_move, &ld->rs->subjects[kind]);
}

void pack_define_moves(struct loader *ld)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++)
        ld->rs->subjects[kind].moves = loader_alloc(ld, sizeof(struct move_def) * (FACTS_MAX + 1));
    loader_each(ld, "moves", define_subject_moves, NULL);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &ld->rs->subjects[kind];
        qsort(defs->moves, defs->move_count, sizeof(*defs->moves), by_form);
    }
}

/* ---- reducers ---- */

#define REDUCERS_MAX 256

/* ["*"] = { function, except = { "school.registered", ... } } */
static void read_except(struct loader *ld, struct strmap *except, const char *where)
{
    lua_State *L = ld->L;
    int type = lua_getfield(L, -1, "except");

    if (type != LUA_TTABLE && type != LUA_TNIL)
        problems_add(ld->problems, "%s: except is a %s; expected a list of event types", where,
                     lua_typename(L, type));
    for (size_t i = 1; type == LUA_TTABLE && i <= lua_rawlen(L, -1); i++, lua_pop(L, 1)) {
        const char *name =
            lua_rawgeti(L, -1, (lua_Integer)i) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
        const struct event_type *known = catalog_find(&ld->rs->catalog, name);
        if (!known)
            problems_add(ld->problems, "%s: except: unknown event '%s'%s", where, name,
                         loader_hint(ld, name, &ld->rs->catalog.types));
        else if (!strmap_add(except, known->name, strlen(known->name), NULL))
            luaL_error(L, "out of memory");
    }
    lua_pop(L, 1);
}

static void define_reducer(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct subject_defs *defs = arg;
    struct reducer_def r = { .event = name, .where = where };
    bool is_any = strcmp(name, "*") == 0, is_new;

    if (!is_any && !catalog_find(&ld->rs->catalog, name)) {
        problems_add(ld->problems, "%s: on: unknown event '%s'%s", where, name,
                     loader_hint(ld, name, &ld->rs->catalog.types));
        return;
    }
    if (is_any && lua_istable(ld->L, -1)) {
        static const char *const KEYS[] = { "except", NULL };
        loader_check_keys(ld, where, "on[\"*\"]", KEYS);
        read_except(ld, &defs->any_except, where);
        lua_rawgeti(ld->L, -1, 1);
        lua_replace(ld->L, -2);
    }
    if (!lua_isfunction(ld->L, -1) || defs->reducer_count == REDUCERS_MAX) {
        problems_add(ld->problems, "%s: on[\"%s\"] is a %s; expected function(s, e) ... end", where,
                     name, luaL_typename(ld->L, -1));
        return;
    }
    r.where = loader_function_where(ld);
    struct strmap_item *item = strmap_add(&defs->reducer_by_event, name, strlen(name), &is_new);
    if (!item)
        luaL_error(ld->L, "out of memory");
    if (!is_new) {
        problems_add(ld->problems, "%s: on[\"%s\"] is declared twice; the first is at %s", r.where,
                     name, defs->reducers[item->as.num].where);
        return;
    }
    item->as.num = defs->reducer_count;
    lua_pushvalue(ld->L, -1);
    r.function = luaL_ref(ld->L, LUA_REGISTRYINDEX);
    defs->reducers[defs->reducer_count++] = r;
}

static void define_subject_reducers(struct loader *ld, const char *name, const char *where,
                                    void *arg)
{
    enum subject_kind kind;
    (void)arg;

    if (!subject_kind_parse(&kind, name) || !lua_istable(ld->L, -1))
        problems_add(ld->problems,
                     "%s: on.%s; expected school, group or hub = { [\"event.type\"] = function(s, "
                     "e) ... end }",
                     where, name);
    else
        loader_entries(ld, "on", where, define_reducer, &ld->rs->subjects[kind]);
}

void pack_define_reducers(struct loader *ld)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++)
        ld->rs->subjects[kind].reducers =
            loader_alloc(ld, sizeof(struct reducer_def) * (REDUCERS_MAX + 1));
    loader_each(ld, "on", define_subject_reducers, NULL);
}

/* ---- every name that a function reads ---- */

struct check {
    struct loader *ld;
    const struct subject_defs *defs;
    const char *where; /* file of the function */
};

static void check_name(enum scan_what what, const char *name, int line, bool is_write, void *arg)
{
    struct check *c = arg;
    struct loader *ld = c->ld;
    const struct strmap *names = what == SCAN_PARAM ? &ld->rs->param_names : &c->defs->names;
    const struct strmap_item *item = strmap_find(names, name, strlen(name));

    if (what == SCAN_GLOBAL) {
        lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ld->rs->env);
        if (is_write)
            problems_add(ld->problems,
                         "%s:%d: '%s' is assigned without local; a pack has no global variables",
                         c->where, line, name);
        else if (lua_getfield(ld->L, -1, name) == LUA_TNIL)
            problems_add(ld->problems, "%s:%d: unknown name '%s'%s", c->where, line, name,
                         loader_hint(ld, name, &ld->rs->env_names));
        lua_settop(ld->L, -2 - !is_write);
    } else if (!item) {
        problems_add(ld->problems, "%s:%d: unknown %s '%s'%s", c->where, line,
                     what == SCAN_PARAM ? "parameter" : "fact or rule", name,
                     loader_hint(ld, name, names));
    } else if (is_write && item->as.num >> 16 != SLOT_FACT) {
        problems_add(ld->problems, "%s:%d: s.%s is no fact and can not be assigned", c->where, line,
                     name);
    }
}

static void check_function(struct loader *ld, const struct subject_defs *defs, int ref)
{
    lua_Debug ar;

    if (ref == LUA_NOREF)
        return;
    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ref);
    lua_pushvalue(ld->L, -1);
    lua_getinfo(ld->L, ">S", &ar);
    struct check c = { .ld = ld, .defs = defs, .where = ar.short_src };
    scan_function(ld->L, check_name, &c);
    lua_pop(ld->L, 1);
}

void pack_check_functions(struct loader *ld)
{
    const struct ruleset *rs = ld->rs;

    for (uint16_t i = 0; i < rs->rule_count; i++)
        check_function(ld, &rs->subjects[rs->rules[i].of], rs->rules[i].function);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        const struct subject_defs *defs = &rs->subjects[kind];
        for (uint16_t i = 0; i < defs->reducer_count; i++)
            check_function(ld, defs, defs->reducers[i].function);
        for (uint16_t i = 0; i < defs->move_count; i++) {
            check_function(ld, defs, defs->moves[i].function);
            for (uint16_t k = 0; k < defs->moves[i].step_count; k++) {
                check_function(ld, defs, defs->moves[i].steps[k].holds);
                check_function(ld, defs, defs->moves[i].steps[k].enter);
            }
        }
    }
}
