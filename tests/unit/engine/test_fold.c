/* test_fold.c - a record is the same however its events arrived; it moves at the moments that it
 * waits for; a fault in the rules takes one event out, for one subject. */
#include "tests/unit/engine/one_log.h"

#include "lua/state.h"

static const char PACK[] =
    "return pack { name = 'test', events = {\n"
    "  go = { title = 'Go', subject = 'school', data = { n = optional(int), other = "
    "optional(school) } },\n"
    "  wait = { title = 'Wait', subject = 'school', data = { until_ = date } },\n"
    "  bad = { title = 'Bad', subject = 'school', data = { how = optional(text) } },\n"
    "  ['school.succeeded'] = { title = 'S', subject = 'school', data = { predecessor = school } } "
    "},\n"
    "facts = { school = { sum = initially(0, int), log = list(text), until_ = date, moved = bool,\n"
    "  phase = initially('a', { 'a', 'b', 'c' }), break_moves = bool } },\n"
    "on = { school = {\n"
    "  go = function(s, e) s.sum = s.sum + (e.data.n or 0) s.log:add(e.id) end,\n"
    "  wait = function(s, e) s.until_ = e.data.until_ s.log:add(e.id) end,\n"
    "  bad = function(s, e) s.sum = s.sum + 1000\n"
    "    if e.data.how == 'moves' then s.break_moves = true return end\n"
    "    if e.data.how == 'memory' then local t = {} for i = 1, 1e9 do t[i] = { i } end end\n"
    "    error(e.id .. ' is bad') end,\n"
    "  ['school.succeeded'] = function(s, e) s.log:add(e.id) end } },\n"
    "moves = { school = {\n"
    "  phase = first_of {\n"
    "    { 'b', from = { 'a' }, function(s)\n"
    "        if s.break_moves then error('moves are broken') end\n"
    "        return s.until_ and s:reached(midnight(s.until_)) end,\n"
    "      enter = function(s, at) s.log:add('b on ' .. day_of(at)) end },\n"
    "    { 'c', from = { 'b' }, function(s) return s:reached(midnight(s.until_) + days(10)) end,\n"
    "      enter = function(s, at) s.log:add('c on ' .. day_of(at)) end } } } },\n"
    "rules = {\n"
    "  total = rule { 'Sum', source = 's', function(s) return s.sum end },\n"
    "  history = rule { 'Log', source = 's', function(s)\n"
    "    local t = {} for x in each(s.log) do t[#t + 1] = x end return table.concat(t, ', ') end "
    "},\n"
    "  phase = shown { 'Phase', source = 's' },\n"
    "} }";

/* A decision of a school as of a moment. The faults are left in `faults`, one a line. */
static char faults[2000];

static const char *decision(const char *moment, const char *name)
{
    static struct answer a;
    struct world *w = view(&LOG, ALL, false);
    struct fold f = { 0 };

    assert_ok(fold_subject(&f, LOG.rules, w, "school/1", at(moment), &err));
    a = judge(f.record, moment, name);
    faults[0] = '\0';
    for (const struct fault *x = f.faults; x; x = x->next)
        snprintf(faults + strlen(faults), sizeof(faults) - strlen(faults), "%lld %s\n",
                 (long long)x->seq, x->message);
    fold_fini(&f);
    world_close(w);
    return a.value;
}

static void go(const char *id, const char *time, const char *data)
{
    put(&LOG, id, time, "school/1", "go", data);
}

/* ---- moments ---- */

static void a_move_waits_for_its_moment_between_events(void **state)
{
    (void)state;
    put(&LOG, "w", "2025-01-01", "school/1", "wait", "{\"until_\":\"2025-02-01\"}");
    go("x", "2025-02-05", "{}");
    go("y", "2025-03-01", "{}");
    assert_string_equal(decision("2025-01-31T23:59:59.999999Z", "history"), "\"w\"");
    assert_string_equal(decision("2025-02-01", "history"), "\"w, b on 2025-02-01\"");
    assert_string_equal(decision("2025-02-05", "history"), "\"w, b on 2025-02-01, x\"");
    assert_string_equal(decision("2025-03-02", "history"),
                        "\"w, b on 2025-02-01, x, c on 2025-02-11, y\"");
}

/* Two moments that lie between two events come one after the other, each at its own instant. */
static void moments_come_in_their_order(void **state)
{
    (void)state;
    put(&LOG, "w", "2025-01-01", "school/1", "wait", "{\"until_\":\"2025-02-01\"}");
    assert_string_equal(decision("2026-01-01", "history"),
                        "\"w, b on 2025-02-01, c on 2025-02-11\"");
}

/* An awaited moment comes after the events of the same instant. */
static void the_events_of_an_instant_come_before_its_moment(void **state)
{
    (void)state;
    put(&LOG, "w", "2025-01-01", "school/1", "wait", "{\"until_\":\"2025-02-01\"}");
    put(&LOG, "later", "2025-02-01", "school/1", "wait", "{\"until_\":\"2025-03-01\"}");
    assert_string_equal(decision("2025-02-02", "history"), "\"w, later\"");
    assert_string_equal(decision("2025-03-01", "history"), "\"w, later, b on 2025-03-01\"");
}

static void what_a_move_waited_for_may_be_taken_back(void **state)
{
    (void)state;
    put(&LOG, "w", "2025-01-01", "school/1", "wait", "{\"until_\":\"2025-02-01\"}");
    put_void(&LOG, "v", "2025-06-01", "school/1", "w");
    assert_string_equal(decision("2025-07-01", "history"), "\"\"");
    assert_string_equal(decision("2025-07-01", "phase"), "\"a\"");
}

static void an_event_in_the_future_takes_effect_when_its_time_comes(void **state)
{
    (void)state;
    go("x", "2030-01-01", "{\"n\":5}");
    assert_string_equal(decision("2029-12-31", "total"), "0");
    assert_string_equal(decision("2030-01-01", "total"), "5");
}

static void a_fold_goes_on_step_by_step(void **state)
{
    struct world *w;
    struct fold f = { 0 };
    (void)state;

    put(&LOG, "w", "2025-01-01", "school/1", "wait", "{\"until_\":\"2025-02-01\"}");
    go("x", "2025-03-01", "{}");
    w = view(&LOG, ALL, false);
    assert_ok(fold_subject(&f, LOG.rules, w, "school/1", at("2025-01-15"), &err));
    assert_string_equal(time_of(fold_next(&f)), "2025-02-01T00:00:00.000000Z");
    fold_fini(&f);

    const struct item *items;
    size_t count;
    assert_ok(world_fold_items(&items, &count, w, "school/1", at("2026-01-01"), &err));
    assert_ok(fold_init(&f, LOG.rules, "school/1", items, count, &err));
    const char *const NEXT[] = { "2025-01-01T00:00:00.000000Z", "2025-02-01T00:00:00.000000Z",
                                 "2025-02-11T00:00:00.000000Z", "2025-03-01T00:00:00.000000Z",
                                 "never" };
    for (int i = 0; i < 5; i++) {
        assert_string_equal(time_of(fold_next(&f)), NEXT[i]);
        assert_ok(fold_to(&f, fold_next(&f), &err)); /* to the end of time: it stops there too */
    }
    assert_decision(f.record, "2026-01-01", "history",
                    "\"w, b on 2025-02-01, c on 2025-02-11, x\"");
    fold_fini(&f);
    world_close(w);
}

/* ---- faults ---- */

static void a_reducer_that_fails_leaves_out_that_event_only(void **state)
{
    (void)state;
    go("a", "2025-01-01", "{\"n\":1}");
    put(&LOG, "b", "2025-01-02", "school/1", "bad", "{}");
    go("c", "2025-01-03", "{\"n\":2}");
    put(&LOG, "d", "2025-01-04", "school/1", "bad", "{}");
    go("e", "2025-01-05", "{\"n\":4}");
    assert_string_equal(decision("2025-02-01", "total"), "7"); /* nor the half that was done */
    assert_string_equal(faults, "4 national/pack.lua:14: d is bad\n"
                                "2 national/pack.lua:14: b is bad\n");
    assert_string_equal(decision("2025-02-01", "history"), "\"a, c, e\"");
    assert_string_equal(decision("2025-01-03", "total"), "3");
    assert_string_equal(faults, "2 national/pack.lua:14: b is bad\n");
}

static void what_was_awaited_comes_all_the_same_after_a_fault(void **state)
{
    (void)state;
    put(&LOG, "w", "2025-01-01", "school/1", "wait", "{\"until_\":\"2025-02-01\"}");
    put(&LOG, "b", "2025-02-05", "school/1", "bad", "{}");
    assert_string_equal(decision("2025-03-01", "history"),
                        "\"w, b on 2025-02-01, c on 2025-02-11\"");
}

static void a_move_that_fails_is_told_once_and_asked_again(void **state)
{
    (void)state;
    put(&LOG, "b", "2025-01-01", "school/1", "bad", "{\"how\":\"moves\"}");
    go("x", "2025-01-02", "{\"n\":1}");
    go("y", "2025-01-03", "{\"n\":1}");
    assert_string_equal(decision("2025-02-01", "total"), "1002");
    assert_string_equal(faults, "0 national/pack.lua:19: moves are broken\n");
}

/* One school's hunger for memory is that school's fault, and no reason to stop. */
static void a_reducer_that_wants_too_much_memory_is_a_fault(void **state)
{
    (void)state;
    rulebook_of_hub(LOG.rules, NULL)->sandbox.cap =
        rulebook_of_hub(LOG.rules, NULL)->sandbox.used + ((size_t)8 << 20);
    go("a", "2025-01-01", "{\"n\":1}");
    put(&LOG, "b", "2025-01-02", "school/1", "bad", "{\"how\":\"memory\"}");
    go("c", "2025-01-03", "{\"n\":2}");
    assert_string_equal(decision("2025-02-01", "total"), "3");
    assert_non_null(strstr(faults, ": stopped: out of memory: it needs more than "));
}

static void an_event_of_a_type_that_is_gone_is_skipped(void **state)
{
    struct world *w;
    struct fold f = { 0 };
    struct log other;
    (void)state;

    go("a", "2025-01-01", "{\"n\":1}");
    log_begin(&other, "return pack { name = 'other', rules = { r = rule { 'R', source = 's',"
                      " function(s) return 1 end } } }");
    w = view(&LOG, ALL, false);
    assert_ok(fold_subject(&f, other.rules, w, "school/1", at("2025-02-01"), &err));
    assert_int_equal(f.skipped, 1);
    assert_null(f.faults);
    fold_fini(&f);
    world_close(w);
    log_end(&other);
}

/* ---- arrival ---- */

#define EVENTS 50

struct line {
    char id[16], time[32], subject[16], type[24], data[80], target[16];
};

static void random_line(struct line *l, int number)
{
    static const char *const HOW[] = { "", "moves" };
    unsigned kind = pick(20);

    *l = (struct line){ 0 };
    snprintf(l->id, sizeof(l->id), "%c%d", 'a' + (char)pick(26), number);
    snprintf(l->time, sizeof(l->time), "2025-%02u-%02uT%02u:00:00Z", 1 + pick(6), 1 + pick(28),
             pick(3) * 8);
    snprintf(l->subject, sizeof(l->subject), "school/%u", 1 + pick(5));
    snprintf(l->type, sizeof(l->type), "go");
    if (kind < 10)
        snprintf(l->data, sizeof(l->data), "{\"n\":%u,\"other\":\"school/%u\"}", pick(9),
                 1 + pick(5));
    else if (kind < 13)
        snprintf(l->data, sizeof(l->data), "{\"until_\":\"2025-%02u-%02u\"}", 1 + pick(8),
                 1 + pick(28));
    else if (kind < 15)
        snprintf(l->data, sizeof(l->data), "{\"how\":\"%s\"}", HOW[pick(8) == 0]);
    else if (kind < 17)
        snprintf(l->data, sizeof(l->data), "{\"predecessor\":\"school/%u\"}", 1 + pick(5));
    snprintf(l->type, sizeof(l->type), "%s",
             kind < 10   ? "go"
             : kind < 13 ? "wait"
             : kind < 15 ? "bad"
             : kind < 17 ? "school.succeeded"
                         : EVENT_VOIDED);
    if (strcmp(l->data, "{\"how\":\"\"}") == 0)
        snprintf(l->data, sizeof(l->data), "{}");
}

static char *exported(const char *moment)
{
    struct buf out = { 0 };
    struct export_options options = { .at = at(moment) };
    struct world *w = view(&LOG, ALL, true);

    assert_ok(export_world(&out, w, LOG.rules, &options, &err));
    world_close(w);
    return buf_take(&out);
}

static void arrive(const struct line *lines, const int *order)
{
    log_clear(&LOG);
    for (int i = 0; i < EVENTS; i++) {
        const struct line *l = &lines[order[i]];
        if (l->target[0])
            put_void(&LOG, l->id, l->time, l->subject, l->target);
        else
            put(&LOG, l->id, l->time, l->subject, l->type, l->data);
    }
}

static void the_order_of_arrival_makes_no_difference(void **state)
{
    struct line lines[EVENTS];
    int order[EVENTS];
    (void)state;

    begin_chance();
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < EVENTS; i++) {
            order[i] = i;
            random_line(&lines[i], i);
            if (strcmp(lines[i].type, EVENT_VOIDED) != 0)
                continue;
            const struct line *other = &lines[pick((unsigned)i + 1)];
            memmove(lines[i].target, other->id, sizeof(other->id));
            memmove(lines[i].subject, other->subject, sizeof(other->subject));
        }
        char moment[16];
        snprintf(moment, sizeof(moment), "2025-%02u-15", 4 + pick(6));
        arrive(lines, order);
        char *first = exported(moment);
        assert_true(strlen(first) > 200);
        for (int again = 0; again < 3; again++) {
            shuffle(order, EVENTS);
            arrive(lines, order);
            char *next = exported(moment);
            assert_string_equal(next, first);
            free(next);
        }
        free(first);
    }
}

#define FOLD_CASE(fn) LOG_CASE(fn, PACK)
TEST_MAIN(FOLD_CASE(a_move_waits_for_its_moment_between_events),
          FOLD_CASE(moments_come_in_their_order),
          FOLD_CASE(the_events_of_an_instant_come_before_its_moment),
          FOLD_CASE(what_a_move_waited_for_may_be_taken_back),
          FOLD_CASE(an_event_in_the_future_takes_effect_when_its_time_comes),
          FOLD_CASE(a_fold_goes_on_step_by_step),
          FOLD_CASE(a_reducer_that_fails_leaves_out_that_event_only),
          FOLD_CASE(what_was_awaited_comes_all_the_same_after_a_fault),
          FOLD_CASE(a_move_that_fails_is_told_once_and_asked_again),
          FOLD_CASE(a_reducer_that_wants_too_much_memory_is_a_fault),
          FOLD_CASE(an_event_of_a_type_that_is_gone_is_skipped),
          FOLD_CASE(the_order_of_arrival_makes_no_difference))
