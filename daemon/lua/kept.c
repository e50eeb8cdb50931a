/* kept.c - values and read patterns that the kept records of a ruleset share: a nation of records says
 * the same few things, so each keeps small numbers only. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

#define PATTERNS_MAX 60000

static struct strmap_item *intern(lua_State *L, struct ruleset *rs, struct strmap *map,
                                  const char *bytes, size_t len, bool *is_new)
{
    struct strmap_item *item = strmap_find(map, bytes, len);

    *is_new = !item;
    if (!item) {
        char *copy = arena_copy(&rs->arena, bytes, len);
        item = copy ? strmap_add(map, copy, len, NULL) : NULL;
        if (!item)
            luaL_error(L, "out of memory");
        item->as.num = map->count;
    }
    return item;
}

uint32_t kept_intern_value(lua_State *L, struct ruleset *rs, int index)
{
    bool is_new;

    index = lua_absindex(L, index);
    buf_reset(&rs->scratch);
    convert_write_scalar(L, index, &rs->scratch);
    if (rs->scratch.failed)
        luaL_error(L, "out of memory");
    uint32_t value =
        (uint32_t)intern(L, rs, &rs->values, rs->scratch.data, rs->scratch.len, &is_new)->as.num -
        1;
    if (is_new) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->lua_values);
        lua_pushvalue(L, index);
        lua_rawseti(L, -2, (lua_Integer)value + 1);
        lua_pop(L, 1);
    }
    return value;
}

uint32_t kept_intern_failure(lua_State *L, struct ruleset *rs, const char *message)
{
    bool is_new;

    buf_reset(&rs->scratch);
    buf_char(&rs->scratch, '!');
    buf_str(&rs->scratch, message);
    if (rs->scratch.failed)
        luaL_error(L, "out of memory");
    return (uint32_t)intern(L, rs, &rs->values, rs->scratch.data, rs->scratch.len, &is_new)
               ->as.num -
           1;
}

uint16_t kept_intern_pattern(lua_State *L, struct ruleset *rs, const struct reads *reads)
{
    struct pattern p;
    bool is_new;

    memcpy(p.facts, reads->own_facts, sizeof(p.facts));
    memcpy(p.rules, reads->rules, sizeof(p.rules));
    uint32_t id =
        (uint32_t)intern(L, rs, &rs->pattern_ids, (const char *)&p, sizeof(p), &is_new)->as.num - 1;
    if (!is_new)
        return (uint16_t)id;
    if (id >= PATTERNS_MAX)
        luaL_error(L, "rules read facts in more than %d different ways", PATTERNS_MAX);
    if (id >= rs->pattern_cap) {
        uint32_t cap = rs->pattern_cap ? rs->pattern_cap * 2 : 256;
        struct pattern *grown = realloc(rs->patterns, cap * sizeof(*grown));
        if (!grown)
            luaL_error(L, "out of memory");
        rs->patterns = grown;
        rs->pattern_cap = cap;
    }
    rs->patterns[id] = p;
    return (uint16_t)id;
}

void kept_push_value(lua_State *L, struct ruleset *rs, uint32_t value)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->lua_values);
    lua_rawgeti(L, -1, (lua_Integer)value + 1);
    lua_remove(L, -2);
}

const char *kept_text(const struct ruleset *rs, uint32_t value)
{
    return rs->values.items[value].key;
}

const char *kept_failure(const struct ruleset *rs, uint16_t rule)
{
    return kept_text(rs, rs->record->kept[rule].value) + 1; /* behind its "!" */
}
