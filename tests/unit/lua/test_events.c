/* test_events.c - the event that a reducer sees is a table of its own, whatever earlier reducers
 * did with theirs. */
#include "tests/unit/lua/support.h"

#include "lua/loader.h"

static struct ruleset *RS;
static struct record *R;

/* A pack whose reducer of school events does `code` with s and e. */
static void begin(const char *code)
{
    char text[6000];

    snprintf(
        text, sizeof(text),
        "local kept = {}\n"
        "local function keep(v) table.insert(kept, v) return v end\n"
        "return pack { name = 'test', events = {\n"
        "  go = { title = 'Go', subject = 'school', data = { n = optional(int), word = "
        "optional(text), note = optional(note),\n"
        "    people = optional(map(school, set(person))), inner = optional(row { a = text, b = "
        "optional(text) }), list = optional(list(int)) } },\n"
        "  other = { title = 'Other', subject = 'school', data = { m = int } } },\n"
        "facts = { school = { t = text, n = number, rows = list(row { n = optional(int), word = "
        "optional(text) }), x = set(text) } },\n"
        "on = { school = { go = function(s, e)\n"
        "%s\n" /* line 9 */
        "end, other = function(s, e) s.n = e.data.m end } },\n"
        "rules = { late = rule { 'Late', source = 's', function(s) return kept[1].id end } } }\n",
        code);
    RS = load_pack(text);
    R = new_record(RS, SCHOOL);
}

static void end(void)
{
    record_free(R);
    ruleset_free(RS);
}

static void assert_facts(const char *data, const char *expected)
{
    const char *message = try_event(R, SCHOOL, "go", "2025-10-01T12:00:00Z", data);
    assert_string_equal(message[0] ? message : facts_of(R), expected);
}

#define AT "national/pack.lua:9: "

static void its_names_can_be_walked(void **state)
{
    (void)state;
    begin("local t = '' for k, v in pairs(e) do t = t .. k .. ' ' .. type(v) .. ' ' end s.t = t");
    assert_facts("{\"n\":1}", "{\"t\":\"as table data table id string source string subject string "
                              "time number type string \"}");
    end();
    begin("local t = '' for k, v in pairs(e.data) do t = t .. k .. ' ' .. (type(v) == 'table' and "
          "type(v) or tostring(v)) .. ' ' end s.t = t");
    assert_facts("{\"n\":1,\"word\":\"w\",\"note\":\"note:00\",\"list\":[1]}",
                 "{\"t\":\"list table n 1 word w \"}");
    end();
    begin("local t = 'z' for k, v in pairs(e.data.people) do t = t .. k .. #v .. v[1] end s.t = t");
    assert_facts("{\"people\":{\"school/3\":[\"b\",\"a\",\"b\"],\"school/2\":[\"c\"]}}",
                 "{\"t\":\"zschool/21cschool/32b\"}");
    end();
    begin("local p = e.data.people s.t = p['school/3'][2] .. tostring(p['school/4']) .. "
          "tostring(p[1]) .. #p");
    assert_facts("{\"people\":{\"school/3\":[\"b\",\"a\",\"b\"],\"school/2\":[\"c\"]}}",
                 "{\"t\":\"anilnil0\"}");
    end();
}

static void its_data_can_become_a_row(void **state)
{
    (void)state;
    begin("s.rows:add(e.data)");
    assert_facts("{\"n\":1,\"word\":\"w\"}", "{\"rows\":[{\"n\":1,\"word\":\"w\"}]}");
    assert_facts("{\"n\":2}", "{\"rows\":[{\"n\":1,\"word\":\"w\"},{\"n\":2}]}");
    assert_facts("{\"n\":3,\"list\":[1]}", AT "unknown field 'list'");
    end();
}

static void what_a_reducer_does_to_it_is_gone_with_it(void **state)
{
    (void)state;
    begin("s.t = tostring(e.data.n) .. tostring(e.data.word) .. e.type .. tostring(e.as[2])\n"
          "e.data.n = 7 e.data.word = 'mine' e.type = 'mine' e.as[2] = 'mine' s.n = e.data.n");
    assert_facts("{\"n\":1}", "{\"n\":7,\"t\":\"1nilgonil\"}");
    assert_facts("{\"word\":\"w\"}", "{\"n\":7,\"t\":\"nilwgonil\"}");
    assert_facts("{\"n\":2,\"word\":\"v\"}", "{\"n\":7,\"t\":\"2vgonil\"}");
    take_event(R, "other", "2025-10-02", "{\"m\":5}");
    assert_facts("{\"n\":2}", "{\"n\":7,\"t\":\"2nilgonil\"}");
    end();
    begin("local a = e.data.n e.data.n = nil e.data.word = nil e.own = 1 s.t = tostring(e.data.n) "
          ".. tostring(a) .. tostring(e.data.word) .. e.own");
    assert_facts("{\"n\":1,\"word\":\"w\"}", "{\"t\":\"nil1nil1\"}");
    assert_facts("{\"n\":2}", "{\"t\":\"nil2nil1\"}");
    end();
    begin("s.t = tostring(e.data.n) if e.data.n == 2 then e.data.n = 3 error('after it') end "
          "if e.data.word then e.own = 1 end local x = e.data.n and e.own");
    assert_facts("{\"n\":1}", AT "unknown name 'own' of the event e");
    assert_facts("{\"n\":2}", AT "after it");
    assert_facts("{\"n\":4,\"word\":\"w\"}", "{\"t\":\"4\"}");
    assert_facts("{\"n\":4}", AT "unknown name 'own' of the event e");
    end();
}

static void one_that_was_kept_is_of_no_use(void **state)
{
    LEAVES_THAWED = true; /* else it could not be kept at all */
    (void)state;
    begin("if e.data.word then s.t = tostring(kept[1].id) else keep(e) end");
    assert_facts("{}", "{}");
    take_event(R, "other", "2025-10-02", "{\"m\":5}");
    assert_facts("{\"word\":\"w\"}", "{\"n\":5,\"t\":\"1\"}"); /* the same table: this event */
    assert_decision(
        R, "2025-10-03", "late",
        "error \"national/pack.lua:11: this event was kept from another call; a reducer "
        "keeps nothing between two calls\"");
    end();
    begin("if e.data.word then s.t = tostring(#kept[1] .. tostring(kept[1]['school/2'])) else "
          "keep(e.data.people) end");
    assert_facts("{\"people\":{\"school/2\":[\"c\"]}}", "{}");
    assert_facts("{\"word\":\"w\"}", "{\"t\":\"0nil\"}"); /* what was not read of it is not there */
    end();
    begin(
        "e.own = 1 if e.data.word then s.t = tostring(kept[1].own) .. kept[1].id else keep(e) end");
    assert_facts("{}", "{}");
    assert_facts("{\"word\":\"w\"}", "{\"t\":\"11\"}");
    end();
    LEAVES_THAWED = false;
}

static void rows_and_lists_in_it_are_plain(void **state)
{
    (void)state;
    begin("s.t = e.data.inner.a .. tostring(e.data.inner.b) s.n = #e.data.list + e.data.list[2] "
          "for k, v in pairs(e.data.inner) do s.x:add(k .. v) end");
    assert_facts("{\"inner\":{\"a\":\"1\"},\"list\":[4,5]}",
                 "{\"n\":7,\"t\":\"1nil\",\"x\":[\"a1\"]}");
    end();
    begin("local x = e.data.inner.c");
    assert_facts("{\"inner\":{\"a\":\"1\"}}", AT "unknown field 'c' of the event's data");
    end();
}

TEST_MAIN(CASE(its_names_can_be_walked), CASE(its_data_can_become_a_row),
          CASE(what_a_reducer_does_to_it_is_gone_with_it), CASE(one_that_was_kept_is_of_no_use),
          CASE(rows_and_lists_in_it_are_plain))
