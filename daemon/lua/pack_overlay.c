/* pack_overlay.c - what a hub's overlay may do: add names of its own, and change what the national
 * pack opens, in the direction that it allows. All else is a problem that names both lines. */
#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/loader.h"
#include "lua/words.h"

bool loader_is_overlay(const struct loader *ld)
{
    return ld->parts[ld->part].is_overlay;
}

/* ---- names of its own ---- */

/* With what the names that a hub adds begin, as a word of Lua: "h07" for hub 07, "boolean" for hub
 * boolean. */
static const char *prefix_of(struct loader *ld)
{
    const char *hub = ld->rs->hub;
    char prefix[80];
    size_t len = 0;

    if (isdigit((unsigned char)hub[0]))
        prefix[len++] = 'h';
    for (size_t i = 0; hub[i] && len + 1 < sizeof(prefix); i++)
        prefix[len++] = isalnum((unsigned char)hub[i]) ? hub[i] : '_';
    prefix[len] = '\0';
    return loader_keep(ld, prefix);
}

static bool begins_with(const char *name, const char *prefix, char separator)
{
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 && name[len] == separator && name[len + 1] != '\0';
}

bool overlay_owns(struct loader *ld, const char *name, char separator)
{
    return begins_with(name, prefix_of(ld), separator) || begins_with(name, ld->rs->hub, separator);
}

/* The names that the national pack opens: "; open are grace_days, leads_needed". */
static const char *open_names(struct loader *ld)
{
    const struct strmap *open = &ld->rs->openings;
    luaL_Buffer b;

    if (open->count == 0)
        return "";
    luaL_buffinit(ld->L, &b);
    luaL_addstring(&b, "; open are ");
    for (uint32_t i = 0; i < open->count; i++) {
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, open->items[i].key);
    }
    luaL_pushresult(&b);
    const char *names = loader_keep(ld, lua_tostring(ld->L, -1));
    lua_pop(ld->L, 1);
    return names;
}

static void refuse_name(struct loader *ld, const char *what, const char *name, char separator,
                        const char *where, const char *national)
{
    if (national)
        problems_add(
            ld->problems,
            "%s: %s %s belongs to the national pack (at %s), which does not open it to hubs%s",
            where, what, name, national, open_names(ld));
    else
        problems_add(
            ld->problems,
            "%s: %s %s: the national pack has none of that name, and what hub %s adds begins with "
            "%s%c, as in %s%c%s%s",
            where, what, name, ld->rs->hub, prefix_of(ld), separator, prefix_of(ld), separator,
            name, loader_hint(ld, name, &ld->rs->openings));
}

bool overlay_may_add(struct loader *ld, const char *what, const char *name, char separator,
                     const char *where, const char *national)
{
    if (!loader_is_overlay(ld) || overlay_owns(ld, name, separator))
        return true;
    refuse_name(ld, what, name, separator, where, national);
    return false;
}

/* ---- open = { leads_needed = tighten } ---- */

static const struct {
    const char *word;
    unsigned direction;
} DIRECTIONS[] = { { "tighten", EFFECT_TIGHTEN },
                   { "loosen", EFFECT_LOOSEN },
                   { "freely", EFFECT_FREELY } };

const char *change_word(unsigned direction)
{
    return direction == EFFECT_TIGHTEN  ? "tighten"
           : direction == EFFECT_LOOSEN ? "loosen"
                                        : "freely";
}

/* The direction whose word is on top, or 0. */
static unsigned direction_on_top(struct loader *ld)
{
    lua_State *L = ld->L;
    unsigned found = 0;

    lua_rawgeti(L, LUA_REGISTRYINDEX, ld->rs->env);
    for (size_t i = 0; i < sizeof(DIRECTIONS) / sizeof(DIRECTIONS[0]); i++, lua_pop(L, 1)) {
        lua_pushstring(L, DIRECTIONS[i].word);
        lua_rawget(L, -2);
        if (lua_rawequal(L, -1, -3))
            found = DIRECTIONS[i].direction;
    }
    lua_pop(L, 1);
    return found;
}

static void read_opening(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct opening *o = loader_alloc(ld, sizeof(*o));
    bool is_new;
    (void)arg;

    if (loader_is_overlay(ld)) /* told as an unknown section already */
        return;
    *o = (struct opening){ .direction = direction_on_top(ld), .where = where };
    if (!o->direction) {
        problems_add(ld->problems, "%s: open.%s is %s; expected tighten, loosen or freely", where,
                     name, words_found(ld->L, -1));
        return;
    }
    struct strmap_item *item = strmap_add(&ld->rs->openings, name, strlen(name), &is_new);
    if (!item)
        luaL_error(ld->L, "out of memory");
    if (is_new)
        item->as.ptr = o;
    else
        problems_add(ld->problems, "%s: %s is opened twice; the first is at %s", where, name,
                     ((struct opening *)item->as.ptr)->where);
}

void pack_define_open(struct loader *ld)
{
    loader_each(ld, "open", read_opening, NULL);
}

const struct opening *overlay_opening(const struct loader *ld, const char *name)
{
    const struct strmap_item *item = strmap_find(&ld->rs->openings, name, strlen(name));
    return item ? item->as.ptr : NULL;
}

static bool is_yes_or_no(const struct rule_def *r)
{
    return r->is_national_part ||
           (!r->is_alert && (r->need != NEED_NONE || r->is_waivable || !r->is_decision ||
                             r->form == RULE_ALL || r->form == RULE_ANY || r->form == RULE_UNLESS));
}

/* Does each name that is opened stand for something that can be? */
static void check_opening(struct loader *ld, const char *name, const struct opening *o)
{
    const struct ruleset *rs = ld->rs;
    size_t len = strlen(name);
    const struct strmap_item *param = strmap_find(&rs->param_names, name, len);
    const struct strmap_item *rule = strmap_find(&rs->rule_names, name, len);

    if (param && !rs->params[param->as.num].is_own)
        return;
    if (!rule || rs->rules[rule->as.num].is_own)
        problems_add(ld->problems, "%s: open.%s: there is no parameter or rule of that name%s",
                     o->where, name,
                     *loader_hint(ld, name, &rs->param_names)
                         ? loader_hint(ld, name, &rs->param_names)
                         : loader_hint(ld, name, &rs->rule_names));
    else if (!is_yes_or_no(&rs->rules[rule->as.num + (rs->rules[rule->as.num].change != NULL)]))
        problems_add(ld->problems,
                     "%s: open.%s: only a rule that says yes or no can be opened: all_of, any_of, "
                     "unless, or "
                     "one that has needs or is waivable (at %s)",
                     o->where, name, rs->rules[rule->as.num].where);
    else if (o->direction == EFFECT_FREELY)
        problems_add(ld->problems,
                     "%s: open.%s: a rule can be opened to tighten or to loosen, not freely",
                     o->where, name);
}

/* ---- parameters ---- */

/* The version in force at `t`. */
static const struct param_version *version_at(const struct param_version *v, uint32_t count,
                                              int64_t t)
{
    uint32_t i = 0;

    while (i + 1 < count && v[i + 1].from <= t)
        i++;
    return &v[i];
}

/* How strict the hub's value is against the national one: below, equal to or above 0. */
static int strictness(lua_State *L, const struct param_def *p, int hub, int national)
{
    int order = 0;

    lua_rawgeti(L, LUA_REGISTRYINDEX, hub);
    lua_rawgeti(L, LUA_REGISTRYINDEX, national);
    if (lua_isboolean(L, -1))
        order = lua_toboolean(L, -2) - lua_toboolean(L, -1);
    else
        order = lua_compare(L, -1, -2, LUA_OPLT) - lua_compare(L, -2, -1, LUA_OPLT);
    lua_pop(L, 2);
    return p->is_lower_stricter ? -order : order;
}

/* A value as people write it. */
static const char *shown(struct loader *ld, int ref)
{
    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ref);
    const char *text = loader_keep(ld, luaL_tolstring(ld->L, -1, NULL));
    lua_pop(ld->L, 2);
    return text;
}

/* Compare at one instant; true when that is allowed. */
static bool check_version(struct loader *ld, const struct param_def *p, const struct opening *o,
                          int64_t t)
{
    lua_State *L = ld->L;
    const struct param_change *c = p->change;
    int hub = version_at(c->versions, c->version_count, t)->ref;
    int national = version_at(p->versions, p->version_count, t)->ref;
    int order = strictness(L, p, hub, national);
    bool raises = (o->direction == EFFECT_TIGHTEN) != p->is_lower_stricter;
    char day[DAY_TEXT];

    if (o->direction == EFFECT_FREELY || (o->direction == EFFECT_TIGHTEN ? order >= 0 : order <= 0))
        return true;
    problems_add(
        ld->problems,
        "%s: parameter %s is %s%s%s; the national pack has %s (at %s) and lets a hub only %s it "
        "(at %s)",
        c->where, p->name, shown(ld, hub), t == TIME_MIN ? "" : " from ",
        t == TIME_MIN ? "" : day_text(london_day(t), day), shown(ld, national), p->where,
        raises ? "raise" : "lower", o->where);
    return false;
}

void overlay_check_param(struct loader *ld, const struct param_def *p)
{
    const struct opening *o = overlay_opening(ld, p->name);
    const struct param_change *c = p->change;

    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, c->versions[0].ref);
    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, p->versions[0].ref);
    bool is_same = lua_type(ld->L, -1) == lua_type(ld->L, -2);
    if (!is_same)
        problems_add(ld->problems, "%s: parameter %s is %s; the national pack has %s (at %s)",
                     c->where, p->name, words_found(ld->L, -2), words_found(ld->L, -1), p->where);
    lua_pop(ld->L, 2);
    for (uint32_t i = 0; is_same && i < c->version_count; i++)
        is_same = check_version(ld, p, o, c->versions[i].from);
    for (uint32_t i = 1; is_same && i < p->version_count; i++)
        is_same = check_version(ld, p, o, p->versions[i].from);
}

const struct opening *overlay_may_change(struct loader *ld, const char *what, const char *name,
                                         const char *where, const char *national)
{
    const struct opening *o = overlay_opening(ld, name);

    if (o && national)
        return o;
    refuse_name(ld, what, name, '_', where, national);
    return NULL;
}

/* ---- rules ---- */

void overlay_add_change(struct loader *ld, const char *name, const char *where,
                        const char *national)
{
    const struct opening *o = overlay_may_change(ld, "rule", name, where, national);
    const char *kind = loader_kind(ld);

    if (!o)
        return;
    if (strcmp(kind, change_word(o->direction)) != 0) {
        problems_add(
            ld->problems,
            "%s: rule %s belongs to the national pack (at %s), which opens it to %s only (at %s); "
            "expected %s { \"title\", \"criterion\" ... }",
            where, name, national, change_word(o->direction), o->where, change_word(o->direction));
        return;
    }
    for (const struct rule_change *c = ld->changes; c; c = c->next) {
        if (strcmp(c->name, name) == 0) {
            problems_add(ld->problems, "%s: rule %s is changed twice; the first is at %s", where,
                         name, c->where);
            return;
        }
    }
    struct rule_change *c = loader_alloc(ld, sizeof(*c));
    *c = (struct rule_change){ .name = name,
                               .where = where,
                               .national = national,
                               .direction = o->direction,
                               .next = ld->changes };
    c->criterion_places = loader_entry_places(ld, where);
    lua_pushvalue(ld->L, -1);
    c->table = luaL_ref(ld->L, LUA_REGISTRYINDEX);
    ld->changes = c;
}

/* The title and the source of a change; the table is on top. */
static void read_about(struct loader *ld, struct rule_change *c)
{
    static const char *const KEYS[] = { "source", NULL };

    loader_check_keys(ld, c->where, change_word(c->direction), KEYS);
    if (lua_rawgeti(ld->L, -1, 1) == LUA_TSTRING)
        c->title = loader_keep(ld, lua_tostring(ld->L, -1));
    lua_pop(ld->L, 1);
    c->source = loader_text(ld, "source", c->where);
    if (!c->title)
        problems_add(ld->problems, "%s: %s has no title; expected a sentence as the first entry",
                     c->where, c->name);
    if (!c->source)
        problems_add(ld->problems,
                     "%s: %s names no source; expected source = \"where this comes from\"",
                     c->where, c->name);
}

/* The criteria of the rule number `index`: its national part, which stands behind it, and what the
 * change lists. */
static void define_change(struct loader *ld, struct rule_change *c, uint16_t index)
{
    struct rule_def *r = &ld->rs->rules[index];
    struct rule_def as = {
        .name = r->name, .where = c->where, .of = r->of, .criterion_places = c->criterion_places
    };

    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, c->table);
    read_about(ld, c);
    pack_read_criteria(ld, &as);
    pack_check_criteria(ld, &as);
    c->criterion_places = as.criterion_places;
    lua_pop(ld->L, 1);
    luaL_unref(ld->L, LUA_REGISTRYINDEX, c->table);
    uint16_t *criteria = loader_alloc(ld, sizeof(*criteria) * (as.criteria_count + 1u));
    criteria[0] = (uint16_t)(index + 1);
    for (uint16_t i = 0; i < as.criteria_count; i++)
        criteria[i + 1] = as.criteria[i];
    r->criteria = criteria;
    r->criteria_count = (uint16_t)(as.criteria_count + 1);
    c->criteria = criteria + 1;
    c->criteria_count = as.criteria_count;
}

void pack_define_changes(struct loader *ld)
{
    const struct strmap *open = &ld->rs->openings;

    for (uint32_t i = 0; i < open->count; i++)
        check_opening(ld, open->items[i].key, open->items[i].as.ptr);
    for (struct rule_change *c = ld->changes; c; c = c->next) {
        const struct strmap_item *item = strmap_find(&ld->rs->rule_names, c->name, strlen(c->name));
        define_change(ld, c, (uint16_t)item->as.num);
    }
}

/* ---- the overlay itself ---- */

void overlay_check_hub(struct loader *ld, const char *where, const char **named)
{
    const char *hub = loader_text(ld, "hub", where);

    if (!hub)
        return;
    loader_enter(ld, "hub");
    where = loader_place(ld, where);
    loader_leave(ld);
    if (*named)
        problems_add(ld->problems, "%s: the hub is named twice; the first is at %s", where, *named);
    *named = where;
    if (strcmp(hub, ld->rs->hub) != 0)
        problems_add(
            ld->problems,
            "%s: the overlay is of hub %s, and its folder is called %s; they must be the same",
            where, hub, ld->rs->hub);
}
