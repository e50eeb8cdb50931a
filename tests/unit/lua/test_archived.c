/* test_archived.c - rules that were in force once load again, though they would not be accepted any
 * more. */
#include "tests/unit/lua/support.h"

#include "lua/rulebook.h"

static const char PACK[] =
    "return pack { name = 'old', version = '1', colour = 'blue',\n"
    "events = { go = { title = 'Go', subject = 'school', data = {} } },\n"
    "facts = { school = { n = initially(0, int) } },\n"
    "on = { school = { go = function(s, e) if false then s.gone = 1 end s.n = s.n + 1 end } },\n"
    "params = { some = { 1, from = { ['2025-01-01'] = 2, ['2024-01-01'] = 3 } } },\n"
    "rules = { many = rule { 'Many', function(s) if false then return s.gone end return s.n end "
    "},\n"
    "          plain = rule { 'Plain', function(s) return s.param.some end } } }\n";
static const char UNUSED[] = "return { a = 1 }\n";

static enum err_code load(struct rulebook **out, struct problems *problems)
{
    const struct ruleset_file files[] = {
        { .path = "national/pack.lua", .text = PACK, .len = sizeof(PACK) - 1 },
        { .path = "national/unused.lua", .text = UNUSED, .len = sizeof(UNUSED) - 1 },
    };

    assert_ok(civil_init(&err));
    assert_ok(digest_init(&err));
    return rulebook_load_files(out, files, 2, problems, &err);
}

static void what_is_proposed_is_refused(void **state)
{
    struct problems problems = { 0 };
    struct rulebook *rules = NULL;
    (void)state;

    assert_int_equal(load(&rules, &problems), ERR_RULE);
    assert_null(rules);
    problems_fini(&problems);
}

static void what_was_in_force_judges_as_it_did(void **state)
{
    struct problems problems = { .was_in_force = true };
    struct rulebook *rules = NULL;
    (void)state;

    enum err_code rc = load(&rules, &problems);
    if (rc != OK)
        print_message("%s\n", err.msg);
    assert_ok(rc);
    struct record *r = new_record(rulebook_at(rules, 0), "school/1");
    assert_decision(r, "2025-06-01", "many", "0");
    assert_decision(r, "2025-06-01", "plain", "2");
    assert_decision(r, "2024-06-01", "plain", "3");
    record_free(r);
    rulebook_free(rules);
    problems_fini(&problems);
}

TEST_MAIN(CASE(what_is_proposed_is_refused), CASE(what_was_in_force_judges_as_it_did))
