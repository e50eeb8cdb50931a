/* pack_params.c - the dated parameters of a pack, and its calendar. */
#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/loader.h"
#include "lua/words.h"

/* ---- parameters ---- */

static bool is_param_value(lua_State *L, int index)
{
    int type = lua_type(L, index);
    return (type == LUA_TNUMBER && isfinite(lua_tonumber(L, index))) || type == LUA_TSTRING ||
           type == LUA_TBOOLEAN;
}

/* The value on top. */
static const char *as_json(struct loader *ld)
{
    struct buf *out = &ld->rs->scratch; /* an error must not leak it */

    buf_reset(out);
    convert_write_scalar(ld->L, -1, out);
    return loader_keep(ld, buf_cstr(out));
}

/* Entry `date` of the table below the list of keys on top: the value from that day on. */
static bool read_version(struct loader *ld, const char *name, const char *where,
                         struct param_version *out, int first_type)
{
    lua_State *L = ld->L;
    int32_t day;
    struct err err;
    size_t len;
    const char *date = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;

    if (!date || day_parse(&day, date, len, &err) != OK) {
        problems_add(ld->problems, "%s: parameter %s: %s", where, name,
                     date ? err.msg : "found a number, expected a date such as 2026-11-21");
        return false;
    }
    lua_pushvalue(L, -1);
    lua_rawget(L, -4);
    char found[WORDS_VALUE];
    if (lua_type(L, -1) != first_type || !is_param_value(L, -1)) {
        problems_add(ld->problems, "%s: parameter %s: from %s it is %s, before that %s", where,
                     name, date,
                     lua_type(L, -1) == LUA_TNUMBER ? words_value(L, -1, found, sizeof(found))
                                                    : words_found(L, -1),
                     words_of(first_type));
        lua_pop(L, 1);
        return false;
    }
    *out = (struct param_version){ .from = london_midnight(day), .json = as_json(ld) };
    out->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return true;
}

/* Who reads on from one date to the next should meet them in the order in which they come. */
static void check_order(struct loader *ld, const struct param_def *p, int *order)
{
    const char *file = ld->parts[ld->part].path;
    const char *key = ld->path[ld->depth - 1];
    int here = places_order(ld->places, file, ld->path, ld->depth);

    if (here && here < *order)
        problems_add_new(
            ld->problems,
            "%s: parameter %s: %s stands before an earlier date; expected dates in order, the "
            "earliest first",
            loader_place(ld, p->where), p->name, key);
    if (here > *order)
        *order = here;
    if (places_twice(ld->places, file, ld->path, ld->depth))
        problems_add_new(ld->problems, "%s: parameter %s: %s is written twice",
                         loader_place(ld, p->where), p->name, key);
}

/* { value, from = { ["2024-09-01"] = value } }: the table is on top */
static void read_versions(struct loader *ld, struct param_def *p)
{
    lua_State *L = ld->L;
    int first_type = lua_rawgeti(L, -1, 1);
    struct param_version first = { .from = TIME_MIN, .json = as_json(ld) };

    char found[WORDS_VALUE];
    if (!is_param_value(L, -1))
        problems_add(ld->problems,
                     "%s: parameter %s is %s; expected a number, a text or true or false", p->where,
                     p->name,
                     lua_type(L, -1) == LUA_TNUMBER ? words_value(L, -1, found, sizeof(found))
                                                    : words_found(L, -1));
    first.ref = luaL_ref(L, LUA_REGISTRYINDEX);
    if (lua_rawlen(L, -1) > 1)
        problems_add_new(
            ld->problems,
            "%s: parameter %s has %d values; expected one, and what it is later as from "
            "= { [\"2024-09-01\"] = value }",
            p->where, p->name, (int)lua_rawlen(L, -1));
    int from_type = lua_getfield(L, -1, "from");
    loader_enter(ld, "from");
    if (from_type != LUA_TTABLE && from_type != LUA_TNIL)
        problems_add(ld->problems,
                     "%s: parameter %s: from is %s; expected { [\"2024-09-01\"] = value }",
                     loader_place(ld, p->where), p->name, words_of(from_type));
    if (from_type == LUA_TTABLE)
        loader_push_keys(ld, p->where);
    else
        lua_newtable(L);
    struct param_version *versions = loader_alloc(ld, sizeof(*versions) * (lua_rawlen(L, -1) + 1));
    versions[0] = first;
    p->versions = versions;
    p->version_count = 1;
    int order = 0;
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        loader_enter(ld, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "#1");
        check_order(ld, p, &order);
        p->version_count += read_version(ld, p->name, loader_place(ld, p->where),
                                         &versions[p->version_count], first_type);
        loader_leave(ld);
    }
    loader_leave(ld);
    lua_pop(L, 3);
}

/* stricter = "lower" */
static void read_stricter(struct loader *ld, struct param_def *p)
{
    const char *stricter = loader_text(ld, "stricter", p->where);

    p->is_lower_stricter = stricter && strcmp(stricter, "lower") == 0;
    if (stricter && !p->is_lower_stricter && strcmp(stricter, "higher") != 0)
        problems_add(
            ld->problems,
            "%s: parameter %s: stricter = \"%s\"; expected \"higher\" (as without it) or \"lower\"",
            p->where, p->name, stricter);
}

/* The value on top: leads_needed = 2, or { 2, from = { ... } } */
static void read_param(struct loader *ld, struct param_def *p)
{
    static const char *const KEYS[] = { "from", "title", "source", "stricter", NULL };

    if (!lua_istable(ld->L, -1)) {
        lua_createtable(ld->L, 1, 0);
        lua_insert(ld->L, -2);
        lua_rawseti(ld->L, -2, 1);
    }
    loader_check_keys(ld, p->where, "a parameter", KEYS);
    read_stricter(ld, p);
    read_versions(ld, p);
}

/* An overlay has other values for a parameter of the national pack. */
static void change_param(struct loader *ld, const char *name, const char *where)
{
    struct ruleset *rs = ld->rs;
    const struct strmap_item *item = strmap_find(&rs->param_names, name, strlen(name));
    struct param_def *p = item ? &rs->params[item->as.num] : NULL;
    const struct opening *o = overlay_may_change(ld, "parameter", name, where, p ? p->where : NULL);
    struct param_def read = { .name = name, .where = where };

    if (!o || !p)
        return;
    if (p->change) {
        problems_add(ld->problems, "%s: parameter %s is changed twice; the first is at %s", where,
                     name, p->change->where);
        return;
    }
    read_param(ld, &read);
    struct param_change *c = loader_alloc(ld, sizeof(*c));
    *c = (struct param_change){ .versions = read.versions,
                                .version_count = read.version_count,
                                .direction = o->direction,
                                .where = where };
    p->change = c;
    overlay_check_param(ld, p);
}

static void define_param(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct ruleset *rs = ld->rs;
    struct param_def *p = &rs->params[rs->param_count];
    bool is_new;
    (void)arg;

    if (loader_is_overlay(ld) && !overlay_owns(ld, name, '_')) {
        change_param(ld, name, where);
        return;
    }
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
    item->as.num = rs->param_count++;
    *p = (struct param_def){ .name = name, .where = where, .is_own = loader_is_overlay(ld) };
    read_param(ld, p);
}

void pack_define_params(struct loader *ld)
{
    ld->rs->params = loader_alloc(ld, sizeof(*ld->rs->params) * (PARAMS_MAX + 1));
    loader_each(ld, "params", define_param, NULL);
}

/* ---- the calendar ---- */

#define CALENDAR_YEARS 200

static void read_starts(struct loader *ld, const char *name, const char *where, int year,
                        int32_t *starts)
{
    for (int n = 0; n < 6; n++) {
        size_t len = 0;
        struct err err;
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
    if (lua_rawlen(ld->L, -1) > 6)
        problems_add(ld->problems, "%s: calendar %s: found %d days; expected six", where, name,
                     (int)lua_rawlen(ld->L, -1));
}

static void define_calendar_year(struct loader *ld, const char *name, const char *where, void *arg)
{
    struct calendar *cal = loader_is_overlay(ld) ? &ld->rs->own_calendar : &ld->rs->calendar;
    int year;
    struct err err;
    (void)arg;

    if (year_parse(&year, name, strlen(name), &err) != OK) {
        problems_add(ld->problems, "%s: calendar: %s", where, err.msg);
        return;
    }
    if (!lua_istable(ld->L, -1)) {
        problems_add(ld->problems, "%s: calendar %s is %s; expected six days", where, name,
                     words_found(ld->L, -1));
        return;
    }
    if (cal->year_count == 0)
        cal->first_year = year;
    if (year != cal->first_year + cal->year_count || cal->year_count == CALENDAR_YEARS) {
        problems_add(ld->problems,
                     "%s: calendar: %s does not follow the year before; years may not be left out",
                     where, name);
        return;
    }
    read_starts(ld, name, where, year, cal->starts[cal->year_count++]);
}

void pack_define_calendar(struct loader *ld)
{
    struct calendar *all[] = { &ld->rs->calendar, &ld->rs->own_calendar };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        all[i]->starts = loader_alloc(ld, sizeof(*all[i]->starts) * CALENDAR_YEARS);
    loader_each(ld, "calendar", define_calendar_year, NULL);
}
