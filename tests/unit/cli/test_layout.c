/* test_layout.c - answers as people see them. */
#include "tests/unit/harness.h"

#include "base/civil.h"
#include "cli/layout.h"
#include "cli/names.h"
#include "cli/summary.h"

static char *shown(const char *json)
{
    struct arena arena = { 0 };
    const struct json *tree;
    char *text = NULL;
    size_t len;
    assert_ok(civil_init(&err));
    assert_ok(json_parse(&tree, &arena, json, strlen(json), 64, &err));
    FILE *to = open_memstream(&text, &len);
    layout_subject(to, tree);
    fclose(to);
    arena_fini(&arena);
    return text;
}

static void a_record_shows_what_needs_a_person_first(void **state)
{
    (void)state;
    char *text = shown(
        "{\"seq\":4,\"subject\":\"school/1\",\"facts\":{\"name\":\"Hill School\",\"hub\":\"07\","
        "\"leads\":[\"t1\",\"t2\"],\"areas\":{\"a\":\"secure\"},\"postcode\":null},"
        "\"decisions\":{\"committed\":{\"value\":true,\"since\":\"2025-08-31T23:00:00.000000Z\","
        "\"until\":null},"
        "\"lead_missing\":{\"value\":true,\"alert\":true,\"since\":\"2026-01-02T03:04:05.000000Z\"}"
        ","
        "\"pathway_phase\":{\"value\":\"development\",\"since\":null},"
        "\"phase_since\":{\"value\":\"2025-09-01\"},"
        "\"visit_overdue\":{\"value\":false,\"alert\":true}},"
        "\"wake\":\"2026-12-31T00:00:00.000000Z\"}");
    assert_string_equal(text, "Hill School\n"
                              "school/1, hub 07\n"
                              "Phase: development since 2025-09-01\n"
                              "\n"
                              "Alerts\n"
                              "  lead_missing   since 2026-01-02T03:04:05Z\n"
                              "\n"
                              "Facts\n"
                              "  name      Hill School\n"
                              "  hub       07\n"
                              "  leads     t1, t2\n"
                              "  areas     a: secure\n"
                              "  postcode  -\n"
                              "\n"
                              "Decisions\n"
                              "  committed      yes             since 2025-09-01\n"
                              "  lead_missing   yes             since 2026-01-02T03:04:05Z\n"
                              "  pathway_phase  development\n"
                              "  phase_since    2025-09-01\n"
                              "  visit_overdue  no\n"
                              "\n"
                              "Time alone may change something next on 2026-12-31\n");
    free(text);
}

static void a_record_without_anything_is_still_shown(void **state)
{
    (void)state;
    char *text = shown("{\"subject\":\"group/x\",\"facts\":{},\"decisions\":{},\"wake\":null}");
    assert_string_equal(text, "group/x\n");
    free(text);
}

static void each_row_of_a_nested_fact_has_a_line(void **state)
{
    (void)state;
    char *text = shown("{\"subject\":\"school/1\",\"facts\":{"
                       "\"areas\":{\"vision\":\"secure\",\"systems\":\"not_yet\"},"
                       "\"memberships\":[{\"group\":\"group/a\",\"year\":\"2023/24\"},"
                       "{\"group\":\"group/b\",\"year\":\"2024/25\"}],"
                       "\"met\":{\"2023/24\":{\"1\":2,\"3\":1},\"2024/25\":{\"x\":[[1],[2]]}},"
                       "\"none\":{},\"nobody\":[],\"visits\":{\"2023/24\":[1,2,3]}}}");
    assert_string_equal(text, "school/1\n"
                              "\n"
                              "Facts\n"
                              "  areas        vision: secure\n"
                              "               systems: not_yet\n"
                              "  memberships  group=group/a, year=2023/24\n"
                              "               group=group/b, year=2024/25\n"
                              "  met          2023/24: 1=2, 3=1\n"
                              "               2024/25:\n"
                              "                 x:\n"
                              "                   1\n"
                              "                   2\n"
                              "  none         -\n"
                              "  nobody       -\n"
                              "  visits       2023/24: 1, 2, 3\n");
    free(text);
}

static void bytes_that_move_a_terminals_cursor_are_not_printed(void **state)
{
    (void)state;
    char *text = shown("{\"subject\":\"school/1\",\"facts\":{\"name\":\"\\u001b]0;x\\u0007\\n\"}}");
    assert_null(strchr(text, 27));
    assert_null(strchr(text, 7));
    free(text);
}

static void pairs_show_members_of_members_by_their_path(void **state)
{
    (void)state;
    struct buf answer = { 0 };
    char *text = NULL;
    size_t len;
    buf_str(&answer, "{\"seq\":7,\"rules\":{\"generation\":3,\"error\":null},\"consumers\":[]}");
    FILE *to = open_memstream(&text, &len);
    assert_ok(layout_pairs(to, &answer, &err));
    fclose(to);
    assert_string_equal(text, "seq               7\n"
                              "rules.generation  3\n"
                              "rules.error       -\n"
                              "consumers         -\n");
    free(text);
    buf_reset(&answer);
    buf_str(&answer, "[]");
    assert_int_equal(layout_pairs(stderr, &answer, &err), ERR_IO);
    buf_reset(&answer);
    buf_str(&answer, "<html>");
    assert_int_equal(layout_pairs(stderr, &answer, &err), ERR_IO);
    buf_fini(&answer);
}

static void counts_have_commas(void **state)
{
    (void)state;
    char out[COUNT_TEXT];
    assert_string_equal(count_text(0, out), "0");
    assert_string_equal(count_text(999, out), "999");
    assert_string_equal(count_text(3371, out), "3,371");
    assert_string_equal(count_text(1234567, out), "1,234,567");
    assert_string_equal(count_text(-100, out), "-100");
    assert_string_equal(count_text(INT64_MAX, out), "9,223,372,036,854,775,807");
}

static void names_are_split_at_commas(void **state)
{
    (void)state;
    struct names n;
    assert_ok(names_split(&n, " a, b,,c ,", &err));
    assert_int_equal(n.count, 3);
    assert_string_equal(n.items[1], "b");
    assert_string_equal(n.items[2], "c");
    names_fini(&n);
    assert_ok(names_split(&n, NULL, &err));
    assert_null(n.items);
    names_fini(&n);
    assert_ok(names_split(&n, "", &err));
    assert_int_equal(n.count, 0);
    names_fini(&n);
}

TEST_MAIN(CASE(a_record_shows_what_needs_a_person_first),
          CASE(a_record_without_anything_is_still_shown),
          CASE(each_row_of_a_nested_fact_has_a_line),
          CASE(bytes_that_move_a_terminals_cursor_are_not_printed),
          CASE(pairs_show_members_of_members_by_their_path), CASE(counts_have_commas),
          CASE(names_are_split_at_commas))
