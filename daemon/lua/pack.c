/* pack.c - from the tables that a pack's files returned to definitions: what a pack is made of, its
 * event types, its tests. A mistake is a problem with its place; the rest is read on, so that an
 * author sees all of them at once. */
#include <string.h>

#include <lauxlib.h>

#include "lua/loader.h"
#include "lua/words.h"

/* ---- event types ---- */

/* Why data of an event can not be of this type, or NULL: a JSON object's names are texts. */
static const char *data_problem(const struct type *t)
{
    const char *problem = NULL;

    if (t->kind == TYPE_MAP && (t->key->kind == TYPE_INT || t->key->kind == TYPE_NUMBER ||
                                t->key->kind == TYPE_BOOL || t->key->kind == TYPE_NOTE))
        return "the names in a JSON object are texts: a map in an event has keys such as text or "
               "year";
    for (uint32_t i = 0; i < t->field_count && !problem; i++)
        problem = data_problem(t->fields[i].type);
    return problem || !t->of ? problem : data_problem(t->of);
}

static bool read_field(struct loader *ld, struct type_field *f, const char *event,
                       const char *where)
{
    f->type = keyword_type(ld->L, -1, &f->is_optional, NULL);
    if (!f->type) {
        problems_add(ld->problems,
                     "%s: event %s: %s is %s; expected a type such as text, person or enum {...}",
                     where, event, f->name, words_found(ld->L, -1));
        return false;
    }
    const char *problem = data_problem(f->type);
    if (problem)
        problems_add(ld->problems, "%s: event %s: %s: %s", where, event, f->name, problem);
    return !problem;
}

/* data = { name = type, ... }: fields in the order of their names, so that messages do not vary. */
static const struct type *read_data(struct loader *ld, const char *event, const char *where)
{
    struct type *row = loader_alloc(ld, sizeof(*row));
    lua_State *L = ld->L;

    *row = (struct type){ .kind = TYPE_ROW };
    if (lua_getfield(L, -1, "data") != LUA_TTABLE) {
        problems_add(ld->problems,
                     "%s: event %s: data is %s; expected a table of fields, {} when it has none",
                     where, event, words_found(L, -1));
        lua_pop(L, 1);
        return row;
    }
    loader_enter(ld, "data");
    loader_push_keys(ld, where);
    struct type_field *fields = loader_alloc(ld, sizeof(*fields) * (lua_rawlen(L, -1) + 1));
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        struct type_field *f = &fields[row->field_count];
        if (lua_type(L, -1) != LUA_TSTRING) {
            loader_enter_number(ld, (int)lua_tointeger(L, -1));
            problems_add(ld->problems,
                         "%s: event %s: a field of data has no name; expected name = type",
                         loader_place(ld, where), event);
            loader_leave(ld);
            continue;
        }
        f->name = loader_keep(ld, lua_tostring(L, -1));
        lua_rawget(L, -3);
        loader_enter(ld, f->name);
        row->field_count += read_field(ld, f, event, loader_place(ld, where));
        loader_leave(ld);
    }
    loader_leave(ld);
    lua_pop(L, 3);
    row->fields = fields;
    return row;
}

/* subject = "school", or a list of kinds */
static void read_subjects(struct loader *ld, struct event_type *t, const char *where)
{
    lua_State *L = ld->L;
    enum subject_kind kind;
    int type = lua_getfield(L, -1, "subject");

    loader_enter(ld, "subject");
    const char *place = loader_place(ld, where);
    loader_leave(ld);
    if (type == LUA_TSTRING) {
        lua_createtable(L, 1, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
    } else if (type != LUA_TTABLE || lua_rawlen(L, -1) == 0) {
        problems_add(ld->problems,
                     "%s: event %s has no subject; expected \"school\", \"group\" or \"hub\"",
                     place, t->name);
        lua_pop(L, 1);
        return;
    }
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        const char *name = lua_tostring(L, -1);
        if (name && subject_kind_parse(&kind, name))
            t->subjects[kind] = true;
        else
            problems_add(ld->problems,
                         "%s: event %s: unknown subject '%s'; expected school, group or hub", place,
                         t->name, name ? name : words_found(L, -1));
    }
    lua_pop(L, 2);
}

static void define_event(struct loader *ld, const char *name, const char *where, void *arg)
{
    static const char *const KEYS[] = { "title", "subject", "data", "advice", NULL };
    struct event_type *t = loader_alloc(ld, sizeof(*t));
    const struct event_type *other = catalog_find(&ld->rs->catalog, name);
    struct err err;
    (void)arg;

    if (!overlay_may_add(ld, "event", name, '.', where, other ? other->declared_at : NULL))
        return;
    t->name = name;
    t->declared_at = where;
    if (!lua_istable(ld->L, -1)) {
        problems_add(ld->problems, "%s: event %s is %s; expected a table", where, name,
                     words_found(ld->L, -1));
        return;
    }
    loader_check_keys(ld, where, "an event", KEYS);
    t->title = loader_text(ld, "title", where);
    t->advice = loader_text(ld, "advice", where);
    if (!t->title)
        problems_add(ld->problems, "%s: event %s has no title", where, name);
    read_subjects(ld, t, where);
    t->data = read_data(ld, name, where);
    if (other)
        problems_add(ld->problems, "%s: event %s is declared twice; the first is at %s", where,
                     name, other->declared_at);
    else if (catalog_add(&ld->rs->catalog, t, &err) != OK)
        luaL_error(ld->L, "%s", err.msg);
}

/* ---- the whole ---- */

/* What the pack, or beside it the overlay, says about itself. */
static void read_about(struct loader *ld, const char *where)
{
    const char *title = loader_text(ld, "title", where),
               *version = loader_text(ld, "version", where);

    loader_text(ld, "source", where);
    if (loader_is_overlay(ld) != (ld->rs->hub != NULL))
        return;
    ld->rs->title = title ? title : ld->rs->title;
    ld->rs->version = version ? version : ld->rs->version;
}

static void check_sections(struct loader *ld)
{
    static const char *const KEYS[] = { "name",   "version", "title", "source", "calendar",
                                        "events", "facts",   "on",    "params", "rules",
                                        "alerts", "moves",   "open",  "tests",  NULL };
    static const char *const OVERLAY_KEYS[] = { "hub",    "version", "title", "source", "calendar",
                                                "events", "facts",   "on",    "params", "rules",
                                                "alerts", "moves",   "tests", NULL };
    const char *named = NULL, *hub = NULL, *overlay = NULL;
    bool is_told = false; /* what is wrong with the hub that it names */

    for (ld->part = 0; ld->part < ld->count; ld->part++) {
        lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ld->parts[ld->part].ref);
        const char *where = loader_where(ld, ld->parts[ld->part].path);
        if (ld->parts[ld->part].is_overlay)
            loader_check_keys(ld, where, "an overlay", OVERLAY_KEYS);
        else
            loader_check_keys(ld, where, "a pack", KEYS);
        read_about(ld, where);
        if (loader_is_overlay(ld)) {
            size_t known = ld->problems->count;
            overlay_check_hub(ld, where, &hub);
            is_told = is_told || ld->problems->count > known;
            overlay = overlay ? overlay : where;
        }
        if (!ld->parts[ld->part].is_overlay && loader_text(ld, "name", where)) {
            loader_enter(ld, "name");
            where = loader_place(ld, where);
            loader_leave(ld);
            if (named)
                problems_add(ld->problems, "%s: the pack is named twice; the first is at %s", where,
                             named);
            else
                named = where;
        }
        lua_pop(ld->L, 1);
    }
    ld->part = 0;
    if (!named)
        problems_add(ld->problems, "%s:1: the pack has no name; expected name = \"...\" in a file",
                     ld->parts[0].path);
    if (ld->rs->hub && overlay && !hub && !is_told)
        problems_add(ld->problems, "%s: the overlay names no hub; expected hub = \"%s\" in a file",
                     overlay, ld->rs->hub);
}

/* All tests of all files in one list, in the order of files. */
static void gather_tests(struct loader *ld)
{
    lua_State *L = ld->L;
    lua_Integer count = 0;
    size_t most = 0;

    for (int i = 0; i < ld->count; i++) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, ld->parts[i].ref);
        if (lua_getfield(L, -1, "tests") == LUA_TTABLE)
            most += lua_rawlen(L, -1);
        lua_pop(L, 2);
    }
    ld->rs->test_places = loader_alloc(ld, (most + 1) * sizeof(*ld->rs->test_places));
    lua_newtable(L);
    for (ld->part = 0; ld->part < ld->count; ld->part++) {
        if (loader_is_overlay(ld) != (ld->rs->hub != NULL))
            continue; /* of the national pack beside an overlay: they say nothing of the two
                         together */
        lua_rawgeti(L, LUA_REGISTRYINDEX, ld->parts[ld->part].ref);
        int type = lua_getfield(L, -1, "tests");
        loader_enter(ld, "tests");
        const char *where = loader_place(ld, ld->parts[ld->part].path);
        if (type != LUA_TTABLE && type != LUA_TNIL)
            problems_add(ld->problems, "%s: tests is %s; expected a list", where, words_of(type));
        for (lua_Integer k = 1; type == LUA_TTABLE && k <= (lua_Integer)lua_rawlen(L, -1); k++) {
            if (lua_rawgeti(L, -1, k) == LUA_TNIL) {
                lua_pop(L, 1);
                continue;
            }
            loader_enter_number(ld, (int)k);
            ld->rs->test_places[count] = loader_place(ld, where);
            loader_leave(ld);
            lua_rawseti(L, -4, ++count);
        }
        loader_leave(ld);
        lua_pop(L, 2);
    }
    ld->part = 0;
    ld->rs->tests = luaL_ref(L, LUA_REGISTRYINDEX);
}

void pack_define(struct loader *ld)
{
    check_sections(ld);
    pack_define_open(ld);
    pack_define_calendar(ld);
    loader_each(ld, "events", define_event, NULL);
    pack_define_facts(ld);
    pack_define_params(ld);
    pack_define_rules(ld);
    pack_define_changes(ld);
    pack_define_moves(ld);
    pack_define_reducers(ld);
    gather_tests(ld);
    pack_check_functions(ld);
    pack_freeze(ld);
}
