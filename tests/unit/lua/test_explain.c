/* test_explain.c - how a decision came about, for people; and which basic criteria are missing. */
#include "tests/unit/lua/support.h"

static const char PACK[] =
    "return pack { name = 'test', params = { few = 2 }, events = {\n"
    "  lead = { title = 'Lead', subject = 'school', data = { who = person } },\n"
    "  grant = { title = 'Waived', subject = 'school', data = { rule = text } },\n"
    "},\n"
    "facts = { school = { leads = set(person), open = bool, phase = initially('none', { 'none', "
    "'some' }) } },\n"
    "on = { school = { lead = function(s, e) s.leads:add(e.data.who) end,\n"
    "  grant = function(s, e) s:waive { rule = e.data.rule } end } },\n"
    "rules = {\n"
    "  two = rule { 'Two leads are named', source = 's', waivable = true, needs = "
    "at_least('few'),\n"
    "    function(s) return #s.leads end, advice = 'Name a lead.' },\n"
    "  is_open = criterion { 'It is open', function(s) return s.open end },\n"
    "  none_late = unless { 'Nothing is late', 'late', 'very_late', source = 's' },\n"
    "  late = criterion { 'Something is late', function(s) return #s.leads == 1 end },\n"
    "  very_late = criterion { 'Something is very late', function(s) return false end },\n"
    "  some = any_of { 'Open or led', 'is_open', 'two', source = 's' },\n"
    "  all = all_of { 'May join', 'some', 'none_late', 'two', source = 's', waivable = true },\n"
    "  phase = shown { 'The phase', source = 's' },\n"
    "  bad = rule { 'Fails', source = 's', function(s) return nil + 1 end },\n"
    "} }\n";

static struct ruleset *RS;
static struct record *R;

static int setup(void **state)
{
    (void)state;
    RS = load_pack(PACK);
    R = new_record(RS, SCHOOL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    record_free(R);
    ruleset_free(RS);
    return 0;
}

/* The lines, and "missing: ..." below them. */
static const char *explain(const char *decision)
{
    static char text[4096];
    struct buf out = { 0 }, missing = { 0 };
    struct err why;

    if (record_explain(&out, &missing, R, decision, at("2025-01-01"), &why) == OK)
        snprintf(text, sizeof(text), "%smissing: %s", buf_cstr(&out), buf_cstr(&missing));
    else
        snprintf(text, sizeof(text), "%s", why.msg);
    buf_fini(&out);
    buf_fini(&missing);
    return text;
}

static void all_that_is_missing_is_listed_with_what_was_seen_and_needed(void **state)
{
    (void)state;
    assert_string_equal(
        explain("all"),
        "[no]  May join  (all, national/pack.lua:16)\n"
        "  [no]  Open or led  (some, national/pack.lua:15)\n"
        "    [no]  It is open  (is_open, national/pack.lua:11)\n"
        "    [no]  Two leads are named: 0, needed at least 2 -> Name a lead.  (two, "
        "national/pack.lua:9)\n"
        "  [yes] Nothing is late  (none_late, national/pack.lua:12)\n"
        "    [no]  Something is late  (late, national/pack.lua:13)\n"
        "    [no]  Something is very late  (very_late, national/pack.lua:14)\n"
        "  [no]  Two leads are named: 0, needed at least 2 -> Name a lead.  (two, "
        "national/pack.lua:9)\n"
        "missing: is_open two");
}

/* Of a rule that wants none of its criteria, it is the rule that is missing, not what is rightly
 * not met. */
static void a_rule_that_wants_none_is_missing_itself(void **state)
{
    (void)state;
    take_event(R, "lead", "2025-01-01", "{\"who\":\"a\"}");
    assert_string_equal(explain("none_late"),
                        "[no]  Nothing is late  (none_late, national/pack.lua:12)\n"
                        "  [yes] Something is late  (late, national/pack.lua:13)\n"
                        "  [no]  Something is very late  (very_late, national/pack.lua:14)\n"
                        "missing: none_late");
}

static void what_a_met_rule_lacks_is_not_missing(void **state)
{
    (void)state;
    take_event(R, "lead", "2025-01-01", "{\"who\":\"a\"}");
    take_event(R, "lead", "2025-01-01", "{\"who\":\"b\"}");
    assert_string_equal(explain("some"), "[yes] Open or led  (some, national/pack.lua:15)\n"
                                         "  [no]  It is open  (is_open, national/pack.lua:11)\n"
                                         "  [yes] Two leads are named: 2, needed at least 2  (two, "
                                         "national/pack.lua:9)\n"
                                         "missing: ");
}

static void what_is_waived_is_said_and_not_missing(void **state)
{
    (void)state;
    take_event(R, "grant", "2025-01-01", "{\"rule\":\"two\"}");
    assert_string_equal(explain("two"), "[yes] Two leads are named: 0, needed at least 2 (waived)  "
                                        "(two, national/pack.lua:9)\n"
                                        "missing: ");
    take_event(R, "grant", "2025-01-01", "{\"rule\":\"all\"}");
    assert_non_null(
        strstr(explain("all"), "[yes] May join (waived)  (all, national/pack.lua:16)\n"));
    assert_non_null(strstr(explain("all"), "missing: "));
    assert_string_equal(strstr(explain("all"), "missing: "), "missing: ");
}

static void a_decision_that_is_no_yes_or_no_shows_its_value(void **state)
{
    (void)state;
    assert_string_equal(explain("phase"),
                        "      The phase: none  (phase, national/pack.lua:17)\nmissing: ");
}

static void what_can_not_be_explained_says_why(void **state)
{
    (void)state;
    assert_string_equal(explain("bad"),
                        "national/pack.lua:18: a value is nothing here, and can not be calculated "
                        "with; where it may be missing, write (... or 0)");
    assert_string_equal(explain("nothing"), "there is no rule 'nothing' about a school");
    assert_string_equal(explain("tow"),
                        "there is no rule 'tow' about a school; did you mean \"two\"?");
}

#define EXPLAIN_CASE(fn) CASE_WITH(fn, setup, teardown)
TEST_MAIN(EXPLAIN_CASE(all_that_is_missing_is_listed_with_what_was_seen_and_needed),
          EXPLAIN_CASE(a_rule_that_wants_none_is_missing_itself),
          EXPLAIN_CASE(what_a_met_rule_lacks_is_not_missing),
          EXPLAIN_CASE(what_is_waived_is_said_and_not_missing),
          EXPLAIN_CASE(a_decision_that_is_no_yes_or_no_shows_its_value),
          EXPLAIN_CASE(what_can_not_be_explained_says_why))
