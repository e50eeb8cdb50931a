/* pack_facts.c - the facts of a pack: what is remembered of each kind of subject. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/loader.h"
#include "lua/words.h"

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

/* What `initially` gave, which has been checked, or what there is without it. */
static struct cell initial_cell(struct loader *ld, const struct type *type, int ref)
{
    struct cell cell = { 0 };

    if (ref == LUA_NOREF)
        return type->kind == TYPE_BOOL ? cell_bool(false) : cell;
    lua_rawgeti(ld->L, LUA_REGISTRYINDEX, ref);
    if (!value_own(ld->L, -1, false, &cell))
        luaL_error(ld->L, "out of memory");
    lua_pop(ld->L, 1);
    return cell;
}

static void define_fact(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct subject_defs *defs = &ld->rs->subjects[((struct facts_arg *)arg)->kind];
    const struct strmap_item *there = strmap_find(&defs->names, name, strlen(name));
    bool is_fact = there && there->as.num >> 16 == SLOT_FACT;
    struct fact_def f = { .name = name, .where = where, .is_own = loader_is_overlay(ld) };
    int initial;

    if (!overlay_may_add(ld, "fact", name, '_', where,
                         is_fact ? defs->facts[there->as.num & 0xffff].where : NULL))
        return;
    if (defs->fact_count == FACTS_MAX) {
        problems_add(ld->problems, "%s: more than %d facts", where, FACTS_MAX);
        return;
    }
    f.type = keyword_type(ld->L, -1, NULL, &initial);
    const char *problem = f.type ? box_type_problem(f.type) : NULL;
    if (!f.type)
        problems_add(
            ld->problems,
            "%s: fact %s: found %s, expected a type such as text, set(person) or map(year, int)",
            where, name, words_found(ld->L, -1));
    else if (problem)
        problems_add(ld->problems, "%s: fact %s: %s", where, name, problem);
    else if (name_fact(ld, defs, name, where)) {
        f.initial = initial_cell(ld, f.type, initial);
        defs->facts[defs->fact_count++] = f;
    }
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
        problems_add(ld->problems, "%s: facts.%s is %s; expected a table", where, name,
                     words_found(ld->L, -1));
    else
        loader_entries(ld, "facts", where, define_fact, &of);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct fact_def *)a)->name, ((const struct fact_def *)b)->name);
}

/* In the order of their names, whichever file they came from. */
static void sort_facts(struct subject_defs *defs)
{
    qsort(defs->facts, defs->fact_count, sizeof(*defs->facts), by_name);
    for (uint16_t i = 0; i < defs->fact_count; i++) {
        const char *name = defs->facts[i].name;
        strmap_find(&defs->names, name, strlen(name))->as.num = (int64_t)SLOT_FACT << 16 | i;
        if (strcmp(name, "waivers") == 0)
            defs->waivers = i;
        if (strcmp(name, "hub") == 0 && defs->facts[i].type->kind == TYPE_HUB)
            defs->hub = i;
    }
}

void pack_define_facts(struct loader *ld)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &ld->rs->subjects[kind];
        defs->facts = loader_alloc(ld, sizeof(*defs->facts) * (FACTS_MAX + 1));
        defs->hub = NO_FACT;
        if (!view_add_words(&defs->names))
            luaL_error(ld->L, "out of memory");
        name_fact(ld, defs, "waivers", "built in");
        defs->facts[defs->fact_count++] = (struct fact_def){ .name = "waivers",
                                                             .where = "pathwayd itself",
                                                             .type = waivers_type() };
    }
    loader_each(ld, "facts", define_subject_facts, NULL);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        struct subject_defs *defs = &ld->rs->subjects[kind];
        sort_facts(defs);
        for (uint16_t i = 0; i < defs->fact_count; i++)
            defs->facts[i].shape = shape_of(ld->L, defs->facts[i].type);
    }
}
