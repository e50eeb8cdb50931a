/* test_register.c - the register against what is known: only differences become events. */
#include "tests/unit/harness.h"

#include "base/civil.h"
#include "base/digest.h"
#include "base/json.h"
#include "cli/register.h"

static struct known known;
static struct buf events;
static const struct school SCHOOL = {
    .urn = "100001",
    .values = { [FIELD_NAME] = "Hill \"Top\" School",
                [FIELD_HUB] = "07",
                [FIELD_EDUCATION_PHASE] = "primary",
                [FIELD_STATUS] = "open",
                [FIELD_PUPILS] = "210" },
};

static int start(void **state)
{
    (void)state;
    return civil_init(&err) || digest_init(&err);
}

static int end(void **state)
{
    (void)state;
    known_fini(&known);
    known = (struct known){ 0 };
    buf_fini(&events);
    return 0;
}

static void know(const char *lines)
{
    assert_ok(known_read(&known, lines, strlen(lines), &err));
}

static enum register_change take(const struct school *s)
{
    buf_reset(&events);
    return register_event(&events, &known, s, day_from_ymd(2022, 4, 20));
}

static void assert_event(const char *part)
{
    if (!strstr(buf_cstr(&events), part))
        fail_msg("%s lacks %s", buf_cstr(&events), part);
}

static void a_new_school_is_registered_whole(void **state)
{
    (void)state;
    assert_int_equal(take(&SCHOOL), REGISTER_NEW);
    assert_event("\"type\":\"school.registered\",\"subject\":\"school/100001\","
                 "\"time\":\"2010-08-31T23:00:00.000000Z\"");
    assert_event("\"data\":{\"name\":\"Hill \\\"Top\\\" School\",\"hub\":\"07\","
                 "\"education_phase\":\"primary\",\"status\":\"open\",\"pupils\":210}}\n");
    assert_event("\"id\":\"100001-2022-04-20-");
}

static void a_registration_stands_on_the_day_of_opening_but_not_after_the_extract(void **state)
{
    (void)state;
    struct school s = SCHOOL;
    s.has_open_day = true;
    s.open_day = day_from_ymd(1999, 1, 4);
    assert_int_equal(take(&s), REGISTER_NEW);
    assert_event("\"time\":\"1999-01-04T00:00:00.000000Z\"");
    s.open_day = day_from_ymd(2024, 9, 1);
    assert_int_equal(take(&s), REGISTER_NEW);
    assert_event("\"time\":\"2022-04-19T23:00:00.000000Z\"");
}

static void what_did_not_change_gives_nothing(void **state)
{
    (void)state;
    know("{\"subject\":\"school/100001\",\"name\":\"Hill \\\"Top\\\" School\",\"hub\":\"07\","
         "\"education_phase\":\"primary\",\"la\":\"850\",\"postcode\":\"GU34 "
         "1DH\",\"status\":\"open\","
         "\"pupils\":210}\n\n");
    assert_int_equal(take(&SCHOOL), REGISTER_SAME);
    assert_int_equal(events.len, 0);
}

static void only_what_differs_is_in_a_change(void **state)
{
    (void)state;
    know("{\"subject\":\"school/"
         "100001\",\"name\":\"Old\",\"hub\":\"07\",\"education_phase\":\"infant\","
         "\"status\":\"open\",\"pupils\":null,\"la\":null}");
    struct school s = SCHOOL;
    s.is_phase_guessed = true; /* then it is no news */
    assert_int_equal(take(&s), REGISTER_CHANGED);
    assert_event("\"type\":\"school.changed\"");
    assert_event("\"time\":\"2022-04-19T23:00:00.000000Z\"");
    assert_event("\"data\":{\"name\":\"Hill \\\"Top\\\" School\",\"pupils\":210}}");
}

static void the_same_row_gives_the_same_event(void **state)
{
    (void)state;
    take(&SCHOOL);
    char *first = buf_take(&events);
    take(&SCHOOL);
    assert_string_equal(buf_cstr(&events), first);
    struct school s = SCHOOL;
    s.values[FIELD_PUPILS] = "211";
    take(&s);
    assert_true(strncmp(buf_cstr(&events), first, strcspn(first, ",") + 40) != 0);
    free(first);
}

static void an_answer_that_is_no_list_of_schools_is_refused(void **state)
{
    (void)state;
    assert_int_equal(known_read(&known, "<html>", 6, &err), ERR_IO);
    assert_int_equal(known_read(&known, "{\"subject\":\"group/1\"}", 21, &err), ERR_IO);
}

#define WITH(fn) CASE_WITH(fn, start, end)
TEST_MAIN(WITH(a_new_school_is_registered_whole),
          WITH(a_registration_stands_on_the_day_of_opening_but_not_after_the_extract),
          WITH(what_did_not_change_gives_nothing), WITH(only_what_differs_is_in_a_change),
          WITH(the_same_row_gives_the_same_event),
          WITH(an_answer_that_is_no_list_of_schools_is_refused))
