/* test_likeness.c - two rulebooks make the same records when nothing that a fold depends on
 * differs, however far away. */
#include "tests/unit/lua/support.h"

#include "lua/likeness.h"

static const char PACK[] =
    "local far = { limit = 3 }\n"
    "local function is_far(n) return n > far.limit end\n"
    "return pack { name = 'test', events = {\n"
    "  go = { title = 'Go', subject = 'school', data = { n = int } },\n"
    "  stop = { title = 'S', subject = 'school', data = {} } },\n"
    "facts = { school = { sum = initially(0, int), far = bool, stopped = bool } },\n"
    "params = { goal = 100, most = 10 },\n"
    "on = { school = { go = function(s, e) if is_far(e.data.n) then s.sum = s.sum + e.data.n end "
    "end,\n"
    "  stop = function(s) s.stopped = true end } },\n"
    "moves = { school = { far = once(function(s) return s.much end) } },\n"
    "rules = { much = rule { 'Much', source = 's', function(s) return s.sum > s.param.goal end },\n"
    "  many = rule { 'Many', source = 's', function(s) return s.sum > s.param.most end } } }";

/* Moves, criteria, parameters and helpers of every kind. */
static const char MOVING[] =
    "local function deep() return function(n) return n > 7 end end\n"
    "local flag, round = { on = true, share = 0.5 }, math.floor\n"
    "return pack { name = 'test', events = {\n"
    "  go = { title = 'Go', subject = 'school', data = { n = int(0, 10), how = enum { 'fast', "
    "'slow' } } },\n"
    "  stop = { title = 'S', subject = 'school', data = {} } },\n"
    "facts = { school = { sum = initially(0, int), count = initially(0, int), seen = bool,\n"
    "  level = initially('low', enum { 'low', 'mid', 'high' }) } },\n"
    "calendar = { ['2024/25'] = { '2024-09-02', '2024-11-04', '2025-01-06', '2025-02-24',\n"
    "  '2025-04-28', '2025-06-09' } },\n"
    "params = { goal = { 5, from = { ['2024-09-01'] = 6 } }, least = 1, step = 2 },\n"
    "on = { school = { go = function(s, e)\n"
    "  if deep()(e.data.n) and flag.on and flag.share < 1 then s.sum = round(s.sum + s.param.step) "
    "end end,\n"
    "  stop = function(s) s.sum = 0 end, ['*'] = function(s) s.count = s.count + 1 end } },\n"
    "moves = { school = { level = first_of {\n"
    "  { 'high', from = { 'mid' }, function(s) return s.may_high and s.other end,\n"
    "    enter = function(s) s.seen = true end },\n"
    "  { 'mid', function(s) return s.enough end } } } },\n"
    "rules = {\n"
    "  enough = rule { 'E', source = 's', waivable = true, needs = at_least('goal'),\n"
    "    function(s) return s.sum end },\n"
    "  big = criterion { 'B', source = 's', needs = at_least(9), function(s) return s.sum end },\n"
    "  half = criterion { 'H', source = 's', function(s) return s.at_last end },\n"
    "  at_last = criterion { 'L', source = 's', function(s) return s.sum >= s.param.least end },\n"
    "  may_high = all_of { 'M', source = 's', 'big', 'half' }, other = any_of { 'O', source = 's', "
    "'enough', 'was_seen' },\n"
    "  was_seen = criterion { 'W', source = 's', function(s) return s.seen end },\n"
    "} }";

/* The pack with one part of it written otherwise, beside the pack: "not alike", or the types that
 * are taken in otherwise. */
static const char *beside_in(const char *pack, const char *old, const char *new)
{
    static char said[200];
    struct buf text = { 0 };
    struct likeness l;
    const char *at = strstr(pack, old);

    assert_non_null(at);
    buf_add(&text, pack, (size_t)(at - pack));
    buf_str(&text, new);
    buf_str(&text, at + strlen(old));
    struct rulebook *a = load_rulebook(pack), *b = load_rulebook(buf_cstr(&text));
    assert_ok(likeness_find(&l, a, b, &err));
    snprintf(said, sizeof(said), "%s", l.is_alike ? "" : "not alike");
    for (uint32_t i = 0; l.is_alike && i < l.others.count; i++)
        snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s ", l.others.items[i].key);
    likeness_fini(&l);
    rulebook_free(a);
    rulebook_free(b);
    buf_fini(&text);
    return said;
}

static const char *beside(const char *old, const char *new)
{
    return beside_in(PACK, old, new);
}

static void what_only_judges_makes_no_difference(void **state)
{
    (void)state;
    assert_string_equal(beside("'Many'", "'Many'"), "");
    assert_string_equal(beside("s.sum > s.param.most", "s.sum < s.param.most"), "");
    assert_string_equal(beside("most = 10", "most = 11"), "");
    assert_string_equal(beside("return pack", "\n\n-- elsewhere\nreturn pack"), "");
    assert_string_equal(beside("'Many'", "'Very many'"), "");
}

static void a_reducer_makes_one_for_its_type(void **state)
{
    (void)state;
    assert_string_equal(beside("s.stopped = true", "s.stopped = false"), "stop ");
    assert_string_equal(beside("data = {} } }", "data = { n = optional(int) } } }"), "stop ");
    assert_string_equal(beside("'S', subject = 'school'", "'S', subject = { 'school', 'group' }"),
                        "stop ");                                 /* whom it may be about */
    assert_string_equal(beside("limit = 3", "limit = 4"), "go "); /* by way of a helper */
    assert_string_equal(beside("n > far", "n >= far"), "go ");
}

static void what_moves_depend_on_makes_one_for_all(void **state)
{
    (void)state;
    assert_string_equal(beside("return s.much", "return not s.much"), "not alike");
    assert_string_equal(beside("s.sum > s.param.goal", "s.sum >= s.param.goal"), "not alike");
    assert_string_equal(beside("goal = 100", "goal = 101"), "not alike");
    assert_string_equal(beside("initially(0, int)", "initially(1, int)"), "not alike");
    assert_string_equal(beside("stopped = bool", "stopped = bool, more = int"), "not alike");
}

static void each_part_of_a_move_makes_one_for_all(void **state)
{
    static const char *const EDITS[][2] = {
        { "'high', from", "'low', from" },
        { "from = { 'mid' }", "from = { 'low' }" },
        { "s.seen = true", "s.seen = false" },
        { "return s.enough end", "return not s.enough end" },
        { "['2024-09-01']", "['2024-10-01']" },
        { "goal = { 5", "goal = { 4" }, /* only needed */
        { "at_least('goal')", "at_most('goal')" },
        { "at_least(9)", "at_least(8)" },
        { "waivable = true", "waivable = false" },
        { "s.sum >= s", "s.sum > s" }, /* by way of two rules */
        { "least = 1", "least = 0" },
        { "step = 2", "step = 3" }, /* only a reducer's */
        { "any_of { 'O'", "all_of { 'O'" },
        { "'big', 'half' }, other = any_of { 'O', source = 's', 'enough'",
          "'enough', 'half' }, other = any_of { 'O', source = 's', 'big'" },
        { "'2025-02-24'", "'2025-02-25'" },
    };

    (void)state;
    assert_string_equal(beside_in(MOVING, "'E', source = 's'", "'E', source = 't'"), "");
    for (size_t i = 0; i < sizeof(EDITS) / sizeof(EDITS[0]); i++)
        if (strcmp(beside_in(MOVING, EDITS[i][0], EDITS[i][1]), "not alike") != 0)
            fail_msg("%s: taken for %s", EDITS[i][0], EDITS[i][1]);
}

static void each_part_of_a_reducer_and_of_data_makes_one_for_its_type(void **state)
{
    static const char *const EDITS[][2] = {
        { "n > 7", "n > 8" }, /* in a function within one */
        { "on = true", "on = false" },
        { "share = 0.5", "share = 0.25" },
        { "math.floor", "math.ceil" },
        { "int(0, 10)", "int(0, 11)" },
        { "int(0, 10)", "int(1, 10)" },
        { "'slow'", "'late'" },
        { "how = enum { 'fast', 'slow' }", "how = optional(enum { 'fast', 'slow' })" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(EDITS) / sizeof(EDITS[0]); i++)
        if (strcmp(beside_in(MOVING, EDITS[i][0], EDITS[i][1]), "go ") != 0)
            fail_msg("%s: taken for %s", EDITS[i][0], EDITS[i][1]);
    assert_string_equal(beside_in(MOVING, "go = {",
                                  "more = { title = 'M', subject = 'school', data = {} }, go = {"),
                        "more ");
    const char *said = beside_in(MOVING, "s.count + 1", "s.count + 2"); /* after every event */
    assert_non_null(strstr(said, "go "));
    assert_non_null(strstr(said, "stop "));
}

static void a_hub_more_makes_one_for_all(void **state)
{
    static const char OVERLAY[] =
        "return overlay { hub = '07', version = '1', title = 'T', source = 's',\n"
        "rules = { h07_no = rule { 'N', source = 's', function(s) return false end } } }";
    const struct ruleset_file files[] = {
        { .path = "national/pack.lua", .text = PACK, .len = strlen(PACK) },
        { .path = "hubs/07/overlay.lua", .text = OVERLAY, .len = strlen(OVERLAY) },
    };
    struct rulebook *alone = load_rulebook(PACK), *with = NULL;
    struct likeness l;

    (void)state;
    if (rulebook_load_files(&with, files, 2, NULL, &err) != OK)
        fail_msg("%s", err.msg);
    assert_ok(likeness_find(&l, alone, with, &err));
    assert_false(l.is_alike);
    likeness_fini(&l);
    assert_ok(likeness_find(&l, with, alone, &err));
    assert_false(l.is_alike);
    likeness_fini(&l);
    rulebook_free(alone);
    rulebook_free(with);
}

/* What a name is, that is made when it runs, nobody knows before. */
static void names_made_when_they_run_are_never_alike(void **state)
{
    static const char *const OPEN[][2] = {
        { "return s.enough end", "return s[('enough'):lower()] end" },
        { "return s.at_last end", "return s[('at_last'):lower()] end" },
        { "s.sum = 0", "s[('sum'):lower()] = s[('sum'):lower()] - 1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(OPEN) / sizeof(OPEN[0]); i++) {
        struct buf text = { 0 };
        const char *at = strstr(MOVING, OPEN[i][0]);
        buf_add(&text, MOVING, (size_t)(at - MOVING));
        buf_str(&text, OPEN[i][1]);
        buf_str(&text, at + strlen(OPEN[i][0]));
        if (strcmp(beside_in(buf_cstr(&text), "'E', source", "'F', source"), "not alike") != 0)
            fail_msg("%s: is taken for known", OPEN[i][1]);
        buf_fini(&text);
    }
}

TEST_MAIN(CASE(what_only_judges_makes_no_difference), CASE(a_reducer_makes_one_for_its_type),
          CASE(what_moves_depend_on_makes_one_for_all), CASE(each_part_of_a_move_makes_one_for_all),
          CASE(each_part_of_a_reducer_and_of_data_makes_one_for_its_type),
          CASE(a_hub_more_makes_one_for_all), CASE(names_made_when_they_run_are_never_alike))
