/* test_scan.c - a name that is not there is found when a pack is loaded, in whatever function it
 * stands. */
#include "tests/unit/lua/support.h"

/* `before` stands in front of the pack, from line 1; `code` is a rule's body, in line 9 or
 * after. */
static const char *scan(const char *before, const char *code)
{
    static char text[8192];
    char padded[4096];
    int lines = 1;

    for (const char *p = before; *p; p++)
        lines += *p == '\n';
    snprintf(padded, sizeof(padded), "%s", before);
    for (; lines < 5; lines++)
        strcat(padded, "\n");
    snprintf(text, sizeof(text),
             "%s\n" /* to line 5 */
             "return pack { name = 'test', params = { needed = 2 },\n"
             "facts = { school = { leads = set(person), phase = text, done = bool }, group = { "
             "size = int } },\n"
             "rules = { two = rule { 'Two', source = 's', function(s) return true end }, r = rule "
             "{ 'R', source = 's', function(s)\n"
             "%s\n"
             "end } } }\n",
             padded, code);
    return problems_of(text);
}

static void assert_found(const char *before, const char *code, const char *expected)
{
    const char *found = scan(before, code);
    if (strcmp(found, expected) != 0)
        fail_msg("%s\n%s\n  found    %s\n  expected %s", before, code, found, expected);
}

#define AT9 "national/pack.lua:9: "

static void a_misspelt_name_is_found_in_the_rule_itself(void **state)
{
    (void)state;
    assert_found("", "return s.laeds", AT9 "unknown fact or rule 'laeds'; did you mean \"leads\"?");
    assert_found("", "return s.tow", AT9 "unknown fact or rule 'tow'; did you mean \"two\"?");
    assert_found("", "return s:reachd(5)",
                 AT9 "unknown fact or rule 'reachd'; did you mean \"reached\"?");
    assert_found("", "return s.param.neded",
                 AT9 "unknown parameter 'neded'; did you mean \"needed\"?");
    assert_found("", "return math.flor(maths)", AT9 "unknown name 'maths'; did you mean \"math\"?");
    assert_found("", "return pcall(s)",
                 AT9
                 "unknown name 'pcall': an error ends this rule for this school, and is told; ask "
                 "by if, before, whether a value is there");
    assert_found("", "\n\nreturn s.phase == 'a'\n and s.dnoe",
                 "national/pack.lua:12: unknown fact or rule 'dnoe'; did you mean \"done\"?");
    assert_found("", "return s['laeds']",
                 AT9 "unknown fact or rule 'laeds'; did you mean \"leads\"?");
    assert_found("", "return s.size", AT9 "unknown fact or rule 'size'");
}

static void what_is_there_is_left_alone(void **state)
{
    static const char *const GOOD[] = {
        "return #s.leads >= s.param.needed and s.two and s:in_year('2024/25') and s.subject",
        "local t = { laeds = 1 } return t.laeds",
        "local x = s.leads return x.laeds == nil", /* of a set: found when it is run */
        "s = { laeds = 1 } return s.laeds",
        "for i = 1, 3 do local s = { laeds = i } if s.laeds > 2 then return true end end",
        "local function f(s) return s.laeds end return f({ laeds = 1 })",
        "local a if s.done then a = s else a = { laeds = 1 } end return a.laeds",
        "local a if s.done then a = { laeds = 1 } else a = s end return a.laeds",
        "local p = s.param if s.done then p = { neded = 1 } end return p.neded",
        "local t = {} for _, v in ipairs { 1, 2 } do t[#t + 1] = v end return #t",
        "local n = 0 for p in each(s.leads) do local function up() n = n + 1 end up() end return n",
        "return (function(...) return select('#', ...) end)(s, s)",
        "goto out do return false end ::out:: return true",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
        assert_found("", GOOD[i], "");
}

static void a_misspelt_name_is_found_in_nested_closures(void **state)
{
    const char *LAEDS = AT9 "unknown fact or rule 'laeds'; did you mean \"leads\"?";
    (void)state;
    assert_found("", "return (function() return s.laeds end)()", LAEDS);
    assert_found("", "return (function() return (function() return #s.laeds end)() end)()", LAEDS);
    assert_found("", "local function f() return s.param.neded end return f()",
                 AT9 "unknown parameter 'neded'; did you mean \"needed\"?");
    assert_found("", "local f = function() return undefined_thing end return f()",
                 AT9 "unknown name 'undefined_thing'");
    assert_found("", "return (function()\n return (function()\n  return s:reachd(1) end)() end)()",
                 "national/pack.lua:11: unknown fact or rule 'reachd'; did you mean \"reached\"?");
}

static void a_misspelt_name_is_found_behind_another_name_for_the_view(void **state)
{
    const char *LAEDS = AT9 "unknown fact or rule 'laeds'; did you mean \"leads\"?";
    (void)state;
    assert_found("", "local school = s return school.laeds", LAEDS);
    assert_found("", "local school = s return (function() return school.laeds end)()", LAEDS);
    assert_found("", "local p = s.param return p.neded",
                 AT9 "unknown parameter 'neded'; did you mean \"needed\"?");
    assert_found("", "local f = function(x) return x.laeds end return f(s)", LAEDS);
    assert_found("", "local function f(a, x) return x.laeds end return f(1, s)", LAEDS);
    assert_found("",
                 "local function f(x, n) if n > 0 then return f(x, n - 1) end return x.laeds end "
                 "return f(s, 3)",
                 LAEDS);
}

static void a_misspelt_name_is_found_in_a_helper(void **state)
{
    const char *LAEDS =
        "national/pack.lua:2: unknown fact or rule 'laeds'; did you mean \"leads\"?";
    (void)state;
    assert_found("local function f(s)\n return s.laeds end", "return f(s)", LAEDS);
    assert_found("local function f(s)\n return s.laeds end", "return f(s) and 1", LAEDS);
    assert_found("local function f(n, school)\n return n + #school.laeds end", "return f(1, s)",
                 LAEDS);
    assert_found("local function f(s)\n return s.param.neded end", "return f(s)",
                 "national/pack.lua:2: unknown parameter 'neded'; did you mean \"needed\"?");
    assert_found(
        "local function f(s)\n return undefined_thing end", "return 1",
        "national/pack.lua:2: unknown name 'undefined_thing'"); /* even if nobody calls it */
    assert_found("local function f(s)\n return s.laeds end\nlocal function g(s) return f(s) end",
                 "return g(s)", LAEDS);
    assert_found("local function f(s)\n return s.laeds end",
                 "return (function() return f(s) end)()", LAEDS);
    assert_found("local function f(s)\n return (function() return s.laeds end)() end",
                 "return f(s)", LAEDS);
    assert_found("local BY = {\n a = function(s) return s.laeds end, b = function(s) end }",
                 "return BY[s.phase](s)", LAEDS);
    assert_found("local BY = {\n a = function(s) return s.laeds end }", "return BY.a(s)", LAEDS);
    assert_found("local BY = {\n function(s) return s.laeds end }", "return BY[1](s)", LAEDS);
    assert_found("local function f(s)\n return s.laeds end local function g() end",
                 "return g(f) and 1", ""); /* it is not known that f gets a view */
    assert_found("local function f(t)\n return t.laeds end", "return f({ laeds = 1 }) and s.done",
                 "");
    assert_found("local BY = {\n a = function(s) return s.laeds end, b = function(s) end }",
                 "return BY.b(s)", "");
    assert_found("local f\nf = function(s, n) return n > 0 and f(s, n - 1) or s.laeds end",
                 "return f(s, 2)", LAEDS);
}

static void a_helper_of_another_file_is_looked_into_there(void **state)
{
    static const struct pack_file FILES[] = {
        { "help.lua", "local function two(s)\n  return #s.laeds end\nreturn { two = two }" },
        { "pack.lua",
          "local help = import 'help'\n"
          "local two = help.two\n"
          "return pack { name = 'a', facts = { school = { leads = set(person) } }, rules = {\n"
          "  a = rule { 'A', source = 's', function(s) return help.two(s) end },\n"
          "  b = rule { 'B', source = 's', function(s) return two(s) end },\n"
          "  c = rule { 'C', source = 's', two } } }" },
    };
    char said[4096];
    (void)state;
    ruleset_free(load_files(FILES, 2, said, sizeof(said)));
    assert_string_equal(
        said, "national/help.lua:2: unknown fact or rule 'laeds'; did you mean \"leads\"?");
}

static void a_helper_is_looked_into_with_the_eyes_of_its_caller(void **state)
{
    (void)state;
    assert_string_equal(
        problems_of(
            "local function f(x)\n  return x.leads end\n"
            "return pack { name = 'a',\n"
            "  facts = { school = { leads = set(person) }, group = { size = int } },\n"
            "  rules = { a = rule { 'A', source = 's', function(s) return #f(s) end },\n"
            "    b = rule { 'B', source = 's', of = 'group', function(g) return f(g) end } } }"),
        "national/pack.lua:2: unknown fact or rule 'leads'");
    assert_string_equal(
        problems_of(
            "local function f(x)\n  x.leads = nil return x.two end\n"
            "return pack { name = 'a', facts = { school = { leads = text } },\n"
            "  events = { go = { title = 'Go', subject = 'school', data = {} } },\n"
            "  on = { school = { go = function(s, e) f(s) end } },\n"
            "  rules = { two = rule { 'A', source = 's', function(s) return f(s) end } } }"),
        "national/pack.lua:2: a rule can not change leads: facts are changed only by reducers (the "
        "functions under `on`)\n"
        "national/pack.lua:2: a reducer can not read the rule two: rules judge, reducers record\n"
        "national/pack.lua:6: rule two reads itself: two -> two");
}

static void moves_and_reducers_are_looked_into_too(void **state)
{
    (void)state;
    assert_string_equal(
        problems_of("return pack { name = 'a',\n"
                    "events = { go = { title = 'Go', subject = 'school', data = {} } },\n"
                    "facts = { school = { done = bool, years = set(year), phase = text, many = "
                    "set(text) } },\n"
                    "on = { school = { go = function(s, e) s.dnoe = true end,\n"
                    "  ['*'] = { function(s, e)\n s.many = {} end } } },\n"
                    "moves = { school = {\n"
                    "  done = once(function(s) return s.phse end),\n"
                    "  years = gather(function(s) return { s.yaers } end),\n"
                    "  phase = first_of { { 'b', function(s) return s.it end,\n"
                    "    enter = function(s, at) s.phsae = 'x' end } } } } }"),
        "national/pack.lua:6: many is a container: change it by its methods (add, remove, clear) "
        "or by "
        "key\n"
        "national/pack.lua:4: unknown fact 'dnoe'; did you mean \"done\"?\n"
        "national/pack.lua:8: unknown fact or rule 'phse'; did you mean \"phase\"?\n"
        "national/pack.lua:9: unknown fact or rule 'yaers'; did you mean \"years\"?\n"
        "national/pack.lua:10: unknown fact or rule 'it'\n"
        "national/pack.lua:11: unknown fact 'phsae'; did you mean \"phase\"?");
}

static void a_function_keeps_nothing_between_two_calls(void **state)
{
    const char *KEEPS =
        AT9 "'count' belongs to the whole file, and a function keeps nothing between "
            "two calls; use a local variable, or a fact";
    (void)state;
    assert_found("local count = 0", "count = count + 1 return count", KEEPS);
    assert_found("local count = {}", "count.x = 1 return 1", KEEPS);
    assert_found("local count = {}", "count[s.subject] = 1 return 1", KEEPS);
    assert_found("local count = {}", "count[1] = 1 return 1", KEEPS);
    assert_found("local count = { a = {} }", "count.a.b = 1 return 1", KEEPS);
    assert_found("local count = 0", "return (function() count = 1 end)()", KEEPS);
    assert_found("local count = 0 local function up(s)\n count = 1 end", "return up(s)",
                 "national/pack.lua:2: 'count' belongs to the whole file, and a function keeps "
                 "nothing between two calls; use a local variable, or a fact");
    assert_found("local count = { 1 }",
                 "local c = 0 for _, n in ipairs(count) do c = c + n end return c", "");
}

static void global_names_and_the_environment_are_no_variables(void **state)
{
    (void)state;
    assert_found("", "x = 5", AT9 "'x' is assigned without local; a pack has no global variables");
    assert_found("", "_ENV.x = 5",
                 AT9 "'x' is assigned without local; a pack has no global variables");
    assert_found("", "local e = _ENV return e", AT9 "_ENV can not be used in a pack");
    assert_found("", "local k = s.phase return _ENV[k]", AT9 "_ENV can not be used in a pack");
    assert_found("", "local _ENV = { } return x",
                 "national/pack.lua:8: _ENV can not be used in a pack");
    assert_found("", "local f = function(_ENV) return x end return f(s)",
                 AT9 "_ENV can not be used in a pack");
}

/* From the 256th constant on Lua reads names in another way. */
static void a_function_of_many_constants_is_read_too(void **state)
{
    static char code[16000];
    size_t len = (size_t)snprintf(code, sizeof(code), "local t = { ");
    (void)state;

    for (int i = 0; i < 300; i++)
        len += (size_t)snprintf(code + len, sizeof(code) - len, "'constant %d', ", i);
    snprintf(code + len, sizeof(code) - len, "}\nlocal n = math.max(1, 2) return s.laeds");
    char *text = malloc(20000);
    snprintf(text, 20000,
             "return pack { name = 'a', facts = { school = { leads = text } },\n"
             "rules = { r = rule { 'R', source = 's', function(s)\n%s, maths\nend } } }",
             code);
    assert_string_equal(problems_of(text),
                        "national/pack.lua:4: unknown name 'maths'; did you mean "
                        "\"math\"?");
    *strstr(text, ", maths") = ' ';
    memcpy(strstr(text, " maths"), "      ", 6);
    assert_string_equal(problems_of(text),
                        "national/pack.lua:4: unknown fact or rule 'laeds'; did you "
                        "mean \"leads\"?");
    free(text);
}

/* Loading never fails for the shape of code: every construct of the language is walked through. */
static void all_of_the_language_is_read(void **state)
{
    (void)state;
    assert_found(
        "local OUT <const> = 5",
        "local a, b <const>, c = 1, 2.5, 'x'\n"
        "local t = { 1, 2, [10] = 3, n = { m = 1 }, select('#', 1, 2) }\n"
        "for i = 10, 1, -2 do a = a + i if i == 4 then break end end\n"
        "for k, v in pairs(t) do c = c .. k end\n"
        "while a > 100 do a = a - 1 end\n"
        "repeat a = a // 2 until a < 10\n"
        "a = a & 7 | 1 ~ 2 << 1 >> 1\n"
        "a = -a + ~a - #c * 2 / 3 % 4 ^ 2\n"
        "local f = function(...) local x, y = ... return x, y, ... end\n"
        "local d <close> = nil\n"
        "t.n.m, t[1], t['x y'] = f(1, 2)\n"
        "if not a then return nil elseif a == nil or b ~= 2 then return b else c = '' end\n"
        "do local s = 1 s = s + OUT end\n"
        "return s.done and (s.phase == 'a') or #s.leads > 0",
        "");
}

TEST_MAIN(CASE(a_misspelt_name_is_found_in_the_rule_itself), CASE(what_is_there_is_left_alone),
          CASE(a_misspelt_name_is_found_in_nested_closures),
          CASE(a_misspelt_name_is_found_behind_another_name_for_the_view),
          CASE(a_misspelt_name_is_found_in_a_helper),
          CASE(a_helper_of_another_file_is_looked_into_there),
          CASE(a_helper_is_looked_into_with_the_eyes_of_its_caller),
          CASE(moves_and_reducers_are_looked_into_too),
          CASE(a_function_keeps_nothing_between_two_calls),
          CASE(global_names_and_the_environment_are_no_variables),
          CASE(a_function_of_many_constants_is_read_too), CASE(all_of_the_language_is_read))
