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
    uint64_t words[FACTS_MAX / 64 + RULES_MAX / 64];
    size_t count = (size_t)rs->fact_words + rs->rule_words;
    bool is_new;

    memcpy(words, reads->own_facts, rs->fact_words * sizeof(*words));
    memcpy(words + rs->fact_words, reads->rules, rs->rule_words * sizeof(*words));
    uint32_t id = (uint32_t)intern(L, rs, &rs->pattern_ids, (const char *)words,
                                   count * sizeof(*words), &is_new)
                      ->as.num -
                  1;
    if (!is_new)
        return (uint16_t)id;
    if (id >= PATTERNS_MAX)
        luaL_error(L, "rules read facts in more than %d different ways", PATTERNS_MAX);
    if (id >= rs->pattern_cap) {
        uint32_t cap = rs->pattern_cap ? rs->pattern_cap * 2 : 256;
        uint64_t *grown = realloc(rs->patterns, cap * count * sizeof(*grown));
        if (!grown)
            luaL_error(L, "out of memory");
        rs->patterns = grown;
        rs->pattern_cap = cap;
    }
    memcpy(rs->patterns + id * count, words, count * sizeof(*words));
    return (uint16_t)id;
}

void kept_push_value(lua_State *L, struct ruleset *rs, uint32_t value)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->lua_values);
    lua_rawgeti(L, -1, (lua_Integer)value + 1);
    lua_remove(L, -2);
}

const char *kept_text(const struct ruleset *rs, uint32_t value, size_t *len)
{
    *len = rs->values.items[value].len;
    return rs->values.items[value].key;
}

const char *kept_failure(const struct ruleset *rs, uint16_t rule)
{
    size_t len;
    return kept_text(rs, rs->record->kept[rs->rules[rule].place].value, &len) + 1; /* behind "!" */
}

/* ---- one record ---- */

bool kept_begin(struct record *r)
{
    r->kept = calloc((size_t)r->rs->subjects[r->kind].rule_count + 1, sizeof(*r->kept));
    r->wake = TIME_NEVER;
    r->has_failures = true; /* none has a value yet */
    return r->kept != NULL;
}

void kept_end(struct record *r)
{
    free(r->kept);
    free(r->wakes.at);
    r->kept = NULL;
    r->wakes = (struct wakes){ 0 };
}

static uint16_t find_wake(const struct record *r, uint16_t place)
{
    uint16_t i = 0;

    while (i < r->wakes.count && r->wakes.places[i] != place)
        i++;
    return i;
}

int64_t kept_wake(const struct record *r, uint16_t place)
{
    uint16_t i = find_wake(r, place);
    return i < r->wakes.count ? r->wakes.at[i] : TIME_NEVER;
}

static bool grow_wakes(struct wakes *w)
{
    uint16_t cap = (uint16_t)(w->cap + 4);
    struct wakes grown = { .count = w->count, .cap = cap };

    grown.at = malloc(cap * (sizeof(*grown.at) + sizeof(*grown.places)));
    if (!grown.at)
        return false;
    grown.places = (uint16_t *)(void *)(grown.at + cap);
    for (uint16_t i = 0; i < w->count; i++) {
        grown.at[i] = w->at[i];
        grown.places[i] = w->places[i];
    }
    free(w->at);
    *w = grown;
    return true;
}

void kept_wait(lua_State *L, struct record *r, uint16_t place, int64_t at)
{
    struct wakes *w = &r->wakes;
    uint16_t i = find_wake(r, place);

    if (at == TIME_NEVER) {
        if (i < w->count) {
            w->count--;
            w->at[i] = w->at[w->count];
            w->places[i] = w->places[w->count];
        }
        return;
    }
    if (i == w->count) {
        if (w->count == w->cap && !grow_wakes(w))
            luaL_error(L, "out of memory");
        w->count++;
    }
    w->at[i] = at;
    w->places[i] = place;
}
