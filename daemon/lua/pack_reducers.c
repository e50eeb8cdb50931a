/* pack_reducers.c - the reducers of a pack: how each event changes facts. */
#include <string.h>

#include <lauxlib.h>

#include "lua/loader.h"
#include "lua/words.h"

#define REDUCERS_MAX 256

struct reducer_arg {
    enum subject_kind kind;
};

/* ["*"] = { function, except = { "school.registered", ... } } */
static void read_except(struct loader *ld, struct strmap *except, const char *where)
{
    lua_State *L = ld->L;
    int type = lua_getfield(L, -1, "except");

    if (type != LUA_TTABLE && type != LUA_TNIL)
        problems_add(ld->problems, "%s: except is %s; expected a list of event types", where,
                     words_of(type));
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

/* ["*"] may be a table: its function takes the table's place on the stack. */
static void unpack_any(struct loader *ld, struct subject_defs *defs, const char *where)
{
    static const char *const KEYS[] = { "except", NULL };

    loader_check_keys(ld, where, "on[\"*\"]", KEYS);
    read_except(ld, &defs->any_except, where);
    lua_rawgeti(ld->L, -1, 1);
    lua_replace(ld->L, -2);
}

static void define_reducer(struct loader *ld, const char *name, const char *where, void *arg)
{
    const struct reducer_arg *of = arg;
    struct subject_defs *defs = &ld->rs->subjects[of->kind];
    struct reducer_def r = { .event = name, .is_own = loader_is_overlay(ld) };
    struct strmap *by_event = r.is_own ? &defs->added_by_event : &defs->reducer_by_event;
    bool is_any = strcmp(name, "*") == 0, is_new;

    if (is_any && r.is_own) {
        problems_add(
            ld->problems,
            "%s: on.%s[\"*\"]: an overlay has reducers for events by name, not for all of them",
            where, subject_kind_name(of->kind));
        return;
    }
    if (!is_any && !catalog_find(&ld->rs->catalog, name)) {
        problems_add(ld->problems, "%s: on.%s: unknown event '%s'%s", where,
                     subject_kind_name(of->kind), name,
                     loader_hint(ld, name, &ld->rs->catalog.types));
        return;
    }
    if (is_any && lua_istable(ld->L, -1))
        unpack_any(ld, defs, where);
    if (!lua_isfunction(ld->L, -1) || lua_iscfunction(ld->L, -1)) {
        problems_add(ld->problems, "%s: on.%s[\"%s\"] is %s; expected function(s, e) ... end",
                     where, subject_kind_name(of->kind), name, words_found(ld->L, -1));
        return;
    }
    if (defs->reducer_count == REDUCERS_MAX) {
        problems_add(ld->problems, "%s: more than %d reducers", where, REDUCERS_MAX);
        return;
    }
    r.where = loader_place(ld, loader_function_where(ld));
    struct strmap_item *item = strmap_add(by_event, name, strlen(name), &is_new);
    if (!item)
        luaL_error(ld->L, "out of memory");
    if (!is_new) {
        problems_add(ld->problems, "%s: on.%s[\"%s\"] is declared twice; the first is at %s",
                     r.where, subject_kind_name(of->kind), name,
                     defs->reducers[item->as.num].where);
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
    struct reducer_arg of;
    (void)arg;

    if (!subject_kind_parse(&of.kind, name) || !lua_istable(ld->L, -1))
        problems_add(ld->problems,
                     "%s: on.%s; expected school, group or hub = { [\"event.type\"] = function(s, "
                     "e) ... end }",
                     where, name);
    else
        loader_entries(ld, "on", where, define_reducer, &of);
}

/* What each type of event does to a kind of subject, found by one look. */
static void add_reactions(struct loader *ld, struct subject_defs *defs)
{
    const struct strmap *types = &ld->rs->catalog.types;
    const struct strmap_item *any = strmap_find(&defs->reducer_by_event, "*", 1);

    for (uint32_t i = 0; i < types->count; i++) {
        const struct event_type *type = types->items[i].as.ptr;
        size_t len = strlen(type->name);
        const struct strmap_item *own = strmap_find(&defs->reducer_by_event, type->name, len);
        const struct strmap_item *added = strmap_find(&defs->added_by_event, type->name, len);
        bool has_any = any && !strmap_find(&defs->any_except, type->name, len);
        struct reaction *r = loader_alloc(ld, sizeof(*r));
        struct strmap_item *item = strmap_add(&defs->reactions, type->name, len, NULL);
        if (!item)
            luaL_error(ld->L, "out of memory");
        *r = (struct reaction){
            .type = type,
            .data = shape_of(ld->L, type->data),
            .own = own ? defs->reducers[own->as.num].function : LUA_NOREF,
            .own_where = own ? defs->reducers[own->as.num].where : NULL,
            .added_where = added ? defs->reducers[added->as.num].where : NULL,
            .any_where = has_any ? defs->reducers[any->as.num].where : NULL,
            .any = has_any ? defs->reducers[any->as.num].function : LUA_NOREF,
            .added = added ? defs->reducers[added->as.num].function : LUA_NOREF,
        };
        item->as.ptr = r;
    }
}

void pack_define_reducers(struct loader *ld)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++)
        ld->rs->subjects[kind].reducers =
            loader_alloc(ld, sizeof(struct reducer_def) * (REDUCERS_MAX + 1));
    loader_each(ld, "on", define_subject_reducers, NULL);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++)
        add_reactions(ld, &ld->rs->subjects[kind]);
}
