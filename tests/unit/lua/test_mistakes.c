/* test_mistakes.c - a typical mistake in a pack is told with its file and line, and what was
 * expected. */
#include "tests/unit/lua/support.h"

struct mistake {
    const char *text; /* of national/pack.lua; what is usual is put before and behind */
    const char *problem;
};

/* Lines 1 to 6; the mistake begins in line 7. */
#define HEAD                                                                                       \
    "return pack {\n"                                                                              \
    "  name = 'test',\n"                                                                           \
    "  facts = { school = { leads = set(person), phase = initially('a', { 'a', 'b' }), done = "    \
    "bool } },\n"                                                                                  \
    "  events = { go = { title = 'Go', subject = 'school', data = {} } },\n"                       \
    "  params = { needed = 2, flag = true },\n"                                                    \
    "  on = { school = { go = function(s, e) end } },\n"
#define P7 "national/pack.lua:7: "
#define P8 "national/pack.lua:8: "
#define P9 "national/pack.lua:9: "

static const struct mistake MISTAKES[] = {
    /* sections */
    { "  ruls = {},", P7 "unknown key 'ruls' in a pack; did you mean \"rules\"?" },
    { "  rules = 5,", P7 "rules is a number; expected a table" },
    { "  rules = { function() end },", P7 "an entry of rules has no name; expected name = ..." },
    { "  rules = { [true] = 1 },", P7 "a key is true or false; expected a name" },
    { "  tests = 'none',", P7 "tests is a text; expected a list" },
    { "  version = 2026,", P7 "version is a number; expected a text" },

    /* rules */
    { "  rules = { a = 5 },",
      P7 "a: expected rule { ... }, criterion, all_of, any_of, unless or shown" },
    { "  rules = { a = alert { 'A', source = 'x', function(s) end } },",
      P7 "a: expected rule { ... }, criterion, all_of, any_of, unless or shown" },
    { "  alerts = { a = rule { 'A', source = 'x', function(s) end } },",
      P7 "a: expected alert { \"title\", function(s) ... end }" },
    { "  rules = {\n    a = rule { source = 'x', function(s) end } },",
      P8 "a has no title; expected a sentence as the first entry\n" P8
         "a has no function; expected function(s) ... end" },
    { "  rules = { a = rule { 'A', function(s) end } },",
      P7 "a names no source; expected source = \"where this rule comes from\"" },
    { "  rules = { a = rule { 'A', source = 'x' } },",
      P7 "a has no function; expected function(s) ... end" },
    { "  rules = { a = rule { 'A', source = 'x', function(s) end,\n      advise = 'Do it' } },",
      P8 "unknown key 'advise' in a; did you mean \"advice\"?" },
    { "  rules = { a = rule { 'A', source = 'x', function(s) end, function(s) end } },",
      P7 "a: entry 3 is a function; expected one function after the title" },
    { "  rules = { a = rule { 'A', source = 'x', function(s) end, waivable = 'yes' } },",
      P7 "waivable is a text; expected true or false" },
    { "  rules = { a = rule { 'A', source = 'x', function(s) end, of = 'scool' } },",
      P7 "a: of = 'scool'; expected school, group or hub" },
    { "  rules = { a = rule { 'A', source = 5, function(s) end } },",
      P7 "source is a number; expected a text\n" P7
         "a names no source; expected source = \"where this rule comes from\"" },
    { "  rules = { leads = rule { 'Leads', source = 'x', function(s) end } },",
      P7 "rule leads has the name of a fact (national/pack.lua:3); to show that fact write shown { "
         "\"title\" }" },
    { "  rules = { reached = rule { 'R', source = 'x', function(s) end } },",
      P7 "a rule can not be called reached: that word is taken (s.reached)" },
    { "  rules = { x = shown { 'X', source = 'x' } },",
      P7 "shown: there is no single-valued fact called 'x'" },
    { "  rules = { leads = shown { 'X', source = 'x' } },",
      P7 "shown: there is no single-valued fact called 'leads'" },
    { "  rules = { a = all_of { 'A', source = 'x' } },",
      P7 "a lists no criteria; expected names of rules after the title" },
    { "  rules = { two = rule { 'T', source = 'x', function(s) end },\n"
      "    a = all_of { 'A', 'tow', source = 'x' } },",
      P8 "a: unknown rule 'tow'; did you mean \"two\"?" },
    { "  rules = { two = rule { 'T', source = 'x', function(s) end },\n    a = all_of { 'A', "
      "'two',\n"
      "      'tow', source = 'x' } },",
      P9 "a: unknown rule 'tow'; did you mean \"two\"?" },
    { "  rules = { phase = shown { 'P', source = 'x' }, done = shown { 'D', source = 'x' },\n"
      "    a = any_of { 'A', 'done',\n      'phase', source = 'x' } },",
      P9 "a: phase shows a fact, one of a, b, and can not be met; expected a rule that is true or "
         "false (national/pack.lua:7)" },
    { "  rules = { a = all_of { 'A', function(s) end, source = 'x' } },",
      P7 "a: criterion 1 is a function; expected the name of a rule" },
    { "  rules = { g = rule { 'G', of = 'group', source = 'x', function(g) end },\n"
      "    a = all_of { 'A', 'g', source = 'x' } },",
      P8 "a is about a school and can not read g, which is about a group" },
    { "  rules = { a = all_of { 'A', 'c', source = 'x' },\n"
      "    c = rule { 'C', source = 'x', function(s) return not s.b end },\n"
      "    b = any_of { 'B', 'a', source = 'x' } },",
      P7 "rule a reads itself: a -> c -> b -> a" },
    { "  rules = { a = rule { 'A', source = 'x',\n    function(s) return s.a end } },",
      P7 "rule a reads itself: a -> a" },
    { "  rules = { a = rule { 'A', source = 'x', function(s) end },\n"
      "    a = rule { 'A', source = 'x', function(s) end } },",
      P8 "rules: a is written twice; the first is at national/pack.lua:7" },

    /* what a rule needs */
    { "  rules = { a = rule { 'A', source = 'x', needs = at_least('neded'), function(s) end } },",
      P7 "a: unknown parameter 'neded'; did you mean \"needed\"?\n"
         "" },
    { "  rules = { a = rule { 'A', source = 'x', needs = at_least('flag'), function(s) end } },",
      P7 "a: at_least: found true or false, expected a number or a parameter's name" },
    { "  rules = { a = rule { 'A', source = 'x', needs = at_most {}, function(s) end } },",
      P7 "a: at_most: found a table, expected a number or a parameter's name" },
    { "  rules = { a = rule { 'A', source = 'x', needs = 2, function(s) end } },", P7
      "a: needs = something else; expected at_least(...), at_most(...) or equal_to(...) beside a "
      "function" },
    { "  rules = { a = rule { 'A', source = 'x', needs = at_least(1/0), function(s) end } },",
      P7 "a: at_least: found infinity (divided by 0?), expected a number" },
    { "  rules = { a = rule { 'A', source = 'x', needs = at_least(), function(s) end } },",
      P7 "at_least: a value is missing: at_least(...)" },

    /* moves */
    { "  moves = { school = { phas = once(function(s) end) } },",
      P7 "move phas: there is no fact of that name; did you mean \"phase\"?" },
    { "  moves = { school = { phase = once(function(s) end) } },", P7
      "move phase: expected once(function) for a bool, gather(function) for a set, first_of { ... "
      "} for a single value" },
    { "  moves = { school = { done = once(5) } },",
      P7 "move done: found a number; expected once(function(s) ... end)" },
    { "  moves = { school = { phase = first_of {} } },",
      P7 "move phase has no steps; expected { value, function(s) ... end }" },
    { "  moves = { school = { phase = first_of {\n    { 'c', function(s) end } } } },",
      P8 "move phase: found \"c\", expected one of a, b" },
    { "  moves = { school = { phase = first_of {\n    { 'b', from = 'a', function(s) end } } } },",
      P8 "move phase: from is a text; expected a list of values" },
    { "  moves = { school = { phase = first_of {\n    { 'b', from = { 'z' }, function(s) end } } } "
      "},",
      P8 "move phase: found \"z\", expected one of a, b" },
    { "  moves = { school = { phase = first_of {\n    { 'b' } } } },",
      P8 "move phase: a step has no function(s) that says when it holds" },
    { "  moves = { school = { phase = first_of {\n    { 'b', function(s) end, entr = 1 } } } },",
      P8 "unknown key 'entr' in a step of first_of; did you mean \"enter\"?" },
    { "  moves = { school = { phase = first_of {\n    { 'b', function(s) end, enter = 1 } } } },",
      P8 "move phase: enter is a number; expected function(s, at) ... end" },
    { "  moves = { school = { phase = first_of {\n    'b' } } },",
      P8 "move phase: a step is a text; expected { value, function(s) ... end }" },
    { "  moves = { scool = {} },", P7 "moves of 'scool'; expected school, group or hub = { ... }" },

    { "  rules = { a = rule { 'A', source = 'x',\n    function(s) return s:reached(2025-09-01) end "
      "} },",
      P8 "2025-09-01 without quotes is a calculation, which gives 2015; a date is a text: "
         "\"2025-09-01\"" },

    /* the environment */
    { "  rules = import 'ruls',", P7 "import: there is no ruls.lua in this pack" },
    { "  rules = rule 'x',", P7 "rule: found a text, expected a table: rule { ... }" },
    { "  title = undefined_name .. 'x',", P7 "unknown name 'undefined_name'" },
    { "  title = requires 'x',", P7 "unknown name 'requires'" },
    { "  title = strin.format('x'),", P7 "unknown name 'strin'; did you mean \"string\"?" },
    { "  title = ('x'):nope(),",
      P7 "'nope' is nothing here, where a function is expected; is its name right?" },
    { "  title = 'x'", "national/pack.lua:8: '}' expected (to close '{' at line 1) near 'return'" },
};

/* Mistakes in sections that HEAD has: these are whole packs. */
static const struct mistake PACKS[] = {
    { "return pack { events = {} }",
      "national/pack.lua:1: the pack has no name; expected name = \"...\" in a file" },
    { "return { name = 'x' }",
      "national/: no file here returns pack { ... }\n"
      "national/pack.lua:1: the file returned a table that is no pack, and no "
      "file imports it; expected return pack { ... }" },
    { "return 5",
      "national/pack.lua:1: the file returned a number; expected return pack { ... } or a "
      "table to import" },
    { "x = 5 return pack { name = 'x' }",
      "national/pack.lua:1: 'x' is assigned without local; a pack has no global variables" },
    { "local e = _ENV return pack { name = 'x' }",
      "national/pack.lua:1: _ENV can not be used in a pack" },
    { "local _ENV = {} return {}", "national/pack.lua:1: _ENV can not be used in a pack" },

    /* events */
    { "return pack { name = 'x',\nevents = {\n  go = 5 } }",
      "national/pack.lua:3: event go is a number; expected a table" },
    { "return pack { name = 'x', events = {\n  [\"a.b\"] = { subject = 'school', data = {} } } }",
      "national/pack.lua:2: event a.b has no title" },
    { "return pack { name = 'x', events = {\n  go = { title = 'Go', data = {} } } }",
      "national/pack.lua:2: event go has no subject; expected \"school\", \"group\" or \"hub\"" },
    { "return pack { name = 'x', events = {\n  go = { title = 'Go', subject = {}, data = {} } } }",
      "national/pack.lua:2: event go has no subject; expected \"school\", \"group\" or \"hub\"" },
    { "return pack { name = 'x', events = {\n go = { title = 'Go',\n subject = 'scool', data = {} "
      "} } }",
      "national/pack.lua:3: event go: unknown subject 'scool'; expected school, group or hub" },
    { "return pack { name = 'x', events = {\n  go = { title = 'Go', subject = 'school' } } }",
      "national/pack.lua:2: event go: data is nothing; expected a table of fields, {} when it has "
      "none" },
    { "return pack { name = 'x', events = { go = { title = 'Go', subject = 'school',\n data = {\n"
      "  who = 'person' } } } }",
      "national/pack.lua:3: event go: who is a text; expected a type such as text, person or "
      "enum "
      "{...}" },
    { "return pack { name = 'x', events = { go = { title = 'Go', subject = 'school', data = {\n "
      "text } } } }",
      "national/pack.lua:2: event go: a field of data has no name; expected name = type" },
    { "return pack { name = 'x', events = { go = { title = 'Go', subject = 'school', data = {\n"
      " marks = map(int, text) } } } }",
      "national/pack.lua:2: event go: marks: the names in a JSON object are texts: a map in an "
      "event "
      "has keys such as text or year" },
    { "return pack { name = 'x', events = { [\"event.voided\"] = { title = 'V', subject = "
      "'school', data = {} } } }",
      "national/pack.lua:1: event event.voided is declared twice; the first is at pathwayd "
      "itself" },
    { "return pack { name = 'x', events = { go = { titel = 'Go', subject = 'school', data = {} } } "
      "}",
      "national/pack.lua:1: unknown key 'titel' in an event; did you mean \"title\"?\n"
      "national/pack.lua:1: event go has no title" },

    /* facts */
    { "return pack { name = 'x',\nfacts = {\n school = {\n  a = 'text' } } }",
      "national/pack.lua:4: fact a: found a text, expected a type such as text, set(person) or "
      "map(year, int)" },
    { "return pack { name = 'x', facts = { school = {\n  a = { 1, 2 } } } }",
      "national/pack.lua:2: fact a: found a table, expected a type such as text, set(person) or "
      "map(year, int)" },
    { "return pack { name = 'x', facts = { school = { a = note } } }",
      "national/pack.lua:1: fact a: a note is for people, and rules can not read it" },
    { "return pack { name = 'x', facts = { school = { a = list(set(text)) } } }",
      "national/pack.lua:1: fact a: a list holds single values or rows, not sets, lists or maps" },
    { "return pack { name = 'x', facts = { school = { a = row { b = set(text) } } } }",
      "national/pack.lua:1: fact a: a row holds single values and rows, not sets, lists or maps" },
    { "return pack { name = 'x', facts = { scool = {} } }",
      "national/pack.lua:1: facts of 'scool'; expected school, group or hub" },
    { "return pack { name = 'x', facts = { school = 5 } }",
      "national/pack.lua:1: facts.school is a number; expected a table" },
    { "return pack { name = 'x', facts = { school = {\n param = text } } }",
      "national/pack.lua:2: a fact can not be called param: that word is taken (s.param)" },
    { "return pack { name = 'x', facts = { school = { a = set(set(text)) } } }",
      "national/pack.lua:1: set: holds single values such as text or person, not containers" },
    { "return pack { name = 'x', facts = { school = { a = map(text) } } }",
      "national/pack.lua:1: map: found nothing, expected a type such as text, person or enum "
      "{...}" },
    { "return pack { name = 'x', facts = { school = {\n a = enum { 1 } } } }",
      "national/pack.lua:2: enum: value 1 is a number; expected a text" },
    { "return pack { name = 'x', facts = { school = { a = int(6, 1) } } }",
      "national/pack.lua:1: int: the lower bound 6 is above the upper one 1" },
    { "return pack { name = 'x', facts = { school = { a = int(1) } } }",
      "national/pack.lua:1: int: found a number and nothing, expected two whole numbers: int(1, "
      "6)" },
    { "return pack { name = 'x', facts = { school = { a = initially(5, text) } } }",
      "national/pack.lua:1: initially: found a number, expected text" },
    { "return pack { name = 'x', facts = { school = { a = list(row { text }) } } }",
      "national/pack.lua:1: row: a field needs a name: row { name = type }" },

    /* parameters and the calendar */
    { "return pack { name = 'x', params = {\n a = 0/0, b = { 1, from = {\n"
      "  ['2024-09-01'] = -1/0 } } } }",
      "national/pack.lua:2: parameter a is no number (0 divided by 0); expected a number, a text "
      "or "
      "true or false\n"
      "national/pack.lua:3: parameter b: from 2024-09-01 it is minus infinity (divided by 0?), "
      "before "
      "that a number" },
    { "return pack { name = 'x', params = {\n a = { 2, 3 } } }",
      "national/pack.lua:2: parameter a has 2 values; expected one, and what it is later as from = "
      "{ "
      "[\"2024-09-01\"] = value }" },
    { "return pack { name = 'x', facts = { school = {\n a = integer } } }",
      "national/pack.lua:2: unknown name 'integer': whole numbers are of type int" },
    { "return pack { name = 'x', params = {\n a = {} } }",
      "national/pack.lua:2: parameter a is nothing; expected a number, a text or true or false" },
    { "return pack { name = 'x', params = {\n a = { 1, from = {\n  ['1 May'] = 2 } } } }",
      "national/pack.lua:3: parameter a: found \"1 May\", expected a date such as 2026-11-21: a "
      "date "
      "has four, two and two digits" },
    { "return pack { name = 'x', params = { a = { 1, from = {\n  ['2024-09-01'] = 'two' } } } }",
      "national/pack.lua:2: parameter a: from 2024-09-01 it is a text, before that a number" },
    { "return pack { name = 'x', params = { a = { 1, form = {} } } }",
      "national/pack.lua:1: unknown key 'form' in a parameter; did you mean \"from\"?" },
    { "return pack { name = 'x', params = { a = { 1, from = {\n  ['2025-09-01'] = 3,\n"
      "  ['2024-09-01'] = 2 } } } }",
      "national/pack.lua:2: parameter a: 2025-09-01 stands before an earlier date; expected dates "
      "in "
      "order, the earliest first" },
    { "return pack { name = 'x', params = { a = { 1, from = {\n  ['2025-09-01'] = 3,\n"
      "  ['2025-09-01'] = 2 } } } }",
      "national/pack.lua:2: parameter a: 2025-09-01 is written twice" },
    { "return pack { name = 'x', params = { a = { 1, from = 2 } } }",
      "national/pack.lua:1: parameter a: from is a number; expected { [\"2024-09-01\"] = value }" },
    { "return pack { name = 'x', params = { a = { 1, from = { 2 } } } }",
      "national/pack.lua:1: parameter a: found a number, expected a date such as 2026-11-21" },
    { "return pack { name = 'x', calendar = {\n ['2024'] = {} } }",
      "national/pack.lua:2: calendar: found \"2024\", expected an academic year such as 2024/25: "
      "it "
      "has four digits, a slash and two digits" },
    { "return pack { name = 'x', calendar = { ['2024/25'] = { '2024-09-01', '2024-11-01', "
      "'2025-01-06',\n"
      " '2025-02-24', '2025-02-22', '2025-06-02' } } }",
      "national/pack.lua:1: calendar 2024/25: half term 5: found 2025-02-22; expected six days of "
      "that "
      "year, in order" },
    { "return pack { name = 'x', calendar = {\n"
      " ['2024/25'] = { '2024-09-01', '2024-11-01', '2025-01-06', '2025-02-24', '2025-04-22', "
      "'2025-06-02' },\n"
      " ['2026/27'] = { '2026-09-01', '2026-11-02', '2027-01-04', '2027-02-22', '2027-04-12', "
      "'2027-06-07' } } }",
      "national/pack.lua:3: calendar: 2026/27 does not follow the year before; years may not be "
      "left "
      "out" },

    /* reducers */
    { "return pack { name = 'x', events = { go = { title = 'Go', subject = 'school', data = {} } "
      "},\n"
      "on = { school = {\n og = function(s, e) end } } }",
      "national/pack.lua:3: on.school: unknown event 'og'; did you mean \"go\"?" },
    { "return pack { name = 'x', events = { go = { title = 'Go', subject = 'school', data = {} } "
      "},\n"
      "on = { school = {\n go = 'x' } } }",
      "national/pack.lua:3: on.school[\"go\"] is a text; expected function(s, e) ... end" },
    { "return pack { name = 'x', on = { school = { ['*'] = { function(s, e) end, except = { 'go' } "
      "} } } }",
      "national/pack.lua:1: except: unknown event 'go'" },
    { "return pack { name = 'x', on = { school = { ['*'] = { function(s, e) end, exept = {} } } } "
      "}",
      "national/pack.lua:1: unknown key 'exept' in on[\"*\"]; did you mean \"except\"?" },
    { "return pack { name = 'x', on = { school = { ['*'] = { function(s, e) end, except = 'go' } } "
      "} }",
      "national/pack.lua:1: except is a text; expected a list of event types" },
    { "return pack { name = 'x', on = { scool = {} } }",
      "national/pack.lua:1: on.scool; expected school, group or hub = { [\"event.type\"] = "
      "function(s, "
      "e) ... end }" },
};

static size_t check(const char *text, const char *expected)
{
    char wanted[4096];
    const char *found = problems_of(text);
    size_t len = (size_t)snprintf(wanted, sizeof(wanted), "%s", expected);

    if (len > 0 && wanted[len - 1] == '\n')
        wanted[len - 1] = '\0'; /* only that the message begins so */
    if (strcmp(found, wanted) == 0)
        return 0;
    print_message("%s\n  found    %s\n  expected %s\n", text, found, wanted);
    return 1;
}

static void a_typical_mistake_is_told_with_its_line(void **state)
{
    size_t wrong = 0;
    char text[4096];
    (void)state;

    for (size_t i = 0; i < sizeof(MISTAKES) / sizeof(MISTAKES[0]); i++) {
        snprintf(text, sizeof(text), HEAD "%s\n}\n", MISTAKES[i].text);
        if (strstr(MISTAKES[i].problem, "near 'return'"))
            snprintf(text, sizeof(text), HEAD "%s\nreturn 1\n", MISTAKES[i].text);
        wrong += check(text, MISTAKES[i].problem);
    }
    for (size_t i = 0; i < sizeof(PACKS) / sizeof(PACKS[0]); i++)
        wrong += check(PACKS[i].text, PACKS[i].problem);
    assert_int_equal(wrong, 0);
}

TEST_MAIN(CASE(a_typical_mistake_is_told_with_its_line))
