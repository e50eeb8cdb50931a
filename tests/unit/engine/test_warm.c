/* test_warm.c - records that are kept from one what-if to the next follow the log, or say that they
 * can not; who reads a parameter is known before anything is supposed of it. */
#include "tests/unit/engine/support.h"

#include "engine/warm.h"
#include "engine/whatif_count.h"
#include "lua/suppose.h"

static const char PACK[] =
    "return pack { name = 'test', events = {\n"
    "  go = { title = 'Go', subject = 'school', data = { n = int } },\n"
    "  wait = { title = 'W', subject = 'school', data = { on = date } },\n"
    "  ['school.succeeded'] = { title = 'S', subject = 'school', data = { predecessor = school } } "
    "},\n"
    "facts = { school = { sum = initially(0, int), far = bool, on = date, late = bool } },\n"
    "params = { most = 10, step = 1, goal = 100, edge = 10 },\n"
    "on = { school = { go = function(s, e) s.sum = s.sum + e.data.n * s.param.step end,\n"
    "  wait = function(s, e) s.on = e.data.on end } },\n"
    "moves = { school = { far = once(function(s) return s.sum > s.param.goal end),\n"
    "  late = once(function(s) return s.on ~= nil and s:reached(midnight(s.on)) and s.sum > "
    "s.param.edge end) } },\n"
    "rules = { many = rule { 'Many', source = 's', function(s) return s.sum > s.param.most end },\n"
    "  far = shown { 'Far', source = 's' }, late = shown { 'Late', source = 's' } } }";

static struct log LOG;
static struct warm *WARM;

static int setup(void **state)
{
    (void)state;
    log_begin(&LOG, PACK);
    put(&LOG, "a", "2024-01-01", "school/1", "go", "{\"n\":5}");
    put(&LOG, "b", "2024-01-02", "school/2", "go", "{\"n\":50}");
    put(&LOG, "c", "2025-01-01", "school/3", "go", "{\"n\":1}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    warm_free(WARM);
    WARM = NULL;
    log_end(&LOG);
    return 0;
}

static const struct json *number(int64_t n)
{
    static struct json value;
    value = (struct json){ .type = JSON_INT, .as.integer = n };
    return &value;
}

/* Fold everything as a what-if does of another value of a parameter, as of 1 June 2024, and keep
 * it. */
static void fold_supposing(struct whatif *w, const char *param, int64_t value)
{
    static int64_t moment;
    struct world *world = view(&LOG, 3, true);
    size_t count;
    const char *const *subjects = world_subjects(world, &count);
    struct rulebook *book = NULL;

    moment = at("2024-06-01");
    assert_ok(rulebook_again(&book, LOG.rules, &err));
    assert_ok(rulebook_watch(book, &err));
    assert_ok(rulebook_suppose(book, param, number(value), &err));
    assert_ok(warm_new(&WARM, world, subjects, count, moment, 3, &err));
    *w = (struct whatif){ .world = world,
                          .old_rules = book,
                          .new_rules = book,
                          .moments = &moment,
                          .moment_count = 1,
                          .warm = WARM };
    for (size_t i = 0; i < count; i++)
        assert_ok(whatif_subject(w, subjects[i], i, &err));
    WARM->books[0] = book;
    WARM->hand_count = 1;
    rulebook_suppose_nothing(book);
    world_close(world);
}

static void fold_all(struct whatif *w, int64_t most)
{
    fold_supposing(w, "most", most);
}

static enum err_code again(void *hand, struct warm_slot *slot, struct err *e)
{
    return whatif_warm(hand, slot, e);
}

/* Ask it of the warm records at a moment; what they say is left in *w. */
static enum err_code suppose_at(struct whatif *w, const char *param, int64_t value, int64_t when)
{
    static int64_t moment;
    void *hands[] = { w };

    moment = when;
    *w = (struct whatif){ .old_rules = WARM->books[0],
                          .new_rules = WARM->books[0],
                          .moments = &moment,
                          .moment_count = 1 };
    assert_ok(rulebook_suppose(WARM->books[0], param, number(value), &err));
    enum err_code rc = warm_run(WARM, hands, again, &err);
    rulebook_suppose_nothing(WARM->books[0]);
    return rc;
}

/* How many schools another value of the parameter makes otherwise; what they are is left in *w. */
static int64_t suppose(struct whatif *w, const char *param, int64_t value)
{
    assert_ok(suppose_at(w, param, value, WARM->at));
    return w->changed[0];
}

static void another_value_is_tried_without_folding(void **state)
{
    struct whatif w;
    (void)state;

    fold_all(&w, 3);
    assert_int_equal(w.changed[0], 1); /* school/1 has 5; school/3 has nothing yet */
    assert_int_equal(w.subjects[0], 2);
    whatif_fini(&w);
    assert_int_equal(suppose(&w, "most", 60), 1);
    assert_string_equal(w.rows[0].subject, "school/2");
    assert_string_equal(w.rows[0].now, "false");
    whatif_fini(&w);
    assert_int_equal(suppose(&w, "most", 3), 1);
    assert_string_equal(w.rows[0].subject, "school/1");
    whatif_fini(&w);
    assert_int_equal(suppose(&w, "most", 10), 0); /* as it is */
    whatif_fini(&w);
}

static void what_moves_read_is_known_before_it_is_supposed(void **state)
{
    struct whatif w;
    (void)state;

    fold_all(&w, 3);
    assert_false(rulebook_moves_read(WARM->books[0], "most"));
    assert_true(rulebook_moves_read(WARM->books[0], "step")); /* a reducer does */
    assert_true(rulebook_moves_read(WARM->books[0], "goal"));
    assert_false(rulebook_moves_read(WARM->books[0], "nothing"));
    whatif_fini(&w);
}

static void they_follow_what_comes_and_stop_at_what_lies_ahead(void **state)
{
    struct whatif w;
    int64_t seq;
    (void)state;

    fold_all(&w, 3);
    whatif_fini(&w);
    assert_true(warm_fits(WARM, LOG.rules, at("2024-12-31")));
    assert_false(warm_fits(WARM, LOG.rules, at("2024-05-31"))); /* before the records */
    assert_false(warm_fits(WARM, LOG.rules, at("2025-01-01"))); /* school/3 begins */
    put(&LOG, "late", "2023-12-01", "school/1", "go", "{\"n\":40}");
    seq = put(&LOG, "new", "2024-02-01", "school/4", "go", "{\"n\":70}");
    assert_ok(warm_follow(WARM, LOG.store, seq, &err));
    assert_int_equal(suppose(&w, "most", 60), 2); /* 45 and 50; 70 stays many */
    assert_int_equal(w.subjects[0], 3);
    whatif_fini(&w);
    seq = put(&LOG, "ahead", "2024-08-01", "school/4", "go", "{\"n\":-70}");
    assert_ok(warm_follow(WARM, LOG.store, seq, &err));
    assert_true(warm_fits(WARM, LOG.rules, at("2024-07-31")));
    assert_false(warm_fits(WARM, LOG.rules, at("2024-08-02")));
}

static void begin_anew(void)
{
    warm_free(WARM);
    WARM = NULL;
    log_clear(&LOG);
    put(&LOG, "a", "2024-01-01", "school/1", "go", "{\"n\":5}");
    put(&LOG, "b", "2024-01-02", "school/2", "go", "{\"n\":50}");
}

static void voids_and_successions_are_for_who_begins_anew(void **state)
{
    struct whatif w;
    (void)state;

    fold_all(&w, 3);
    whatif_fini(&w);
    put_void(&LOG, "v", "2024-03-01", "school/1", "a");
    assert_int_equal(warm_follow(WARM, LOG.store, 4, &err), ERR_CONFLICT);
    begin_anew();
    put(&LOG, "c", "2024-01-03", "school/3", "go", "{\"n\":1}");
    fold_all(&w, 3);
    whatif_fini(&w);
    put(&LOG, "s", "2024-02-01", "school/2", "school.succeeded", "{\"predecessor\":\"school/1\"}");
    assert_int_equal(warm_follow(WARM, LOG.store, 4, &err), ERR_CONFLICT);
    begin_anew();
    put(&LOG, "s", "2024-02-01", "school/2", "school.succeeded", "{\"predecessor\":\"school/1\"}");
    fold_all(&w, 3);
    whatif_fini(&w);
    put(&LOG, "d", "2024-01-15", "school/1", "go", "{\"n\":5}"); /* school/2 takes it over */
    assert_int_equal(warm_follow(WARM, LOG.store, 4, &err), ERR_CONFLICT);
}

/* What a reducer or a move reads makes another record: it is folded apart. */
static void what_moves_read_is_folded_apart(void **state)
{
    struct whatif w;
    (void)state;

    fold_supposing(&w, "goal", 40);
    assert_int_equal(w.row_count, 1);
    assert_string_equal(w.rows[0].subject, "school/2"); /* of 50 */
    assert_string_equal(w.rows[0].decision, "far");
    assert_string_equal(w.rows[0].now, "true");
    whatif_fini(&w);
    warm_free(WARM);
    fold_supposing(&w, "step", 3);
    assert_int_equal(w.row_count, 2); /* 15 is many, 150 is far */
    whatif_fini(&w);
}

/* A move that reads the parameter only once its moment has come, which is behind the records. */
static void what_a_move_reads_only_now_is_for_who_begins_anew(void **state)
{
    struct whatif w;
    (void)state;

    log_clear(&LOG);
    put(&LOG, "a", "2024-01-01", "school/1", "go", "{\"n\":5}");
    put(&LOG, "b", "2024-01-02", "school/2", "go", "{\"n\":50}");
    put(&LOG, "w", "2024-01-03", "school/1", "wait", "{\"on\":\"2024-08-01\"}");
    fold_all(&w, 3);
    whatif_fini(&w);
    assert_true(warm_fits(WARM, LOG.rules, at("2024-08-02")));
    assert_false(rulebook_moves_read(WARM->books[0], "edge")); /* nobody has needed it yet */
    assert_ok(suppose_at(&w, "edge", 0, at("2024-07-31")));
    whatif_fini(&w);
    assert_int_equal(suppose_at(&w, "edge", 0, at("2024-08-02")), ERR_CONFLICT);
    whatif_fini(&w);
}

#define WARM_CASE(fn) CASE_WITH(fn, setup, teardown)
TEST_MAIN(WARM_CASE(another_value_is_tried_without_folding),
          WARM_CASE(what_moves_read_is_folded_apart),
          WARM_CASE(what_a_move_reads_only_now_is_for_who_begins_anew),
          WARM_CASE(what_moves_read_is_known_before_it_is_supposed),
          WARM_CASE(they_follow_what_comes_and_stop_at_what_lies_ahead),
          WARM_CASE(voids_and_successions_are_for_who_begins_anew))
