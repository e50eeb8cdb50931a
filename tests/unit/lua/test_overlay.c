/* test_overlay.c - an overlay adds what is its own and changes what is open to it, in the allowed
 * direction; all else is told with both lines. */
#include "tests/unit/lua/support.h"

static const char NATIONAL[] =
    "return pack { name = 'national',\n"
    "params = {\n"
    "  needed = 2,\n"
    "  grace = { 14, stricter = 'lower' },\n"
    "  sealed = 1,\n"
    "  dated = { 2, from = { ['2025-09-01'] = 4 } },\n"
    "  any = 'x' },\n"
    "events = { go = { title = 'G', subject = 'school', data = { n = int } } },\n"
    "facts = { school = {\n"
    "  hub = hub,\n"
    "  total = initially(0, int),\n"
    "  seen = set(int) } },\n"
    "on = { school = { go = function(s, e) s.total = s.total + e.data.n s.seen:add(e.data.n) end } "
    "},\n"
    "rules = {\n"
    "  enough = rule { 'Enough', source = 's', waivable = true, needs = at_least('needed'),\n"
    "    function(s) return s.total end },\n"
    "  other = rule { 'Other', source = 's', waivable = true, function(s) return s.total > 5 end "
    "},\n"
    "  text = rule { 'Text', source = 's', function(s) return 'x' end } },\n"
    "alerts = { late = alert { 'Late', source = 's', function(s) return false end } },\n"
    "open = {\n"
    "  needed = tighten,\n"
    "  grace = tighten,\n"
    "  dated = loosen,\n"
    "  any = freely,\n"
    "  enough = tighten,\n"
    "  other = loosen } }\n";

static struct rulebook *load(const char *national, const char *overlay, char *said, size_t size)
{
    const struct ruleset_file files[] = {
        { .path = "hubs/07/overlay.lua", .text = overlay, .len = strlen(overlay) },
        { .path = "national/pack.lua", .text = national, .len = strlen(national) },
    };
    struct problems problems = { 0 };
    struct rulebook *b = NULL;
    size_t len = 0;

    assert_ok(civil_init(&err));
    assert_ok(digest_init(&err));
    enum err_code rc = rulebook_load_files(&b, files, 2, &problems, &err);
    assert_true((rc == OK) == (problems.count == 0));
    said[0] = '\0';
    for (const struct problem *p = problems.first; p && len < size; p = p->next)
        len += (size_t)snprintf(said + len, size - len, "%s%s", len ? "\n" : "", p->text);
    problems_fini(&problems);
    return b;
}

/* What is wrong with an overlay of hub 07 that says this. */
static const char *problems_with(const char *sections)
{
    static char said[4096];
    char text[2048];

    snprintf(text, sizeof(text), "return overlay { hub = '07',\n%s }", sections);
    rulebook_free(load(NATIONAL, text, said, sizeof(said)));
    return said;
}

/* The same of what a national pack opens. */
static const char *problems_opening(const char *open)
{
    static char said[4096];
    char text[2048];

    snprintf(text, sizeof(text),
             "return pack { name = 'n', params = { p = 1 },\n"
             "rules = { t = rule { 'T', source = 's', function(s) return 1 end },\n"
             "  r = rule { 'R', source = 's', waivable = true, function(s) return true end } },\n"
             "open = {\n%s } }",
             open);
    rulebook_free(load(text, "return overlay { hub = '07' }", said, sizeof(said)));
    return said;
}

static const struct {
    const char *sections, *said;
} MISTAKES[] = {
    { "params = { needed = 1 }", "hubs/07/overlay.lua:2: parameter needed is 1; the national pack "
                                 "has 2 (at national/pack.lua:3) and lets a hub "
                                 "only raise it (at national/pack.lua:21)" },
    { "params = { grace = 15 }", "hubs/07/overlay.lua:2: parameter grace is 15; the national pack "
                                 "has 14 (at national/pack.lua:4) and lets a hub "
                                 "only lower it (at national/pack.lua:22)" },
    { "params = { dated = { 2, from = { ['2025-10-01'] = 5 } } }",
      "hubs/07/overlay.lua:2: parameter dated is 5 from 2025-10-01; the national pack has 4 (at "
      "national/pack.lua:6) "
      "and lets a hub only lower it (at national/pack.lua:23)" },
    { "params = { needed = '3' }", "hubs/07/overlay.lua:2: parameter needed is a text; the "
                                   "national pack has a number (at national/pack.lua:3)" },
    { "params = { sealed = 2 }",
      "hubs/07/overlay.lua:2: parameter sealed belongs to the national pack (at "
      "national/pack.lua:5), which does not "
      "open it to hubs; open are any, dated, enough, grace, needed, other" },
    { "params = { neded = 3 }", "hubs/07/overlay.lua:2: parameter neded: the national pack has "
                                "none of that name, and what hub 07 adds begins "
                                "with h07_, as in h07_neded; did you mean \"needed\"?" },
    { "rules = { text = tighten { 'T', 'enough', source = 's' } }",
      "hubs/07/overlay.lua:2: rule text belongs to the national pack (at national/pack.lua:18), "
      "which does not open it "
      "to hubs; open are any, dated, enough, grace, needed, other" },
    { "rules = { enough = loosen { 'T', 'other', source = 's' } }",
      "hubs/07/overlay.lua:2: rule enough belongs to the national pack (at national/pack.lua:15), "
      "which opens it to "
      "tighten only (at national/pack.lua:25); expected tighten { \"title\", \"criterion\" ... }" },
    { "rules = { enough = rule { 'T', source = 's', function(s) return true end } }",
      "hubs/07/overlay.lua:2: rule enough belongs to the national pack (at national/pack.lua:15), "
      "which opens it to "
      "tighten only (at national/pack.lua:25); expected tighten { \"title\", \"criterion\" ... }" },
    { "rules = { enough = tighten { 'T', 'h07_x', source = 's' } }",
      "hubs/07/overlay.lua:2: enough: unknown rule 'h07_x'" },
    { "rules = { mine = rule { 'T', source = 's', function(s) return true end } }",
      "hubs/07/overlay.lua:2: rule mine: the national pack has none of that name, and what hub 07 "
      "adds "
      "begins with h07_, "
      "as in h07_mine" },
    { "alerts = { late = alert { 'L', source = 's', function(s) return true end } }",
      "hubs/07/overlay.lua:2: alert late belongs to the national pack (at national/pack.lua:19), "
      "which does not open "
      "it to hubs; open are any, dated, enough, grace, needed, other" },
    { "facts = { school = { total = int } }",
      "hubs/07/overlay.lua:2: fact total belongs to the national pack (at national/pack.lua:11), "
      "which does not open "
      "it to hubs; open are any, dated, enough, grace, needed, other" },
    { "events = { go = { title = 'G', subject = 'school', data = {} } }",
      "hubs/07/overlay.lua:2: event go belongs to the national pack (at national/pack.lua:8), "
      "which does not open it "
      "to hubs; open are any, dated, enough, grace, needed, other" },
    { "events = { ['h08.go'] = { title = 'G', subject = 'school', data = {} } }",
      "hubs/07/overlay.lua:2: event h08.go: the national pack has none of that name, and what hub "
      "07 "
      "adds begins with "
      "h07., as in h07.h08.go" },
    { "moves = { school = { total = once(function(s) return true end) } }",
      "hubs/07/overlay.lua:2: move total belongs to the national pack (at national/pack.lua:11), "
      "which does not open "
      "it to hubs; open are any, dated, enough, grace, needed, other" },
    { "on = { school = { go = function(s, e)\n  s.total = 5\nend } }",
      "hubs/07/overlay.lua:3: fact total belongs to the national pack (at national/pack.lua:11); "
      "an overlay changes "
      "facts of its own" },
    { "on = { school = { go = function(s, e)\n  s:waive { rule = 'enough' }\nend } }",
      "hubs/07/overlay.lua:3: s:waive: waivers belong to the national pack; an overlay changes "
      "facts of its own" },
    { "on = { school = { ['*'] = function(s, e) end } }",
      "hubs/07/overlay.lua:2: on.school[\"*\"]: an overlay has reducers for events by name, not "
      "for all of them" },
    { "name = 'x'", "hubs/07/overlay.lua:2: unknown key 'name' in an overlay" },
    { "open = { needed = tighten }", "hubs/07/overlay.lua:2: unknown key 'open' in an overlay" },
    { "title = import('pack').name",
      "hubs/07/overlay.lua:2: import: there is no pack.lua in this pack" },
};

static void what_an_overlay_may_not_do_is_told_with_both_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(MISTAKES) / sizeof(MISTAKES[0]); i++)
        assert_string_equal(problems_with(MISTAKES[i].sections), MISTAKES[i].said);
}

static void an_overlay_says_whose_it_is(void **state)
{
    char said[1000];
    (void)state;
    rulebook_free(load(NATIONAL, "return overlay {\n hub = '08' }", said, sizeof(said)));
    assert_string_equal(
        said, "hubs/07/overlay.lua:2: the overlay is of hub 08, and its folder is called 07; they "
              "must be the same");
    rulebook_free(load(NATIONAL, "return overlay { title = 'T' }", said, sizeof(said)));
    assert_string_equal(
        said, "hubs/07/overlay.lua:1: the overlay names no hub; expected hub = \"07\" in a "
              "file");
    rulebook_free(load(NATIONAL, "return pack { name = 'x' }", said, sizeof(said)));
    assert_string_equal(
        said,
        "hubs/07/overlay.lua:1: the file returned pack { ... }; expected overlay { ... }, since "
        "it is a file of a hub's overlay");
    rulebook_free(
        load("return overlay { hub = '07' }", "return overlay { hub = '07' }", said, sizeof(said)));
    assert_string_equal(
        said,
        "national/pack.lua:1: the file returned overlay { ... }; expected pack { ... }, since "
        "it is a file of the national pack");
}

static void what_is_opened_must_be_there_and_a_yes_or_no(void **state)
{
    (void)state;
    assert_string_equal(problems_opening("p = tighten, r = loosen"), "");
    assert_string_equal(problems_opening("q = tighten"),
                        "national/pack.lua:5: open.q: there is no parameter or rule of that name");
    assert_string_equal(
        problems_opening("p = 'tighten'"),
        "national/pack.lua:5: open.p is a text; expected tighten, loosen or freely");
    assert_string_equal(
        problems_opening("r = freely"),
        "national/pack.lua:5: open.r: a rule can be opened to tighten or to loosen, not freely");
    assert_string_equal(problems_opening("t = tighten"),
                        "national/pack.lua:5: open.t: only a rule that says yes or no can be "
                        "opened: all_of, any_of, "
                        "unless, or one that has needs or is waivable (at national/pack.lua:2)");
}

/* ---- what holds in one hub ---- */

static const char OVERLAY[] =
    "return overlay { hub = '07', title = 'T', version = '1',\n"
    "params = { needed = { 2, from = { ['2025-01-01'] = 3 } }, any = 'y', h07_limit = 4 },\n"
    "events = { ['h07.note'] = { title = 'N', subject = 'school', data = { n = int } } },\n"
    "facts = { school = { h07_sum = initially(0, int), h07_years = map(year, set(int)) } },\n"
    "on = { school = {\n"
    "  ['h07.note'] = function(s, e) s.h07_sum = s.h07_sum + e.data.n end,\n"
    "  go = function(s, e)\n"
    "    s.h07_years['2024/25']:add(e.data.n)\n"
    "    if e.data.n == 66 then s.seen:add(1) end\n"
    "  end } },\n"
    "rules = {\n"
    "  h07_small = criterion { 'Small', function(s) return s.total < s.param.h07_limit end },\n"
    "  h07_sum = shown { 'Sum', source = 's' },\n"
    "  h07_count = rule { 'Count', source = 's', function(s) return #s.h07_years['2024/25'] end "
    "},\n"
    "  enough = tighten { 'And small', 'h07_small', source = 's' },\n"
    "  other = loosen { 'Or small', 'h07_small', source = 's' } } }\n";

static struct rulebook *BOOK;
static struct record *HERE, *THERE;

static int load_both(void **state)
{
    char said[4096];
    (void)state;
    BOOK = load(NATIONAL, OVERLAY, said, sizeof(said));
    if (!BOOK)
        fail_msg("%s", said);
    HERE = new_record(rulebook_of_hub(BOOK, "07"), SCHOOL);
    THERE = new_record(rulebook_of_hub(BOOK, "08"), SCHOOL);
    return 0;
}

static int free_both(void **state)
{
    (void)state;
    record_free(HERE);
    record_free(THERE);
    rulebook_free(BOOK);
    return 0;
}

static void go(int n)
{
    char data[40];
    snprintf(data, sizeof(data), "{\"n\":%d}", n);
    take_event(HERE, "go", "2024-06-01", data);
    take_event(THERE, "go", "2024-06-01", data);
}

static void a_rule_is_tightened_and_loosened_in_that_hub_alone(void **state)
{
    (void)state;
    assert_ptr_equal(rulebook_of_hub(BOOK, NULL), rulebook_of_hub(BOOK, "08"));
    assert_decision(HERE, "2024-07-01", "enough", "false");
    assert_decision(HERE, "2024-07-01", "other", "true");
    assert_decision(THERE, "2024-07-01", "other", "false");
    go(2);
    assert_decision(HERE, "2024-07-01", "enough", "true");
    assert_decision(HERE, "2025-01-01", "enough", "false"); /* three are needed from here on */
    assert_decision(THERE, "2025-01-01", "enough", "true");
    go(1);
    assert_decision(HERE, "2025-01-01", "enough", "true");
    go(1);
    assert_decision(HERE, "2025-01-01", "enough", "false"); /* too large */
    assert_decision(THERE, "2025-01-01", "enough", "true");
    assert_decision(HERE, "2025-01-01", "other", "false");
    go(2);
    assert_decision(HERE, "2025-01-01", "other", "true");
}

static void an_overlay_has_facts_and_events_of_its_own(void **state)
{
    (void)state;
    take_event(HERE, "h07.note", "2024-06-01", "{\"n\":3}");
    take_event(HERE, "h07.note", "2024-06-01", "{\"n\":4}");
    go(5);
    assert_decision(HERE, "2025-01-01", "h07_sum", "7");
    assert_decision(HERE, "2025-01-01", "h07_count", "1");
    assert_non_null(catalog_find(rulebook_catalog(BOOK), "h07.note"));
    assert_null(catalog_find(ruleset_catalog(rulebook_of_hub(BOOK, NULL)), "h07.note"));
}

/* The check of names when a pack is loaded sees s.seen:add(...) as reading a fact, which an overlay
 * may. */
static void a_national_set_is_not_changed_either(void **state)
{
    (void)state;
    assert_string_equal(
        try_event(HERE, SCHOOL, "go", "2024-06-01", "{\"n\":66}"),
        "hubs/07/overlay.lua:9: this set belongs to the national pack; an overlay changes facts of "
        "its own");
}

static void an_explanation_says_what_the_hub_asks(void **state)
{
    struct buf out = { 0 }, missing = { 0 };
    (void)state;
    go(7);
    assert_ok(record_explain(&out, &missing, HERE, "enough", at("2025-02-01"), &err));
    assert_string_equal(buf_cstr(&out),
                        "[no]  Enough  (enough, national/pack.lua:15)\n"
                        "      hub 07 also asks: And small  (hubs/07/overlay.lua:15)\n"
                        "  [yes] Enough (national): 7, needed at least 3 (by hub 07, "
                        "hubs/07/overlay.lua:2; nationally 2)  "
                        "(enough (national), national/pack.lua:15)\n"
                        "  [no]  Small  (h07_small, hubs/07/overlay.lua:12)\n");
    assert_string_equal(buf_cstr(&missing), "h07_small");
    buf_fini(&out);
    buf_fini(&missing);
}

/* They are most of its text, and there may be forty hubs. */
static void an_overlay_is_loaded_without_the_national_tests(void **state)
{
    static const char TESTS[] = "return pack { tests = import 'shared' }", SHARED[] = "return {}",
                      MIXED[] = "return pack { tests = {}, params = {} }",
                      BARE[] = "return overlay { hub = '07' }",
                      OWN[] = "return overlay { tests = {} }";
    const struct ruleset_file files[] = {
        { .path = "hubs/07/overlay.lua", .text = BARE, .len = strlen(BARE) },
        { .path = "hubs/07/tests.lua", .text = OWN, .len = strlen(OWN) },
        { .path = "national/mixed.lua", .text = MIXED, .len = strlen(MIXED) },
        { .path = "national/pack.lua", .text = NATIONAL, .len = strlen(NATIONAL) },
        { .path = "national/shared.lua", .text = SHARED, .len = strlen(SHARED) },
        { .path = "national/tests.lua", .text = TESTS, .len = strlen(TESTS) },
    };
    struct rulebook *b;
    struct ruleset_file file;
    (void)state;

    assert_ok(rulebook_load_files(&b, files, 6, NULL, &err));
    for (int i = 0; rulebook_file_at(&file, b, i); i++)
        assert_int_equal(file.is_tests, strcmp(file.path, "national/tests.lua") == 0);
    rulebook_free(b);
}

#define IN_BOTH(test) CASE_WITH(test, load_both, free_both)

TEST_MAIN(CASE(what_an_overlay_may_not_do_is_told_with_both_lines),
          CASE(an_overlay_says_whose_it_is), CASE(an_overlay_is_loaded_without_the_national_tests),
          CASE(what_is_opened_must_be_there_and_a_yes_or_no),
          IN_BOTH(a_rule_is_tightened_and_loosened_in_that_hub_alone),
          IN_BOTH(an_overlay_has_facts_and_events_of_its_own),
          IN_BOTH(a_national_set_is_not_changed_either),
          IN_BOTH(an_explanation_says_what_the_hub_asks))
