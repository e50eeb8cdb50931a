/* test_facts.c - facts hold what their types say, are written by reducers only, and read as
 * JSON. */
#include "tests/unit/lua/support.h"

#include "lua/loader.h"

/* A pack of these facts whose one reducer does `code` with s and e. */
static struct ruleset *pack_of(const char *facts, const char *code)
{
    char text[4096];
    snprintf(text, sizeof(text),
             "return pack { name = 'test',\n"
             "events = { go = { title = 'Go', subject = 'school', data = {\n"
             "  n = optional(int(0, 9)), who = optional(person), word = optional(text),\n"
             "  secret = optional(note), at = optional(time), many = optional(set(text)),\n"
             "  inner = optional(row { a = text, b = optional(text) }),\n"
             "  by_school = optional(map(school, list(person))) } } },\n"
             "facts = { school = { %s } },\n"
             "on = { school = { go = function(s, e)\n"
             "%s\n" /* line 9 */
             "end } },\n"
             "rules = { anything = rule { 'Anything', source = 'here', function(s) return true end "
             "} },\n"
             "}\n",
             facts, code);
    return load_pack(text);
}

/* The facts after one event with this data, or the message of the reducer. */
static const char *after(const char *facts, const char *code, const char *data)
{
    static char result[4096];
    struct ruleset *rs = pack_of(facts, code);
    struct record *r = new_record(rs, SCHOOL);
    const char *message = try_event(r, SCHOOL, "go", "2025-10-01T12:00:00Z", data);

    snprintf(result, sizeof(result), "%s", message[0] ? message : facts_of(r));
    record_free(r);
    ruleset_free(rs);
    return result;
}

struct claim {
    const char *facts;
    const char *code;
    const char *expected;
};

static void check_claims(const struct claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *found = after(claims[i].facts, claims[i].code, "{}");
        if (strcmp(found, claims[i].expected) != 0)
            fail_msg("%s; %s\n  found    %s\n  expected %s", claims[i].facts, claims[i].code, found,
                     claims[i].expected);
    }
}
#define CHECK_CLAIMS(claims) check_claims(claims, sizeof(claims) / sizeof((claims)[0]))

static void each_type_takes_what_it_holds(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = text", "s.x = 'word'", "{\"x\":\"word\"}" },
        { "x = bool", "s.x = true", "{\"x\":true}" },
        { "x = bool", "", "{\"x\":false}" },
        { "x = int", "s.x = -7", "{\"x\":-7}" },
        { "x = int(1, 6)", "s.x = 6", "{\"x\":6}" },
        { "x = number", "s.x = 2.5", "{\"x\":2.5}" },
        { "x = number", "s.x = 2", "{\"x\":2}" },
        { "x = time", "s.x = e.time", "{\"x\":\"2025-10-01T12:00:00.000000Z\"}" },
        { "x = date", "s.x = day_of(e.time)", "{\"x\":\"2025-10-01\"}" },
        { "x = year", "s.x = year_of(e.time)", "{\"x\":\"2025/26\"}" },
        { "x = enum { 'a', 'b' }", "s.x = 'b'", "{\"x\":\"b\"}" },
        { "x = { 'a', 'b' }", "s.x = 'a'", "{\"x\":\"a\"}" },
        { "x = person", "s.x = 'p-1'", "{\"x\":\"p-1\"}" },
        { "x = school", "s.x = 'school/100002'", "{\"x\":\"school/100002\"}" },
        { "x = group", "s.x = 'group/g1'", "{\"x\":\"group/g1\"}" },
        { "x = hub", "s.x = '07'", "{\"x\":\"07\"}" },
        { "x = initially('a', { 'a', 'b' })", "", "{\"x\":\"a\"}" },
        { "x = initially('a', { 'a', 'b' })", "s.x = 'b' s.x = nil", "{\"x\":\"a\"}" },
        { "x = text", "s.x = 'word' s.x = nil", "{}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

#define AT "national/pack.lua:9: "

static void each_type_refuses_what_it_does_not_hold(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = text", "s.x = 5", AT "x: found a number, expected text" },
        { "x = text", "s.x = ''", AT "x: found \"\", expected text of at least one byte" },
        { "x = text", "s.x = 'a\\nb'",
          AT "x: found \"a\\nb\", expected text without control characters and line breaks" },
        { "x = bool", "s.x = 'yes'", AT "x: found a text, expected true or false" },
        { "x = int(1, 6)", "s.x = 7", AT "x: found 7, expected a whole number from 1 to 6" },
        { "x = int(1, 6)", "s.x = 2.5", AT "x: found 2.5, expected a whole number from 1 to 6" },
        { "x = int(1, 6)", "s.x = '3'", AT "x: found a text, expected a whole number from 1 to 6" },
        { "x = number", "s.x = 0/0", AT "x: found no number (0 divided by 0), expected a number" },
        { "x = number", "s.x = 1/0", AT "x: found infinity (divided by 0?), expected a number" },
        { "x = int", "s.x = 6/2",
          AT "x: found 3.0, expected a whole number from -1000000000000 to 1000000000000; "
             "math.floor(...) makes a whole number of it" },
        { "x = number", "s.x = math.huge",
          AT "x: found infinity (divided by 0?), expected a number" },
        { "x = time", "s.x = '2025-10-01'",
          AT "x: found a text, expected an instant such as e.time or midnight(...)" },
        { "x = time", "s.x = math.maxinteger",
          AT "x: found 9223372036854775807, expected an instant such as e.time or midnight(...)" },
        { "x = date", "s.x = '2025-02-30'",
          AT "x: found \"2025-02-30\", expected a date such as 2026-11-21: that month has no such "
             "day" },
        { "x = year", "s.x = '2025/27'",
          AT "x: found \"2025/27\", expected an academic year such as 2024/25: the second is not "
             "the year after the first" },
        { "x = enum { 'open', 'closed' }", "s.x = ('opne'):lower()",
          AT "x: found \"opne\", expected one of open, closed; did you mean \"open\"?" },
        { "x = person", "s.x = 'Ann Lee'",
          AT "x: found \"Ann Lee\", expected a person's key (1 to 64 of a-z 0-9 . _ -): keep names "
             "and addresses out of the log: choose a key and store the name with `pathway person "
             "set KEY`" },
        { "x = school", "s.x = '100002'",
          AT "x: found \"100002\", expected a school such as school/100001; did you mean "
             "\"school/100002\"?" },
        { "x = hub", "s.x = 'a b'",
          AT "x: found \"a b\", expected a hub's code such as 07 (1 to 64 of A-Z a-z 0-9 . _ -)" },
        { "x = set(person)", "s.x:add(5)", AT "add: found a number, expected a person's key" },
        { "x = map(year, int)", "s.x['25'] = 1",
          AT "key: found \"25\", expected an academic year such as 2024/25: it has four digits, a "
             "slash and two digits" },
        { "x = map(year, int)", "s.x['2024/25'] = 'a'",
          AT "2024/25: found a text, expected a whole number from -1000000000000 to "
             "1000000000000" },
        { "x = list(row { a = text })", "s.x:add { b = 'x' }", AT "unknown field 'b'" },
        { "x = list(row { name = text })", "s.x:add { nmae = 'x' }",
          AT "unknown field 'nmae'; did you mean \"name\"?" },
        { "x = list(row { a = text, b = text })", "s.x:add { a = 'x' }",
          AT "add: field b is missing" },
        { "x = list(row { a = text })", "s.x:add { a = 5 }",
          AT "a: found a number, expected text" },
        { "x = list(row { a = text })", "s.x:add 'x'",
          AT "add: found a text, expected a table of fields" },
        { "x = row { a = text }", "s.x.b = 'x'", AT "unknown field 'b'" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void containers_are_changed_by_their_methods(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = set(text)", "s.x:add('b') s.x:add('a') s.x:add('b')", "{\"x\":[\"a\",\"b\"]}" },
        { "x = set(int)", "for i = 10, 1, -1 do s.x:add(i) end", "{\"x\":[1,2,3,4,5,6,7,8,9,10]}" },
        { "x = set(text), n = int", "s.x:add('a') s.x:remove('a') s.x:remove('z') s.n = #s.x",
          "{\"n\":0}" },
        { "x = set(text), b = bool", "s.x:add('a') s.b = s.x:has('a') and not s.x:has('c')",
          "{\"b\":true,\"x\":[\"a\"]}" },
        { "x = list(text)", "s.x:add('b') s.x:add('a') s.x:add('b')",
          "{\"x\":[\"b\",\"a\",\"b\"]}" },
        { "x = list(int)",
          "for i = 1, 6 do s.x:add(i) end s.x:remove_if(function(v) return v % 2 == 0 end)",
          "{\"x\":[1,3,5]}" },
        { "x = list(int)", "s.x:add(1) s.x:clear() s.x:add(2)", "{\"x\":[2]}" },
        { "x = list(int)", "s.x:add(1) clear(s.x)", "{}" },
        { "x = list(int)", "s.x:add(1) for v in each(s.x) do s.x:add(v + 1) end", "{\"x\":[1,2]}" },
        { "x = list(int), n = int", "s.x:add(5) s.n = s.x[1]", "{\"n\":5,\"x\":[5]}" },
        { "x = map(text, int)", "s.x.b = 2 s.x.a = 1 s.x.b = 3 s.x.c = 4 s.x.c = nil",
          "{\"x\":{\"a\":1,\"b\":3}}" },
        { "x = map(text, int), n = int", "s.x.a = 1 s.x.b = 1 s.x.a = nil s.n = #s.x",
          "{\"n\":1,\"x\":{\"b\":1}}" },
        { "x = map(year, set(int(1, 6)))", "s.x['2025/26']:add(3) s.x['2024/25']:add(1)",
          "{\"x\":{\"2024/25\":[1],\"2025/26\":[3]}}" },
        { "x = map(int, map(int, text))", "s.x[10][2] = 'b' s.x[9][1] = 'a'",
          "{\"x\":{\"9\":{\"1\":\"a\"},\"10\":{\"2\":\"b\"}}}" },
        { "x = map(text, row { a = int, b = optional(int) }), n = int",
          "s.x.k = { a = 1 } s.x.k.b = 2 s.n = s.x.k.a + s.x.k.b",
          "{\"n\":3,\"x\":{\"k\":{\"a\":1,\"b\":2}}}" },
        { "x = map(text, row { a = int }), b = bool", "s.b = s.x.k == nil", "{\"b\":true}" },
        { "x = row { a = text, b = optional(int) }", "s.x.a = 'w'", "{\"x\":{\"a\":\"w\"}}" },
        { "x = list(row { a = text, in_it = row { b = int } })",
          "s.x:add { a = 'w', in_it = { b = 1 } }", "{\"x\":[{\"a\":\"w\",\"in_it\":{\"b\":1}}]}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void a_container_used_wrongly_says_how_it_is_used(void **state)
{
    static const struct claim CLAIMS[] = {
        { "leads = set(person)", "s.leads.add('p')",
          AT "found a text, expected a fact that is a set, list or map; methods are called with "
             "a colon: s.leads:add(...)" },
        { "leads = set(person)", "s.leads:ad('p')", AT "a set has no 'ad'; did you mean \"add\"?" },
        { "leads = set(person)", "s.leads['p'] = true",
          AT "a set is changed by its methods, such as add" },
        { "x = list(text)", "s.x:remove('a')",
          AT "a list has no 'remove'; did you mean \"remove_if\"?" },
        { "x = list(text)", "s.x:remove_if('a')",
          AT "remove_if: argument 1: found a text, expected a function" },
        { "x = row { a = text }", "for k in each(s.x) do end",
          AT "each: found a row, expected a set, list or map" },
        { "x = text", "for k in each({ 1 }) do end",
          AT "each: found a table, expected a fact that is a set, list or map; use ipairs or "
             "pairs" },
        { "x = set(text)", "s.x:has(nil)", AT "has: found nothing, expected text" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

/* Each is walked in the order of keys, whatever was added first; what is taken out meanwhile is
 * skipped. */
static void each_walks_in_the_order_of_keys(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = set(text), t = text",
          "for w in ipairs({}) do end s.x:add('c') s.x:add('a') s.x:add('b')"
          " local t = '' for v in each(s.x) do t = t .. v end s.t = t",
          "{\"t\":\"abc\",\"x\":[\"a\",\"b\",\"c\"]}" },
        { "x = map(text, int), t = text",
          "s.x.c = 3 s.x.a = 1 s.x.b = 2 local t = ''"
          " for k, v in each(s.x) do t = t .. k .. v s.x.b = nil end s.t = t",
          "{\"t\":\"a1c3\",\"x\":{\"a\":1,\"c\":3}}" },
        { "x = map(text, int), t = text",
          "for i = 1, 40 do s.x['k' .. i] = i end local t = ''"
          " for k in each(s.x) do t = t .. k .. ' ' end s.t = t:sub(1, 15) clear(s.x)",
          "{\"t\":\"k1 k10 k11 k12 \"}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void unknown_names_are_errors_with_the_nearest(void **state)
{
    static const struct claim CLAIMS[] = {
        { "leads = set(person)", "local name = ('laeds'):lower() local x = s[name]",
          AT "unknown fact or rule 'laeds'; did you mean \"leads\"?" },
        { "leads = set(person)", "local name = ('laeds'):lower() s[name] = 1",
          AT "unknown fact 'laeds'; did you mean \"leads\"?" },
        { "x = text", "local name = ('anything'):lower() local x = s[name]",
          AT "a reducer can not read the rule anything: rules judge, reducers record" },
        { "x = text", "local name = ('anything'):lower() s[name] = true",
          AT "'anything' is no fact" },
        { "x = text", "local p, name = s.param, ('nothing'):lower() local x = p[name]",
          AT "unknown parameter 'nothing'" },
        { "x = text", "local x = s[5]", AT "unknown fact or rule '?'" },
        { "x = text", "local x = s:reached(e.time)",
          AT "a reducer can not ask what time it is; use e.time" },
        { "x = set(text)", "local name = ('x'):lower() s[name] = {}",
          AT "x is a container: change it by its methods (add, remove, clear) or by key" },
        { "x = text", "local x = e.datta",
          AT "unknown name 'datta' of the event e; did you mean \"data\"?" },
        { "x = text", "local x = e.data.wrd",
          AT "unknown field 'wrd' of the event's data; did you mean \"word\"?" },
        { "x = text", "local x = e.data.secret",
          AT "secret is a note: free text for people, which rules can not read" },
        { "x = text", "s.x = tostring(e.data.word)", "{\"x\":\"nil\"}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void an_event_reaches_a_reducer_typed(void **state)
{
    (void)state;
    assert_string_equal(
        after("x = time", "s.x = e.data.at", "{\"at\":\"2025-10-01T13:00:00+01:00\"}"),
        "{\"x\":\"2025-10-01T12:00:00.000000Z\"}");
    assert_string_equal(after("x = list(text)", "for _, w in ipairs(e.data.many) do s.x:add(w) end",
                              "{\"many\":[\"b\",\"a\",\"b\"]}"),
                        "{\"x\":[\"b\",\"a\"]}");
    assert_string_equal(after("x = text", "s.x = e.data.inner.a .. tostring(e.data.inner.b)",
                              "{\"inner\":{\"a\":\"1\"}}"),
                        "{\"x\":\"1nil\"}");
    assert_string_equal(after("x = text", "local x = e.data.inner.c", "{\"inner\":{\"a\":\"1\"}}"),
                        AT "unknown field 'c' of the event's data");
    assert_string_equal(after("x = int", "s.x = #e.data.by_school[s.subject]",
                              "{\"by_school\":{\"school/100001\":[\"a\",\"b\"]}}"),
                        "{\"x\":2}");
    assert_string_equal(after("x = text", "local x = e.data.secret", "{\"secret\":\"note:00\"}"),
                        AT "secret is a note: free text for people, which rules can not read");
    assert_string_equal(
        after("x = text", "s.x = e.type .. e.source .. e.id .. e.subject .. e.as[1]", "{}"),
        "{\"x\":\"gourn:test1school/100001school/100001\"}");
}

/* What a rule does, judged for a fresh record. */
static const char *rule_says(const char *facts, const char *code)
{
    static char result[1200];
    char text[4096];
    snprintf(text, sizeof(text),
             "return pack { name = 'test', facts = { school = { %s } }, events = {},\n"
             "rules = { it = rule { 'It', source = 'here', function(s) if not s then return 1 end\n"
             "%s\n" /* line 3 */
             "end } } }\n",
             facts, code);
    struct ruleset *rs = load_pack(text);
    struct record *r = new_record(rs, SCHOOL);
    snprintf(result, sizeof(result), "%s", judge(r, "2025-10-01", "it").value);
    record_free(r);
    ruleset_free(rs);
    return result;
}

static void judging_changes_nothing(void **state)
{
    (void)state;
    const char *NO =
        "error \"national/pack.lua:3: facts are changed only by reducers (the functions "
        "under `on`), not while judging\"";
    assert_string_equal(rule_says("x = set(text)", "s.x:add('a')"), NO);
    assert_string_equal(rule_says("x = list(text)", "s.x:remove_if(function() end)"), NO);
    assert_string_equal(rule_says("x = map(text, int)", "s.x.a = 1"), NO);
    assert_string_equal(rule_says("x = map(text, set(int))", "s.x.a:add(1)"), NO);
    assert_string_equal(rule_says("x = set(text)", "clear(s.x)"), NO);
    assert_string_equal(rule_says("x = text", "local name = ('x'):lower() s[name] = 'a'"),
                        "error \"national/pack.lua:3: a rule can not change x: facts are changed "
                        "only by reducers (the functions under `on`)\"");
    assert_string_equal(
        rule_says("x = text", "s:waive { rule = 'it' }"),
        "error \"national/pack.lua:3: waive: facts are changed only by reducers (the "
        "functions under `on`)\"");
    assert_string_equal(rule_says("x = map(text, set(int))", "return #s.x.a + #s.x"), "0");
}

static void the_words_of_packs_do_nothing_inside_a_rule(void **state)
{
    (void)state;
    assert_string_equal(rule_says("x = text", "return rule {} and 1"),
                        "error \"national/pack.lua:3: rule is a word for packs; it can not be used "
                        "inside a rule or reducer\"");
    assert_string_equal(
        rule_says("x = text", "return set(text) and 1"),
        "error \"national/pack.lua:3: a type is a word for packs; it can not be used "
        "inside a rule or reducer\"");
    assert_string_equal(rule_says("x = text", "return initially('a', text) and 1"),
                        "error \"national/pack.lua:3: initially is a word for packs; it can not be "
                        "used inside a rule or reducer\"");
}

/* A file may hold on to what it saw, against the rules; what it holds is then of no use. */
static void what_was_kept_from_another_call_is_of_no_use(void **state)
{
    LEAVES_THAWED = true; /* else it could not be kept at all */
    struct ruleset *rs =
        load_pack("local kept = {}\n"
                  "local function keep(t, k, v) table.insert(t, v) return v end\n"
                  "return pack { name = 'test', events = { go = { title = 'Go', subject = "
                  "'school', data = {} } },\n"
                  "facts = { school = { x = list(text) }, group = { y = list(text) } },\n"
                  "on = { school = { go = function(s, e) keep(kept, 1, s.x):add('a') end } },\n"
                  "rules = {\n"
                  "  it = rule { 'It', source = 'here', function(s) return #kept[1] end },\n"
                  "  other = rule { 'Other', source = 'here', of = 'group', function(g)\n"
                  "    table.insert(kept, g) return #kept end },\n"
                  "  view = rule { 'View', source = 'here', function(s)\n"
                  "    local g = kept[#kept] return #g['y'] end },\n"
                  "} }\n");
    struct record *a = new_record(rs, SCHOOL), *b = new_record(rs, "school/2");
    struct record *g = new_record(rs, "group/g");
    (void)state;

    take_event(a, "go", "2025-10-01", "{}");
    assert_decision(a, "2025-10-02", "it", "1");
    assert_decision(b, "2025-10-02", "it",
                    "error \"national/pack.lua:7: this was read from another subject; a rule keeps "
                    "nothing between two calls\"");
    assert_decision(g, "2025-10-02", "other", "2");
    assert_decision(
        b, "2025-10-02", "view",
        "error \"national/pack.lua:11: this view of a group was kept from another call; "
        "a rule keeps nothing\"");
    record_free(a);
    record_free(b);
    record_free(g);
    ruleset_free(rs);
    LEAVES_THAWED = false;
}

static void text_facts_are_given_as_they_are(void **state)
{
    struct ruleset *rs =
        pack_of("name = text, n = int, hub = initially('07', hub)", "s.name = 'A \"B\"'");
    struct record *r = new_record(rs, SCHOOL);
    struct buf out = { 0 };
    (void)state;

    assert_false(record_text_fact(&out, r, "name"));
    take_event(r, "go", "2025-10-01", "{}");
    assert_true(record_text_fact(&out, r, "name"));
    assert_string_equal(buf_cstr(&out), "A \"B\"");
    assert_true(record_text_fact(&out, r, "hub"));
    assert_string_equal(buf_cstr(&out), "A \"B\"07");
    assert_false(record_text_fact(&out, r, "n"));
    assert_false(record_text_fact(&out, r, "nothing"));
    buf_fini(&out);
    record_free(r);
    ruleset_free(rs);
}

static void a_record_is_of_a_known_kind(void **state)
{
    struct ruleset *rs = pack_of("x = text", "");
    struct record *r = NULL;
    (void)state;

    assert_int_equal(record_new(&r, rs, "scool/1", &err), ERR_INPUT);
    assert_null(r);
    record_free(NULL);
    ruleset_free(rs);
    ruleset_free(NULL);
}

TEST_MAIN(CASE(each_type_takes_what_it_holds), CASE(each_type_refuses_what_it_does_not_hold),
          CASE(containers_are_changed_by_their_methods),
          CASE(a_container_used_wrongly_says_how_it_is_used), CASE(each_walks_in_the_order_of_keys),
          CASE(unknown_names_are_errors_with_the_nearest), CASE(an_event_reaches_a_reducer_typed),
          CASE(judging_changes_nothing), CASE(the_words_of_packs_do_nothing_inside_a_rule),
          CASE(what_was_kept_from_another_call_is_of_no_use),
          CASE(text_facts_are_given_as_they_are), CASE(a_record_is_of_a_known_kind))
