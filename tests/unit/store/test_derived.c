/* test_derived.c - current decisions, cards and wakes of subjects: what derived.h promises
 * of them. */
#include "tests/unit/store/support.h"

#define NAMES  "[\"committed\",\n\"pathway_phase\",\n\"two_leads\"]"
#define VALUES "[true,\n\"building\",\nfalse]"

static struct store *begun(void)
{
    struct store *s = open_store(NULL, STORE_MEMORY);
    assert_ok(store_begin(s, &err));
    return s;
}

static void decisions_are_replaced_whole_and_read_by_name(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    assert_ok(decisions_put(s, "school/1", NAMES, VALUES, &err));
    note_decisions(&seen, s, "school/1"); /* before it is in any table */
    assert_collected(&seen, "committed=true pathway_phase=\"building\" two_leads=false ");
    assert_ok(decisions_put(s, "school/2", "[\"committed\"]", "[null]", &err));
    assert_ok(store_commit(s, &err));
    note_decisions(&seen, s, "school/1"); /* from the table */
    assert_collected(&seen, "committed=true pathway_phase=\"building\" two_leads=false ");
    assert_ok(store_begin(s, &err));
    assert_ok(decisions_put(s, "school/1", "[\"committed\",\n\"is_open\"]", "[false,\n5]", &err));
    assert_ok(store_commit(s, &err));
    note_decisions(&seen, s, "school/1"); /* no name of before is left */
    assert_collected(&seen, "committed=false is_open=5 ");
    note_decisions(&seen, s, "school/3");
    assert_collected(&seen, "");
    buf_fini(&seen);
    store_close(s);
}

/* The list of names is a long text that is nearly always the same; another may come to lie in its
 * place. */
static void names_count_and_not_where_they_lie(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    char names[] = "[\"a\"]";
    assert_ok(decisions_put(s, "school/1", names, "[1]", &err));
    names[2] = 'b';
    assert_ok(decisions_put(s, "school/2", names, "[2]", &err));
    assert_ok(store_commit(s, &err));
    note_decisions(&seen, s, "school/1");
    note_decisions(&seen, s, "school/2");
    assert_collected(&seen, "a=1 b=2 ");
    buf_fini(&seen);
    store_close(s);
}

static void decisions_that_are_none_are_told_from_those_never_made(void **state)
{
    (void)state;
    struct store *s = begun();
    const char *names, *values;
    assert_ok(decisions_put(s, "hub/07", "[]", "[]", &err));
    assert_ok(wake_put(s, "hub/08", 50, &err));
    assert_ok(store_commit(s, &err));
    assert_ok(decisions_of(&names, &values, s, "hub/07", &err));
    assert_string_equal(names, "[]");
    assert_string_equal(values, "[]");
    assert_ok(decisions_of(&names, &values, s, "hub/08", &err));
    assert_null(names);
    assert_null(values);
    store_close(s);
}

static void values_may_hold_what_looks_like_the_end_of_one(void **state)
{
    (void)state;
    struct store *s = begun();
    struct buf seen = { 0 };
    assert_ok(decisions_put(s, "school/1", "[\"a\",\n\"b\",\n\"c\"]",
                            "[\"x, y]\",\n{\"error\":\"at [1],\\n then\"},\n\"\"]", &err));
    assert_ok(store_commit(s, &err));
    note_decisions(&seen, s, "school/1");
    assert_collected(&seen, "a=\"x, y]\" b={\"error\":\"at [1],\\n then\"} c=\"\" ");
    buf_fini(&seen);
    store_close(s);
}

static enum err_code stop_at_phase(struct slice name, struct slice value, void *arg, struct err *e2)
{
    note_decision(name, value, arg, e2);
    return name.at[0] == 'p' ? err_set(e2, ERR_RULE, "enough") : OK;
}

static void a_callback_ends_the_decisions_and_its_sentence_is_kept(void **state)
{
    (void)state;
    struct buf seen = { 0 };
    assert_int_equal(decisions_each(NAMES, VALUES, stop_at_phase, &seen, &err), ERR_RULE);
    assert_string_equal(err.msg, "enough");
    assert_collected(&seen, "committed=true pathway_phase=\"building\" ");
    buf_fini(&seen);
}

/* As the view `decision` shows them: values of every sort as JSON. */
static void people_read_decisions_one_a_row(void **state)
{
    static const char *const SAME[] = { "true", "false", "null",  "5",
                                        "-3",   "2.5",   "\"5\"", "\"it's\"" };
    (void)state;
    struct store *s = begun();
    struct buf names = { 0 }, values = { 0 };
    for (size_t i = 0; i < sizeof(SAME) / sizeof(*SAME); i++) {
        buf_printf(&names, "%s\"d%zu\"", i ? ",\n" : "[", i);
        buf_printf(&values, "%s%s", i ? ",\n" : "[", SAME[i]);
    }
    buf_char(&names, ']');
    buf_char(&values, ']');
    assert_ok(decisions_put(s, "school/1", buf_cstr(&names), buf_cstr(&values), &err));
    assert_ok(decisions_put(s, "school/2", "[\"d0\"]", "[null]", &err));
    assert_ok(store_commit(s, &err));
    for (size_t i = 0; i < sizeof(SAME) / sizeof(*SAME); i++) {
        char *sql = sqlite3_mprintf("SELECT count(*) FROM decision WHERE subject = 'school/1'"
                                    " AND decision = 'd%d' AND value = %Q",
                                    (int)i, SAME[i]);
        assert_int_equal(ask_sql(s, sql), 1);
        sqlite3_free(sql);
    }
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM decision"), 9);
    buf_fini(&names);
    buf_fini(&values);
    store_close(s);
}

static void a_card_is_shown_as_it_was_put_last(void **state)
{
    (void)state;
    struct store *s = begun();
    const struct subject_card first = { "school/1", "Oak", "07", "900001 900002" };
    const struct subject_card then = { "school/1", "Oak Academy", NULL, "900001" };
    assert_ok(subject_put(s, &first, &err));
    assert_ok(decisions_put(s, "school/1", NAMES, VALUES, &err));
    assert_ok(store_commit(s, &err));
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM subject WHERE subject = 'school/1'"
                                " AND name = 'Oak' AND hub = '07' AND former = '900001 900002'"),
                     1);
    assert_ok(store_begin(s, &err));
    assert_ok(subject_put(s, &then, &err));
    assert_ok(store_commit(s, &err));
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM subject WHERE subject = 'school/1'"
                                " AND name = 'Oak Academy' AND hub IS NULL AND former = '900001'"),
                     1);
    assert_int_equal(ask_sql(s, "SELECT count(*) FROM decision"), 3); /* they stay as they were */
    store_close(s);
}

/* Each part by itself: what is written of one does not take another back. */
static void the_parts_of_a_subject_do_not_undo_each_other(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    const struct subject_card card = { "school/1", "Oak", "07", NULL };
    for (int i = 0; i < 5; i++) {
        assert_ok(store_begin(s, &err));
        if (i == 0)
            append(s, &(struct sent){ .id = "a", .subject = "school/1" });
        else if (i == 1)
            assert_ok(subject_put(s, &card, &err));
        else if (i == 2)
            assert_ok(decisions_put(s, "school/1", NAMES, VALUES, &err));
        else if (i == 3)
            assert_ok(pending_add(s, "school/1", "1", &err));
        else
            assert_ok(wake_put(s, "school/1", 50, &err));
        assert_ok(store_commit(s, &err));
    }
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    note_decisions(&seen, s, "school/1");
    assert_collected(&seen, "committed=true pathway_phase=\"building\" two_leads=false ");
    assert_int_equal(ask_sql(s, "SELECT name = 'Oak' AND hub = '07' AND head = 1 AND due = 50"
                                " AND causes = '1' FROM subject_row"),
                     1);
    assert_true(pending_has(s, "school/1"));
    assert_int_equal(wake_next(s), 50);
    buf_fini(&seen);
    store_close(s);
}

static void derived_rows_survive_a_reopen(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct buf seen = { 0 };
    int64_t due;
    assert_ok(store_begin(s, &err));
    assert_ok(decisions_put(s, "school/1", NAMES, VALUES, &err));
    assert_ok(wake_put(s, "school/1", 50, &err));
    assert_ok(store_commit(s, &err));
    store_close(s);
    s = open_store(x->path, STORE_WRITE);
    note_decisions(&seen, s, "school/1");
    assert_collected(&seen, "committed=true pathway_phase=\"building\" two_leads=false ");
    assert_ok(wake_of(&due, s, "school/1", &err));
    assert_int_equal(due, 50);
    assert_int_equal(wake_next(s), 50);
    buf_fini(&seen);
    store_close(s);
}

static void a_reader_reads_them_too(void **state)
{
    struct scratch *x = *state;
    struct store *s = open_store(x->path, STORE_WRITE);
    struct store *reader = open_store(x->path, STORE_READ);
    int64_t due;
    assert_ok(wake_first(&due, reader, &err));
    assert_int_equal(due, TIME_NEVER);
    assert_ok(store_begin(s, &err));
    assert_ok(decisions_put(s, "school/1", NAMES, VALUES, &err));
    assert_ok(wake_put(s, "school/1", 50, &err));
    assert_ok(wake_put(s, "school/2", 40, &err));
    assert_ok(store_commit(s, &err));
    assert_int_equal(ask_sql(reader, "SELECT count(*) FROM decision WHERE subject = 'school/1'"
                                     " AND decision = 'pathway_phase' AND value = '\"building\"'"),
                     1);
    assert_ok(wake_first(&due, reader, &err));
    assert_int_equal(due, 40);
    assert_int_equal(ask_sql(reader, "SELECT count(*) FROM wake"
                                     " WHERE due = '1970-01-01T00:00:00.000050Z'"),
                     1);
    store_close(reader);
    store_close(s);
}

TEST_MAIN(CASE(decisions_are_replaced_whole_and_read_by_name),
          CASE(names_count_and_not_where_they_lie),
          CASE(decisions_that_are_none_are_told_from_those_never_made),
          CASE(values_may_hold_what_looks_like_the_end_of_one),
          CASE(a_callback_ends_the_decisions_and_its_sentence_is_kept),
          CASE(people_read_decisions_one_a_row), CASE(a_card_is_shown_as_it_was_put_last),
          SCRATCH(the_parts_of_a_subject_do_not_undo_each_other),
          SCRATCH(derived_rows_survive_a_reopen), SCRATCH(a_reader_reads_them_too))
