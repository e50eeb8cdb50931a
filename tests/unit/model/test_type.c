/* test_type.c - what each type takes, and the sentences for what it does not. */
#include "tests/unit/model/fixture.h"

static enum err_code check(const struct type *t, const char *text)
{
    return type_check(t, parsed(text), "data", &err);
}

static void assert_takes(const struct type *t, const char *text)
{
    assert_ok(check(t, text));
}

static void assert_refuses(const struct type *t, const char *text, const char *message)
{
    assert_int_equal(check(t, text), ERR_INPUT);
    assert_string_equal(err.msg, message);
}

/* As assert_refuses(), where only a part of the message matters. */
static void assert_refuses_saying(const struct type *t, const char *text, const char *says)
{
    assert_int_equal(check(t, text), ERR_INPUT);
    assert_says(says);
}

static const struct type *scalar(enum type_kind kind)
{
    static struct type t;
    t = (struct type){ .kind = kind };
    return &t;
}

static void a_slip_in_an_enum_names_the_nearest_value(void **state)
{
    (void)state;
    assert_takes(&READINESS, "{\"judgement\":\"secure\"}");
    assert_refuses(&READINESS, "{\"judgement\":\"secured\"}",
                   "data.judgement: found \"secured\", expected one of not_yet, developing, secure;"
                   " did you mean \"secure\"?");
    assert_refuses(&READINESS, "{\"judgement\":7}",
                   "data.judgement: found 7, expected one of not_yet, developing, secure");
}

static void fields_are_neither_missing_nor_unknown(void **state)
{
    (void)state;
    assert_takes(&LEAD, "{\"teacher\":\"t.1\",\"role\":\"lead\"}");
    assert_takes(&LEAD, "{\"teacher\":\"t1\"}");
    assert_refuses(&LEAD, "{}", "data.teacher: missing, expected a person's key");
    assert_refuses(&LEAD, "{\"techer\":\"t1\"}",
                   "data.techer: unknown field; did you mean \"teacher\"?");
    assert_refuses(&LEAD, "{\"teacher\":\"t1\",\"zzz\":1}",
                   "data.zzz: unknown field, expected an object with teacher, role?");
    assert_refuses(&NO_DATA, "{\"x\":1}",
                   "data.x: unknown field, expected an object without fields");
    assert_refuses(&LEAD, "[]", "data: found an array, expected an object with teacher, role?");
}

static void an_optional_field_is_left_out_not_null(void **state)
{
    (void)state;
    assert_refuses(
        &LEAD, "{\"teacher\":\"t1\",\"role\":null}",
        "data.role: found null, expected text: leave the field out when it has no value");
    assert_refuses(&LEAD, "{\"teacher\":null}",
                   "data.teacher: found null, expected a person's key");
}

static void a_name_or_address_is_no_persons_key(void **state)
{
    (void)state;
    char text[128];
    assert_refuses(
        &LEAD, "{\"teacher\":\"Ann Lee\"}",
        "data.teacher: found \"Ann Lee\", expected a person's key (1 to 64 of a-z 0-9 . _"
        " -): keep names and addresses out of the log: choose a key and store the name"
        " with `pathway person set KEY`");
    assert_refuses_saying(&PERSON, "\"ann@example.org\"", "pathway person set");
    assert_refuses_saying(&PERSON, "\"Ann\"", "pathway person set");
    assert_refuses_saying(&PERSON, "\"\"", "pathway person set");
    snprintf(text, sizeof(text), "\"%064d\"", 0);
    assert_takes(&PERSON, text);
    snprintf(text, sizeof(text), "\"%065d\"", 0);
    assert_refuses_saying(&PERSON, text, "pathway person set");
}

static void a_long_wrong_value_is_quoted_in_part(void **state)
{
    (void)state;
    char text[400], name[400];
    snprintf(text, sizeof(text), "\"%0300d\"", 0);
    assert_refuses_saying(&PERSON, text, "000...\", expected");
    assert_true(strlen(err.msg) < 300);
    snprintf(name, sizeof(name), "{\"%0300d\":1}", 0);
    assert_refuses_saying(&LEAD, name, "0...: unknown field");
    assert_true(strlen(err.msg) < 200);
}

static void text_is_printable_and_not_too_long(void **state)
{
    (void)state;
    char text[1100];
    assert_takes(&TEXT, "\"caf\xc3\xa9\"");
    assert_refuses_saying(&TEXT, "\"\"", "expected text of at least one byte");
    assert_refuses_saying(&TEXT, "\"a\\nb\"", "without control characters");
    assert_refuses_saying(&TEXT, "\"a\\u0000b\"", "without control characters");
    snprintf(text, sizeof(text), "\"%01000d\"", 0);
    assert_takes(&TEXT, text);
    snprintf(text, sizeof(text), "\"%01001d\"", 0);
    assert_refuses_saying(&TEXT, text, "expected text of at most 1000 bytes, not 1001");
}

static void notes_have_lines(void **state)
{
    (void)state;
    struct buf b = { 0 };
    assert_takes(&NOTE, "\"one\\r\\n\\ttwo\"");
    assert_takes(&NOTE, "\"\"");
    assert_refuses_saying(&NOTE, "\"a\\u0000b\"", "without control characters");
    buf_printf(&b, "\"%010000d\"", 0);
    assert_takes(&NOTE, buf_cstr(&b));
    buf_reset(&b);
    buf_printf(&b, "\"%010001d\"", 0);
    assert_refuses_saying(&NOTE, buf_cstr(&b), "a note, text of up to 10,000 bytes");
    buf_fini(&b);
}

static void numbers_have_bounds(void **state)
{
    (void)state;
    const struct type any = { .kind = TYPE_INT, .min = INT64_MIN, .max = INT64_MAX };
    const struct type positive = { .kind = TYPE_INT, .min = 1, .max = INT64_MAX };
    assert_takes(&HALF_TERM, "6");
    assert_takes(&HALF_TERM, "1.0");
    assert_refuses(&HALF_TERM, "7", "data: found 7, expected a whole number from 1 to 6");
    assert_refuses(&HALF_TERM, "1.5", "data: found 1.5, expected a whole number from 1 to 6");
    assert_refuses(&HALF_TERM, "\"1\"", "data: found \"1\", expected a whole number from 1 to 6");
    assert_takes(&any, "-9223372036854775808");
    assert_refuses(&any, "true", "data: found true, expected a whole number");
    assert_refuses(&positive, "0", "data: found 0, expected a whole number of at least 1");
    assert_takes(scalar(TYPE_NUMBER), "1.5");
    assert_takes(scalar(TYPE_NUMBER), "-3");
    assert_refuses(scalar(TYPE_NUMBER), "\"3\"", "data: found \"3\", expected a number");
    assert_takes(scalar(TYPE_BOOL), "false");
    assert_refuses(scalar(TYPE_BOOL), "0", "data: found 0, expected true or false");
}

static void times_dates_and_years_are_checked_by_the_calendar(void **state)
{
    (void)state;
    assert_takes(scalar(TYPE_TIME), "\"2026-11-21T09:30:00Z\"");
    assert_takes(scalar(TYPE_DATE), "\"2024-02-29\"");
    assert_takes(scalar(TYPE_YEAR), "\"2024/25\"");
    assert_refuses(scalar(TYPE_DATE), "\"2023-02-29\"",
                   "data: found \"2023-02-29\", expected a date such as 2026-11-21: that month has"
                   " no such day");
    assert_refuses_saying(scalar(TYPE_YEAR), "\"2024/26\"",
                          "expected an academic year such as 2024/25");
    assert_refuses_saying(scalar(TYPE_TIME), "\"2024-01-01\"", "a day without a time");
    assert_refuses(scalar(TYPE_DATE), "20240229",
                   "data: found 20240229, expected a date such as 2026-11-21");
}

static void subjects_and_codes_are_checked(void **state)
{
    (void)state;
    assert_takes(&SCHOOL, "\"school/100001\"");
    assert_takes(&GROUP, "\"group/h07\"");
    assert_takes(scalar(TYPE_HUB), "\"07\"");
    assert_refuses(&SCHOOL, "\"100001\"",
                   "data: found \"100001\", expected a school such as school/100001; did you mean"
                   " \"school/100001\"?");
    assert_refuses(&SCHOOL, "\"group/h07\"",
                   "data: found \"group/h07\", expected a school such as school/100001");
    assert_refuses_saying(&GROUP, "\"group/\"", "expected a group");
    assert_refuses_saying(scalar(TYPE_HUB), "\"hub/07\"", "expected a hub's code such as 07");
}

static void nested_places_are_named(void **state)
{
    (void)state;
    assert_takes(&MET,
                 "{\"half_term\":1,\"attendance\":{\"school/1\":[\"a\",\"a\"],\"school/2\":[]}}");
    assert_refuses_saying(&MET, "{\"half_term\":1,\"attendance\":{\"school/1\":[\"a\",\"B C\"]}}",
                          "data.attendance['school/1'][1]: found \"B C\"");
    assert_refuses_saying(&MET, "{\"half_term\":1,\"attendance\":{\"school/x\":[]}}",
                          "data.attendance['school/x']: found \"school/x\", expected a school");
    assert_refuses(&MET, "{\"half_term\":1,\"attendance\":[]}",
                   "data.attendance: found an array, expected an object, each name a school such as"
                   " school/100001, each value a list, each item a person's key");
}

static void a_description_that_does_not_fit_is_cut(void **state)
{
    (void)state;
    char out[16];
    assert_string_equal(type_describe(&JUDGEMENT, out, sizeof(out)), "one of not_y...");
    assert_string_equal(type_describe(&TEXT, out, sizeof(out)), "text");
    assert_true(type_is_scalar(&NOTE));
    assert_false(type_is_scalar(&MET));
}

static void gather(const char *subject, void *arg)
{
    buf_printf(arg, "%s ", subject);
}

static void subjects_are_found_in_fields_lists_and_names(void **state)
{
    (void)state;
    struct buf b = { 0 };
    const struct json *value = parsed("{\"half_term\":1,\"group\":\"group/g\","
                                      "\"attendance\":{\"school/2\":[],\"school/1\":[\"p\"]}}");
    type_subjects(&MET, value, gather, &b);
    assert_string_equal(buf_cstr(&b), "group/g school/2 school/1 ");
    buf_fini(&b);
}

static void a_check_finds_subjects_and_notes_on_its_way(void **state)
{
    (void)state;
    struct buf walked = { 0 }, found = { 0 };
    struct type_finds finds = { .subject = gather, .arg = &found };
    const struct json *value =
        parsed("{\"half_term\":1,\"attendance\":{\"school/2\":[],\"school/1\":[\"p\"]},"
               "\"group\":\"group/g\",\"notes\":[]}");
    type_subjects(&MET, value, gather, &walked);
    assert_ok(type_check_finding(&MET, value, "data", &finds, &err));
    assert_string_equal(buf_cstr(&found), buf_cstr(&walked));
    assert_false(finds.has_notes);
    value = parsed("{\"half_term\":1,\"attendance\":{},\"notes\":[\"n\"]}");
    assert_ok(type_check_finding(&MET, value, "data", &finds, &err));
    assert_true(finds.has_notes);
    buf_fini(&walked);
    buf_fini(&found);
}

#define T(fn) CASE_WITH(fn, NULL, close_catalog)
TEST_MAIN(T(a_slip_in_an_enum_names_the_nearest_value), T(fields_are_neither_missing_nor_unknown),
          T(an_optional_field_is_left_out_not_null), T(a_name_or_address_is_no_persons_key),
          T(a_long_wrong_value_is_quoted_in_part), T(text_is_printable_and_not_too_long),
          T(notes_have_lines), T(numbers_have_bounds),
          T(times_dates_and_years_are_checked_by_the_calendar), T(subjects_and_codes_are_checked),
          T(nested_places_are_named), T(a_description_that_does_not_fit_is_cut),
          T(subjects_are_found_in_fields_lists_and_names),
          T(a_check_finds_subjects_and_notes_on_its_way))
