/* pack_rules.c - the rules and alerts of a pack. First their names are read, then what they are
 * made of, since criteria may name rules of other files. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/loader.h"
#include "lua/words.h"

struct raw_rule {
    struct rule_def def;
    int table;       /* registry reference of the table it was written as */
    bool is_unknown; /* it has a name, and nothing else of it can be read */
};
struct raw_rules {
    struct raw_rule *items;
    size_t count;
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
        problems_add(ld->problems, "%s: %s is %s; expected true or false", where, field,
                     words_of(type));
    lua_pop(ld->L, 1);
    return value;
}

/* stricter = { "none", "preparatory", ... }: the list is on top. False: it is none of texts. */
static bool read_order(struct loader *ld, struct strictness *out)
{
    lua_Unsigned count = lua_rawlen(ld->L, -1);
    const char **values = loader_alloc(ld, sizeof(*values) * ((size_t)count + 1));

    for (lua_Unsigned i = 0; i < count; i++) {
        bool is_text = lua_rawgeti(ld->L, -1, (lua_Integer)i + 1) == LUA_TSTRING;
        values[i] = is_text ? loader_keep(ld, lua_tostring(ld->L, -1)) : NULL;
        lua_pop(ld->L, 1);
        if (!is_text)
            return false;
    }
    *out = (struct strictness){ STRICTER_LISTED, values, (size_t)count };
    return count > 1;
}

static void read_stricter(struct loader *ld, struct rule_def *r)
{
    static const char *const WAYS[] = {
        [STRICTER_HIGHER] = "higher", [STRICTER_LOWER] = "lower", [STRICTER_NEITHER] = "neither"
    };
    int type = lua_getfield(ld->L, -1, "stricter");
    bool is_good = type == LUA_TNIL || (type == LUA_TTABLE && read_order(ld, &r->strictness));

    for (size_t i = 0; type == LUA_TSTRING && i < sizeof(WAYS) / sizeof(WAYS[0]); i++) {
        if (WAYS[i] && strcmp(WAYS[i], lua_tostring(ld->L, -1)) == 0) {
            r->strictness.way = (int)i;
            is_good = true;
        }
    }
    if (!is_good)
        problems_add(ld->problems,
                     "%s: %s: stricter is %s; expected \"higher\", \"lower\", \"neither\", or a "
                     "list of its values with the strictest first",
                     r->where, r->name, words_found(ld->L, -1));
    lua_pop(ld->L, 1);
}

static void read_common(struct loader *ld, struct rule_def *r)
{
    static const char *const KEYS[] = { "needs", "source",    "advice",   "waivable",
                                        "of",    "criterion", "stricter", NULL };
    const char *of;

    loader_check_keys(ld, r->where, r->name, KEYS);
    if (lua_rawgeti(ld->L, -1, 1) == LUA_TSTRING)
        r->title = loader_keep(ld, lua_tostring(ld->L, -1));
    lua_pop(ld->L, 1);
    if (!r->title) {
        problems_add_new(ld->problems,
                         "%s: %s has no title; expected a sentence as the first entry", r->where,
                         r->name);
        r->title = r->name;
    }
    r->source = loader_text(ld, "source", r->where);
    if (!r->source && r->is_decision)
        problems_add_new(ld->problems,
                         "%s: %s names no source; expected source = \"where this rule comes from\"",
                         r->where, r->name);
    r->advice = loader_text(ld, "advice", r->where);
    read_stricter(ld, r);
    r->is_waivable = read_flag(ld, "waivable", r->where);
    if (read_flag(ld, "criterion", r->where))
        r->is_decision = false;
    of = loader_text(ld, "of", r->where);
    r->of = SUBJECT_SCHOOL;
    if (of && !subject_kind_parse(&r->of, of))
        problems_add(ld->problems, "%s: %s: of = '%s'; expected school, group or hub", r->where,
                     r->name, of);
}

static bool is_composite(const struct rule_def *r)
{
    return r->form == RULE_ALL || r->form == RULE_ANY || r->form == RULE_UNLESS;
}

static void add_rule(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct raw_rules *raw = arg;
    struct rule_def r = { .name = name,
                          .where = where,
                          .function = LUA_NOREF,
                          .need_param = -1,
                          .need_ref = LUA_NOREF,
                          .is_own = loader_is_overlay(ld),
                          .is_alert = raw->reads_alerts };
    bool is_new;

    if (loader_is_overlay(ld) && !overlay_owns(ld, name, '_')) {
        const struct strmap_item *there = strmap_find(&ld->rs->rule_names, name, strlen(name));
        const char *national = there ? raw->items[there->as.num].def.where : NULL;
        if (raw->reads_alerts)
            overlay_may_add(ld, "alert", name, '_', where, national);
        else
            overlay_add_change(ld, name, where, national);
        return;
    }
    if (raw->count == RULES_MAX) {
        problems_add(ld->problems, "%s: more than %d rules", where, RULES_MAX);
        return;
    }
    struct strmap_item *item = strmap_add(&ld->rs->rule_names, name, strlen(name), &is_new);
    if (!item)
        luaL_error(ld->L, "out of memory");
    if (!is_new) {
        problems_add(ld->problems, "%s: %s is declared twice; the first is at %s", where, name,
                     raw->items[item->as.num].def.where);
        return;
    }
    item->as.num = (int64_t)raw->count;
    raw->items[raw->count].is_unknown = !read_form(ld, &r, loader_kind(ld), raw->reads_alerts);
    if (!raw->items[raw->count].is_unknown)
        read_common(ld, &r);
    if (is_composite(&r))
        r.criterion_places = loader_entry_places(ld, where);
    raw->items[raw->count].def = r;
    lua_pushvalue(ld->L, -1);
    raw->items[raw->count++].table = luaL_ref(ld->L, LUA_REGISTRYINDEX);
}

/* A national rule that an overlay changes is two: what the national pack says, and of it and of
 * what the hub says all (to tighten) or any (to loosen). So whoever explains, searches or counts
 * rules knows them already. */
static void split_changed(struct loader *ld, struct raw_rules *raw)
{
    for (const struct rule_change *c = ld->changes; c; c = c->next) {
        struct raw_rule *whole =
            &raw->items[strmap_find(&ld->rs->rule_names, c->name, strlen(c->name))->as.num];
        if (raw->count == RULES_MAX) {
            problems_add(ld->problems, "%s: more than %d rules", c->where, RULES_MAX);
            return;
        }
        struct raw_rule *national = &raw->items[raw->count++];
        *national = *whole;
        national->def.name = loader_keep(ld, lua_pushfstring(ld->L, "%s (national)", c->name));
        lua_pop(ld->L, 1);
        if (!strmap_add(&ld->rs->rule_names, national->def.name, strlen(national->def.name), NULL))
            luaL_error(ld->L, "out of memory");
        national->def.title =
            loader_keep(ld, lua_pushfstring(ld->L, "%s (national)", whole->def.title));
        lua_pop(ld->L, 1);
        national->def.is_national_part = true;
        national->def.is_decision = national->def.is_waivable = false;
        whole->def.form = c->direction == EFFECT_TIGHTEN ? RULE_ALL : RULE_ANY;
        whole->def.change = c;
        whole->table = LUA_NOREF;
    }
}

/* A blank comes before all that a name may go on with: the two parts of a changed rule stand side
 * by side. */
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

/* The parameter whose name is on top; its first value takes the name's place. */
static void read_need_param(struct loader *ld, struct rule_def *r)
{
    size_t len;
    const char *name = lua_tolstring(ld->L, -1, &len);
    const struct strmap_item *p = strmap_find(&ld->rs->param_names, name, len);

    if (!p) {
        problems_add(ld->problems, "%s: %s: unknown parameter '%s'%s", r->where, r->name, name,
                     loader_hint(ld, name, &ld->rs->param_names));
        return;
    }
    r->need_param = (int)p->as.num;
    lua_pop(ld->L, 1);
    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ld->rs->params[p->as.num].versions[0].ref);
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
    if (lua_rawgeti(ld->L, -1, 1) == LUA_TSTRING)
        read_need_param(ld, r);
    int needed = lua_type(ld->L, -1);
    char found[WORDS_VALUE];
    if (needed == LUA_TNUMBER && !isfinite(lua_tonumber(ld->L, -1)))
        problems_add(ld->problems, "%s: %s: %s: found %s, expected a number", r->where, r->name,
                     kind, words_value(ld->L, -1, found, sizeof(found)));
    else if (needed != LUA_TNUMBER && needed != LUA_TSTRING &&
             (needed != LUA_TBOOLEAN || r->need != NEED_EQUAL))
        problems_add(ld->problems, "%s: %s: %s: found %s, expected a number or a parameter's name",
                     r->where, r->name, kind, words_of(needed));
    r->need_ref = luaL_ref(ld->L, LUA_REGISTRYINDEX); /* of a parameter: only its first value */
    lua_pop(ld->L, 1);
}

void pack_read_criteria(struct loader *ld, struct rule_def *r)
{
    lua_State *L = ld->L;
    struct ruleset *rs = ld->rs;
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1) - 1;
    uint16_t *criteria = loader_alloc(ld, sizeof(*criteria) * (size_t)(count > 0 ? count : 1));

    if (count < 1)
        problems_add(ld->problems,
                     "%s: %s lists no criteria; expected names of rules after the title", r->where,
                     r->name);
    const char **places = loader_alloc(ld, sizeof(*places) * (size_t)(count > 0 ? count : 1));
    for (lua_Integer i = 0; i < count; i++, lua_pop(L, 1)) {
        size_t len = 0;
        const char *where = r->criterion_places[i];
        const char *name =
            lua_rawgeti(L, -1, i + 2) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
        const struct strmap_item *item = name ? strmap_find(&rs->rule_names, name, len) : NULL;
        if (!name)
            problems_add(ld->problems, "%s: %s: criterion %d is %s; expected the name of a rule",
                         where, r->name, (int)i + 1, words_found(L, -1));
        else if (!item)
            problems_add(ld->problems, "%s: %s: unknown rule '%s'%s", where, r->name, name,
                         loader_hint(ld, name, &rs->rule_names));
        else if (rs->rules[item->as.num].of != r->of)
            problems_add(ld->problems,
                         "%s: %s is about a %s and can not read %s, which is about a %s", where,
                         r->name, subject_kind_name(r->of), name,
                         subject_kind_name(rs->rules[item->as.num].of));
        else {
            places[r->criteria_count] = where;
            criteria[r->criteria_count++] = (uint16_t)item->as.num;
        }
    }
    r->criteria = criteria;
    r->criterion_places = places;
}

/* Of a rule that shows a fact it is known what it gives. */
void pack_check_criteria(struct loader *ld, const struct rule_def *r)
{
    char expected[400];

    for (uint16_t i = 0; i < r->criteria_count; i++) {
        const struct rule_def *criterion = &ld->rs->rules[r->criteria[i]];
        const struct subject_defs *defs = &ld->rs->subjects[r->of];
        if (criterion->form != RULE_SHOWN || criterion->fact >= defs->fact_count)
            continue;
        const struct type *type = defs->facts[criterion->fact].type;
        if (type->kind != TYPE_BOOL)
            problems_add_new(
                ld->problems,
                "%s: %s: %s shows a fact, %s, and can not be met; expected a rule that "
                "is true or false (%s)",
                r->criterion_places[i], r->name, criterion->name,
                type_describe(type, expected, sizeof(expected)), criterion->where);
    }
}

static void read_function(struct loader *ld, struct rule_def *r)
{
    int found = 0;

    for (lua_Integer i = 2; lua_rawgeti(ld->L, -1, i) != LUA_TNIL; i++) {
        if (lua_isfunction(ld->L, -1) && found++ == 0) {
            r->function = luaL_ref(ld->L, LUA_REGISTRYINDEX);
        } else {
            problems_add(ld->problems,
                         "%s: %s: entry %d is %s; expected one function after the title", r->where,
                         r->name, (int)i, words_found(ld->L, -1));
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

/* Number the rules of each kind of subject, and see how wide the bit sets must be. */
static void place_rules(struct loader *ld)
{
    struct ruleset *rs = ld->rs;

    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &rs->subjects[kind];
        defs->rules = loader_alloc(ld, sizeof(*defs->rules) * (rs->rule_count + 1u));
        for (uint16_t i = 0; i < rs->rule_count; i++) {
            if ((int)rs->rules[i].of != kind)
                continue;
            rs->rules[i].place = defs->rule_count;
            defs->rules[defs->rule_count++] = i;
        }
        uint16_t fact_words = (uint16_t)((defs->fact_count + 63) / 64);
        uint16_t rule_words = (uint16_t)((defs->rule_count + 63) / 64);
        rs->fact_words = fact_words > rs->fact_words ? fact_words : rs->fact_words;
        rs->rule_words = rule_words > rs->rule_words ? rule_words : rs->rule_words;
    }
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &rs->subjects[kind];
        size_t size = rs->rule_words * sizeof(uint64_t);
        defs->fact_readers = loader_alloc(ld, defs->fact_count * size);
        defs->rule_readers = loader_alloc(ld, defs->rule_count * size);
    }
}

void pack_define_rules(struct loader *ld)
{
    struct ruleset *rs = ld->rs;
    struct raw_rules raw = { .items =
                                 arena_alloc(ld->scratch, sizeof(*raw.items) * (RULES_MAX + 1)) };

    if (!raw.items)
        luaL_error(ld->L, "out of memory");
    loader_each(ld, "rules", add_rule, &raw);
    raw.reads_alerts = true;
    loader_each(ld, "alerts", add_rule, &raw);
    split_changed(ld, &raw);
    qsort(raw.items, raw.count, sizeof(*raw.items), by_name);

    rs->rules = loader_alloc(ld, sizeof(*rs->rules) * (raw.count + 1));
    rs->memos = loader_alloc(ld, sizeof(*rs->memos) * (raw.count + 1));
    rs->rule_count = (uint16_t)raw.count;
    for (size_t i = 0; i < raw.count; i++) {
        const char *name = raw.items[i].def.name;
        strmap_find(&rs->rule_names, name, strlen(name))->as.num = (int64_t)i;
        rs->rules[i] = raw.items[i].def;
        rs->rules[i].text =
            text_hold(&rs->cells, name, strlen(name), text_hash(name, strlen(name)));
        if (!rs->rules[i].text)
            luaL_error(ld->L, "out of memory");
        if (!raw.items[i].def.is_national_part)
            name_rule(ld, &rs->rules[i], i);
    }
    place_rules(ld);
    for (size_t i = 0; i < raw.count; i++) {
        struct rule_def *r = &rs->rules[i];
        if (raw.items[i].is_unknown || r->change)
            continue;
        lua_rawgeti(ld->L, LUA_REGISTRYINDEX, raw.items[i].table);
        read_need(ld, r);
        if (r->form == RULE_FUNCTION)
            read_function(ld, r);
        else if (r->form == RULE_SHOWN)
            read_shown(ld, r);
        else
            pack_read_criteria(ld, r);
        lua_pop(ld->L, 1);
        luaL_unref(ld->L, LUA_REGISTRYINDEX, raw.items[i].table);
    }
    for (size_t i = 0; i < raw.count; i++)
        if (!rs->rules[i].change)
            pack_check_criteria(ld, &rs->rules[i]);
}
