/* test_export.c - decisions of all subjects, sorted, as CSV or as lines of JSON. */
#include "tests/unit/engine/one_log.h"

static const char PACK[] =
    "return pack { name = 'test', events = {\n"
    "  go = { title = 'Go', subject = 'school', data = { word = optional(text), other = "
    "optional(school),\n"
    "    group = optional(group) } } },\n"
    "facts = { school = { word = text } },\n"
    "on = { school = { go = function(s, e) s.word = e.data.word end } },\n"
    "rules = {\n"
    "  word = shown { 'Word', source = 's' },\n"
    "  a_sum = rule { 'Sum', source = 's', function(s) return 1.5 end },\n"
    "  b_fails = rule { 'Fails', source = 's', function(s) error('no, \"never\"') end },\n"
    "  in_group = rule { 'G', source = 's', of = 'group', function(g) return true end },\n"
    "} }";

static const char *export(struct export_options options, const char *moment)
{
    static char text[4096];
    struct buf out = { 0 };
    struct world *w = view(&LOG, ALL, true);

    options.at = at(moment);
    if (export_world(&out, w, LOG.rules, &options, &err) == OK)
        snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    else
        snprintf(text, sizeof(text), "refused: %s", err.msg);
    buf_fini(&out);
    world_close(w);
    return text;
}

static void rows_are_sorted_bytewise_by_subject_and_decision(void **state)
{
    (void)state;
    put(&LOG, "1", "2025-01-01", "school/9", "go", "{\"word\":\"x\"}");
    put(&LOG, "2", "2025-01-01", "school/10", "go", "{\"group\":\"group/b\"}");
    put(&LOG, "3", "2025-01-01", "school/10", "go", "{\"group\":\"group/B\"}");
    assert_string_equal(export((struct export_options){ 0 }, "2025-01-01"),
                        "subject,decision,value\n"
                        "group/B,in_group,true\n"
                        "group/b,in_group,true\n"
                        "school/10,a_sum,1.5\n"
                        "school/10,b_fails,error\n"
                        "school/10,word,\n"
                        "school/9,a_sum,1.5\n"
                        "school/9,b_fails,error\n"
                        "school/9,word,x\n");
}

static void text_is_quoted_where_it_must_be(void **state)
{
    static const char *const NAMES[] = { "word" };
    struct export_options word = { .names = NAMES, .name_count = 1 };
    (void)state;
    put(&LOG, "1", "2025-01-01", "school/1", "go", "{\"word\":\"a, b\"}");
    put(&LOG, "2", "2025-01-01", "school/2", "go", "{\"word\":\"say \\\"a\\\"\"}");
    put(&LOG, "3", "2025-01-01", "school/3", "go", "{\"word\":\"null\"}");
    put(&LOG, "4", "2025-01-01", "school/4", "go", "{\"word\":\"caf\\u00e9\"}");
    assert_string_equal(export(word, "2025-01-01"), "subject,decision,value\n"
                                                    "school/1,word,\"a, b\"\n"
                                                    "school/2,word,\"say \"\"a\"\"\"\n"
                                                    "school/3,word,null\n"
                                                    "school/4,word,caf\xc3\xa9\n");
}

static void lines_of_json_keep_types_and_messages(void **state)
{
    (void)state;
    put(&LOG, "1", "2025-01-01", "school/1", "go", "{\"word\":\"x\"}");
    assert_string_equal(
        export((struct export_options){ .as_ndjson = true }, "2025-01-01"),
        "{\"subject\":\"school/1\",\"decision\":\"a_sum\",\"value\":1.5}\n"
        "{\"subject\":\"school/1\",\"decision\":\"b_fails\",\"error\":\"national/pack.lua:9: no, "
        "\\\"never\\\"\"}\n"
        "{\"subject\":\"school/1\",\"decision\":\"word\",\"value\":\"x\"}\n");
}

static void a_subject_is_listed_once_something_touches_it(void **state)
{
    static const char *const NAMES[] = { "a_sum" };
    struct export_options sum = { .names = NAMES, .name_count = 1 };
    (void)state;
    put(&LOG, "1", "2025-01-02", "school/1", "go", "{\"other\":\"school/2\"}");
    put_void(&LOG, "v", "2025-01-05", "school/1", "1"); /* voided or not */
    assert_string_equal(export(sum, "2025-01-01"), "subject,decision,value\n");
    assert_string_equal(export(sum, "2025-01-02"), "subject,decision,value\n"
                                                   "school/1,a_sum,1.5\nschool/2,a_sum,1.5\n");
}

static void an_unknown_decision_is_refused_with_the_nearest(void **state)
{
    static const char *const NAMES[] = { "word", "a_smu" };
    (void)state;
    put(&LOG, "1", "2025-01-01", "school/1", "go", "{}");
    assert_string_equal(
        export((struct export_options){ .names = NAMES, .name_count = 2 }, "2025-01-01"),
        "refused: unknown decision 'a_smu'; did you mean \"a_sum\"?");
}

static void a_decision_of_another_kind_of_subject_is_known(void **state)
{
    static const char *const NAMES[] = { "in_group" };
    (void)state;
    put(&LOG, "1", "2025-01-01", "school/1", "go", "{}");
    assert_string_equal(
        export((struct export_options){ .names = NAMES, .name_count = 1 }, "2025-01-01"),
        "subject,decision,value\n");
}

#define EXPORT_CASE(fn) LOG_CASE(fn, PACK)
TEST_MAIN(EXPORT_CASE(rows_are_sorted_bytewise_by_subject_and_decision),
          EXPORT_CASE(text_is_quoted_where_it_must_be),
          EXPORT_CASE(lines_of_json_keep_types_and_messages),
          EXPORT_CASE(a_subject_is_listed_once_something_touches_it),
          EXPORT_CASE(an_unknown_decision_is_refused_with_the_nearest),
          EXPORT_CASE(a_decision_of_another_kind_of_subject_is_known))
