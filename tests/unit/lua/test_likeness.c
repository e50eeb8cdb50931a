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

/* The pack with one part of it written otherwise, beside the pack: "not alike", or the types that
 * are taken in otherwise. */
static const char *beside(const char *old, const char *new)
{
    static char said[200];
    struct buf text = { 0 };
    struct likeness l;
    const char *at = strstr(PACK, old);

    assert_non_null(at);
    buf_add(&text, PACK, (size_t)(at - PACK));
    buf_str(&text, new);
    buf_str(&text, at + strlen(old));
    struct rulebook *a = load_rulebook(PACK), *b = load_rulebook(buf_cstr(&text));
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

TEST_MAIN(CASE(what_only_judges_makes_no_difference), CASE(a_reducer_makes_one_for_its_type),
          CASE(what_moves_depend_on_makes_one_for_all))
