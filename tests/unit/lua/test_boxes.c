/* test_boxes.c - what a reducer holds of a fact stays what it was while the fact changes under it;
 * memory that facts take counts. */
#include "tests/unit/lua/support.h"

#include "lua/loader.h"

#include <time.h>

#include "lua/state.h"

/* The facts after a reducer with this code, or its message. */
static const char *after(const char *facts, const char *code)
{
    static char result[8192];
    char text[6000];

    snprintf(text, sizeof(text),
             "return pack { name = 'test',\n"
             "events = { go = { title = 'Go', subject = 'school', data = {} } },\n"
             "facts = { school = { t = text, n = number, %s } },\n"
             "on = { school = { go = function(s, e)\n"
             "%s\n" /* line 5 */
             "end } } }\n",
             facts, code);
    struct ruleset *rs = load_pack(text);
    struct record *r = new_record(rs, SCHOOL);
    const char *message = try_event(r, SCHOOL, "go", "2025-10-01T12:00:00Z", "{}");
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
        const char *found = after(claims[i].facts, claims[i].code);
        if (strcmp(found, claims[i].expected) != 0)
            fail_msg("%s; %s\n  found    %s\n  expected %s", claims[i].facts, claims[i].code, found,
                     claims[i].expected);
    }
}
#define CHECK_CLAIMS(claims) check_claims(claims, sizeof(claims) / sizeof((claims)[0]))

static void a_walk_goes_over_what_was_there_at_its_start(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = set(text)",
          "for w in ipairs {} do end s.x:add('b') s.x:add('d') s.t = 'z'\n"
          "for v in each(s.x) do s.t = s.t .. v s.x:add(v .. '2') s.x:add('a') s.x:remove('d') end",
          "{\"t\":\"zbd\",\"x\":[\"a\",\"b\",\"b2\",\"d2\"]}" },
        { "x = set(text)",
          "for i = 1, 9 do s.x:add('k' .. i) end s.t = 'z'\n"
          "for v in each(s.x) do s.t = s.t .. v clear(s.x) end",
          "{\"t\":\"zk1k2k3k4k5k6k7k8k9\"}" },
        { "x = map(text, int)",
          "s.x.a = 1 s.x.b = 2 s.x.c = 3 s.t = 'z'\n"
          "for k, v in each(s.x) do s.t = s.t .. k .. v s.x.c = 9 s.x['a' .. k] = v end",
          "{\"t\":\"za1b2c9\",\"x\":{\"a\":1,\"aa\":1,\"ab\":2,\"ac\":9,\"b\":2,\"c\":9}}" },
        { "x = list(text)",
          "s.x:add('a') s.x:add('b') s.x:add('c') s.t = 'z'\n"
          "for v in each(s.x) do s.t = s.t .. v s.x:add('d') s.x:remove_if(function(w) return w == "
          "'c' end) end",
          "{\"t\":\"zabc\",\"x\":[\"a\",\"b\",\"d\",\"d\",\"d\"]}" },
        { "x = list(row { a = text })",
          "for i = 1, 5 do s.x:add { a = 'r' .. i } end s.t = 'z'\n"
          "for r in each(s.x) do s.x:clear() s.t = s.t .. r.a end",
          "{\"t\":\"zr1r2r3r4r5\"}" },
        { "x = set(int)",
          "for i = 1, 3 do s.x:add(i) end local walk = each(s.x) s.n = walk() + walk() * 10 + "
          "walk() * 100 if walk() == nil and walk() == nil then s.t = 'end' end",
          "{\"n\":321,\"t\":\"end\",\"x\":[1,2,3]}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void what_was_taken_out_can_still_be_used_and_changes_nothing(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = map(text, set(int))",
          "local held = s.x.a held:add(1) s.x.a = nil for i = 2, 40 do held:add(i) end s.n = #held",
          "{\"n\":40}" },
        { "x = map(text, set(int))",
          "local held = s.x.a held:add(1) clear(s.x) for i = 2, 40 do held:add(i) end s.n = #held "
          "s.x.b:add(7)",
          "{\"n\":40,\"x\":{\"b\":[7]}}" },
        { "x = map(text, map(int, text))",
          "local held = s.x.a for i = 1, 30 do held[i] = 'v' .. i end s.x.a = nil clear(held) "
          "held[1] "
          "= 'w' s.n = #held s.t = held[1]",
          "{\"n\":1,\"t\":\"w\"}" },
        { "x = map(text, list(int))",
          "local held = s.x.a for i = 1, 30 do held:add(i) end s.x.a = nil\n"
          "held:remove_if(function(v) return v > 2 end) held:remove_if(function(v) return v > 1 "
          "end)\n"
          "s.n = #held",
          "{\"n\":1}" },
        { "x = list(row { a = text, b = optional(text) })",
          "s.x:add { a = 'one' } s.x:add { a = 'two' } local held = s.x[1] "
          "s.x:remove_if(function(r) "
          "return r.a == 'one' end) held.b = 'more' s.t = held.a .. held.b .. #s.x",
          "{\"t\":\"onemore1\",\"x\":[{\"a\":\"two\"}]}" },
        { "x = map(text, row { a = text })",
          "s.x.k = { a = 'one' } local held = s.x.k s.x.k = { a = 'two' } held.a = 'three' s.t = "
          "held.a .. s.x.k.a",
          "{\"t\":\"threetwo\",\"x\":{\"k\":{\"a\":\"two\"}}}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void a_part_is_the_same_thing_wherever_it_is_read(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = map(text, set(int))",
          "local a, b = s.x.k, s.x.k for i = 1, 20 do a:add(i) b:add(100 - i) end s.n = #a + #b + "
          "#s.x.k s.t = tostring(a == b)",
          "{\"n\":120,\"t\":\"true\",\"x\":{\"k\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,"
          "20,"
          "80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,96,97,98,99]}}" },
        { "x = list(row { a = text })",
          "for i = 1, 700 do s.x:add { a = 'r' .. i } end local first, seen, n = {}, {}, 0\n"
          "for r in each(s.x) do first[#first + 1] = r seen[r] = true end\n"
          "for r in each(s.x) do n = n + 1 if not seen[r] or first[n] ~= r then error(n) end end\n"
          "s.n = n clear(s.x)",
          "{\"n\":700}" },
        { "x = map(text, map(text, set(int)))",
          "local a, b = s.x.a, s.x.b local aa = a.a for i = 1, 30 do s.x['k' .. i].z:add(i) end\n"
          "for i = 1, 30 do a['k' .. i]:add(i) aa:add(i) b.b:add(i) end\n"
          "s.n = #s.x + #s.x.a + #s.x.a.a + #s.x.b.b clear(s.x)",
          "{\"n\":123}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void numbers_are_what_they_were(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = list(number)",
          "for _, v in ipairs { 2.0, 2, 0.5, math.maxinteger, math.mininteger, -1e300 } do "
          "s.x:add(v) end s.t = math.type(s.x[1]) .. math.type(s.x[2])",
          "{\"t\":\"floatinteger\",\"x\":[2,2,0.5,9223372036854775807,-9223372036854775808,-1e+300]"
          "}" },
        { "x = set(number)",
          "for _, v in ipairs { 2.0, 2, 0.5, math.maxinteger, math.mininteger, -1e300, 3.5, -0.0 } "
          "do "
          "s.x:add(v) end s.t = tostring(s.x:has(2)) .. tostring(s.x:has(math.mininteger)) .. "
          "tostring(s.x:has(0.25)) .. math.type(each(s.x)()) s.x:remove(math.maxinteger)",
          "{\"t\":\"truetruefalsefloat\",\"x\":[-1e+300,-9223372036854775808,0,0.5,2,3.5]}" },
        { "x = map(number, text)", "s.x[2.0] = 'a' s.x[2] = s.x[2] .. 'b' s.x[0.5] = 'c'",
          "{\"x\":{\"0.5\":\"c\",\"2\":\"ab\"}}" },
        { "x = map(int, int)", "s.x[3] = 1 s.x[3] = 'x'",
          "national/pack.lua:5: 3: found a text, expected a whole number from -1000000000000 to "
          "1000000000000" },
        { "x = map(bool, int)", "s.x[true] = 1 s.n = #s.x for k in each(s.x) do end",
          "national/pack.lua:5: a key is true or false; only numbers and texts have an order" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

static void remove_if_may_add_but_not_take_out(void **state)
{
    static const struct claim CLAIMS[] = {
        { "x = list(int)",
          "for i = 1, 3 do s.x:add(i) end s.x:remove_if(function(v) if v < 9 then s.x:add(v + 3) "
          "end "
          "return v % 2 == 0 end)",
          "{\"x\":[1,3,5,7,9,11]}" },
        { "x = list(int)",
          "for i = 1, 3 do s.x:add(i) end s.x:remove_if(function(v) clear(s.x) return true end)",
          "national/pack.lua:5: remove_if: the function may not take values out itself" },
        { "x = list(int)", "s.x:remove_if(function(v) error('not called') end) s.n = #s.x",
          "{\"n\":0}" },
        { "x = list(int)", "s.x:add(1) s.x:remove_if(function(v) return true end)", "{}" },
    };
    (void)state;
    CHECK_CLAIMS(CLAIMS);
}

#define PACK                                                                                       \
    "local kept = {}\n"                                                                            \
    "local function keep(t, v) table.insert(t, v) return v end\n"                                  \
    "return pack { name = 'test', events = { go = { title = 'Go', subject = 'school', data = {} "  \
    "} "                                                                                           \
    "},\n"                                                                                         \
    "facts = { school = { x = list(row { a = text }), m = map(text, set(int)) } },\n"              \
    "on = { school = { go = function(s, e) s.x:add { a = 'r' .. #s.x } s.m.k:add(#s.x)\n"          \
    "  keep(kept, s.x[1]) keep(kept, s.m.k) keep(kept, each(s.x)) keep(kept, each(s.m)) end } "    \
    "},\n"                                                                                         \
    "rules = {\n"                                                                                  \
    "  part = rule { 'P', source = 'here', function(s) return kept[1].a end },\n"                  \
    "  inner = rule { 'I', source = 'here', function(s) return #kept[2] end },\n"                  \
    "  walk = rule { 'W', source = 'here', function(s) return kept[3]().a end },\n"                \
    "  walk_map = rule { 'M', source = 'here', function(s) return kept[4]() end },\n"              \
    "} }\n"

/* Against the rules a file holds on to a row, a set in a map and two walks. */
static void a_part_that_was_kept_is_an_error(void **state)
{
    LEAVES_THAWED = true; /* else it could not be kept at all */
    struct ruleset *rs = load_pack(PACK);
    struct record *a = new_record(rs, SCHOOL), *b = new_record(rs, "school/2");
    const char *OTHER = "error \"national/pack.lua:%d: this was read from another subject; a rule "
                        "keeps nothing between two calls\"";
    const char *EARLIER =
        "error \"national/pack.lua:%d: this was read in another call; a rule keeps "
        "nothing between two calls\"";
    char expected[300];
    (void)state;

    take_event(a, "go", "2025-10-01", "{}");
    for (int i = 0; i < 2; i++) {
        snprintf(expected, sizeof(expected), EARLIER, 8 + i);
        assert_decision(a, "2025-10-02", i ? "inner" : "part", expected);
        snprintf(expected, sizeof(expected), OTHER, 8 + i);
        assert_decision(b, "2025-10-02", i ? "inner" : "part", expected);
        snprintf(expected, sizeof(expected), OTHER, 10 + i);
        assert_decision(b, "2025-10-02", i ? "walk_map" : "walk", expected);
    }
    record_free(a);
    assert_decision(b, "2025-10-02", "part",
                    "error \"national/pack.lua:8: this was read from another subject; a rule keeps "
                    "nothing between two calls\"");
    record_free(b);
    ruleset_free(rs);
    LEAVES_THAWED = false;
}

/* ---- memory ---- */

static void facts_that_grow_without_end_end_the_run_and_leave_the_record_usable(void **state)
{
    static const char *const CODES[] = {
        "while true do s.x:add('again') end",
        "local i = 0 while true do i = i + 1 s.y:add('text number ' .. i) end",
        "local i = 0 while true do i = i + 1 s.z[i].k = { a = 'a' } end",
        "while true do s.w = s.w and s.w .. s.w:sub(1, 100) or ('x'):rep(100) s.x:add(s.w:sub(1, "
        "900)) end",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++) {
        char text[2000];
        struct fold_event e = { .type = "go", .source = "s", .id = "1", .subject = SCHOOL };
        bool known;
        snprintf(
            text, sizeof(text),
            "return pack { name = 'test', events = {\n"
            "  go = { title = 'Go', subject = 'school', data = {} } },\n"
            "facts = { school = { x = list(text), y = set(text), w = text, z = map(int, map(text, "
            "row { a = text })) } },\n"
            "on = { school = { go = function(s, e) %s end } } }",
            CODES[i]);
        struct ruleset *rs = load_pack(text);
        rs->sandbox.cap = rs->sandbox.used + rs->sandbox.outside + ((size_t)4 << 20);
        for (int round = 0; round < 3; round++) {
            struct record *r = new_record(rs, SCHOOL);
            enum err_code rc;
            while ((rc = record_apply(&known, r, &e, &err)) == ERR_BUSY) {
                record_free(r);
                r = new_record(rs, SCHOOL);
            }
            ruleset_trust(rs);
            if (i < 3) {
                assert_true(rc == ERR_LIMIT || rc == ERR_RULE); /* of memory, or of steps */
                assert_non_null(strstr(err.msg, ": stopped"));
            } else {
                assert_int_equal(rc, ERR_RULE); /* longer than a text may be */
            }
            struct buf out = { 0 };
            assert_ok(record_write_facts(&out, r, &err));
            buf_fini(&out);
            record_free(r);
        }
        ruleset_free(rs);
    }
}

static void what_records_held_is_given_back(void **state)
{
    LEAVES_THAWED = true; /* else it could not be kept at all */
    struct ruleset *rs = load_pack(PACK);
    size_t before = 0;
    (void)state;

    for (int round = 0; round < 200; round++) {
        struct record *r = new_record(rs, SCHOOL);
        for (int i = 0; i < 20; i++)
            take_event(r, "go", "2025-10-01", "{}");
        record_free(r);
        if (round == 100) {
            lua_gc(rs->sandbox.L, LUA_GCCOLLECT);
            before = rs->sandbox.used - rs->cells.text_count * sizeof(struct text);
        }
    }
    lua_gc(rs->sandbox.L, LUA_GCCOLLECT);
    /* But for the table in which the pack hoards what it has read. */
    assert_true(rs->sandbox.used < before + ((size_t)4 << 20));
    ruleset_free(rs);
    LEAVES_THAWED = false;
}

/* ---- against a simple model ---- */

static uint64_t seed;

static unsigned pick(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

/* A map of sets of numbers as bits, and a list. */
struct model {
    uint64_t sets[8];
    bool is_there[8];
    int list[400];
    int count;
};

static void write_model(const struct model *m, char *out, size_t size)
{
    size_t len = 0;
    const char *comma = "";
    bool any = false;

    len += (size_t)snprintf(out + len, size - len, "{");
    if (m->count) {
        len += (size_t)snprintf(out + len, size - len, "\"l\":[");
        for (int i = 0; i < m->count; i++)
            len += (size_t)snprintf(out + len, size - len, "%s%d", i ? "," : "", m->list[i]);
        len += (size_t)snprintf(out + len, size - len, "]");
    }
    for (int k = 0; k < 8; k++) {
        const char *inner = "";
        if (!m->is_there[k])
            continue;
        len += (size_t)snprintf(out + len, size - len, "%s\"k%d\":[",
                                any        ? comma
                                : m->count ? ",\"m\":{"
                                           : "\"m\":{",
                                k);
        any = true;
        comma = ",";
        for (int v = 0; v < 64; v++) {
            if (!(m->sets[k] >> v & 1))
                continue;
            len += (size_t)snprintf(out + len, size - len, "%s%d", inner, v);
            inner = ",";
        }
        len += (size_t)snprintf(out + len, size - len, "]");
    }
    snprintf(out + len, size - len, any ? "}}" : "}");
}

static void step(struct model *m, char *data, size_t size)
{
    unsigned k = pick(8), v = pick(64), what = pick(20);
    const char *op = "add";

    if (what < 9) {
        m->is_there[k] = true;
        m->sets[k] |= 1ull << v;
    } else if (what < 13) {
        op = "remove";
        m->is_there[k] = true; /* reading it makes it */
        m->sets[k] &= ~(1ull << v);
    } else if (what < 14) {
        op = "drop";
        m->is_there[k] = false;
        m->sets[k] = 0;
    } else if (what < 18) {
        op = "list";
        m->list[m->count++] = (int)v;
    } else if (what < 19) {
        int kept = 0;
        op = "less";
        for (int i = 0; i < m->count; i++)
            if (m->list[i] % 8 != (int)v % 8)
                m->list[kept++] = m->list[i];
        m->count = kept;
    } else if (pick(10) == 0) {
        op = "clear";
        *m = (struct model){ 0 };
    } else {
        op = "none";
    }
    snprintf(data, size, "{\"op\":\"%s\",\"k\":\"k%u\",\"v\":%u}", op, k, v);
}

static void facts_are_what_a_simple_model_of_them_is(void **state)
{
    struct ruleset *rs = load_pack(
        "return pack { name = 'test', events = { go = { title = 'Go', subject = 'school', data = "
        "{\n"
        "  op = text, k = text, v = int } } },\n"
        "facts = { school = { m = map(text, set(int)), l = list(int) } },\n"
        "on = { school = { go = function(s, e) local op, k, v = e.data.op, e.data.k, e.data.v\n"
        "  if op == 'add' then s.m[k]:add(v) elseif op == 'remove' then s.m[k]:remove(v)\n"
        "  elseif op == 'drop' then s.m[k] = nil elseif op == 'list' then s.l:add(v)\n"
        "  elseif op == 'less' then s.l:remove_if(function(w) return w % 8 == v % 8 end)\n"
        "  elseif op == 'clear' then clear(s.m) s.l:clear() end end } } }");
    (void)state;

    seed = given_seed();
    for (int world = 0; world < 20; world++) {
        struct record *r = new_record(rs, SCHOOL);
        struct model m = { 0 };
        for (int i = 0; i < 300; i++) {
            char data[100], expected[4096];
            step(&m, data, sizeof(data));
            take_event(r, "go", "2025-10-01", data);
            write_model(&m, expected, sizeof(expected));
            assert_string_equal(facts_of(r), expected);
        }
        record_free(r);
    }
    ruleset_free(rs);
}

TEST_MAIN(CASE(a_walk_goes_over_what_was_there_at_its_start),
          CASE(what_was_taken_out_can_still_be_used_and_changes_nothing),
          CASE(a_part_is_the_same_thing_wherever_it_is_read), CASE(numbers_are_what_they_were),
          CASE(remove_if_may_add_but_not_take_out), CASE(a_part_that_was_kept_is_an_error),
          CASE(facts_that_grow_without_end_end_the_run_and_leave_the_record_usable),
          CASE(what_records_held_is_given_back), CASE(facts_are_what_a_simple_model_of_them_is))
