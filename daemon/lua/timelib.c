/* timelib.c - instants, days and academic years for rules. An instant is an integer (microseconds
 * since 1970 UTC), a day is a text YYYY-MM-DD, an academic year is a text 2024/25: texts of one
 * kind compare as they should, and comparing an instant with a text is Lua's own error. */
#include <lauxlib.h>

#include "lua/state.h"
#include "lua/words.h"

#define DAYS_META "pathway.days"

static int64_t check_instant(lua_State *L, int arg)
{
    if (!lua_isinteger(L, arg))
        return luaL_error(
            L, "found %s, expected an instant (a fact of type time, midnight(...), year_end(...))",
            words_found(L, arg));
    int64_t t = lua_tointeger(L, arg);
    if (t < TIME_MIN || t > TIME_MAX)
        return luaL_error(L, "%I lies beyond the calendar", (LUAI_UACINT)t);
    return t;
}

static int32_t check_day(lua_State *L, int arg)
{
    size_t len;
    int32_t day = 0;
    struct err err;
    const char *s = lua_type(L, arg) == LUA_TSTRING ? lua_tolstring(L, arg, &len) : NULL;

    if (!s)
        return luaL_error(L, "found %s, expected a day such as \"2026-09-01\"",
                          words_found(L, arg));
    if (day_parse(&day, s, len, &err) != OK)
        return luaL_error(L, "%s", err.msg);
    return day;
}

static int check_year(lua_State *L, int arg)
{
    size_t len;
    int year = 0;
    struct err err;
    const char *s = lua_type(L, arg) == LUA_TSTRING ? lua_tolstring(L, arg, &len) : NULL;

    if (!s)
        return luaL_error(L, "found %s, expected an academic year such as \"2024/25\"",
                          words_found(L, arg));
    if (instants_year(&year, &ruleset_of(L)->instants, s, len, &err) != OK)
        return luaL_error(L, "%s", err.msg);
    return year;
}

/* A whole number; "14" is a text, though Lua would take it for one. */
static lua_Integer check_whole(lua_State *L, int arg, const char *function)
{
    if (lua_type(L, arg) != LUA_TNUMBER)
        luaL_error(L, "%s: found %s, expected a whole number", function, words_found(L, arg));
    return luaL_checkinteger(L, arg);
}

static int lua_year_start(lua_State *L)
{
    lua_pushinteger(L, instants_year_start(&ruleset_of(L)->instants, check_year(L, 1)));
    return 1;
}

static int lua_year_end(lua_State *L)
{
    lua_pushinteger(L, instants_year_start(&ruleset_of(L)->instants, check_year(L, 1) + 1));
    return 1;
}

void timelib_push_year(lua_State *L, int year)
{
    struct instants *m = &ruleset_of(L)->instants;
    int i = year - INSTANTS_FIRST_YEAR;
    bool is_kept = i >= 0 && i < INSTANTS_YEARS;
    char text[YEAR_TEXT];

    if (is_kept && m->year_texts[i]) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, m->year_texts[i]);
        return;
    }
    lua_pushstring(L, year_text(year, text));
    if (is_kept) {
        lua_pushvalue(L, -1);
        m->year_texts[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
}

static int lua_year_of(lua_State *L)
{
    timelib_push_year(L, year_at(check_instant(L, 1)));
    return 1;
}

static int lua_day_of(lua_State *L)
{
    char text[DAY_TEXT];
    int32_t day = instants_day(&ruleset_of(L)->instants, check_instant(L, 1));
    lua_pushlstring(L, day_text(day, text), DAY_TEXT - 1);
    return 1;
}

static int lua_midnight(lua_State *L)
{
    lua_pushinteger(L, instants_midnight(&ruleset_of(L)->instants, check_day(L, 1)));
    return 1;
}

/* The half terms of a year, or NULL: the calendar does not have it. */
static const int32_t *starts_of(const struct calendar *cal, int year)
{
    int i = year - cal->first_year;
    return i >= 0 && i < cal->year_count ? cal->starts[i] : NULL;
}

/* The instant at which half term n of an academic year ends: the next one's first teaching day. */
static int64_t half_term_end(struct ruleset *rs, int year, int n)
{
    static const int MONTH[] = { 9, 11, 1, 2, 4, 6 }, MDAY[] = { 1, 1, 4, 22, 15, 3 };

    if (n == 6)
        return instants_year_start(&rs->instants, year + 1);
    const int32_t *starts = rs->effects & EFFECT_FREELY ? starts_of(&rs->own_calendar, year) : NULL;
    if (!starts)
        starts = starts_of(&rs->calendar, year);
    if (starts)
        return instants_midnight(&rs->instants, starts[n]);
    return instants_midnight(&rs->instants,
                             day_from_ymd(n < 2 ? year : year + 1, MONTH[n], MDAY[n]));
}

static int lua_half_term_end(lua_State *L)
{
    int year = check_year(L, 1);
    lua_Integer n = check_whole(L, 2, "half_term_end");
    if (n < 1 || n > 6)
        return luaL_error(L, "half_term_end: found %I, expected a half term from 1 to 6",
                          (LUAI_UACINT)n);
    lua_pushinteger(L, half_term_end(ruleset_of(L), year, (int)n));
    return 1;
}

static int lua_term_end(lua_State *L)
{
    int year = check_year(L, 1);
    lua_Integer n = check_whole(L, 2, "term_end");
    if (n < 1 || n > 3)
        return luaL_error(L, "term_end: found %I, expected a term from 1 to 3", (LUAI_UACINT)n);
    lua_pushinteger(L, half_term_end(ruleset_of(L), year, (int)n * 2));
    return 1;
}

/* days(n): added to an instant, the same time of day n days later in England, also across a
 * change of the clocks. */
static int lua_days(lua_State *L)
{
    struct instants *m = &ruleset_of(L)->instants;
    lua_Integer n = check_whole(L, 1, "days");

    if (n < -1000000 || n > 1000000)
        return luaL_error(L, "days: %I is out of range", n);
    bool is_kept = n >= 0 && n < INSTANTS_DAYS;
    if (is_kept && m->spans[n]) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, m->spans[n]);
        return 1;
    }
    *(lua_Integer *)lua_newuserdatauv(L, sizeof(n), 0) = n;
    luaL_setmetatable(L, DAYS_META);
    if (is_kept) {
        lua_pushvalue(L, -1);
        m->spans[n] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return 1;
}

/* Called for the metatable of days only, so that one of the two at least is such. */
static const lua_Integer *to_days(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TUSERDATA ? luaL_testudata(L, index, DAYS_META) : NULL;
}

static int days_shift(lua_State *L, int sign)
{
    bool days_first = to_days(L, 1) != NULL;
    if (days_first && (sign < 0 || to_days(L, 2)))
        return luaL_error(L, "days(...) can be added to or taken from an instant, nothing else");
    const lua_Integer *n = luaL_checkudata(L, days_first ? 1 : 2, DAYS_META);
    int64_t t = check_instant(L, days_first ? 2 : 1);
    lua_pushinteger(L, instants_add_days(&ruleset_of(L)->instants, t, sign * *n));
    return 1;
}

static int days_add(lua_State *L)
{
    return days_shift(L, 1);
}

static int days_sub(lua_State *L)
{
    return days_shift(L, -1);
}

void timelib_add(lua_State *L)
{
    static const luaL_Reg FUNCTIONS[] = {
        { "year_start", lua_year_start },
        { "year_end", lua_year_end },
        { "year_of", lua_year_of },
        { "day_of", lua_day_of },
        { "midnight", lua_midnight },
        { "half_term_end", lua_half_term_end },
        { "term_end", lua_term_end },
        { "days", lua_days },
        { NULL, NULL },
    };
    static const luaL_Reg DAYS[] = { { "__add", days_add }, { "__sub", days_sub }, { NULL, NULL } };

    luaL_newmetatable(L, DAYS_META);
    luaL_setfuncs(L, DAYS, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_setfuncs(L, FUNCTIONS, 0);
}
