/* test_overlay_check.c - an overlay that moves a school where the national pack does not let it is
 * refused, by name. */
#include "tests/unit/engine/support.h"

#include "engine/overlay_check.h"

static const char NATIONAL[] =
    "return pack { name = 'national', params = { needed = 2, days = 5 },\n"
    "events = {\n"
    "  at = { title = 'A', subject = 'school', data = { hub = hub } },\n"
    "  go = { title = 'G', subject = 'school', data = { n = int } } },\n"
    "facts = { school = { hub = hub, total = initially(0, int), stage = initially('a', { 'a', 'b', "
    "'c' }),\n"
    "  big = bool } },\n"
    "on = { school = { at = function(s, e) s.hub = e.data.hub end,\n"
    "  go = function(s, e) s.total = s.total + e.data.n end } },\n"
    "moves = { school = {\n"
    "  big = once(function(s) return s.total >= 9 end),\n"
    "  stage = first_of { { 'b', from = { 'a' }, function(s) return s.enough end },\n"
    "    { 'c', from = { 'a' }, function(s) return s.total >= 2 and not s.enough end } } } },\n"
    "rules = {\n"
    "  enough = rule { 'E', source = 's', waivable = true, needs = at_least('needed'),\n"
    "    function(s) return s.total end },\n"
    "  lacking = unless { 'L', 'enough', source = 's' },\n"
    "  easy = rule { 'Z', source = 's', waivable = true, function(s) return s.total >= 1 end } },\n"
    "alerts = { low = alert { 'Low', source = 's', function(s) return not s.easy end } },\n"
    "open = { needed = tighten, easy = loosen, days = freely } }\n";

static struct log LOG;
static struct buf SAID;

static void take_refusal(const struct overlay_refusal *r, void *arg)
{
    (void)arg;
    buf_printf(&SAID, "%s%s%s %s %s->%s", SAID.len ? "\n" : "", r->is_unclear ? "unclear " : "",
               r->subject, r->what, r->national ? r->national : "", r->here ? r->here : r->why);
}

/* What the check says of schools 1 (of hub 07) and 2 (of another), each with this total. */
static const char *check_by(const char *national, const char *overlay, int total)
{
    const struct ruleset_file files[] = {
        { .path = "hubs/07/o.lua", .text = overlay, .len = strlen(overlay) },
        { .path = "national/pack.lua", .text = national, .len = strlen(national) },
    };
    static char said[1000];
    char data[40];
    size_t subjects;

    log_begin_files(&LOG, files, 2);
    snprintf(data, sizeof(data), "{\"n\":%d}", total);
    put(&LOG, "a", "2025-01-01", "school/1", "at", "{\"hub\":\"07\"}");
    put(&LOG, "b", "2025-01-01", "school/2", "at", "{\"hub\":\"08\"}");
    put(&LOG, "c", "2025-01-02", "school/1", "go", data);
    put(&LOG, "d", "2025-01-02", "school/2", "go", data);
    struct world *w = view(&LOG, ALL, true);
    assert_ok(
        overlay_check_world(&subjects, LOG.rules, w, at("2025-02-01"), take_refusal, NULL, &err));
    assert_int_equal(subjects, 1);
    world_close(w);
    log_end(&LOG);
    snprintf(said, sizeof(said), "%s", buf_cstr(&SAID));
    buf_fini(&SAID);
    SAID = (struct buf){ 0 };
    return said;
}

static const char *check(const char *overlay, int total)
{
    return check_by(NATIONAL, overlay, total);
}

static void an_overlay_that_stays_in_its_direction_passes(void **state)
{
    (void)state;
    assert_string_equal(check("return overlay { hub = '07' }", 2), "");
    assert_string_equal(check("return overlay { hub = '07', params = { needed = 2 } }", 2), "");
    assert_string_equal(check("return overlay { hub = '07', params = { days = 1 }, rules = {\n"
                              "easy = loosen { 'T', 'h07_yes', source = 's' },\n"
                              "h07_yes = criterion { 'Y', function(s) return true end } } }",
                              0),
                        "");
}

/* Some rule turns round what is tightened: it is only seen on schools. */
static void a_decision_that_turns_the_wrong_way_is_refused_by_name(void **state)
{
    (void)state;
    assert_string_equal(check("return overlay { hub = '07', params = { needed = 3 } }", 1), "");
    assert_string_equal(
        check("return overlay { hub = '07', params = { needed = 3 } }", 2),
        "school/1 lacking false->true\n"
        "school/1 stage ->what the overlay tightens brings this one further than the national "
        "rules do");
}

static void a_rule_that_fails_by_the_overlay_is_refused(void **state)
{
    (void)state;
    assert_string_equal(check("return overlay { hub = '07', rules = {\n"
                              "easy = loosen { 'T', 'h07_bad', source = 's' },\n"
                              "h07_bad = criterion { 'B', function(s) error('oh') end } } }",
                              2),
                        "school/1 easy true->\"hubs/07/o.lua:3: oh\"\n"
                        "school/1 low false->\"hubs/07/o.lua:3: oh\"");
}

static void a_reducer_that_fails_is_refused(void **state)
{
    (void)state;
    assert_string_equal(check("return overlay { hub = '07',\n"
                              "on = { school = { go = function(s, e) error('oh') end } } }",
                              2),
                        "school/1 reducer ->hubs/07/o.lua:2: oh");
}

/* Counts and texts have the direction that the national pack gives them. */
static void what_is_no_yes_or_no_is_compared_where_it_has_a_direction(void **state)
{
    (void)state;
    static const char COUNTS[] =
        "return pack { name = 'national', params = { needed = 2 },\n"
        "events = { at = { title = 'A', subject = 'school', data = { hub = hub } },\n"
        "  go = { title = 'G', subject = 'school', data = { n = int } } },\n"
        "facts = { school = { hub = hub, total = initially(0, int) } },\n"
        "on = { school = { at = function(s, e) s.hub = e.data.hub end,\n"
        "  go = function(s, e) s.total = s.total + e.data.n end } },\n"
        "rules = { good = rule { 'G', source = 's', stricter = 'lower',\n"
        "    function(s) return s.total + s.param.needed end },\n"
        "  fine = rule { 'F', source = 's', stricter = 'higher',\n"
        "    function(s) return s.total + s.param.needed end },\n"
        "  other = rule { 'O', source = 's', function(s) return s.total + s.param.needed end },\n"
        "  word = rule { 'W', source = 's', function(s) return 'w' .. s.param.needed end },\n"
        "  said = rule { 'S', source = 's', stricter = 'neither', function(s) return 'w' .. "
        "s.param.needed end },\n"
        "  down = rule { 'D', source = 's', stricter = { 'w4', 'w3', 'w2' }, function(s) return "
        "'w' "
        ".. s.param.needed end },\n"
        "  up = rule { 'U', source = 's', stricter = { 'w2', 'w3' }, function(s) return 'w' .. "
        "s.param.needed end },\n"
        "  late = rule { 'T', source = 's', stricter = 'higher',\n"
        "    function(s) return '202' .. s.param.needed .. '-01-01' end },\n"
        "  soon = rule { 'Y', source = 's', stricter = 'lower',\n"
        "    function(s) return '202' .. s.param.needed .. '/2' .. s.param.needed + 1 end } },\n"
        "open = { needed = tighten } }\n";
    assert_string_equal(
        check_by(COUNTS, "return overlay { hub = '07', params = { needed = 3 } }", 0),
        "school/1 good 2->3\n"
        "unclear school/1 other 2->3\n"
        "school/1 soon \"2022/23\"->\"2023/24\"\n"
        "school/1 up \"w2\"->\"w3\"\n"
        "unclear school/1 word \"w2\"->\"w3\"");
    assert_string_equal(/* a value that is not in the list has no place */
                        check_by(COUNTS, "return overlay { hub = '07', params = { needed = 5 } }",
                                 0),
                        "unclear school/1 down \"w2\"->\"w5\"\n"
                        "school/1 good 2->5\n"
                        "unclear school/1 other 2->5\n"
                        "school/1 soon \"2022/23\"->\"2025/26\"\n"
                        "unclear school/1 up \"w2\"->\"w5\"\n"
                        "unclear school/1 word \"w2\"->\"w5\"");
}

TEST_MAIN(CASE(what_is_no_yes_or_no_is_compared_where_it_has_a_direction),
          CASE(an_overlay_that_stays_in_its_direction_passes),
          CASE(a_decision_that_turns_the_wrong_way_is_refused_by_name),
          CASE(a_rule_that_fails_by_the_overlay_is_refused), CASE(a_reducer_that_fails_is_refused))
