/* test_kept.c - a record that is kept between events is judged again only where something has
 * changed, and says the same as one that is judged in full. */
#include "tests/unit/lua/support.h"

#include <time.h>

#define RULES 24
#define FACTS 6

static uint64_t seed;

static unsigned pick(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

/* A criterion is a rule, which fails where it gives a number, or the yes or no beside it. */
static int rule_or_answer(void)
{
    return pick(4) == 0 ? 'r' : 'b';
}

/* A rule that reads facts, rules with a lower number, time and parameters, and sometimes fails. */
static void write_rule(char *out, size_t size, int i)
{
    char body[300];
    unsigned f = pick(FACTS), g = pick(FACTS), r = i > 0 ? pick((unsigned)i) : 0;

    switch (i == 0 ? pick(4) : pick(13)) {
    case 0:
        snprintf(body, sizeof(body), "return s.f%u + s.f%u", f, g);
        break;
    case 1:
        snprintf(body, sizeof(body), "return s.f%u / 2", f);
        break;
    case 2:
        snprintf(body, sizeof(body), "return s:reached(year_start('2025/26') + days(s.f%u * 7))",
                 f);
        break;
    case 3:
        snprintf(body, sizeof(body), "return #s.names > s.param.p");
        break;
    case 4:
        snprintf(body, sizeof(body), "if s.f%u %% 2 == 0 then return s.r%u end return s.f%u", f, r,
                 g);
        break;
    case 5:
        snprintf(body, sizeof(body), "if s.f%u == 3 then error('three') end return s.r%u", f, r);
        break;
    case 6:
        snprintf(body, sizeof(body), "return tostring(s.r%u)", r);
        break;
    case 7:
        snprintf(body, sizeof(body), "return s.names:has('n%u') and s.r%u or nil", f, r);
        break;
    case 8:
        snprintf(body, sizeof(body),
                 "if not s:reached(year_start('2025/26') + days(s.f%u)) then error('early') end "
                 "return s.param.p",
                 f);
        break;
    case 9:
        snprintf(out, size, "r%d = all_of { 'R', '%c%u', 'b%u', source = 's', waivable = true },\n",
                 i, rule_or_answer(), r, pick((unsigned)i));
        return;
    case 10:
        snprintf(out, size, "r%d = any_of { 'R', '%c%u', 'b%u', source = 's' },\n", i,
                 rule_or_answer(), r, pick((unsigned)i));
        return;
    case 11:
        snprintf(out, size, "r%d = unless { 'R', '%c%u', source = 's', waivable = true },\n", i,
                 rule_or_answer(), r);
        return;
    default:
        snprintf(out, size,
                 "r%d = rule { 'R', source = 's', needs = at_least('p'), waivable = true, "
                 "function(s) return s.f%u end },\n",
                 i, f);
        return;
    }
    snprintf(out, size, "r%d = rule { 'R', source = 's', function(s) %s end },\n", i, body);
}

static struct ruleset *random_pack(void)
{
    static char text[16000];
    size_t len = (size_t)snprintf(
        text, sizeof(text),
        "return pack { name = 'test', params = { p = { 1, from = { ['2025-09-20'] = 2 } } },\n"
        "events = { set = { title = 'Set', subject = 'school', data = { i = int, n = int } },\n"
        "  name = { title = 'Name', subject = 'school', data = { who = text, off = bool } },\n"
        "  grant = { title = 'G', subject = 'school', data = { rule = text, last = date } } },\n"
        "facts = { school = { names = set(text), f0 = initially(0, int), f1 = initially(1, int),\n"
        "  f2 = initially(2, int), f3 = initially(3, int), f4 = initially(4, int), f5 = "
        "initially(5, int) } },\n"
        "on = { school = { set = function(s, e) s['f' .. e.data.i] = e.data.n end,\n"
        "  name = function(s, e) if e.data.off then s.names:remove(e.data.who) else "
        "s.names:add(e.data.who) end end,\n"
        "  grant = function(s, e) s:waive { rule = e.data.rule, last_day = e.data.last } end } },\n"
        "rules = {\n");
    for (int i = 0; i < RULES; i++) {
        write_rule(text + len, sizeof(text) - len, i);
        len += strlen(text + len);
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len,
                             "b%d = criterion { 'B', function(s) local v = s.r%d return v ~= nil "
                             "and v ~= false end },\n",
                             i, i);
    }
    snprintf(text + len, sizeof(text) - len, "} }\n");
    return load_pack(text);
}

static void random_event(struct record *r, const char *time)
{
    char data[100], day[DAY_TEXT];

    switch (pick(5)) {
    case 0:
        snprintf(data, sizeof(data), "{\"who\":\"n%u\",\"off\":%s}", pick(FACTS),
                 pick(2) ? "true" : "false");
        take_event(r, "name", time, data);
        break;
    case 1:
        snprintf(data, sizeof(data), "{\"rule\":\"r%u\",\"last\":\"%s\"}", pick(RULES),
                 day_text(day_from_ymd(2025, 9, 1) + (int32_t)pick(60), day));
        take_event(r, "grant", time, data);
        break;
    default:
        snprintf(data, sizeof(data), "{\"i\":%u,\"n\":%u}", pick(FACTS), pick(6));
        take_event(r, "set", time, data);
        break;
    }
}

struct values {
    char text[RULES][400];
    int64_t wake;
    int told;
};

static void take_value(const struct judged *j, void *arg)
{
    struct values *v = arg;
    snprintf(v->text[atoi(j->name + 1)], sizeof(v->text[0]), "%s%s", j->is_error ? "error " : "",
             j->value);
    if (j->wake < v->wake)
        v->wake = j->wake;
    v->told++;
}

/* What is stored of the record's decisions is what judging in full says, in the order of their
 * names. */
static void assert_rows_say(struct ruleset *rs, const struct record *r, char text[RULES][400])
{
    struct buf row = { 0 }, expected = { 0 };
    int count;
    const char *const *names = ruleset_decisions(rs, SUBJECT_SCHOOL, &count);

    record_write_decisions(&row, r);
    for (int i = 0; i < count; i++) {
        const char *value = text[atoi(names[i] + 1)];
        bool is_error = strncmp(value, "error ", 6) == 0;
        buf_printf(&expected, "%s%s%s%s", i ? ",\n" : "[", is_error ? "{\"error\":" : "",
                   is_error ? value + 6 : value, is_error ? "}" : "");
    }
    buf_char(&expected, ']');
    assert_string_equal(buf_cstr(&row), buf_cstr(&expected));
    buf_fini(&row);
    buf_fini(&expected);
}

static void follow(struct ruleset *rs)
{
    struct record *r = new_record(rs, SCHOOL);
    struct values kept = { 0 };
    int64_t now = at("2025-09-01"), wake = TIME_NEVER;
    char time[TIME_TEXT];

    for (int step = 0; step < 60; step++) {
        struct values full = { .wake = TIME_NEVER };
        if (wake != TIME_NEVER && pick(3) == 0)
            now = wake; /* nothing happens but that the moment comes */
        else
            now += (int64_t)pick(3) * US_PER_DAY / 2;
        if (now != wake)
            random_event(r, time_text(now, time));
        assert_ok(record_rejudge(&wake, r, now, take_value, &kept, &err));
        assert_ok(record_judge(r, now, take_value, &full, &err));
        for (int i = 0; i < RULES; i++)
            if (strcmp(kept.text[i], full.text[i]) != 0)
                fail_msg("step %d, r%d: kept %s, in full %s", step, i, kept.text[i], full.text[i]);
        assert_string_equal(time_of(wake), time_of(full.wake));
        assert_rows_say(rs, r, full.text);
    }
    record_free(r);
}

static void judging_again_says_what_judging_in_full_says(void **state)
{
    (void)state;

    seed = given_seed();
    for (int i = 0; i < 20; i++) {
        struct ruleset *rs = random_pack();
        follow(rs);
        ruleset_free(rs);
    }
}

#define PACK                                                                                       \
    "return pack { name = 'test', events = {\n"                                                    \
    "  a = { title = 'A', subject = 'school', data = { n = int } },\n"                             \
    "  b = { title = 'B', subject = 'school', data = { n = int } } },\n"                           \
    "facts = { school = { a = initially(0, int), b = initially(0, int) } },\n"                     \
    "on = { school = { a = function(s, e) s.a = e.data.n end, b = function(s, e) s.b = e.data.n "  \
    "end } },\n"                                                                                   \
    "rules = {\n"                                                                                  \
    "  of_a = rule { 'A', source = 's', function(s) return s.a end },\n"                           \
    "  of_b = rule { 'B', source = 's', function(s) return s.b end },\n"                           \
    "  big_a = rule { 'Big A', source = 's', function(s) return s.of_a > 5 end },\n"               \
    "  both = all_of { 'Both', 'big_a', 'has_b', source = 's' },\n"                                \
    "  has_b = criterion { 'Has B', function(s) return s.of_b ~= nil end },\n"                     \
    "} }"

static void count_told(const struct judged *j, void *arg)
{
    char *told = arg;
    strcat(strcat(told, j->name), j->old_value ? "* " : " ");
}

/* Runs of rules, and what was told, for one event. */
static void assert_runs(struct record *r, struct ruleset *rs, const char *event, const char *data,
                        uint64_t runs, const char *told)
{
    char found[200] = "";
    uint64_t before = ruleset_runs(rs);
    int64_t wake;

    if (event)
        take_event(r, event, "2025-01-01", data);
    assert_ok(record_rejudge(&wake, r, at("2025-01-01"), count_told, found, &err));
    assert_int_equal(ruleset_runs(rs) - before, runs);
    assert_string_equal(found, told);
}

static void only_rules_that_read_what_changed_are_run_again(void **state)
{
    struct ruleset *rs = load_pack(PACK);
    struct record *r = new_record(rs, SCHOOL);
    (void)state;

    assert_runs(r, rs, NULL, NULL, 5, "big_a both of_a of_b ");
    assert_runs(r, rs, NULL, NULL, 0, "");
    assert_runs(r, rs, "a", "{\"n\":3}", 2, "of_a* "); /* big_a stays: there the wave stops */
    assert_runs(r, rs, "a", "{\"n\":3}", 0, "");       /* the same value again touches nothing */
    assert_runs(r, rs, "b", "{\"n\":1}", 2, "of_b* ");
    assert_runs(r, rs, "a", "{\"n\":7}", 3, "big_a* both* of_a* ");
    record_free(r);
    ruleset_free(rs);
}

static void decisions_are_listed_in_the_order_in_which_they_are_written(void **state)
{
    struct ruleset *rs = load_pack(PACK);
    struct record *r = new_record(rs, SCHOOL);
    struct buf row = { 0 };
    (void)state;

    assert_string_equal(ruleset_decision_list(rs, SUBJECT_SCHOOL),
                        "[\"big_a\",\n\"both\",\n\"of_a\",\n\"of_b\"]");
    assert_ptr_equal(ruleset_decision_list(rs, SUBJECT_SCHOOL),
                     ruleset_decision_list(rs, SUBJECT_SCHOOL)); /* made once */
    assert_string_equal(ruleset_decision_list(rs, SUBJECT_HUB), "[]");
    assert_runs(r, rs, "a", "{\"n\":7}", 5, "big_a both of_a of_b ");
    record_write_decisions(&row, r);
    assert_string_equal(buf_cstr(&row), "[true,\ntrue,\n7,\n0]");
    buf_fini(&row);
    record_free(r);
    ruleset_free(rs);
}

/* 3.0 and 3 are the same JSON, and so must be the same to other rules. */
static void a_value_is_the_same_whether_it_was_kept_or_given(void **state)
{
    struct ruleset *rs =
        load_pack("return pack { name = 'test', rules = {\n"
                  "  a = rule { 'A', source = 's', function(s) return 6 / 2 end },\n"
                  "  b = rule { 'B', source = 's', function(s) return 'got ' .. s.a end },\n"
                  "  c = rule { 'C', source = 's', function(s) return 0 / 0 end },\n"
                  "  d = rule { 'D', source = 's', function(s) return s.c == nil end },\n"
                  "  e = rule { 'E', source = 's', function(s) return '\\xff' end },\n"
                  "  f = rule { 'F', source = 's', function(s) return 2^53 end },\n"
                  "  g = rule { 'G', source = 's', function(s) return 1e300 end },\n"
                  "  h = rule { 'H', source = 's', function(s) return -1 / 0 end },\n"
                  "  i = criterion { 'I', function(s) return 1 / 0 end },\n"
                  "  j = any_of { 'J', 'i', source = 's' },\n"
                  "} }");
    struct record *r = new_record(rs, SCHOOL);
    (void)state;

    assert_decision(r, "2025-01-01", "a", "3");
    assert_decision(r, "2025-01-01", "b", "\"got 3\"");
    assert_decision(
        r, "2025-01-01", "c",
        "error \"national/pack.lua:4: rule c gave no number (0 divided by 0); expected a "
        "number, or nothing\"");
    assert_true(judge(r, "2025-01-01", "d").is_error);
    assert_decision(r, "2025-01-01", "e",
                    "error \"national/pack.lua:6: rule e gave a text that is not UTF-8\"");
    assert_decision(r, "2025-01-01", "f", "9007199254740992");
    assert_decision(r, "2025-01-01", "g", "1e+300");
    assert_decision(
        r, "2025-01-01", "h",
        "error \"national/pack.lua:9: rule h gave minus infinity (divided by 0?); expected "
        "a number, or nothing\"");
    assert_decision(
        r, "2025-01-01", "j",
        "error \"national/pack.lua:10: rule i gave infinity (divided by 0?); expected a "
        "number, or nothing\"");
    record_free(r);
    ruleset_free(rs);
}

/* Both ways of judging meet a circle of rules at different places, and must say the same. */
static void a_circle_of_rules_is_told_alike(void **state)
{
    struct ruleset *rs =
        load_pack("return pack { name = 'test', rules = {\n"
                  "  r0 = rule { 'R', source = 's', function(s) return s.r1 end },\n"
                  "  r1 = rule { 'R', source = 's', function(s) return s['r' .. 2] end },\n"
                  "  r2 = rule { 'R', source = 's', function(s) return s.r1 end } } }");
    struct record *r = new_record(rs, SCHOOL);
    struct values kept = { 0 }, full = { 0 };
    int64_t wake;
    (void)state;

    assert_ok(record_rejudge(&wake, r, at("2025-01-01"), take_value, &kept, &err));
    assert_ok(record_judge(r, at("2025-01-01"), take_value, &full, &err));
    for (int i = 0; i < 3; i++) {
        assert_string_equal(kept.text[i], full.text[i]);
        assert_string_equal(full.text[i],
                            "error \"national/pack.lua:3: rule r1 reads itself: r1 -> r2 -> r1\"");
    }
    record_free(r);
    ruleset_free(rs);
}

TEST_MAIN(CASE(judging_again_says_what_judging_in_full_says),
          CASE(only_rules_that_read_what_changed_are_run_again),
          CASE(decisions_are_listed_in_the_order_in_which_they_are_written),
          CASE(a_value_is_the_same_whether_it_was_kept_or_given),
          CASE(a_circle_of_rules_is_told_alike))
