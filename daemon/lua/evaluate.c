/* evaluate.c - rules: each evaluated at most once a judging, and, for a record that is kept, only
 * when something it read has changed since. What a rule read counts as read by whoever asked for
 * it. */
#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "base/text.h"
#include "lua/record_internal.h"
#include "lua/state.h"
#include "lua/trace_internal.h"
#include "lua/words.h"

#define TEXT_MAX 4096 /* bytes of a decision */

/* Replace the value on top by whether it meets what the rule needs. */
static void apply_need(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct rule_def *rule = &rs->rules[index];
    bool is_met = false;

    view_push_needed(L, rs, index);
    if (lua_type(L, -1) != lua_type(L, -2) && !lua_isnil(L, -2))
        raise_as_is(L, "%s: rule %s gave %s, which can not be compared with %s, which it needs",
                    rule->where, rule->name, words_found(L, -2), words_found(L, -1));
    if (!lua_isnil(L, -2)) { /* nothing there meets no need */
        if (rule->need == NEED_AT_LEAST)
            is_met = lua_compare(L, -1, -2, LUA_OPLE);
        else if (rule->need == NEED_AT_MOST)
            is_met = lua_compare(L, -2, -1, LUA_OPLE);
        else
            is_met = lua_compare(L, -1, -2, LUA_OPEQ);
    }
    lua_pop(L, 2);
    lua_pushboolean(L, is_met);
}

static void keep_seen(lua_State *L, struct ruleset *rs, uint16_t index)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->seen_values);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, index + 1);
    lua_pop(L, 1);
}

/* A number or a text where a yes or no is asked for is a slip: it would count as true, whatever it
 * is, and an alert `return #s.leads` would never be false. Nothing counts as false. */
static void raise_no_answer(lua_State *L, const char *where, const char *what, int value)
{
    bool is_text = lua_type(L, value) == LUA_TSTRING;
    char found[WORDS_VALUE];

    raise_as_is(L, "%s: %s gave %s; expected true or false: compare it, as in %s", where, what,
                words_value(L, value, found, sizeof(found)),
                is_text ? "... == \"open\", or ask whether it is there: ... ~= nil"
                        : "... >= 2, or ask whether it is there: ... ~= nil");
}

bool view_take_answer(lua_State *L, const char *where, const char *what)
{
    int type = lua_type(L, -1);

    if (type == LUA_TNUMBER || type == LUA_TSTRING)
        raise_no_answer(L, where, what, -1);
    bool answer = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return answer;
}

/* One form for what is the same as JSON, so that a value which was kept is the value that was
 * given: 3.0 is 3. What JSON has no word for would be lost without a word. */
static void make_plain(lua_State *L, const struct rule_def *rule)
{
    size_t len;

    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &len);
        if (!text_is_utf8(text, len))
            raise_as_is(L, "%s: rule %s gave a text that is not UTF-8", rule->where, rule->name);
        if (len > TEXT_MAX)
            raise_as_is(L, "%s: rule %s gave a text of %I bytes; %d is the most", rule->where,
                        rule->name, (LUAI_UACINT)len, TEXT_MAX);
    } else if (lua_type(L, -1) == LUA_TNUMBER && !lua_isinteger(L, -1)) {
        lua_Integer whole;
        lua_Number n = lua_tonumber(L, -1);
        char found[WORDS_VALUE];
        if (!isfinite(n))
            raise_as_is(L, "%s: rule %s gave %s; expected a number, or nothing", rule->where,
                        rule->name, words_value(L, -1, found, sizeof(found)));
        if (lua_numbertointeger(floor(n), &whole) && floor(n) == n)
            lua_pushinteger(L, whole);
        else
            return;
        lua_remove(L, -2);
    }
}

static void push_function_value(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct rule_def *rule = &rs->rules[index];
    struct sandbox_part outer;

    if (rs->spent_count > 0)
        spent_check(L, rs, index);
    sandbox_enter(&rs->sandbox, &outer, rule->where);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rule->function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->subjects[rs->record->kind].view);
    lua_call(L, 1, 1);
    sandbox_leave(&rs->sandbox, &outer);
    int type = lua_type(L, -1);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TNUMBER && type != LUA_TSTRING)
        raise_as_is(L, "%s: rule %s gave %s; expected true, false, a number, a text or nothing",
                    rule->where, rule->name, words_found(L, -1));
    make_plain(L, rule);
    if (rule->need != NEED_NONE) {
        keep_seen(L, rs, index);
        apply_need(L, rs, index);
    } else if (rule->is_alert || rule->is_waivable || !rule->is_decision) {
        lua_pushboolean(L, view_take_answer(L, rule->where, rule->name));
    }
}

/* A criterion that gave a number or a text. */
static void refuse_criterion(lua_State *L, struct ruleset *rs, const struct rule_def *rule,
                             uint16_t i)
{
    const struct rule_change *change = rule->change;
    const char *where = !change  ? rule->criterion_places[i]
                        : i == 0 ? rule->where
                                 : change->criterion_places[i - 1];
    uint16_t criterion = rule->criteria[i];
    char found[WORDS_VALUE];

    given_push(L, rs->memos[criterion].given, rs->memo_values, criterion);
    raise_as_is(L,
                "%s: %s asks whether %s is met, and that gave %s; expected true or false: name a "
                "rule here that compares it, or give it needs = at_least(...)",
                where, rule->name, rs->rules[criterion].name,
                words_value(L, -1, found, sizeof(found)));
}

/* Every criterion is evaluated, also when the answer is known after the first. */
static void push_composite(lua_State *L, struct ruleset *rs, const struct rule_def *rule)
{
    bool is_as_nationally = rule->change && !(rs->effects & rule->change->direction);
    uint16_t count = is_as_nationally ? 1 : rule->criteria_count;
    int met = 0;

    for (uint16_t i = 0; i < count; i++) {
        struct given given = view_rule(L, rs, rule->criteria[i]);
        if (given.form == GIVEN_INTEGER || given.form == GIVEN_OTHER)
            refuse_criterion(L, rs, rule, i);
        met += given.form == GIVEN_TRUE;
    }
    lua_pushboolean(L, rule->form == RULE_ALL   ? met == count
                       : rule->form == RULE_ANY ? met > 0
                                                : met == 0);
}

/* Does a waiver of this rule stand now? Only the built-in fact `waivers` is looked at. */
static bool is_waived(struct ruleset *rs, const struct rule_def *rule)
{
    const struct node *waivers =
        cell_node(view_read_fact(rs, rs->subjects[rs->record->kind].waivers));
    bool stands = false;

    if (rs->is_traced)
        trace_read(rs, rs->subjects[rs->record->kind].waivers, rule->name, strlen(rule->name));
    for (uint32_t i = 0; waivers && i < waivers->used && !stands; i++) {
        const struct node *waiver = cell_node(waivers->cells[i]);
        const struct text *last = cell_text(waiver->cells[WAIVER_LAST_DAY]);
        int32_t day;
        struct err ignored;
        if (cell_text(waiver->cells[WAIVER_RULE]) == rule->text)
            stands = !last || (day_parse(&day, last->bytes, last->len, &ignored) == OK &&
                               !view_reached(rs, london_midnight(day + 1)));
    }
    return stands;
}

/* The same words wherever the circle was entered: they begin with the first rule by name. */
static int cycle_error(lua_State *L, struct ruleset *rs, uint16_t rule)
{
    luaL_Buffer b;
    int first = 0;

    while (rs->running[first] != rule)
        first++;
    int length = rs->running_count - first, least = first;
    for (int i = first; i < rs->running_count; i++)
        if (rs->running[i] < rs->running[least])
            least = i;
    luaL_buffinit(L, &b);
    for (int i = 0; i <= length; i++) {
        luaL_addstring(&b, i ? " -> " : "");
        luaL_addstring(&b, rs->rules[rs->running[first + (least - first + i) % length]].name);
    }
    luaL_pushresult(&b);
    const struct rule_def *r = &rs->rules[rs->running[least]];
    return raise_as_is(L, "%s: rule %s reads itself: %s", r->where, r->name, lua_tostring(L, -1));
}

struct given given_of(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return (struct given){ .form = GIVEN_NIL };
    case LUA_TBOOLEAN:
        return (struct given){ .form = lua_toboolean(L, index) ? GIVEN_TRUE : GIVEN_FALSE };
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            return (struct given){ .form = GIVEN_INTEGER, .integer = lua_tointeger(L, index) };
        break;
    default:
        break;
    }
    return (struct given){ .form = GIVEN_OTHER };
}

void given_push(lua_State *L, struct given given, int table, uint32_t index)
{
    switch (given.form) {
    case GIVEN_NIL:
        lua_pushnil(L);
        break;
    case GIVEN_FALSE:
    case GIVEN_TRUE:
        lua_pushboolean(L, given.form == GIVEN_TRUE);
        break;
    case GIVEN_INTEGER:
        lua_pushinteger(L, given.integer);
        break;
    case GIVEN_OTHER:
        lua_rawgeti(L, LUA_REGISTRYINDEX, table);
        lua_rawgeti(L, -1, (lua_Integer)index + 1);
        lua_remove(L, -2);
        break;
    }
}

/* Take the value off the top into the memo, and, for a kept record, compare it with the one
 * before. */
static void remember(lua_State *L, struct ruleset *rs, uint16_t index)
{
    struct memo *memo = &rs->memos[index];

    memo->given = given_of(L, -1);
    if (rs->is_keeping) {
        uint32_t value = kept_intern_value(L, rs, memo->given, -1);
        kept_put(L, rs->record, rs->rules[index].place, value, &memo->reads);
    }
    if (memo->given.form == GIVEN_OTHER) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, rs->memo_values);
        lua_insert(L, -2);
        lua_rawseti(L, -2, index + 1);
    }
    lua_pop(L, 1);
}

static bool has_bit(const uint64_t *bits, uint16_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/*
 * Does the value that a kept record has for a rule still hold, though it may not? It does unless
 * the rule must be run anew, or a rule that it read has another value now.
 */
static bool still_holds(lua_State *L, struct ruleset *rs, uint16_t index)
{
    uint16_t place = rs->rules[index].place;
    const struct subject_defs *defs = &rs->subjects[rs->record->kind];

    if (has_bit(rs->anew, place))
        return false;
    for (uint16_t i = 0; i < rs->rule_words; i++) {
        uint64_t bits = kept_rules_read(rs->record, place, i) & rs->stale[i];
        for (; bits; bits &= bits - 1) {
            uint16_t other = defs->rules[i * 64 + __builtin_ctzll(bits)];
            if (rs->memos[other].epoch == rs->epoch && rs->memos[other].has_failed)
                return false; /* whoever reads it must fail for itself, or find that it no longer
                                 does */
            view_rule(L, rs, other);
            if (rs->memos[other].is_changed)
                return false;
        }
    }
    return true;
}

/* The fact of the same name; an instant, which is a number in rules, as people write it. */
static void push_shown(lua_State *L, struct ruleset *rs, const struct rule_def *rule)
{
    const struct type *type = rs->subjects[rs->record->kind].facts[rule->fact].type;
    struct cell cell = view_read_fact(rs, rule->fact);
    char text[TIME_TEXT];

    if (rs->is_traced)
        trace_read(rs, rule->fact, NULL, 0);
    if (type->kind == TYPE_TIME && cell_is_integer(cell))
        lua_pushstring(L, time_text(cell_integer(cell), text));
    else
        value_push(L, rs, cell);
}

static void compute(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct rule_def *rule = &rs->rules[index];
    struct memo *memo = &rs->memos[index];

    rs->runs++;
    memo->is_waived = false;
    if (rs->is_traced)
        trace_rule_begins(rs, index);
    if (rule->form == RULE_FUNCTION)
        push_function_value(L, rs, index);
    else if (rule->form == RULE_SHOWN)
        push_shown(L, rs, rule);
    else
        push_composite(L, rs, rule);
    if (rule->is_waivable && is_waived(rs, rule)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
        memo->is_waived = true;
    }
}

/* What a kept record has for a rule becomes what it gave in this run. */
static void recall(lua_State *L, struct ruleset *rs, uint16_t index)
{
    uint32_t value = rs->record->kept[rs->rules[index].place].value;

    rs->memos[index].given = rs->givens[value];
    if (rs->givens[value].form != GIVEN_OTHER)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->memo_values);
    kept_push_value(L, rs, value);
    lua_rawseti(L, -2, index + 1);
    lua_pop(L, 1);
}

static void evaluate(lua_State *L, struct ruleset *rs, uint16_t index)
{
    struct memo *memo = &rs->memos[index];
    struct reads *outer = rs->reads;

    luaL_checkstack(L, 10, "rules read each other too deep");
    memo->epoch = rs->epoch;
    memo->is_running = true;
    memo->is_changed = memo->has_failed = false;
    reads_clear(rs, &memo->reads);
    rs->reads = &memo->reads;
    rs->running[rs->running_count++] = index;
    if (rs->is_keeping && still_holds(L, rs, index)) {
        recall(L, rs, index);
    } else {
        if (rs->is_keeping) /* that look noted what it looked at */
            reads_clear(rs, &memo->reads);
        compute(L, rs, index);
        remember(L, rs, index);
    }
    rs->running_count--;
    rs->reads = outer;
    memo->is_running = false;
    reads_merge(rs, outer, &memo->reads);
}

/* Is the rule's value the one that the record keeps, without a look at anything? */
static bool is_settled(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct memo *memo = &rs->memos[index];
    uint16_t place = rs->rules[index].place;

    rs->reads->rules[place / 64] |= 1ull << (place % 64);
    if (rs->is_traced)
        trace_rule(rs, index);
    if (memo->epoch == rs->epoch)
        return false;
    if (rs->running_count == (int)(sizeof(rs->running) / sizeof(rs->running[0])))
        raise_as_is(L, "%s: rules read each other more than %d deep", rs->rules[index].where,
                    rs->running_count);
    return rs->is_keeping && !has_bit(rs->stale, place);
}

/* See that the memo has the rule's value. */
static void bring_up(lua_State *L, struct ruleset *rs, uint16_t index)
{
    const struct memo *memo = &rs->memos[index];

    if (memo->epoch != rs->epoch) {
        evaluate(L, rs, index);
        return;
    }
    if (memo->is_running)
        cycle_error(L, rs, index);
    if (memo->has_failed)
        raise_as_is(L, "%s", kept_failure(rs, index));
    reads_merge(rs, rs->reads, &memo->reads);
}

struct given view_rule(lua_State *L, struct ruleset *rs, uint16_t index)
{
    if (is_settled(L, rs, index)) /* who keeps does not ask what it has read */
        return rs->givens[rs->record->kept[rs->rules[index].place].value];
    bring_up(L, rs, index);
    return rs->memos[index].given;
}

void view_push_rule(lua_State *L, struct ruleset *rs, uint16_t index)
{
    if (is_settled(L, rs, index)) {
        kept_push_value(L, rs, rs->record->kept[rs->rules[index].place].value);
        return;
    }
    bring_up(L, rs, index);
    given_push(L, rs->memos[index].given, rs->memo_values, index);
}
