/* pack_check.c - the check that every name which a pack's functions use is there. A function is
 * looked into with the eyes of the one that calls it: a helper that is given a view reads facts
 * too. */
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/absent.h"
#include "lua/loader.h"
#include "lua/uses.h"

struct check {
    struct loader *ld;
    enum subject_kind kind;
    bool is_own;       /* the overlay's: it may change facts of its own only */
    bool is_writing;   /* a reducer, or `enter` of a move: facts may be written, rules not read */
    struct uses *uses; /* of whom it is part; NULL: of a file */
    const char *where; /* file of the function */
    int function;      /* stack index of the function */
    int depth;         /* how many helpers called each other down to here */
    bool gives_value;  /* what calls it wants a value of it */
};

#define HELPERS_MAX 40 /* deep; recursion ends sooner */

static void check_function(const struct check *c, uint32_t views);

/* `text` is on top, and popped. */
static void add_problem(struct loader *ld, const char *where, int line, const char *text)
{
    problems_add_new(ld->problems, "%s:%d: %s", where, line, text);
    lua_pop(ld->L, 1);
}

/* ---- what is read from and written to a view ---- */

static const char *hint_for_field(struct loader *ld, const char *name, const struct strmap *names)
{
    if (!strmap_find(&ld->rs->param_names, name, strlen(name)))
        return loader_hint(ld, name, names);
    const char *hint =
        loader_keep(ld, lua_pushfstring(ld->L, "; a parameter is read as s.param.%s", name));
    lua_pop(ld->L, 1);
    return hint;
}

static void check_read(const struct check *c, const char *name, int line)
{
    struct loader *ld = c->ld;
    const struct strmap *names = &ld->rs->subjects[c->kind].names;
    const struct strmap_item *item = strmap_find(names, name, strlen(name));

    if (c->is_own && c->is_writing &&
        (strcmp(name, "waive") == 0 || strcmp(name, "end_waivers") == 0))
        add_problem(ld, c->where, line,
                    lua_pushfstring(
                        ld->L,
                        "s:%s: waivers belong to the national pack; an overlay changes facts of "
                        "its own",
                        name));
    if (!item)
        add_problem(ld, c->where, line,
                    lua_pushfstring(ld->L, "unknown fact or rule '%s'%s", name,
                                    hint_for_field(ld, name, names)));
    else if (c->is_writing && item->as.num >> 16 == SLOT_RULE)
        add_problem(
            ld, c->where, line,
            lua_pushfstring(
                ld->L, "a reducer can not read the rule %s: rules judge, reducers record", name));
}

static void check_write(const struct check *c, const char *name, int line)
{
    struct loader *ld = c->ld;
    const struct subject_defs *defs = &ld->rs->subjects[c->kind];
    const struct strmap_item *item = strmap_find(&defs->names, name, strlen(name));

    if (!item)
        add_problem(ld, c->where, line,
                    lua_pushfstring(ld->L, "unknown fact '%s'%s", name,
                                    loader_hint(ld, name, &defs->names)));
    else if (item->as.num >> 16 != SLOT_FACT)
        add_problem(ld, c->where, line,
                    lua_pushfstring(ld->L, "s.%s is no fact and can not be assigned", name));
    else if (!c->is_writing)
        add_problem(ld, c->where, line,
                    lua_pushfstring(ld->L,
                                    "a rule can not change %s: facts are changed only by reducers "
                                    "(the functions under `on`)",
                                    name));
    else if (c->is_own && !defs->facts[item->as.num & 0xffff].is_own)
        add_problem(ld, c->where, line,
                    lua_pushfstring(
                        ld->L,
                        "fact %s belongs to the national pack (at %s); an overlay changes facts "
                        "of its own",
                        name, defs->facts[item->as.num & 0xffff].where));
    else if (!type_is_scalar(defs->facts[item->as.num & 0xffff].type))
        add_problem(ld, c->where, line,
                    lua_pushfstring(ld->L,
                                    "%s is a container: change it by its methods (add, remove, "
                                    "clear) or by key",
                                    name));
}

static void check_param(const struct check *c, const char *name, int line)
{
    struct loader *ld = c->ld;
    const struct strmap *names = &ld->rs->param_names;

    if (!strmap_find(names, name, strlen(name)))
        add_problem(
            ld, c->where, line,
            lua_pushfstring(ld->L, "unknown parameter '%s'%s", name, loader_hint(ld, name, names)));
}

/* Remember a use of a known name. */
static void note_use(const struct check *c, enum scan_what what, const char *name)
{
    const struct ruleset *rs = c->ld->rs;
    const struct subject_defs *defs = &rs->subjects[c->kind];
    bool is_param = what == SCAN_PARAM;
    const struct strmap_item *item =
        strmap_find(is_param ? &rs->param_names : &defs->names, name, strlen(name));

    if (what == SCAN_FIELD_ANY)
        c->uses->is_open = true;
    else if (what == SCAN_FIELD_ANY_WRITE)
        c->uses->is_open_set = true;
    else if (item && is_param)
        uses_add(c->uses->params, (unsigned)item->as.num);
    else if (item && item->as.num >> 16 == SLOT_RULE)
        uses_add(c->uses->rules, (unsigned)(item->as.num & 0xffff));
    if (!item || is_param || item->as.num >> 16 != SLOT_FACT)
        return;
    unsigned fact = (unsigned)(item->as.num & 0xffff);
    if (what == SCAN_FIELD_WRITE || (c->is_writing && !type_is_scalar(defs->facts[fact].type)))
        uses_add(c->uses->set, fact);
    if (what == SCAN_FIELD)
        uses_add(c->uses->facts, fact);
}

static void add_outer_problem(const struct check *c, const char *name, int line)
{
    add_problem(c->ld, c->where, line,
                lua_pushfstring(c->ld->L,
                                "'%s' belongs to the whole file, and a function keeps nothing "
                                "between two calls; use a local variable, or a fact",
                                name));
}

static void check_name(enum scan_what what, const char *name, int line, void *arg)
{
    const struct check *c = arg;
    lua_State *L = c->ld->L;

    note_use(c, what, name);
    switch (what) {
    case SCAN_FIELD:
        check_read(c, name, line);
        break;
    case SCAN_FIELD_WRITE:
        check_write(c, name, line);
        break;
    case SCAN_PARAM:
        check_param(c, name, line);
        break;
    case SCAN_PARAM_WRITE:
        add_problem(c->ld, c->where, line, lua_pushstring(L, "a parameter can not be assigned"));
        break;
    case SCAN_OUTER_WRITE:
        add_outer_problem(c, name, line);
        break;
    case SCAN_GLOBAL:
        if (strcmp(name, "import") == 0)
            add_problem(c->ld, c->where, line,
                        lua_pushstring(L, "import: files are imported at the top of a file, not "
                                          "by a function"));
        else if (strcmp(name, "null") == 0)
            add_problem(
                c->ld, c->where, line,
                lua_pushstring(L, "null is what a test expects of a decision without a "
                                  "value; whether a fact is there is asked by: if s.NAME then"));
        break;
    case SCAN_NO_RETURN:
        if (c->gives_value && c->depth == 0)
            add_problem(
                c->ld, c->where, line,
                lua_pushstring(L, "this function returns nothing; expected return and a value"));
        break;
    case SCAN_FIELD_ANY:
    case SCAN_FIELD_ANY_WRITE:
        break; /* checked when it runs */
    case SCAN_GLOBAL_WRITE:
    case SCAN_ENVIRONMENT:
        break; /* told when the file was loaded */
    }
}

/* What is wrong with comparing or setting a fact of this type with a text, or NULL; pushed. */
static const char *text_problem(const struct check *c, const struct type *type, const char *text)
{
    struct loader *ld = c->ld;
    char expected[400], hint[200];
    struct err err;
    int32_t day;
    int year;
    size_t len = strlen(text);

    switch (type->kind) {
    case TYPE_ENUM:
        for (uint32_t i = 0; i < type->value_count; i++)
            if (strcmp(type->values[i], text) == 0)
                return NULL;
        return lua_pushfstring(
            ld->L, "never \"%s\"; expected %s%s", text,
            type_describe(type, expected, sizeof(expected)),
            text_hint(hint, sizeof(hint), text, type->values, type->value_count));
    case TYPE_TIME:
        return lua_pushfstring(
            ld->L, "an instant, no text; write midnight(\"%s\"), or ask s:reached(...)", text);
    case TYPE_DATE:
        return day_parse(&day, text, len, &err) == OK
                   ? NULL
                   : lua_pushfstring(ld->L, "a date; %s", err.msg);
    case TYPE_YEAR:
        return year_parse(&year, text, len, &err) == OK
                   ? NULL
                   : lua_pushfstring(ld->L, "an academic year; %s", err.msg);
    case TYPE_BOOL:
        return lua_pushstring(ld->L, "true or false, no text");
    case TYPE_INT:
    case TYPE_NUMBER:
        return lua_pushstring(ld->L, "a number, no text; write it without quotes");
    case TYPE_SET:
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_ROW:
        return lua_pushstring(ld->L,
                              "a container, no text; ask :has(...), or go through it by each(...)");
    case TYPE_TEXT:
    case TYPE_PERSON:
    case TYPE_NOTE:
    case TYPE_SCHOOL:
    case TYPE_GROUP:
    case TYPE_HUB:
        break;
    }
    return NULL;
}

static void check_compare(const char *name, const char *text, const int *number, bool is_set,
                          int line, void *arg)
{
    const struct check *c = arg;
    lua_State *L = c->ld->L;
    const struct subject_defs *defs = &c->ld->rs->subjects[c->kind];
    const struct strmap_item *item = strmap_find(&defs->names, name, strlen(name));
    const char *problem = NULL;

    if (!item || item->as.num >> 16 != SLOT_FACT)
        return; /* what a rule gives is not known */
    const struct type *type = defs->facts[item->as.num & 0xffff].type;
    if (text &&
        (!is_set || type->kind == TYPE_ENUM)) /* other values are checked when they are set */
        problem = text_problem(c, type, text);
    else if (number && !type_is_scalar(type))
        problem =
            lua_pushstring(L, "a container, no number; to count what is in it, write # before it");
    else if (number && type->kind == TYPE_BOOL)
        problem = lua_pushstring(L, "true or false, no number");
    else if (number && type->kind == TYPE_TIME)
        problem = lua_pushstring(
            L, "an instant, no number; write midnight(\"2026-09-01\"), or ask s:reached(...)");
    else if (number && type->kind == TYPE_YEAR)
        problem = lua_pushstring(L, "an academic year, no number; write it as \"2024/25\"");
    else if (number && type->kind != TYPE_INT && type->kind != TYPE_NUMBER)
        problem = lua_pushstring(L, "a text, no number");
    if (!problem)
        return;
    problems_add_new(c->ld->problems, "%s:%d: %s is %s", c->where, line, name, problem);
    lua_pop(L, 1);
}

/* An instant is moved by days only. Lua would add the number to its microseconds, and say nothing.
 */
static void check_sum(const char *name, const char *param, int line, void *arg)
{
    const struct check *c = arg;
    lua_State *L = c->ld->L;
    const struct subject_defs *defs = &c->ld->rs->subjects[c->kind];
    const struct strmap_item *item = strmap_find(&defs->names, name, strlen(name));

    if (!item || item->as.num >> 16 != SLOT_FACT ||
        defs->facts[item->as.num & 0xffff].type->kind != TYPE_TIME)
        return;
    add_problem(
        c->ld, c->where, line,
        lua_pushfstring(L, "%s is an instant, to which no number is added; expected days(%s%s)",
                        name, param ? "s.param." : "", param ? param : "..."));
}

/* ---- helpers ---- */

static const char *upvalue_name(int upvalue, void *arg)
{
    const struct check *c = arg;
    const char *name = lua_getupvalue(c->ld->L, c->function, upvalue + 1);

    if (name)
        lua_pop(c->ld->L, 1);
    return name ? name : "?";
}

/* All functions in the table on top. */
static void check_all_in(const struct check *c, uint32_t views)
{
    lua_State *L = c->ld->L;

    loader_push_keys(c->ld, c->where);
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        lua_rawget(L, -3);
        check_function(c, views);
    }
    lua_pop(L, 2);
}

static void check_helper(int upvalue, const char *key, bool is_itself, uint32_t views, void *arg)
{
    const struct check *c = arg;
    lua_State *L = c->ld->L;
    struct check inner = *c;

    luaL_checkstack(L, 20, "helpers call each other too deep");
    if (++inner.depth > HELPERS_MAX || !lua_getupvalue(L, c->function, upvalue + 1))
        return;
    if (is_itself) {
        check_function(&inner, views);
    } else if (lua_istable(L, -1) && key) {
        lua_pushstring(L, key);
        lua_rawget(L, -2);
        check_function(&inner, views);
        lua_pop(L, 1);
    } else if (lua_istable(L, -1)) {
        check_all_in(&inner, views);
    }
    lua_pop(L, 1);
}

/* Has the function on top been looked into with the same eyes? */
static bool is_checked(const struct check *c, uint32_t views)
{
    lua_State *L = c->ld->L;

    lua_getfield(L, LUA_REGISTRYINDEX, "pathway.checked");
    lua_pushfstring(L, "%p %d %d %d", lua_topointer(L, -2), (int)views, (int)c->kind,
                    (int)c->is_writing);
    lua_pushvalue(L, -1);
    bool is_checked = lua_rawget(L, -3) != LUA_TNIL;
    lua_pop(L, 1);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return is_checked;
}

/* The function on top, of whose arguments these are views. */
static void check_function(const struct check *c, uint32_t views)
{
    lua_State *L = c->ld->L;
    struct check inner = *c;
    lua_Debug ar;

    luaL_checkstack(L, 20, "helpers call each other too deep");
    if (!lua_isfunction(L, -1) || lua_iscfunction(L, -1) || is_checked(c, views))
        return;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    inner.where = ar.short_src;
    inner.function = lua_gettop(L);
    struct scan_hooks hooks = { .name = check_name,
                                .helper = check_helper,
                                .compare = check_compare,
                                .reckon = check_sum,
                                .upvalue = upvalue_name,
                                .arg = &inner };
    scan_function(L, c->ld->scratch, views, &hooks);
}

static void check_ref(struct loader *ld, enum subject_kind kind, bool is_own, bool is_writing,
                      int ref, struct uses *uses)
{
    struct check c = {
        .ld = ld,
        .kind = kind,
        .is_own = is_own,
        .is_writing = is_writing,
        .uses = uses,
        .gives_value = !is_writing,
    };

    if (ref == LUA_NOREF)
        return;
    lua_newtable(ld->L); /* a helper that several rules call is a part of each */
    lua_setfield(ld->L, LUA_REGISTRYINDEX, "pathway.checked");
    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ref);
    check_function(&c, 1);
    lua_pop(ld->L, 1);
}

static void check_moves(struct loader *ld, enum subject_kind kind)
{
    const struct subject_defs *defs = &ld->rs->subjects[kind];
    struct uses *uses = &ld->rs->uses->moves[kind];

    for (uint16_t i = 0; i < defs->move_count; i++) {
        uses_add(uses->set, defs->moves[i].fact);
        check_ref(ld, kind, defs->moves[i].is_own, false, defs->moves[i].function, uses);
        for (uint16_t n = 0; n < defs->moves[i].step_count; n++) {
            check_ref(ld, kind, defs->moves[i].is_own, false, defs->moves[i].steps[n].holds, uses);
            check_ref(ld, kind, defs->moves[i].is_own, true, defs->moves[i].steps[n].enter, uses);
        }
    }
}

void pack_check_functions(struct loader *ld)
{
    struct ruleset *rs = ld->rs;

    rs->uses = loader_alloc(ld, sizeof(*rs->uses));
    rs->uses->rules = loader_alloc(ld, sizeof(*rs->uses->rules) * (rs->rule_count + 1u));
    for (uint16_t i = 0; i < rs->rule_count; i++)
        check_ref(ld, rs->rules[i].of, rs->rules[i].is_own, false, rs->rules[i].function,
                  &rs->uses->rules[i]);
    for (int k = 0; k < SUBJECT_KINDS; k++) {
        enum subject_kind kind = (enum subject_kind)k;
        const struct subject_defs *defs = &rs->subjects[kind];
        for (uint16_t i = 0; i < defs->reducer_count; i++)
            check_ref(ld, kind, defs->reducers[i].is_own, true, defs->reducers[i].function,
                      &rs->uses->reducers[kind]);
        check_moves(ld, kind);
    }
    lua_pushnil(ld->L);
    lua_setfield(ld->L, LUA_REGISTRYINDEX, "pathway.checked");
    uses_check_cycles(ld);
}

/* ---- a whole file ---- */

static void check_global(enum scan_what what, const char *name, int line, void *arg)
{
    const struct check *c = arg;
    struct loader *ld = c->ld;
    lua_State *L = ld->L;

    if (what == SCAN_ENVIRONMENT) {
        add_problem(ld, c->where, line, lua_pushstring(L, "_ENV can not be used in a pack"));
    } else if (what == SCAN_GLOBAL_WRITE) {
        add_problem(ld, c->where, line,
                    lua_pushfstring(
                        L, "'%s' is assigned without local; a pack has no global variables", name));
    } else if (what == SCAN_GLOBAL && !strmap_find(&ld->rs->env_names, name, strlen(name))) {
        add_problem(ld, c->where, line,
                    absent_why(name)
                        ? lua_pushfstring(L, "unknown name '%s': %s", name, absent_why(name))
                        : lua_pushfstring(L, "unknown name '%s'%s", name,
                                          loader_hint(ld, name, &ld->rs->env_names)));
    }
}

static void no_helper(int upvalue, const char *key, bool is_itself, uint32_t views, void *arg)
{
    (void)upvalue;
    (void)key;
    (void)is_itself;
    (void)views;
    (void)arg;
}

static void check_outer(enum scan_what what, const char *name, int line, void *arg)
{
    if (what == SCAN_OUTER_WRITE)
        add_outer_problem(arg, name, line);
}

void pack_check_keeps_nothing(struct loader *ld)
{
    lua_State *L = ld->L;
    struct check c = { .ld = ld, .function = lua_gettop(L) };
    struct scan_hooks hooks = {
        .name = check_outer, .helper = no_helper, .upvalue = upvalue_name, .arg = &c
    };
    lua_Debug ar;

    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    c.where = ar.short_src;
    scan_function(L, ld->scratch, 0, &hooks);
}

void pack_check_file(struct loader *ld, const char *file)
{
    struct check c = { .ld = ld, .where = file };
    struct scan_hooks hooks = {
        .name = check_global, .helper = no_helper, .upvalue = upvalue_name, .arg = &c
    };
    scan_function(ld->L, ld->scratch, 0, &hooks);
}
