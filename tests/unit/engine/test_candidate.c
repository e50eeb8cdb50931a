/* test_candidate.c - rules that are tried while much comes in: they get through, and it is told
 * which pack of them does not. */
#include "tests/unit/engine/support.h"

#include "engine/candidate.h"
#include "lua/state.h"
#include "store/log.h"

#define SUBJECTS 40
#define EVENTS   60 /* of each when it begins */

static const char NATIONAL[] =
    "return pack { name = 'national', version = '1', params = { needed = 2 },\n"
    "events = { at = { title = 'A', subject = 'school', data = { hub = hub } },\n"
    "           go = { title = 'G', subject = 'school', data = {} } },\n"
    "facts = { school = { hub = hub, n = initially(0, int) } },\n"
    "on = { school = { at = function(s, e) s.hub = e.data.hub end,\n"
    "                  go = function(s, e) s.n = s.n + 1 end } },\n"
    "rules = { many = rule { 'M', source = 's', needs = at_least('needed'), function(s) return s.n "
    "end } },\n"
    "open = { needed = tighten } }\n";

static struct log LOG;
static int ids;

static const char *school(int i)
{
    static char name[32];
    snprintf(name, sizeof(name), "school/%d", 1000 + i);
    return name;
}

/* An event of a day that lies before others. */
static void put_go(int i, int day)
{
    char id[16], date[16];
    snprintf(id, sizeof(id), "e%d", ++ids);
    snprintf(date, sizeof(date), "2025-%02d-%02d", day / 28 % 12 + 1, day % 28 + 1);
    put(&LOG, id, date, school(i), "go", "{}");
}

static struct rulebook *load(const char *national, const char *overlay)
{
    const struct ruleset_file files[] = {
        { .path = "hubs/07/o.lua", .text = overlay, .len = overlay ? strlen(overlay) : 0 },
        { .path = "national/pack.lua", .text = national, .len = strlen(national) },
    };
    struct rulebook *rules = NULL;

    assert_ok(
        rulebook_load_files(&rules, overlay ? files : files + 1, overlay ? 2 : 1, NULL, &err));
    for (int i = 0; rulebook_at(rules, i); i++)
        rulebook_at(rules, i)->sandbox.most_steps = 200000; /* else it would take a while */
    return rules;
}

static void begin_by(const char *national, const char *overlay)
{

    assert_ok(civil_init(&err));
    assert_ok(digest_init(&err));
    ids = 0;
    LOG = (struct log){ .rules = load(national, overlay) };
    assert_ok(store_open(&LOG.store, NULL, STORE_MEMORY, &err));
    for (int i = 0; i < SUBJECTS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "at%d", i);
        put(&LOG, id, "2024-09-01", school(i), "at",
            i % 2 ? "{\"hub\":\"07\"}" : "{\"hub\":\"08\"}");
    }
}

static void begin(const char *overlay)
{
    begin_by(NATIONAL, overlay);
}

static struct candidate *begin_trying(void)
{
    struct candidate *c = NULL;
    struct rulebook *rules = LOG.rules;

    assert_ok(candidate_new(&c, rules, NULL, LOG.store, 1000, &err));
    return c;
}

static void end(struct candidate *c)
{
    candidate_free(c); /* and the rules with it */
    store_close(LOG.store);
}

/* Each of them has a late event between any two slices, so that no record can ever follow. */
static void late_events_without_end_do_not_put_it_off(void **state)
{
    (void)state;
    begin(NULL);
    for (int i = 0; i < SUBJECTS; i++)
        for (int n = 0; n < EVENTS; n++)
            put_go(i, n * 3);
    struct candidate *c = begin_trying();
    const struct concern late = { .must_refold = true };
    bool done = false;
    int slices = 0;
    while (!done && slices < 200) {
        assert_ok(candidate_slice(&done, c, LOG.store, at("2026-01-01"), 0, &err));
        slices++;
        for (int i = 0; i < SUBJECTS && !done; i++) {
            put_go(i, slices);
            candidate_follow(c, school(i), &late, at("2026-01-01"));
        }
    }
    assert_true(done);
    print_message("%d slices\n", slices);
    assert_true(slices <= 30);
    end(c);
}

static void what_can_not_follow_is_made_again_once_there_is_quiet(void **state)
{
    (void)state;
    begin(NULL);
    struct candidate *c = begin_trying();
    struct candidate_progress progress;
    const struct concern late = { .must_refold = true };
    bool done;
    assert_ok(candidate_slice(&done, c, LOG.store, at("2026-01-01"), 0, &err));
    assert_true(done);
    for (int i = 0; i < SUBJECTS; i++)
        candidate_follow(c, school(i), &late, at("2026-01-01"));
    candidate_follow(c, school(3), &late, at("2026-01-01"));
    candidate_progress(c, &progress);
    assert_int_equal(progress.done, 0);
    assert_int_equal(progress.of, SUBJECTS);
    assert_ok(candidate_slice(&done, c, LOG.store, at("2026-01-01"), 0, &err));
    while (!done)
        assert_ok(candidate_slice(&done, c, LOG.store, at("2026-01-01"), 0, &err));
    candidate_progress(c, &progress);
    assert_int_equal(progress.done, SUBJECTS);
    end(c);
}

static struct refusals *refusals_of(const char *overlay)
{
    begin(overlay);
    for (int i = 0; i < SUBJECTS; i++)
        put_go(i, 1);
    struct candidate *c = begin_trying();
    bool done = false;
    enum err_code rc = OK;
    while (rc == OK && !done)
        rc = candidate_slice(&done, c, LOG.store, at("2026-01-01"), 0, &err);
    struct refusals *found = candidate_refusals(c);
    assert_int_equal(rc, found ? ERR_RULE : OK);
    end(c);
    return found;
}

static void the_pack_that_is_wanting_is_named_with_its_subjects(void **state)
{
    (void)state;
    assert_null(refusals_of("return overlay { hub = '07', params = { needed = 3 } }"));
    struct refusals *found =
        refusals_of("return overlay { hub = '07', rules = {\n"
                    "h07_bad = criterion { 'B', function(s) error('oh') end },\n"
                    "h07_all = all_of { 'A', 'many', 'h07_bad', source = 's' } },\n"
                    "on = { school = { go = function(s, e) error('oh') end } } }");
    assert_non_null(found);
    assert_string_equal(found->first->pack, "hubs/07");
    assert_null(found->first->next);
    assert_non_null(
        strstr(found->first->why, "hub 07: school/1001, reducer: hubs/07/o.lua:4: oh\n"));
    assert_non_null(strstr(found->first->why, "and 15 more like these\n"));
    refusals_free(found);
}

static void rules_that_never_end_for_many_do_not_come_into_force(void **state)
{
    (void)state;
    struct refusals *found = refusals_of(
        "return overlay { hub = '07', rules = {\n"
        "h07_loop = rule { 'L', source = 's', function(s) while s.hub do end return 1 end } } }");
    assert_non_null(found);
    assert_string_equal(found->first->pack, "hubs/07");
    assert_non_null(strstr(found->first->why, "hubs/07/o.lua:2: stopped after"));
    refusals_free(found);
}

/* National rules that do not end are no reason against an overlay that comes beside them, nor are
 * they to go by that. */
static void what_is_in_force_is_not_found_wanting(void **state)
{
    static const char ENDLESS[] =
        "return pack { name = 'national', version = '1',\n"
        "events = { at = { title = 'A', subject = 'school', data = { hub = hub } } },\n"
        "facts = { school = { hub = hub } },\n"
        "on = { school = { at = function(s, e) s.hub = e.data.hub end } },\n"
        "rules = { loop = rule { 'L', source = 's', function(s) while s.hub do end return 1 end } "
        "} }\n";
    static const char OVERLAY[] =
        "return overlay { hub = '07', rules = {\n"
        "h07_x = rule { 'X', source = 's', function(s) return 1 end } } }";
    (void)state;
    for (int is_in_force = 0; is_in_force < 2; is_in_force++) {
        struct candidate *c = NULL;
        bool done = false;
        enum err_code rc = OK;
        begin_by(ENDLESS, OVERLAY);
        struct rulebook *in_force = load(is_in_force ? ENDLESS : NATIONAL, NULL);
        assert_ok(candidate_new(&c, LOG.rules, in_force, LOG.store, 1000, &err));
        while (rc == OK && !done)
            rc = candidate_slice(&done, c, LOG.store, at("2026-01-01"), 0, &err);
        struct refusals *found = candidate_refusals(c);
        assert_int_equal(rc, is_in_force ? OK : ERR_RULE);
        assert_int_equal(found == NULL, is_in_force);
        if (found)
            assert_string_equal(found->first->pack, "national");
        refusals_free(found);
        rulebook_free(in_force);
        end(c);
    }
}

TEST_MAIN(CASE(what_is_in_force_is_not_found_wanting),
          CASE(late_events_without_end_do_not_put_it_off),
          CASE(what_can_not_follow_is_made_again_once_there_is_quiet),
          CASE(the_pack_that_is_wanting_is_named_with_its_subjects),
          CASE(rules_that_never_end_for_many_do_not_come_into_force))
