/* kept.c - values and read patterns that the kept records of a ruleset share: a nation of records
 * says the same few things, so each keeps small numbers only. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

#define PATTERNS_MAX 60000

static struct strmap_item *intern(struct ruleset *rs, struct strmap *map, const char *bytes,
                                  size_t len, bool *is_new)
{
    struct strmap_item *item = strmap_find(map, bytes, len);

    *is_new = !item;
    if (!item) {
        char *copy = arena_copy(&rs->arena, bytes, len);
        item = copy ? strmap_add(map, copy, len, NULL) : NULL;
        if (!item)
            sandbox_raise_starved(&rs->sandbox);
        item->as.num = map->count;
    }
    return item;
}

/* ---- values ---- */

#define SMALL_INTEGERS 256
#define STRING_SLOTS   1024 /* a power of two */

struct string_slot {
    const void *string;
    uint32_t value;
};

/* The way from what rules give most to its number. Strings are found by their address: those that
 * are here are kept for good, so that no other string can come to stand there. */
struct value_cache {
    uint32_t plain[GIVEN_INTEGER];     /* nil, false, true: index + 1 */
    uint32_t integers[SMALL_INTEGERS]; /* from 0 up: index + 1 */
    struct string_slot strings[STRING_SLOTS];
};

static struct string_slot *slot_of(struct value_cache *c, const void *string)
{
    return &c->strings[((uintptr_t)string >> 4 ^ (uintptr_t)string >> 14) % STRING_SLOTS];
}

static uint32_t *find_number(struct value_cache *c, struct given given)
{
    if (given.form < GIVEN_INTEGER)
        return &c->plain[given.form];
    if (given.form == GIVEN_INTEGER && given.integer >= 0 && given.integer < SMALL_INTEGERS)
        return &c->integers[given.integer];
    return NULL;
}

bool kept_init(struct ruleset *rs)
{
    rs->value_cache = calloc(1, sizeof(*rs->value_cache));
    return rs->value_cache != NULL;
}

void kept_fini(struct ruleset *rs)
{
    free(rs->value_cache);
    free(rs->givens);
    free(rs->patterns);
    strmap_fini(&rs->values);
    strmap_fini(&rs->pattern_ids);
}

static void grow_givens(struct ruleset *rs)
{
    uint32_t cap = rs->given_cap ? rs->given_cap * 2 : 256;
    struct given *grown = realloc(rs->givens, cap * sizeof(*grown));

    if (!grown)
        sandbox_raise_starved(&rs->sandbox);
    rs->givens = grown;
    rs->given_cap = cap;
}

/* The index of the text in scratch; a new one is kept with its value. */
static uint32_t intern_scratch(lua_State *L, struct ruleset *rs, struct given given, int index)
{
    bool is_new;

    if (rs->scratch.failed)
        sandbox_raise_starved(&rs->sandbox);
    if (rs->values.count == rs->given_cap)
        grow_givens(rs);
    uint32_t value =
        (uint32_t)intern(rs, &rs->values, rs->scratch.data, rs->scratch.len, &is_new)->as.num - 1;
    if (is_new)
        rs->givens[value] = given;
    if (is_new && given.form == GIVEN_OTHER) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->lua_values);
        lua_pushvalue(L, index);
        lua_rawseti(L, -2, (lua_Integer)value + 1);
        lua_pop(L, 1);
    }
    return value;
}

uint32_t kept_intern_value(lua_State *L, struct ruleset *rs, struct given given, int index)
{
    uint32_t *number = find_number(rs->value_cache, given);
    const void *string = given.form == GIVEN_OTHER ? lua_topointer(L, index) : NULL;
    struct string_slot *slot = string ? slot_of(rs->value_cache, string) : NULL;

    if (number && *number)
        return *number - 1;
    if (slot && slot->string == string)
        return slot->value;
    index = lua_absindex(L, index);
    buf_reset(&rs->scratch);
    convert_write_scalar(L, index, &rs->scratch);
    uint32_t value = intern_scratch(L, rs, given, index);
    if (number)
        *number = value + 1;
    if (slot) {
        kept_push_value(L, rs, value);
        if (lua_topointer(L, -1) == string) { /* of long strings only the one that is kept */
            slot->string = string;
            slot->value = value;
        }
        lua_pop(L, 1);
    }
    return value;
}

static uint32_t intern_failure(lua_State *L, struct ruleset *rs, const char *message)
{
    buf_reset(&rs->scratch);
    buf_char(&rs->scratch, '!');
    buf_str(&rs->scratch, message);
    return intern_scratch(L, rs, (struct given){ .form = GIVEN_NIL }, 0);
}

void kept_push_value(lua_State *L, struct ruleset *rs, uint32_t value)
{
    given_push(L, rs->givens[value], rs->lua_values, value);
}

/* ---- patterns ---- */

static uint16_t intern_pattern(lua_State *L, struct ruleset *rs, const struct reads *reads)
{
    uint64_t words[FACTS_MAX / 64 + RULES_MAX / 64];
    size_t count = (size_t)rs->fact_words + rs->rule_words;
    bool is_new;

    memcpy(words, reads->own_facts, rs->fact_words * sizeof(*words));
    memcpy(words + rs->fact_words, reads->rules, rs->rule_words * sizeof(*words));
    uint32_t id =
        (uint32_t)intern(rs, &rs->pattern_ids, (const char *)words, count * sizeof(*words), &is_new)
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
            sandbox_raise_starved(&rs->sandbox);
        rs->patterns = grown;
        rs->pattern_cap = cap;
    }
    memcpy(rs->patterns + id * count, words, count * sizeof(*words));
    return (uint16_t)id;
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

/* The rule at `place` waits for an instant, TIME_NEVER: for none. */
static void wait_for(struct record *r, uint16_t place, int64_t at)
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
            sandbox_raise_starved(&r->rs->sandbox);
        w->count++;
    }
    w->at[i] = at;
    w->places[i] = place;
}

static const uint64_t *pattern_of(const struct ruleset *rs, const struct kept *kept)
{
    return rs->patterns + (size_t)kept->pattern * (rs->fact_words + rs->rule_words);
}

static bool is_pattern(const struct ruleset *rs, const struct kept *kept, const struct reads *reads)
{
    const uint64_t *words = pattern_of(rs, kept);
    uint64_t other = 0;

    for (uint16_t i = 0; i < rs->fact_words; i++)
        other |= words[i] ^ reads->own_facts[i];
    for (uint16_t i = 0; i < rs->rule_words; i++)
        other |= words[rs->fact_words + i] ^ reads->rules[i];
    return other == 0;
}

static void note_readers(uint64_t *readers, uint16_t width, const uint64_t *read, uint16_t words,
                         uint16_t place)
{
    for (uint16_t w = 0; w < words; w++)
        for (uint64_t bits = read[w]; bits; bits &= bits - 1)
            readers[(w * 64u + (unsigned)__builtin_ctzll(bits)) * width + place / 64] |=
                1ull << (place % 64);
}

bool kept_reads(const struct record *r, uint16_t place, const uint64_t *facts,
                const uint64_t *rules)
{
    const struct ruleset *rs = r->rs;
    const uint64_t *words = pattern_of(rs, &r->kept[place]);
    uint64_t met = 0;

    for (uint16_t i = 0; facts && i < rs->fact_words; i++)
        met |= words[i] & facts[i];
    for (uint16_t i = 0; rules && i < rs->rule_words; i++)
        met |= words[rs->fact_words + i] & rules[i];
    return met != 0;
}

uint64_t kept_rules_read(const struct record *r, uint16_t place, uint16_t word)
{
    return pattern_of(r->rs, &r->kept[place])[r->rs->fact_words + word];
}

/* Set what is kept of a rule; whether it is another value than before goes into its memo. */
static void put(struct record *r, uint16_t place, struct kept new)
{
    struct kept *kept = &r->kept[place];
    struct memo *memo = &r->rs->memos[r->rs->subjects[r->kind].rules[place]];

    if (memo->put_in != r->rs->run) { /* judging may have begun anew since */
        memo->put_in = r->rs->run;
        memo->had_value = kept->has_value;
        memo->old_value = kept->value;
    }
    memo->is_changed = !memo->had_value || memo->old_value != new.value;
    r->failures = (uint16_t)(r->failures + kept->is_good - new.is_good);
    *kept = new;
}

void kept_put(lua_State *L, struct record *r, uint16_t place, uint32_t value,
              const struct reads *reads)
{
    struct ruleset *rs = r->rs;
    const struct subject_defs *defs = &rs->subjects[r->kind];
    const struct kept *kept = &r->kept[place];
    struct kept new = { .value = value, .pattern = kept->pattern, .has_value = true };

    if (!kept->is_good || !is_pattern(rs, kept, reads)) {
        new.pattern = intern_pattern(L, rs, reads);
        note_readers(defs->fact_readers, rs->rule_words, reads->own_facts, rs->fact_words, place);
        note_readers(defs->rule_readers, rs->rule_words, reads->rules, rs->rule_words, place);
    }
    new.is_good = true;
    wait_for(r, place, reads->own_wake);
    put(r, place, new);
}

void kept_put_failure(lua_State *L, struct record *r, uint16_t place, const char *message,
                      int64_t wake)
{
    uint32_t value = intern_failure(L, r->rs, message);

    wait_for(r, place, wake);
    put(r, place, (struct kept){ .value = value, .has_value = true });
}

bool kept_begin(struct record *r)
{
    r->kept = calloc((size_t)r->rs->subjects[r->kind].rule_count + 1, sizeof(*r->kept));
    r->wake = TIME_NEVER;
    r->failures = r->rs->subjects[r->kind].rule_count; /* none has a value yet */
    return r->kept != NULL;
}

void kept_end(struct record *r)
{
    free(r->kept);
    free(r->wakes.at);
    r->kept = NULL;
    r->wakes = (struct wakes){ 0 };
}
