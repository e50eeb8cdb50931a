/* test_list.c - pages of subjects: order, filters, search, and no row lost between two pages. */
#include "tests/unit/store/support.h"

static void put(struct store *s, const char *subject, const char *name, const char *hub,
                const char *former, const char *phase)
{
    const struct subject_card card = { subject, name, hub, former };
    char values[60] = "[true]";
    assert_ok(subject_put(s, &card, &err));
    if (phase)
        snprintf(values, sizeof(values), "[true,\n%s]", phase);
    assert_ok(decisions_put(
        s, subject, phase ? "[\"is_open\",\n\"pathway_phase\"]" : "[\"is_open\"]", values, &err));
}

static struct store *filled(void)
{
    struct store *s = open_store(NULL, STORE_MEMORY);
    assert_ok(store_begin(s, &err));
    put(s, "school/2", "St Mary's", "07", NULL, "\"building\"");
    put(s, "school/10", "Hill 50% Primary", "07", "900001 900002", "\"none\"");
    put(s, "school/1", "Oak_Tree School", "08", NULL, "\"building\"");
    put(s, "school/3", NULL, NULL, NULL, NULL);
    put(s, "group/g1", NULL, "07", NULL, NULL);
    put(s, "hub/07", NULL, "07", NULL, NULL);
    assert_ok(store_commit(s, &err));
    return s;
}

static enum err_code note_row(const struct list_row *row, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%s ", row->subject);
    return OK;
}

static void lists(struct store *s, const struct list_query *query, const char *expected)
{
    struct buf seen = { 0 };
    bool more = true;
    assert_ok(list_subjects(&more, s, query, note_row, &seen, &err));
    assert_collected(&seen, expected);
    assert_false(more);
    buf_fini(&seen);
}

static void lists_one_kind_bytewise(void **state)
{
    (void)state;
    struct store *s = filled();
    lists(s, &(struct list_query){ .kind = "school", .limit = 9 },
          "school/1 school/10 school/2 school/3 ");
    lists(s, &(struct list_query){ .kind = "group", .limit = 9 }, "group/g1 ");
    lists(s, &(struct list_query){ .kind = "hub", .limit = 9 }, "hub/07 ");
    lists(s, &(struct list_query){ .kind = "school", .hub = "07", .limit = 9 },
          "school/10 school/2 ");
    lists(s, &(struct list_query){ .kind = "school", .hub = "99", .limit = 9 }, "");
    store_close(s);
}

static void pages_join_without_gap_or_repeat(void **state)
{
    (void)state;
    struct store *s = filled();
    for (int limit = 1; limit <= 4; limit++) {
        struct buf seen = { 0 }, page = { 0 };
        char after[40] = "";
        bool more = true;
        for (int pages = 0; more && pages < 9; pages++) {
            const struct list_query query = { .kind = "school",
                                              .after = *after ? after : NULL,
                                              .limit = limit };
            buf_reset(&page);
            assert_ok(list_subjects(&more, s, &query, note_row, &page, &err));
            buf_str(&seen, buf_cstr(&page));
            page.data[page.len - 1] = '\0';
            const char *last = strrchr(page.data, ' ');
            snprintf(after, sizeof(after), "%s", last ? last + 1 : page.data);
        }
        assert_false(more);
        assert_collected(&seen, "school/1 school/10 school/2 school/3 ");
        buf_fini(&page);
        buf_fini(&seen);
    }
    store_close(s);
}

static void a_page_of_another_kind_does_not_leak_in_through_after(void **state)
{
    (void)state;
    struct store *s = filled();
    lists(s, &(struct list_query){ .kind = "school", .after = "group/g1", .limit = 9 },
          "school/1 school/10 school/2 school/3 ");
    lists(s, &(struct list_query){ .kind = "group", .after = "school/1", .limit = 9 }, "");
    store_close(s);
}

static void all_filters_must_hold(void **state)
{
    const struct list_filter building = { "pathway_phase", "\"building\"" };
    const struct list_filter both[] = { building, { "is_open", "true" } };
    const struct list_filter closed[] = { building, { "is_open", "false" } };
    const struct list_filter unknown = { "no_such_decision", "true" };
    (void)state;
    struct store *s = filled();
    lists(s, &(struct list_query){ "school", NULL, NULL, &building, 1, NULL, 9 },
          "school/1 school/2 ");
    lists(s, &(struct list_query){ "school", NULL, NULL, both, 2, NULL, 9 }, "school/1 school/2 ");
    lists(s, &(struct list_query){ "school", "07", NULL, both, 2, NULL, 9 }, "school/2 ");
    lists(s, &(struct list_query){ "school", NULL, NULL, closed, 2, NULL, 9 }, "");
    lists(s, &(struct list_query){ "school", NULL, NULL, &unknown, 1, NULL, 9 }, "");
    lists(s, &(struct list_query){ "school", NULL, NULL, &building, 1, "school/1", 9 },
          "school/2 ");
    store_close(s);
}

static void more_counts_only_what_passes_the_filters(void **state)
{
    const struct list_filter none = { "pathway_phase", "\"none\"" };
    (void)state;
    struct store *s = filled();
    lists(s, &(struct list_query){ "school", NULL, NULL, &none, 1, NULL, 1 }, "school/10 ");
    store_close(s);
}

static void search_finds_name_code_and_former_urns(void **state)
{
    static const struct {
        const char *q, *found;
    } CASES[] = {
        { "Mary's", "school/2 " }, { "MARY'S", "school/2 " },
        { "school", "school/1 " }, { "900002", "school/10 " },
        { "10", "school/10 " },    { "%", "school/10 " },
        { "_", "school/1 " },      { "k_t", "school/1 " },
        { "0%", "school/10 " },    { "\\", "" },
        { "school/", "" },         { "", "school/1 school/10 school/2 school/3 " },
    };
    (void)state;
    struct store *s = filled();
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++)
        lists(s, &(struct list_query){ .kind = "school", .q = CASES[i].q, .limit = 9 },
              CASES[i].found);
    store_close(s);
}

static void a_card_is_replaced_whole(void **state)
{
    (void)state;
    struct store *s = filled();
    assert_ok(store_begin(s, &err));
    put(s, "school/2", "St Mary Academy", NULL, NULL, NULL);
    assert_ok(store_commit(s, &err));
    lists(s, &(struct list_query){ .kind = "school", .hub = "07", .limit = 9 }, "school/10 ");
    lists(s, &(struct list_query){ .kind = "school", .q = "academy", .limit = 9 }, "school/2 ");
    store_close(s);
}

static enum err_code look_inside(const struct list_row *row, void *arg, struct err *e2)
{
    return decisions_each(row->names, row->values, note_decision, arg, e2);
}

static void a_row_comes_with_its_decisions(void **state)
{
    (void)state;
    struct store *s = filled();
    struct buf seen = { 0 };
    bool more;
    assert_ok(list_subjects(&more, s, &(struct list_query){ .kind = "school", .limit = 2 },
                            look_inside, &seen, &err));
    assert_true(more);
    assert_collected(
        &seen, "is_open=true pathway_phase=\"building\" is_open=true pathway_phase=\"none\" ");
    buf_fini(&seen);
    store_close(s);
}

/* Of such a subject only its place in the log is known: a wake, a link. */
static void a_subject_without_decisions_is_not_listed(void **state)
{
    (void)state;
    struct store *s = filled();
    assert_ok(store_begin(s, &err));
    assert_ok(wake_put(s, "school/0", 50, &err));
    assert_ok(decisions_put(s, "school/9", "[]", "[]", &err));
    assert_ok(store_commit(s, &err));
    lists(s, &(struct list_query){ .kind = "school", .limit = 9 },
          "school/1 school/10 school/2 school/3 school/9 ");
    store_close(s);
}

TEST_MAIN(CASE(lists_one_kind_bytewise), CASE(pages_join_without_gap_or_repeat),
          CASE(a_page_of_another_kind_does_not_leak_in_through_after), CASE(all_filters_must_hold),
          CASE(more_counts_only_what_passes_the_filters),
          CASE(search_finds_name_code_and_former_urns), CASE(a_card_is_replaced_whole),
          CASE(a_row_comes_with_its_decisions), CASE(a_subject_without_decisions_is_not_listed))
