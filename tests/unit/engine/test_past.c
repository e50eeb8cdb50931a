/* test_past.c - a fold held beside another one says what it would say by itself, whatever events
 * differ. */
#include "tests/unit/engine/one_log.h"

#include "engine/past.h"
#include "lua/trace.h"

/* Every road on which one event can matter to another: values and containers, a reducer that looks
 * before it writes, moves that latch, gather, go from step to step and wait for moments, since(), a
 * parameter that changes. */
static const char PACK[] =
    "return pack { name = 'test', events = {\n"
    "  set = { title = 'S', subject = 'school', data = { to = int } },\n"
    "  most = { title = 'M', subject = 'school', data = { to = int } },\n"
    "  join = { title = 'J', subject = 'school', data = { who = text } },\n"
    "  leave = { title = 'L', subject = 'school', data = { who = text } },\n"
    "  mark = { title = 'K', subject = 'school', data = { key = text, n = int } },\n"
    "  wait = { title = 'W', subject = 'school', data = { until_ = date } },\n"
    "  bad = { title = 'B', subject = 'school', data = {} } },\n"
    "facts = { school = { value = initially(0, int), most = int, members = set(text), marks = "
    "map(text, int),\n"
    "  until_ = date, step = initially('a', { 'a', 'b', 'c' }), latched = bool, gathered = "
    "set(text),\n"
    "  entered = list(text), bad = bool } },\n"
    "params = { enough = { 2, from = { ['2024-01-15'] = 1 } } },\n"
    "on = { school = {\n"
    "  set = function(s, e) s.value = e.data.to end,\n"
    "  most = function(s, e) if not s.most or s.most < e.data.to then s.most = e.data.to end end,\n"
    "  join = function(s, e) s.members:add(e.data.who) end,\n"
    "  leave = function(s, e) s.members:remove(e.data.who) end,\n"
    "  mark = function(s, e) s.marks[e.data.key] = e.data.n end,\n"
    "  wait = function(s, e) s.until_ = e.data.until_ end,\n"
    "  bad = function(s, e) if s.value == 1 then error('bad') end s.bad = true end } },\n"
    "moves = { school = {\n"
    "  latched = once(function(s) return s.most and s.most > 2 and #s.members >= s.param.enough "
    "end),\n"
    "  gathered = gather(function(s) return s.step ~= 'a' and { s.value == 2 and 'two' or 'other' "
    "} or nil end),\n"
    "  step = first_of {\n"
    "    { 'b', from = { 'a' }, function(s) return s.value ~= 3 and s.until_ and "
    "s:reached(midnight(s.until_)) "
    "end,\n"
    "      enter = function(s, at) s.entered:add(day_of(at)) end },\n"
    "    { 'c', from = { 'b' }, function(s) return s.big and s:reached(s:since('step') + days(9)) "
    "end },\n"
    "    { 'a', from = { 'b', 'c' }, function(s) return s.value == 3 and s.marks['back'] == 1 end "
    "} } } },\n"
    "rules = {\n"
    "  big = rule { 'Big', source = 's', needs = at_least('enough'), function(s) return #s.members "
    "end },\n"
    "  value = shown { 'V', source = 's' },\n"
    "  most = shown { 'M', source = 's' },\n"
    "  step = shown { 'S', source = 's' },\n"
    "  moved = rule { 'M', source = 's', function(s) return s:since('step') and "
    "day_of(s:since('step')) end },\n"
    "  both = all_of { 'B', source = 's', 'big', 'marked' },\n"
    "  marked = rule { 'K', source = 's', function(s) return s.marks['a'] == 2 or s.latched == "
    "true end },\n"
    "  all = rule { 'A', source = 's', function(s)\n"
    "    local t = {} for x in each(s.gathered) do t[#t + 1] = x end\n"
    "    for x in each(s.entered) do t[#t + 1] = x end\n"
    "    for k, n in each(s.marks) do t[#t + 1] = k .. n end return table.concat(t, ' ') end },\n"
    "} }";

static const char *const RULES[] = { "all",  "big",   "both", "marked",
                                     "most", "moved", "step", "value" };
#define RULE_COUNT (sizeof(RULES) / sizeof(RULES[0]))
#define EVENTS     16
#define END        "2024-03-01"

/* ---- a log by chance ---- */

static void put_any(int number, bool may_fail)
{
    static const char *const TYPES[] = { "set",  "most", "join", "join",         "leave",
                                         "mark", "wait", "wait", "event.voided", "bad" };
    const char *type = TYPES[pick(may_fail ? 10 : 9)];
    char id[16], time[32], data[80];

    snprintf(id, sizeof(id), "e%d", number);
    snprintf(time, sizeof(time), "2024-%02u-%02u", 1 + pick(2), 1 + pick(6) * 4);
    if (strcmp(type, "set") == 0 || strcmp(type, "most") == 0)
        snprintf(data, sizeof(data), "{\"to\":%u}", pick(4));
    else if (strcmp(type, "join") == 0 || strcmp(type, "leave") == 0)
        snprintf(data, sizeof(data), "{\"who\":\"t%u\"}", pick(3));
    else if (strcmp(type, "mark") == 0)
        snprintf(data, sizeof(data), "{\"key\":\"%s\",\"n\":%u}", pick(3) ? "a" : "back", pick(3));
    else if (strcmp(type, "wait") == 0)
        snprintf(data, sizeof(data), "{\"until_\":\"2024-%02u-%02u\"}", 1 + pick(2), 1 + pick(28));
    else if (strcmp(type, "event.voided") == 0)
        snprintf(data, sizeof(data), "{\"source\":\"s\",\"id\":\"e%u\"}", pick(EVENTS));
    else
        snprintf(data, sizeof(data), "{}");
    put(&LOG, id, time, "school/1", type, data);
}

/* ---- two ways to the same ---- */

static void take_value(const struct judged *j, void *arg)
{
    buf_printf(arg, "%s%s", j->is_error ? "!" : "", j->value);
}

static void say(struct buf *out, struct record *r, const char *rule)
{
    buf_reset(out);
    assert_ok(record_judge_rule(r, rule, at(END), take_value, out, &err));
}

struct tally {
    long tried, same, steps, whole;
};

static void compare(const struct past *p, const char *rule, const char *said,
                    const struct item *items, size_t count, struct tally *tally)
{
    struct fold beside, whole = { 0 };
    struct buf a = { 0 }, b = { 0 };
    bool is_same;
    size_t steps = 0;

    assert_ok(past_other(&beside, &is_same, &steps, p, items, count, &err));
    assert_ok(fold_init(&whole, LOG.rules, "school/1", items, count, &err));
    assert_ok(fold_to(&whole, at(END), &err));
    say(&b, whole.record, rule);
    if (is_same) {
        assert_string_equal(said, buf_cstr(&b));
    } else {
        char facts[4096];
        snprintf(facts, sizeof(facts), "%s", facts_of(beside.record));
        assert_string_equal(facts, facts_of(whole.record));
        say(&a, beside.record, rule);
        assert_string_equal(buf_cstr(&a), buf_cstr(&b));
        assert_int_equal(fold_next(&beside), fold_next(&whole));
    }
    tally->tried++;
    tally->same += is_same;
    tally->steps += (long)steps;
    tally->whole += (long)count;
    buf_fini(&a);
    buf_fini(&b);
    fold_fini(&beside);
    fold_fini(&whole);
}

/* Of all events of the school, some; they are in event order. */
static size_t some_of(struct item *out, const struct item *items, size_t count, unsigned without)
{
    size_t some = 0;

    for (size_t i = 0; i < count; i++)
        if (without == 0 || pick(without) != 0)
            out[some++] = items[i];
    return some;
}

/* The past is that of some events, and it is asked what would be with some others. */
static void hold_beside(const struct item *all, size_t count, struct tally *tally)
{
    const char *rule = RULES[pick(RULE_COUNT)];
    struct item own[EVENTS], other[EVENTS];
    struct fold f = { 0 };
    struct past p = { 0 };
    struct trace *trace = NULL;
    struct reasons reasons = { 0 };
    struct buf said = { 0 };

    size_t own_count = some_of(own, all, count, pick(2) * 4);
    assert_ok(trace_new(&trace, &err));
    assert_ok(fold_init(&f, LOG.rules, "school/1", own, own_count, &err));
    assert_ok(fold_follow(&f, trace, &err));
    assert_ok(past_fold(&p, &f, at(END), &err));
    assert_ok(trace_explain(&reasons, trace, rule, at(END), &err));
    p.asked = reasons.looked_at;
    say(&said, f.record, rule);
    for (int i = 0; i < 12; i++)
        compare(&p, rule, buf_cstr(&said), other, some_of(other, all, count, 1 + pick(8)), tally);
    for (size_t i = 0; i < own_count; i++) { /* without each */
        memcpy(other, own, sizeof(other));
        memmove(&other[i], &other[i + 1], (own_count - i - 1) * sizeof(*other));
        compare(&p, rule, buf_cstr(&said), other, own_count - 1, tally);
    }
    buf_fini(&said);
    reasons_fini(&reasons);
    past_fini(&p);
    fold_fini(&f);
    trace_free(trace);
}

static struct tally try_logs(int logs, bool may_fail)
{
    struct tally tally = { 0 };

    begin_chance();
    for (int i = 0; i < logs; i++) {
        const struct item *items = NULL;
        size_t count = 0;
        log_clear(&LOG);
        for (int n = 0; n < EVENTS; n++)
            put_any(n, may_fail);
        struct world *w = view(&LOG, ALL, false);
        assert_ok(world_fold_items(&items, &count, w, "school/1", at(END), &err));
        for (int k = 0; k < 4; k++)
            hold_beside(items, count, &tally);
        world_close(w);
    }
    print_message(
        "%ld folds beside another, %ld end as it does; %ld instants in place of %ld events\n",
        tally.tried, tally.same, tally.steps, tally.whole);
    return tally;
}

static void a_fold_beside_another_is_what_it_is_by_itself(void **state)
{
    (void)state;
    struct tally tally = try_logs(60, false);
    assert_true(tally.same > tally.tried / 20);
    assert_true(tally.steps < tally.whole);
}

static void so_it_is_where_reducers_fail(void **state)
{
    (void)state;
    try_logs(40, true);
}

/* A move that was asked something else may have moved between two events of one instant. */
static void a_fact_that_is_again_what_it_was_has_been_another_one(void **state)
{
    static const char *const WAITS[] = { "2024-01-13", "2024-02-01", "2024-02-01" };
    static const char *const UNTIL[] = { "2024-02-17", "2024-01-24", "2024-02-17" };
    struct tally tally = { 0 };
    const struct item *items = NULL;
    size_t count = 0;

    (void)state;
    log_clear(&LOG);
    put(&LOG, "e0", "2024-01-09", "school/1", "set", "{\"to\":3}"); /* with it nothing moves */
    for (int i = 0; i < 3; i++) {
        char id[16], data[40];
        snprintf(id, sizeof(id), "e%d", i + 1);
        snprintf(data, sizeof(data), "{\"until_\":\"%s\"}", UNTIL[i]);
        put(&LOG, id, WAITS[i], "school/1", "wait", data);
    }
    struct world *w = view(&LOG, ALL, false);
    assert_ok(world_fold_items(&items, &count, w, "school/1", at(END), &err));
    begin_chance();
    for (int i = 0; i < 40; i++)
        hold_beside(items, count, &tally);
    world_close(w);
}

#define PAST_CASE(fn) LOG_CASE(fn, PACK)

TEST_MAIN(PAST_CASE(a_fold_beside_another_is_what_it_is_by_itself),
          PAST_CASE(so_it_is_where_reducers_fail),
          PAST_CASE(a_fact_that_is_again_what_it_was_has_been_another_one))
