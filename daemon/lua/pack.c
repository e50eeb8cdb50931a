/* pack.c - from the tables that a pack's files returned to definitions: sections, event types, facts,
 * parameters, the calendar. A mistake is a problem with its place; the rest is read on, so that an
 * author sees all of them at once. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/state.h"

void *loader_alloc(struct loader *ld, size_t size)
{
    void *p = arena_alloc(&ld->rs->arena, size);
    if (!p)
        luaL_error(ld->L, "out of memory");
    return p;
}

static const char *keep(struct loader *ld, const char *s)
{
    char *copy = arena_strdup(&ld->rs->arena, s);
    if (!copy)
        luaL_error(ld->L, "out of memory");
    return copy;
}

const char *loader_where(struct loader *ld, const char *otherwise)
{
    const char *where = otherwise;

    if (lua_istable(ld->L, -1)) {
        lua_pushliteral(ld->L, "@where");
        if (lua_rawget(ld->L, -2) == LUA_TSTRING)
            where = keep(ld, lua_tostring(ld->L, -1));
        lua_pop(ld->L, 1);
    }
    return where;
}

const char *loader_kind(struct loader *ld)
{
    const char *kind = "";

    if (lua_istable(ld->L, -1)) {
        lua_pushliteral(ld->L, "@kind");
        if (lua_rawget(ld->L, -2) == LUA_TSTRING)
            kind = keep(ld, lua_tostring(ld->L, -1));
        lua_pop(ld->L, 1);
    }
    return kind;
}

const char *loader_text(struct loader *ld, const char *field, const char *where)
{
    const char *text = NULL;
    int type = lua_getfield(ld->L, -1, field);

    if (type == LUA_TSTRING)
        text = keep(ld, lua_tostring(ld->L, -1));
    else if (type != LUA_TNIL)
        problems_add(ld->problems, "%s: %s is a %s; expected a text", where, field,
                     lua_typename(ld->L, type));
    lua_pop(ld->L, 1);
    return text;
}

void loader_check_keys(struct loader *ld, const char *where, const char *what,
                       const char *const *known)
{
    size_t count = 0;
    char hint[200];

    while (known[count])
        count++;
    sandbox_push_keys(ld->L, -1);
    for (lua_Integer i = 1; lua_rawgeti(ld->L, -1, i) != LUA_TNIL; i++, lua_pop(ld->L, 1)) {
        const char *key = lua_type(ld->L, -1) == LUA_TSTRING ? lua_tostring(ld->L, -1) : NULL;
        bool is_known = !key || key[0] == '@'; /* numbered entries are checked by their reader */
        for (size_t k = 0; k < count && !is_known; k++)
            is_known = strcmp(known[k], key) == 0;
        if (!is_known)
            problems_add(ld->problems, "%s: unknown key '%s' in %s%s", where, key, what,
                         text_hint(hint, sizeof(hint), key, known, count));
    }
    lua_pop(ld->L, 2);
}

const char *loader_hint(struct loader *ld, const char *name, const struct strmap *names)
{
    static _Thread_local char hint[200];
    const char **known = loader_alloc(ld, sizeof(*known) * (names->count + 1));

    for (uint32_t i = 0; i < names->count; i++)
        known[i] = names->items[i].key;
    return text_hint(hint, sizeof(hint), name, known, names->count);
}

const char *loader_function_where(struct loader *ld)
{
    lua_Debug ar;

    lua_pushvalue(ld->L, -1);
    lua_getinfo(ld->L, ">S", &ar);
    const char *where = keep(ld, lua_pushfstring(ld->L, "%s:%d", ar.short_src, ar.linedefined));
    lua_pop(ld->L, 1);
    return where;
}

void loader_entries(struct loader *ld, const char *section, const char *where, entry_fn *fn,
                    void *arg)
{
    lua_State *L = ld->L;
    int table = lua_gettop(L);

    luaL_checkstack(L, 16, "pack too deep");
    sandbox_push_keys(L, table);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, keys, i) != LUA_TNIL; i++) {
        if (lua_type(L, -1) != LUA_TSTRING) {
            problems_add(ld->problems, "%s: an entry of %s has no name; expected name = ...", where,
                         section);
        } else if (lua_tostring(L, -1)[0] != '@') {
            const char *name = keep(ld, lua_tostring(L, -1));
            lua_rawget(L, table);
            fn(ld, name, loader_where(ld, where), arg);
        }
        lua_settop(L, keys);
    }
    lua_settop(L, table);
}

void loader_each(struct loader *ld, const char *section, entry_fn *fn, void *arg)
{
    for (int i = 0; i < ld->count; i++) {
        lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ld->parts[i].ref);
        int type = lua_getfield(ld->L, -1, section);
        if (type == LUA_TTABLE)
            loader_entries(ld, section, ld->parts[i].path, fn, arg);
        else if (type != LUA_TNIL)
            problems_add(ld->problems, "%s: %s is a %s; expected a table", ld->parts[i].path,
                         section, lua_typename(ld->L, type));
        lua_pop(ld->L, 2);
    }
}

/* ---- event types ---- */

static const struct type *read_row(struct loader *ld, const char *where, const char *what)
{
    struct type *row = loader_alloc(ld, sizeof(*row));
    struct type_field *fields;
    uint32_t count = 0;

    *row = (struct type){ .kind = TYPE_ROW };
    if (!lua_istable(ld->L, -1)) {
        problems_add(ld->problems, "%s: %s is missing; expected a table of fields", where, what);
        return row;
    }
    sandbox_push_keys(ld->L, -1);
    fields = loader_alloc(ld, sizeof(*fields) * (lua_rawlen(ld->L, -1) + 1));
    for (lua_Integer i = 1; lua_rawgeti(ld->L, -1, i) != LUA_TNIL; i++) {
        if (lua_type(ld->L, -1) == LUA_TSTRING) {
            struct type_field *f = &fields[count];
            f->name = keep(ld, lua_tostring(ld->L, -1));
            lua_rawget(ld->L, -3);
            f->type = keyword_type(ld->L, -1, &f->is_optional, NULL);
            if (f->type)
                count++;
            else
                problems_add(
                    ld->problems,
                    "%s: %s.%s is a %s; expected a type such as text, person or enum {...}", where,
                    what, f->name, luaL_typename(ld->L, -1));
        } else {
            problems_add(ld->problems, "%s: a field of %s has no name; expected name = type", where,
                         what);
        }
        lua_pop(ld->L, 1);
    }
    lua_pop(ld->L, 2);
    row->fields = fields;
    row->field_count = count;
    return row;
}

/* subject = "school", or a list of kinds */
static void read_subjects(struct loader *ld, struct event_type *t, const char *where)
{
    enum subject_kind kind;
    int type = lua_getfield(ld->L, -1, "subject");

    if (type == LUA_TSTRING) {
        lua_createtable(ld->L, 1, 0);
        lua_insert(ld->L, -2);
        lua_rawseti(ld->L, -2, 1);
    } else if (type != LUA_TTABLE) {
        problems_add(ld->problems,
                     "%s: event %s has no subject; expected \"school\", \"group\" or \"hub\"",
                     where, t->name);
        lua_pop(ld->L, 1);
        return;
    }
    for (lua_Integer i = 1; lua_rawgeti(ld->L, -1, i) != LUA_TNIL; i++, lua_pop(ld->L, 1)) {
        const char *name = lua_tostring(ld->L, -1);
        if (name && subject_kind_parse(&kind, name))
            t->subjects[kind] = true;
        else
            problems_add(ld->problems,
                         "%s: event %s: unknown subject '%s'; expected school, group or hub", where,
                         t->name, name ? name : "?");
    }
    lua_pop(ld->L, 2);
}

static void define_event(struct loader *ld, const char *name, const char *where, void *arg)
{
    static const char *const KEYS[] = { "title", "subject", "data", "advice", NULL };
    struct event_type *t = loader_alloc(ld, sizeof(*t));
    struct err err;
    (void)arg;

    t->name = name;
    t->declared_at = where;
    if (!lua_istable(ld->L, -1)) {
        problems_add(ld->problems, "%s: event %s is a %s; expected a table", where, name,
                     luaL_typename(ld->L, -1));
        return;
    }
    loader_check_keys(ld, where, "an event", KEYS);
    t->title = loader_text(ld, "title", where);
    if (!t->title)
        problems_add(ld->problems, "%s: event %s has no title", where, name);
    read_subjects(ld, t, where);
    lua_getfield(ld->L, -1, "data");
    t->data = read_row(ld, where, "data");
    lua_pop(ld->L, 1);
    if (catalog_add(&ld->rs->catalog, t, &err) != OK)
        problems_add(ld->problems, "%s: %s", where, err.msg);
}

/* ---- facts ---- */

struct facts_arg {
    enum subject_kind kind;
};

static bool name_fact(struct loader *ld, struct subject_defs *defs, const char *name,
                      const char *where)
{
    bool is_new;
    struct strmap_item *item = strmap_add(&defs->names, name, strlen(name), &is_new);

    if (!item)
        luaL_error(ld->L, "out of memory");
    if (is_new) {
        item->as.num = (int64_t)SLOT_FACT << 16 | defs->fact_count;
        return true;
    }
    if (item->as.num >> 16 == SLOT_FACT)
        problems_add(ld->problems, "%s: fact %s is declared twice; the first is at %s", where, name,
                     defs->facts[item->as.num & 0xffff].where);
    else
        problems_add(ld->problems, "%s: a fact can not be called %s: that word is taken (s.%s)",
                     where, name, name);
    return false;
}

static void define_fact(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct subject_defs *defs = &ld->rs->subjects[((struct facts_arg *)arg)->kind];
    struct fact_def f = { .name = name, .where = where };

    if (defs->fact_count == FACTS_MAX) {
        problems_add(ld->problems, "%s: more than %d facts", where, FACTS_MAX);
        return;
    }
    f.type = keyword_type(ld->L, -1, NULL, &f.initial);
    if (!f.type || f.type->kind == TYPE_NOTE)
        problems_add(
            ld->problems,
            "%s: fact %s: found %s; expected a type such as text, set(person) or map(year, int)",
            where, name, f.type ? "note, which rules can not read" : luaL_typename(ld->L, -1));
    else if (name_fact(ld, defs, name, where))
        defs->facts[defs->fact_count++] = f;
}

/* What a waiver is, in every pack: { rule, last_day?, by? }. */
static const struct type *waivers_type(void)
{
    static const struct type TEXT = { .kind = TYPE_TEXT }, DATE = { .kind = TYPE_DATE },
                             PERSON = { .kind = TYPE_PERSON };
    static const struct type_field FIELDS[] = { { "by", &PERSON, true },
                                                { "last_day", &DATE, true },
                                                { "rule", &TEXT, false } };
    static const struct type ROW = { .kind = TYPE_ROW, .fields = FIELDS, .field_count = 3 };
    static const struct type WAIVERS = { .kind = TYPE_LIST, .of = &ROW };
    return &WAIVERS;
}

static void define_subject_facts(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct facts_arg of;
    (void)arg;

    if (!subject_kind_parse(&of.kind, name))
        problems_add(ld->problems, "%s: facts of '%s'; expected school, group or hub", where, name);
    else if (!lua_istable(ld->L, -1))
        problems_add(ld->problems, "%s: facts.%s is a %s; expected a table", where, name,
                     luaL_typename(ld->L, -1));
    else
        loader_entries(ld, "facts", where, define_fact, &of);
}

static void define_facts(struct loader *ld)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &ld->rs->subjects[kind];
        defs->facts = loader_alloc(ld, sizeof(*defs->facts) * (FACTS_MAX + 1));
        if (!view_add_words(&defs->names))
            luaL_error(ld->L, "out of memory");
        name_fact(ld, defs, "waivers", "built in");
        defs->waivers = defs->fact_count;
        defs->facts[defs->fact_count++] = (struct fact_def){
            .name = "waivers", .where = "built in", .type = waivers_type(), .initial = LUA_NOREF
        };
    }
    loader_each(ld, "facts", define_subject_facts, NULL);
}

/* ---- parameters ---- */

static bool is_param_value(lua_State *L, int index)
{
    int type = lua_type(L, index);
    return type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN;
}

/* { value, from = { ["2024-09-01"] = value } }: the versions after the first */
static uint32_t read_versions(struct loader *ld, const char *name, const char *where,
                              struct param_version *versions, int first_type)
{
    lua_State *L = ld->L;
    uint32_t count = 1;

    sandbox_push_keys(L, -1);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        int32_t day;
        struct err err;
        size_t len;
        const char *date = lua_tolstring(L, -1, &len);
        if (day_parse(&day, date, len, &err) != OK) {
            problems_add(ld->problems, "%s: parameter %s: %s", where, name, err.msg);
            continue;
        }
        versions[count].from = london_midnight(day);
        lua_pushvalue(L, -1);
        lua_rawget(L, -4);
        if (lua_type(L, -1) != first_type) {
            problems_add(ld->problems, "%s: parameter %s: from %s it is a %s, before that a %s",
                         where, name, date, luaL_typename(L, -1), lua_typename(L, first_type));
            lua_pop(L, 1);
        } else {
            versions[count++].ref = luaL_ref(L, LUA_REGISTRYINDEX);
        }
    }
    lua_pop(L, 2);
    return count;
}

static void define_param(struct loader *ld, const char *name, const char *where, void *arg)
{
    static const char *const KEYS[] = { "from", "title", "source", NULL };
    struct ruleset *rs = ld->rs;
    struct param_def *p = &rs->params[rs->param_count];
    bool is_new;
    (void)arg;

    if (rs->param_count == PARAMS_MAX) {
        problems_add(ld->problems, "%s: more than %d parameters", where, PARAMS_MAX);
        return;
    }
    struct strmap_item *item = strmap_add(&rs->param_names, name, strlen(name), &is_new);
    if (!item)
        luaL_error(ld->L, "out of memory");
    if (!is_new) {
        problems_add(ld->problems, "%s: parameter %s is declared twice; the first is at %s", where,
                     name, rs->params[item->as.num].where);
        return;
    }
    if (!lua_istable(ld->L, -1)) { /* leads_needed = 2 */
        lua_createtable(ld->L, 1, 0);
        lua_pushvalue(ld->L, -2);
        lua_rawseti(ld->L, -2, 1);
        lua_replace(ld->L, -2);
    }
    loader_check_keys(ld, where, "a parameter", KEYS);
    size_t size = 1;
    int first_type = lua_rawgeti(ld->L, -1, 1);
    struct param_version first = { .from = TIME_MIN };
    if (!is_param_value(ld->L, -1))
        problems_add(ld->problems,
                     "%s: parameter %s is a %s; expected a number, a text or true or false", where,
                     name, luaL_typename(ld->L, -1));
    first.ref = luaL_ref(ld->L, LUA_REGISTRYINDEX);
    int from_type = lua_getfield(ld->L, -1, "from");
    if (from_type == LUA_TTABLE)
        for (lua_pushnil(ld->L); lua_next(ld->L, -2); lua_pop(ld->L, 1))
            size++;
    struct param_version *versions = loader_alloc(ld, sizeof(*versions) * size);
    versions[0] = first;
    uint32_t count = 1;
    if (from_type == LUA_TTABLE) {
        count = read_versions(ld, name, where, versions, first_type);
    } else if (from_type != LUA_TNIL) {
        problems_add(ld->problems,
                     "%s: parameter %s: from is a %s; expected { [\"2024-09-01\"] = value }", where,
                     name, lua_typename(ld->L, from_type));
    }
    lua_pop(ld->L, 1);
    item->as.num = rs->param_count;
    *p = (struct param_def){
        .name = name, .where = where, .versions = versions, .version_count = count
    };
    rs->param_count++;
}

/* ---- the calendar ---- */

static void define_calendar_year(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct calendar *cal = arg;
    int year;
    struct err err;

    if (year_parse(&year, name, strlen(name), &err) != OK) {
        problems_add(ld->problems, "%s: calendar: %s", where, err.msg);
        return;
    }
    if (!lua_istable(ld->L, -1)) {
        problems_add(ld->problems, "%s: calendar %s is a %s; expected six days", where, name,
                     luaL_typename(ld->L, -1));
        return;
    }
    if (cal->year_count == 0)
        cal->first_year = year;
    if (year != cal->first_year + cal->year_count || cal->year_count == 200) {
        problems_add(ld->problems,
                     "%s: calendar: %s does not follow the year before; years may not be left out",
                     where, name);
        return;
    }
    int32_t *starts = cal->starts[cal->year_count++];
    for (int n = 0; n < 6; n++) {
        size_t len = 0;
        const char *date =
            lua_rawgeti(ld->L, -1, n + 1) == LUA_TSTRING ? lua_tolstring(ld->L, -1, &len) : NULL;
        if (!date || day_parse(&starts[n], date, len, &err) != OK ||
            year_at(london_midnight(starts[n])) != year || (n > 0 && starts[n] <= starts[n - 1]))
            problems_add(
                ld->problems,
                "%s: calendar %s: half term %d: found %s; expected six days of that year, in order",
                where, name, n + 1, date ? date : "nothing");
        lua_pop(ld->L, 1);
    }
}

static void define_calendar(struct loader *ld)
{
    struct calendar *cal = &ld->rs->calendar;
    cal->starts = loader_alloc(ld, sizeof(*cal->starts) * 200);
    loader_each(ld, "calendar", define_calendar_year, cal);
}

/* ---- the whole ---- */

static void check_sections(struct loader *ld)
{
    static const char *const KEYS[] = { "name",   "version", "title", "source", "calendar",
                                        "events", "facts",   "on",    "params", "rules",
                                        "alerts", "moves",   "open",  "tests",  NULL };
    int named = 0;

    for (int i = 0; i < ld->count; i++) {
        lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ld->parts[i].ref);
        const char *where = loader_where(ld, ld->parts[i].path);
        loader_check_keys(ld, where, "a pack", KEYS);
        named += loader_text(ld, "name", where) != NULL;
        lua_pop(ld->L, 1);
    }
    if (named != 1)
        problems_add(ld->problems,
                     "%s: a pack has one name = \"...\" in one of its files; found %d",
                     ld->count ? ld->parts[0].path : "pack", named);
}

/* All tests of all files in one list, in the order of files. */
static void gather_tests(struct loader *ld)
{
    lua_State *L = ld->L;
    lua_Integer count = 0;

    lua_newtable(L);
    for (int i = 0; i < ld->count; i++) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, ld->parts[i].ref);
        if (lua_getfield(L, -1, "tests") == LUA_TTABLE) {
            for (lua_Integer k = 1; lua_rawgeti(L, -1, k) != LUA_TNIL; k++)
                lua_rawseti(L, -4, ++count);
            lua_pop(L, 1);
        }
        lua_pop(L, 2);
    }
    ld->rs->tests = luaL_ref(L, LUA_REGISTRYINDEX);
}

void pack_define(lua_State *L, struct ruleset *rs, const struct part *parts, int count,
                 struct problems *problems)
{
    struct loader ld = { .L = L, .rs = rs, .problems = problems, .parts = parts, .count = count };

    rs->params = loader_alloc(&ld, sizeof(*rs->params) * (PARAMS_MAX + 1));
    check_sections(&ld);
    define_calendar(&ld);
    loader_each(&ld, "events", define_event, NULL);
    define_facts(&ld);
    loader_each(&ld, "params", define_param, NULL);
    pack_define_rules(&ld);
    pack_define_moves(&ld);
    pack_define_reducers(&ld);
    gather_tests(&ld);
    pack_check_functions(&ld);
}
